//! What the service does with an onboarding when a request comes in. Everything can be done twice.

use onramp::flow::Answer;
use onramp::lifecycle::InvalidFact;
use onramp::prelude::*;
use onramp::store::NotAppliedBecause;

use crate::accounts::Account;
use crate::app::App;
use crate::reply::Refusal;
use crate::workspace::{EmailConfirmed, PaymentConfirmed, Workspace};

/// How often it is tried when somebody else, another tab say, moves the same onboarding.
const TRIES: usize = 8;

/// What became of an answer.
pub(crate) enum Answered {
    Taken,
    /// Fields have to change.
    Invalid(Invalid),
    /// It was answered since the form was opened, and differently.
    Overtaken,
    /// It is paid for: what is built on it is not changed any more.
    TooLate,
}

impl App {
    pub(crate) async fn open(&self, account: &Account) -> Result<Loaded<Workspace>, Refusal> {
        let (tenant, subject) = account.whom()?;
        self.onramp
            .open(&tenant, &subject)
            .await?
            .ok_or(Refusal::Absent)
    }

    /// Somebody followed the link that was sent to their address.
    pub(crate) async fn arrive(&self, account: &Account) -> Result<(), Refusal> {
        for _ in 0..TRIES {
            let email = account.email.clone();
            let stored = match self.open(account).await? {
                Loaded::Pending(new) if !new.has::<EmailConfirmed>() => {
                    self.stored(new.attest(EmailConfirmed { email })).await?;
                    continue; // the sign-in is told, too
                }
                Loaded::Pending(new) => self.stored(new.login()).await?,
                Loaded::InProgress(running) => self.stored(running.login()).await?,
                Loaded::Completed(done) => self.stored(done.login()).await?,
                Loaded::Failed(failed) => self.stored(failed.login()).await?,
            };
            if stored {
                return self.begin(account).await.map(|_| ());
            }
        }
        Err(Refusal::internal("the onboarding kept moving"))
    }

    /// Begins, if the gates are open. What people are told when one is closed.
    pub(crate) async fn begin(&self, account: &Account) -> Result<Option<&'static str>, Refusal> {
        for _ in 0..TRIES {
            let Loaded::Pending(new) = self.open(account).await? else {
                return Ok(None);
            };
            let clearance = match self.onramp.clear(&new).await {
                Ok(clearance) => clearance,
                Err(closed) => {
                    let first = closed.closed().next();
                    return Ok(first.map(|(_, why)| why.problem().message()));
                }
            };
            if self.stored(new.start(clearance)).await? {
                return Ok(None);
            }
        }
        Err(Refusal::internal("the onboarding kept moving"))
    }

    /// Takes an answer that was given on a form. `seen` is what was stored when the form was opened, as
    /// [`seen`] says: two tabs do not overwrite one another.
    pub(crate) async fn answer<A>(
        &self,
        account: &Account,
        seen: &str,
        answer: A,
    ) -> Result<Answered, Refusal>
    where
        A: Answer<Workspace> + Clone + PartialEq,
    {
        for _ in 0..TRIES {
            let Loaded::InProgress(running) = self.open(account).await? else {
                return Ok(Answered::TooLate);
            };
            if running.has::<A>() {
                let known = self
                    .onramp
                    .fact::<A>(running.tenant(), running.id())
                    .await?;
                if known.as_ref() == Some(&answer) {
                    return Ok(Answered::Taken);
                }
                if running.has::<PaymentConfirmed>() {
                    return Ok(Answered::TooLate);
                }
            }
            if seen != self::seen::<A, _>(&running) {
                return Ok(Answered::Overtaken);
            }
            let change = match running.has::<A>() {
                true => running.revise(answer.clone()),
                false => running.submit(answer.clone()),
            };
            match self.onramp.commit(change).await {
                Ok(_) => return Ok(Answered::Taken),
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::NotApplied(not)) => match not.because {
                    NotAppliedBecause::Invalid(InvalidFact::Answer(invalid)) => {
                        return Ok(Answered::Invalid(invalid));
                    }
                    NotAppliedBecause::Rejected(_) => return Ok(Answered::TooLate),
                    because => return Err(because.into()),
                },
                Err(CommitError::Unknown(unknown)) => return Err(unknown.cause.into()),
            }
        }
        Err(Refusal::internal("the onboarding kept moving"))
    }

    /// Goes on after a failure. Answers and the payment are kept.
    pub(crate) async fn try_again(&self, account: &Account) -> Result<(), Refusal> {
        for _ in 0..TRIES {
            let Loaded::Failed(failed) = self.open(account).await? else {
                return Ok(());
            };
            if self.stored(failed.retry()).await? {
                return Ok(());
            }
        }
        Err(Refusal::internal("the onboarding kept moving"))
    }

    /// Whether it is stored; not when somebody else was quicker.
    async fn stored<S, To>(&self, change: Change<Workspace, S, To>) -> Result<bool, Refusal>
    where
        S: onramp::lifecycle::Stage,
        To: onramp::lifecycle::Stage,
    {
        match self.onramp.commit(change).await {
            Ok(_) => Ok(true),
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(CommitError::NotApplied(not)) => Err(not.because.into()),
            Err(CommitError::Unknown(unknown)) => Err(unknown.cause.into()),
        }
    }
}

/// What is stored of an answer, as a form carries it: nothing of what it says, and another text for every
/// time it is given.
pub(crate) fn seen<A: Step, S: onramp::lifecycle::Stage>(
    onboarding: &Onboarding<Workspace, S>,
) -> String {
    let fact = onboarding.step(A::STORED_AS).and_then(|step| step.fact());
    fact.map_or_else(String::new, |mark| mark.commitment.to_string())
}
