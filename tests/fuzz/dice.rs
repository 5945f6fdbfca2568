//! Chance that can be had again, and the hunt for a case that panics.

use std::cell::Cell;
use std::env;
use std::ops::AsyncFnMut;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::{Builder, Runtime};

/// How long a target is hunted in the suite.
const SECONDS: f64 = 2.5;

/// Numbers that follow from a seed (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`; zero when that is zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        (self.number() % end) as usize
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts panics also where a task or a thread of its own swallows them.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.with(|count| count.set(count.get() + 1));
            before(info);
        }));
    });
}

/// A hunt, and the runtime on which its cases run: all on this thread, so that a panic in a task of the
/// library is counted here.
pub(crate) struct Hunt {
    name: &'static str,
    pub(crate) runtime: Runtime,
}

impl Hunt {
    pub(crate) fn named(name: &'static str) -> Self {
        count_panics();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { name, runtime }
    }

    /// Runs cases until the time is over.
    pub(crate) fn run(&self, mut case: impl AsyncFnMut(&mut Dice)) {
        if let Some(seed) = number("ONRAMP_FUZZ_CASE") {
            return self.once(seed as u64, &mut case);
        }
        let longer = number("ONRAMP_FUZZ_SECONDS");
        let time = Duration::from_secs_f64(longer.unwrap_or(SECONDS));
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let mut seeds = Dice::of(match longer {
            Some(_) => since.as_micros() as u64,
            None => 0,
        });
        let (begun, mut cases) = (Instant::now(), 0);
        while begun.elapsed() < time {
            // Short enough for `f64`, which the environment is read by.
            self.once(seeds.number() >> 12, &mut case);
            cases += 1;
        }
        println!("{}: {cases} cases", self.name);
        assert!(cases > 2, "{}: {cases} cases show nothing", self.name);
    }

    fn once(&self, seed: u64, case: &mut impl AsyncFnMut(&mut Dice)) {
        let before = PANICS.get();
        let mut dice = Dice::of(seed);
        let ran = panic::catch_unwind(AssertUnwindSafe(|| {
            self.runtime.block_on(case(&mut dice));
        }));
        assert!(
            ran.is_ok() && PANICS.get() == before,
            "again: ONRAMP_FUZZ_CASE={seed} cargo test --test fuzz {}",
            self.name
        );
    }
}

fn number(variable: &str) -> Option<f64> {
    env::var(variable).ok()?.parse().ok()
}

#[test]
fn a_panic_is_found_also_where_a_task_swallows_it() {
    let hunt = Hunt::named("a_panic_is_found_also_where_a_task_swallows_it");
    let swallowed = AssertUnwindSafe(|| {
        hunt.once(1, &mut async |_: &mut Dice| {
            let _ = tokio::spawn(async { panic!("on purpose") }).await;
        });
    });
    let found = panic::catch_unwind(swallowed).unwrap_err();
    let told = found.downcast::<String>().unwrap();
    assert!(told.contains("ONRAMP_FUZZ_CASE=1 "), "{told}");
    hunt.once(1, &mut async |_: &mut Dice| {});
}
