//! Hosts that onboard one subject after the other and keep books of what they were told, engines
//! that do the tasks, and the comparison of the books with what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use onramp::CommandId;
use onramp::Revision;
use onramp::engine::Engine;
use onramp::lifecycle::{Happened, Stage};
use onramp::prelude::*;
use onramp::store::NotAppliedBecause;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{Company, Desk, Paid, Workspace};

/// What a host was told of one commit, in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Stored,
    NotStored,
    /// In doubt, also after the look that a commit takes itself; then resolved.
    Resolved {
        stored: bool,
    },
}

impl Told {
    fn is_stored(self) -> bool {
        matches!(self, Self::Stored | Self::Resolved { stored: true })
    }
}

#[derive(Default)]
struct Book {
    commits: Vec<(CommandId, Told)>,
    subjects: Vec<String>,
}

/// How long it may take until the others go on without one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// Hosts and engines at work.
pub(crate) struct Load {
    desks: Vec<Arc<Desk>>,
    hosts: JoinSet<Book>,
    engines: JoinSet<()>,
    /// No more subjects.
    enough: CancellationToken,
    shutdown: CancellationToken,
    confirmed: Arc<AtomicUsize>,
}

impl Load {
    /// So many hosts on each desk, and an engine on each.
    pub(crate) fn start(desks: &[Arc<Desk>], hosts: usize) -> Self {
        let mut load = Self {
            desks: desks.to_vec(),
            hosts: JoinSet::new(),
            engines: JoinSet::new(),
            enough: CancellationToken::new(),
            shutdown: CancellationToken::new(),
            confirmed: Arc::default(),
        };
        for (n, desk) in desks.iter().enumerate() {
            // The lease is longer than servers need to agree on who is gone, so that this costs no
            // onboarding all its attempts.
            let engine = Engine::builder(Arc::clone(desk.onramp.store()))
                .flow(desk.onramp.flow())
                .worker(format!("worker-{n}"))
                .lease(Duration::from_secs(12))
                .poll(Duration::from_millis(100))
                .build();
            let shutdown = load.shutdown.clone();
            load.engines
                .spawn(async move { engine.run(shutdown).await });
        }
        let run = uuid::Uuid::now_v7().simple();
        for n in 0..hosts * desks.len() {
            let host = Host {
                name: format!("org-{run}-{n}"),
                turn: n,
                desks: desks.to_vec(),
                book: Book::default(),
                confirmed: Arc::clone(&load.confirmed),
            };
            load.hosts.spawn(host.work(load.enough.clone()));
        }
        load
    }

    /// Holds that hosts and workers both get on since the last look, also where the servers take their
    /// time to agree on who is gone.
    pub(crate) async fn goes_on(&self, since: &mut (usize, usize)) {
        let begun = std::time::Instant::now();
        loop {
            let built = self.desks[0].world.built.load(SeqCst);
            let now = (self.confirmed.load(SeqCst), usize::try_from(built).unwrap());
            if now.0 > since.0 && now.1 > since.1 {
                let (commits, sites) = (now.0 - since.0, now.1 - since.1);
                println!("confirmed {commits} commits, built {sites} sites");
                *since = now;
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{since:?}, {now:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Holds that no host is told of a commit for a second, after what was on its way to one.
    pub(crate) async fn stands_still(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let confirmed = self.confirmed.load(SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = self.confirmed.load(SeqCst);
        assert_eq!(now, confirmed, "confirmed without the standby");
    }

    /// Lets everything come to its end, and compares the books with what is stored.
    pub(crate) async fn adds_up(mut self) {
        self.enough.cancel();
        let mut told = BTreeMap::new();
        let mut subjects = Vec::new();
        let patience = Duration::from_secs(60);
        while let Some(book) = tokio::time::timeout(patience, self.hosts.join_next())
            .await
            .expect("the hosts end")
        {
            let book = book.unwrap();
            told.extend(book.commits);
            subjects.extend(book.subjects);
        }
        let desk = &self.desks[0];
        let flows = [desk.onramp.flow().plan().flow().clone()];
        let end = tokio::time::Instant::now() + patience;
        while !matches!(desk.onramp.store().next_due(&flows).await, Ok(None)) {
            assert!(tokio::time::Instant::now() < end, "the queue gets empty");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.shutdown.cancel();
        self.engines.join_all().await;

        let mut stored = BTreeSet::new();
        for subject in &subjects {
            let commands = completed(desk, subject).await;
            for command in commands {
                assert!(stored.insert(command), "{command} is stored twice");
            }
        }
        let mut counts = BTreeMap::new();
        for (command, told) in told {
            let is = stored.contains(&command);
            assert_eq!(is, told.is_stored(), "a host was told {told:?}");
            *counts.entry(told).or_insert(0) += 1;
        }
        let keys = self
            .desks
            .iter()
            .map(|desk| desk.world.keys.lock().unwrap());
        let keys: BTreeSet<_> = keys.flat_map(|keys| keys.clone()).collect();
        assert_eq!(keys.len(), 2 * subjects.len(), "one effect a task");
        println!("{} onboardings completed; {counts:?}", subjects.len());
    }
}

/// Holds that an onboarding is completed, its journal whole, each step done once. Gives the
/// commands that made it.
async fn completed(desk: &Desk, subject: &str) -> Vec<CommandId> {
    desk.journal_holds(subject).await;
    let state = desk.open(subject).await.into_state();
    assert_eq!(state.stage(), StageKind::Completed, "{subject}: {state:?}");
    let store = desk.onramp.store();
    let journal = store.journal(desk.tenant(), state.id(), Revision::new(0), 1_000);
    let journal = journal.await.unwrap();
    let mut done: BTreeMap<String, u32> = BTreeMap::new();
    for entry in &journal {
        for event in entry.decode().unwrap() {
            if let Happened::FactRecorded { step, .. }
            | Happened::AnswerSubmitted { step, .. }
            | Happened::EvidenceAttested { step, .. } = event.happened
            {
                *done.entry(step.to_string()).or_default() += 1;
            }
        }
    }
    let once = ["build_site", "company", "create_dataset", "payment"].map(|s| (s.to_owned(), 1));
    assert_eq!(done, BTreeMap::from(once), "{subject}");
    journal.iter().map(|entry| entry.command).collect()
}

struct Host {
    name: String,
    /// Each begins at a desk of its own, and goes to the next one when it is shut.
    turn: usize,
    desks: Vec<Arc<Desk>>,
    book: Book,
    confirmed: Arc<AtomicUsize>,
}

impl Host {
    async fn work(mut self, enough: CancellationToken) -> Book {
        while !enough.is_cancelled() {
            let subject = format!("{}-{}", self.name, self.book.subjects.len());
            loop {
                let desk = Arc::clone(&self.desks[self.turn % self.desks.len()]);
                match self.step(&desk, &subject).await {
                    Some(true) => {}
                    Some(false) => break,
                    None => {
                        self.turn += 1;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
            self.book.subjects.push(subject);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.book
    }

    /// The host's next step of an onboarding: whether there was one, if anything could be done.
    async fn step(&mut self, desk: &Desk, subject: &str) -> Option<bool> {
        let subject = SubjectId::new(subject).unwrap();
        let found = desk.onramp.enroll(desk.tenant(), &subject).await.ok()?;
        match found {
            Loaded::Pending(pending) => {
                let clearance = desk.onramp.clear(&pending).await.unwrap();
                self.send(desk, pending.start(clearance)).await
            }
            Loaded::InProgress(running) if !running.has::<Company>() => {
                let name = "Acme".to_owned();
                self.send(desk, running.submit(Company { name })).await
            }
            Loaded::InProgress(running) if !running.has::<Paid>() => {
                let invoice = "inv-1".to_owned();
                self.send(desk, running.attest(Paid { invoice })).await
            }
            _ => Some(false),
        }
    }

    /// Commits, and notes what became of it.
    async fn send<From: Stage, To: Stage>(
        &mut self,
        desk: &Desk,
        change: Change<Workspace, From, To>,
    ) -> Option<bool> {
        let token = change.in_doubt();
        let told = match desk.onramp.commit(change).await {
            Ok(_) => Told::Stored,
            Err(CommitError::Conflict(_)) => Told::NotStored,
            Err(CommitError::NotApplied(no)) => match no.because {
                NotAppliedBecause::Store(error) if error.is_retryable() => Told::NotStored,
                other => panic!("{other:?}"),
            },
            Err(CommitError::Unknown(_)) => {
                // Whoever answers first: another node, or another server.
                let mut desks = self.desks.iter().cycle();
                loop {
                    let desk = desks.next().unwrap();
                    match desk.onramp.resolve(&token).await {
                        Ok(Resolution::Committed(_)) => break Told::Resolved { stored: true },
                        Ok(Resolution::NotCommitted(_)) => break Told::Resolved { stored: false },
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
            }
        };
        self.book.commits.push((token.command(), told));
        if told.is_stored() {
            self.confirmed.fetch_add(1, SeqCst);
        }
        (told != Told::NotStored).then_some(true)
    }
}
