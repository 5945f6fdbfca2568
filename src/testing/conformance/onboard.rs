//! Real onboardings for the clauses: every commit is one that the rules would make.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::flow::{EncodedFact, Kind, Plan, PlanStep};
use crate::id::{Actor, CommandId, Fence, FlowName, Key, OnboardingId, SubjectId, TenantId};
use crate::lifecycle::{Action, Command, Digest, Event, Happened, State};
use crate::store::{
    ClaimRequest, Commit, CommitOutcome, Created, FactChange, FactRecord, Lease, NewOnboarding,
    OutboxMessage, Proposal, Row, Store, WorkerId, mark, prepare,
};
use crate::time::{Clock, SystemClock};

/// A tenant and a flow of the clause's own, on the store under test.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) store: Arc<dyn Store>,
    pub(super) plan: Arc<Plan>,
    pub(super) tenant: TenantId,
    pub(super) worker: WorkerId,
}

pub(super) fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Place {
    pub(super) fn new(store: Arc<dyn Store>) -> Result<Self, String> {
        let name = format!("f{}", Uuid::new_v4().simple());
        let steps = vec![
            PlanStep::new("build", Kind::Task),
            PlanStep::new("company", Kind::Answer),
            PlanStep::new("payment", Kind::Evidence),
        ];
        let plan = Plan::new(FlowName::from_text(name.clone()), 1, steps).map_err(told)?;
        Ok(Self {
            store,
            plan: Arc::new(plan),
            tenant: TenantId::new(name).map_err(told)?,
            worker: WorkerId::new("conformance"),
        })
    }

    /// The same place for another tenant, whose name comes before or behind this one's.
    pub(super) fn of_another(&self, prefix: &str) -> Result<Self, String> {
        let tenant = TenantId::new(format!("{prefix}{}", self.tenant)).map_err(told)?;
        Ok(Self {
            tenant,
            ..self.clone()
        })
    }

    pub(super) fn key(&self, subject: &str) -> Result<Key, String> {
        Ok(Key {
            tenant: self.tenant.clone(),
            flow: self.plan.flow().clone(),
            subject: SubjectId::new(subject).map_err(told)?,
        })
    }

    /// A new onboarding, not yet created.
    pub(super) fn draft(&self, key: Key) -> Result<NewOnboarding, String> {
        let id = OnboardingId::fresh();
        let (state, created) = State::create(id, key, &self.plan, now());
        let revision = state.revision();
        let command = CommandId::fresh();
        let entry =
            crate::store::entry(Digest::ZERO, id, revision, command, Actor::Host, &[created])
                .map_err(told)?;
        let head = entry.hash;
        Ok(NewOnboarding {
            row: Row { state, head },
            entry,
            outbox: Vec::new(),
            due: None,
        })
    }

    pub(super) async fn create(&self, key: Key) -> Result<Created, String> {
        let new = self.draft(key)?;
        self.store.create(new).await.map_err(told)
    }

    /// An onboarding that was created and started, so that a worker has something to do.
    pub(super) async fn started(&self, subject: &str) -> Result<Row, String> {
        let row = self.create(self.key(subject)?).await?.row;
        let start = Action::Start {
            cleared: row.state.id(),
            cleared_at: now(),
        };
        self.committed(self.commit(&row, Actor::Host, start, None)?)
            .await
    }

    /// The commit of an action on a row.
    pub(super) fn commit(
        &self,
        row: &Row,
        by: Actor,
        action: Action,
        fence: Option<Fence>,
    ) -> Result<Commit, String> {
        let facts = match &action {
            Action::Submit { step, .. } | Action::Revise { step, .. } => {
                vec![FactChange::Put(fact(step.as_str(), "{\"name\":\"Acme\"}")?)]
            }
            _ => Vec::new(),
        };
        let proposal = Proposal {
            before: row,
            plan: &self.plan,
            command: CommandId::fresh(),
            commands: &[Command { by, action }],
            facts,
            fence,
            now: now(),
        };
        match prepare(proposal) {
            Ok(Some(prepared)) => Ok(prepared.commit),
            Ok(None) => Err("the suite has a mistake: it holds already".to_owned()),
            Err(refused) => Err(format!("the suite has a mistake: {refused:?}")),
        }
    }

    /// An answer to `company`: the commit that most clauses race with.
    pub(super) fn answer(&self, row: &Row) -> Result<Commit, String> {
        let fact = fact("company", "{\"name\":\"Acme\"}")?;
        let fact = mark(&fact.fact, &fact.salt);
        let step = "company".into();
        self.commit(row, Actor::Subject, Action::Submit { step, fact }, None)
    }

    /// A message on a topic, for the commit after a row.
    pub(super) fn message(&self, row: &Row, topic: &str) -> Vec<OutboxMessage> {
        vec![OutboxMessage {
            id: Uuid::new_v4(),
            key: row.state.key().clone(),
            onboarding: row.state.id(),
            revision: row.state.revision().next(),
            topic: topic.to_owned(),
            at: now(),
        }]
    }

    /// Sends a commit that has to be stored. Gives the row as it is then.
    pub(super) async fn committed(&self, commit: Commit) -> Result<Row, String> {
        let row = commit.row.clone();
        match self.store.commit(commit).await.map_err(told)? {
            CommitOutcome::Committed => Ok(row),
            other => Err(format!("a commit that fits gave {other:?}")),
        }
    }

    pub(super) async fn load(&self, id: OnboardingId) -> Result<Row, String> {
        let row = self.store.load(&self.tenant, id).await.map_err(told)?;
        row.ok_or_else(|| "an onboarding is gone".to_owned())
    }

    pub(super) async fn claim(&self, max: usize, lease: Duration) -> Result<Vec<Lease>, String> {
        self.claim_as(self.request(max).lease(lease)).await
    }

    /// A wish for onboardings of this place.
    pub(super) fn request(&self, max: usize) -> ClaimRequest {
        ClaimRequest::new(self.plan.flow(), &self.worker)
            .max(max)
            .lease(LONG)
    }

    pub(super) async fn claim_as(&self, request: ClaimRequest) -> Result<Vec<Lease>, String> {
        self.store.claim(&request).await.map_err(told)
    }

    /// The one claim that has to succeed.
    pub(super) async fn claim_one(&self, lease: Duration) -> Result<Lease, String> {
        let mut claimed = self.claim(1, lease).await?;
        claimed
            .pop()
            .ok_or_else(|| "what is due was not claimed".to_owned())
    }

    pub(super) async fn next_due(&self) -> Result<Option<Duration>, String> {
        self.due_in(std::slice::from_ref(self.plan.flow())).await
    }

    pub(super) async fn due_in(&self, flows: &[FlowName]) -> Result<Option<Duration>, String> {
        self.store.next_due(flows).await.map_err(told)
    }
}

/// A fact with a salt of its own.
pub(super) fn fact(step: &str, json: &str) -> Result<FactRecord, String> {
    let fact = EncodedFact::from_stored(crate::StepName::from_text(step), 1, json.to_owned());
    Ok(FactRecord {
        fact: fact.map_err(told)?,
        salt: *Uuid::new_v4().as_bytes(),
        by: Actor::Subject,
        at: now(),
    })
}

/// What a worker commits when it goes on under its lease: the task failed, try it again now.
pub(super) fn failed_attempt(attempt: u32) -> Action {
    Action::FailAttempt {
        step: "build".into(),
        attempt,
        failure: crate::flow::Failure::from(crate::flow::Problem::PANICKED),
        retryable: true,
        roll: crate::flow::Roll::from_bits(0),
    }
}

pub(super) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// Whether events hold one that is called so.
pub(super) fn tells(events: &[Event], name: &str) -> bool {
    events
        .iter()
        .map(|event| &event.happened)
        .any(|h: &Happened| h.name() == name)
}

pub(super) async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Long enough that nothing runs out by itself.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// Short enough to be waited for.
pub(super) const SHORT: Duration = Duration::from_millis(40);
