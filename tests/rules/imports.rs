//! What an import may do, and what it is no way around.

use onramp::flow::{Cohort, Kind, Plan, PlanStep};
use onramp::lifecycle::{Action, FactMark, Past, Rejected, StageKind, explain};
use onramp::{Actor, StepName};

use super::history::{Run, mark, time};

fn imported(past: Past, facts: Vec<(StepName, Kind, FactMark)>) -> Run {
    let steps = vec![
        PlanStep::new("a", Kind::Answer),
        PlanStep::new("t", Kind::Task),
        PlanStep::new("b", Kind::Answer).since(2, Cohort::Everyone),
    ];
    let mut run = Run::new(Plan::new("random", 2, steps).unwrap());
    let source = "crm".into();
    run.must(
        Actor::Host,
        Action::Import {
            source,
            past,
            facts,
        },
    );
    run
}

#[test]
fn an_import_is_no_way_around_the_gates() {
    let started_at = Some(time(-9));
    let past = Past {
        started_at,
        ..Past::default()
    };
    let mut run = imported(past, vec![("t".into(), Kind::Task, mark(1))]);
    assert_eq!(run.state.started_at(), started_at);
    assert_eq!(run.state.stage(), StageKind::Pending);
    run.must(Actor::Subject, Action::Cancel);
    // What was built elsewhere is there, until somebody takes it back.
    assert_eq!(run.state.failed().unwrap().remaining, ["t"]);
    let undone = Action::Undone {
        step: "t".into(),
        attempt: 1,
    };
    run.must(Actor::Operator("ann".into()), Action::RetryUndo);
    run.must(Actor::Worker, undone);
    run.must(Actor::Worker, Action::FinishUndo);
    let retried = run.attempt(Actor::Subject, Action::Retry);
    assert_eq!(retried, Err(Rejected::NeverStarted));
    assert_eq!(run.state.started_at(), started_at);
}

#[test]
fn whoever_was_complete_elsewhere_goes_on_for_what_is_new() {
    let past = Past {
        complete: true,
        ..Past::default()
    };
    let mut run = imported(past, Vec::new());
    assert_eq!(run.state.completed_at(), Some(time(0)));
    assert!(explain(&run.state, &run.plan, time(0)).is_empty());
    run.must(Actor::Host, Action::Reopen);
    let open = run.state.current(&run.plan).unwrap();
    assert_eq!(*open.name(), "b");
    run.must(Actor::Subject, Action::Cancel);
    run.must(Actor::Worker, Action::FinishUndo);
    run.must(Actor::Subject, Action::Retry);
    assert_eq!(run.state.completed_at(), Some(time(0)));
}

#[test]
fn times_that_cannot_be_are_refused_before_they_are_set_once() {
    let refused = |past: Past| {
        let mut run =
            Run::new(Plan::new("random", 1, vec![PlanStep::new("a", Kind::Answer)]).unwrap());
        let (source, facts) = ("crm".into(), Vec::new());
        let refused = run.attempt(
            Actor::Host,
            Action::Import {
                source,
                past,
                facts,
            },
        );
        refused.unwrap_err().to_string()
    };
    let some = |seconds| Some(time(seconds));
    let past = |complete, started_at, completed_at| Past {
        complete,
        first_login_at: None,
        started_at,
        completed_at,
    };
    let says = |past, why: &str| assert_eq!(refused(past), format!("the times do not fit: {why}"));
    says(past(true, None, some(1)), "one of them is in the future");
    says(
        past(true, some(-5), some(-6)),
        "it was completed before it was started",
    );
    says(
        past(false, None, some(-6)),
        "it has a time of completion and is not complete",
    );
}

#[test]
fn only_the_host_imports_and_nothing_is_taken_twice() {
    let fact = || ("a".into(), Kind::Answer, mark(1));
    let action = |facts| Action::Import {
        source: "crm".into(),
        past: Past::default(),
        facts,
    };
    let mut run = imported(Past::default(), vec![fact()]);
    let settled = Rejected::AlreadySettled { step: "a".into() };
    assert_eq!(run.attempt(Actor::Host, action(vec![fact()])), Err(settled));
    let kind = run.attempt(
        Actor::Host,
        action(vec![("b".into(), Kind::Evidence, mark(1))]),
    );
    assert!(matches!(kind, Err(Rejected::WrongKind { .. })));
    for actor in [Actor::Subject, Actor::Worker, Actor::Operator("ann".into())] {
        let refused = run.attempt(actor, action(Vec::new()));
        assert!(matches!(refused, Err(Rejected::WrongActor { .. })));
    }
    run.start();
    let late = run.attempt(Actor::Host, action(Vec::new()));
    assert!(matches!(late, Err(Rejected::WrongStage { .. })));
}
