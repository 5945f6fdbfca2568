//! Claims: who gets what is due, and for whom there is room.
//!
//! ```text
//!   ClaimRequest ─┬─ no limit, SKIP LOCKED ──> take: find, lock and take in one transaction
//!                 │                            (PostgreSQL: in one statement)
//!                 └─ limit, or Buckets ──────> compete: look without locks ─> take by compare-and-swap
//!                                              what was seen, slots included; who loses looks again
//!   recall: whose turn was last, how far back to look; forgetting it costs nothing but time
//! ```
//!
//! - *Finding is a range of an index, in its order*: `(flow, due_at, onboarding)` for what is due
//!   longest, `(flow, tenant, due_at, onboarding)` for turns, where finding the next tenant is one step
//!   however much the one before has waiting.
//! - *A slot is a row that names a lease*: an onboarding and a fence. It is free when that lease is
//!   over, so nothing has to give it back, and a crash leaks none. A fence never repeats, so a lease
//!   that is over stays so; one that only ran out is ended before its slot is taken.
//! - *A bucket is a few bits of the identity*, stored nowhere: workers that compete look at the same
//!   stretch of the index and each begins with another bucket of it.

mod compete;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
mod recall;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(super) mod rows;
mod slots;
mod take;
pub(super) mod texts;

use uuid::Uuid;

use crate::id::{Fence, FlowName, OnboardingId};
use crate::store::claim::ClaimRequest;
use crate::store::error::Error;
use crate::store::record::Lease;
use crate::store::sql::body::SqlStore;
use crate::store::sql::codec::Reader;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{Arg, DbRow, args};
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;

pub(super) use recall::Recall;
pub(super) use texts::ClaimTexts;
use texts::FLOWS;

/// How workers keep out of each other's way when they claim.
///
/// ```
/// use onramp::store::ClaimStrategy;
/// assert_eq!(ClaimStrategy::default(), ClaimStrategy::SkipLocked);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClaimStrategy {
    /// Each passes over the rows that others have locked (`SKIP LOCKED`): for one server.
    #[default]
    SkipLocked,
    /// Nobody locks what is only looked at. Each worker begins with a random part of what is due and
    /// takes by compare-and-swap; who loses a row goes on with the next. For SQL engines that are
    /// spread over several machines, where a lock on one is not seen on another. Only claims in fair
    /// order keep out of each other's way: the strict order is one and the same for all.
    Buckets,
}

impl<D: Dialect> SqlStore<D> {
    /// Claims as asked.
    pub(super) async fn claimed(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        if request.max == 0 {
            return Ok(Vec::new());
        }
        let plan = self.recall.plan(request);
        let together = self.strategy == ClaimStrategy::SkipLocked && request.per_tenant.is_none();
        let (leases, learned) = if together {
            let texts = &self.names.claims;
            let take = take::Take {
                request: request.clone(),
                plan: plan.clone(),
                texts,
            };
            let (leases, mut learned) = match take.is_one_statement() {
                true => self.state(take).await?,
                false => self.write(take).await?,
            };
            if leases.len() < request.max && plan.overlong.wanted(leases.is_empty()) {
                learned.overlong = self.free_overlong(&request.flow).await;
            }
            (leases, learned)
        } else {
            compete::claim(self, request, plan).await?
        };
        self.recall.learn(&request.flow, learned);
        Ok(leases)
    }

    /// Hands back leases that end too late, and tells how long that took. When it fails the next claim
    /// does it: what was claimed is not given up for that.
    async fn free_overlong(&self, flow: &FlowName) -> Option<std::time::Duration> {
        let began = std::time::Instant::now();
        let overlong = FindOverlong {
            flow: flow.clone(),
            texts: &self.names.claims,
        };
        let freed = match self.read(overlong).await {
            Ok(none) if none.is_empty() => Ok(()),
            Ok(these) => self.write(HandBack(these)).await,
            Err(error) => Err(error),
        };
        let failed = freed.map_err(|error| tracing::warn!(%error, "overlong leases are left"));
        failed.ok().map(|()| began.elapsed())
    }

    /// How long until something of these flows is due.
    pub(super) async fn due_in(
        &self,
        flows: &[FlowName],
    ) -> Result<Option<std::time::Duration>, Error> {
        let spans = flows.iter().map(|flow| self.recall.span(flow));
        let next = NextDue {
            flows: flows.iter().cloned().zip(spans).collect(),
            texts: &self.names.claims,
        };
        self.read(next).await
    }
}

/// A queue entry as it was found.
struct Entry {
    id: Uuid,
    tenant: String,
    fence: i64,
    /// For how long it has been due; negative when it is not due yet.
    age: i64,
    /// The lease that taking it makes.
    lease: Result<Lease, Error>,
}

impl Entry {
    /// Columns: onboarding, tenant, fence, attempt, age. None, and a word in the log, for one that is so
    /// damaged that it cannot be taken: it keeps nobody else from being taken.
    fn read<D: Dialect>(row: &DbRow<D>, flow: &FlowName) -> Option<Self> {
        let entry = Self::takeable::<D>(row, flow);
        entry
            .map_err(|error| tracing::error!(%error, "passed over in the queue"))
            .ok()
    }

    fn takeable<D: Dialect>(row: &DbRow<D>, flow: &FlowName) -> Result<Self, Error> {
        let read = Reader::<D>::any(row, "a queue entry");
        let id = read.uuid(0, "the onboarding")?;
        // Taking it counts both up.
        let counted = [(2, "the fence"), (3, "the attempts")];
        for (column, what) in counted {
            if read.int(column, what)? == i64::MAX {
                return Err(read.corrupt(what)("the number is out of range"));
            }
        }
        Ok(Self {
            id,
            tenant: read.text_as_it_is(1),
            fence: read.int(2, "the fence")?,
            age: read.int(4, "a due time")?,
            lease: lease::<D>(row, id, flow),
        })
    }
}

fn lease<D: Dialect>(row: &DbRow<D>, id: Uuid, flow: &FlowName) -> Result<Lease, Error> {
    let id = OnboardingId::from_uuid(id);
    let read = Reader::<D>::of(row, id);
    Ok(Lease {
        tenant: read.tenant(1)?,
        flow: flow.clone(),
        id,
        fence: Fence::new(read.count(2, "the fence")?).next(),
        attempt: read.count::<u32>(3, "the attempts")?.saturating_add(1),
    })
}

/// The leases of what was taken. One that cannot be read is taken and not given out, so that it keeps
/// nobody from what is due after it.
fn leases<'e>(taken: impl Iterator<Item = &'e Entry>) -> Vec<Lease> {
    let readable = taken.filter_map(|entry| match &entry.lease {
        Ok(lease) => Some(lease.clone()),
        Err(error) => {
            tracing::error!(onboarding = %entry.id, %error, "skipped in the queue");
            None
        }
    });
    readable.collect()
}

/// Finds leases that end later than twice their length from now: the clock was set back, and nobody is
/// to wait for it to catch up. Gives the onboarding and the fence of each.
struct FindOverlong {
    flow: FlowName,
    texts: &'static ClaimTexts,
}

impl<D: Dialect> Work<D> for FindOverlong {
    type Out = Vec<(Uuid, i64)>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Self::Out, Fault> {
        let args = args![self.flow.as_str()];
        let mut found = Vec::new();
        for row in &db.all(self.texts.furthest, args).await? {
            let read = Reader::<D>::any(row, "a queue entry");
            let id = read.uuid(0, "the onboarding")?;
            let fence: i64 = read.int(1, "the fence")?;
            let lease: i64 = read.int(3, "the length of the lease")?;
            let rest: i64 = read.int(4, "what is left of the lease")?;
            let leased = read.int(2, "the lease")? == 1;
            if leased && rest > lease.saturating_mul(2) {
                found.push((id, fence));
            }
        }
        Ok(found)
    }
}

/// Hands leases back, as far as they are still the ones that were found: they are due at the next claim.
struct HandBack(Vec<(Uuid, i64)>);

impl<D: Dialect> Work<D> for HandBack {
    type Out = ();

    async fn run(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        for (id, fence) in &self.0 {
            let args = args![0, *id, *fence, 1];
            db.run(db.sql.hand_back, args).await?;
        }
        Ok(())
    }
}

/// How long until something of these flows is due; beside each, how far back to look.
struct NextDue {
    flows: Vec<(FlowName, i64)>,
    texts: &'static ClaimTexts,
}

impl<D: Dialect> Work<D> for NextDue {
    type Out = Option<std::time::Duration>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Self::Out, Fault> {
        let mut soonest: Option<i64> = None;
        for flows in self.flows.chunks(FLOWS) {
            let text = match flows {
                [_] => self.texts.next_due,
                _ => self.texts.next_due_in,
            };
            let rows = db.all(text, asked_of(flows)).await?;
            let Some(row) = rows.first() else { continue };
            let due = Reader::<D>::any(row, "the queue").maybe_int(0, "a due time")?;
            soonest = soonest.into_iter().chain(due).min();
        }
        let micros = soonest.map(|micros| u64::try_from(micros).unwrap_or(0));
        Ok(micros.map(std::time::Duration::from_micros))
    }
}

/// The arguments for one flow, or for as many as a statement asks of: nothing is in the flow without
/// a name.
fn asked_of(flows: &[(FlowName, i64)]) -> Vec<Arg> {
    let named = flows.iter().map(|(flow, span)| (flow.as_str(), *span));
    let places = if flows.len() == 1 { 1 } else { FLOWS };
    let filled = named.chain(std::iter::repeat(("", 0))).take(places);
    filled.flat_map(|(flow, span)| args![flow, span]).collect()
}
