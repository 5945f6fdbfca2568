//! A finished flow: its plan and the code behind each step.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::flow::erased::{Condition, ErasedTask, GateCheck, PrefillSource};
use crate::flow::{Plan, Step};

pub use crate::flow::plan::InvalidFlow;

/// A finished flow, as [`Steps::build`](crate::flow::Steps::build) makes it. Cheap to clone.
///
/// ```
/// use onramp::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
/// let flow: Definition<Workspace> = Workspace::steps().ask::<Company>().build()?;
/// println!("{} has the fingerprint {}", flow.plan().flow(), flow.plan().fingerprint());
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
pub struct Definition<F> {
    parts: Arc<Parts>,
    flow: PhantomData<fn() -> F>,
}

/// What a definition holds, without the flow's type.
pub(crate) struct Parts {
    pub(crate) plan: Plan,
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "run by the engine")
    )]
    pub(crate) code: Vec<StepCode>,
    #[cfg_attr(
        not(feature = "store"),
        expect(dead_code, reason = "checked by the front door")
    )]
    pub(crate) gates: Vec<GateCode>,
    #[cfg_attr(
        not(feature = "store"),
        expect(dead_code, reason = "asked by the front door")
    )]
    pub(crate) prefills: Vec<PrefillCode>,
}

/// Where a form is filled in from.
pub(crate) type PrefillCode = Box<dyn PrefillSource>;

/// A gate, and until when it is known to be open.
pub(crate) struct GateCode {
    #[cfg_attr(
        not(feature = "store"),
        expect(dead_code, reason = "checked by the front door")
    )]
    pub(crate) gate: Box<dyn GateCheck>,
    #[cfg_attr(
        not(feature = "store"),
        expect(dead_code, reason = "checked by the front door")
    )]
    pub(crate) open_until: Mutex<Option<Instant>>,
}

impl GateCode {
    pub(crate) fn new(gate: Box<dyn GateCheck>) -> Self {
        let open_until = Mutex::default();
        Self { gate, open_until }
    }
}

/// The code behind one step, at the step's place in the plan.
#[derive(Default)]
pub(crate) struct StepCode {
    pub(crate) condition: Option<Condition>,
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "run by the engine")
    )]
    pub(crate) task: Option<Box<dyn ErasedTask>>,
    /// How an answer is read that comes as text.
    #[cfg(feature = "http")]
    pub(crate) form: Option<Box<dyn crate::flow::Form>>,
}

impl<F> Definition<F> {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            flow: PhantomData,
        }
    }

    /// The flow without its types.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.parts.plan
    }

    /// Whether the flow has the step whose fact is `T`.
    #[must_use]
    pub fn has<T: Step>(&self) -> bool {
        self.plan().step(T::STORED_AS).is_some()
    }

    #[cfg(feature = "store")]
    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }
}

impl<F> Clone for Definition<F> {
    fn clone(&self) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
            flow: PhantomData,
        }
    }
}

impl<F> std::fmt::Debug for Definition<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Definition").field(self.plan()).finish()
    }
}
