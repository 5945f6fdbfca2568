//! When what keeps a secret is forgotten.

use std::sync::Arc;

use chrono::TimeDelta;
use onramp::prelude::*;
use onramp::store::Retention;
use onramp::vault::Vault;
use onramp::{Clock, SystemClock};

use super::secret;
use super::support::each_store;
use super::vault_flow::{Host, NEW, OLD, OPENAI, keys};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_newer_key_puts_nothing_off_and_a_newer_secret_does() {
    for store in each_store().await {
        let host = Host::new(store);
        let rotated = host.completed("org-1").await;
        let used = host.completed("org-2").await;
        let year = SystemClock.now() + TimeDelta::days(365);
        host.clock
            .advance(std::time::Duration::from_secs(400 * 86_400));
        let both = keys(&format!("{NEW}\n{OLD}"));
        let both = Vault::new(Arc::clone(host.store()), both).with_clock(host.clock.clone());
        // One that was used is brought under the newer key after that.
        both.keep(&host.tenant, used, &OPENAI, secret("sk-1"))
            .await
            .unwrap();
        let done = both.rewrap_all().await.unwrap();
        assert_eq!((done.rewrapped, done.current), (2, 1));
        for id in [rotated, used] {
            assert_eq!(host.story(id).await.pop().unwrap(), "secret_rewrapped");
        }

        let none = Retention::ended_before(SystemClock.now() - TimeDelta::days(2));
        assert_eq!(host.store().purge(&none).await.unwrap().deleted, 0);
        let purged = host.store().purge(&Retention::ended_before(year)).await;
        assert_eq!(purged.unwrap().deleted, 1);
        let left = host.store().list(None, 9).await.unwrap();
        let left: Vec<OnboardingId> = left.iter().map(|listed| listed.id).collect();
        assert_eq!(left, [used]);
    }
}
