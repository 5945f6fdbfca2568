//! What a host implements to have messages delivered.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::store::OutboxMessage;

/// Delivers messages: to a webhook, a queue, a mailbox. Implemented by the host, run by a
/// [`Relay`](super::Relay).
///
/// **A message is delivered at least once**: after a crash it comes again, with the same
/// [`id`](OutboxMessage::id), which is what a receiver tells repetitions by. Messages of one onboarding
/// come in order, one after the other; those of different onboardings at the same time.
///
/// ```
/// use onramp::engine::{Notifier, NotifyError};
/// use onramp::store::OutboxMessage;
///
/// struct Webhook;
///
/// #[async_trait::async_trait]
/// impl Notifier for Webhook {
///     async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
/// #       async fn post(_: &str, _: String) -> Result<u16, std::io::Error> { Ok(200) }
///         let sent = post("https://example.com/hook", message.id.to_string()).await;
///         match sent.map_err(|error| NotifyError::retryable("unreachable", error))? {
///             200..=299 => Ok(()),
///             410 => Err(NotifyError::fatal("receiver_gone", "410")),
///             other => Err(NotifyError::retryable("refused", other.to_string())),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// Delivers a message. `Ok` means that it may be forgotten.
    ///
    /// A panic, and one that takes longer than the relay's timeout, is a failed attempt.
    ///
    /// # Cancel safety
    /// The future is dropped at the timeout and when the relay is stopped; the message comes again.
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError>;
}

/// Holds that it can be used as a trait object.
const _: fn(&dyn Notifier) = |_| {};

#[async_trait]
impl<N: Notifier + ?Sized> Notifier for Arc<N> {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        (**self).notify(message).await
    }
}

/// Why a message was not delivered: whether it is worth another attempt, a code that operators see, and
/// the cause, which only logs see.
///
/// ```
/// use onramp::engine::NotifyError;
/// let error = NotifyError::retryable("unreachable", "connection to 10.0.0.7 refused");
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "unreachable"); // the cause is the source, not the text
/// ```
pub struct NotifyError {
    code: &'static str,
    retryable: bool,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl NotifyError {
    /// A message that was not delivered because the notifier panicked.
    pub(crate) const PANICKED: &'static str = "panicked";
    /// One whose notifier took too long.
    pub(crate) const TIMED_OUT: &'static str = "timed_out";
    /// One that was handed out again and again, and nothing was heard of it.
    pub(crate) const INTERRUPTED: &'static str = "interrupted";
    /// One whose notifier gave a code that is none.
    pub(crate) const OTHER: &'static str = "other";

    /// Worth another attempt, by the relay's retry policy. The code is a permanent name of a kind of
    /// failure: 1 to 64 of a-z, 0-9 and _, a letter first; any other is told as `other`.
    pub fn retryable(
        code: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            code,
            retryable: true,
            cause: cause.into(),
        }
    }

    /// Not worth another attempt: the message is dead at once, until an operator revives it.
    pub fn fatal(
        code: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            retryable: false,
            ..Self::retryable(code, cause)
        }
    }

    /// The permanent code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Whether another attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl fmt::Debug for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotifyError")
            .field("code", &self.code)
            .field("retryable", &self.retryable)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for NotifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}
