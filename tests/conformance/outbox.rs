//! Stores that hand messages out wrongly, each found out by the clause that names what is wrong.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use onramp::Fence;
use onramp::prelude::*;
use onramp::store::{Commit, CommitOutcome, Delivery, Error, OutboxLag, Settlement};
use onramp::testing::{Layer, Layered, conformance};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// Every message by itself.
    OutOfOrder,
    /// A message of its own at each handing out.
    AnotherIdentity,
    AttemptsNotCounted,
    DeferredAtOnce,
    DeferredIsLost,
    /// Whoever once had it may settle it.
    LateSettlementCounts,
    /// The first few are looked at, whether they wait or not.
    LooksAtAFewOnly,
    DeadOnesBlock,
    DeadOnesAreGone,
    RevivesNothing,
    RevivesWithAttempts,
    RevivesTheLiving,
    TakesAnyReason,
    LagOfWhatIsDueOnly,
    DeadOnesNotCounted,
    NextIsNone,
    NextIsNow,
}

const WAYS: [(Broken, &str); 17] = [
    (
        Broken::OutOfOrder,
        "messages_of_an_onboarding_wait_for_each_other",
    ),
    (
        Broken::AnotherIdentity,
        "the_outbox_redelivers_until_it_is_acknowledged",
    ),
    (
        Broken::AttemptsNotCounted,
        "the_outbox_redelivers_until_it_is_acknowledged",
    ),
    (
        Broken::DeferredAtOnce,
        "a_deferred_message_is_left_alone_for_its_time",
    ),
    (
        Broken::DeferredIsLost,
        "a_deferred_message_is_left_alone_for_its_time",
    ),
    (
        Broken::LateSettlementCounts,
        "a_late_settlement_changes_nothing",
    ),
    (Broken::LooksAtAFewOnly, "who_waits_is_in_nobodys_way"),
    (Broken::DeadOnesBlock, "a_dead_message_keeps_nobody_waiting"),
    (
        Broken::DeadOnesAreGone,
        "a_dead_message_keeps_nobody_waiting",
    ),
    (Broken::RevivesNothing, "a_dead_message_can_be_revived"),
    (Broken::RevivesWithAttempts, "a_dead_message_can_be_revived"),
    (Broken::RevivesTheLiving, "a_dead_message_can_be_revived"),
    (Broken::TakesAnyReason, "a_reason_that_is_none_is_refused"),
    (Broken::LagOfWhatIsDueOnly, "the_outboxs_lag_is_told"),
    (Broken::DeadOnesNotCounted, "the_outboxs_lag_is_told"),
    (Broken::NextIsNone, "the_next_message_is_told"),
    (Broken::NextIsNow, "the_next_message_is_told"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_found_out() {
    for (how, clause) in WAYS {
        let violations = conformance::check(Arc::new(Layered(Wrong::new(how)))).await;
        let found: Vec<_> = violations.iter().map(|found| found.clause).collect();
        assert!(
            found.contains(&clause),
            "{how:?} was found by {found:?} only"
        );
        println!("{how:?}: {}", violations[0]);
    }
}

/// A memory store with one thing wrong.
struct Wrong {
    how: Broken,
    inner: MemoryStore,
    /// Of what onboarding a message is said to be, and of what it is.
    of: Mutex<HashMap<Uuid, (OnboardingId, OnboardingId)>>,
    newest: Mutex<HashMap<Uuid, Fence>>,
    attempts: Mutex<HashMap<Uuid, u32>>,
    revived: Mutex<HashSet<Uuid>>,
}

impl Wrong {
    fn new(how: Broken) -> Self {
        Self {
            how,
            inner: MemoryStore::new(),
            of: Mutex::default(),
            newest: Mutex::default(),
            attempts: Mutex::default(),
            revived: Mutex::default(),
        }
    }

    fn is(&self, how: Broken) -> bool {
        self.how == how
    }

    /// The delivery as the inner store knows it.
    fn inside(&self, delivery: &Delivery) -> Delivery {
        let mut delivery = delivery.clone();
        let id = delivery.message.id;
        if let Some((alias, _)) = self.of.lock().unwrap().get(&id) {
            delivery.message.onboarding = *alias;
        }
        if self.is(Broken::LateSettlementCounts)
            && let Some(newest) = self.newest.lock().unwrap().get(&id)
        {
            delivery.fence = *newest;
        }
        delivery
    }
}

#[async_trait]
impl Layer for Wrong {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn commit(&self, mut commit: Commit) -> Result<CommitOutcome, Error> {
        for message in &mut commit.outbox {
            if self.is(Broken::OutOfOrder) {
                let alias = OnboardingId::fresh();
                let of = (alias, message.onboarding);
                self.of.lock().unwrap().insert(message.id, of);
                message.onboarding = alias;
            }
        }
        self.inner.commit(commit).await
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        let mut taken = self.inner.take_outbox(max, hidden).await?;
        // What waits comes after a minute; whoever is behind many of them waits too.
        let waits = |l: OutboxLag| l.oldest.is_some_and(|age| age > Duration::from_millis(50));
        if self.is(Broken::LooksAtAFewOnly) && max == 16 && waits(self.inner.outbox_lag().await?) {
            taken.clear();
        }
        for delivery in &mut taken {
            let id = delivery.message.id;
            if let Some((_, onboarding)) = self.of.lock().unwrap().get(&id) {
                delivery.message.onboarding = *onboarding;
            }
            self.newest.lock().unwrap().insert(id, delivery.fence);
            match self.how {
                Broken::AnotherIdentity => delivery.message.id = Uuid::new_v4(),
                Broken::AttemptsNotCounted => delivery.attempt = 1,
                Broken::RevivesWithAttempts => {
                    let mut attempts = self.attempts.lock().unwrap();
                    let attempt = attempts.entry(id).or_default();
                    *attempt += 1;
                    delivery.attempt = *attempt;
                }
                _ => {}
            }
        }
        Ok(taken)
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        let mut settled = settled.to_vec();
        for (delivery, settlement) in &mut settled {
            *delivery = self.inside(delivery);
            *settlement = match (self.how, &*settlement) {
                (Broken::DeferredAtOnce, Settlement::Later(_)) => Settlement::Later(Duration::ZERO),
                (Broken::DeferredIsLost, Settlement::Later(_)) => Settlement::Delivered,
                (Broken::DeadOnesBlock, Settlement::Dead(_)) => {
                    Settlement::Later(Duration::from_secs(60))
                }
                (Broken::DeadOnesAreGone, Settlement::Dead(_)) => Settlement::Delivered,
                (Broken::TakesAnyReason, Settlement::Dead(_)) => Settlement::Dead("any".to_owned()),
                (_, settlement) => settlement.clone(),
            };
        }
        self.inner.settle_outbox(&settled).await
    }

    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        match self.how {
            Broken::NextIsNone => Ok(None),
            Broken::NextIsNow => Ok(Some(Duration::ZERO)),
            _ => self.inner.next_outbox().await,
        }
    }

    async fn revive_outbox(&self, message: Uuid) -> Result<bool, Error> {
        match self.how {
            Broken::RevivesNothing => Ok(self.revived.lock().unwrap().insert(message)),
            Broken::RevivesTheLiving => {
                self.inner.revive_outbox(message).await?;
                Ok(true)
            }
            _ => self.inner.revive_outbox(message).await,
        }
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        let mut lag = self.inner.outbox_lag().await?;
        if self.is(Broken::DeadOnesNotCounted) {
            lag.dead = 0;
        }
        let next = self.inner.next_outbox().await?;
        if self.is(Broken::LagOfWhatIsDueOnly) && next != Some(Duration::ZERO) {
            lag.oldest = None;
        }
        Ok(lag)
    }
}
