//! Where a customer is: the projection, its JSON, what is set once, and what it costs.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod support;

#[path = "status/counted.rs"]
mod counted;
#[path = "status/told.rs"]
mod told;

use std::time::Duration;

use chrono::{DateTime, Utc};
use onramp::flow::{Cohort, Failure, Kind, Need, Plan, PlanStep, Problem, Roll, Waits};
use onramp::lifecycle::{Action, StageKind, WaitingFor};
use onramp::status::{NextAction, Standing, Status};
use onramp::{Actor, Reason};
use serde_json::{Value, json};
use told::{HOUR, Story, at};

const NO_ROOM: Problem = Problem::new("no_room", "There is no room for your site.");

fn need(step: &'static str) -> Need {
    Need {
        step: step.into(),
        optional: true,
    }
}

/// One step of each kind, and two that may not apply.
fn plan() -> Plan {
    let week = Duration::from_secs(7 * 24 * 3600);
    let steps = vec![
        PlanStep::new("company", Kind::Answer).titled("your_company"),
        PlanStep::new("branding", Kind::Answer).optional(),
        PlanStep::new("tax_number", Kind::Answer).conditional_on(vec![need("company")]),
        PlanStep::new("review", Kind::Approval),
        PlanStep::new("payment", Kind::Evidence).waiting(Waits::default().expire_after(week)),
        PlanStep::new("terms", Kind::Answer),
        PlanStep::new("survey", Kind::Answer).optional(),
        PlanStep::pause("cool_off", Duration::from_secs(3600)),
        PlanStep::new("build_site", Kind::Task).needing(vec![need("company")]),
    ];
    Plan::new("workspace", 1, steps).unwrap()
}

fn settle(step: &'static str, applies: bool) -> Action {
    Action::Settle {
        step: step.into(),
        applies,
    }
}

fn waive(step: &'static str) -> Action {
    Action::Waive {
        step: step.into(),
        reason: Reason::new("contract-1234").unwrap(),
    }
}

/// As far as the payment, which is waited for; the terms came ahead of their turn.
fn half_way() -> Story {
    let ann = Actor::Operator("ann".into());
    Story::of(plan())
        .does(Actor::Host, Action::Login)
        .starts()
        .answers("company")
        .does(
            Actor::Subject,
            Action::Skip {
                step: "branding".into(),
            },
        )
        .does(Actor::Worker, settle("tax_number", false))
        .does(ann, waive("review"))
        .answers("terms")
}

fn completed() -> Story {
    half_way()
        .attests("payment")
        .does(
            Actor::Subject,
            Action::Skip {
                step: "survey".into(),
            },
        )
        .later(2 * HOUR)
        .does(
            Actor::Worker,
            Action::Elapse {
                step: "cool_off".into(),
            },
        )
        .records("build_site")
        .does(Actor::Worker, Action::Complete { verified: true })
}

fn failed() -> Story {
    let step = || "build_site".into();
    let failure = Failure::from(NO_ROOM);
    let (retryable, roll) = (false, Roll::from_bits(0));
    half_way()
        .attests("payment")
        .does(
            Actor::Subject,
            Action::Skip {
                step: "survey".into(),
            },
        )
        .later(2 * HOUR)
        .does(
            Actor::Worker,
            Action::Elapse {
                step: "cool_off".into(),
            },
        )
        .does(
            Actor::Worker,
            Action::FailAttempt {
                step: step(),
                attempt: 1,
                failure,
                retryable,
                roll,
            },
        )
        .does(
            Actor::Worker,
            Action::Undone {
                step: step(),
                attempt: 1,
            },
        )
        .does(Actor::Worker, Action::FinishUndo)
}

#[test]
fn the_json_is_the_documented_one() {
    let found = json!({
        "pending": Story::of(plan()).status(),
        "half_way": half_way().status(),
        "completed": completed().status(),
        "failed": failed().status(),
    });
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/status/golden.json");
    if std::env::var_os("ONRAMP_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&found).unwrap();
        std::fs::write(golden, text + "\n").unwrap();
    }
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    assert_eq!(
        found, expected,
        "look at it, and take it with ONRAMP_GOLDEN=1"
    );
    for (name, status) in expected.as_object().unwrap() {
        let read: Status = serde_json::from_value(status.clone()).unwrap();
        assert_eq!(json!(read), *status, "{name} does not survive being read");
    }
}

#[test]
fn an_older_client_gets_exactly_its_six_keys() {
    let plan = |_: &Status| Some("professional".to_owned());
    let json = |story: Story| serde_json::to_string(&story.status().compat(plan)).unwrap();
    assert_eq!(
        json(half_way()),
        r#"{"needs_onboarding":true,"status":"in_progress","current_step":"payment","tenant_id":"acme","subscription_plan":"professional","completed_steps":["company","terms"]}"#
    );
    assert_eq!(
        json(completed()),
        r#"{"needs_onboarding":false,"status":"complete","current_step":"complete","tenant_id":"acme","subscription_plan":"professional","completed_steps":["company","payment","terms","cool_off","build_site","complete"]}"#
    );
    let unknown = Story::of(self::plan()).status().compat(|_| None);
    assert_eq!(unknown.subscription_plan, None, "no plan is made up");
}

#[test]
fn gaps_stay_visible_when_facts_come_out_of_order() {
    let status = half_way().status();
    let stands: Vec<_> = status
        .steps
        .iter()
        .map(|s| (s.key.as_str(), s.state.as_str()))
        .collect();
    assert_eq!(
        stands,
        [
            ("company", "completed"),
            ("branding", "skipped"),
            ("tax_number", "not_applicable"),
            ("review", "waived"),
            ("payment", "waiting"),
            ("terms", "completed"),
            ("survey", "pending"),
            ("cool_off", "pending"),
            ("build_site", "pending"),
        ]
    );
    assert_eq!(status.current_step.unwrap(), "payment");
}

#[test]
fn each_requirement_is_in_the_bucket_of_its_time() {
    let names = |list: &[onramp::status::Requirement]| -> Vec<String> {
        list.iter().map(|r| r.step.to_string()).collect()
    };
    let new = Story::of(plan()).status().requirements;
    assert_eq!(
        names(&new.due_later),
        ["company", "tax_number", "review", "payment", "terms"]
    );
    assert_eq!(names(&new.optional), ["branding", "survey"]);
    assert!(new.due_now.is_empty(), "it was not started");

    let begun = Story::of(plan()).starts().status().requirements;
    assert_eq!(names(&begun.due_now), ["company"]);

    let story = half_way();
    let waiting = story.status().requirements;
    assert_eq!(names(&waiting.waiting), ["payment"]);
    let deadline = waiting.waiting[0].deadline.unwrap();
    let late = Status::of(&story.state, &story.plan, deadline).requirements;
    assert_eq!(names(&late.past_due), ["payment"]);
    assert!(late.waiting.is_empty(), "in one bucket at most");

    assert_eq!(completed().status().requirements, Default::default());
}

#[test]
fn the_next_action_says_who_does_what() {
    assert_eq!(Story::of(plan()).status().next_action, NextAction::Start);
    let company = NextAction::Answer {
        step: "company".into(),
        optional: false,
    };
    assert_eq!(Story::of(plan()).starts().status().next_action, company);
    let waits = half_way().status().next_action;
    let NextAction::Wait { on, step, until } = waits else {
        unreachable!("{waits:?}")
    };
    assert_eq!((on, step), (WaitingFor::ThirdParty, Some("payment".into())));
    assert!(until.is_some());
    assert_eq!(completed().status().next_action, NextAction::Proceed);
    assert_eq!(failed().status().next_action, NextAction::Retry);
    let given_up = Story::of(plan()).does(Actor::Host, Action::Cancel);
    assert_eq!(given_up.status().next_action, NextAction::Nothing);
}

#[test]
fn a_failure_is_shown_as_code_and_message_and_nothing_else() {
    let status = failed().status();
    let shown = json!(status)["failure"].clone();
    assert_eq!(
        shown,
        json!({"code": "no_room", "message": "There is no room for your site."})
    );
    let site = status.steps.iter().find(|s| s.key == "build_site").unwrap();
    assert_eq!(site.state, Standing::Failed);
}

#[test]
fn a_second_login_and_a_second_completion_move_nothing() {
    let new_step = PlanStep::new("privacy", Kind::Answer).since(2, Cohort::Everyone);
    let mut steps = plan().steps().to_vec();
    steps.push(new_step);
    let v2 = Plan::new("workspace", 2, steps).unwrap();

    let mut story = completed();
    let first = story.status().times;
    let login = first.first_login.unwrap();
    assert!(first.started.unwrap() > login && first.completed.is_some());

    story = story.later(HOUR).does(Actor::Host, Action::Login);
    story.plan = v2;
    story = story.later(HOUR).does(Actor::Host, Action::Reopen);
    assert_eq!(story.status().stage, StageKind::InProgress);
    assert_eq!(story.status().times, first, "reopening forgets nothing");
    story = story
        .answers("privacy")
        .later(HOUR)
        .does(Actor::Worker, Action::Complete { verified: true });
    assert_eq!(story.status().stage, StageKind::Completed);
    assert_eq!(story.status().times, first);
    assert!(story.stage_at() > first.completed.unwrap(), "it was later");
}

#[test]
fn what_the_program_before_stored_is_read_and_what_it_never_knew_is_left_out() {
    let new = |story: &Story| serde_json::to_value(&story.state).unwrap();
    let without = Story::of(plan()).starts();
    for key in ["login_at", "completed_at"] {
        assert_eq!(new(&without).get(key), None);
        assert_eq!(
            new(&completed()).get("completed_at"),
            None,
            "the stage knows"
        );
    }
    let mut old = new(&completed());
    old.as_object_mut().unwrap().remove("login_at");
    let read: onramp::lifecycle::State = serde_json::from_value(old).unwrap();
    assert_eq!(read.first_login_at(), None);
    assert_eq!(read.completed_at(), completed().state.completed_at());
}

#[test]
fn only_the_host_sees_who_signs_in() {
    let story = Story::of(plan());
    for by in [Actor::Subject, Actor::Worker, Actor::Operator("ann".into())] {
        assert!(story.tries(by, Action::Login).is_err());
    }
    let again = story.does(Actor::Host, Action::Login);
    assert_eq!(again.tries(Actor::Host, Action::Login), Ok(Vec::new()));
}

#[test]
fn a_status_is_a_function_of_its_arguments() {
    let story = half_way();
    let later: DateTime<Utc> = at(HOUR * 5);
    let of = || Status::of(&story.state, &story.plan, later);
    assert_eq!(of(), of());
}
