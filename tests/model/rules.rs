//! The library's own rules, as the model asks them.
//!
//! Every transition of a row is a commit that the library makes (`testing::commits`): what is checked is
//! the code and not a drawing of it. Rules are pure, so each question is asked once: a row is a number,
//! and what follows from a row and a wish is remembered. That is what makes millions of states cheap.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use onramp::flow::{Kind, Need, Plan, PlanStep, RetryPolicy};
use onramp::lifecycle::{Event, State, evolve};
use onramp::store::{Commit, QueueChange};
use onramp::testing::commits;
use onramp::{Key, SubjectId, TenantId};
use uuid::Uuid;

use crate::model::guard::{Guard, Guards};
use crate::model::look::{self, Look};
use crate::model::sabotage;
use crate::model::store::Queue;
use crate::model::wishes::{self, QUESTION, Wish, now};

/// A row that came up, by the order in which it did.
pub(crate) type RowId = u32;

/// How often a task is attempted.
pub(crate) const ATTEMPTS: u16 = 2;

/// How many steps there are.
pub(crate) const STEPS: u8 = 3;

/// What a wish leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided {
    pub(crate) row: RowId,
    pub(crate) queue: Queue,
    pub(crate) tells: Option<u16>,
    events: usize,
}

pub(crate) struct Rules {
    plan: Plan,
    guards: Guards,
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    states: Vec<(Arc<State>, Look)>,
    ids: HashMap<String, RowId>,
    decided: HashMap<(RowId, Wish), Option<Decided>>,
    events: Vec<Arc<Vec<Event>>>,
    folded: HashMap<(RowId, usize), RowId>,
    messages: Vec<Uuid>,
}

impl Rules {
    /// A task, a question, and a task that is built on both. Failed attempts are due again at once.
    pub(crate) fn new(guards: Guards) -> Self {
        let retry = || RetryPolicy::new(u32::from(ATTEMPTS)).base(Duration::ZERO);
        let need = |step: &'static str| Need {
            step: step.into(),
            optional: false,
        };
        let steps = vec![
            PlanStep::new("tables", Kind::Task).retrying(retry()),
            PlanStep::new("company", Kind::Answer),
            PlanStep::new("site", Kind::Task)
                .needing(vec![need("tables"), need("company")])
                .retrying(retry()),
        ];
        Self {
            plan: Plan::new("workspace", 1, steps).unwrap(),
            guards,
            tables: RwLock::default(),
        }
    }

    /// The row of a new onboarding.
    pub(crate) fn created(&self) -> RowId {
        let key = Key {
            tenant: TenantId::new("acme").unwrap(),
            flow: self.plan.flow().clone(),
            subject: SubjectId::new("org-001").unwrap(),
        };
        let new = commits::creation(key, &self.plan, now()).unwrap();
        self.known(new.row.state)
    }

    pub(crate) fn is_task(step: u8) -> bool {
        step != QUESTION
    }

    /// What can be seen in a row.
    pub(crate) fn look(&self, row: RowId) -> Look {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.states[row as usize].1
    }

    fn state(&self, row: RowId) -> Arc<State> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&tables.states[row as usize].0)
    }

    /// What follows from a wish; none when the rules refuse it, or it holds already.
    pub(crate) fn decide(&self, row: RowId, wish: Wish) -> Option<Decided> {
        {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = tables.decided.get(&(row, wish)) {
                return *known;
            }
        }
        let before = self.state(row);
        let decided = wishes::commit(&self.plan, self.guards, &before, wish);
        let decided = decided.ok().flatten();
        let decided = decided.map(|commit| self.decided(&before, wish, commit));
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        *tables.decided.entry((row, wish)).or_insert(decided)
    }

    fn decided(&self, before: &State, wish: Wish, commit: Commit) -> Decided {
        let events = commit.entry.decode().unwrap();
        let state = sabotage::state(self.guards, before, commit.row.state);
        let failed = matches!(
            wish,
            Wish::Fail { again: true, .. } | Wish::FailUndo { again: true, .. }
        );
        let queue = match commit.queue {
            QueueChange::Keep => Queue::Keep,
            QueueChange::Wake(after) => Queue::Wake(after.is_zero()),
            QueueChange::Release(_) if failed && !self.guards.hold(Guard::RetryCounted) => {
                Queue::Hold
            }
            QueueChange::Hold => Queue::Hold,
            QueueChange::Release(after) => Queue::Release(after.is_zero()),
            QueueChange::Remove => Queue::Remove,
        };
        let row = self.known(state);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.events.push(Arc::new(events));
        assert!(
            commit.outbox.len() < 2,
            "the model has room for one message a commit"
        );
        let tells = commit.outbox.first().map(|message| {
            let known = tables.messages.iter().position(|id| *id == message.id);
            known.unwrap_or_else(|| {
                tables.messages.push(message.id);
                tables.messages.len() - 1
            }) as u16
        });
        Decided {
            row,
            queue,
            tells,
            events: tables.events.len() - 1,
        }
    }

    /// The row that a journal adds up to once these events are in it.
    pub(crate) fn fold(&self, row: RowId, decided: Decided) -> RowId {
        let (events, state) = {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = tables.folded.get(&(row, decided.events)) {
                return *known;
            }
            let events = Arc::clone(&tables.events[decided.events]);
            (events, Arc::clone(&tables.states[row as usize].0))
        };
        let folded = self.known(evolve(state.as_ref().clone(), &events));
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.folded.insert((row, decided.events), folded);
        folded
    }

    fn known(&self, state: State) -> RowId {
        let text = serde_json::to_string(&state).unwrap();
        let look = look::at(&self.plan, &state);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = tables.ids.get(&text) {
            return *id;
        }
        let id = tables.states.len() as RowId;
        tables.states.push((Arc::new(state), look));
        tables.ids.insert(text, id);
        id
    }

    /// How many rows came up.
    pub(crate) fn rows(&self) -> usize {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.states.len()
    }
}
