//! An onboarding whose stage is not known before it is looked at.

#[cfg(feature = "store")]
use std::marker::PhantomData;

use crate::flow::Flow;
use crate::id::{OnboardingId, Revision};
#[cfg(feature = "store")]
use crate::lifecycle::digest::Digest;
use crate::lifecycle::onboarding::Onboarding;
#[cfg(feature = "store")]
use crate::lifecycle::stage::StageData;
use crate::lifecycle::stage::{Completed, Failed, InProgress, Pending, StageKind};
use crate::lifecycle::state::State;

/// An onboarding as it was found, in whichever stage.
///
/// ```
/// # use onramp::prelude::*;
/// fn describe<F: Flow>(found: &Loaded<F>) -> &'static str {
///     match found {
///         Loaded::Pending(_) => "not begun",
///         Loaded::InProgress(_) => "under way",
///         Loaded::Completed(_) => "done",
///         Loaded::Failed(failed) if failed.stage().remaining.is_empty() => "failed",
///         Loaded::Failed(_) => "failed, with something left to undo",
///     }
/// }
/// ```
#[must_use = "a handle is the only way to go on without loading again"]
pub enum Loaded<F> {
    /// Created; nothing has begun.
    Pending(Onboarding<F, Pending>),
    /// Begun.
    InProgress(Onboarding<F, InProgress>),
    /// Done.
    Completed(Onboarding<F, Completed>),
    /// Given up.
    Failed(Onboarding<F, Failed>),
}

macro_rules! loaded {
    ($($stage:ident $into:ident $say:literal)+) => {
        impl<F: Flow> Loaded<F> {
            $(
                #[doc = concat!("The handle, if it is ", $say, ".")]
                ///
                /// # Errors
                /// Gives itself back in any other stage.
                pub fn $into(self) -> Result<Onboarding<F, $stage>, Self> {
                    match self {
                        Self::$stage(onboarding) => Ok(onboarding),
                        other => Err(other),
                    }
                }
            )+

            /// The stage.
            #[must_use]
            pub fn stage(&self) -> StageKind {
                match self {
                    $(Self::$stage(_) => StageKind::$stage,)+
                }
            }

            /// The onboarding's identity.
            #[must_use]
            pub fn id(&self) -> OnboardingId {
                match self {
                    $(Self::$stage(onboarding) => onboarding.id(),)+
                }
            }

            /// The revision that the handle is as of.
            #[must_use]
            pub fn revision(&self) -> Revision {
                match self {
                    $(Self::$stage(onboarding) => onboarding.revision(),)+
                }
            }

            /// The same as untyped state, for the rules and for reading.
            #[must_use]
            pub fn into_state(self) -> State {
                match self {
                    $(Self::$stage(onboarding) => onboarding.into_state(),)+
                }
            }
        }

        impl<F> std::fmt::Debug for Loaded<F> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$stage(onboarding) => onboarding.fmt(f),)+
                }
            }
        }

        #[cfg(feature = "store")]
        impl<F> Loaded<F> {
            /// Only for what is durably stored.
            pub(crate) fn from_stored(state: State, head: Digest) -> Self {
                let State { common, stage } = state;
                let flow = PhantomData;
                match stage {
                    $(StageData::$stage(stage) => {
                        Self::$stage(Onboarding { common, stage, head, flow })
                    })+
                }
            }
        }
    };
}

loaded! {
    Pending into_pending "`Pending`"
    InProgress into_in_progress "`InProgress`"
    Completed into_completed "`Completed`"
    Failed into_failed "`Failed`"
}
