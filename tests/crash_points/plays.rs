//! What hosts do, each in a way that can be begun again by the next process.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use onramp::import::{Import, Imported, Record, rows};
use onramp::prelude::*;
use onramp::store::Retention;
use onramp::vault::Secret;
use onramp::{Bulk, Clock as _, SystemClock};
use tokio_util::sync::CancellationToken;

use super::host::{API_KEY, Company, Host};
use super::places::Place;
use super::strike::Strike;

type Played<'a> = Pin<Box<dyn Future<Output = Done> + 'a>>;

#[derive(Clone, Copy)]
pub(crate) struct Play {
    pub(crate) name: &'static str,
    play: for<'a> fn(&'a Host) -> Played<'a>,
}

impl Play {
    pub(crate) fn run<'a>(&self, host: &'a Host) -> Played<'a> {
        (self.play)(host)
    }

    /// A tenant of its own each time.
    pub(crate) fn subject(&self, at: &Place, nth: usize, strike: Strike) -> String {
        let unique = uuid::Uuid::new_v5(&uuid::Uuid::nil(), at.to_string().as_bytes());
        format!("{} {strike:?} {nth} {unique}", self.name)
    }
}

macro_rules! plays {
    ($($play:ident $name:literal),+ $(,)?) => {
        pub(crate) const PLAYS: &[Play] = &[$(Play {
            name: $name,
            play: |host| Box::pin($play(host)),
        }),+];
    };
}
plays! {
    forward "forward",
    slow "slow",
    back "back",
    unreadable "unreadable",
    shut_down "shut down",
    parked "parked",
    operated "operated",
    secret "secret",
    imported "imported",
}

type Done = Result<(), Box<dyn Error + Send + Sync>>;

fn ann() -> SubjectId {
    SubjectId::new("ann").unwrap()
}

/// Started, and the company given, unless that is so.
async fn given(host: &Host) -> Done {
    loop {
        match host.onramp.enroll(&host.tenant, &ann()).await? {
            Loaded::Pending(pending) => {
                let clearance = host.onramp.clear(&pending).await?;
                let started = host.onramp.commit(pending.start(clearance)).await;
                drop(started.map_err(|error| error.to_string())?);
            }
            Loaded::InProgress(running) if !running.has::<Company>() => {
                let name = "Acme".to_owned();
                let submitted = host.onramp.commit(running.submit(Company { name })).await;
                drop(submitted.map_err(|error| error.to_string())?);
            }
            _ => return Ok(()),
        }
    }
}

async fn worked(host: &Host) -> Done {
    host.engine().run_until_idle().await?;
    host.relay().run_until_idle().await?;
    Ok(())
}

async fn forward(host: &Host) -> Done {
    if host.struck.is_some() {
        host.world.busy.store(true, SeqCst);
    }
    // A worker looks before there is anything to do, and parks it.
    given(host).await?;
    worked(host).await
}

async fn slow(host: &Host) -> Done {
    host.world.slow.store(true, SeqCst);
    // In one go; the next process does not care how it began.
    drop(host.onramp.begin(&host.tenant, &ann()).await?);
    given(host).await?;
    worked(host).await
}

async fn back(host: &Host) -> Done {
    if host.struck.is_some() {
        host.world.broken.store(true, SeqCst);
    }
    given(host).await?;
    worked(host).await?;
    if let Some(Loaded::Failed(failed)) = host.onramp.open(&host.tenant, &ann()).await? {
        host.world.broken.store(false, SeqCst);
        let retried = host.onramp.commit(failed.retry()).await;
        drop(retried.map_err(|error| error.to_string())?);
    }
    worked(host).await
}

async fn unreadable(host: &Host) -> Done {
    given(host).await?;
    if let Some(struck) = &host.struck {
        struck.cannot_be_read_once();
    }
    worked(host).await
}

async fn shut_down(host: &Host) -> Done {
    host.world.slow.store(true, SeqCst);
    given(host).await?;
    if host.struck.is_some() {
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(60)).await;
            stop.cancel();
        });
        host.engine().run(shutdown).await;
    }
    worked(host).await
}

/// Parked while it is due: a worker comes by and puts it aside.
async fn parked(host: &Host) -> Done {
    let by = Actor::Operator("sue".into());
    given(host).await?;
    let ids = [host.onramp.enroll(&host.tenant, &ann()).await?.id()];
    if !host.world.ending.load(SeqCst) {
        let why = Bulk::Park(onramp::Reason::new("incident-42")?);
        let order = why.by(by.clone());
        for (_, done) in host.onramp.bulk(&host.tenant, &ids, &order).await {
            done?;
        }
        worked(host).await?;
        host.world.ending.store(true, SeqCst);
    }
    let found = host.onramp.enroll(&host.tenant, &ann()).await?;
    if found.stage() == StageKind::InProgress {
        let order = Bulk::Unpark.by(by);
        let unparked = host.onramp.bulk(&host.tenant, &ids, &order);
        for (_, done) in unparked.await {
            done?;
        }
    }
    worked(host).await
}

async fn operated(host: &Host) -> Done {
    let by = Actor::Operator("sue".into());
    if !host.world.ending.load(SeqCst) {
        given(host).await?;
        let found = host.onramp.enroll(&host.tenant, &ann()).await?;
        if found.stage() != StageKind::Failed {
            let ids = [found.id()];
            let order = Bulk::Cancel.by(by.clone());
            let cancelled = host.onramp.bulk(&host.tenant, &ids, &order);
            for (_, done) in cancelled.await {
                done?;
            }
            worked(host).await?;
        }
        let _ = host.onramp.erase_subject(&host.tenant, &ann(), &by).await?;
    }
    worked(host).await?;
    host.world.ending.store(true, SeqCst);
    // By now every one of this flow here is over, of whatever play.
    let ended = Retention::ended_before(SystemClock.now() + chrono::TimeDelta::seconds(1));
    host.onramp.store().purge(&ended).await?;
    Ok(())
}

async fn secret(host: &Host) -> Done {
    take_over(host, &["ann"]).await?;
    let id = host.onramp.enroll(&host.tenant, &ann()).await?.id();
    let tenant = &host.tenant;
    if !host.world.ending.load(SeqCst) {
        let key = Secret::from("sk-1".to_owned());
        let older = host.vault(false);
        let kept = older.keep_once(tenant, id, &API_KEY, key);
        // A newer key may have come in between.
        if let Err(why) = kept.await
            && host.struck.is_some()
        {
            return Err(why.into());
        }
        let _ = host.vault(true).rewrap_all().await?;
        host.world.ending.store(true, SeqCst);
    }
    host.vault(true).burn(tenant, id, &API_KEY).await?;
    Ok(())
}

async fn take_over(host: &Host, users: &[&str]) -> Done {
    let tenant = host.tenant.clone();
    let records: Vec<_> = users
        .iter()
        .map(|user| serde_json::json!({ "user": user }))
        .collect();
    let mut import = Import::into(&host.onramp, "crm")
        .at_once(1)
        .map(|record: &Record| {
            let name = SubjectId::new(record.text("user")?)?;
            let company = Company {
                name: "Acme".to_owned(),
            };
            Ok(Imported::new(tenant.clone(), name).answer(company))
        });
    import.run(rows("users", records)).await?;
    Ok(())
}

async fn imported(host: &Host) -> Done {
    // The second has the name of the first: nothing is left of it.
    take_over(host, &["ann", "bob"]).await
}
