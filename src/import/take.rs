//! One record becomes one onboarding: found or created, and one commit.

use chrono::{DateTime, Utc};

use super::conflict::Conflict;
use super::identity::Identity;
use crate::flow::{EncodedFact, Kind, Plan};
use crate::id::{Actor, Key, OnboardingId, Revision, SourceName};
use crate::lifecycle::{Action, Command, Past, StageKind, State};
use crate::store::{
    Commit, CommitOutcome, Error, ErrorKind, FactChange, FactRecord, Listed, NewOnboarding,
    Proposal, Refused, Row, Store, prepare, prepare_creation, seal,
};

/// Of one that was created, and nothing more.
const FIRST: Revision = Revision::new(1);

/// How often a record is looked at again, when its onboarding moves on meanwhile or the store hesitates.
const TRIES: u32 = 5;

/// What all records of a run have in common.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) plan: &'a Plan,
    pub(super) source: &'a SourceName,
    pub(super) policy: Conflict,
    pub(super) dry: bool,
    pub(super) now: DateTime<Utc>,
}

/// A record that was mapped.
pub(super) struct Ready {
    pub(super) key: Key,
    pub(super) identity: Identity,
    pub(super) past: Past,
    pub(super) facts: Vec<(Kind, EncodedFact)>,
}

impl Ready {
    /// The first sign of the subject in the other system. Cohorts are told by the time in the identity,
    /// and this one is of that time's.
    fn began(&self) -> Option<DateTime<Utc>> {
        let signs = [self.past.first_login_at, self.past.started_at];
        signs.into_iter().flatten().min()
    }
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    Completed,
    Pending,
    Filled,
    Unchanged,
    Kept,
    Rejected(String),
}

/// What a record is to be taken into.
struct Target {
    row: Row,
    /// To be created first.
    new: Option<NewOnboarding>,
    /// It was there, and not by this import.
    foreign: bool,
}

impl Run<'_> {
    pub(super) async fn take(&self, ready: Ready) -> Result<Taken, Error> {
        let mut doubt = None;
        for _ in 0..TRIES {
            let target = match self.target(&ready).await? {
                Ok(target) => target,
                // It was a try before that was stored.
                Err(Taken::Unchanged) if doubt.is_some() => return Ok(done(&ready.past)),
                Err(taken) => return Ok(taken),
            };
            let Some(commit) = self.commit(&target, &ready) else {
                return Ok(Taken::Kept);
            };
            let commit = match commit {
                Ok(commit) => commit,
                Err(Refused::Rejected(why)) => return Ok(Taken::Rejected(why.to_string())),
                Err(Refused::Store(why)) => return invalid(why),
            };
            if let Err(why) = commit.check() {
                return invalid(why);
            }
            let taken = match target.foreign {
                true => Taken::Filled,
                false => done(&ready.past),
            };
            if self.dry {
                return Ok(taken);
            }
            if let Some(new) = target.new {
                match self.store.create(new).await {
                    Ok(created) if created.fresh => {}
                    Ok(_) => continue,
                    Err(why) => {
                        doubt = Some(again(why)?);
                        continue;
                    }
                }
            }
            match self.store.commit(commit).await {
                Ok(CommitOutcome::Committed) => return Ok(taken),
                Ok(CommitOutcome::Replayed { .. }) => return Ok(Taken::Unchanged),
                Ok(CommitOutcome::Taken { step }) => {
                    // Nobody has anything of one that stays empty, also when a run that was cut off created it.
                    if !target.foreign && target.row.state.revision() == FIRST {
                        let emptied = listed(&target.row, self.now);
                        self.store.delete(&[emptied]).await?;
                    }
                    return Ok(Taken::Rejected(format!(
                        "step {step}: another onboarding has what only one may have"
                    )));
                }
                Ok(_) => {}
                Err(why) if why.kind() == ErrorKind::Invalid => return invalid(why),
                Err(why) => doubt = Some(again(why)?),
            }
        }
        Err(doubt.unwrap_or_else(|| Error::unavailable(format!("{} kept moving on", ready.key))))
    }

    /// Finds what a record is to be taken into, or says why not.
    async fn target(&self, ready: &Ready) -> Result<Result<Target, Taken>, Error> {
        let Some(row) = self.store.find(&ready.key).await? else {
            let (key, command) = (ready.key.clone(), ready.identity.creation);
            let id = OnboardingId::fresh_at(ready.began().unwrap_or(self.now));
            let new = prepare_creation(id, key, self.plan, command, self.now)?;
            return Ok(Ok(Target {
                row: new.row.clone(),
                new: Some(new),
                foreign: false,
            }));
        };
        let (tenant, id) = (&ready.key.tenant, row.state.id());
        let committed = |command| self.store.committed(tenant, id, command);
        if committed(ready.identity.import).await?.is_some() {
            return Ok(Err(Taken::Unchanged));
        }
        // A run that was interrupted has created it, and nothing more.
        let begun =
            row.state.imported().is_none() && committed(ready.identity.creation).await?.is_some();
        Ok(match self.policy {
            _ if begun && row.state.stage() == StageKind::Pending => Ok(Target {
                row,
                new: None,
                foreign: false,
            }),
            Conflict::FillPending if row.state.stage() == StageKind::Pending => Ok(Target {
                row,
                new: None,
                foreign: true,
            }),
            Conflict::Quarantine => Err(Taken::Rejected(exists(id, &row.state))),
            Conflict::KeepExisting | Conflict::FillPending => Err(Taken::Kept),
        })
    }

    /// The commit; none when somebody else's onboarding lacks nothing that the record has.
    fn commit(&self, target: &Target, ready: &Ready) -> Option<Result<Commit, Refused>> {
        let row = &target.row;
        let open = ready.facts.iter().filter(|(_, fact)| {
            let known = row.state.step(fact.step().as_str());
            known.is_none_or(|known| known.fact().is_none() && known.draft().is_none())
        });
        let (mut marks, mut facts) = (Vec::new(), Vec::new());
        for (kind, fact) in open {
            let (mark, salt) = seal(fact);
            marks.push((fact.step().clone(), *kind, mark));
            facts.push(FactChange::Put(FactRecord {
                fact: fact.clone(),
                salt,
                by: Actor::Host,
                at: self.now,
            }));
        }
        let past = &ready.past;
        let lacks = marks.len()
            + usize::from(past.complete)
            + usize::from(past.first_login_at.is_some() && row.state.first_login_at().is_none())
            + usize::from(past.started_at.is_some() && row.state.started_at().is_none());
        if lacks == 0 && target.foreign {
            return None;
        }
        let command = Command {
            by: Actor::Host,
            action: Action::Import {
                source: self.source.clone(),
                past: past.clone(),
                facts: marks,
            },
        };
        let proposal = Proposal {
            before: row,
            plan: self.plan,
            command: ready.identity.import,
            commands: &[command],
            facts,
            fence: None,
            now: self.now,
        };
        let prepared = prepare(proposal).transpose()?;
        Some(prepared.map(|prepared| prepared.commit))
    }
}

fn done(past: &Past) -> Taken {
    match past.complete {
        true => Taken::Completed,
        false => Taken::Pending,
    }
}

/// What the store cannot keep is the record's fault; anything else is the store's.
fn invalid(why: Error) -> Result<Taken, Error> {
    match why.kind() {
        ErrorKind::Invalid => Ok(Taken::Rejected(why.to_string())),
        _ => Err(why),
    }
}

/// Whether it is worth another look; what is in doubt was stored or was not, and a look tells.
fn again(why: Error) -> Result<Error, Error> {
    match why.is_retryable() || why.kind() == ErrorKind::InDoubt {
        true => Ok(why),
        false => Err(why),
    }
}

fn exists(id: OnboardingId, state: &State) -> String {
    let stage = state.stage();
    format!("the subject has an onboarding already ({id}, {stage}): decide which one counts")
}

fn listed(row: &Row, changed_at: DateTime<Utc>) -> Listed {
    Listed {
        id: row.state.id(),
        key: row.state.key().clone(),
        revision: row.state.revision(),
        stage: row.state.stage(),
        changed_at,
    }
}
