//! How a relay is set up.

use std::sync::Arc;
use std::time::Duration;

use super::{Relay, Shared};
use crate::engine::notify::Notifier;
use crate::flow::RetryPolicy;
use crate::store::Store;

/// Sets up a [`Relay`]. Made by [`Relay::builder`]; built once it has a notifier.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use onramp::engine::{Notifier, Relay};
/// # use onramp::prelude::*;
/// # fn build(store: Arc<dyn Store>, webhook: impl Notifier) -> Relay {
/// Relay::builder(store)
///     .notifier(webhook)
///     .concurrency(64)
///     .timeout(Duration::from_secs(5))
///     .retry(RetryPolicy::new(12))
///     .build()
/// # }
/// ```
#[must_use = "a relay is made by `build`"]
pub struct RelayBuilder<N> {
    store: Arc<dyn Store>,
    notifier: N,
    concurrency: usize,
    batch: usize,
    retry: RetryPolicy,
    timeout: Duration,
    poll: Duration,
}

impl Relay {
    /// Begins to set up a relay on a store.
    pub fn builder(store: Arc<dyn Store>) -> RelayBuilder<()> {
        RelayBuilder {
            store,
            notifier: (),
            concurrency: 16,
            batch: 64,
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(10),
            poll: Duration::from_secs(1),
        }
    }
}

impl<N> RelayBuilder<N> {
    /// Who delivers.
    pub fn notifier(self, notifier: impl Notifier) -> RelayBuilder<Arc<dyn Notifier>> {
        RelayBuilder {
            notifier: Arc::new(notifier),
            store: self.store,
            concurrency: self.concurrency,
            batch: self.batch,
            retry: self.retry,
            timeout: self.timeout,
            poll: self.poll,
        }
    }

    /// How many messages are being delivered at once, at least one. By default 16.
    pub fn concurrency(mut self, messages: usize) -> Self {
        self.concurrency = messages.max(1);
        self
    }

    /// How many messages are taken at once, at least one and never more than there is room for. By
    /// default 64.
    pub fn batch(mut self, messages: usize) -> Self {
        self.batch = messages.max(1);
        self
    }

    /// How often a message is tried, and how long after a failure. By default eight times.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How long an attempt may take. By default 10 s. A message of a process that died is handed out
    /// again after three times as long.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// How often the store is asked for messages when none is known to be due. By default 1 s.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll.max(Duration::from_millis(1));
        self
    }
}

impl RelayBuilder<Arc<dyn Notifier>> {
    /// The relay. Does nothing until it is run.
    #[must_use]
    pub fn build(self) -> Relay {
        Relay {
            shared: Arc::new(Shared {
                store: self.store,
                notifier: self.notifier,
                concurrency: self.concurrency,
                batch: self.batch,
                retry: self.retry,
                timeout: self.timeout,
                poll: self.poll,
            }),
        }
    }
}

impl<N> std::fmt::Debug for RelayBuilder<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelayBuilder")
            .field("concurrency", &self.concurrency)
            .field("batch", &self.batch)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
