//! Forgetting onboardings that ended long ago.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::{FlowName, OnboardingId, Revision};
use crate::lifecycle::{Event, Happened, StageKind};
use crate::store::contract::Store;
use crate::store::error::Error;
use crate::store::record::{Listed, Row};

/// Journal entries that are read at once: more than there are changes of keys in a row, mostly.
const TAIL: u64 = 8;

/// Which onboardings are to be forgotten: those that ended, and have not changed since a time.
///
/// Whatever somebody did to one counts as a change: a secret that was kept or shown yesterday is in use,
/// and would be gone with it. That a secret was brought under a newer key does not count, or every
/// rotation of keys would put off forgetting for everybody.
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

    fn may_be_for(&self, listed: &Listed) -> bool {
        let flow = self.flow.as_ref();
        matches!(listed.stage, StageKind::Completed | StageKind::Failed)
            && flow.is_none_or(|flow| listed.key.flow == *flow)
            && !is_younger(listed.id, self.before)
    }

    async fn is_for<S>(&self, store: &S, listed: &Listed, row: &Row) -> Result<bool, Error>
    where
        S: Store + ?Sized,
    {
        if listed.changed_at < self.before {
            return Ok(true);
        }
        // Nothing but a change of keys can have hidden that it is as old.
        let keeps_secrets = row.state.secrets().next().is_some();
        Ok(keeps_secrets && touched_at(store, row).await? < self.before)
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
        let ended = |listed: &Listed| retention.may_be_for(listed);
        for listed in page.into_iter().filter(ended) {
            let Some(row) = store.load(&listed.key.tenant, listed.id).await? else {
                continue;
            };
            if !retention.is_for(store, &listed, &row).await? {
                continue;
            }
            match row.state.failed() {
                Some(failed) if !failed.remaining.is_empty() => purged.remaining += 1,
                _ => gone.push(listed),
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

/// When it was changed last by anything but a change of keys, by the end of its journal.
async fn touched_at<S: Store + ?Sized>(store: &S, row: &Row) -> Result<DateTime<Utc>, Error> {
    let (tenant, id) = (&row.state.key().tenant, row.state.id());
    let mut end = row.state.revision();
    while end > Revision::new(0) {
        let start = Revision::new(end.get().saturating_sub(TAIL));
        let entries = store.journal(tenant, id, start, TAIL as usize).await?;
        for entry in entries.iter().rev() {
            let events = entry.decode()?;
            let rewrapped =
                |event: &Event| matches!(event.happened, Happened::SecretRewrapped { .. });
            if !events.iter().all(rewrapped) {
                return Ok(entry.at);
            }
        }
        end = start;
    }
    Ok(row.state.created_at())
}

/// Whether an identity was made after a time, by its own account. A day is left for clocks that
/// differ; what is missed by that is found the next day.
fn is_younger(id: OnboardingId, than: DateTime<Utc>) -> bool {
    let made = id.as_uuid().get_timestamp().map(|at| at.to_unix());
    let limit = than.checked_add_signed(TimeDelta::days(1));
    let limit = limit.unwrap_or(DateTime::<Utc>::MAX_UTC);
    made.is_some_and(|(seconds, _)| i64::try_from(seconds).is_ok_and(|s| s > limit.timestamp()))
}
