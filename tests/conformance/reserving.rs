//! Stores that do not keep what is reserved, each found out by one clause and by no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use onramp::lifecycle::Digest;
use onramp::prelude::*;
use onramp::store::{Commit, CommitOutcome, Error, Listed, ReservationChange};
use onramp::testing::{Layer, Layered, conformance};
use onramp::{OnboardingId, StepName};

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nobody looks.
    Ignores,
    /// What is taken is found out after the rest was stored.
    StoresTheRest,
    /// By onboarding only: its steps take from each other.
    ForgetsTheStep,
    NeverFrees,
    /// Whatever the onboarding has.
    FreesTooMuch,
    KeepsWhatIsDeleted,
    /// The commit itself is not looked at.
    GivesItTwice,
}

const WAYS: [(Way, &str); 7] = [
    (Way::Ignores, "a_reservation_has_one_holder"),
    (Way::StoresTheRest, "a_reservation_has_one_holder"),
    (Way::ForgetsTheStep, "a_reservation_has_one_holder"),
    (Way::NeverFrees, "what_is_released_is_free"),
    (Way::FreesTooMuch, "what_is_released_is_free"),
    (Way::KeepsWhatIsDeleted, "what_is_released_is_free"),
    (Way::GivesItTwice, "a_reservation_has_one_holder"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_found_out_by_one_clause() {
    for (way, clause) in WAYS {
        let store: Arc<dyn Store> = Arc::new(Layered(Reserving {
            inner: MemoryStore::new(),
            way,
            reserved: Mutex::default(),
        }));
        let found = conformance::check(store).await;
        let clauses: Vec<_> = found.iter().map(|violation| violation.clause).collect();
        let only = clauses == [clause];
        // Whoever ignores what is reserved frees nothing that was kept from anybody.
        let both = ["a_reservation_has_one_holder", "what_is_released_is_free"];
        let ignores = way == Way::Ignores && clauses == both;
        assert!(only || ignores, "{way:?}: {found:?}");
    }
}

/// Keeps reservations by itself, in one way or another, and gives the store below none.
struct Reserving {
    inner: MemoryStore,
    way: Way,
    reserved: Mutex<HashMap<Digest, (OnboardingId, StepName)>>,
}

impl Reserving {
    /// The step whose reservation is taken.
    fn reserve(&self, commit: &Commit) -> Option<StepName> {
        let id = commit.id();
        if self.way != Way::GivesItTwice
            && let Some(step) = commit.reserved_twice()
        {
            return Some(step.clone());
        }
        let given = self.reserved.lock().unwrap().clone();
        let mut reserved = self.reserved.lock().unwrap();
        for change in &commit.reservations {
            match change {
                ReservationChange::Take { step, held } => {
                    let holder = match self.way {
                        Way::GivesItTwice => given.get(held),
                        _ => reserved.get(held),
                    };
                    let mine = |(of, s): &(OnboardingId, StepName)| {
                        *of == id && (s == step || self.way == Way::ForgetsTheStep)
                    };
                    if holder.is_some_and(|holder| !mine(holder)) {
                        return Some(step.clone());
                    }
                    reserved.insert(*held, (id, step.clone()));
                }
                ReservationChange::Release { step } => reserved.retain(|_, (of, s)| {
                    let same = s == step || self.way == Way::FreesTooMuch;
                    *of != id || !same || self.way == Way::NeverFrees
                }),
            }
        }
        None
    }
}

#[async_trait]
impl Layer for Reserving {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn commit(&self, mut commit: Commit) -> Result<CommitOutcome, Error> {
        if self.way == Way::Ignores {
            commit.reservations.clear();
            return self.inner.commit(commit).await;
        }
        let taken = self.reserve(&commit);
        commit.reservations.clear();
        match taken {
            Some(step) if self.way == Way::StoresTheRest => {
                self.inner.commit(commit).await?;
                Ok(CommitOutcome::Taken { step })
            }
            Some(step) => Ok(CommitOutcome::Taken { step }),
            None => self.inner.commit(commit).await,
        }
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        if self.way != Way::KeepsWhatIsDeleted {
            let mut reserved = self.reserved.lock().unwrap();
            reserved.retain(|_, (id, _)| these.iter().all(|listed| listed.id != *id));
        }
        self.inner.delete(these).await
    }
}
