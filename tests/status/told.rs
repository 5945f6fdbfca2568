//! An onboarding told as commands, without a store, at fixed times.

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::Plan;
use onramp::lifecycle::{
    Action, Command, Digest, Event, FactMark, Rejected, State, decide, evolve,
};
use onramp::status::Status;
use onramp::{Actor, Key, OnboardingId, SubjectId, TenantId};

pub(crate) const HOUR: i64 = 3600;

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub(crate) struct Story {
    pub(crate) plan: Plan,
    pub(crate) state: State,
    now: DateTime<Utc>,
}

impl Story {
    pub(crate) fn of(plan: Plan) -> Self {
        let key = Key {
            tenant: TenantId::new("acme").unwrap(),
            flow: plan.flow().clone(),
            subject: SubjectId::new("org-001").unwrap(),
        };
        let id = OnboardingId::from_uuid(uuid::Uuid::from_u128(7));
        let (state, _) = State::create(id, key, &plan, at(0));
        let now = at(0);
        Self { plan, state, now }
    }

    pub(crate) fn later(mut self, seconds: i64) -> Self {
        self.now += TimeDelta::seconds(seconds);
        self
    }

    pub(crate) fn tries(&self, by: Actor, action: Action) -> Result<Vec<Event>, Rejected> {
        decide(&self.state, &self.plan, &Command { by, action }, self.now)
    }

    /// A minute after what was done before.
    pub(crate) fn does(self, by: Actor, action: Action) -> Self {
        let mut story = self.later(60);
        let events = story.tries(by, action).unwrap();
        if !events.is_empty() {
            story.state = evolve(story.state, &events);
        }
        story
    }

    pub(crate) fn starts(self) -> Self {
        let (cleared, cleared_at) = (self.state.id(), self.now);
        let start = Action::Start {
            cleared,
            cleared_at,
        };
        self.does(Actor::Host, start)
    }

    pub(crate) fn answers(self, step: &'static str) -> Self {
        let (step, fact) = (step.into(), mark());
        self.does(Actor::Subject, Action::Submit { step, fact })
    }

    pub(crate) fn attests(self, step: &'static str) -> Self {
        let (step, fact) = (step.into(), mark());
        self.does(Actor::Host, Action::Attest { step, fact })
    }

    pub(crate) fn records(self, step: &'static str) -> Self {
        let (step, fact) = (step.into(), mark());
        let record = Action::Record {
            step,
            attempt: 1,
            fact,
        };
        self.does(Actor::Worker, record)
    }

    pub(crate) fn status(&self) -> Status {
        Status::of(&self.state, &self.plan, self.now)
    }

    /// When the stage of a completed one was reached last.
    pub(crate) fn stage_at(&self) -> DateTime<Utc> {
        let state = serde_json::to_value(&self.state).unwrap();
        serde_json::from_value(state["at"].clone()).unwrap()
    }
}

fn mark() -> FactMark {
    FactMark {
        version: 1,
        commitment: Digest::ZERO,
    }
}
