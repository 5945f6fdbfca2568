//! Takes one claimed onboarding as far as it goes.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use crate::engine::Shared;
use crate::engine::attempt::{Attempt, Ended, Job, context};
use crate::engine::lease::Guard;
use crate::engine::verify::{Built, Looking, Verdict, at_once, look};
use crate::flow::{
    Direction, EncodedFact, FactError, Facts, Failure, Kind, Parts, Plan, PlanStep, Problem, Roll,
};
use crate::id::{Actor, StepName};
use crate::lifecycle::{Action, Next, Progress, State, next};
use crate::store::{Error, ErrorKind, FactRecord, Row, StoreExt as _, seal};

/// Whether the drive goes on.
pub(super) enum Onward {
    On,
    /// With what was begun before the last fact was stored, and is not over.
    Look(Looking),
    /// The lease is given back, or lost.
    Over,
    /// The same, and the onboarding is due again after so long.
    Rest(Duration),
}

pub(crate) struct Drive<'a> {
    pub(super) shared: &'a Shared,
    parts: &'a Arc<Parts>,
    pub(super) guard: Guard<'a>,
    pub(super) row: Row,
    pub(super) facts: Facts,
    pub(super) attempt: u32,
}

/// Works under a lease until there is nothing to do, or the lease is lost. Gives after how long the
/// onboarding is due again, if it is.
pub(crate) async fn drive(
    shared: &Shared,
    parts: &Arc<Parts>,
    guard: Guard<'_>,
) -> Result<Option<Duration>, Error> {
    let mut drive = match Box::pin(begin(shared, parts, guard)).await? {
        Ok(drive) => drive,
        Err(rest) => return Ok(Some(rest)),
    };
    let mut looking = None;
    loop {
        match drive.step(&mut looking).await? {
            Onward::On => {}
            Onward::Look(begun) => looking = Some(begun),
            Onward::Over => return Ok(None),
            Onward::Rest(rest) => return Ok(Some(rest)),
        }
    }
}

/// Loads what was claimed. What this program cannot read is left alone for a while, and that is given.
async fn begin<'a>(
    shared: &'a Shared,
    parts: &'a Arc<Parts>,
    guard: Guard<'a>,
) -> Result<Result<Drive<'a>, Duration>, Error> {
    let lease = &guard.lease;
    let read = async {
        // Never closed; without a permit it would only be slower.
        let _permit = shared.loading.acquire().await.ok();
        let row = shared.store.load(&lease.tenant, lease.id).await?;
        let known = |row: &Row| row.state.steps().any(|(_, step)| step.fact().is_some());
        let facts = match row.as_ref().is_some_and(known) {
            true => shared.store.known_facts(&lease.tenant, lease.id).await?,
            false => Facts::default(),
        };
        Ok::<_, Error>((row, facts))
    };
    match read.await {
        Ok((Some(row), facts)) => {
            return Ok(Ok(Drive {
                shared,
                parts,
                attempt: lease.attempt,
                guard,
                row,
                facts,
            }));
        }
        Ok((None, _)) => {}
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            tracing::error!(onboarding = %lease.id, %error, "left alone: it cannot be read");
        }
        Err(error) => return Err(error),
    }
    shared.store.release(lease, shared.unreadable).await?;
    Ok(Err(shared.unreadable))
}

impl<'a> Drive<'a> {
    pub(super) fn plan(&self) -> &Plan {
        &self.parts.plan
    }

    /// Does the next thing that is to be done.
    async fn step(&mut self, looking: &mut Option<Looking>) -> Result<Onward, Error> {
        let now = self.shared.clock.now();
        let due = next(&self.row.state, self.plan(), now);
        if due != Next::Complete {
            *looking = None;
        }
        match due {
            wait @ (Next::Wait { .. } | Next::Nothing) => {
                let rest = match wait {
                    Next::Wait { until, .. } => {
                        until.map(|at| (at - now).to_std().unwrap_or_default())
                    }
                    _ => None,
                };
                let at = self.row.state.revision();
                self.shared.store.park(&self.guard.lease, at, rest).await?;
                Ok(rest.map_or(Onward::Over, Onward::Rest))
            }
            Next::BeginWait { step } => self.report(vec![Action::BeginWait { step }]).await,
            Next::Remind { step, nth } => self.report(vec![Action::Remind { step, nth }]).await,
            Next::Elapse { step } => self.report(vec![Action::Elapse { step }]).await,
            Next::Expire { step } => self.report(vec![Action::Expire { step }]).await,
            Next::Judge { step } => self.judge(step).await,
            Next::Run { step } => self.run(step).await,
            // In a box, because it is rare.
            Next::Undo { step } => Box::pin(self.undo(step)).await,
            Next::FinishUndo => self.report(vec![Action::FinishUndo]).await,
            Next::Complete => self.complete(looking.take()).await,
        }
    }

    async fn judge(&mut self, step: StepName) -> Result<Onward, Error> {
        let condition = self.index(&step).and_then(|i| self.parts.code.get(i));
        let judged = match condition.and_then(|code| code.condition.as_ref()) {
            Some(applies) => applies(&self.visible()),
            None => Ok(true),
        };
        match judged {
            Ok(applies) => self.report(vec![Action::Settle { step, applies }]).await,
            Err(error) => self.unreadable(&error).await,
        }
    }

    async fn run(&mut self, step: StepName) -> Result<Onward, Error> {
        let job = Job::Run(self.visible());
        let attempt = match self.begin(&step, Direction::Run, job) {
            Ok(attempt) => attempt,
            Err(ended) => return self.ran(step, ended).await,
        };
        let ended = attempt.ended().await;
        self.ran(step, ended).await
    }

    /// What follows from the end of an attempt. By itself, so that whoever waits for the end holds only
    /// what it waits for.
    async fn ran(
        &mut self,
        step: StepName,
        ended: Ended<Option<EncodedFact>>,
    ) -> Result<Onward, Error> {
        match ended {
            Ended::Done(Some(fact)) => {
                // Not in the box, because many may wait here.
                let permit = self.permit().await;
                Box::pin(self.record(step, fact, permit)).await
            }
            Ended::Done(None) => self.unreadable(&"the step has no task").await,
            Ended::Failed { failure, retryable } => {
                let action = Action::FailAttempt {
                    attempt: self.number(&step),
                    step,
                    failure,
                    retryable,
                    roll: (self.shared.rolls)(),
                };
                self.report(vec![action]).await
            }
            Ended::Undecodable(error) => self.unreadable(&error).await,
            Ended::LeaseLost => Ok(self.lost()),
        }
    }

    async fn undo(&mut self, step: StepName) -> Result<Onward, Error> {
        let job = Job::Undo(self.facts.encoded(step.as_str()).cloned());
        let ended = match self.begin(&step, Direction::Undo, job) {
            Ok(attempt) => attempt.ended().await,
            Err(ended) => ended,
        };
        match ended {
            Ended::Done(_) => {
                let last = self.row.state.undoing().is_some_and(|u| u.steps.len() == 1);
                let attempt = self.attempt;
                let mut actions = vec![Action::Undone { step, attempt }];
                actions.extend(last.then_some(Action::FinishUndo));
                self.report(actions).await
            }
            Ended::Failed { failure, retryable } => {
                let action = Action::FailUndo {
                    attempt: self.number(&step),
                    step,
                    failure,
                    retryable,
                    roll: (self.shared.rolls)(),
                };
                self.report(vec![action]).await
            }
            Ended::Undecodable(error) => self.unreadable(&error).await,
            Ended::LeaseLost => Ok(self.lost()),
        }
    }

    /// Begins a job, unless every attempt that is allowed was claimed before and ended without a
    /// report: then whatever it does ends its process, and another attempt would too.
    fn begin(
        &self,
        step: &StepName,
        direction: Direction,
        job: Job,
    ) -> Result<Attempt<'_>, Ended<Option<EncodedFact>>> {
        let Some(index) = self.index(step) else {
            let error = FactError::new(step.clone(), "has no step in this plan".to_owned());
            return Err(Ended::Undecodable(error));
        };
        if self.attempt > self.allowed(step) {
            return Err(Ended::Failed {
                failure: Failure::from(Problem::CRASHED),
                retryable: false,
            });
        }
        let cx = self.context(step, direction);
        let progress = self.shared.news.of(&self.guard.lease, step, cx.attempt());
        let (parts, guard) = (self.parts, &self.guard);
        Ok(Attempt::begin(parts, index, cx, job, guard, progress))
    }

    async fn record(
        &mut self,
        step: StepName,
        fact: EncodedFact,
        _permit: Option<SemaphorePermit<'a>>,
    ) -> Result<Onward, Error> {
        let (mark, salt) = seal(&fact);
        let record = FactRecord {
            fact,
            salt,
            by: Actor::Worker,
            at: self.shared.clock.now(),
        };
        let mut actions = vec![Action::Record {
            step: step.clone(),
            attempt: self.attempt,
            fact: mark,
        }];
        let mut begun = None;
        if self.is_last(&step)
            && let Ok(built) = self.built(Some(&record.fact))
        {
            let mut looking = look(self.parts, built, self.guard.lease.fence);
            let looking = match at_once(&mut looking).await {
                Poll::Ready(Verdict::AsBuilt) => {
                    actions.push(Action::Complete { verified: true });
                    None
                }
                Poll::Ready(other) => Some(Box::pin(std::future::ready(other)) as Looking),
                Poll::Pending => Some(looking),
            };
            begun = looking.map(|looking| (looking, self.row.state.revision().next()));
        }
        let onward = self.reported(actions, Some(record)).await?;
        Ok(match (onward, begun) {
            // Nothing else has changed meanwhile.
            (Onward::On, Some((looking, at))) if at == self.row.state.revision() => {
                Onward::Look(looking)
            }
            (onward, _) => onward,
        })
    }

    /// Whether everything is settled but this step.
    fn is_last(&self, step: &StepName) -> bool {
        let settled =
            |other: &PlanStep| other.name() == step || self.row.state.progress(other).is_settled();
        self.plan().steps().iter().all(settled)
    }

    /// What was built so far, and what is about to be stored of one more step.
    fn built(&self, also: Option<&EncodedFact>) -> Result<Vec<Built>, String> {
        let mut all = Vec::new();
        for (index, planned) in self.plan().steps().iter().enumerate() {
            let step = planned.name();
            let new = also.filter(|fact| fact.step() == step);
            let done = new.is_some() || self.row.state.progress(planned) == Progress::Done;
            if planned.kind() != Kind::Task || !done {
                continue;
            }
            let made = new.or_else(|| self.facts.encoded(step.as_str()));
            let made = made.ok_or_else(|| format!("the fact of step {step} is gone"))?;
            let cx = self.context(step, Direction::Run);
            let progress = self.shared.news.of(&self.guard.lease, step, cx.attempt());
            all.push(Built {
                index,
                cx,
                progress,
                made: made.clone(),
            });
        }
        Ok(all)
    }

    /// Compares what should exist with what does, and completes when it is the same.
    async fn complete(&mut self, looking: Option<Looking>) -> Result<Onward, Error> {
        let looking = match looking {
            Some(begun) => begun,
            None => match self.built(None) {
                Ok(built) => look(self.parts, built, self.guard.lease.fence),
                Err(why) => return self.unreadable(&why).await,
            },
        };
        let verdict = tokio::select! {
            biased;
            verdict = looking => verdict,
            () = self.guard.lost() => return Ok(self.lost()),
        };
        match verdict {
            Verdict::AsBuilt => self.report(vec![Action::Complete { verified: true }]).await,
            Verdict::Unseen(rest) => {
                self.shared.store.release(&self.guard.lease, rest).await?;
                Ok(Onward::Rest(rest))
            }
            Verdict::Drifted { step, failure } => {
                self.report(vec![Action::Drift { step, failure }]).await
            }
            Verdict::Unreadable(error) => self.unreadable(&error).await,
        }
    }

    /// Leaves an onboarding alone that this program cannot read; no attempt is counted.
    async fn unreadable(&self, why: &(dyn std::fmt::Display + Sync)) -> Result<Onward, Error> {
        tracing::error!(onboarding = %self.guard.lease.id, %why, "left alone: it cannot be read");
        self.shared
            .store
            .release(&self.guard.lease, self.shared.unreadable)
            .await?;
        Ok(Onward::Rest(self.shared.unreadable))
    }

    pub(super) fn lost(&self) -> Onward {
        tracing::warn!(onboarding = %self.guard.lease.id, "lease lost");
        Onward::Over
    }

    /// The facts that tasks and conditions may see: those of steps that are done.
    fn visible(&self) -> Facts {
        let done = |step: &&crate::flow::PlanStep| self.row.state.progress(step) == Progress::Done;
        let steps = self.plan().steps().iter().filter(done);
        let facts = steps.filter_map(|step| self.facts.encoded(step.name().as_str()));
        facts.cloned().collect()
    }

    fn context(&self, step: &StepName, direction: Direction) -> crate::flow::TaskContext {
        let state: &State = &self.row.state;
        context(
            state,
            step,
            direction,
            self.attempt,
            self.shared.clock.now(),
        )
    }

    fn index(&self, step: &StepName) -> Option<usize> {
        self.plan().steps().iter().position(|s| s.name() == step)
    }

    /// How many attempts a step is allowed.
    fn allowed(&self, step: &StepName) -> u32 {
        let planned = self.plan().step(step.as_str());
        planned.map_or(1, |planned| planned.retry().max_attempts())
    }

    /// The number of the attempt that failed: one that was not made is not counted.
    pub(super) fn number(&self, step: &StepName) -> u32 {
        self.attempt.min(self.allowed(step))
    }
}

/// Randomness for the jitter: the first four bytes of a version 4 UUID are all random.
pub(crate) fn roll() -> Roll {
    let [a, b, c, d, ..] = *Uuid::new_v4().as_bytes();
    Roll::from_bits(u32::from_be_bytes([a, b, c, d]))
}
