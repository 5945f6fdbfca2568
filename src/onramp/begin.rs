//! To begin at once: enrol, check the gates and start, in one commit where that can be.

use crate::flow::{Flow, NotCleared};
use crate::id::{Actor, CommandId, SubjectId, TenantId};
use crate::lifecycle::Loaded;
use crate::onramp::Onramp;
use crate::store::{CommitError, Error, ErrorKind, NotAppliedBecause, Refused, begin, key, loaded};

/// Why an onboarding has not begun.
///
/// ```
/// # use onramp::NotBegun;
/// fn say(why: &NotBegun) -> String {
///     match why {
///         NotBegun::NotCleared(closed) => {
///             let names: Vec<_> = closed.closed().map(|(gate, _)| gate).collect();
///             format!("not yet: {}", names.join(", "))
///         }
///         NotBegun::NotApplied(because) => because.to_string(),
///         _ => "try again: it begins once".to_owned(),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotBegun {
    /// Gates are closed. The subject is enrolled, so that it can be found and explained.
    #[error(transparent)]
    NotCleared(#[from] NotCleared),
    /// It may not start: too many of the tenant do, say. Nothing has changed.
    #[error(transparent)]
    NotApplied(NotAppliedBecause),
    /// The store failed. When that is in doubt, it may have begun: to begin again is safe either way.
    #[error(transparent)]
    Store(#[from] Error),
}

impl<F: Flow> Onramp<F> {
    /// The onboarding of a subject, begun: enrolled if there is none, and started if it is pending and
    /// the gates are open. One that is further is given as it is, whatever its gates say now. However
    /// many call at once, it begins once and all get it.
    ///
    /// It is what [`enroll`](Self::enroll), [`clear`](Self::clear) and the commit of a
    /// [`start`](crate::Onboarding::start) do, for a host that has nothing to do between them; of a
    /// new subject creation and start are one commit.
    ///
    /// # Errors
    /// [`NotBegun`]: a gate is closed, it may not start, or the store failed.
    ///
    /// # Cancel safety
    /// When the future is dropped it has begun or it has not; begin again.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # use onramp::NotBegun;
    /// # async fn sign_up<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, subject: &SubjectId,
    /// # ) -> Result<&'static str, NotBegun> {
    /// match onramp.begin(tenant, subject).await {
    ///     Ok(Loaded::InProgress(_running)) => Ok("welcome, or welcome back"),
    ///     Ok(_) => Ok("that was done before"),
    ///     Err(NotBegun::NotCleared(_)) => Ok("we open soon"),
    ///     Err(other) => Err(other),
    /// }
    /// # }
    /// ```
    pub async fn begin(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Loaded<F>, NotBegun> {
        let by = (Actor::Host, CommandId::fresh());
        self.begin_as(tenant, subject, by).await
    }

    /// The same by somebody, as one command.
    pub(crate) async fn begin_as(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
        by: (Actor, CommandId),
    ) -> Result<Loaded<F>, NotBegun> {
        let mut found = match self.open(tenant, subject).await? {
            Some(found) => found,
            None => self.begin_new(tenant, subject, &by).await?,
        };
        while let Loaded::Pending(pending) = found {
            // Before anybody is asked: refusing costs next to nothing.
            if let Some(retry_after) = self.until_start(tenant) {
                return Err(NotAppliedBecause::TooManyStarts { retry_after }.into());
            }
            let clearance = self.clear(&pending).await?;
            let (actor, command) = by.clone();
            let start = pending.start(clearance).by(actor).identified(command);
            found = match self.commit(start).await {
                Ok(running) => Loaded::InProgress(running),
                // Somebody else was quicker.
                Err(CommitError::Conflict(conflict)) => conflict.current,
                Err(CommitError::NotApplied(not)) => return Err(not.because.into()),
                Err(CommitError::Unknown(unknown)) => return Err(unknown.cause.into()),
            };
        }
        Ok(found)
    }

    /// Of a subject that was not there a moment ago.
    async fn begin_new(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
        by: &(Actor, CommandId),
    ) -> Result<Loaded<F>, NotBegun> {
        let counted = self.count_start(tenant, self.clock.now())?;
        if let Err(closed) = self.all_open(tenant, subject).await {
            return match self.enroll(tenant, subject).await? {
                Loaded::Pending(_) => Err(closed.into()),
                further => Ok(further),
            };
        }
        let now = self.clock.now();
        let (plan, key) = (self.flow.plan(), key::<F>(tenant, subject));
        match begin(&*self.store, plan, key, by, now).await {
            Ok(created) => {
                if created.fresh {
                    counted.keep();
                }
                Ok(loaded(created.row))
            }
            Err(Refused::Store(doubt)) if doubt.kind() == ErrorKind::InDoubt => {
                counted.keep();
                // One look: it often is stored, and then nobody needs to know of the doubt.
                match self.open(tenant, subject).await {
                    Ok(Some(found)) => Ok(found),
                    Ok(None) | Err(_) => Err(doubt.into()),
                }
            }
            Err(refused) => Err(refused.into()),
        }
    }
}

impl From<NotAppliedBecause> for NotBegun {
    fn from(because: NotAppliedBecause) -> Self {
        match because {
            NotAppliedBecause::Store(error) => Self::Store(error),
            because => Self::NotApplied(because),
        }
    }
}

impl From<Refused> for NotBegun {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rejected(why) => Self::NotApplied(NotAppliedBecause::Rejected(why)),
            Refused::Store(error) => Self::Store(error),
        }
    }
}
