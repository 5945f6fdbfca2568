//! What became of an import.

use std::fmt;

use serde::Serialize;

use super::record::Place;
use crate::id::SourceName;

/// How many rejections a report names. The quarantine has all.
const NAMED: usize = 20;

/// What became of an import: every record that was read is in one of the counts.
///
/// ```
/// # use onramp::import::Report;
/// fn is_finished(second_run: &Report) -> bool {
///     second_run.unchanged + second_run.kept == second_run.read
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The source.
    pub source: SourceName,
    /// Whether it was only a rehearsal.
    pub dry_run: bool,
    /// Records that were read.
    pub read: u64,
    /// New ones that are complete now.
    pub completed: u64,
    /// New ones that are pending now.
    pub pending: u64,
    /// Pending ones that were there, and were given what they lacked.
    pub filled: u64,
    /// Those that an earlier run has imported.
    pub unchanged: u64,
    /// Those that were there and stay as they are.
    pub kept: u64,
    /// Those that went to the quarantine.
    pub quarantined: u64,
    /// The first twenty of them.
    pub rejected: Vec<Rejected>,
}

/// A record that was not imported.
///
/// ```
/// use onramp::import::{Place, Rejected};
/// # fn show(rejected: &Rejected) {
/// println!("{}: {}", rejected.place, rejected.reason);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rejected {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub reason: String,
}

impl Report {
    pub(super) fn new(source: SourceName, dry_run: bool) -> Self {
        Self {
            source,
            dry_run,
            read: 0,
            completed: 0,
            pending: 0,
            filled: 0,
            unchanged: 0,
            kept: 0,
            quarantined: 0,
            rejected: Vec::new(),
        }
    }

    pub(super) fn reject(&mut self, place: Place, reason: String) {
        self.quarantined += 1;
        if self.rejected.len() < NAMED {
            self.rejected.push(Rejected { place, reason });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}: {} read, {} imported ({} complete, {} pending), {} filled, {} unchanged, {} kept, \
             {} quarantined",
            self.source,
            if self.dry_run { " (dry run)" } else { "" },
            self.read,
            self.completed + self.pending,
            self.completed,
            self.pending,
            self.filled,
            self.unchanged,
            self.kept,
            self.quarantined,
        )?;
        for Rejected { place, reason } in &self.rejected {
            write!(f, "\n  {place}: {reason}")?;
        }
        let others = self.quarantined - self.rejected.len() as u64;
        if others > 0 {
            write!(f, "\n  and {others} others")?;
        }
        Ok(())
    }
}

/// An import that could not go on, because of the store or of the quarantine. Run it again: what was
/// imported is not imported twice.
///
/// ```
/// # use onramp::import::Stopped;
/// fn say(stopped: &Stopped) -> String {
///     format!("{stopped}\n{}", stopped.report)
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the import of {} stopped after {} records: {cause}", report.source, report.read)]
#[non_exhaustive]
pub struct Stopped {
    /// What became of the records so far.
    pub report: Box<Report>,
    /// What was in the way.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
