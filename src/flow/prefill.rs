//! What is known of a subject elsewhere, to fill a form in with.

use std::future::Future;
use std::time::Duration;

use crate::flow::{Answer, Draft};
use crate::id::Key;

/// A source of what is known of a subject elsewhere: the identity provider, the CRM, an earlier import.
///
/// It fills a form in and **completes nothing**: the subject still has to look at it and submit. What the
/// subject has changed is never overwritten, whatever the source says later.
///
/// ```
/// use onramp::flow::{Draft, Prefill, PrefillError};
/// use onramp::prelude::*;
/// use onramp::Key;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String, country: String }
/// impl Step for Company { const NAME: &'static str = "company"; }
/// impl Answer<Workspace> for Company {}
///
/// struct Crm;
/// impl Prefill<Workspace> for Crm {
///     type Answer = Company;
///     const SOURCE: &'static str = "crm";
///     async fn known(&self, whom: &Key) -> Result<Draft<Company>, PrefillError> {
///         let _ = whom.subject.as_str(); // is looked up
///         Draft::new().with("name", "Acme").map_err(PrefillError::new)
///     }
/// }
///
/// let flow = Workspace::steps().ask::<Company>().prefill(Crm).build()?;
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
pub trait Prefill<F>: Send + Sync + 'static {
    /// The answer whose form is filled in.
    type Answer: Answer<F>;

    /// A stable name: what is filled in is marked with it.
    const SOURCE: &'static str;

    /// What is known of a subject; an empty draft when nothing is. Every call may be repeated, and has
    /// no effects.
    ///
    /// # Errors
    /// [`PrefillError`] when the source cannot be asked: the form is shown without it.
    fn known(
        &self,
        whom: &Key,
    ) -> impl Future<Output = Result<Draft<Self::Answer>, PrefillError>> + Send;

    /// How long a person waits for it at most: then the form is shown without it. Two seconds unless
    /// told.
    fn timeout(&self) -> Duration {
        Duration::from_secs(2)
    }
}

/// A source cannot be asked. The text is for logs.
///
/// ```
/// use onramp::flow::PrefillError;
/// assert_eq!(PrefillError::new("connection refused").to_string(), "connection refused");
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PrefillError(Box<dyn std::error::Error + Send + Sync>);

impl PrefillError {
    /// With its cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
