//! How what a worker has seen and done becomes a commit.

use std::time::Duration;

use tokio::sync::SemaphorePermit;

use crate::engine::Observed;
use crate::engine::drive::{Drive, Onward};
use crate::flow::{Failure, Problem};
use crate::id::{Actor, CommandId, StepName};
use crate::lifecycle::{Action, Command, Event, Happened, next};
use crate::store::{
    Commit, CommitOutcome, Error, FactChange, FactRecord, Prepared, Proposal, QueueChange, Refused,
    StoreExt as _, prepare,
};

/// How often a commit is sent again while the store is unavailable.
const COMMIT_TRIES: u32 = 6;

impl<'a> Drive<'a> {
    /// Commits what a worker reports. When somebody else moved the onboarding on, the report is
    /// decided again on the new state: what a task has made is not thrown away. What goes along with
    /// the first of the actions is not insisted on.
    pub(super) async fn report(&mut self, actions: Vec<Action>) -> Result<Onward, Error> {
        let _permit = self.permit().await;
        // In a box, because it is large, and not there while a task runs or others commit.
        Box::pin(self.reported(actions, None)).await
    }

    /// Leave to commit. Never refused; without one it would only be slower.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'a>> {
        self.shared.storing.acquire().await.ok()
    }

    /// With leave to commit.
    pub(super) async fn reported(
        &mut self,
        actions: Vec<Action>,
        fact: Option<FactRecord>,
    ) -> Result<Onward, Error> {
        let by = Actor::Worker;
        let mut commands: Vec<_> = actions
            .into_iter()
            .map(|action| Command {
                by: by.clone(),
                action,
            })
            .collect();
        let command = CommandId::fresh();
        loop {
            let proposal = Proposal {
                before: &self.row,
                plan: self.plan(),
                command,
                commands: &commands,
                facts: fact.clone().map(FactChange::Put).into_iter().collect(),
                fence: Some(self.guard.lease.fence),
                now: self.shared.clock.now(),
            };
            let Prepared { commit, events } = match prepare(proposal) {
                Ok(Some(prepared)) => prepared,
                // What was done is told; what was to follow from it does no more.
                Err(Refused::Rejected(_)) if commands.len() > 1 => {
                    commands.truncate(1);
                    continue;
                }
                // Meanwhile it holds already, or is no longer wanted: see what is next.
                Ok(None) | Err(Refused::Rejected(_)) => return Ok(Onward::On),
                Err(Refused::Store(error)) => return Err(error),
            };
            let (row, queue) = (commit.row.clone(), commit.queue);
            match self.send(commit).await? {
                CommitOutcome::Committed => {
                    self.row = row;
                    self.remember(&events, fact);
                    return Ok(match queue {
                        QueueChange::Hold => {
                            self.attempt = 1;
                            Onward::On
                        }
                        QueueChange::Release(rest) => Onward::Rest(rest),
                        _ => Onward::Over,
                    });
                }
                CommitOutcome::Replayed { .. } => {
                    // An earlier try of this very command was stored; its queue change too.
                    return Ok(Onward::Over);
                }
                CommitOutcome::Conflict { current } => {
                    // What was looked at may have changed.
                    commands.truncate(1);
                    let now = self.shared.clock.now();
                    let was = next(&self.row.state, self.plan(), now);
                    self.row = *current;
                    if next(&self.row.state, self.plan(), now) != was {
                        // Something else is to be done now, and this is the first attempt at it.
                        self.attempt = 1;
                    }
                    let lease = &self.guard.lease;
                    let store = &self.shared.store;
                    self.facts = store.known_facts(&lease.tenant, lease.id).await?;
                }
                CommitOutcome::Taken { step } => return self.taken(step).await,
                CommitOutcome::Fenced | CommitOutcome::Absent => return Ok(self.lost()),
            }
        }
    }

    /// What an attempt has given cannot be reserved: another attempt may give something else.
    async fn taken(&mut self, step: StepName) -> Result<Onward, Error> {
        let failed = Action::FailAttempt {
            attempt: self.number(&step),
            step,
            failure: Failure::from(Problem::TAKEN),
            retryable: true,
            roll: (self.shared.rolls)(),
        };
        Box::pin(self.reported(vec![failed], None)).await
    }

    /// Sends a commit, again while the store is definitely unavailable. What is in doubt is left
    /// to the next claim: a new fence makes whatever was on its way harmless.
    async fn send(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let mut pause = Duration::from_millis(20);
        for _ in 1..COMMIT_TRIES {
            match self.shared.store.commit(commit.clone()).await {
                Err(error) if error.is_retryable() => {
                    tracing::warn!(onboarding = %commit.id(), %error, "commit not applied, again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        self.shared.store.commit(commit).await
    }

    /// Brings the facts in hand up to what was committed, and tells the observer.
    fn remember(&mut self, events: &[Event], fact: Option<FactRecord>) {
        if let Some(record) = fact {
            self.facts.insert(record.fact);
        }
        for event in events {
            if let Happened::StepUndone { step, .. } = &event.happened {
                self.facts.remove(step.as_str());
            }
        }
        #[cfg(feature = "metrics")]
        crate::measure::stored(&self.row.state.key().flow, events);
        if let Some(observer) = &self.shared.observer {
            observer(&Observed {
                state: &self.row.state,
                events,
            });
        }
    }
}
