//! What is taken over from another system, and what that changes.
//!
//! An import cannot have what the other rules ask for: its gates were never checked here, and what it
//! calls complete was complete by rules of its own. So it claims neither. It is one event that says where
//! everything comes from; whoever was not complete stays pending with what was known, and its gates are
//! checked when it starts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::Kind;
use crate::id::{SourceName, StepName};
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::event::Happened;
use crate::lifecycle::questions::{Decision, Rules};
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::{Completed, StageData};
use crate::lifecycle::state::State;

/// What another system knew of a subject, besides facts. Times that it did not know are none.
///
/// ```
/// use onramp::lifecycle::Past;
/// let past = Past { complete: true, ..Past::default() };
/// assert_eq!(past.completed_at, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Whether it counts as complete.
    pub complete: bool,
    /// When the subject signed in for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_login_at: Option<DateTime<Utc>>,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was completed. When that is not known, the time of the import stands in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
}

/// Where an onboarding was imported from.
///
/// ```
/// # use onramp::lifecycle::State;
/// fn say(state: &State) -> String {
///     match state.imported() {
///         Some(origin) => format!("from {}, on {}", origin.source, origin.at),
///         None => "begun here".to_owned(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// The first system that it was imported from; the journal knows of every one.
    pub source: SourceName,
    /// When that was.
    pub at: DateTime<Utc>,
    /// When it was started there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
}

impl Rules<'_> {
    pub(super) fn import(
        &self,
        source: &SourceName,
        past: &Past,
        facts: &[(StepName, Kind, FactMark)],
    ) -> Decision {
        self.possible(past)?;
        let mut taken = BTreeMap::new();
        for (step, kind, fact) in facts {
            let planned = self.planned(step, *kind)?;
            let known = self.state.step(planned.name().as_str());
            let settled = known.is_some_and(|k| k.fact.is_some() || k.skipped || k.waived);
            if settled || taken.insert(step.clone(), *fact).is_some() {
                return Err(Rejected::AlreadySettled { step: step.clone() });
            }
        }
        Ok(vec![Happened::Imported {
            source: source.clone(),
            past: past.clone(),
            facts: taken,
        }])
    }

    /// What is set once cannot be mended later, so it is looked at before.
    fn possible(&self, past: &Past) -> Result<(), Rejected> {
        let no = |problem| Err(Rejected::ImpossibleTimes { problem });
        let times = [past.first_login_at, past.started_at, past.completed_at];
        if times.into_iter().flatten().any(|time| time > self.now) {
            return no("one of them is in the future");
        }
        match (past.started_at, past.completed_at) {
            (_, Some(_)) if !past.complete => no("it has a time of completion and is not complete"),
            (Some(started), Some(completed)) if completed < started => {
                no("it was completed before it was started")
            }
            _ => Ok(()),
        }
    }
}

impl State {
    /// Where it was imported from, if it was.
    #[must_use]
    pub fn imported(&self) -> Option<&Origin> {
        self.common.imported.as_deref()
    }

    /// Whether it got past its start here, where gates are checked, or was complete when it came.
    pub(crate) fn began_here(&self) -> bool {
        self.common.started_at.is_some() || self.completed_at().is_some()
    }

    /// When its steps were settled elsewhere nobody has noted, so it stays unknown.
    pub(super) fn take_over(
        &mut self,
        source: &SourceName,
        past: &Past,
        facts: &BTreeMap<StepName, FactMark>,
        at: DateTime<Utc>,
    ) {
        let common = &mut self.common;
        let fresh = || Origin {
            source: source.clone(),
            at,
            started_at: None,
        };
        let origin = common.imported.get_or_insert_with(|| Box::new(fresh()));
        origin.started_at = origin.started_at.or(past.started_at);
        common.login_at = common.login_at.or(past.first_login_at);
        for (step, fact) in facts {
            self.step_mut(step).fact = Some(*fact);
        }
        if past.complete {
            let at = past.completed_at.unwrap_or(at);
            self.stage = StageData::Completed(Completed { at });
        }
    }
}
