//! What a store remembers between claims. Forgetting it costs nothing but time.
//!
//! While somebody holds an old snapshot, a database cannot clean up behind the claims: the entries
//! that were claimed stay in the index as corpses, in front of what is due now, and whoever looks
//! from the beginning passes over all of them. So when looks from the beginning take long, three times
//! in a row, and one that begins where the last one ended is much quicker, the former are not repeated
//! for a hundred times as long. What a short look can miss waits for the next whole one, ten seconds
//! at most: an entry whose transaction was slow to commit, and whose turn it is.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::id::FlowName;
use crate::store::claim::{ClaimOrder, ClaimRequest};
use crate::store::sql::codec::{LONGEST, micros};

/// A look that takes no longer is never spared.
const CHEAP: Duration = Duration::from_millis(8);

/// How often in a row it has to take longer: on a busy machine anything does now and then.
const STRIKES: u8 = 3;

/// How much of the time costly looks may take: one part of so many.
const SHARE: u32 = 100;

/// How long a costly look is put off at most.
const RARE: Duration = Duration::from_secs(10);

/// How often it is looked for leases that end too late while claims find something: clocks are set
/// back once in a blue moon, and busy workers claim hundreds of times a second.
const OVERLONG_EVERY: Duration = Duration::from_secs(1);

/// How many claims go without turns after there was only one tenant: then what is due longest is the
/// same, and found at less cost.
const ALONE: u8 = 3;

/// How far back a short look begins at least: a transaction may take so long to commit.
const MARGIN: Duration = Duration::from_secs(2);

/// What is remembered of each flow.
#[derive(Debug, Default)]
pub(in crate::store::sql) struct Recall(Mutex<BTreeMap<FlowName, Remembered>>);

#[derive(Debug)]
struct Remembered {
    /// Whose turn was last.
    after: String,
    /// How many claims go without turns, since there was only one tenant.
    alone: u8,
    whole: Sparing,
    overlong: Sparing,
    /// When it was looked for leases that end too late.
    overlong_at: Option<Instant>,
    /// For how long had been due what the last look ended at, and when that was.
    reached: Option<(Duration, Instant)>,
}

/// Keeps something costly from being done often.
#[derive(Debug, Default)]
struct Sparing {
    /// How often in a row it was slow, and how slow the last time.
    strikes: u8,
    slow: Duration,
    /// Whether it is known to be the thing itself that is slow, and not the machine.
    proven: bool,
    /// Whether that needs no proof.
    trusted: bool,
    until: Option<Instant>,
}

impl Sparing {
    /// One that is believed to be slow without a proof.
    fn trusted() -> Self {
        Self {
            proven: true,
            trusted: true,
            ..Self::default()
        }
    }

    fn allows(&self) -> bool {
        let rested = self.until.is_none_or(|until| Instant::now() >= until);
        self.strikes < STRIKES || (self.proven && rested)
    }

    fn took(&mut self, took: Duration) {
        if took <= CHEAP {
            (self.strikes, self.until, self.proven) = (0, None, self.trusted);
            return;
        }
        self.strikes = self.strikes.saturating_add(1).min(STRIKES);
        self.slow = took;
        if self.proven && self.strikes == STRIKES {
            self.rest();
        }
    }

    /// What took so long instead of it: if that was no quicker, nothing is gained by sparing.
    fn instead(&mut self, took: Duration) {
        if self.strikes == STRIKES && !self.proven {
            if took * 4 <= self.slow {
                self.proven = true;
                self.rest();
            } else {
                self.strikes = 0;
            }
        }
    }

    fn rest(&mut self) {
        let rest = self.slow.saturating_mul(SHARE).min(RARE);
        self.until = Some(Instant::now() + rest);
    }
}

/// How to look.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Whose turn was last.
    pub(super) after: String,
    /// Whether tenants take turns.
    pub(super) in_turn: bool,
    /// How far back, in microseconds.
    pub(super) span: i64,
    /// Whether that is from the beginning.
    whole: bool,
    pub(super) overlong: Overlong,
    /// Random: where to begin among those that compete.
    pub(super) dice: u64,
}

/// Whether to look for leases that end too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlong {
    /// It takes too long to be done now.
    Spared,
    /// It was done a moment ago: again when there is nothing else to do.
    WhenIdle,
    /// When there is room for what it frees.
    Due,
}

impl Overlong {
    /// Whether to look after a claim that found nothing, or something.
    pub(super) fn wanted(self, idle: bool) -> bool {
        self == Self::Due || (self == Self::WhenIdle && idle)
    }
}

/// Where a look ended: nothing is due that has been due for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// It went from tenant to tenant and says nothing of the others.
    Unknown,
    /// There was nothing more.
    End,
    /// At what has been due for so long, in microseconds.
    Age(i64),
}

/// What a claim found out.
#[derive(Debug)]
pub(super) struct Learned {
    pub(super) after: String,
    /// Whether there is only one tenant.
    pub(super) alone: bool,
    pub(super) reached: Reached,
    pub(super) began: Instant,
    pub(super) took: Duration,
    pub(super) whole: bool,
    /// How long looking for leases that end too late took.
    pub(super) overlong: Option<Duration>,
}

impl Plan {
    /// What was found out so far: that it began now, this way.
    pub(super) fn begin(&self) -> Learned {
        Learned {
            after: self.after.clone(),
            alone: false,
            reached: Reached::Unknown,
            began: Instant::now(),
            took: Duration::ZERO,
            whole: self.whole,
            overlong: None,
        }
    }
}

impl Recall {
    pub(super) fn plan(&self, request: &ClaimRequest) -> Plan {
        let mut all = self.lock();
        let of = all.entry(request.flow.clone()).or_default();
        let free = of.whole.allows();
        let whole = free || of.reached.is_none();
        Plan {
            after: of.after.clone(),
            in_turn: request.order == ClaimOrder::Fair && free && of.alone == 0,
            span: if whole { LONGEST } else { of.short() },
            whole,
            overlong: of.overlong(),
            dice: Uuid::new_v4().as_u64_pair().0,
        }
    }

    /// How far back the next due time is looked for.
    pub(super) fn span(&self, flow: &FlowName) -> i64 {
        let all = self.lock();
        let spared = all.get(flow).filter(|of| !of.whole.allows());
        spared.map_or(LONGEST, Remembered::short)
    }

    pub(super) fn learn(&self, flow: &FlowName, learned: Learned) {
        let mut all = self.lock();
        let of = all.entry(flow.clone()).or_default();
        of.after = learned.after;
        of.alone = if learned.alone {
            ALONE
        } else {
            of.alone.saturating_sub(1)
        };
        let reached = match learned.reached {
            Reached::Unknown => None,
            Reached::End => Some(0),
            Reached::Age(age) => Some(u64::try_from(age).unwrap_or(0)),
        };
        of.reached = reached.map(|age| (Duration::from_micros(age), learned.began));
        if learned.whole {
            of.whole.took(learned.took);
        } else {
            of.whole.instead(learned.took);
        }
        if let Some(took) = learned.overlong {
            of.overlong.took(took);
            of.overlong_at = Some(Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<FlowName, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            after: String::new(),
            alone: 0,
            whole: Sparing::default(),
            overlong: Sparing::trusted(),
            overlong_at: None,
            reached: None,
        }
    }
}

impl Remembered {
    fn overlong(&self) -> Overlong {
        if !self.overlong.allows() {
            return Overlong::Spared;
        }
        match self.overlong_at {
            Some(at) if at.elapsed() < OVERLONG_EVERY => Overlong::WhenIdle,
            _ => Overlong::Due,
        }
    }

    /// From where the last look ended. Those that become due meanwhile come behind.
    fn short(&self) -> i64 {
        self.reached.map_or(LONGEST, |(age, at)| {
            micros(age.max(MARGIN).saturating_add(at.elapsed()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::WorkerId;

    fn request() -> ClaimRequest {
        ClaimRequest::new(&FlowName::from_static("f"), &WorkerId::new("w"))
    }

    /// After looks that took so long each, and one that took so long instead.
    fn after(looks: &[u64], instead: u64, reached: Reached) -> Plan {
        let recall = Recall::default();
        let flow = request().flow;
        let learn = |plan: &Plan, millis| {
            let mut learned = plan.begin();
            learned.took = Duration::from_millis(millis);
            learned.reached = reached;
            recall.learn(&flow, learned);
        };
        for millis in looks {
            let plan = recall.plan(&request());
            assert!(plan.whole && plan.span == LONGEST);
            learn(&plan, *millis);
        }
        let plan = recall.plan(&request());
        if !plan.whole {
            learn(&plan, instead);
        }
        recall.plan(&request())
    }

    const BACKLOG: Reached = Reached::Age(7_000_000);

    #[test]
    fn looks_are_whole_while_they_are_cheap() {
        assert!(after(&[1, 2, 3, 4], 1, BACKLOG).whole);
    }

    #[test]
    fn a_busy_machine_is_no_reason_for_short_looks() {
        assert!(after(&[200, 200, 1], 1, BACKLOG).whole);
        assert!(after(&[200, 200, 200], 150, BACKLOG).whole);
    }

    #[test]
    fn costly_looks_are_spared() {
        let backlog = after(&[200, 200, 200], 1, BACKLOG);
        assert!(!backlog.whole && (7_000_000..8_000_000).contains(&backlog.span));
        let drained = after(&[200, 200, 200], 1, Reached::End);
        assert!(!drained.whole && (2_000_000..3_000_000).contains(&drained.span));
        // Turns say nothing of what they passed by: from the beginning once more, without turns.
        let turns = after(&[200, 200, 200], 1, Reached::Unknown);
        assert!(turns.whole && !turns.in_turn && turns.span == LONGEST);
    }
}
