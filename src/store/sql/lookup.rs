//! Lookups of single onboardings: those that come while others are under way go together, in one
//! statement.
//!
//! ```text
//!   callers ──> waiting ──> at most two statements under way, each for all that waited
//!      ^                                   │
//!      └────────── answer <────────────────┘  each its own row, absence or damage; when the
//!                                             connection failed, each is looked up alone
//! ```
//!
//! A statement begins after all of its callers have called, so each sees at least what was stored
//! before it asked. One caller waits no longer than before: what is free takes what there is, at once.
//! A database that does not answer is waited for twice at most: by those who came before, and by those
//! who waited for them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::error::Error;
use crate::store::record::Row;
use crate::store::sql::codec::Reader;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{DbRow, args};
use crate::store::sql::fault::Fault;
use crate::store::sql::group::rows::{Rows, row};
use crate::store::sql::names::Names;
use crate::store::sql::read::{Find, Load};
use crate::store::sql::session::Session;
use crate::store::sql::transact::{self, Work, runtime};

/// Statements under way at the same time.
const AT_ONCE: usize = 2;

/// Onboardings in a statement, at most.
const MOST: usize = 64;

type Answer = oneshot::Sender<Result<Option<Row>, Error>>;

/// Who is looked for.
pub(super) enum Wanted {
    Load(Load),
    Find(Find),
}

/// The lookups of a store.
pub(super) struct Lookups<D: Dialect> {
    readers: sqlx::Pool<D::Db>,
    names: &'static Names,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<(Wanted, Answer)>,
    under_way: usize,
}

impl<D: Dialect> Lookups<D> {
    pub(super) fn new(readers: sqlx::Pool<D::Db>, names: &'static Names) -> Arc<Self> {
        Arc::new(Self {
            readers,
            names,
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row of an onboarding, if it is there.
    pub(super) async fn look_up(self: &Arc<Self>, wanted: Wanted) -> Result<Option<Row>, Error> {
        if self.names.statements.rows_wanted.is_empty() {
            return self.alone(wanted).await;
        }
        let runtime = runtime()?;
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut state = self.lock();
            state.waiting.push((wanted, answer));
            let begins = state.under_way < AT_ONCE;
            state.under_way += usize::from(begins);
            begins
        };
        if begins {
            let turn = Turn {
                lookups: Arc::clone(self),
                ended: false,
            };
            // In a box, so that the compiler sees that it may move between threads.
            let running: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(turn.run());
            drop(runtime.spawn(running));
        }
        let lost = |_| Err(Error::unavailable("the task of a database call was lost"));
        answered.await.unwrap_or_else(lost)
    }

    async fn alone(&self, wanted: Wanted) -> Result<Option<Row>, Error> {
        let (readers, sql) = (&self.readers, &self.names.statements);
        match wanted {
            Wanted::Load(load) => transact::read::<D, _>(readers, sql, load).await,
            Wanted::Find(find) => transact::read::<D, _>(readers, sql, find).await,
        }
    }
}

/// A task that looks up what waits, until nothing does.
struct Turn<D: Dialect> {
    lookups: Arc<Lookups<D>>,
    ended: bool,
}

impl<D: Dialect> Drop for Turn<D> {
    /// Its runtime was shut down: the next call begins another one, on its own runtime.
    fn drop(&mut self) {
        if !self.ended {
            let mut state = self.lookups.lock();
            state.under_way -= 1;
            if state.under_way == 0 {
                // Nobody is left to answer them: they are told by that.
                state.waiting.clear();
            }
        }
    }
}

impl<D: Dialect> Turn<D> {
    async fn run(mut self) {
        loop {
            // Those who are about to ask go along.
            tokio::task::yield_now().await;
            let Some((wanted, answers)) = self.take() else {
                return;
            };
            self.answer(wanted, answers).await;
        }
    }

    /// What waits, as far as it goes into one statement; nothing, when this one has ended.
    fn take(&mut self) -> Option<(Several, Vec<Answer>)> {
        let mut state = self.lookups.lock();
        state.waiting.retain(|(_, answer)| !answer.is_closed());
        if state.waiting.is_empty() {
            // With the lock held, so that whoever comes next sees it.
            state.under_way -= 1;
            self.ended = true;
            return None;
        }
        let most = state.waiting.len().min(MOST);
        let (wanted, answers) = state.waiting.drain(..most).unzip();
        Some((Several(wanted), answers))
    }

    async fn answer(&self, several: Several, answers: Vec<Answer>) {
        let Lookups { readers, names, .. } = &*self.lookups;
        let sql = &names.statements;
        let found = match several.0.as_slice() {
            // The plain statements are quicker.
            [Wanted::Load(load)] => transact::reading::<D, _>(readers, sql, load).await.map(one),
            [Wanted::Find(find)] => transact::reading::<D, _>(readers, sql, find).await.map(one),
            _ => transact::reading::<D, _>(readers, sql, &several).await,
        };
        match found {
            // Nobody may be waiting any more.
            Ok(found) => {
                for (answer, found) in answers.into_iter().zip(found) {
                    let _ = answer.send(found);
                }
            }
            // It did not answer in time, or holds what cannot be read: so it is for all.
            Err(Fault::Store(error)) => {
                let mut answers = answers.into_iter();
                let first = answers.next();
                for answer in answers {
                    let _ = answer.send(Err(Error::new(error.kind(), error.to_string())));
                }
                if let Some(first) = first {
                    let _ = first.send(Err(error)); // with its cause
                }
            }
            Err(_) => {
                for (wanted, answer) in several.0.into_iter().zip(answers) {
                    let lookups = Arc::clone(&self.lookups);
                    let alone = async move { drop(answer.send(lookups.alone(wanted).await)) };
                    let alone: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(alone);
                    drop(tokio::spawn(alone));
                }
            }
        }
    }
}

fn one(row: Option<Row>) -> Vec<Result<Option<Row>, Error>> {
    vec![Ok(row)]
}

impl Wanted {
    fn read<D: Dialect>(&self, columns: &DbRow<D>) -> Result<Row, Error> {
        match self {
            Self::Load(load) => load.read::<D>(columns),
            Self::Find(find) => find.read::<D>(columns),
        }
    }
}

/// Several at once.
struct Several(Vec<Wanted>);

impl<D: Dialect> Work<D> for Several {
    type Out = Vec<Result<Option<Row>, Error>>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Self::Out, Fault> {
        let (mut ids, mut keys) = (Rows::default(), Rows::default());
        for (place, wanted) in (0_i64..).zip(&self.0) {
            match wanted {
                Wanted::Load(Load { tenant, id }) => {
                    let id = id.as_uuid();
                    ids.push(row![place, tenant.as_str(), &id.as_bytes()[..]])?;
                }
                Wanted::Find(Find(key)) => {
                    let (tenant, flow) = (key.tenant.as_str(), key.flow.as_str());
                    keys.push(row![place, tenant, flow, key.subject.as_str()])?;
                }
            }
        }
        let args = args![ids.into_json(), keys.into_json()];
        let rows = db.all(db.sql.rows_wanted, args).await?;
        let mut found: Self::Out = self.0.iter().map(|_| Ok(None)).collect();
        for columns in &rows {
            let place: usize = Reader::<D>::any(columns, "an onboarding").count(4, "its place")?;
            if let (Some(wanted), Some(found)) = (self.0.get(place), found.get_mut(place)) {
                *found = wanted.read::<D>(columns).map(Some);
            }
        }
        Ok(found)
    }
}
