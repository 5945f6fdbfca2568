//! The copy in this process.

use std::time::Duration;

use moka::ops::compute::Op;
use moka::sync::Cache;

use crate::id::Key;
use crate::tiers::snapshot::Snapshot;

/// Bounded in number and in age. Holds only what the database has said to this process.
pub(super) struct Local {
    kept: Cache<Key, Snapshot>,
}

impl Local {
    pub(super) fn new(capacity: u64, keep: Duration) -> Self {
        let kept = Cache::builder().max_capacity(capacity).time_to_live(keep);
        Self { kept: kept.build() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Snapshot> {
        self.kept.get(key)
    }

    /// Never backwards: whoever asked the database earlier may be here later. Of two at the same
    /// revision, the one that was asked for later is fresh for longer.
    pub(super) fn put(&self, key: &Key, new: Snapshot) {
        let order = |it: &Snapshot| (it.version(), it.as_of);
        self.kept.entry_by_ref(key).and_compute_with(|old| {
            let newer = old.is_none_or(|old| order(old.value()) <= order(&new));
            if newer { Op::Put(new) } else { Op::Nop }
        });
    }

    pub(super) fn forget(&self, key: &Key) {
        self.kept.invalidate(key);
    }
}
