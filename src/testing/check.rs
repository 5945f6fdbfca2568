//! What a scenario expects.
//!
//! ```
//! use onramp::lifecycle::WaitingFor;
//! use onramp::prelude::*;
//! use onramp::testing::{Scenario, act, check};
//! # use serde::{Deserialize, Serialize};
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! # #[derive(Serialize, Deserialize)]
//! # struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//! let scenario = Scenario::<Workspace>::new()
//!     .when(act::start())
//!     .then(check::waits_for(WaitingFor::Subject))
//!     .when(act::answer(Company { name: "Acme".into() }))
//!     .then(check::fact(|company: &Company| company.name == "Acme"))
//!     .then(check::completed());
//! ```

use chrono::{DateTime, Utc};

use crate::flow::{Facts, Plan, Step};
use crate::lifecycle::{Next, StageKind, State, StepState, WaitingFor, next};
use crate::testing::act::Refusal;
use crate::testing::story;

type Holds = Box<dyn Fn(&Seen<'_>) -> Result<(), String> + Send + Sync>;

/// Something that a scenario expects.
///
/// ```
/// use onramp::testing::{Check, check};
/// let check: Check = check::completed();
/// assert_eq!(check.to_string(), "it is completed");
/// ```
#[must_use = "a check is for a scenario"]
pub struct Check {
    text: String,
    takes_refusal: bool,
    holds: Holds,
}

/// What a check sees.
pub(super) struct Seen<'a> {
    pub(super) state: Option<&'a State>,
    pub(super) facts: &'a Facts,
    pub(super) plan: &'a Plan,
    pub(super) now: DateTime<Utc>,
    /// Why the last act was refused.
    pub(super) refusal: Option<&'a Refusal>,
}

impl Seen<'_> {
    fn due(&self) -> Next {
        self.state
            .map_or(Next::Nothing, |s| next(s, self.plan, self.now))
    }

    fn stands(&self) -> String {
        match self.state {
            None => "nobody is enrolled".to_owned(),
            Some(state) => {
                let due = self.due();
                format!("it is {}", story::stands(state, &due, state.created_at()))
            }
        }
    }

    fn expect(&self, holds: bool) -> Result<(), String> {
        if holds { Ok(()) } else { Err(self.stands()) }
    }
}

impl Check {
    fn new(
        text: impl Into<String>,
        holds: impl Fn(&Seen<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            text: text.into(),
            takes_refusal: false,
            holds: Box::new(holds),
        }
    }

    /// Whether it is about the last act's refusal, which is expected then.
    pub(super) fn takes_refusal(&self) -> bool {
        self.takes_refusal
    }

    pub(super) fn holds(&self, seen: &Seen<'_>) -> Result<(), String> {
        (self.holds)(seen)
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The stage.
///
/// ```
/// use onramp::lifecycle::StageKind;
/// use onramp::testing::check;
/// assert_eq!(check::stage(StageKind::Pending).to_string(), "it is pending");
/// ```
pub fn stage(wanted: StageKind) -> Check {
    Check::new(format!("it is {wanted}"), move |seen| {
        seen.expect(seen.state.is_some_and(|state| state.stage() == wanted))
    })
}

/// It is completed.
///
/// ```
/// use onramp::testing::check;
/// assert_eq!(check::completed().to_string(), "it is completed");
/// ```
pub fn completed() -> Check {
    stage(StageKind::Completed)
}

/// It has failed, by the problem with this code, and nothing is left behind.
///
/// ```
/// use onramp::testing::check;
/// assert_eq!(check::failed("no_room").to_string(), "it failed by no_room, and all was taken back");
/// ```
pub fn failed(code: impl Into<String>) -> Check {
    let code = code.into();
    let text = format!("it failed by {code}, and all was taken back");
    Check::new(text, move |seen| {
        let failed = seen.state.and_then(State::failed);
        seen.expect(failed.is_some_and(|f| f.failure.code() == code && f.remaining.is_empty()))
    })
}

/// It waits for these.
///
/// ```
/// use onramp::lifecycle::WaitingFor;
/// use onramp::testing::check;
/// let check = check::waits_for(WaitingFor::ThirdParty);
/// assert_eq!(check.to_string(), "it waits for the third party");
/// ```
pub fn waits_for(whom: WaitingFor) -> Check {
    let text = format!("it waits for the {}", whom.as_str().replace('_', " "));
    Check::new(text, move |seen| {
        seen.expect(matches!(seen.due(), Next::Wait { on, .. } if on == whom))
    })
}

/// The step whose fact is `T` is settled: done, skipped, or it does not apply.
///
/// ```
/// # use onramp::flow::Step;
/// use onramp::testing::{Check, check};
/// fn is_through<T: Step>() -> Check {
///     check::settled::<T>()
/// }
/// ```
pub fn settled<T: Step>() -> Check {
    Check::new(format!("{} is settled", T::NAME), |seen| {
        let step = seen.plan.step(T::NAME);
        let progress = step.and_then(|step| Some(seen.state?.progress(step)));
        match progress {
            Some(progress) if progress.is_settled() => Ok(()),
            Some(progress) => Err(format!("{} is {progress:?}", T::NAME).to_lowercase()),
            None => Err(format!("nothing is known of {}", T::NAME)),
        }
    })
}

/// The fact `T` is there and is as wanted.
///
/// ```
/// # use onramp::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// use onramp::testing::check;
/// # #[derive(Serialize, Deserialize)]
/// # struct Site { url: String }
/// # impl Step for Site { const NAME: &'static str = "build_site"; }
/// let check = check::fact(|site: &Site| site.url.starts_with("https://"));
/// ```
pub fn fact<T: Step>(wanted: impl Fn(&T) -> bool + Send + Sync + 'static) -> Check {
    Check::new(
        format!("the fact of {} is as wanted", T::NAME),
        move |seen| {
            match seen.facts.get::<T>() {
                Ok(Some(fact)) if wanted(&fact) => Ok(()),
                // Its text is not shown: it is personal data.
                Ok(Some(_)) => Err(format!("the fact of {} is another one", T::NAME)),
                Ok(None) => Err(format!("{} has no fact", T::NAME)),
                Err(error) => Err(error.to_string()),
            }
        },
    )
}

/// There is no fact `T`.
///
/// ```
/// # use onramp::flow::Step;
/// use onramp::testing::{Check, check};
/// fn is_taken_back<T: Step>() -> Check {
///     check::no_fact::<T>()
/// }
/// ```
pub fn no_fact<T: Step>() -> Check {
    Check::new(format!("{} has no fact", T::NAME), |seen| {
        match seen.facts.encoded(T::NAME) {
            None => Ok(()),
            Some(_) => Err(format!("{} has one", T::NAME)),
        }
    })
}

/// So many attempts at the task whose fact is `T` were reported on.
///
/// ```
/// # use onramp::flow::Step;
/// use onramp::testing::{Check, check};
/// fn took_three<T: Step>() -> Check {
///     check::attempts::<T>(3)
/// }
/// ```
pub fn attempts<T: Step>(wanted: u32) -> Check {
    Check::new(format!("{} took {wanted} attempts", T::NAME), move |seen| {
        let known = seen.state.and_then(|state| state.step(T::NAME));
        match known.map_or(0, StepState::attempts) {
            took if took == wanted => Ok(()),
            took => Err(format!("{} took {took}", T::NAME)),
        }
    })
}

/// The last act was refused, and this is part of the reason. Without this check a refusal breaks the
/// scenario.
///
/// ```
/// use onramp::testing::check;
/// let check = check::refused("is settled already");
/// assert_eq!(check.to_string(), "it is refused: \"is settled already\"");
/// ```
pub fn refused(part: impl Into<String>) -> Check {
    let part = part.into();
    let check = Check::new(format!("it is refused: {part:?}"), move |seen| {
        match seen.refusal.map(ToString::to_string) {
            Some(reason) if reason.contains(&part) => Ok(()),
            Some(reason) => Err(format!("it is refused: {reason:?}")),
            None => Err(format!("it was not refused: {}", seen.stands())),
        }
    });
    Check {
        takes_refusal: true,
        ..check
    }
}

/// Anything else that the rules know.
///
/// ```
/// use onramp::testing::check;
/// let check = check::that("it was started", |state| state.started_at().is_some());
/// assert_eq!(check.to_string(), "it was started");
/// ```
pub fn that(
    text: impl Into<String>,
    holds: impl Fn(&State) -> bool + Send + Sync + 'static,
) -> Check {
    Check::new(text, move |seen| {
        seen.expect(seen.state.is_some_and(&holds))
    })
}
