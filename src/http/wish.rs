//! What a subject wishes, carried out on whatever its onboarding is by then.

use crate::flow::{EncodedFact, Filled, Flow, slot};
use crate::http::api::Shared;
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::problem::Problem;
use crate::http::{etag, idempotency};
use crate::id::{Actor, CommandId, Key, StepName};
use crate::lifecycle::{
    Change, Intent, Loaded, Operation, PutFact, Rejected, Stage, StageKind, State,
};
use crate::store::{Before, CommitError, Resolution, Row, Wish, loaded, state_as_of};

/// How often it is tried when others change the same onboarding.
pub(super) const TRIES: u32 = 4;

/// A wish that needs nothing but the onboarding.
pub(super) enum Wished {
    Submit(EncodedFact),
    Revise(EncodedFact),
    Skip(StepName),
    Draft(StepName, Filled),
    Complete,
    Retry,
}

/// Why one try came to nothing.
pub(super) enum Tried {
    /// Somebody else was quicker.
    Again,
    Refused(Problem),
}

impl Wished {
    fn operation(&self) -> Operation {
        match self {
            Self::Submit(_) => Operation::Submit,
            Self::Revise(_) => Operation::Revise,
            Self::Skip(_) => Operation::Skip,
            Self::Draft(..) => Operation::Draft,
            Self::Complete => Operation::Complete,
            Self::Retry => Operation::Retry,
        }
    }

    /// What the journal of a repetition is held against.
    fn intent(&self) -> Intent {
        match self {
            Self::Submit(fact) => Intent::Submit(put(fact)),
            Self::Revise(fact) => Intent::Revise(put(fact)),
            Self::Skip(step) => Intent::Skip { step: step.clone() },
            Self::Draft(step, filled) => Intent::Draft {
                step: step.clone(),
                put: PutFact {
                    step: slot::draft(step),
                    fact: Ok(filled.draft.clone()),
                },
                sources: filled.sources.clone(),
            },
            Self::Complete => Intent::Complete,
            Self::Retry => Intent::Retry,
        }
    }
}

fn put(fact: &EncodedFact) -> PutFact {
    PutFact {
        step: fact.step().clone(),
        fact: Ok(fact.clone()),
    }
}

/// Carries a wish out once, by the request's own key and condition. Gives the state that it led to,
/// which is that of the first time when it is repeated.
pub(super) async fn carry_out<F: Flow>(
    call: &Call<F, Access>,
    wished: &Wished,
) -> Result<State, Problem> {
    let (api, key) = (&*call.api, call.key());
    let headers = &call.parts.headers;
    let given = idempotency::command(headers, &key, wished.operation().as_str())?;
    let condition = etag::if_match(headers)?;
    if condition.is_none() && matches!(wished, Wished::Draft(..)) {
        return Err(Code::PreconditionRequired.into());
    }
    let command = given.unwrap_or_else(CommandId::fresh);
    for round in 0..TRIES {
        let row = api.find(&key).await?;
        if (given.is_some() || round > 0)
            && let Some(first) = api.repeated(&row, command, &wished.intent()).await?
        {
            return Ok(first);
        }
        if condition
            .as_ref()
            .is_some_and(|c| !c.has(row.state.revision()))
        {
            return Err(Problem::new(Code::Stale).current(api.status(&row.state)));
        }
        let by = (call.who.actor.clone(), command);
        match api.attempt(loaded(row), wished, by).await {
            Ok(state) => return Ok(state),
            Err(Tried::Again) => {}
            Err(Tried::Refused(problem)) => return Err(problem),
        }
    }
    Err(Code::MovedOn.into())
}

impl<F: Flow> Shared<F> {
    /// A subject's onboarding; absent is what is not there, and what is somebody else's.
    pub(super) async fn find(&self, key: &Key) -> Result<Row, Problem> {
        let row = self.onramp.store().find(key).await?;
        row.ok_or_else(|| Code::NotFound.into())
    }

    async fn attempt(
        &self,
        found: Loaded<F>,
        wished: &Wished,
        by: (Actor, CommandId),
    ) -> Result<State, Tried> {
        match (wished, found) {
            (Wished::Submit(fact), Loaded::InProgress(running)) => {
                self.commit(running.submit_named(fact.clone()), by).await
            }
            (Wished::Revise(fact), Loaded::InProgress(running)) => {
                self.commit(running.revise_named(fact.clone()), by).await
            }
            (Wished::Skip(step), Loaded::InProgress(running)) => {
                self.commit(running.skip_named(step.clone()), by).await
            }
            (Wished::Draft(step, Filled { draft, sources }), Loaded::InProgress(running)) => {
                let change = running.draft_named(step.clone(), draft.clone(), sources.clone());
                self.commit(change, by).await
            }
            (Wished::Draft(step, Filled { draft, sources }), Loaded::Pending(pending)) => {
                let change = pending.draft_named(step.clone(), draft.clone(), sources.clone());
                self.commit(change, by).await
            }
            (Wished::Complete, Loaded::InProgress(running)) => {
                self.commit(running.complete(), by).await
            }
            (Wished::Retry, Loaded::Failed(failed)) => self.commit(failed.retry(), by).await,
            (wished, found) => Err(Tried::Refused(wrong_stage(
                wished.operation(),
                found.stage(),
            ))),
        }
    }

    pub(super) async fn commit<From: Stage, To: Stage>(
        &self,
        change: Change<F, From, To>,
        (actor, command): (Actor, CommandId),
    ) -> Result<State, Tried> {
        let change = change.by(actor).identified(command);
        match self.onramp.commit(change).await {
            Ok(onboarding) => Ok(onboarding.into_state()),
            Err(CommitError::Conflict(_)) => Err(Tried::Again),
            Err(CommitError::NotApplied(not)) => Err(Tried::Refused(not.because.into())),
            Err(CommitError::Unknown(unknown)) => match self.onramp.resolve(&unknown.token).await {
                Ok(Resolution::Committed(now)) => Ok(now.into_state()),
                // It may still be on its way.
                Ok(Resolution::NotCommitted(_)) | Err(_) => Err(Tried::Refused(
                    Problem::new(Code::InDoubt).because(unknown.cause),
                )),
            },
        }
    }

    /// What a command led to when it came for the first time.
    pub(super) async fn repeated(
        &self,
        row: &Row,
        command: CommandId,
        intent: &Intent,
    ) -> Result<Option<State>, Problem> {
        let store = &**self.onramp.store();
        let (tenant, id) = (&row.state.key().tenant, row.state.id());
        match Wish::of(command, intent).before(store, tenant, id).await? {
            Before::Never => Ok(None),
            Before::Other => Err(Code::IdempotencyKeyReused.into()),
            Before::Same(now) => {
                let revision = store.committed(tenant, id, command).await?;
                let then = match revision {
                    Some(revision) => state_as_of(store, tenant, id, revision).await?,
                    None => None,
                };
                Ok(Some(then.unwrap_or(now.state)))
            }
        }
    }
}

pub(super) fn wrong_stage(operation: Operation, stage: StageKind) -> Problem {
    Rejected::WrongStage { operation, stage }.into()
}
