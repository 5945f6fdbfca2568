//! What every store refuses before it does anything else, so that all of them keep the same: a
//! database would cut it off, keep it changed, or fail in a way of its own.

#[cfg(feature = "import")]
use crate::id::SourceName;
use crate::id::{Actor, FlowName, InvalidId, StepName, check_label, check_name};
use crate::store::error::{Error, ErrorKind};
use crate::store::record::{
    Commit, FactChange, JournalEntry, NewOnboarding, OutboxMessage, WorkerId,
};

impl NewOnboarding {
    /// Whether every store can keep it as it is. Stores call this before anything else.
    ///
    /// # Errors
    /// Of kind `Invalid`: what is over which limit, and by how much; never a value.
    ///
    /// ```
    /// # use onramp::store::{Error, NewOnboarding};
    /// fn create(new: &NewOnboarding) -> Result<(), Error> {
    ///     new.check()?;
    ///     Ok(()) // and so on
    /// }
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        check_flow(&self.row.state.key().flow)?;
        check_entry(&self.entry)?;
        self.outbox.iter().try_for_each(check_message)
    }
}

impl Commit {
    /// Whether every store can keep it as it is. Stores call this before anything else.
    ///
    /// # Errors
    /// Of kind `Invalid`: what is over which limit, and by how much; never a value.
    ///
    /// ```
    /// # use onramp::store::{Commit, Error};
    /// fn commit(commit: &Commit) -> Result<(), Error> {
    ///     commit.check()?;
    ///     Ok(()) // and so on
    /// }
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        check_flow(&self.row.state.key().flow)?;
        check_entry(&self.entry)?;
        for change in &self.facts {
            match change {
                FactChange::Put(record) => {
                    check_step(record.fact.step())?;
                    check_actor(&record.by)?;
                    record.fact.check().map_err(|error| {
                        Error::new(ErrorKind::Invalid, error.to_string()).because(error)
                    })?;
                }
                FactChange::Remove(step) => check_step(step)?,
            }
        }
        self.outbox.iter().try_for_each(check_message)
    }
}

/// Flow names are checked when a flow is built; one that came as text may be anything.
pub(super) fn check_flow(flow: &FlowName) -> Result<(), Error> {
    refuse(check_name("flow name", flow.as_str()))
}

pub(super) fn check_worker(worker: &WorkerId) -> Result<(), Error> {
    refuse(check_label("worker name", worker.as_str()))
}

pub(super) fn check_reason(reason: &str) -> Result<(), Error> {
    refuse(check_name("reason", reason))
}

#[cfg(feature = "import")]
pub(crate) fn check_source(source: &SourceName) -> Result<(), Error> {
    refuse(check_name("source name", source.as_str()))
}

fn check_step(step: &StepName) -> Result<(), Error> {
    // A slot is two names with a dot between them.
    let mut names = step.as_str().splitn(2, '.');
    names.try_for_each(|name| refuse(check_name("step name", name)))
}

fn check_entry(entry: &JournalEntry) -> Result<(), Error> {
    check_actor(&entry.by)
}

fn check_message(message: &OutboxMessage) -> Result<(), Error> {
    check_flow(&message.key.flow)?;
    refuse(check_label("topic", &message.topic))
}

fn check_actor(actor: &Actor) -> Result<(), Error> {
    match actor {
        Actor::Operator(name) => refuse(check_label("operator name", name)),
        Actor::Subject | Actor::Host | Actor::Worker => Ok(()),
    }
}

fn refuse(checked: Result<(), InvalidId>) -> Result<(), Error> {
    checked.map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()).because(error))
}
