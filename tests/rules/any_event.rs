//! Whatever happened in whatever state, it can be applied.

use crate::*;

#[test]
fn apply_takes_any_event_in_any_state() {
    let arbitrary = (
        shapes(),
        moves(),
        prop::collection::vec(any_event(), 1..20),
        count(),
    );
    runner()
        .run(&arbitrary, |(shape, moves, events, number)| {
            let mut run = Run::new(plan(&shape));
            for step in moves {
                run.play(&step);
            }
            let mut json = serde_json::to_value(&run.state).unwrap();
            for step in ["s0", "s1", "elsewhere"] {
                json["steps"][step]["round"] = number.into();
                json["steps"][step]["drifts"] = number.into();
                json["steps"][step]["attempts"] = number.into();
            }
            let state: State = serde_json::from_value(json).unwrap();
            let after = events.iter().fold(state, apply);
            let _ = next(&after, &run.plan, time(0));
            prop_assert!(after.percent(&run.plan) <= 100);
            Ok(())
        })
        .unwrap();
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()]
}

fn any_event() -> impl Strategy<Value = Event> {
    let step = (0..9usize).prop_map(plans_name);
    (step, count(), any::<bool>(), 0..28u8, 0..1_000i64).prop_map(
        |(step, attempt, flag, which, at)| {
            let failure = Failure::from(Problem::DRIFTED);
            let retry_at = flag.then(|| time(at));
            let steps = if flag { vec![step.clone()] } else { Vec::new() };
            let happened = match which {
                0 => Happened::Started,
                1 => Happened::AnswerSubmitted {
                    step,
                    fact: mark(1),
                },
                2 => Happened::AnswerRevised {
                    step,
                    fact: mark(2),
                    rejudge: steps,
                },
                3 => Happened::StepSkipped { step },
                4 => Happened::EvidenceAttested {
                    step,
                    fact: mark(3),
                },
                5 => Happened::ConditionJudged {
                    step,
                    applies: flag,
                },
                6 => Happened::FactRecorded {
                    step,
                    attempt,
                    fact: mark(4),
                },
                7 => Happened::AttemptFailed {
                    step,
                    attempt,
                    failure,
                    retry_at,
                },
                8 => Happened::DriftFound { step, failure },
                9 => Happened::UndoStarted {
                    reason: UndoReason::Cancelled,
                    steps,
                },
                10 => Happened::StepUndone { step, attempt },
                11 => Happened::UndoAttemptFailed {
                    step,
                    attempt,
                    failure,
                    retry_at,
                },
                12 => Happened::UndoFinished,
                13 => Happened::Failed {
                    failure,
                    step: Some(step),
                    remaining: steps,
                },
                14 => Happened::FactsErased { steps },
                15 => Happened::Approved {
                    step,
                    fact: mark(5),
                },
                16 => Happened::StepWaived {
                    step,
                    reason: Reason::new("contract-1").unwrap(),
                },
                17 => Happened::Dismissed,
                23 => Happened::DraftSaved {
                    step,
                    fact: mark(6),
                    sources: vec!["crm".into()],
                },
                24 => Happened::Parked {
                    reason: Reason::new("incident-1").unwrap(),
                },
                25 => Happened::Unparked,
                18 => Happened::WaitBegan { step },
                19 => Happened::Reminded { step, nth: attempt },
                20 => Happened::PauseElapsed { step },
                21 => Happened::Completed,
                22 => Happened::LoggedIn,
                26 => Happened::Imported {
                    source: "crm".into(),
                    past: Past {
                        complete: flag,
                        ..Past::default()
                    },
                    facts: steps.into_iter().map(|step| (step, mark(7))).collect(),
                },
                _ => Happened::Retried,
            };
            Event {
                at: time(at),
                happened,
            }
        },
    )
}

fn plans_name(index: usize) -> onramp::StepName {
    super::plans::name(index)
}
