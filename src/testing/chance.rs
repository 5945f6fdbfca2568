//! Randomness from a seed, so that a run can be repeated.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::flow::Roll;

/// SplitMix64 (Steele, Lea and Flood, 2014): a counter and a mix, so it needs no lock.
#[derive(Debug)]
pub(super) struct Chance(AtomicU64);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(super) fn roll(&self) -> Roll {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(GAMMA, Ordering::Relaxed);
        let mut mixed = state.wrapping_add(GAMMA);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [a, b, c, d, ..] = (mixed ^ (mixed >> 31)).to_be_bytes();
        Roll::from_bits(u32::from_be_bytes([a, b, c, d]))
    }
}
