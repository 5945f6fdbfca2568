//! Rung 6, telling others. `cargo run --example 06_outbox`
//!
//! What happens is written to the outbox in the same commit, so no message is lost and none tells of
//! what did not happen. A relay hands each to the host's notifier, at least once and in order; the
//! message's identity tells a repetition. One that cannot be delivered waits for an operator.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::prelude::*;
use onramp::store::OutboxMessage;
use serde::{Deserialize, Serialize};

struct Welcome;
impl Flow for Welcome {
    const NAME: &'static str = "welcome";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Welcome> for Company {}

/// Sends letters. The first answer is lost, and later the address is wrong for a while.
#[derive(Default)]
struct Mail {
    sent: Mutex<BTreeSet<uuid::Uuid>>,
    answered: AtomicBool,
    wrong_address: AtomicBool,
}

#[async_trait::async_trait]
impl Notifier for Mail {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let (topic, whom) = (&message.topic, &message.key.subject);
        if self.wrong_address.load(SeqCst) {
            println!("{topic}: no such address");
            return Err(NotifyError::fatal("no_such_address", "550"));
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.insert(message.id) {
            println!("{topic}: sent to {whom}");
        } else {
            println!("{topic}: sent before, so not again");
        }
        if !self.answered.swap(true, SeqCst) {
            println!("{topic}: and the answer was lost");
            return Err(NotifyError::retryable("no_answer", "timed out"));
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flow = Welcome::steps().ask::<Company>().build()?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let onramp = Onramp::shared(store.clone(), flow);
    let mail = Arc::new(Mail::default());
    let relay = Relay::builder(store.clone())
        .notifier(mail.clone())
        .retry(RetryPolicy::new(5).base(Duration::from_millis(50)))
        .build();

    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let begun = onramp.begin(&tenant, &subject).await?;
    let running = begun.into_in_progress().map_err(|_| "ann is not new")?;
    // A service runs it beside its engine, with `relay.run(shutdown)`.
    relay.run_until_idle().await?;

    mail.wrong_address.store(true, SeqCst);
    let name = "Acme".to_owned();
    let change = running.submit(Company { name }).and_complete();
    let _done = onramp.commit(change).await?;
    relay.run_until_idle().await?;

    println!("mended");
    mail.wrong_address.store(false, SeqCst);
    for dead in store.dead_outbox(100).await? {
        let revived = store.revive_outbox(dead.message.id).await?;
        println!(
            "{} is dead ({}), revived: {revived}",
            dead.message.topic, dead.reason
        );
        relay.run_until_idle().await?;
    }
    println!("dead now: {}", store.outbox_lag().await?.dead);
    Ok(())
}
