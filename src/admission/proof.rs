//! The three answers, and the proof that one of them is.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::flow::Plan;
use crate::id::{Key, OnboardingId, Revision};
use crate::lifecycle::StageKind;
use crate::status::{NextAction, Status};
use crate::store::{Error, Row};

/// Whether a subject may pass.
///
/// ```
/// use onramp::admission::Admission;
/// fn http_status(admission: &Admission) -> u16 {
///     match admission {
///         Admission::Granted(_) => 200,
///         Admission::Onboard(_) => 403,
///         Admission::Unknown(_) => 503, // neither access nor a redirect
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "whoever is not granted must not pass"]
pub enum Admission {
    /// It is completed. Steps that an operator has waived count; each is in the journal, with who and
    /// why.
    Granted(Proof),
    /// It is not: what to do about it.
    Onboard(NextAction),
    /// The store did not say. Not the same as "not completed".
    Unknown(RetryAfter),
}

impl Admission {
    /// The proof, if there is one.
    #[must_use]
    pub fn granted(self) -> Option<Proof> {
        match self {
            Self::Granted(proof) => Some(proof),
            Self::Onboard(_) | Self::Unknown(_) => None,
        }
    }

    /// Only for what the authoritative store has just said.
    pub(crate) fn of(said: Result<Option<Row>, Error>, plan: &Plan, now: DateTime<Utc>) -> Self {
        match said {
            Ok(Some(row)) if row.state.stage() == StageKind::Completed => Self::Granted(Proof {
                key: row.state.key().clone(),
                onboarding: row.state.id(),
                revision: row.state.revision(),
                at: now,
            }),
            Ok(Some(row)) => Self::Onboard(Status::of(&row.state, plan, now).next_action),
            Ok(None) => Self::Onboard(NextAction::Enroll),
            Err(cause) => Self::Unknown(RetryAfter::because(cause)),
        }
    }
}

/// That the authoritative store has said, at a time, that an onboarding is completed.
///
/// It cannot be made, copied or read from anywhere, so a function that takes one cannot be called for
/// somebody who was not asked about. It is about that moment: ask again for the next request.
///
/// ```
/// use onramp::admission::Proof;
/// fn dashboard(proof: &Proof) -> String {
///     format!("welcome, {}", proof.key().subject)
/// }
/// ```
///
/// ```compile_fail
/// use chrono::{DateTime, Utc};
/// use onramp::admission::Proof;
/// fn forge(status: onramp::status::Status, key: onramp::Key, at: DateTime<Utc>) -> Proof {
///     Proof { key, onboarding: status.onboarding, revision: status.revision, at }
/// }
/// ```
///
/// ```compile_fail
/// fn keep(proof: &onramp::admission::Proof) -> onramp::admission::Proof {
///     proof.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use = "it is what lets somebody pass"]
pub struct Proof {
    key: Key,
    onboarding: OnboardingId,
    revision: Revision,
    at: DateTime<Utc>,
}

impl Proof {
    /// Tenant, flow and subject: who may pass.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The onboarding that is completed.
    #[must_use]
    pub fn onboarding(&self) -> OnboardingId {
        self.onboarding
    }

    /// The revision that said so.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// When it was asked.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// Why it is not known, and how long to wait before asking again.
///
/// ```
/// use onramp::admission::RetryAfter;
/// fn header(unknown: &RetryAfter) -> String {
///     format!("Retry-After: {}", unknown.after().as_secs())
/// }
/// ```
pub struct RetryAfter {
    after: Duration,
    cause: Error,
}

impl RetryAfter {
    /// What passes by itself passes soon; the rest waits for somebody.
    fn because(cause: Error) -> Self {
        let after = match cause.is_retryable() {
            true => Duration::from_secs(2),
            false => Duration::from_secs(60),
        };
        Self { after, cause }
    }

    /// How long to wait, in whole seconds.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.after
    }

    /// What the store said, for logs.
    #[must_use]
    pub fn cause(&self) -> &Error {
        &self.cause
    }
}

impl fmt::Debug for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryAfter")
            .field("after", &self.after)
            .field("cause", &self.cause.kind())
            .finish()
    }
}
