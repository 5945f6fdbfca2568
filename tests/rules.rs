//! The rule book, held to its promises over random plans and random histories. No store.
//!
//! A history is driven by a model of the world outside: it knows which effects may exist, so that
//! "everything was taken back" is checked against the world and not against the rules' own books.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod rules {
    mod any_event;
    pub(crate) mod history;
    mod imports;
    pub(crate) mod plans;
    mod stories;
}

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::flow::{Failure, Kind, Need, Plan, PlanStep, Problem, RetryPolicy, Roll, Waits};
use onramp::lifecycle::{
    Action, Command, Event, Happened, Next, Obstacle, ObstacleKind, Operation, Past, Rejected,
    StageKind, State, UndoReason, apply, decide, decide_all, evolve, explain, fold, next,
};
use onramp::{Actor, Reason};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rules::history::{Move, Run, mark, moves, time};
use rules::plans::{Shapes, plan, shapes};

const CASES: u32 = 3_000;

fn runner() -> TestRunner {
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(CASES)
    })
}

/// Plays random histories; `check` sees each whole one.
fn histories(check: impl Fn(&Run) -> Result<(), TestCaseError>) {
    let play = |(shape, moves): (Shapes, Vec<Move>)| {
        let mut run = Run::new(plan(&shape));
        for step in moves {
            run.play(&step);
        }
        check(&run)
    };
    runner().run(&(shapes(), moves()), play).unwrap();
}

#[test]
fn the_journal_adds_up_to_the_row() {
    histories(|run| {
        let commits: Vec<_> = run.commits.iter().map(Vec::as_slice).collect();
        let folded = fold(commits);
        prop_assert_eq!(folded.as_ref(), Some(&run.state));

        let text = serde_json::to_string(&run.commits).unwrap();
        let read: Vec<Vec<Event>> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &run.commits);
        let folded = fold(read.iter().map(Vec::as_slice));
        prop_assert_eq!(folded.as_ref(), Some(&run.state));

        let text = serde_json::to_string(&run.state).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &run.state);
        Ok(())
    });
}

#[test]
fn decide_follows_the_table_and_every_edge_is_walked() {
    let walked = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&walked);
    histories(move |run| {
        for tried in &run.tried {
            let operation = tried.command.action.operation();
            let legal = operation.stages().contains(&tried.before.stage());
            let open = operation.open_to(&tried.command.by);
            match &tried.outcome {
                Ok(_) => {
                    prop_assert!(legal && open, "{:?} was accepted", tried);
                    let edge = (operation.as_str(), tried.before.stage());
                    seen.lock().unwrap().insert(edge);
                }
                Err(Rejected::WrongActor { .. }) => prop_assert!(!open, "{:?}", tried),
                Err(Rejected::WrongStage { .. }) => prop_assert!(open && !legal, "{:?}", tried),
                Err(_) => prop_assert!(open && legal, "{:?}", tried),
            }
        }
        Ok(())
    });
    let edges = |operation: &Operation| {
        let name = operation.as_str();
        operation.stages().iter().map(move |stage| (name, *stage))
    };
    // A plan that stays as it is never needs these: see the tests of newer plans.
    let newer = [Operation::BeginWait, Operation::Reopen];
    let all = Operation::ALL.iter().filter(|o| !newer.contains(o));
    let table: BTreeSet<_> = all.flat_map(edges).collect();
    assert_eq!(*walked.lock().unwrap(), table);
}

#[test]
fn percent_grows_with_facts_and_is_whole_only_when_complete() {
    histories(|run| {
        for (before, event, after) in run.steps() {
            let percent = after.percent(&run.plan);
            let complete = after.stage() == StageKind::Completed;
            prop_assert_eq!(percent == 100, complete);
            let adds = matches!(
                event.happened,
                Happened::AnswerSubmitted { .. }
                    | Happened::EvidenceAttested { .. }
                    | Happened::StepSkipped { .. }
                    | Happened::StepWaived { .. }
                    | Happened::Approved { .. }
                    | Happened::PauseElapsed { .. }
                    | Happened::ConditionJudged { .. }
                    | Happened::FactRecorded { .. }
                    | Happened::Imported { .. }
            );
            prop_assert!(!adds || percent >= before.percent(&run.plan), "{:?}", event);
        }
        Ok(())
    });
}

#[test]
fn what_was_erased_never_changes_again() {
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    histories(move |run| {
        let mut erased = false;
        for (before, event, after) in run.steps() {
            prop_assert!(!erased, "{:?} after the facts were erased", event);
            if matches!(event.happened, Happened::FactsErased { .. }) {
                let over = [StageKind::Completed, StageKind::Failed];
                prop_assert!(over.contains(&before.stage()) && before.stage() == after.stage());
                prop_assert!(
                    after
                        .failed()
                        .is_none_or(|failed| failed.remaining.is_empty())
                );
                erased = true;
                *count.lock().unwrap() += 1;
            }
        }
        Ok(())
    });
    assert!(*seen.lock().unwrap() > 0, "none was erased");
}

#[test]
fn times_are_kept_and_reminders_come_once_each() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let seen_by = Arc::clone(&seen);
    histories(move |run| {
        for (before, event, after) in run.steps() {
            let timed = matches!(
                event.happened,
                Happened::Reminded { .. } | Happened::PauseElapsed { .. }
            );
            let expired = matches!(
                &event.happened,
                Happened::UndoStarted {
                    reason: UndoReason::Expired { step: Some(_) },
                    ..
                }
            );
            // An undo that is tried again after a failure names the reason again.
            if before.stage() != StageKind::InProgress || (!timed && !expired) {
                continue;
            }
            seen_by.lock().unwrap().insert(event.happened.name());
            let wait = before.wait().unwrap();
            let step = run.plan.step(wait.step.as_str()).unwrap();
            prop_assert_eq!(
                before.current(&run.plan).map(PlanStep::name),
                Some(step.name())
            );
            let waited = (event.at - wait.since).to_std().unwrap();
            match &event.happened {
                Happened::Reminded { nth, .. } => {
                    let due = step.waits().reminders()[*nth as usize - 1];
                    prop_assert!(*nth > wait.reminded && waited >= due, "{:?}", event);
                    prop_assert_eq!(after.wait().map(|wait| wait.reminded), Some(*nth));
                }
                Happened::PauseElapsed { .. } => prop_assert!(waited >= step.pauses_for()),
                _ => prop_assert!(waited >= step.waits().expiry().unwrap()),
            }
        }
        Ok(())
    });
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3, "only {seen:?} happened");
}

#[test]
fn nothing_waits_longer_than_it_may() {
    histories(|run| {
        for tried in &run.tried {
            let state = tried.after();
            let Next::Wait { until, .. } = next(state, &run.plan, tried.now) else {
                continue;
            };
            let whole = run.plan.deadline().zip(state.started_at());
            if whole.is_some()
                && state.stage() == StageKind::InProgress
                && state.undoing().is_none()
                && state.parked().is_none()
            {
                prop_assert!(until.is_some(), "waits for ever");
            }
            if let Some(wait) = state.wait()
                && state.parked().is_none()
                && state.current(&run.plan).map(PlanStep::name) == Some(&wait.step)
                && let Some(expiry) = run.plan.step(wait.step.as_str()).unwrap().waits().expiry()
            {
                prop_assert!(until.is_some_and(|until| until <= wait.since + expiry));
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_set_once_stays() {
    histories(|run| {
        for (before, event, after) in run.steps() {
            for once in [
                State::started_at,
                State::first_login_at,
                State::completed_at,
            ] {
                if let Some(at) = once(&before) {
                    prop_assert_eq!(once(&after), Some(at), "moved by {:?}", event);
                }
            }
        }
        Ok(())
    });
}

#[test]
fn an_exception_leaves_nobody_without_what_is_needed() {
    histories(|run| {
        for (before, event, after) in run.steps() {
            match &event.happened {
                Happened::StepWaived { step, .. } => {
                    let needed = dependents_for_certain(&run.plan, step);
                    prop_assert!(needed.is_empty(), "{:?} needed by {:?}", step, needed);
                }
                Happened::Dismissed
                | Happened::DraftSaved { .. }
                | Happened::Parked { .. }
                | Happened::Unparked => {
                    prop_assert_eq!(before.percent(&run.plan), after.percent(&run.plan));
                    prop_assert_eq!(before.current(&run.plan), after.current(&run.plan));
                }
                _ => {}
            }
        }
        for tried in &run.tried {
            let (Action::Revise { step, .. }, Ok(events)) = (&tried.command.action, &tried.outcome)
            else {
                continue;
            };
            let undoes = events
                .iter()
                .any(|event| matches!(event.happened, Happened::UndoStarted { .. }));
            let immutable = run
                .plan
                .step(step.as_str())
                .unwrap()
                .is_immutable_once_used();
            prop_assert!(!(immutable && undoes), "what was built on it was undone");
        }
        Ok(())
    });
}

#[test]
fn whoever_is_parked_goes_nowhere_until_unparked() {
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    histories(move |run| {
        for tried in &run.tried {
            let state = tried.after();
            if state.stage() == StageKind::InProgress && state.parked().is_some() {
                let stopped = next(state, &run.plan, tried.now);
                let waits = matches!(
                    stopped,
                    Next::Wait {
                        step: None,
                        until: None,
                        ..
                    }
                );
                prop_assert!(waits, "{:?}", stopped);
                *count.lock().unwrap() += 1;
            }
        }
        for (before, event, after) in run.steps() {
            let parked = before.stage() == StageKind::InProgress && before.parked().is_some();
            prop_assert!(
                !(parked && after.stage() == StageKind::Completed),
                "{:?}",
                event
            );
        }
        Ok(())
    });
    assert!(*seen.lock().unwrap() > 0, "none was parked");
}

#[test]
fn a_draft_is_gone_when_its_answer_is_settled() {
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    histories(move |run| {
        for (before, event, after) in run.steps() {
            let (Happened::AnswerSubmitted { step, .. }
            | Happened::AnswerRevised { step, .. }
            | Happened::StepSkipped { step }) = &event.happened
            else {
                continue;
            };
            let draft = |state: &State| state.step(step.as_str()).and_then(|s| s.draft().copied());
            prop_assert_eq!(draft(&after), None);
            *count.lock().unwrap() += u32::from(draft(&before).is_some());
        }
        Ok(())
    });
    assert!(*seen.lock().unwrap() > 0, "no draft was submitted");
}

fn dependents_for_certain(plan: &Plan, step: &onramp::StepName) -> Vec<onramp::StepName> {
    let needs = |s: &&PlanStep| s.reads().any(|need| need.step == *step && !need.optional);
    let by = plan.steps().iter().filter(needs);
    by.map(|s| s.name().clone()).collect()
}

/// Every open step is named, and nothing else; settling one takes exactly it off the list.
#[test]
fn what_stands_in_the_way_is_all_that_stands_in_the_way() {
    histories(|run| {
        for tried in &run.tried {
            let (state, now) = (tried.after(), tried.now);
            let obstacles = explain(state, &run.plan, now);
            let complete = state.stage() == StageKind::Completed;
            prop_assert_eq!(obstacles.is_empty(), complete, "{:?}", obstacles);
            let steps = run.plan.steps().iter();
            let open = steps.filter(|step| !complete && !state.progress(step).is_settled());
            let open: Vec<_> = open.map(PlanStep::name).collect();
            let named = |obstacles: &[Obstacle]| -> Vec<_> {
                let kinds = [
                    ObstacleKind::Open,
                    ObstacleKind::Later,
                    ObstacleKind::Retrying,
                ];
                let steps = obstacles.iter().filter(|o| kinds.contains(&o.kind));
                steps.filter_map(|o| o.step.clone()).collect()
            };
            prop_assert!(named(&obstacles).iter().eq(open.iter().copied()));
            for step in &open {
                let planned = run.plan.step(step.as_str()).unwrap();
                if planned.is_conditional() {
                    continue;
                }
                let settled = Event {
                    at: now,
                    happened: match planned.kind() {
                        Kind::Pause => Happened::PauseElapsed {
                            step: (*step).clone(),
                        },
                        _ => Happened::Approved {
                            step: (*step).clone(),
                            fact: mark(9),
                        },
                    },
                };
                let after = explain(&apply(state.clone(), &settled), &run.plan, now);
                let others: Vec<_> = open.iter().filter(|other| other != &step).collect();
                prop_assert!(named(&after).iter().eq(others.into_iter().copied()));
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_next_can_be_done_and_leads_somewhere() {
    histories(|run| {
        for tried in &run.tried {
            let mut state = tried.after().clone();
            let mut now = tried.now;
            // Per step: judged, run, undone, run again; and the ends.
            let bound = 8 * run.plan.steps().len() + 8;
            let mut arrived = false;
            for _ in 0..bound {
                let action = match next(&state, &run.plan, now) {
                    Next::Nothing => {
                        let over = [StageKind::Completed, StageKind::Failed];
                        prop_assert!(over.contains(&state.stage()));
                        arrived = true;
                        break;
                    }
                    Next::Wait { step: None, .. } => {
                        let stopped = state.parked().is_some();
                        prop_assert!(stopped || state.stage() == StageKind::Pending);
                        arrived = true;
                        break;
                    }
                    Next::Wait {
                        until: Some(until), ..
                    } => {
                        prop_assert!(until > now, "waits for the past");
                        now = until;
                        continue;
                    }
                    Next::Wait {
                        step: Some(step),
                        on,
                        ..
                    } => {
                        let kind = run.plan.step(step.as_str()).unwrap().kind();
                        let whom = match kind {
                            Kind::Answer => "subject",
                            Kind::Evidence => "third_party",
                            Kind::Approval => "operator",
                            other => panic!("waits for nobody: {other:?}"),
                        };
                        prop_assert_eq!(on.as_str(), whom);
                        arrived = true;
                        break;
                    }
                    Next::Judge { step } => Action::Settle {
                        step,
                        applies: true,
                    },
                    Next::Run { step } => Action::Record {
                        step,
                        attempt: 1,
                        fact: mark(1),
                    },
                    Next::Undo { step } => Action::Undone { step, attempt: 1 },
                    Next::BeginWait { step } => Action::BeginWait { step },
                    Next::Remind { step, nth } => Action::Remind { step, nth },
                    Next::Elapse { step } => Action::Elapse { step },
                    Next::Expire { step } => Action::Expire { step },
                    Next::FinishUndo => Action::FinishUndo,
                    Next::Complete => Action::Complete { verified: true },
                    other => panic!("unknown {other:?}"),
                };
                let by = Actor::Worker;
                let events = decide(&state, &run.plan, &Command { by, action }, now);
                let after = evolve(state.clone(), &events.unwrap());
                let stands_still = State::stage(&after) == state.stage()
                    && next(&after, &run.plan, now) == next(&state, &run.plan, now);
                prop_assert!(
                    !stands_still,
                    "nothing came of {:?}",
                    next(&state, &run.plan, now)
                );
                state = after;
            }
            prop_assert!(arrived, "still going after {} steps: {:?}", bound, state);
        }
        Ok(())
    });
}

#[test]
fn effects_are_taken_back_last_one_first_and_all_of_them() {
    histories(|run| {
        let place = |step: &onramp::StepName| {
            let mut steps = run.plan.steps().iter();
            steps.position(|planned| planned.name() == step).unwrap()
        };
        for (_, event, after) in run.steps() {
            let steps = match (&event.happened, after.failed()) {
                (Happened::UndoStarted { steps, .. }, _) => steps,
                (_, Some(failed)) => &failed.remaining,
                _ => continue,
            };
            prop_assert!(steps.iter().map(place).rev().is_sorted(), "{:?}", event);
            prop_assert!(steps.iter().all(|step| run.is_task(step)), "{:?}", event);
            if after.failed().is_some_and(|f| f.remaining.is_empty()) {
                let kept = run.plan.steps().iter().find(|step| {
                    step.kind() == Kind::Task && has_fact(&after, step.name().as_str())
                });
                prop_assert!(kept.is_none(), "{:?} kept its fact", kept);
            }
        }
        for tried in &run.tried {
            let all_undone = tried
                .after()
                .failed()
                .is_some_and(|f| f.remaining.is_empty());
            prop_assert!(
                !all_undone || tried.world.is_empty(),
                "effects left behind: {:?}",
                tried.world
            );
            if tried.after().stage() == StageKind::Completed {
                let stray =
                    |(step, _): &&(onramp::StepName, u32)| !has_fact(tried.after(), step.as_str());
                prop_assert_eq!(tried.world.iter().find(stray), None);
            }
        }
        Ok(())
    });
}

#[test]
fn only_an_undo_takes_a_fact_and_only_a_tasks() {
    histories(|run| {
        for (before, event, after) in run.steps() {
            let lost = run.plan.steps().iter().filter(|step| {
                let name = step.name().as_str();
                has_fact(&before, name) && !has_fact(&after, name)
            });
            for step in lost {
                prop_assert_eq!(step.kind(), Kind::Task, "{:?}", event);
                let undone = matches!(&event.happened, Happened::StepUndone { step: s, .. } if s == step.name());
                prop_assert!(undone, "{:?} took the fact of {:?}", event, step);
            }
        }
        Ok(())
    });
}

#[test]
fn a_revision_undoes_what_was_built_on_it() {
    histories(|run| {
        for tried in &run.tried {
            let (Action::Revise { step, .. }, Ok(events)) = (&tried.command.action, &tried.outcome)
            else {
                continue;
            };
            let dependents = dependents(&run.plan, step);
            let current = tried.before.current(&run.plan).map(PlanStep::name);
            let exists = |s: &PlanStep| {
                has_fact(&tried.before, s.name().as_str()) || current == Some(s.name())
            };
            let built = |s: &&PlanStep| {
                s.kind() == Kind::Task && dependents.contains(s.name()) && exists(s)
            };
            let mut expected: BTreeSet<_> = run
                .plan
                .steps()
                .iter()
                .filter(built)
                .map(|s| s.name().clone())
                .collect();
            // A task that may be under way is stopped when something before it is done again.
            let mut without_facts = tried.before.clone();
            without_facts = events.iter().fold(without_facts, apply);
            for step in &expected {
                let happened = Happened::StepUndone {
                    step: step.clone(),
                    attempt: 1,
                };
                without_facts = apply(
                    without_facts,
                    &Event {
                        at: tried.now,
                        happened,
                    },
                );
            }
            if let Some(name) = current
                && run.is_task(name)
                && without_facts.current(&run.plan).map(PlanStep::name) != Some(name)
            {
                expected.insert(name.clone());
            }
            let undone: BTreeSet<_> = events
                .iter()
                .filter_map(|event| match &event.happened {
                    Happened::UndoStarted { reason, steps } => {
                        assert_eq!(reason, &UndoReason::Revised { step: step.clone() });
                        Some(steps)
                    }
                    _ => None,
                })
                .flatten()
                .cloned()
                .collect();
            prop_assert_eq!(undone, expected);
        }
        Ok(())
    });
}

#[test]
fn decide_is_a_function_and_a_repeated_attestation_changes_nothing() {
    histories(|run| {
        for tried in &run.tried {
            let again = decide(&tried.before, &run.plan, &tried.command, tried.now);
            prop_assert_eq!(&again, &tried.outcome);
            if matches!(tried.command.action, Action::Attest { .. }) && again.is_ok() {
                let repeated = decide(tried.after(), &run.plan, &tried.command, tried.now);
                prop_assert_eq!(repeated, Ok(Vec::new()));
            }
            let alone = std::slice::from_ref(&tried.command);
            prop_assert_eq!(
                &decide_all(&tried.before, &run.plan, alone, tried.now),
                &again
            );
        }
        Ok(())
    });
}

#[test]
fn retry_delays_stay_under_their_ceiling() {
    let policy = (
        0..20u32,
        0..100_000u64,
        any::<u64>(),
        0..40u32,
        any::<u32>(),
    );
    runner()
        .run(&policy, |(max, base, cap, attempt, bits)| {
            let (base, cap) = (Duration::from_millis(base), Duration::from_millis(cap));
            let policy = RetryPolicy::new(max).base(base).cap(cap);
            let delay = policy.delay(attempt, Roll::from_bits(bits));
            prop_assert_eq!(delay.is_none(), attempt >= max.max(1));
            if let Some(delay) = delay {
                let doubled = base.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1)));
                prop_assert!(delay <= doubled.min(cap), "{delay:?}");
                let longest = policy.delay(attempt, Roll::from_bits(u32::MAX)).unwrap();
                prop_assert!(longest >= delay);
                prop_assert!(policy.delay(attempt, Roll::from_bits(0)).unwrap().is_zero());
            }
            Ok(())
        })
        .unwrap();
}

fn has_fact(state: &State, step: &str) -> bool {
    state.step(step).is_some_and(|known| known.fact().is_some())
}

/// What depends on a step, directly or not: by a closure over the needs, not by the library's walk.
fn dependents(plan: &Plan, step: &onramp::StepName) -> BTreeSet<onramp::StepName> {
    let mut found = BTreeSet::from([step.clone()]);
    loop {
        let more = plan.steps().iter().filter(|candidate| {
            !found.contains(candidate.name())
                && candidate.reads().any(|need| found.contains(&need.step))
        });
        let more: Vec<_> = more.map(|candidate| candidate.name().clone()).collect();
        if more.is_empty() {
            found.remove(step);
            return found;
        }
        found.extend(more);
    }
}
