//! A secret is shown once, to whoever has its token in time.

use crate::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_reveal_at_once_one_gets_it() {
    for store in each_store().await {
        let host = Arc::new(Host::new(store));
        let id = host.completed("org-1").await;
        let token = host.vault.offer(&host.tenant, id, &API_KEY).await;
        let token = Arc::new(token.ok().unwrap());
        let reveal = |_| {
            let (host, token) = (Arc::clone(&host), Arc::clone(&token));
            tokio::spawn(async move {
                let shown = host.vault.reveal(&host.tenant, id, &API_KEY, &token).await;
                shown.map(|secret| secret.expose_text().unwrap().to_owned())
            })
        };
        let all = host_open_all((0..50).map(reveal).collect()).await;
        let (shown, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!(shown.len(), 1);
        assert_eq!(*shown[0].as_ref().unwrap(), host.open(id, &API_KEY).await);
        for refused in refused {
            assert_eq!(rejected(refused), Rejected::RevealUsed);
        }
        assert_eq!(host.times(id, "revealed").await, 1);
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pause_of_35_minutes_takes_nothing_off_the_tokens_time() {
    for store in each_store().await {
        let host = Host::new(store);
        let running = host.started("org-1").await;
        let id = running.id();
        host.vault
            .keep(&host.tenant, id, &OPENAI, secret("sk-1"))
            .await
            .unwrap();
        let stage = StageKind::InProgress;
        let early = host.vault.offer(&host.tenant, id, &OPENAI).await;
        assert_eq!(rejected(early), Rejected::TooEarlyToShow { stage });
        host.clock.advance(Duration::from_secs(35 * 60));
        let subject = SubjectId::new("org-1").unwrap();
        let found = host.onramp.open(&host.tenant, &subject).await.unwrap();
        let Ok(running) = found.unwrap().into_in_progress() else {
            panic!("nobody did anything")
        };
        let name = "Acme".to_owned();
        let answer = running.submit(Company { name });
        let _ = host.onramp.commit(answer).await.unwrap();
        host.work().await;
        // And another one before anybody looks.
        host.clock.advance(Duration::from_secs(35 * 60));
        for name in [&API_KEY, &OPENAI] {
            let token = host.offer(id, name).await;
            host.clock.advance(Duration::from_secs(14 * 60));
            let shown = host.vault.reveal(&host.tenant, id, name, &token).await;
            let shown = shown.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(shown.expose_text().unwrap(), host.open(id, name).await);
        }
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_wrong_tokens_burn_it_and_each_is_counted_for_good() {
    for store in each_store().await {
        let host = Host::new(store);
        let id = host.completed("org-1").await;
        let token = host.offer(id, &API_KEY).await;
        let stranger = {
            let other = host.completed("org-2").await;
            host.offer(other, &API_KEY).await
        };
        for left in (0..5).rev() {
            // Each time by a process of its own.
            let vault = Vault::new(Arc::clone(host.store()), keys(OLD));
            let vault = vault.with_clock(host.clock.clone());
            let unknown = why(vault.reveal(&host.tenant, id, &API_KEY, &stranger).await);
            assert!(matches!(unknown, VaultError::UnknownToken), "{unknown}");
            let wrong = forged(&token, left as usize);
            let wrong = why(vault.reveal(&host.tenant, id, &API_KEY, &wrong).await);
            assert!(
                matches!(wrong, VaultError::WrongToken { left: l } if l == left),
                "{left}: {wrong}"
            );
        }
        let right = host.vault.reveal(&host.tenant, id, &API_KEY, &token).await;
        assert_eq!(rejected(right), Rejected::RevealBurnt);
        assert_eq!(host.times(id, "reveal_refused").await, 5);
        assert_eq!(host.times(id, "reveal_burnt").await, 1);
        assert_eq!(host.times(id, "revealed").await, 0);
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wrong_tokens_at_once_are_five_and_no_more() {
    for store in each_store().await {
        let host = Arc::new(Host::new(store));
        let id = host.completed("org-1").await;
        let token = host.offer(id, &API_KEY).await;
        let guess = |nth| {
            let (host, guess) = (Arc::clone(&host), forged(&token, nth));
            tokio::spawn(
                async move { why(host.vault.reveal(&host.tenant, id, &API_KEY, &guess).await) },
            )
        };
        let all = host_open_all((0..30).map(guess).collect()).await;
        let counted = all
            .iter()
            .filter(|why| matches!(why, VaultError::WrongToken { .. }));
        assert_eq!(counted.count(), 5);
        assert_eq!(host.times(id, "reveal_refused").await, 5);
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_over_is_shown_again_to_whoever_proves_who_they_are() {
    for store in each_store().await {
        let host = Host::new(store);
        let (tenant, vault) = (&host.tenant, &host.vault);
        let id = host.completed("org-1").await;
        let first = vault.offer(tenant, id, &API_KEY).await.ok().unwrap();
        host.clock.advance(Duration::from_secs(15 * 60));
        let late = vault.reveal(tenant, id, &API_KEY, &first).await;
        assert_eq!(rejected(late), Rejected::RevealExpired);
        let bare = vault.offer(tenant, id, &API_KEY).await;
        assert_eq!(rejected(bare), Rejected::ProofNeeded);

        let proven_at = host.clock.now();
        let proof = || Reauthenticated::new(id, proven_at);
        let of_another = Reauthenticated::new(OnboardingId::fresh(), proven_at);
        let foreign = vault.offer_again(tenant, id, &API_KEY, of_another).await;
        assert!(matches!(rejected(foreign), Rejected::ForeignProof { .. }));
        let second = vault.offer_again(tenant, id, &API_KEY, proof()).await;
        let second = second.ok().unwrap();
        let older = why(vault.reveal(tenant, id, &API_KEY, &first).await);
        assert!(matches!(older, VaultError::UnknownToken), "{older}");
        let shown = vault.reveal(tenant, id, &API_KEY, &second).await;
        assert_eq!(
            shown.ok().unwrap().expose_text().unwrap(),
            host.open(id, &API_KEY).await
        );
        host.clock.advance(Duration::from_secs(5 * 60 + 1));
        let stale = vault.offer_again(tenant, id, &API_KEY, proof()).await;
        assert_eq!(rejected(stale), Rejected::StaleProof);

        // Or it is replaced: then nobody has seen it.
        vault
            .keep(tenant, id, &API_KEY, secret("sk-2"))
            .await
            .unwrap();
        let used = vault.reveal(tenant, id, &API_KEY, &second).await;
        assert_eq!(rejected(used), Rejected::NotOffered);
        let third = vault.offer(tenant, id, &API_KEY).await.ok().unwrap();
        let shown = vault.reveal(tenant, id, &API_KEY, &third).await;
        assert_eq!(shown.ok().unwrap().expose_text(), Some("sk-2"));
        host.holds(id).await;
    }
}
