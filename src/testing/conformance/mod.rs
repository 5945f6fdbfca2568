//! Does a store hold what [`Store`] promises? One call runs every clause.
//!
//! ```
//! use std::sync::Arc;
//! use onramp::store::MemoryStore; // or yours
//! use onramp::testing::conformance;
//!
//! # #[tokio::main]
//! # async fn main() {
//! let store = Arc::new(MemoryStore::new());
//! let violations = conformance::check(store).await;
//! assert!(violations.is_empty(), "{violations:#?}");
//! # }
//! ```
//!
//! That is all: fewer than thirty lines also when a store is tried bare, in a `Box` and in an `Arc`,
//! as `tests/conformance/adopt.rs` does.
//!
//! A store that begins `create` and `commit` with [`NewOnboarding::check`] and [`Commit::check`] need
//! not know the limits itself.
//!
//! [`NewOnboarding::check`]: crate::store::NewOnboarding::check
//! [`Commit::check`]: crate::store::Commit::check
//!
//! Every clause works in a tenant and a flow of its own, so the store need not be empty, and may
//! be in use. It takes a second or two: leases have to run out.

mod beginning;
mod commits;
mod data;
mod exact;
mod lists;
mod onboard;
mod outbox;
mod queue;
mod reservations;
mod scans;
mod turns;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::store::Store;

/// A clause of the contract that a store does not hold.
///
/// ```
/// use onramp::testing::conformance::Violation;
/// fn names(violations: &[Violation]) -> Vec<&str> {
///     violations.iter().map(|violation| violation.clause).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The clause's stable name.
    pub clause: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.clause, self.seen)
    }
}

/// What a clause found: nothing, or what it saw instead.
type Found = Result<(), String>;

type Clause = fn(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = Found> + Send>>;

macro_rules! clauses {
    ($($module:ident::$clause:ident),+ $(,)?) => {
        /// Every clause, by name.
        const CLAUSES: &[(&str, Clause)] =
            &[$((stringify!($clause), |store| Box::pin($module::$clause(store)))),+];
    };
}

clauses![
    commits::one_onboarding_per_key,
    exact::keys_are_exact,
    exact::a_fact_of_exactly_the_limit_survives,
    exact::text_survives_byte_for_byte,
    exact::what_is_over_a_limit_is_refused,
    commits::tenants_are_apart,
    commits::one_commit_per_revision,
    commits::a_conflict_gives_the_current_row,
    commits::an_older_revision_never_fits_again,
    commits::a_command_counts_once,
    commits::what_is_absent_is_not_made,
    beginning::what_begins_at_once_is_due_and_told,
    beginning::who_comes_second_begins_nothing,
    data::rows_come_back_as_they_went,
    data::facts_are_put_replaced_and_removed,
    data::a_workers_fact_replaces_the_one_before,
    data::the_journal_is_whole_and_in_order,
    data::what_is_not_committed_leaves_nothing,
    outbox::the_outbox_is_part_of_the_commit,
    outbox::the_outbox_redelivers_until_it_is_acknowledged,
    outbox::messages_of_an_onboarding_wait_for_each_other,
    outbox::a_deferred_message_is_left_alone_for_its_time,
    outbox::who_waits_is_in_nobodys_way,
    outbox::a_late_settlement_changes_nothing,
    outbox::a_dead_message_keeps_nobody_waiting,
    outbox::a_dead_message_can_be_revived,
    outbox::a_reason_that_is_none_is_refused,
    outbox::the_outboxs_lag_is_told,
    lists::a_subjects_onboardings_are_listed,
    lists::a_tenants_onboardings_are_listed,
    lists::pages_hold_every_onboarding_once,
    scans::a_scan_gives_every_row_of_its_range_once,
    scans::a_scan_keeps_to_what_it_is_for,
    lists::what_is_deleted_is_gone_wholly,
    reservations::a_reservation_has_one_holder,
    reservations::what_is_released_is_free,
    queue::what_is_due_longest_is_claimed_first,
    queue::a_leased_one_is_nobody_elses,
    queue::every_claim_counts_an_attempt,
    queue::an_older_claim_cannot_write,
    queue::a_claim_that_was_given_back_cannot_write,
    queue::fences_never_repeat,
    queue::renewing_keeps_only_what_is_held,
    queue::releasing_uncounts_the_attempt,
    queue::parking_never_loses_a_wake_up,
    queue::waking_leaves_a_lease_alone,
    queue::the_next_due_is_told,
    queue::the_soonest_of_several_flows_is_told,
    queue::progress_is_kept_for_whoever_holds_the_lease,
    turns::no_tenant_waits_for_anothers_backlog,
    turns::a_limit_is_never_exceeded,
    turns::a_slot_comes_back_with_its_lease,
    turns::a_lease_without_its_slot_is_lost,
    // The last one: it hides whatever else there is.
    outbox::the_next_message_is_told,
];

/// Runs every clause against a store. Gives those that it does not hold; none is what you want.
///
/// A clause that panics or takes longer than a minute counts as not held.
///
/// ```
/// # use std::sync::Arc;
/// # use onramp::store::Store;
/// use onramp::testing::conformance::check;
/// # async fn show(store: Arc<dyn Store>) {
/// assert_eq!(check(store).await, []);
/// # }
/// ```
pub async fn check(store: Arc<dyn Store>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for &(clause, run) in CLAUSES {
        let limit = std::time::Duration::from_secs(60);
        let running = tokio::spawn(tokio::time::timeout(limit, run(Arc::clone(&store))));
        let seen = match running.await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(seen))) => seen,
            Ok(Err(_)) => "it did not end within a minute".to_owned(),
            Err(panic) => panic.to_string(),
        };
        violations.push(Violation { clause, seen });
    }
    violations
}

/// The names of all clauses.
///
/// ```
/// use onramp::testing::conformance::clauses;
/// assert!(clauses().any(|clause| clause == "one_commit_per_revision"));
/// ```
pub fn clauses() -> impl Iterator<Item = &'static str> {
    CLAUSES.iter().map(|(name, _)| *name)
}

/// Holds something, or says what was seen instead.
macro_rules! hold {
    ($holds:expr, $($seen:tt)+) => {
        if !$holds {
            return Err(format!($($seen)+));
        }
    };
}
use hold;
