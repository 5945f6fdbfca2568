//! Since when a step waits, and what follows from that.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Kind, Plan, PlanStep};
use crate::id::StepName;
use crate::lifecycle::event::{Event, Happened};
use crate::lifecycle::next::{Next, WaitingFor};
use crate::lifecycle::stage::{InProgress, StageData};
use crate::lifecycle::state::{Progress, State};

/// Since when a step waits. Kept only for steps for which it matters: those with reminders or an
/// expiry, and pauses.
///
/// ```
/// # use onramp::lifecycle::Wait;
/// fn say(wait: &Wait) -> String {
///     format!("{} since {}, reminded {} times", wait.step, wait.since, wait.reminded)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wait {
    /// The step.
    pub step: StepName,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How many of its reminders are over.
    pub reminded: u32,
}

/// A time so long after another one; the end of time when there is none.
fn after(since: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    since
        .checked_add_signed(wait)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// When the whole has to be completed.
pub(super) fn deadline(running: &InProgress, plan: &Plan) -> Option<DateTime<Utc>> {
    plan.deadline().map(|within| after(running.since, within))
}

impl State {
    /// Until when a step of the plan has to be settled, where that is known: its patience, counted
    /// from when it began to wait, or the deadline of the whole, whichever is sooner.
    #[must_use]
    pub fn deadline(&self, plan: &Plan, step: &PlanStep) -> Option<DateTime<Utc>> {
        let StageData::InProgress(running) = &self.stage else {
            return None;
        };
        let wait = self.wait().filter(|wait| wait.step == *step.name());
        let expiry = step.waits().expiry().zip(wait);
        let expiry = expiry.map(|(patience, wait)| after(wait.since, patience));
        expiry.into_iter().chain(deadline(running, plan)).min()
    }
}

/// What is next for a step that waits, with `deadline` for the whole.
pub(super) fn next_of(
    state: &State,
    step: &PlanStep,
    on: WaitingFor,
    deadline: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Next {
    let name = || step.name().clone();
    let wait = |until: Option<DateTime<Utc>>| Next::Wait {
        on,
        step: Some(name()),
        until: until.into_iter().chain(deadline).min(),
    };
    if !step.is_timed() {
        return wait(None);
    }
    let Some(known) = state.wait().filter(|wait| wait.step == *step.name()) else {
        return Next::BeginWait { step: name() };
    };
    if step.kind() == Kind::Pause {
        let over = after(known.since, step.pauses_for());
        return match over <= now {
            true => Next::Elapse { step: name() },
            false => wait(Some(over)),
        };
    }
    let waits = step.waits();
    let expiry = waits.expiry().map(|wait| after(known.since, wait));
    if expiry.is_some_and(|at| at <= now) {
        return Next::Expire { step: Some(name()) };
    }
    let reminders = waits.reminders().iter();
    let mut reminders = reminders.map(|wait| after(known.since, *wait));
    let due = reminders.clone().filter(|at| *at <= now).count();
    let due = u32::try_from(due).unwrap_or(u32::MAX);
    if due > known.reminded {
        // Those that were missed meanwhile are over with it.
        return Next::Remind {
            step: name(),
            nth: due,
        };
    }
    let next = reminders.find(|at| *at > now);
    wait(next.into_iter().chain(expiry).min())
}

/// The beginning of a wait, when these events lead to one for which it matters.
pub(super) fn begun(
    state: &State,
    plan: &Plan,
    events: &[Event],
    at: DateTime<Utc>,
) -> Option<Event> {
    if events.is_empty() || !plan.steps().iter().any(PlanStep::is_timed) {
        return None;
    }
    let state = super::evolve(state.clone(), events);
    let StageData::InProgress(InProgress { undoing: None, .. }) = &state.stage else {
        return None;
    };
    let step = state.current(plan)?;
    let known = state.wait().is_some_and(|wait| wait.step == *step.name());
    if !step.is_timed() || known || state.progress(step) != Progress::Open {
        return None;
    }
    let step = step.name().clone();
    let happened = Happened::WaitBegan { step };
    Some(Event { at, happened })
}
