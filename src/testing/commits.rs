//! What the rules want stored, without storing it: for tests of stores, and for models of them.
//!
//! Hosts' and workers' commits are made by the very function that makes these, so whoever checks a
//! store, or a drawing of one, checks it with the real ones.
//!
//! ```
//! use onramp::flow::{Kind, Plan, PlanStep};
//! use onramp::lifecycle::{Action, Command, StageKind};
//! use onramp::store::{CommitOutcome, MemoryStore, Store};
//! use onramp::testing::commits;
//! use onramp::{Actor, Clock, CommandId, Key, SubjectId, SystemClock, TenantId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
//! let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
//! let key = Key { tenant, flow: plan.flow().clone(), subject };
//! let (store, now) = (MemoryStore::new(), SystemClock.now());
//!
//! let row = store.create(commits::creation(key, &plan, now)?).await?.row;
//! let start = Action::Start { cleared: row.state.id(), cleared_at: now };
//! let start = Command { by: Actor::Host, action: start };
//! let first = commits::of(&row, &plan, CommandId::fresh(), &[start.clone()], None, now)?;
//! let second = commits::of(&row, &plan, CommandId::fresh(), &[start], None, now)?;
//! let (first, second) = (first.ok_or("nothing to store")?, second.ok_or("nothing to store")?);
//!
//! assert_eq!(store.commit(first).await?, CommitOutcome::Committed);
//! let CommitOutcome::Conflict { current } = store.commit(second).await? else {
//!     return Err("two commits on one revision".into());
//! };
//! assert_eq!(current.state.stage(), StageKind::InProgress);
//! # Ok(()) }
//! ```

use chrono::{DateTime, Utc};

use crate::flow::Plan;
use crate::id::{Actor, CommandId, Fence, Key, OnboardingId};
use crate::lifecycle::{Command, Rejected};
use crate::store::{
    Commit, Error, NewOnboarding, Proposal, Refused, Row, prepare, prepare_beginning,
    prepare_creation,
};

/// An onboarding at its first revision, to be created.
///
/// # Errors
/// [`Error`] when its first event does not serialise.
///
/// ```
/// # use chrono::{DateTime, Utc};
/// # use onramp::Key;
/// # use onramp::flow::Plan;
/// # use onramp::store::{Created, Error, Store};
/// use onramp::testing::commits;
/// # async fn show(store: &dyn Store, key: Key, plan: &Plan, now: DateTime<Utc>) -> Result<Created, Error> {
/// store.create(commits::creation(key, plan, now)?).await
/// # }
/// ```
pub fn creation(key: Key, plan: &Plan, now: DateTime<Utc>) -> Result<NewOnboarding, Error> {
    prepare_creation(
        OnboardingId::fresh_at(now),
        key,
        plan,
        CommandId::fresh(),
        now,
    )
}

/// An onboarding that starts as it is created, to be created.
///
/// # Errors
/// [`Error`] when its first events do not serialise.
///
/// ```
/// # use chrono::{DateTime, Utc};
/// # use onramp::Key;
/// # use onramp::flow::Plan;
/// # use onramp::store::{Created, Error, Store};
/// use onramp::testing::commits;
/// # async fn show(store: &dyn Store, key: Key, plan: &Plan, now: DateTime<Utc>) -> Result<Created, Error> {
/// let created = store.create(commits::beginning(key, plan, now)?).await?;
/// assert_eq!(created.row.state.revision().get(), 1);
/// # Ok(created) }
/// ```
pub fn beginning(key: Key, plan: &Plan, now: DateTime<Utc>) -> Result<NewOnboarding, Error> {
    let (id, by) = (
        OnboardingId::fresh_at(now),
        (Actor::Host, CommandId::fresh()),
    );
    match prepare_beginning(id, key, plan, &by, now) {
        Ok(beginning) => Ok(beginning.new),
        Err(Refused::Store(error)) => Err(error),
        // Whoever is new may start.
        Err(Refused::Rejected(why)) => Err(Error::corrupt(why.to_string())),
    }
}

/// The commit that these commands make of a row, decided one after another; none when what is wished
/// holds already. A worker's names its claim. A fact that a command is about is not in it: put it in.
///
/// # Errors
/// [`Rejected`] says which rule stands against it.
///
/// # Panics
/// When the events do not serialise, which is a bug.
///
/// ```
/// # use chrono::{DateTime, Utc};
/// # use onramp::flow::Plan;
/// # use onramp::lifecycle::{Action, Command, Rejected};
/// # use onramp::store::{Commit, Lease, Row};
/// # use onramp::{Actor, CommandId};
/// use onramp::testing::commits;
/// # fn show(row: &Row, plan: &Plan, lease: &Lease, now: DateTime<Utc>) -> Result<Option<Commit>, Rejected> {
/// let finished = Command { by: Actor::Worker, action: Action::FinishUndo };
/// commits::of(row, plan, CommandId::fresh(), &[finished], Some(lease.fence), now)
/// # }
/// ```
pub fn of(
    before: &Row,
    plan: &Plan,
    command: CommandId,
    commands: &[Command],
    fence: Option<Fence>,
    now: DateTime<Utc>,
) -> Result<Option<Commit>, Rejected> {
    let facts = Vec::new();
    let prepared = prepare(Proposal {
        before,
        plan,
        command,
        commands,
        facts,
        fence,
        now,
    });
    told(prepared.map(|prepared| prepared.map(|prepared| prepared.commit)))
}

#[expect(clippy::panic, reason = "a bug, and only tests are here")]
fn told(prepared: Result<Option<Commit>, Refused>) -> Result<Option<Commit>, Rejected> {
    match prepared {
        Ok(commit) => Ok(commit),
        Err(Refused::Rejected(why)) => Err(why),
        Err(Refused::Store(error)) => panic!("{error}"),
    }
}

#[cfg(feature = "vault")]
pub use secrets::{SecretAct, of_secret};

#[cfg(feature = "vault")]
mod secrets {
    use chrono::{DateTime, Utc};

    use super::told;
    use crate::id::{Actor, CommandId, SecretName};
    use crate::lifecycle::{FactMark, Proof, Rejected, SecretWish};
    use crate::store::{Commit, Row, prepare_secret};

    /// What becomes of a secret, as its vault would have it stored.
    ///
    /// ```
    /// use onramp::testing::commits::SecretAct;
    /// assert_ne!(SecretAct::Refuse, SecretAct::Reveal);
    /// ```
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum SecretAct {
        /// It is kept.
        Keep(FactMark),
        /// A token that shows it is given out, until then; after the first one because somebody has
        /// just proved who they are.
        Offer {
            /// The mark of what proves the token.
            token: FactMark,
            /// When its time is over.
            until: DateTime<Utc>,
            /// Whether that was proved.
            proven: bool,
        },
        /// A wrong token was tried.
        Refuse,
        /// It is shown.
        Reveal,
        /// It is forgotten.
        Burn,
    }

    /// The commit of what becomes of a secret; none when that holds already.
    ///
    /// # Errors
    /// [`Rejected`] says which rule stands against it.
    ///
    /// # Panics
    /// When the events do not serialise, which is a bug.
    ///
    /// ```
    /// # use chrono::{DateTime, Utc};
    /// # use onramp::SecretName;
    /// # use onramp::lifecycle::Rejected;
    /// # use onramp::store::{Commit, Row};
    /// # use onramp::CommandId;
    /// use onramp::testing::commits::{self, SecretAct};
    /// # fn show(row: &Row, name: &SecretName, now: DateTime<Utc>) -> Result<Option<Commit>, Rejected> {
    /// commits::of_secret(row, CommandId::fresh(), name, SecretAct::Reveal, now)
    /// # }
    /// ```
    pub fn of_secret(
        before: &Row,
        command: CommandId,
        name: &SecretName,
        act: SecretAct,
        now: DateTime<Utc>,
    ) -> Result<Option<Commit>, Rejected> {
        let of = before.state.id();
        let wish = match act {
            SecretAct::Keep(fact) => SecretWish::Keep { fact },
            SecretAct::Offer {
                token,
                until,
                proven,
            } => SecretWish::Offer {
                token,
                until,
                proof: proven.then_some(Proof { of, at: now }),
            },
            SecretAct::Refuse => SecretWish::Refuse,
            SecretAct::Reveal => SecretWish::Reveal,
            SecretAct::Burn => SecretWish::Burn,
        };
        let by = Actor::Subject;
        told(prepare_secret(before, command, &by, name, &wish, None, now))
    }
}
