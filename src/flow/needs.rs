//! What a task or a condition reads: one fact, an optional fact, or a tuple of both.

use crate::flow::plan_step::Need;
use crate::flow::{FactError, Facts, Step};
use crate::id::StepName;

/// Facts that a task or condition asks for: `()`, `Fact`, `Option<Fact>`, or a tuple of up to
/// eight of the latter two.
///
/// `Fact` is the fact of a step that everybody goes through; `Option<Fact>` is `None` where an
/// optional step was skipped or a conditional one did not apply.
///
/// ```
/// use onramp::flow::{Needs, Step};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Branding { color: String }
/// # impl Step for Branding { const NAME: &'static str = "branding"; }
/// let needs = <(Company, Option<Branding>)>::list();
/// assert_eq!(needs.len(), 2);
/// assert!(!needs[0].optional && needs[1].optional);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be needed: it is not the fact of a step",
    label = "not a fact, an optional fact, or a tuple of up to eight of them",
    note = "a fact has a stored name: `impl Step for {Self} {{ const NAME: &'static str = \"...\"; }}`"
)]
pub trait Needs: Sized + Send + 'static {
    /// The facts as a nested list, for the compile-time check.
    #[doc(hidden)]
    type List;

    /// The steps asked for.
    fn list() -> Vec<Need>;

    /// Reads the typed facts.
    ///
    /// # Errors
    /// [`FactError`] when a required fact is missing or a fact does not decode.
    fn gather(facts: &Facts) -> Result<Self, FactError>;
}

#[diagnostic::do_not_recommend]
impl Needs for () {
    type List = ();

    fn list() -> Vec<Need> {
        Vec::new()
    }

    fn gather(_: &Facts) -> Result<Self, FactError> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Step> Needs for T {
    type List = (T, ());

    fn list() -> Vec<Need> {
        vec![Need {
            step: StepName::from_static(T::STORED_AS),
            optional: false,
        }]
    }

    fn gather(facts: &Facts) -> Result<Self, FactError> {
        facts.get::<T>()?.ok_or_else(|| {
            FactError::new(
                StepName::from_static(T::STORED_AS),
                "is needed and does not exist".to_owned(),
            )
        })
    }
}

#[diagnostic::do_not_recommend]
impl<T: Step> Needs for Option<T> {
    type List = (Option<T>, ());

    fn list() -> Vec<Need> {
        vec![Need {
            step: StepName::from_static(T::STORED_AS),
            optional: true,
        }]
    }

    fn gather(facts: &Facts) -> Result<Self, FactError> {
        facts.get::<T>()
    }
}

macro_rules! nested {
    () => { () };
    ($head:ident $($tail:ident)*) => { ($head, nested!($($tail)*)) };
}

macro_rules! tuple_needs {
    ($($fact:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<$($fact: Needs),+> Needs for ($($fact,)+) {
            type List = nested!($($fact)+);

            fn list() -> Vec<Need> {
                let mut all = Vec::new();
                $(all.extend($fact::list());)+
                all
            }

            fn gather(facts: &Facts) -> Result<Self, FactError> {
                Ok(($($fact::gather(facts)?,)+))
            }
        }
    };
}

tuple_needs!(A);
tuple_needs!(A B);
tuple_needs!(A B C);
tuple_needs!(A B C D);
tuple_needs!(A B C D E);
tuple_needs!(A B C D E G);
tuple_needs!(A B C D E G H);
tuple_needs!(A B C D E G H I);
