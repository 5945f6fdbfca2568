//! Who is asking: the host says so, for every request.

use std::future::Future;
use std::pin::Pin;

use axum::http::request::Parts;

use crate::id::{Actor, SubjectId, TenantId};

/// Tells whose onboarding a request is about, from its parts alone: the session, a token. **Tenant and
/// subject are never read from the address**, so there is nothing in it to tamper with.
///
/// None is shipped, not even for development: without one there is no router.
///
/// ```
/// use onramp::http::{Access, Authorizer, Denied, Parts};
/// use onramp::prelude::*;
///
/// struct Sessions;
/// impl Sessions {
///     fn find(&self, token: &[u8]) -> Option<(TenantId, SubjectId)> {
///         # let _ = token;
///         None // is looked up
///     }
/// }
///
/// impl Authorizer for Sessions {
///     async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
///         let token = request.headers.get("authorization").ok_or(Denied::Unauthenticated)?;
///         let found = self.find(token.as_bytes()).ok_or(Denied::Unauthenticated)?;
///         Ok(Access::of(found.0, found.1))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authorize requests",
    label = "cannot tell whose onboarding a request is about",
    note = "implement `onramp::http::Authorizer`: request parts to tenant, subject and actor"
)]
pub trait Authorizer: Send + Sync + 'static {
    /// Whose onboarding it is.
    ///
    /// # Errors
    /// [`Denied`]: nothing is done then.
    fn authorize(&self, request: &Parts) -> impl Future<Output = Result<Access, Denied>> + Send;
}

/// Whose onboarding a request is about, and who asks.
///
/// ```
/// use onramp::http::Access;
/// use onramp::prelude::*;
/// let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// let herself = Access::of(tenant.clone(), subject.clone());
/// let support = Access::of(tenant, subject).by(Actor::Operator("ann".into()));
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub(super) tenant: TenantId,
    pub(super) subject: SubjectId,
    pub(super) actor: Actor,
}

impl Access {
    /// The subject itself.
    #[must_use]
    pub fn of(tenant: TenantId, subject: SubjectId) -> Self {
        Self {
            tenant,
            subject,
            actor: Actor::Subject,
        }
    }

    /// Somebody else on the subject's behalf: the journal says so.
    #[must_use]
    pub fn by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }
}

/// Why nobody is let in.
///
/// ```
/// use onramp::http::Denied;
/// let down = Denied::unknown("the session store does not answer"); // for logs, and 503 outside
/// assert!(matches!(down, Denied::Unknown(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Denied {
    /// Nobody is signed in.
    Unauthenticated,
    /// Somebody is, who may not do this.
    Forbidden,
    /// It cannot be told right now. The cause is for logs.
    Unknown(Box<dyn std::error::Error + Send + Sync>),
}

impl Denied {
    /// It cannot be told right now, because of this.
    pub fn unknown(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unknown(cause.into())
    }
}

/// Tells which operator a request comes from. A type of its own, so that no subject becomes one by
/// mistake; without one there are no routes for operators.
///
/// ```
/// use onramp::http::{Denied, Operator, OperatorAuthorizer, Parts};
/// use onramp::prelude::*;
///
/// struct Staff;
/// impl OperatorAuthorizer for Staff {
///     async fn authorize(&self, request: &Parts) -> Result<Operator, Denied> {
///         # let _ = request;
///         // The role was checked, and the tenant is one that this person looks after.
///         let tenant = TenantId::new("acme").map_err(|_| Denied::Forbidden)?;
///         Ok(Operator::new(tenant, "ann"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authorize operators",
    label = "cannot tell which operator a request comes from",
    note = "implement `onramp::http::OperatorAuthorizer`: request parts to tenant and name"
)]
pub trait OperatorAuthorizer: Send + Sync + 'static {
    /// Which operator it is.
    ///
    /// # Errors
    /// [`Denied`]: nothing is done then.
    fn authorize(&self, request: &Parts) -> impl Future<Output = Result<Operator, Denied>> + Send;
}

/// An operator, and the tenant that a request is about.
///
/// ```
/// use onramp::http::Operator;
/// use onramp::TenantId;
/// let ann = Operator::new(TenantId::new("acme")?, "ann");
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub(super) tenant: TenantId,
    pub(super) name: String,
}

impl Operator {
    /// An operator by a name that the host knows; it is in the journal of what is done.
    pub fn new(tenant: TenantId, name: impl Into<String>) -> Self {
        Self {
            tenant,
            name: name.into(),
        }
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::Operator(self.name.clone())
    }
}

type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Denied>> + Send + 'a>>;

/// An authorizer of either kind without its type.
pub(super) trait Asks<T>: Send + Sync {
    fn ask<'a>(&'a self, request: &'a Parts) -> Asked<'a, T>;
}

impl<A: Authorizer> Asks<Access> for A {
    fn ask<'a>(&'a self, request: &'a Parts) -> Asked<'a, Access> {
        Box::pin(self.authorize(request))
    }
}

impl<A: OperatorAuthorizer> Asks<Operator> for A {
    fn ask<'a>(&'a self, request: &'a Parts) -> Asked<'a, Operator> {
        Box::pin(self.authorize(request))
    }
}
