//! The queue of members, and the lanes that store them.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::fault::Fault;
use crate::store::sql::group::{Batch, Member, Outcome};
use crate::store::sql::names::Names;
use crate::store::sql::session::Session;
use crate::store::sql::transact::{self, PATIENCE, runtime};

/// How many transactions a lane runs before it lets others have a connection that is not its own.
const TURN: u32 = 16;

/// How long a lane keeps its own connection, and one that is not, when nothing comes.
const OWN: Duration = Duration::from_secs(1);
const SHARED: Duration = Duration::from_millis(1);

/// What the store has written through its lanes, since it was opened.
///
/// ```
/// # use onramp::store::sql::Written;
/// fn group_size(written: Written) -> f64 {
///     written.members as f64 / written.transactions as f64
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// Transactions, including those that failed.
    pub transactions: u64,
    /// Creations and commits that these were to store.
    pub members: u64,
}

type Answer = oneshot::Sender<Result<Outcome, Error>>;

/// The lanes of a store.
pub(in crate::store::sql) struct Lanes<D: Dialect> {
    /// The lanes' connections; those of others when they have none of their own.
    pool: sqlx::Pool<D::Db>,
    linger: Duration,
    /// Connections for what is stored alone.
    others: sqlx::Pool<D::Db>,
    names: &'static Names,
    state: Mutex<State>,
    /// Wakes a lane that has nothing to do.
    wake: Notify,
    transactions: AtomicU64,
    members: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Member, Answer)>,
    /// Lanes that run.
    lanes: usize,
    /// Those of them that have nothing to do.
    idle: usize,
}

impl<D: Dialect> Lanes<D> {
    pub(in crate::store::sql) fn new(
        own: Option<sqlx::Pool<D::Db>>,
        others: sqlx::Pool<D::Db>,
        names: &'static Names,
    ) -> Arc<Self> {
        let linger = if own.is_some() { OWN } else { SHARED };
        Arc::new(Self {
            pool: own.unwrap_or_else(|| others.clone()),
            linger,
            others,
            names,
            state: Mutex::default(),
            wake: Notify::new(),
            transactions: AtomicU64::new(0),
            members: AtomicU64::new(0),
        })
    }

    pub(in crate::store::sql) fn written(&self) -> Written {
        Written {
            transactions: self.transactions.load(Ordering::Relaxed),
            members: self.members.load(Ordering::Relaxed),
        }
    }

    /// Lets go of the connections, after what is under way.
    pub(in crate::store::sql) async fn close(&self) {
        let closing = self.pool.close();
        self.wake.notify_waiters();
        closing.await;
    }

    fn is_shared(&self) -> bool {
        self.linger == SHARED
    }

    /// Stores a member, with others or alone. It goes on when the caller no longer waits.
    pub(in crate::store::sql) async fn store(
        self: &Arc<Self>,
        member: Member,
    ) -> Result<Outcome, Error> {
        let runtime = runtime()?;
        let (answer, answered) = oneshot::channel();
        if member.fits() {
            self.queue(&runtime, member, answer);
        } else {
            self.alone(member, answer, false);
        }
        answered.await.unwrap_or_else(|_| {
            let message = "the task that was to store it was lost";
            Err(Error::in_doubt(message))
        })
    }

    fn queue(self: &Arc<Self>, runtime: &Handle, member: Member, answer: Answer) {
        let mut state = self.lock();
        state.waiting.push_back((member, answer));
        if state.idle > 0 {
            self.wake.notify_one();
        } else if state.lanes < D::LANES {
            state.lanes += 1;
            let lane = Lane {
                lanes: Arc::clone(self),
                now: Now::Busy,
            };
            // In a box, so that the compiler sees that it may move between threads.
            let running: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(lane.run());
            drop(runtime.spawn(running));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits, as far as it goes into one transaction.
    fn take(&self) -> (Batch, Vec<Answer>) {
        let (mut batch, mut answers) = (Batch::default(), Vec::new());
        let mut state = self.lock();
        let mut others = VecDeque::new();
        while !batch.is_full()
            && let Some((member, answer)) = state.waiting.pop_front()
        {
            match batch.admit(member) {
                Ok(()) => answers.push(answer),
                Err(member) => others.push_back((member, answer)),
            }
        }
        others.append(&mut state.waiting);
        state.waiting = others;
        (batch, answers)
    }

    /// Stores a member in a transaction of its own. `doubt`: it may be stored already.
    fn alone(self: &Arc<Self>, member: Member, answer: Answer, doubt: bool) {
        let lanes = Arc::clone(self);
        let running = async move {
            lanes.count(1);
            let sql = &lanes.names.statements;
            let stored = transact::write::<D, _>(&lanes.others, sql, member).await;
            let stored = stored.map_err(|error| match error.kind() {
                ErrorKind::Unavailable if doubt => {
                    let message = format!("{} did not confirm a commit", D::NAME);
                    Error::in_doubt(message).because(error)
                }
                _ => error,
            });
            // Nobody may be waiting any more.
            let _ = answer.send(stored);
        };
        let running: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(running);
        drop(tokio::spawn(running));
    }

    fn count(&self, members: usize) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let members = u64::try_from(members).unwrap_or(u64::MAX);
        self.members.fetch_add(members, Ordering::Relaxed);
    }
}

/// A task that stores what waits, until nothing has come for a while.
struct Lane<D: Dialect> {
    lanes: Arc<Lanes<D>>,
    now: Now,
}

enum Now {
    Busy,
    Idle,
    Ended,
}

impl<D: Dialect> Drop for Lane<D> {
    /// Also when its runtime is shut down: a later call starts another lane, on its own runtime.
    fn drop(&mut self) {
        let mut state = self.lanes.lock();
        match self.now {
            Now::Ended => return,
            Now::Idle => state.idle -= 1,
            Now::Busy => {}
        }
        state.lanes -= 1;
        if state.lanes == 0 {
            // Nobody is left to store them.
            for (_, answer) in state.waiting.drain(..) {
                let gone = Error::unavailable("the runtime that was to store it was shut down");
                let _ = answer.send(Err(gone));
            }
        }
    }
}

impl<D: Dialect> Lane<D> {
    async fn run(mut self) {
        let mut connection = None;
        let mut turns = 0_u32;
        loop {
            let (batch, answers) = self.lanes.take();
            if batch.len() > 0 {
                let several = batch.len() > 1;
                self.store(&mut connection, batch, answers).await;
                if several {
                    // Those who were just answered may have more: then they go along.
                    tokio::task::yield_now().await;
                }
                turns = turns.wrapping_add(1);
                if turns.is_multiple_of(TURN) && self.lanes.is_shared() {
                    connection = None;
                }
            } else if !self.rest().await {
                return;
            }
        }
    }

    /// Waits for members. Gives whether to look for some; if not, the lane has ended.
    async fn rest(&mut self) -> bool {
        {
            let mut state = self.lanes.lock();
            if !state.waiting.is_empty() {
                return true;
            }
            state.idle += 1;
            self.now = Now::Idle;
        }
        let woken = match self.lanes.pool.is_closed() {
            true => false,
            false => timeout(self.lanes.linger, self.lanes.wake.notified())
                .await
                .is_ok(),
        };
        let mut state = self.lanes.lock();
        state.idle -= 1;
        let goes_on = !state.waiting.is_empty() || (woken && !self.lanes.pool.is_closed());
        if goes_on {
            self.now = Now::Busy;
        } else {
            // With the lock held, so that whoever comes next sees that it has ended.
            state.lanes -= 1;
            self.now = Now::Ended;
        }
        goes_on
    }

    async fn store(
        &self,
        connection: &mut Option<PoolConnection<D::Db>>,
        batch: Batch,
        answers: Vec<Answer>,
    ) {
        let stored = self.together(connection, &batch).await;
        let members = batch.into_members();
        match stored {
            Ok(outcomes) => {
                for ((member, answer), outcome) in members.into_iter().zip(answers).zip(outcomes) {
                    match outcome {
                        Some(outcome) => drop(answer.send(Ok(outcome))),
                        None => self.lanes.alone(member, answer, false),
                    }
                }
            }
            Err(fault) => {
                let doubt = match &fault {
                    Fault::Store(error) => error.kind() == ErrorKind::InDoubt,
                    _ => false,
                };
                for (member, answer) in members.into_iter().zip(answers) {
                    self.lanes.alone(member, answer, doubt);
                }
            }
        }
    }

    /// Stores what can be stored in one transaction.
    async fn together(
        &self,
        connection: &mut Option<PoolConnection<D::Db>>,
        batch: &Batch,
    ) -> Result<Vec<Option<Outcome>>, Fault> {
        let mut on = match mem::take(connection) {
            Some(on) => on,
            None => self.lanes.pool.acquire().await?,
        };
        self.lanes.count(batch.len());
        let mut session = Session::new(&mut *on, &self.lanes.names.statements);
        let texts = &self.lanes.names.group;
        let stored = timeout(PATIENCE, D::together(&mut session, texts, batch)).await;
        let stored = stored.unwrap_or_else(|_| Err(transact::silent::<D>(session.committing)));
        match &stored {
            // What the database refused, it rolled back.
            Ok(_) | Err(Fault::Sql(sqlx::Error::Database(_)) | Fault::Moved) => {
                *connection = Some(on);
            }
            // Whatever state it is in, nobody gets it again.
            Err(_) => on.close_on_drop(),
        }
        stored
    }
}
