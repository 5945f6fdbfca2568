//! A status as it is kept outside the database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{Key, OnboardingId, Revision};
use crate::status::Status;

/// The version of the stored form. A copy of another one is no copy: the next projection replaces it.
const FORM: u32 = 1;

/// Longer texts are not ours.
const LONGEST: usize = 64 * 1024;

/// A status, and when the database was asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshot {
    form: u32,
    pub(super) as_of: DateTime<Utc>,
    pub(super) status: Status,
}

impl Snapshot {
    pub(super) fn new(status: Status, as_of: DateTime<Utc>) -> Self {
        let form = FORM;
        Self {
            form,
            as_of,
            status,
        }
    }

    /// What order copies have. A subject whose onboarding was deleted begins again with another one,
    /// whose identity is later in time.
    pub(super) fn version(&self) -> (OnboardingId, Revision) {
        (self.status.onboarding, self.status.revision)
    }

    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Somebody else may have written it: whatever is not a copy for this key, in this form and from
    /// the past, is nothing.
    pub(super) fn read(text: &str, key: &Key, now: DateTime<Utc>) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut read: Self = serde_json::from_str(text).ok()?;
        read.as_of = read.as_of.min(now);
        let status = &read.status;
        let ours = status.tenant == key.tenant
            && status.flow == key.flow
            && status.subject == key.subject
            && read.form == FORM;
        ours.then_some(read)
    }
}
