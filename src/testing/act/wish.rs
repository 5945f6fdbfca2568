//! What the host and the subject wish.

use std::sync::Arc;

use crate::flow::{Answer, Evidence, Flow};
use crate::lifecycle::{
    Change, Failed, InProgress, Onboarding, Operation, Pending, Rejected, Stage, StageKind,
};
use crate::testing::act::commit::{Kept, begin, commit, enrolled};
use crate::testing::act::{Act, Refusal};

type Running<F> = Onboarding<F, InProgress>;

/// Checks the gates and starts. What needs a started onboarding does this by itself; so it is for
/// tests of gates, and for evidence that comes between the start and the first answer.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Scenario, act, check};
/// fn is_closed<F: Flow>() -> Scenario<F> {
///     Scenario::new().when(act::start()).then(check::refused("platform_not_ready"))
/// }
/// ```
pub fn start<F: Flow>() -> Act<F> {
    Act::new("start", |world| {
        Box::pin(async move {
            let row = enrolled(world).await?;
            begin(world, row).await
        })
    })
}

/// The subject answers.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn says<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
///     act::answer(answer)
/// }
/// ```
pub fn answer<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
    let kept = Kept::of(&answer);
    Act::new(format!("answer {}", A::NAME), move |world| {
        let answer = kept.again::<A>();
        Box::pin(async move {
            let answer = answer?;
            commit(world, |running: Running<F>| running.submit(answer)).await
        })
    })
}

/// The subject changes an answer.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn corrects<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
///     act::revise(answer)
/// }
/// ```
pub fn revise<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
    let kept = Kept::of(&answer);
    Act::new(format!("revise {}", A::NAME), move |world| {
        let answer = kept.again::<A>();
        Box::pin(async move {
            let answer = answer?;
            commit(world, |running: Running<F>| running.revise(answer)).await
        })
    })
}

/// The subject passes an optional step by.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn passes<F: Flow, A: Answer<F>>() -> Act<F> {
///     act::skip::<F, A>()
/// }
/// ```
pub fn skip<F: Flow, A: Answer<F>>() -> Act<F> {
    Act::new(format!("skip {}", A::NAME), |world| {
        Box::pin(commit(world, |running: Running<F>| running.skip::<A>()))
    })
}

/// The host attests evidence. As the first act it comes early, before the start; it may also come ahead
/// of its turn, again, or after a failure.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn webhook<F: Flow, E: Evidence<F>>(evidence: E) -> Act<F> {
///     act::evidence(evidence)
/// }
/// ```
pub fn evidence<F: Flow, E: Evidence<F>>(evidence: E) -> Act<F> {
    let kept = Kept::of(&evidence);
    Act::new(format!("attest {}", E::NAME), move |world| {
        let evidence = kept.again::<E>();
        Box::pin(async move {
            let evidence = evidence?;
            match enrolled(world).await?.state.stage() {
                StageKind::Pending => {
                    commit(world, |it: Onboarding<F, Pending>| it.attest(evidence)).await
                }
                StageKind::Failed => {
                    commit(world, |it: Onboarding<F, Failed>| it.attest(evidence)).await
                }
                StageKind::InProgress => commit(world, |it: Running<F>| it.attest(evidence)).await,
                stage @ StageKind::Completed => Err(wrong(Operation::Attest, stage)),
            }
        })
    })
}

/// The host cancels.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Scenario, act, check};
/// fn gives_up<F: Flow>() -> Scenario<F> {
///     Scenario::new().when(act::cancel()).then(check::failed("cancelled"))
/// }
/// ```
pub fn cancel<F: Flow>() -> Act<F> {
    Act::new("cancel", |world| {
        Box::pin(async move {
            match enrolled(world).await?.state.stage() {
                StageKind::Pending => {
                    commit(world, |it: Onboarding<F, Pending>| it.cancel::<Failed>()).await
                }
                StageKind::InProgress => {
                    commit(world, |it: Running<F>| it.cancel::<InProgress>()).await
                }
                stage => Err(wrong(Operation::Cancel, stage)),
            }
        })
    })
}

/// The host goes on after a failure.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn again<F: Flow>() -> Act<F> {
///     act::retry()
/// }
/// ```
pub fn retry<F: Flow>() -> Act<F> {
    change("retry", |failed: Onboarding<F, Failed>| failed.retry())
}

/// The host goes on taking back what could not be taken back.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn cleans_up<F: Flow>() -> Act<F> {
///     act::retry_undo()
/// }
/// ```
pub fn retry_undo<F: Flow>() -> Act<F> {
    change("retry the undo", |failed: Onboarding<F, Failed>| {
        failed.retry_undo()
    })
}

/// Any other operation, by a name for messages. One that takes an onboarding in progress starts it
/// first.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn forgets<F: Flow>() -> Act<F> {
///     act::change("erase", |done: Onboarding<F, Completed>| done.erase::<Completed>())
/// }
/// ```
pub fn change<F, From, To, C>(text: impl Into<String>, change: C) -> Act<F>
where
    F: Flow,
    From: Stage,
    To: Stage,
    C: Fn(Onboarding<F, From>) -> Change<F, From, To> + Send + Sync + 'static,
{
    let change = Arc::new(change);
    Act::new(text, move |world| {
        let change = Arc::clone(&change);
        Box::pin(commit(world, move |it| change(it)))
    })
}

fn wrong(operation: Operation, stage: StageKind) -> Refusal {
    Refusal::Rejected(Rejected::WrongStage { operation, stage })
}
