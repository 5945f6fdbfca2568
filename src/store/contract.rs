//! What a store must do. Implemented once per database; used through [`StoreExt`](super::StoreExt)
//! and [`Onramp`](crate::Onramp).

use std::time::Duration;

use async_trait::async_trait;

use crate::id::{CommandId, FlowName, Key, OnboardingId, Revision, SubjectId, TenantId};
use crate::store::claim::ClaimRequest;
use crate::store::delivery::{DeadLetter, Delivery, OutboxLag, Settlement};
use crate::store::error::Error;
use crate::store::hints::Hints;
use crate::store::record::{
    Commit, CommitOutcome, Created, FactRecord, JournalEntry, Lease, Listed, NewOnboarding, Row,
    StepProgress,
};
use crate::store::scan::{ScanRequest, Scanned};
use crate::store::tenant::TenantRequest;

/// A durable store of onboardings.
///
/// **A store stores: it never decides.** It does not know the rules; it keeps a row, its facts,
/// its journal, its queue entry and its outbox messages together, and moves them together or not
/// at all.
///
/// What every implementation holds, on every method:
///
/// - *Tenants*: what belongs to another tenant is absent.
/// - *Exact keys*: identities are compared byte by byte.
/// - *Limits*: what [`Commit::check`] and [`NewOnboarding::check`] refuse is refused before anything
///   else, as [`ErrorKind::Invalid`](super::ErrorKind::Invalid); what they take is kept byte by byte.
/// - *Durability*: `Ok` means that it survives the loss of the process.
/// - *Errors*: an [`Error`] whose kind is not [`ErrorKind::InDoubt`](super::ErrorKind::InDoubt)
///   means that nothing has changed.
/// - *Cancellation*: a dropped future leaves the change wholly made or wholly not, and never
///   harms a later call.
/// - *Leases* are reckoned on the store's own clock. Time only permits a takeover; what keeps a
///   late worker from writing is the fence. A lease that ends later than twice its length from now
///   counts as run out: the clock was set back.
///
/// [`MemoryStore`](super::MemoryStore) is a whole implementation to read; the conformance suite in
/// `testing` tells whether yours holds. A store in a `Box` or an `Arc` is a store too.
///
/// ```
/// use std::sync::Arc;
/// use onramp::store::{MemoryStore, Store};
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// ```
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Creates the onboarding of a tenant, flow and subject, or gives the one that exists.
    ///
    /// On return exactly one onboarding exists for the key, however many callers there were; one
    /// of them has [`Created::fresh`]. What that one has along, messages and when it is due, is stored
    /// with it; what the others have is not.
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error>;

    /// Loads an onboarding by identity. Runs nothing.
    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error>;

    /// Loads an onboarding by what it is found by. Runs nothing.
    async fn find(&self, key: &Key) -> Result<Option<Row>, Error>;

    /// Stores the next revision of an onboarding, with everything that belongs to it, in one
    /// transaction.
    ///
    /// In this order: a command that was committed before is answered with
    /// [`CommitOutcome::Replayed`]; a lease that is not the newest claim with
    /// [`CommitOutcome::Fenced`]; a revision that is not the stored one with
    /// [`CommitOutcome::Conflict`]; an onboarding that is not there with
    /// [`CommitOutcome::Absent`]; a reservation that another one has with [`CommitOutcome::Taken`].
    /// Only then is anything written. Of commits that reserve the same at once one is stored.
    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error>;

    /// Which revision a command made, if it was committed.
    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error>;

    /// All onboardings of a subject, of whatever flow, in no particular order. They are few.
    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error>;

    /// Onboardings of one tenant, in the order of their subjects and then of their flows, byte by byte:
    /// those that the request is for, the first ones, at most as many as it says.
    ///
    /// What belongs to other tenants is not looked at, however much it is. One that is there all the
    /// while is in exactly one page, whatever comes and goes between them.
    async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error>;

    /// Onboardings of all tenants, in the order of their identities, after one, at most `limit`.
    ///
    /// For what goes over everything that is stored, a page at a time; so it is not for whoever
    /// acts for one tenant.
    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error>;

    /// Onboardings of a flow with their rows, in the order of their identities: those that the request
    /// is for, the lowest first, at most as many as it says.
    ///
    /// Identities begin with the time of creation, so this is one range of them, and what was created
    /// in another time is not looked at. One that cannot be read is given as that, in its place.
    async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error>;

    /// Deletes those of these onboardings that are still at the revision listed, each with its
    /// facts, its journal, its reservations and its place in the queue. Gives how many.
    ///
    /// On return each is gone wholly or wholly there. Messages in the outbox stay until they are
    /// delivered.
    async fn delete(&self, these: &[Listed]) -> Result<usize, Error>;

    /// The facts of an onboarding, in no particular order.
    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error>;

    /// The journal after a revision, oldest first, at most `limit` entries.
    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error>;

    /// Claims due onboardings of a flow: up to as many as asked for, in the order asked for.
    ///
    /// On return each is leased to the worker for as long as asked, its fence is higher than any
    /// before, and one attempt is counted, whatever becomes of it. Of a tenant at its limit nothing
    /// is claimed, and it is in nobody's way; whatever ends a lease makes room at once.
    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error>;

    /// Extends leases to `lease` from now. Gives those that are still the newest claim; the others
    /// are lost.
    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error>;

    /// Gives a lease back: the onboarding is due again after `after`, and the attempt that the
    /// claim counted is taken off again. A lost lease is left alone.
    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error>;

    /// Gives a lease back, because nothing is to be done at revision `at` before so long has
    /// passed; never, when no time is given, and then the onboarding leaves the queue. On return that
    /// is so, and the attempt that the claim counted is taken off again; or it is due at once, because
    /// the revision had moved on. A lost lease is left alone.
    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error>;

    /// Keeps how far the attempt under a lease is, in place of what was kept before, until the
    /// onboarding leaves the queue. Gives whether the lease is still held.
    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error>;

    /// How far the newest attempt is that has said so.
    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error>;

    /// How long until the next onboarding of any of these flows is due, or its lease runs out; zero
    /// when one is due now, `None` when none is queued. An idle worker asks this and nothing else, for
    /// all its flows at once.
    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error>;

    /// What saves the workers and watchers of this process from asking again and again. A store that
    /// never gives a hint is slower and right all the same: `Hints::default()`.
    fn hints(&self) -> Hints;

    /// Hands out up to `max` outbox messages to be delivered, those due longest first, and hides each
    /// for `hidden`. One that is not settled by then is due again, with the same identity.
    ///
    /// On return each has a higher fence than before, and one attempt is counted, whatever becomes
    /// of it. Of an onboarding only the oldest message is handed out that is neither delivered nor
    /// dead, and none while that one is hidden or deferred; whoever waits behind it is in nobody
    /// else's way.
    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error>;

    /// Says how deliveries ended: all of them in one transaction.
    ///
    /// One that is not the newest handing out of its message is passed over: somebody else has it
    /// now, and says so. Once a message is delivered or dead the next one of its onboarding is due.
    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error>;

    /// How long until the next outbox message is due; zero when one is due now, `None` when there is
    /// none that is neither delivered nor dead. One that waits behind another may count, until
    /// somebody tries to take it.
    async fn next_outbox(&self) -> Result<Option<Duration>, Error>;

    /// Dead messages, those longest dead first, at most `limit`.
    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error>;

    /// Makes a dead message due at once, with no attempts counted; later ones of its onboarding wait
    /// for it again. Gives whether there was such a one.
    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error>;

    /// How far delivery is behind. Cheap, however many messages there are.
    async fn outbox_lag(&self) -> Result<OutboxLag, Error>;
}

/// Holds that the contract can be used as a trait object.
const _: fn(&dyn Store) = |_| {};
