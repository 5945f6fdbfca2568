//! How many onboardings of a tenant may start in a minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::flow::Flow;
use crate::id::TenantId;
use crate::lifecycle::{Change, Intent, Onboarding, Stage};
use crate::onramp::Onramp;
use crate::store::{CommitError, NotApplied, NotAppliedBecause, StoreExt};

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;

/// The most tenants that are remembered: about two megabytes. It takes so many that start something
/// within one minute, in one process, to forget one early.
const MOST_TENANTS: usize = 10_000;

/// How many onboardings of each tenant may start in a minute: so many at once, and then so many a
/// minute, evenly. A tenant that is over it is refused with the time to wait, and keeps nobody else
/// from starting.
///
/// **It is per process**: behind three servers a tenant may start three times as many. It is a guard
/// against a client that has run wild or is hostile, and not a quota to bill by: an exact one would
/// make every start of a tenant wait for one row.
///
/// ```
/// use onramp::StartLimit;
/// # use onramp::prelude::*;
/// # fn open<F: Flow>(onramp: Onramp<F>) -> Onramp<F> {
/// onramp.with_start_limit(StartLimit::per_minute(60))
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartLimit {
    starts: i64,
}

impl StartLimit {
    /// So many for each tenant; one at least.
    #[must_use]
    pub const fn per_minute(starts: u32) -> Self {
        Self {
            starts: if starts == 0 { 1 } else { starts as i64 },
        }
    }

    /// Until one more is allowed, in microseconds.
    const fn interval(self) -> i64 {
        let (whole, rest) = (MINUTE / self.starts, MINUTE % self.starts);
        if rest == 0 { whole } else { whole + 1 }
    }
}

/// Who has started how many lately: for each tenant the moment from which on it is as if it never had.
pub(super) struct Starts {
    limit: StartLimit,
    clean_at: Mutex<HashMap<TenantId, i64>>,
}

impl Starts {
    pub(super) fn new(limit: StartLimit) -> Self {
        Self {
            limit,
            clean_at: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TenantId, i64>> {
        self.clean_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far ahead of now a tenant is, in microseconds; never more than after a whole burst, also
    /// when the clock was set back.
    fn ahead(&self, clean_at: Option<&i64>, now: i64) -> i64 {
        let most = self.limit.interval() * self.limit.starts;
        clean_at.map_or(0, |at| (at - now).clamp(0, most))
    }

    /// How long one has to wait who is so far ahead.
    fn wait(&self, ahead: i64) -> Option<Duration> {
        let over = ahead - self.limit.interval() * (self.limit.starts - 1);
        let over = u64::try_from(over).ok().filter(|over| *over > 0)?;
        Some(Duration::from_micros(over))
    }

    /// How long the tenant has to wait, if it has to. Takes nothing.
    pub(super) fn until(&self, tenant: &TenantId, now: DateTime<Utc>) -> Option<Duration> {
        let known = self.known();
        self.wait(self.ahead(known.get(tenant), now.timestamp_micros()))
    }

    /// Takes one, or says how long to wait.
    fn take(&self, tenant: &TenantId, now: DateTime<Utc>) -> Result<(), Duration> {
        let now = now.timestamp_micros();
        let mut known = self.known();
        let ahead = self.ahead(known.get(tenant), now);
        if let Some(wait) = self.wait(ahead) {
            return Err(wait);
        }
        if known.len() >= MOST_TENANTS && !known.contains_key(tenant) {
            make_room(&mut known, now);
        }
        known.insert(tenant.clone(), now + ahead + self.limit.interval());
        Ok(())
    }

    /// What was taken has started nothing.
    fn give_back(&self, tenant: &TenantId) {
        if let Some(clean_at) = self.known().get_mut(tenant) {
            *clean_at -= self.limit.interval();
        }
    }
}

/// Forgets whoever would be as good as unknown; failing that, whoever is nearest to it.
fn make_room(known: &mut HashMap<TenantId, i64>, now: i64) {
    known.retain(|_, clean_at| *clean_at > now);
    if known.len() >= MOST_TENANTS {
        let nearest = known.iter().min_by_key(|(_, clean_at)| **clean_at);
        if let Some(nearest) = nearest.map(|(tenant, _)| tenant.clone()) {
            known.remove(&nearest);
        }
    }
}

impl<F: Flow> Onramp<F> {
    /// The same, with a limit for how many onboardings of each tenant may start in a minute; clones
    /// share it. Without one there is none. What is over it is [`NotAppliedBecause::TooManyStarts`],
    /// which says how long to wait; what does not start anything is never refused.
    #[must_use]
    pub fn with_start_limit(mut self, limit: StartLimit) -> Self {
        self.starts = Some(std::sync::Arc::new(Starts::new(limit)));
        self
    }

    /// How long the tenant has to wait until another onboarding of it may start, if it has to: so that
    /// nothing is made and no gate is asked in vain. It only looks; the commit of the start counts.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # fn greet<F: Flow>(onramp: &Onramp<F>, tenant: &TenantId) {
    /// if let Some(wait) = onramp.until_start(tenant) {
    ///     println!("Many are signing up: please come back in {} seconds.", wait.as_secs() + 1);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn until_start(&self, tenant: &TenantId) -> Option<Duration> {
        self.starts.as_ref()?.until(tenant, self.clock.now())
    }

    /// Stores a change, if it is not one start too many.
    pub(super) async fn stored<From, To>(
        &self,
        change: Change<F, From, To>,
    ) -> Result<Onboarding<F, To>, CommitError<F, From>>
    where
        From: Stage,
        To: Stage,
    {
        let now = self.clock.now();
        let (change, counted) = self.counted(change, now)?;
        let done = self.store.commit_change(&self.flow, change, now).await;
        if !matches!(
            done,
            Err(CommitError::NotApplied(_) | CommitError::Conflict(_))
        ) {
            counted.keep();
        }
        done
    }

    /// Counts a change that starts an onboarding; any other one is let through.
    pub(super) fn counted<From: Stage, To>(
        &self,
        change: Change<F, From, To>,
        now: DateTime<Utc>,
    ) -> Result<Wanted<'_, F, From, To>, CommitError<F, From>> {
        let counted = match change.intent {
            Intent::Start { .. } => self.count_start(change.before.tenant(), now),
            _ => Ok(Counted(None)),
        };
        match counted {
            Ok(counted) => Ok((change, counted)),
            Err(because) => Err(CommitError::NotApplied(Box::new(NotApplied {
                onboarding: change.before,
                because,
            }))),
        }
    }

    /// Counts a start of the tenant, if there is a limit.
    pub(super) fn count_start(
        &self,
        tenant: &TenantId,
        now: DateTime<Utc>,
    ) -> Result<Counted<'_>, NotAppliedBecause> {
        let Some(starts) = self.starts.as_deref() else {
            return Ok(Counted(None));
        };
        match starts.take(tenant, now) {
            Ok(()) => Ok(Counted(Some((starts, tenant.clone())))),
            Err(retry_after) => Err(NotAppliedBecause::TooManyStarts { retry_after }),
        }
    }
}

/// A change, and what was counted for it.
type Wanted<'s, F, From, To> = (Change<F, From, To>, Counted<'s>);

/// A start that was counted. Given back, unless something may have come of it.
#[must_use]
pub(super) struct Counted<'s>(Option<(&'s Starts, TenantId)>);

impl Counted<'_> {
    /// It may have started.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some((starts, tenant)) = &self.0 {
            starts.give_back(tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
    }

    fn acme() -> TenantId {
        TenantId::new("acme").unwrap()
    }

    #[test]
    fn so_many_at_once_and_then_so_many_a_minute() {
        let starts = Starts::new(StartLimit::per_minute(6));
        for _ in 0..6 {
            starts.take(&acme(), at(0)).unwrap();
        }
        assert_eq!(starts.take(&acme(), at(0)), Err(Duration::from_secs(10)));
        assert_eq!(starts.until(&acme(), at(4)), Some(Duration::from_secs(6)));
        let minute = (0..60).filter(|second| starts.take(&acme(), at(60 + second)).is_ok());
        assert_eq!(
            minute.count(),
            6 + 5,
            "six had come back, and one every ten seconds"
        );
        starts
            .take(&TenantId::new("other").unwrap(), at(0))
            .unwrap();
    }

    #[test]
    fn what_started_nothing_is_given_back() {
        let starts = Starts::new(StartLimit::per_minute(1));
        starts.take(&acme(), at(0)).unwrap();
        starts.give_back(&acme());
        starts.take(&acme(), at(0)).unwrap();
        assert!(starts.take(&acme(), at(59)).is_err());
        assert!(starts.take(&acme(), at(60)).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let starts = Starts::new(StartLimit::per_minute(2));
        starts.take(&acme(), at(1_000_000)).unwrap();
        let wait = starts.until(&acme(), at(0));
        assert_eq!(wait, Some(Duration::from_secs(30)), "a whole burst at most");
    }

    #[test]
    fn no_more_tenants_are_remembered_than_there_is_room_for() {
        let starts = Starts::new(StartLimit::per_minute(1));
        for number in 0..i64::try_from(MOST_TENANTS).unwrap() + 50 {
            let tenant = TenantId::new(number.to_string()).unwrap();
            starts
                .take(&tenant, at(0) + TimeDelta::milliseconds(number))
                .unwrap();
        }
        assert_eq!(starts.known().len(), MOST_TENANTS);
        let newest = TenantId::new((MOST_TENANTS + 49).to_string()).unwrap();
        assert!(
            starts.until(&newest, at(11)).is_some(),
            "the oldest ones were forgotten"
        );
        starts.take(&acme(), at(1_000)).unwrap();
        assert_eq!(
            starts.known().len(),
            1,
            "and all that are over, when there is need"
        );
    }

    #[test]
    fn none_a_minute_is_one() {
        assert_eq!(StartLimit::per_minute(0), StartLimit::per_minute(1));
    }
}
