//! One store over several: what processes on several nodes are together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::testing::Layer;

/// Sends each call to the next one of its stores.
pub(crate) struct Spread {
    stores: Vec<Arc<dyn Store>>,
    calls: AtomicUsize,
}

impl Spread {
    pub(crate) fn over(stores: Vec<Arc<dyn Store>>) -> Self {
        let calls = AtomicUsize::new(0);
        Self { stores, calls }
    }

    fn next(&self) -> &dyn Store {
        let call = self.calls.fetch_add(1, Relaxed);
        &*self.stores[call % self.stores.len()]
    }
}

#[async_trait]
impl Layer for Spread {
    fn inner(&self) -> &dyn Store {
        self.next()
    }
}
