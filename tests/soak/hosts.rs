//! Hosts: each takes one subject after the other to its end, and keeps books of what it was told.

use std::sync::Arc;
use std::time::Duration;

use onramp::lifecycle::Stage;
use onramp::prelude::*;
use onramp::store::NotAppliedBecause;
use onramp::{CommandId, Onramp};
use tokio_util::sync::CancellationToken;

use super::flow::{Company, Fate, Paid, Signup};

/// What a host was told of one commit, in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Stored,
    NotStored,
    /// It was in doubt, and not there when the host looked.
    NotFound,
}

/// One subject, and what its host was told.
pub(crate) struct Book {
    pub(crate) subject: SubjectId,
    pub(crate) commits: Vec<(CommandId, Told)>,
    /// Whether the host saw it end.
    pub(crate) ended: bool,
}

pub(crate) fn tenant(subject: &SubjectId) -> TenantId {
    let few = subject.as_str().len() % 3;
    TenantId::new(format!("tenant-{few}")).unwrap()
}

/// A host at work: until it is enough, then until its last subject has ended, or its patience.
pub(crate) async fn host(
    onramp: Arc<Onramp<Signup>>,
    name: String,
    enough: CancellationToken,
    patience: CancellationToken,
) -> Vec<Book> {
    let mut books = Vec::new();
    while !enough.is_cancelled() {
        let subject = SubjectId::new(Fate::subject(&name, books.len())).unwrap();
        let mut host = Host {
            onramp: Arc::clone(&onramp),
            book: Book {
                subject,
                commits: Vec::new(),
                ended: false,
            },
            looks: 0,
            cancelled: false,
        };
        while !host.book.ended && !patience.is_cancelled() {
            host.step().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        books.push(host.book);
    }
    books
}

struct Host {
    onramp: Arc<Onramp<Signup>>,
    book: Book,
    /// How often it looked at this onboarding.
    looks: u32,
    cancelled: bool,
}

impl Host {
    /// Looks, and does what is up to the host now.
    async fn step(&mut self) {
        let subject = self.book.subject.clone();
        let found = self.onramp.enroll(&tenant(&subject), &subject).await;
        // The database is down just now.
        let Ok(found) = found else { return };
        self.looks += 1;
        match found {
            Loaded::Pending(pending) => {
                let clearance = self.onramp.clear(&pending).await.unwrap();
                self.send(pending.start(clearance)).await;
            }
            Loaded::InProgress(running) if running.stage().undoing.is_some() => {}
            Loaded::InProgress(running) if self.wants_out() => {
                self.cancelled = self.send(running.cancel()).await;
            }
            Loaded::InProgress(running) if !running.has::<Company>() => {
                let name = "Acme".to_owned();
                self.send(running.submit(Company { name })).await;
            }
            Loaded::InProgress(running) if !running.has::<Paid>() => {
                let invoice = "inv-1".to_owned();
                self.send(running.attest(Paid { invoice })).await;
            }
            Loaded::InProgress(_) => {}
            Loaded::Failed(failed) if !failed.stage().remaining.is_empty() => {
                self.send(failed.retry_undo()).await;
            }
            Loaded::Completed(_) | Loaded::Failed(_) => self.book.ended = true,
        }
    }

    /// Each after another number of looks, so that every part of the way is met.
    fn wants_out(&self) -> bool {
        let after = 2 + u32::try_from(self.book.subject.as_str().len() % 2).unwrap_or(0) * 9;
        let fate = Fate::of(&self.book.subject);
        fate == Fate::Cancelled && !self.cancelled && self.looks > after
    }

    /// Commits, and notes what became of it. Whether it is stored.
    async fn send<From: Stage, To: Stage>(&mut self, change: Change<Signup, From, To>) -> bool {
        let token = change.in_doubt();
        let told = match self.onramp.commit(change).await {
            Ok(_) => Told::Stored,
            Err(CommitError::Conflict(_)) => Told::NotStored,
            Err(CommitError::NotApplied(no)) => match no.because {
                NotAppliedBecause::Store(error) if error.is_retryable() => Told::NotStored,
                other => panic!("{other:?}"),
            },
            Err(CommitError::Unknown(_)) => loop {
                match self.onramp.resolve(&token).await {
                    Ok(Resolution::Committed(_)) => break Told::Stored,
                    Ok(Resolution::NotCommitted(_)) => break Told::NotFound,
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            },
        };
        self.book.commits.push((token.command(), told));
        told == Told::Stored
    }
}
