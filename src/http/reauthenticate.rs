//! Who asks again to see a secret: the host says whether they proved again who they are.

use std::future::Future;
use std::pin::Pin;

use axum::http::request::Parts;

use crate::http::authorize::Denied;
use crate::id::OnboardingId;
use crate::vault::Reauthenticated;

/// Tells whether the person behind a request has just proved again who they are. Asked after the
/// [`Authorizer`](super::Authorizer) has let them in, and only when a secret was offered before: the first
/// offer needs no proof.
///
/// **A session that is merely still open is no proof.** The rules take one that is at most five minutes
/// old; so give the time at which it was proved, and not the time of the request.
///
/// ```
/// use onramp::OnboardingId;
/// use onramp::http::{Denied, Parts, Reauthenticator};
/// use onramp::vault::Reauthenticated;
/// # use chrono::{DateTime, Utc};
///
/// struct Passkeys;
/// impl Passkeys {
///     /// When the person of this session used their passkey last.
///     fn auth_time(&self, request: &Parts) -> Option<DateTime<Utc>> {
///         # let _ = request;
///         None // is looked up
///     }
/// }
///
/// impl Reauthenticator for Passkeys {
///     async fn reauthenticated(
///         &self,
///         request: &Parts,
///         whose: OnboardingId,
///     ) -> Result<Option<Reauthenticated>, Denied> {
///         Ok(self.auth_time(request).map(|at| Reauthenticated::new(whose, at)))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell who proved again who they are",
    label = "cannot tell when the person behind a request was authenticated last",
    note = "implement `onramp::http::Reauthenticator`: request parts to `Reauthenticated`, or none"
)]
pub trait Reauthenticator: Send + Sync + 'static {
    /// The proof that came with a request about this onboarding; none when there is none.
    ///
    /// # Errors
    /// [`Denied`]: nothing is offered then.
    fn reauthenticated(
        &self,
        request: &Parts,
        whose: OnboardingId,
    ) -> impl Future<Output = Result<Option<Reauthenticated>, Denied>> + Send;
}

type Proof<'a> = Pin<Box<dyn Future<Output = Result<Option<Reauthenticated>, Denied>> + Send + 'a>>;

/// A reauthenticator without its type.
pub(super) trait Proves: Send + Sync {
    fn proof<'a>(&'a self, request: &'a Parts, whose: OnboardingId) -> Proof<'a>;
}

impl<R: Reauthenticator> Proves for R {
    fn proof<'a>(&'a self, request: &'a Parts, whose: OnboardingId) -> Proof<'a> {
        Box::pin(self.reauthenticated(request, whose))
    }
}
