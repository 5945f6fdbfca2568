//! Telling the other processes on a PostgreSQL database that something is due, and hearing it.
//!
//! A hint is never part of a commit: a transaction that notifies takes a lock that all such share. It
//! follows, from one connection of its own, and several make one. Whatever goes wrong here costs
//! time only: everybody looks now and then all the same.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::store::hints::Hints;

/// How long after one hint the next one follows at the soonest.
const PACE: Duration = Duration::from_millis(20);

/// How long to wait when the database is not there.
const REST: Duration = Duration::from_secs(5);

/// Two connections, of a pool of their own.
pub(super) const CONNECTIONS: u32 = 2;

/// Runs for as long as the handle lives.
pub(super) fn exchange(
    pool: sqlx::Pool<sqlx::Postgres>,
    channel: String,
    hints: Hints,
) -> AbortOnDropHandle<()> {
    // So that nobody hears its own.
    let me = Uuid::new_v4().to_string();
    AbortOnDropHandle::new(tokio::spawn(async move {
        tokio::join!(
            tell(&pool, &channel, &me, &hints),
            hear(&pool, &channel, &me, &hints),
        );
    }))
}

async fn tell(pool: &sqlx::Pool<sqlx::Postgres>, channel: &str, me: &str, hints: &Hints) {
    let mut due = hints.until_due_here();
    loop {
        due.heard().await;
        let told = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(channel)
            .bind(me);
        match told.execute(pool).await {
            Ok(_) => tokio::time::sleep(PACE).await,
            Err(error) => {
                tracing::debug!(%error, "other processes are not told of what is due");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn hear(pool: &sqlx::Pool<sqlx::Postgres>, channel: &str, me: &str, hints: &Hints) {
    loop {
        if let Err(error) = listen(pool, channel, me, hints).await {
            tracing::debug!(%error, "other processes are not heard");
        }
        tokio::time::sleep(REST).await;
        // What was said meanwhile was missed.
        hints.due();
    }
}

async fn listen(
    pool: &sqlx::Pool<sqlx::Postgres>,
    channel: &str,
    me: &str,
    hints: &Hints,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(channel).await?;
    // `None`: the connection was lost, and with it what was said.
    while let Some(heard) = listener.try_recv().await? {
        if heard.payload() != me {
            hints.due();
        }
    }
    Ok(())
}
