//! What a relay and a store say to each other of outbox messages.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::id::Fence;
use crate::store::error::Error;
use crate::store::limits::check_reason;
use crate::store::record::OutboxMessage;

/// How far the messages of an outbox are looked at and counted for an [`OutboxLag`].
///
/// ```
/// # use onramp::store::{OUTBOX_LOOK, OutboxLag};
/// fn is_at_least(lag: &OutboxLag) -> bool {
///     lag.dead >= OUTBOX_LOOK
/// }
/// ```
pub const OUTBOX_LOOK: u64 = 10_000;

/// A message that was handed out to be delivered, once more or for the first time.
///
/// ```
/// # use onramp::store::Delivery;
/// fn is_repetition(delivery: &Delivery) -> bool {
///     delivery.attempt > 1
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message; the same whenever it is handed out.
    pub message: OutboxMessage,
    /// Where it is among the messages of its commit.
    pub place: u32,
    /// The number of this handing out: higher than any of this message before.
    pub fence: Fence,
    /// Which attempt at delivering it this is, counted from 1; from 1 again after a revival.
    pub attempt: u32,
}

/// How an attempt at delivering a message ended.
///
/// ```
/// use std::time::Duration;
/// use onramp::store::Settlement;
/// let busy = Settlement::Later(Duration::from_secs(5));
/// assert!(busy.check().is_ok());
/// assert!(Settlement::Dead("nul\0".into()).check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It was delivered, and is forgotten.
    Delivered,
    /// It was not, and is due again after this delay.
    Later(Duration),
    /// It is given up, for this reason: a permanent code, no text and no data of a person. It keeps
    /// nobody waiting, and stays until an operator revives it.
    Dead(String),
}

impl Settlement {
    /// Whether every store can keep it as it is. Stores call this before anything else.
    ///
    /// # Errors
    /// Of kind `Invalid`, when the reason is none.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Dead(reason) => check_reason(reason),
            Self::Delivered | Self::Later(_) => Ok(()),
        }
    }
}

/// A message that was given up.
///
/// ```
/// # use onramp::prelude::*;
/// # async fn again(store: &dyn Store) -> Result<(), onramp::store::Error> {
/// for dead in store.dead_outbox(100).await? {
///     if dead.reason == "receiver_gone" {
///         store.revive_outbox(dead.message.id).await?;
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message: OutboxMessage,
    /// Why, as a code.
    pub reason: String,
    /// How many attempts there were.
    pub attempts: u32,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// How far delivery is behind.
///
/// ```
/// # use std::time::Duration;
/// # use onramp::store::OutboxLag;
/// fn wakes_somebody_up(lag: &OutboxLag) -> bool {
///     lag.dead > 0 || lag.oldest > Some(Duration::from_secs(600))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct OutboxLag {
    /// How long ago the oldest message was stored that is neither delivered nor dead; `None` when
    /// there is none. Among the [`OUTBOX_LOOK`] that are due soonest, so that looking stays cheap
    /// however many there are.
    pub oldest: Option<Duration>,
    /// How many are dead; counted up to [`OUTBOX_LOOK`].
    pub dead: u64,
}
