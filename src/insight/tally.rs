//! The counting.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::durations::Durations;
use super::funnel::{FunnelPart, StepFunnel};
use super::standing::{Outcome, Standing};
use crate::flow::{Plan, PlanStep};
use crate::lifecycle::{StageKind, State};

/// What was counted so far, by version.
pub(super) struct Tally<'p> {
    plan: &'p Plan,
    patience: TimeDelta,
    now: DateTime<Utc>,
    versions: BTreeMap<u32, Counts>,
}

#[derive(Clone)]
struct Counts {
    enrolled: u64,
    started: u64,
    completed: u64,
    failed: u64,
    steps: Vec<StepCounts>,
}

#[derive(Clone, Default)]
struct StepCounts {
    /// By [`Outcome`]; they add up to how many came to the step.
    outcomes: [u64; 8],
    times: Durations,
}

impl<'p> Tally<'p> {
    pub(super) fn new(plan: &'p Plan, patience: TimeDelta, now: DateTime<Utc>) -> Self {
        Self {
            plan,
            patience,
            now,
            versions: BTreeMap::new(),
        }
    }

    pub(super) fn count(&mut self, state: &State) {
        let steps = self.plan.steps().len();
        let version = self.versions.entry(state.flow_version());
        let counts = version.or_insert_with(|| Counts::new(steps));
        counts.enrolled += 1;
        counts.completed += u64::from(state.stage() == StageKind::Completed);
        counts.failed += u64::from(state.stage() == StageKind::Failed);
        let standing = Standing::new(state, self.plan);
        let Some(reached) = standing.reached() else {
            return;
        };
        counts.started += 1;
        for (place, step) in counts.steps.iter_mut().enumerate().take(reached + 1) {
            let outcome = standing.outcome(place, reached, self.patience, self.now);
            step.outcomes[outcome as usize] += 1;
            if let Some(took) = standing.took(place) {
                step.times.add(took);
            }
        }
    }

    /// All, and each version.
    pub(super) fn parts(self) -> (FunnelPart, Vec<FunnelPart>) {
        let steps = self.plan.steps();
        let mut all = Counts::new(steps.len());
        for counts in self.versions.values() {
            all.add(counts);
        }
        let versions = self.versions.iter();
        let versions = versions.map(|(version, counts)| counts.told(Some(*version), steps));
        (all.told(None, steps), versions.collect())
    }
}

impl Counts {
    fn new(steps: usize) -> Self {
        Self {
            enrolled: 0,
            started: 0,
            completed: 0,
            failed: 0,
            steps: vec![StepCounts::default(); steps],
        }
    }

    fn add(&mut self, other: &Self) {
        self.enrolled += other.enrolled;
        self.started += other.started;
        self.completed += other.completed;
        self.failed += other.failed;
        for (into, from) in self.steps.iter_mut().zip(&other.steps) {
            for (into, from) in into.outcomes.iter_mut().zip(from.outcomes) {
                *into += from;
            }
            into.times.merge(&from.times);
        }
    }

    fn told(&self, version: Option<u32>, steps: &[PlanStep]) -> FunnelPart {
        // Nobody has so many that the last digit is lost.
        let rate = self.completed as f64 / self.enrolled as f64;
        let steps = steps.iter().zip(&self.steps);
        FunnelPart {
            version,
            enrolled: self.enrolled,
            started: self.started,
            completed: self.completed,
            failed: self.failed,
            completion_rate: (self.enrolled > 0).then_some(rate),
            steps: steps.map(|(step, counts)| counts.told(step)).collect(),
        }
    }
}

impl StepCounts {
    fn told(&self, step: &PlanStep) -> StepFunnel {
        let so_many = |outcome: Outcome| self.outcomes[outcome as usize];
        StepFunnel {
            step: step.name().clone(),
            kind: step.kind(),
            entered: self.outcomes.iter().sum(),
            completed: so_many(Outcome::Completed),
            skipped: so_many(Outcome::Skipped),
            waived: so_many(Outcome::Waived),
            not_applicable: so_many(Outcome::NotApplicable),
            failed: so_many(Outcome::Failed),
            abandoned: so_many(Outcome::Abandoned),
            taken_back: so_many(Outcome::TakenBack),
            open: so_many(Outcome::Open),
            timed: self.times.count(),
            p50: self.times.percentile(50),
            p90: self.times.percentile(90),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Failure, Kind, Problem};
    use crate::id::{Key, OnboardingId, Reason, StepName, SubjectId, TenantId};
    use crate::lifecycle::{Digest, Event, FactMark, Happened, UndoReason, apply};
    use proptest::prelude::*;

    const STEPS: [(&str, Kind); 5] = [
        ("company", Kind::Answer),
        ("dataset", Kind::Task),
        ("payment", Kind::Evidence),
        ("branding", Kind::Answer),
        ("site", Kind::Task),
    ];

    fn plan() -> Plan {
        let steps = STEPS.map(|(name, kind)| PlanStep::new(name, kind)).to_vec();
        let mut steps = steps;
        steps[3] = steps[3].clone().optional().conditional_on(Vec::new());
        Plan::new("workspace", 2, steps).unwrap()
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + minute * 60, 0).unwrap()
    }

    /// Anything that can happen to a step, or to all, whether or not the rules would let it.
    fn happened(what: u8, step: usize) -> Happened {
        let place = step;
        let step: StepName = STEPS[step].0.into();
        let fact = FactMark {
            version: 1,
            commitment: Digest::ZERO,
        };
        let failure = Failure::from(Problem::CRASHED);
        let reason = match place {
            0 => UndoReason::Cancelled,
            1 => UndoReason::Expired { step: None },
            2 => UndoReason::Revised { step: step.clone() },
            _ => UndoReason::Failed {
                step: step.clone(),
                failure: failure.clone(),
            },
        };
        match what {
            0..=3 => Happened::AnswerSubmitted { step, fact },
            4..=6 => Happened::FactRecorded {
                step,
                attempt: 1,
                fact,
            },
            7 => Happened::StepSkipped { step },
            8 => Happened::StepWaived {
                step,
                reason: Reason::new("contract").unwrap(),
            },
            9 => Happened::ConditionJudged {
                applies: place.is_multiple_of(2),
                step: STEPS[3].0.into(),
            },
            10 => Happened::AttemptFailed {
                step,
                attempt: 2,
                failure,
                retry_at: None,
            },
            11 => Happened::UndoStarted {
                reason,
                steps: vec![step],
            },
            12 => Happened::StepUndone { step, attempt: 1 },
            13 => Happened::UndoFinished,
            14 => Happened::Failed {
                failure,
                step: (place > 1).then_some(step),
                remaining: Vec::new(),
            },
            15 => Happened::Retried,
            16 => Happened::Completed,
            17 => Happened::AnswerRevised {
                step,
                fact,
                rejudge: vec![STEPS[3].0.into()],
            },
            _ => Happened::Started,
        }
    }

    fn states() -> impl Strategy<Value = Vec<State>> {
        let history = prop::collection::vec((0..20u8, 0..STEPS.len(), 0..9_000i64), 0..25);
        let state = (history, any::<bool>()).prop_map(|(history, starts)| {
            let plan = plan();
            let key = Key {
                tenant: TenantId::new("acme").unwrap(),
                flow: plan.flow().clone(),
                subject: SubjectId::new("org-001").unwrap(),
            };
            let (mut state, _) = State::create(OnboardingId::fresh(), key, &plan, at(0));
            if starts {
                let happened = Happened::Started;
                state = apply(
                    state,
                    &Event {
                        at: at(1),
                        happened,
                    },
                );
            }
            history
                .into_iter()
                .fold(state, |state, (what, step, minute)| {
                    let (at, happened) = (at(minute), happened(what, step));
                    apply(state, &Event { at, happened })
                })
        });
        prop::collection::vec(state, 0..20)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn stages_nest_and_the_parts_of_a_step_add_up(states in states()) {
            let plan = plan();
            let mut tally = Tally::new(&plan, TimeDelta::days(2), at(9_000));
            for state in &states {
                tally.count(state);
            }
            let (total, versions) = tally.parts();
            prop_assert_eq!(total.enrolled, states.len() as u64);
            prop_assert_eq!(total.completion_rate.is_none(), states.is_empty());
            for part in [&total].into_iter().chain(&versions) {
                let mut before = part.enrolled;
                let entered = part.steps.iter().map(|step| step.entered);
                for stage in [part.started].into_iter().chain(entered) {
                    prop_assert!(stage <= before, "{:?}", part);
                    before = stage;
                }
                for step in &part.steps {
                    let parts = [
                        step.completed, step.skipped, step.waived, step.not_applicable,
                        step.failed, step.abandoned, step.taken_back, step.open,
                    ];
                    prop_assert_eq!(parts.iter().sum::<u64>(), step.entered);
                    prop_assert!(step.timed <= step.completed + step.skipped + step.waived + step.failed);
                }
            }
            // Whoever is completed was started and went through every step.
            let through = states.iter().filter(|s| {
                s.stage() == StageKind::Completed && s.started_at().is_some()
            });
            let last = total.steps.last().map_or(0, |step| step.entered);
            prop_assert!(through.count() as u64 <= last);
        }

        #[test]
        fn whoever_has_an_effect_had_come_to_its_step(states in states()) {
            let plan = plan();
            for state in &states {
                let standing = Standing::new(state, &plan);
                let Some(reached) = standing.reached() else { continue };
                prop_assert!(reached < plan.steps().len());
                let furthest = plan.steps().iter().rposition(|step| {
                    let known = state.step(step.name().as_str());
                    step.kind() == Kind::Task && known.is_some_and(|known| known.fact().is_some())
                });
                prop_assert!(furthest.is_none_or(|task| task <= reached));
            }
        }
    }
}
