//! The compile-time need check: a type list of what earlier steps provide.
//!
//! `Steps<F, P>` carries `P`, a list `(Newest, (Older, (.., ())))`. Asking for a fact walks the
//! list; the index parameters are inferred and tell the walk's candidates apart. No host ever
//! names a type of this file.

use std::marker::PhantomData;

/// The step yields its fact for everybody.
#[derive(Debug)]
pub struct Always<T>(PhantomData<fn() -> T>);
/// The step may be skipped or may not apply.
#[derive(Debug)]
pub struct Sometimes<T>(PhantomData<fn() -> T>);

/// Found at the head, as it was asked for.
#[derive(Debug)]
pub struct Here;
/// Found at the head, a certain fact asked for as an optional one.
#[derive(Debug)]
pub struct HereCertain;
/// Found further down.
#[derive(Debug)]
pub struct Below<I>(PhantomData<I>);

/// Stands for a condition where a message says who needs a fact.
#[derive(Debug)]
pub struct ThisCondition;

/// The list `P` provides the fact `Self` for `For`.
///
/// The fact is `Self`, not the list: so a message is about the fact, and a condition's fact may be
/// inferred after the bound was first looked at.
#[diagnostic::on_unimplemented(
    message = "`{For}` needs the fact `{Self}`, and no earlier step of the flow is sure to provide it",
    label = "needs `{Self}`, which is not there yet",
    note = "put the step that yields `{Self}` before this one: `.ask::<_>()`, `.expect::<_>()` or `.run(_)`",
    note = "if that step is there but optional or conditional, need `Option<{Self}>`"
)]
pub trait ProvidedBy<P, Index, For> {}

// Not recommended: how the list is walked is of no use to one who forgot a step.
#[diagnostic::do_not_recommend]
impl<T, P, For> ProvidedBy<(Always<T>, P), Here, For> for T {}
#[diagnostic::do_not_recommend]
impl<T, P, For> ProvidedBy<(Sometimes<T>, P), Here, For> for Option<T> {}
#[diagnostic::do_not_recommend]
impl<T, P, For> ProvidedBy<(Always<T>, P), HereCertain, For> for Option<T> {}
#[diagnostic::do_not_recommend]
impl<N, H, P, I, For> ProvidedBy<(H, P), Below<I>, For> for N where N: ProvidedBy<P, I, For> {}

/// The list `Self` provides everything in the list `Wanted` for `For`.
pub trait Provides<Wanted, Indices, For> {}

#[diagnostic::do_not_recommend]
impl<P, For> Provides<(), (), For> for P {}
impl<P, N, Rest, I, J, For> Provides<(N, Rest), (I, J), For> for P
where
    N: ProvidedBy<P, I, For>,
    P: Provides<Rest, J, For>,
{
}
