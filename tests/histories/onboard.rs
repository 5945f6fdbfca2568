//! Onboardings whose every commit is one that the rules make, and the same whenever they are made.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::{EncodedFact, Failure, Kind, Plan, PlanStep, Problem, RetryPolicy, Roll};
use onramp::lifecycle::{Action, Command, Next, next};
use onramp::prelude::*;
use onramp::store::{Commit, FactChange, FactRecord, NewOnboarding, Row, mark};
use onramp::testing::commits;
use onramp::{Actor, CommandId, Fence, FlowName, Key, StepName};
use uuid::Uuid;

use crate::histories::chance::Chance;

/// Longer than any test takes.
pub(crate) const LATER: Duration = Duration::from_secs(3600);

/// A tenant and a flow of one history.
pub(crate) struct Place {
    pub(crate) plan: Plan,
    pub(crate) tenant: TenantId,
    run: Uuid,
    now: DateTime<Utc>,
}

impl Place {
    /// The same for the same name.
    pub(crate) fn new(name: &str) -> Self {
        let run = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let retry = RetryPolicy::new(3).base(LATER).cap(LATER);
        let steps = vec![
            PlanStep::new("build", Kind::Task).retrying(retry),
            PlanStep::new("company", Kind::Answer),
            PlanStep::new("payment", Kind::Evidence),
        ];
        let flow = FlowName::from_text(format!("f{}", run.simple()));
        Self {
            plan: Plan::new(flow, 1, steps).unwrap(),
            tenant: TenantId::new(run.to_string()).unwrap(),
            run,
            now: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        }
    }

    pub(crate) fn key(&self, subject: usize) -> Key {
        Key {
            tenant: self.tenant.clone(),
            flow: self.plan.flow().clone(),
            subject: SubjectId::new(format!("org-{subject}")).unwrap(),
        }
    }

    pub(crate) fn creation(&self, subject: usize) -> NewOnboarding {
        commits::creation(self.key(subject), &self.plan, self.now).unwrap()
    }

    pub(crate) fn beginning(&self, subject: usize) -> NewOnboarding {
        commits::beginning(self.key(subject), &self.plan, self.now).unwrap()
    }

    pub(crate) fn command(&self, number: usize) -> CommandId {
        CommandId::from_uuid(Uuid::new_v5(&self.run, &number.to_be_bytes()))
    }

    /// A commit on a row; none when there is nothing to be committed.
    pub(crate) fn commit(
        &self,
        row: &Row,
        wish: &Command,
        fence: Option<Fence>,
        number: usize,
    ) -> Option<Commit> {
        let (command, now) = (
            self.command(number),
            self.now + TimeDelta::milliseconds(number as i64),
        );
        let wishes = std::slice::from_ref(wish);
        let made = commits::of(row, &self.plan, command, wishes, fence, now);
        let mut commit = made.ok().flatten()?;
        let step = match &wish.action {
            Action::Submit { step, .. } | Action::Revise { step, .. } => step,
            Action::Attest { step, .. } | Action::Record { step, .. } => step,
            _ => return Some(commit),
        };
        let (by, at) = (commit.entry.by.clone(), commit.entry.at);
        let (fact, salt) = fact(step, number);
        commit
            .facts
            .push(FactChange::Put(FactRecord { fact, salt, by, at }));
        Some(commit)
    }

    /// Something that somebody might wish of a row; mostly what is next.
    pub(crate) fn wish(&self, row: &Row, number: usize, chance: &mut Chance) -> Command {
        let whim = chance.one_in(3);
        let next = next(&row.state, &self.plan, self.now);
        let (step, attempt) = (StepName::from_static, 1 + chance.below(3) as u32);
        let given = |name: &'static str| {
            let (fact, salt) = fact(&step(name), number);
            (step(name), mark(&fact, &salt))
        };
        let roll = [Roll::from_bits(0), Roll::from_bits(u32::MAX)][chance.below(2)];
        let (failure, retryable) = (Failure::from(Problem::CRASHED), !chance.one_in(4));
        let kind = match next {
            _ if whim => chance.below(16),
            Next::Wait { .. } if row.state.started_at().is_none() => 0,
            Next::Wait { .. } => 1 + chance.below(2),
            Next::Run { .. } => [8, 8, 8, 9][chance.below(4)],
            Next::Undo { .. } => [10, 10, 11][chance.below(3)],
            Next::FinishUndo => 12,
            Next::Complete => 13,
            _ => chance.below(16),
        };
        let (by, action) = match kind {
            0 => {
                let (cleared, cleared_at) = (row.state.id(), self.now);
                (
                    Actor::Host,
                    Action::Start {
                        cleared,
                        cleared_at,
                    },
                )
            }
            1 => {
                let (step, fact) = given("company");
                (Actor::Subject, Action::Submit { step, fact })
            }
            2 => {
                let (step, fact) = given("payment");
                (Actor::Host, Action::Attest { step, fact })
            }
            3 => {
                let (step, fact) = given("company");
                (Actor::Subject, Action::Revise { step, fact })
            }
            4 | 5 => (Actor::Subject, Action::Cancel),
            6 => (Actor::Host, Action::Retry),
            7 => (Actor::Operator("ann".into()), Action::RetryUndo),
            8 => {
                let (step, fact) = given("build");
                (
                    Actor::Worker,
                    Action::Record {
                        step,
                        attempt,
                        fact,
                    },
                )
            }
            9 => {
                let step = step("build");
                let failed = Action::FailAttempt {
                    step,
                    attempt,
                    failure,
                    retryable,
                    roll,
                };
                (Actor::Worker, failed)
            }
            10 => {
                let step = step("build");
                (Actor::Worker, Action::Undone { step, attempt })
            }
            11 => {
                let step = step("build");
                let failed = Action::FailUndo {
                    step,
                    attempt,
                    failure,
                    retryable,
                    roll,
                };
                (Actor::Worker, failed)
            }
            12 => (Actor::Worker, Action::FinishUndo),
            13 => (Actor::Worker, Action::Complete { verified: true }),
            14 => (Actor::Host, Action::Erase),
            _ => (Actor::Host, Action::Login),
        };
        Command { by, action }
    }
}

/// A fact with a salt that is the same every time.
fn fact(step: &StepName, number: usize) -> (EncodedFact, [u8; 16]) {
    let json = format!("{{\"n\":{number}}}");
    let fact = EncodedFact::from_stored(step.clone(), 1, json);
    (fact.unwrap(), [number as u8; 16])
}
