//! The list of steps, checked as it grows.

use std::marker::PhantomData;
use std::time::Duration;

use crate::flow::definition::{GateCode, Parts, PrefillCode, StepCode};
use crate::flow::erased::{Condition, Erase, ErasePrefill, GateCheck};
use crate::flow::plan::Plan;
use crate::flow::plan_step::{Kind, Need, PlanStep};
use crate::flow::provides::{Always, Provides, Sometimes, ThisCondition};
use crate::flow::{
    Answer, Approval, Cohort, Definition, Evidence, Flow, Gate, InvalidFlow, Needs, Prefill, Step,
    Task, Waits,
};

/// A list of steps that grows. Begun by [`Flow::steps`], finished by [`Steps::build`].
///
/// Order matters: **a step is reached when every step before it is settled.** The second type
/// parameter is the list of facts provided so far; it is inferred and never written.
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String, region: String }
/// impl Step for Company { const NAME: &'static str = "company"; }
/// impl Answer<Workspace> for Company {}
///
/// #[derive(Serialize, Deserialize)]
/// struct Branding { color: String }
/// impl Step for Branding { const NAME: &'static str = "branding"; }
/// impl Answer<Workspace> for Branding {}
///
/// #[derive(Serialize, Deserialize)]
/// struct EuTerms { accepted: bool }
/// impl Step for EuTerms { const NAME: &'static str = "eu_terms"; }
/// impl Answer<Workspace> for EuTerms {}
///
/// #[derive(Serialize, Deserialize)]
/// struct Site { url: String }
/// impl Step for Site { const NAME: &'static str = "build_site"; }
///
/// struct BuildSite;
/// impl Task<Workspace> for BuildSite {
///     type Needs = (Company, Option<Branding>); // `Option`: the step may be skipped
///     type Output = Site;
///     async fn run(
///         &self,
///         _: &TaskContext,
///         (company, _branding): (Company, Option<Branding>),
///     ) -> Result<Site, TaskError> {
///         Ok(Site { url: format!("https://{}.example", company.name) })
///     }
/// }
///
/// let flow = Workspace::steps()
///     .ask::<Company>()
///     .ask_optional::<Branding>()
///     .when(|company: &Company| company.region == "eu").ask::<EuTerms>()
///     .run(BuildSite)
///     .build()?;
/// assert_eq!(flow.plan().steps().len(), 4);
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
#[must_use = "a list of steps does nothing until it is built"]
pub struct Steps<F, P = ()> {
    list: List,
    types: PhantomData<fn() -> (F, P)>,
}

#[derive(Default)]
struct List {
    steps: Vec<PlanStep>,
    code: Vec<StepCode>,
    gates: Vec<Box<dyn GateCheck>>,
    prefills: Vec<PrefillCode>,
    deadline: Option<Duration>,
    retired: Vec<crate::id::StepName>,
}

impl List {
    fn push(&mut self, step: PlanStep, code: StepCode) {
        self.steps.push(step);
        self.code.push(code);
    }
}

fn plan_step<T: Step>(kind: Kind) -> PlanStep {
    let mut step = PlanStep::new(crate::id::StepName::from_static(T::STORED_AS), kind);
    step.data_version = T::VERSION;
    step.titled(crate::id::StepName::from_static(T::NAME))
}

/// An answer that nobody sends as text needs no code.
#[cfg_attr(
    not(feature = "http"),
    expect(clippy::extra_unused_type_parameters, reason = "read by the form")
)]
fn answer_code<F: Flow, A: Answer<F>>() -> StepCode {
    StepCode {
        #[cfg(feature = "http")]
        form: Some(Box::new(crate::flow::form::FormOf::<F, A>::new())),
        ..StepCode::default()
    }
}

fn task_step<F: Flow, T: Task<F>>(task: T) -> (PlanStep, StepCode) {
    let step = plan_step::<T::Output>(Kind::Task)
        .needing(T::Needs::list())
        .retrying(task.retry());
    let step = PlanStep {
        timeout: task.timeout(),
        ..step
    };
    let code = StepCode {
        task: Some(Box::new(Erase::<F, T>::new(task))),
        ..StepCode::default()
    };
    (step, code)
}

impl<F: Flow> Steps<F> {
    pub(crate) fn new() -> Self {
        Self {
            list: List::default(),
            types: PhantomData,
        }
    }
}

impl<F: Flow, P> Steps<F, P> {
    fn add<H>(mut self, step: PlanStep, code: StepCode) -> Steps<F, (H, P)> {
        self.list.push(step, code);
        Steps {
            list: self.list,
            types: PhantomData,
        }
    }

    /// A prerequisite that is checked before an onboarding starts.
    pub fn gate(mut self, gate: impl Gate) -> Self {
        self.list.gates.push(Box::new(gate));
        self
    }

    /// Where the form of an answer is filled in from. Those that come first go first; it completes
    /// nothing.
    pub fn prefill<S: Prefill<F>>(mut self, source: S) -> Self {
        let source = ErasePrefill::<F, S>::new(source);
        self.list.prefills.push(Box::new(source));
        self
    }

    /// The subject gives this.
    pub fn ask<A: Answer<F>>(self) -> Steps<F, (Always<A>, P)> {
        self.add(plan_step::<A>(Kind::Answer), answer_code::<F, A>())
    }

    /// The subject gives this or skips it; tasks see `Option<A>`.
    pub fn ask_optional<A: Answer<F>>(self) -> Steps<F, (Sometimes<A>, P)> {
        self.add(
            plan_step::<A>(Kind::Answer).optional(),
            answer_code::<F, A>(),
        )
    }

    /// The host attests this for a third party.
    pub fn expect<E: Evidence<F>>(self) -> Steps<F, (Always<E>, P)> {
        self.add(plan_step::<E>(Kind::Evidence), StepCode::default())
    }

    /// An operator gives this.
    pub fn approve<A: Approval<F>>(self) -> Steps<F, (Always<A>, P)> {
        self.add(plan_step::<A>(Kind::Approval), StepCode::default())
    }

    /// Nothing is done until so much time has passed. It has a name and no fact.
    pub fn pause(mut self, name: &'static str, pause: Duration) -> Self {
        let name = crate::id::StepName::from_static(name);
        self.list
            .push(PlanStep::pause(name, pause), StepCode::default());
        self
    }

    /// What happens while the step before this waits for somebody.
    ///
    /// ```
    /// use std::time::Duration;
    /// use onramp::flow::Waits;
    /// use onramp::prelude::*;
    /// # use serde::{Deserialize, Serialize};
    /// # struct Workspace;
    /// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Paid { invoice: String }
    /// # impl Step for Paid { const NAME: &'static str = "payment"; }
    /// # impl Evidence<Workspace> for Paid {}
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// let flow = Workspace::steps()
    ///     .expect::<Paid>().waiting(Waits::default().remind_after(day).expire_after(day * 14))
    ///     .build()?;
    /// # Ok::<(), onramp::flow::InvalidFlow>(())
    /// ```
    pub fn waiting(mut self, waits: Waits) -> Self {
        if let Some(step) = self.list.steps.last_mut() {
            step.waits = waits;
        }
        self
    }

    /// The answer before this cannot be revised any more once something was built on it: where the
    /// data is, say.
    pub fn immutable_once_used(mut self) -> Self {
        if let Some(step) = self.list.steps.last_mut() {
            step.immutable = true;
        }
        self
    }

    /// The step before this was added by a version of the flow, for these: by default for whoever is
    /// not completed yet.
    pub fn since(mut self, version: u32, cohort: Cohort) -> Self {
        if let Some(step) = self.list.steps.last_mut() {
            (step.since, step.cohort) = (version, cohort);
        }
        self
    }

    /// An older version of the flow had this step, and this one knowingly does without: what it
    /// yielded is kept and read by nobody.
    pub fn retired(mut self, name: &'static str) -> Self {
        let name = crate::id::StepName::from_static(name);
        self.list.retired.push(name);
        self
    }

    /// The whole has to be completed so long after the start: whoever is not is given up, and what
    /// was built is taken back.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.list.deadline = Some(deadline);
        self
    }

    /// A task produces this. Does not compile when nothing earlier provides what the task needs.
    pub fn run<T, I>(self, task: T) -> Steps<F, (Always<T::Output>, P)>
    where
        T: Task<F>,
        P: Provides<<T::Needs as Needs>::List, I, T>,
    {
        let (step, code) = task_step::<F, T>(task);
        self.add(step, code)
    }

    /// The one step that follows applies only when `condition` holds; tasks see it as an `Option`.
    ///
    /// The condition reads earlier facts, is judged once when the step is reached, and again when
    /// an answer that it read is revised. Give the argument's type: `|company: &Company| ...`.
    pub fn when<N, I, C>(self, condition: C) -> When<F, P>
    where
        N: Needs,
        P: Provides<N::List, I, ThisCondition>,
        C: Fn(&N) -> bool + Send + Sync + 'static,
    {
        When {
            steps: self,
            needs: N::list(),
            condition: Box::new(move |facts| N::gather(facts).map(|needs| condition(&needs))),
        }
    }

    /// The finished flow.
    ///
    /// # Errors
    /// [`InvalidFlow`] names steps that occur twice and names that cannot be stored.
    pub fn build(self) -> Result<Definition<F>, InvalidFlow> {
        let List {
            steps,
            code,
            gates,
            prefills,
            deadline,
            retired,
        } = self.list;
        let plan = Plan::new(F::NAME, F::VERSION, steps)?.retiring(retired)?;
        let plan = match deadline {
            Some(deadline) => plan.within(deadline),
            None => plan,
        };
        let unasked = prefills.iter().map(|p| (p.name(), p.step()));
        plan.fillable(unasked)?;
        let gates = gates.into_iter().map(GateCode::new).collect();
        Ok(Definition::new(Parts {
            plan,
            code,
            gates,
            prefills,
        }))
    }
}

/// A step that applies only to some, not yet named. Made by [`Steps::when`].
///
/// ```
/// use onramp::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # struct Signup;
/// # impl Flow for Signup { const NAME: &'static str = "signup"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Choice { paid: bool }
/// # impl Step for Choice { const NAME: &'static str = "choice"; }
/// # impl Answer<Signup> for Choice {}
/// # #[derive(Serialize, Deserialize)]
/// # struct Payment { invoice: String }
/// # impl Step for Payment { const NAME: &'static str = "payment"; }
/// # impl Evidence<Signup> for Payment {}
/// let flow = Signup::steps()
///     .ask::<Choice>()
///     .when(|choice: &Choice| choice.paid).expect::<Payment>()
///     .build()?;
/// assert!(flow.plan().steps()[1].is_conditional());
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
#[must_use = "name the step that the condition is for: `.ask`, `.expect` or `.run`"]
pub struct When<F, P> {
    steps: Steps<F, P>,
    needs: Vec<Need>,
    condition: Condition,
}

impl<F: Flow, P> When<F, P> {
    fn add<T>(self, step: PlanStep, mut code: StepCode) -> Steps<F, (Sometimes<T>, P)> {
        code.condition = Some(self.condition);
        self.steps.add(step.conditional_on(self.needs), code)
    }

    /// The subject gives this, if the condition holds.
    pub fn ask<A: Answer<F>>(self) -> Steps<F, (Sometimes<A>, P)> {
        self.add(plan_step::<A>(Kind::Answer), answer_code::<F, A>())
    }

    /// The host attests this, if the condition holds.
    pub fn expect<E: Evidence<F>>(self) -> Steps<F, (Sometimes<E>, P)> {
        self.add(plan_step::<E>(Kind::Evidence), StepCode::default())
    }

    /// An operator gives this, if the condition holds.
    pub fn approve<A: Approval<F>>(self) -> Steps<F, (Sometimes<A>, P)> {
        self.add(plan_step::<A>(Kind::Approval), StepCode::default())
    }

    /// A task produces this, if the condition holds.
    pub fn run<T, I>(self, task: T) -> Steps<F, (Sometimes<T::Output>, P)>
    where
        T: Task<F>,
        P: Provides<<T::Needs as Needs>::List, I, T>,
    {
        let (step, code) = task_step::<F, T>(task);
        self.add(step, code)
    }
}
