//! An import that is cut off anywhere is run again, and is then as if nothing had been.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use onramp::import::{Conflict, Import, Report, Stopped};
use onramp::prelude::*;
use onramp::store::{Commit, CommitOutcome, Created, Error, ErrorKind, NewOnboarding};
use onramp::testing::{Layer, Layered};

use crate::support::{Desk, Faults, each_store};
use crate::{user, users};

/// What happens to the write that is struck, and to all after it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Strike {
    /// The process is gone before it.
    Before,
    /// The process is gone after it.
    After,
    /// It is stored, and the answer lost; then all is well.
    InDoubt,
}

struct Struck {
    inner: Arc<dyn Store>,
    strike: Strike,
    at: usize,
    writes: AtomicUsize,
}

impl Struck {
    async fn write<T>(&self, write: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let gone = |kind| Err(Error::new(kind, "struck"));
        let nth = self.writes.fetch_add(1, SeqCst);
        match (nth.cmp(&self.at), self.strike) {
            (std::cmp::Ordering::Less, _) => write.await,
            (std::cmp::Ordering::Equal, Strike::After) => {
                write.await?;
                gone(ErrorKind::Corrupt)
            }
            (std::cmp::Ordering::Equal, Strike::InDoubt) => {
                write.await?;
                gone(ErrorKind::InDoubt)
            }
            (_, Strike::InDoubt) => write.await,
            _ => gone(ErrorKind::Corrupt),
        }
    }
}

#[async_trait]
impl Layer for Struck {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.write(self.inner.create(new)).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.write(self.inner.commit(commit)).await
    }
}

/// Four records of the file are imported, with two writes each.
const WRITES: usize = 8;

async fn run(desk: &Desk) -> Result<Report, Stopped> {
    let mut import = Import::into(&desk.onramp, "crm").at_once(1).map(user);
    import.run(users()).await
}

/// Every write of an import is struck, on a store that is empty each time.
async fn each_strike(strike: Strike, check: impl AsyncFn(usize, &Desk, Result<Report, Stopped>)) {
    for store in each_store().await {
        for at in 0..WRITES {
            let inner = Arc::clone(&store);
            let writes = AtomicUsize::new(0);
            let struck = Layered(Struck {
                inner,
                strike,
                at,
                writes,
            });
            let first = run(&Desk::new(Arc::new(struck), Faults::default())).await;
            let desk = Desk::new(Arc::clone(&store), Faults::default());
            check(at, &desk, first).await;
            let all = store.list(None, 100).await.unwrap();
            assert_eq!(store.delete(&all).await.unwrap(), all.len());
        }
    }
}

#[tokio::test]
async fn a_crash_anywhere_is_mended_by_running_again() {
    for strike in [Strike::Before, Strike::After] {
        each_strike(strike, async |at, desk, first| {
            let stopped = first.unwrap_err();
            assert!(
                stopped
                    .to_string()
                    .starts_with("the import of crm stopped after ")
            );
            assert!(stopped.report.completed + stopped.report.pending < 4);
            let report = run(desk).await.unwrap();
            let here = report.completed + report.pending + report.unchanged;
            assert_eq!(here, 4, "{strike:?} of write {at}: {report}");
            for (subject, passes) in [("u1", true), ("u2", true), ("u3", false), ("u4", false)] {
                let state = desk.open(subject).await.into_state();
                assert_eq!(
                    state.revision().get(),
                    2,
                    "{subject}: {strike:?} of write {at}"
                );
                assert_eq!(state.completed_at().is_some(), passes);
                desk.journal_holds(subject).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_up() {
    each_strike(Strike::InDoubt, async |at, _, first| {
        let report = first.unwrap();
        assert_eq!(
            (report.completed, report.pending),
            (2, 2),
            "write {at}: {report}"
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_signs_in_between_a_crash_and_the_next_run_loses_nothing() {
    for store in each_store().await {
        // Created, and not imported.
        let (inner, strike, writes) = (Arc::clone(&store), Strike::Before, AtomicUsize::new(0));
        let struck = Layered(Struck {
            inner,
            strike,
            at: 1,
            writes,
        });
        run(&Desk::new(Arc::new(struck), Faults::default()))
            .await
            .unwrap_err();

        let desk = Desk::new(store, Faults::default());
        let pending = desk.pending("u1").await;
        let _ = desk.onramp.commit(pending.login()).await.unwrap();
        let mut import = Import::into(&desk.onramp, "crm")
            .policy(Conflict::KeepExisting)
            .map(user);
        let report = import.run(users()).await.unwrap();
        assert_eq!((report.completed, report.kept), (2, 0));
        desk.journal_holds("u1").await;
    }
}
