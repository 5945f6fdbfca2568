//! A flow with an API key, on any store, in a time of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use onramp::engine::Engine;
use onramp::prelude::*;
use onramp::testing::VirtualClock;
use onramp::vault::{ApiKeyHash, Fingerprint, KeyPrefix, LocalKeys, RevealToken, Vault};
use onramp::{Clock, Revision, SecretName, SystemClock};
use serde::{Deserialize, Serialize};

pub const API_KEY: SecretName = SecretName::from_static("api_key");
pub const OPENAI: SecretName = SecretName::from_static("openai");

pub const OLD: &str = "old = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
pub const NEW: &str = "new = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=";

pub fn keys(text: &str) -> LocalKeys {
    LocalKeys::parse(text).unwrap()
}

pub struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
pub struct Company {
    pub name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {}

#[derive(Serialize, Deserialize)]
pub struct Issued {
    pub hash: ApiKeyHash,
    pub fingerprint: Fingerprint,
}
impl Step for Issued {
    const NAME: &'static str = "issue_key";
}

const NO_KEY: Problem = Problem::new("no_key", "Your key could not be made.");

/// Makes the key, and fails so often after it.
pub struct IssueKey {
    vault: Vault,
    failures: Arc<AtomicU32>,
}

impl Task<Signup> for IssueKey {
    type Needs = Company;
    type Output = Issued;

    async fn run(&self, cx: &TaskContext, _: Company) -> Result<Issued, TaskError> {
        let (tenant, id) = (cx.tenant(), cx.onboarding());
        let key = self.vault.issue(tenant, id, &API_KEY, &prefix()).await;
        let key = key.map_err(|error| TaskError::retryable(NO_KEY, error))?;
        let fail = |left: u32| left.checked_sub(1);
        if self.failures.fetch_update(SeqCst, SeqCst, fail).is_ok() {
            return Err(TaskError::retryable(NO_KEY, "cut off"));
        }
        Ok(Issued {
            hash: key.hash(),
            fingerprint: key.fingerprint(),
        })
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Issued>) -> Result<(), TaskError> {
        let (tenant, id) = (cx.tenant(), cx.onboarding());
        let burnt = self.vault.burn(tenant, id, &API_KEY).await;
        burnt.map_err(|error| TaskError::retryable(NO_KEY, error))
    }

    fn retry(&self) -> RetryPolicy {
        let millisecond = Duration::from_millis(1);
        RetryPolicy::new(9).base(millisecond).cap(millisecond)
    }
}

pub fn prefix() -> KeyPrefix {
    KeyPrefix::new("acme_live").unwrap()
}

/// A host.
pub struct Host {
    pub onramp: Onramp<Signup>,
    pub vault: Vault,
    pub clock: VirtualClock,
    pub tenant: TenantId,
    pub failures: Arc<AtomicU32>,
}

impl Host {
    /// The first token that shows a secret.
    pub async fn offer(&self, id: OnboardingId, name: &SecretName) -> RevealToken {
        let offered = self.vault.offer(&self.tenant, id, name).await;
        offered.unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn new(store: Arc<dyn Store>) -> Self {
        // Workers go by the time of day, or nobody would wake what waits for another attempt.
        let clock = VirtualClock::at(SystemClock.now());
        let vault = Vault::new(Arc::clone(&store), keys(OLD)).with_clock(clock.clone());
        let failures = Arc::new(AtomicU32::new(0));
        let task = IssueKey {
            vault: vault.clone(),
            failures: Arc::clone(&failures),
        };
        let flow = Signup::steps().ask::<Company>().run(task).build().unwrap();
        Self {
            onramp: Onramp::shared(store, flow).with_clock(clock.clone()),
            vault,
            clock,
            tenant: TenantId::new("acme").unwrap(),
            failures,
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.onramp.store()
    }

    pub async fn enrolled(&self, subject: &str) -> OnboardingId {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await;
        found.unwrap().id()
    }

    pub async fn started(&self, subject: &str) -> Onboarding<Signup, InProgress> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = self.onramp.clear(&pending).await.unwrap();
        self.onramp.commit(pending.start(clearance)).await.unwrap()
    }

    pub async fn answered(&self, subject: &str) -> Onboarding<Signup, InProgress> {
        let running = self.started(subject).await;
        let name = "Acme".to_owned();
        let answer = running.submit(Company { name });
        self.onramp.commit(answer).await.unwrap()
    }

    pub async fn work(&self) {
        let engine = Engine::builder(Arc::clone(self.store()))
            .flow(self.onramp.flow())
            .build();
        let idle = tokio::time::timeout(Duration::from_secs(20), engine.run_until_idle()).await;
        assert!(matches!(idle, Ok(Ok(_))), "it should come to rest");
    }

    /// With a key, and done.
    pub async fn completed(&self, subject: &str) -> OnboardingId {
        let id = self.answered(subject).await.id();
        self.work().await;
        let row = self.store().load(&self.tenant, id).await.unwrap().unwrap();
        assert_eq!(row.state.stage(), StageKind::Completed);
        id
    }

    pub async fn open(&self, id: OnboardingId, name: &SecretName) -> String {
        let secret = self.vault.open(&self.tenant, id, name).await;
        let secret = secret.unwrap_or_else(|error| panic!("{error}"));
        secret.expose_text().unwrap().to_owned()
    }

    /// What happened, by name.
    pub async fn story(&self, id: OnboardingId) -> Vec<String> {
        let store = self.store();
        let journal = store.journal(&self.tenant, id, Revision::new(0), 1_000);
        let journal = journal.await.unwrap();
        let events = journal.iter().flat_map(|entry| entry.decode().unwrap());
        events
            .map(|event| event.happened.name().to_owned())
            .collect()
    }

    pub async fn times(&self, id: OnboardingId, event: &str) -> usize {
        let story = self.story(id).await;
        story.iter().filter(|name| *name == event).count()
    }

    /// The journal is whole, and adds up to what is stored.
    pub async fn holds(&self, id: OnboardingId) {
        let verified = self.onramp.verify_journal(&self.tenant, id).await;
        verified.unwrap_or_else(|error| panic!("{error}"));
    }
}
