//! Two systems side by side, until the new one can take over.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::admission::proof::Admission;
use crate::id::{SubjectId, TenantId};

/// Compares what an older system says with what we say, while the older one still decides.
///
/// What it has seen is of this process: with several, ask each, or look at the sum of their reports.
///
/// ```
/// use std::num::NonZeroU64;
/// use onramp::prelude::*;
/// use onramp::admission::Shadow;
/// # async fn gate<F: Flow>(
/// #     onramp: &Onramp<F>, shadow: &Shadow, tenant: &TenantId, subject: &SubjectId, legacy: bool,
/// # ) -> bool {
/// // While shadowing, the older system's answer is the one that counts.
/// let admission = onramp.admit(tenant, subject).await;
/// shadow.compare(tenant, subject, legacy, &admission)
/// # }
///
/// let shadow = Shadow::new(NonZeroU64::new(10_000).expect("it is not zero"));
/// let not_yet = shadow.cut_over().expect_err("nothing was compared yet");
/// assert_eq!(not_yet.to_string(), "not yet: 0 of 10000 reads in a row agreed, and 0 differed in all");
/// ```
#[derive(Debug)]
pub struct Shadow {
    needed: NonZeroU64,
    examples: usize,
    seen: Mutex<Seen>,
}

/// How many examples are kept, unless told otherwise.
const EXAMPLES: usize = 32;

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    agreed: u64,
    agreed_in_a_row: u64,
    only_legacy: u64,
    only_new: u64,
    unknown: u64,
    examples: VecDeque<Mismatch>,
}

/// What a shadow has seen so far.
///
/// ```
/// # use onramp::admission::ShadowReport;
/// fn alarming(report: &ShadowReport) -> bool {
///     report.only_new > 0 // we would let somebody in whom the older system keeps out
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShadowReport {
    /// Reads on which both said the same.
    pub agreed: u64,
    /// How many of them since the last one that differed.
    pub agreed_in_a_row: u64,
    /// How many in a row a cut-over takes.
    pub needed: u64,
    /// Reads that the older system granted and we did not.
    pub only_legacy: u64,
    /// Reads that we granted and the older system did not.
    pub only_new: u64,
    /// Reads that could not be compared, because the store did not say. They count for nothing.
    pub unknown: u64,
    /// The newest that differed, oldest first.
    pub examples: Vec<Mismatch>,
}

/// A read that differed.
///
/// ```
/// # use onramp::admission::{Mismatch, MismatchKind};
/// fn say(example: &Mismatch) -> String {
///     match example.kind {
///         MismatchKind::OnlyLegacy => format!("{} would be kept out", example.subject),
///         MismatchKind::OnlyNew => format!("{} would be let in", example.subject),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mismatch {
    /// The tenant.
    pub tenant: TenantId,
    /// The subject.
    pub subject: SubjectId,
    /// How they differed.
    pub kind: MismatchKind,
}

/// How two systems differ on a subject.
///
/// ```
/// use onramp::admission::MismatchKind;
/// assert_ne!(MismatchKind::OnlyLegacy, MismatchKind::OnlyNew);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MismatchKind {
    /// The older system grants, we do not.
    OnlyLegacy,
    /// We grant, the older system does not.
    OnlyNew,
}

/// That a shadow has seen enough agreement.
///
/// ```
/// # use onramp::admission::{CutOver, Shadow};
/// fn decide_by_ourselves(_seen: CutOver) {}
/// # fn switch(shadow: &Shadow) -> Result<(), onramp::admission::NotYet> {
/// decide_by_ourselves(shadow.cut_over()?);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "it is what permits the cut-over"]
pub struct CutOver {
    reads: u64,
}

impl CutOver {
    /// How many reads in a row agreed.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads
    }
}

/// Why the older system has to go on deciding.
///
/// ```
/// # use onramp::admission::NotYet;
/// fn missing(not_yet: &NotYet) -> u64 {
///     not_yet.report.needed - not_yet.report.agreed_in_a_row
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not yet: {} of {} reads in a row agreed, and {} differed in all",
    report.agreed_in_a_row, report.needed, report.only_legacy + report.only_new
)]
pub struct NotYet {
    /// What was seen.
    pub report: Box<ShadowReport>,
}

impl Shadow {
    /// A shadow that permits a cut-over after so many reads in a row that agree.
    #[must_use]
    pub fn new(needed: NonZeroU64) -> Self {
        Self {
            needed,
            examples: EXAMPLES,
            seen: Mutex::default(),
        }
    }

    /// The same, keeping so many examples of reads that differ. By default 32.
    #[must_use]
    pub fn examples(mut self, examples: usize) -> Self {
        self.examples = examples;
        self
    }

    /// Compares two answers. Gives the older system's, which is the one that counts for now.
    pub fn compare(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
        legacy: bool,
        ours: &Admission,
    ) -> bool {
        let mut seen = self.seen();
        let kind = match (legacy, ours) {
            (_, Admission::Unknown(_)) => {
                seen.unknown += 1;
                return legacy;
            }
            (true, Admission::Granted(_)) | (false, Admission::Onboard(_)) => {
                seen.agreed += 1;
                seen.agreed_in_a_row += 1;
                return legacy;
            }
            (true, Admission::Onboard(_)) => MismatchKind::OnlyLegacy,
            (false, Admission::Granted(_)) => MismatchKind::OnlyNew,
        };
        match kind {
            MismatchKind::OnlyLegacy => seen.only_legacy += 1,
            MismatchKind::OnlyNew => seen.only_new += 1,
        }
        seen.agreed_in_a_row = 0;
        seen.examples.push_back(Mismatch {
            tenant: tenant.clone(),
            subject: subject.clone(),
            kind,
        });
        while seen.examples.len() > self.examples {
            seen.examples.pop_front();
        }
        legacy
    }

    /// What was seen so far.
    #[must_use]
    pub fn report(&self) -> ShadowReport {
        let seen = self.seen();
        ShadowReport {
            agreed: seen.agreed,
            agreed_in_a_row: seen.agreed_in_a_row,
            needed: self.needed.get(),
            only_legacy: seen.only_legacy,
            only_new: seen.only_new,
            unknown: seen.unknown,
            examples: seen.examples.iter().cloned().collect(),
        }
    }

    /// Whether we may decide from now on.
    ///
    /// # Errors
    /// [`NotYet`] while fewer reads in a row agreed than are needed.
    pub fn cut_over(&self) -> Result<CutOver, NotYet> {
        let report = Box::new(self.report());
        match report.agreed_in_a_row >= report.needed {
            true => Ok(CutOver {
                reads: report.agreed_in_a_row,
            }),
            false => Err(NotYet { report }),
        }
    }

    /// Counting cannot be left half done by a panic.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
