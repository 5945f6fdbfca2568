//! The typed face driven by the rules alone: no store, no runtime.
//!
//! **For tests only.** Nothing is stored, so a handle from here proves nothing.
//!
//! ```
//! use onramp::prelude::*;
//! use onramp::testing::pure;
//! use onramp::{Clock, SystemClock};
//! # use serde::{Deserialize, Serialize};
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! # #[derive(Serialize, Deserialize)]
//! # struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//!
//! let flow = Workspace::steps().ask::<Company>().build()?;
//! let now = SystemClock.now();
//! let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
//!
//! let pending = pure::begin(&flow, tenant, subject, now);
//! let clearance = pure::clearance(&pending, now);
//! let running = pure::commit(pending.start(clearance), &flow, now)?;
//! let running = pure::commit(running.submit(Company { name: "Acme".into() }), &flow, now)?;
//! let done: Onboarding<_, Completed> = pure::commit(running.complete(), &flow, now)?;
//! assert_eq!(done.revision().get(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use chrono::{DateTime, Utc};

use crate::flow::{Clearance, Definition, Flow};
use crate::id::{FlowName, Key, OnboardingId, SubjectId, TenantId};
use crate::lifecycle::{
    Action, Change, Command, Digest, FactMark, Intent, InvalidFact, Onboarding, Pending, PutFact,
    Rejected, Stage, State, decide, evolve,
};
use crate::store::NotAppliedBecause;

/// A new onboarding that no store knows.
///
/// ```
/// # use onramp::prelude::*;
/// # use onramp::{Clock, SystemClock};
/// use onramp::testing::pure;
/// # fn show<F: Flow>(flow: &Definition<F>) -> Result<(), onramp::InvalidId> {
/// let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// let pending = pure::begin(flow, tenant, subject, SystemClock.now());
/// assert_eq!(pending.revision().get(), 1);
/// # Ok(()) }
/// ```
pub fn begin<F: Flow>(
    flow: &Definition<F>,
    tenant: TenantId,
    subject: SubjectId,
    now: DateTime<Utc>,
) -> Onboarding<F, Pending> {
    let key = Key {
        tenant,
        flow: FlowName::from_static(F::NAME),
        subject,
    };
    let (state, _) = State::create(OnboardingId::fresh(), key, flow.plan(), now);
    Onboarding::newborn(state)
}

/// A clearance without a look at any gate.
///
/// ```
/// # use onramp::prelude::*;
/// # use onramp::{Clock, SystemClock};
/// use onramp::testing::pure;
/// fn start<F: Flow>(pending: Onboarding<F, Pending>) -> Change<F, Pending, InProgress> {
///     let clearance = pure::clearance(&pending, SystemClock.now());
///     pending.start(clearance)
/// }
/// ```
pub fn clearance<F: Flow>(pending: &Onboarding<F, Pending>, now: DateTime<Utc>) -> Clearance<F> {
    Clearance::granted(pending.id(), now)
}

/// What committing a change would lead to. Facts get a mark without a commitment.
///
/// # Errors
/// As a commit's: the rules said no, or the answer cannot be taken.
///
/// ```
/// # use onramp::prelude::*;
/// # use onramp::{Clock, SystemClock};
/// use onramp::testing::pure;
/// fn gives_up<F: Flow>(flow: &Definition<F>, pending: Onboarding<F, Pending>) -> bool {
///     pure::commit(pending.cancel(), flow, SystemClock.now()).is_ok()
/// }
/// ```
#[inline(always)]
pub fn commit<F: Flow, From: Stage, To: Stage>(
    change: Change<F, From, To>,
    flow: &Definition<F>,
    now: DateTime<Utc>,
) -> Result<Onboarding<F, To>, NotAppliedBecause> {
    let Change {
        before, by, intent, ..
    } = change;
    let action = action(intent).map_err(NotAppliedBecause::Invalid)?;
    let operation = action.operation();
    let (state, head) = before.into_stored();
    let command = Command { by, action };
    let events = decide(&state, flow.plan(), &command, now).map_err(NotAppliedBecause::Rejected)?;
    let after = if events.is_empty() {
        state
    } else {
        evolve(state, &events)
    };
    let stage = after.stage();
    let elsewhere = Rejected::WrongStage { operation, stage };
    Onboarding::from_stored(after, head).ok_or(NotAppliedBecause::Rejected(elsewhere))
}

#[inline(always)]
fn action(intent: Intent) -> Result<Action, InvalidFact> {
    Ok(match intent {
        Intent::Start {
            cleared,
            cleared_at,
        } => Action::Start {
            cleared,
            cleared_at,
        },
        Intent::Submit(put) => {
            let fact = mark(&put)?;
            let step = put.step;
            Action::Submit { step, fact }
        }
        Intent::Revise(put) => {
            let fact = mark(&put)?;
            let step = put.step;
            Action::Revise { step, fact }
        }
        Intent::Attest(put) => {
            let fact = mark(&put)?;
            let step = put.step;
            Action::Attest { step, fact }
        }
        Intent::Approve(put) => {
            let fact = mark(&put)?;
            let step = put.step;
            Action::Approve { step, fact }
        }
        Intent::Waive { step, reason } => Action::Waive { step, reason },
        Intent::Draft { step, put, sources } => {
            let fact = mark(&put)?;
            Action::Draft {
                step,
                fact,
                sources,
            }
        }
        Intent::Dismiss => Action::Dismiss,
        Intent::Park { reason } => Action::Park { reason },
        Intent::Unpark => Action::Unpark,
        Intent::Reopen => Action::Reopen,
        Intent::Adopt => Action::Adopt,
        Intent::Login => Action::Login,
        Intent::Skip { step } => Action::Skip { step },
        Intent::Complete => Action::Complete { verified: false },
        Intent::Cancel => Action::Cancel,
        Intent::Retry => Action::Retry,
        Intent::RetryUndo => Action::RetryUndo,
        Intent::Erase => Action::Erase,
    })
}

fn mark(put: &PutFact) -> Result<FactMark, InvalidFact> {
    let encoded = put.fact.as_ref().map_err(Clone::clone)?;
    Ok(FactMark {
        version: encoded.version(),
        commitment: Digest::ZERO,
    })
}
