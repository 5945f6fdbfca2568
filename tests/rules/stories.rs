//! What random histories found, or would find rarely, told as stories.

use crate::*;

fn need(step: &'static str) -> Need {
    Need {
        step: step.into(),
        optional: false,
    }
}

fn started(steps: Vec<PlanStep>) -> Run {
    let mut run = Run::new(Plan::new("random", 1, steps).unwrap());
    run.start();
    run
}

fn failing(step: &'static str) -> Action {
    Action::FailUndo {
        step: step.into(),
        attempt: 1,
        failure: Failure::from(Problem::CRASHED),
        retryable: false,
        roll: Roll::from_bits(0),
    }
}

#[test]
fn a_retry_is_no_way_around_the_gates() {
    let mut run = Run::new(Plan::new("random", 1, vec![PlanStep::new("a", Kind::Answer)]).unwrap());
    run.must(Actor::Subject, Action::Cancel);
    let retried = run.attempt(Actor::Subject, Action::Retry);
    assert_eq!(retried, Err(Rejected::NeverStarted));
}

#[test]
fn only_a_worker_can_say_that_it_has_verified() {
    let mut run = started(vec![PlanStep::new("t", Kind::Task)]);
    run.record("t");
    let complete = || Action::Complete { verified: true };
    let claimed = run.attempt(Actor::Subject, complete());
    assert_eq!(claimed, Err(Rejected::Unverified));
    run.must(Actor::Worker, complete());
}

#[test]
fn an_undo_that_gets_stuck_gives_up_everything() {
    let mut run = started(vec![
        PlanStep::new("a", Kind::Answer),
        PlanStep::new("apart", Kind::Task),
        PlanStep::new("built", Kind::Task).needing(vec![need("a")]),
        PlanStep::new("b", Kind::Answer),
    ]);
    run.must(
        Actor::Subject,
        Action::Submit {
            step: "a".into(),
            fact: mark(1),
        },
    );
    run.record("apart");
    run.record("built");
    run.must(
        Actor::Subject,
        Action::Revise {
            step: "a".into(),
            fact: mark(2),
        },
    );
    run.must(Actor::Worker, failing("built"));
    let remaining = &run.state.failed().unwrap().remaining;
    assert_eq!(
        *remaining,
        ["built", "apart"].map(onramp::StepName::from_static)
    );
}

#[test]
fn a_task_under_way_is_taken_back_when_a_revision_overtakes_it() {
    let mut run = started(vec![
        PlanStep::new("a", Kind::Answer),
        PlanStep::new("built", Kind::Task).needing(vec![need("a")]),
        PlanStep::new("apart", Kind::Task),
    ]);
    run.must(
        Actor::Subject,
        Action::Submit {
            step: "a".into(),
            fact: mark(1),
        },
    );
    run.record("built");
    // A worker is now at `apart`; it will be reached again only after `built`.
    run.must(
        Actor::Subject,
        Action::Revise {
            step: "a".into(),
            fact: mark(2),
        },
    );
    let undoing = &run.state.undoing().unwrap().steps;
    assert_eq!(
        *undoing,
        ["apart", "built"].map(onramp::StepName::from_static)
    );
}

#[test]
fn a_wait_that_a_newer_plan_times_begins_when_it_is_found() {
    let answer = || PlanStep::new("company", Kind::Answer);
    let mut run = Run::new(Plan::new("workspace", 1, vec![answer()]).unwrap());
    run.start();
    assert_eq!(run.state.wait(), None, "nobody asked since when");
    let waits = Waits::default().expire_after(Duration::from_secs(10));
    run.plan = Plan::new("workspace", 2, vec![answer().waiting(waits)]).unwrap();
    let step = onramp::StepName::from("company");
    let begin = Next::BeginWait { step: step.clone() };
    assert_eq!(next(&run.state, &run.plan, time(5)), begin);
    run.must(Actor::Worker, Action::BeginWait { step: step.clone() });
    let expire = Next::Expire { step: Some(step) };
    assert_eq!(next(&run.state, &run.plan, time(10)), expire);
    let early = run.attempt(Actor::Worker, Action::Expire { step: None });
    assert_eq!(early, Err(Rejected::NotDue));
}
