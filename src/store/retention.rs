//! Forgetting onboardings that ended long ago.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::{FlowName, OnboardingId};
use crate::lifecycle::StageKind;
use crate::store::contract::Store;
use crate::store::error::Error;
use crate::store::record::Listed;

/// Which onboardings are to be forgotten: those that ended, and have not changed since a time.
///
/// ```
/// use chrono::TimeDelta;
/// use onramp::store::Retention;
/// use onramp::{Clock, SystemClock};
/// let year = SystemClock.now() - TimeDelta::days(365);
/// let retention = Retention::ended_before(year).flow("workspace");
/// # drop(retention);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is to be given to `purge`"]
pub struct Retention {
    before: DateTime<Utc>,
    flow: Option<FlowName>,
    batch: usize,
}

impl Retention {
    /// Those that ended, completed or failed, and have not changed since.
    pub fn ended_before(before: DateTime<Utc>) -> Self {
        Self {
            before,
            flow: None,
            batch: 200,
        }
    }

    /// Only those of a flow.
    pub fn flow(mut self, flow: impl Into<FlowName>) -> Self {
        self.flow = Some(flow.into());
        self
    }

    /// How many are looked at, and deleted, in one transaction at most: 200 unless told.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch.max(1);
        self
    }

    fn is_for(&self, listed: &Listed) -> bool {
        matches!(listed.stage, StageKind::Completed | StageKind::Failed)
            && listed.changed_at < self.before
            && self
                .flow
                .as_ref()
                .is_none_or(|flow| listed.key.flow == *flow)
    }
}

/// What a purge has done.
///
/// ```
/// # use onramp::store::Purged;
/// fn say(purged: &Purged) -> String {
///     format!("{} forgotten, {} kept for what remains of them", purged.deleted, purged.remaining)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Purged {
    /// Onboardings that are gone, with their facts and journals.
    pub deleted: usize,
    /// Failed onboardings that were kept, because something of theirs could not be taken back: with
    /// the row, nobody would know of it any more.
    pub remaining: usize,
}

/// Goes once over everything that was created before the time, in the order of creation.
///
/// Identities begin with the time of creation, so whatever cannot have ended by then is not even
/// looked at; and no index on the time of a change is needed, which every commit would have to keep.
pub(super) async fn purge<S: Store + ?Sized>(
    store: &S,
    retention: &Retention,
) -> Result<Purged, Error> {
    let mut purged = Purged::default();
    let mut after = None;
    loop {
        let page = store.list(after, retention.batch).await?;
        let Some(last) = page.last().map(|listed| listed.id) else {
            return Ok(purged);
        };
        let mut gone = Vec::new();
        for listed in page.into_iter().filter(|listed| retention.is_for(listed)) {
            match store.load(&listed.key.tenant, listed.id).await? {
                Some(row) if row.state.failed().is_some_and(|f| !f.remaining.is_empty()) => {
                    purged.remaining += 1;
                }
                Some(_) => gone.push(listed),
                None => {}
            }
        }
        if !gone.is_empty() {
            purged.deleted += store.delete(&gone).await?;
        }
        if is_younger(last, retention.before) {
            return Ok(purged);
        }
        after = Some(last);
    }
}

/// Whether an identity was made after a time, by its own account. A day is left for clocks that
/// differ; what is missed by that is found the next day.
fn is_younger(id: OnboardingId, than: DateTime<Utc>) -> bool {
    let made = id.as_uuid().get_timestamp().map(|at| at.to_unix());
    let limit = than.checked_add_signed(TimeDelta::days(1));
    let limit = limit.unwrap_or(DateTime::<Utc>::MAX_UTC);
    made.is_some_and(|(seconds, _)| i64::try_from(seconds).is_ok_and(|s| s > limit.timestamp()))
}
