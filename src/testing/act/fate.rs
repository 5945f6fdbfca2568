//! What just happens: time passes, and tasks fail.

use std::time::Duration;

use crate::flow::{Flow, Step};
use crate::testing::act::Act;
use crate::testing::fault::{Fault, Planned};
use crate::testing::point::Work;

/// Time passes, and what gets due on the way is worked on.
///
/// ```
/// # use onramp::prelude::*;
/// use std::time::Duration;
/// use onramp::testing::{Act, act};
/// fn a_month_later<F: Flow>() -> Act<F> {
///     act::time_passes(Duration::from_secs(30 * 24 * 60 * 60))
/// }
/// ```
pub fn time_passes<F: Flow>(time: Duration) -> Act<F> {
    Act::new(format!("{time:?} pass"), move |world| {
        Box::pin(async move { Ok(world.pass(time).await?) })
    })
}

/// The next `times` attempts at the task whose fact is `T` fail before they have any effect.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, Fault, act};
/// fn has_a_bug<F: Flow, T: Step>() -> Act<F> {
///     act::fails::<F, T>(1, Fault::panic())
/// }
/// ```
pub fn fails<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Run, times, fault, false)
}

/// The same, after they have had their effect: an undo has to find it.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::flow::Problem;
/// use onramp::testing::{Act, Fault, act};
/// fn answers_too_late<F: Flow, T: Step>(timeout: Problem) -> Act<F> {
///     act::fails_late::<F, T>(1, Fault::retryable(timeout))
/// }
/// ```
pub fn fails_late<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Run, times, fault, true)
}

/// The next `times` attempts at taking back what gave the fact `T` fail before they do anything.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::flow::Problem;
/// use onramp::testing::{Act, Fault, act};
/// fn is_stuck<F: Flow, T: Step>(problem: Problem) -> Act<F> {
///     act::undo_fails::<F, T>(1, Fault::fatal(problem))
/// }
/// ```
pub fn undo_fails<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Undo, times, fault, false)
}

/// The next `times` verifications of the fact `T` fail, without being made: by a final error what was
/// built is built again.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::flow::Problem;
/// use onramp::testing::{Act, Fault, act};
/// fn is_gone<F: Flow, T: Step>(problem: Problem) -> Act<F> {
///     act::verify_fails::<F, T>(1, Fault::fatal(problem))
/// }
/// ```
pub fn verify_fails<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Verify, times, fault, false)
}

fn planned<F: Flow, T: Step>(work: Work, times: u32, fault: Fault, after: bool) -> Act<F> {
    let when = if after { ", after its effect" } else { "" };
    let (name, work_name, how) = (T::NAME, work.as_str(), fault.describe());
    let text = format!("{work_name} of {name} fails {times} times by {how}{when}");
    Act::new(text, move |world| {
        world.plan::<T>(work, times, Planned { fault, after });
        Box::pin(std::future::ready(Ok(())))
    })
}
