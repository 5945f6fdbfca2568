//! Runs work to its end: in a task that nobody can drop, whole or not at all.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::pool::PoolConnection;
use tokio::time::timeout;
use uuid::Uuid;

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::fault::{Fault, at_commit};
use crate::store::sql::session::Session;
use crate::store::sql::statements::Statements;

/// How often work is begun that others got in the way of.
const TRIES: u32 = 8;

/// How long a database that does not answer is waited for, from BEGIN to COMMIT. Only a connection
/// that leads nowhere takes so long: a server gives up by itself before.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Something to be done on one connection. Run again from its beginning when others got in the
/// way, so it keeps nothing from one run to the next.
pub(super) trait Work<D: Dialect>: Send + Sync + 'static {
    type Out: Send + 'static;

    fn run(&self, db: &mut Session<'_, D>)
    -> impl Future<Output = Result<Self::Out, Fault>> + Send;
}

/// Runs work that reads, in single statements without a transaction.
///
/// It has a task of its own too, so that no connection goes back to the pool with a statement
/// half-way.
pub(super) async fn read<D: Dialect, W: Work<D>>(
    pool: &sqlx::Pool<D::Db>,
    sql: &'static Statements,
    work: W,
) -> Result<W::Out, Error> {
    let pool = pool.clone();
    let reading = async move {
        let read = reading::<D, W>(&pool, sql, &work).await;
        read.map_err(Fault::told::<D>)
    };
    apart(Box::pin(reading), ErrorKind::Unavailable).await
}

/// The same for one who has a task of its own.
pub(super) async fn reading<D: Dialect, W: Work<D>>(
    pool: &sqlx::Pool<D::Db>,
    sql: &'static Statements,
    work: &W,
) -> Result<W::Out, Fault> {
    let run = |tries| async move {
        let mut on = acquire(pool, tries).await?;
        let mut session = Session::new(&mut *on, sql);
        let ended = timeout(PATIENCE, work.run(&mut session)).await;
        ended.unwrap_or_else(|_| {
            on.close_on_drop();
            Err(silent::<D>(false))
        })
    };
    retrying::<D, _, _>(run).await
}

/// Runs work that writes in one statement, which is its own transaction.
pub(super) async fn state<D: Dialect, W: Work<D>>(
    pool: &sqlx::Pool<D::Db>,
    sql: &'static Statements,
    work: W,
) -> Result<W::Out, Error> {
    let pool = pool.clone();
    let stating = async move {
        let (pool, work) = (&pool, &work);
        let run = |tries| async move {
            let mut on = acquire(pool, tries).await?;
            let mut session = Session::new(&mut *on, sql);
            let ended = match timeout(PATIENCE, work.run(&mut session)).await {
                // Sent is as good as committed: whatever is not definite is in doubt.
                Ok(ended) => ended.map_err(|fault| match fault {
                    Fault::Sql(error) => at_commit::<D>(error),
                    Fault::Store(error) => {
                        let message = "the answer to what may be stored cannot be read";
                        Fault::Store(Error::in_doubt(message).because(error))
                    }
                    Fault::Moved => Fault::Moved,
                }),
                Err(_) => Err(silent::<D>(true)),
            };
            if matches!(ended, Err(Fault::Store(_))) {
                // Whatever state the connection is in, nobody gets it again.
                on.close_on_drop();
            }
            ended
        };
        retrying::<D, _, _>(run).await.map_err(Fault::told::<D>)
    };
    apart(Box::pin(stating), ErrorKind::InDoubt).await
}

/// Runs work that writes, in one transaction.
pub(super) async fn write<D: Dialect, W: Work<D>>(
    pool: &sqlx::Pool<D::Db>,
    sql: &'static Statements,
    work: W,
) -> Result<W::Out, Error> {
    let pool = pool.clone();
    let writing = async move {
        let (pool, work) = (&pool, &work);
        let run = |tries| async move {
            let mut on = acquire(pool, tries).await?;
            once::<D, W>(&mut on, sql, work).await
        };
        retrying::<D, _, _>(run).await.map_err(Fault::told::<D>)
    };
    apart(Box::pin(writing), ErrorKind::InDoubt).await
}

/// A connection of the pool; one that was tried, once another one had failed: when a server goes it
/// takes all of them along.
async fn acquire<Db: sqlx::Database>(
    pool: &sqlx::Pool<Db>,
    tries: u32,
) -> Result<PoolConnection<Db>, sqlx::Error> {
    for _ in 0..pool.size() {
        let mut on = pool.acquire().await?;
        if tries == 1 || matches!(timeout(PATIENCE, on.ping()).await, Ok(Ok(()))) {
            return Ok(on);
        }
        on.close_on_drop();
    }
    pool.acquire().await
}

async fn once<D: Dialect, W: Work<D>>(
    on: &mut PoolConnection<D::Db>,
    sql: &'static Statements,
    work: &W,
) -> Result<W::Out, Fault> {
    let committing = AtomicBool::new(false);
    match timeout(PATIENCE, whole::<D, W>(on, sql, work, &committing)).await {
        Ok(ended) => ended,
        Err(_) => {
            on.close_on_drop();
            Err(silent::<D>(committing.into_inner()))
        }
    }
}

async fn whole<D: Dialect, W: Work<D>>(
    on: &mut PoolConnection<D::Db>,
    sql: &'static Statements,
    work: &W,
    committing: &AtomicBool,
) -> Result<W::Out, Fault> {
    let mut transaction = on.begin_with(D::BEGIN).await?;
    let mut session = Session::new(&mut *transaction, sql);
    let out = match work.run(&mut session).await {
        Ok(out) => out,
        Err(fault) => {
            if transaction.rollback().await.is_err() {
                on.close_on_drop();
            }
            return Err(fault);
        }
    };
    committing.store(true, Ordering::Relaxed);
    transaction.commit().await.map_err(|error| {
        // Whatever state the connection is in, nobody gets it again.
        on.close_on_drop();
        at_commit::<D>(error)
    })?;
    Ok(out)
}

/// A database that did not answer in time.
pub(super) fn silent<D: Dialect>(committing: bool) -> Fault {
    let message = format!("{} did not answer", D::NAME);
    Fault::Store(if committing {
        Error::in_doubt(message)
    } else {
        Error::unavailable(message)
    })
}

/// Runs it, a bounded number of times, as long as others got in the way. It is told which time it is.
pub(super) async fn retrying<D: Dialect, T, F>(run: impl Fn(u32) -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>> + Send,
{
    let mut tries = 1;
    loop {
        match run(tries).await {
            Err(fault) if tries < TRIES && fault.passes::<D>() => back_off(tries).await,
            ended => return ended,
        }
        tries += 1;
    }
}

/// Runs it in a task, which goes on when the caller no longer waits. `lost` is what it means when
/// the task itself is gone: it panicked, or the runtime was shut down.
///
/// The task is in a box, so that the compiler sees that whoever waits may move between threads.
async fn apart<T: Send + 'static>(
    task: Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>,
    lost: ErrorKind,
) -> Result<T, Error> {
    match runtime()?.spawn(task).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(lost, "the task of a database call was lost").because(error)),
    }
}

/// The runtime of the caller. Without one, sqlx would panic.
pub(super) fn runtime() -> Result<tokio::runtime::Handle, Error> {
    tokio::runtime::Handle::try_current().map_err(|error| {
        Error::new(ErrorKind::Config, "an SQL store needs a Tokio runtime").because(error)
    })
}

/// Sleeps for a random part of a time that doubles with each try, half a second at most.
async fn back_off(tries: u32) {
    let longest = 4_000_u64.saturating_mul(1 << tries.min(16)).min(500_000);
    let (random, _) = Uuid::new_v4().as_u64_pair();
    tokio::time::sleep(Duration::from_micros(random % longest)).await;
}
