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

/// The list `Self` provides one `Fact` for `For`.
#[diagnostic::on_unimplemented(
    message = "`{For}` needs the fact `{Fact}`, and no earlier step of the flow provides it",
    label = "needs `{Fact}`, which is not there yet",
    note = "put the step that yields `{Fact}` before this one: `.ask::<_>()`, `.expect::<_>()` or `.run(_)`",
    note = "the fact `T` of an optional or conditional step is needed as `Option<T>`"
)]
pub trait ProvidesOne<Fact, Index, For> {}

impl<T, P, For> ProvidesOne<T, Here, For> for (Always<T>, P) {}
impl<T, P, For> ProvidesOne<Option<T>, Here, For> for (Sometimes<T>, P) {}
impl<T, P, For> ProvidesOne<Option<T>, HereCertain, For> for (Always<T>, P) {}
impl<N, H, P, I, For> ProvidesOne<N, Below<I>, For> for (H, P) where P: ProvidesOne<N, I, For> {}

/// The list `Self` provides everything in the list `Wanted` for `For`.
pub trait Provides<Wanted, Indices, For> {}

impl<P, For> Provides<(), (), For> for P {}
impl<P, N, Rest, I, J, For> Provides<(N, Rest), (I, J), For> for P where
    P: ProvidesOne<N, I, For> + Provides<Rest, J, For>
{
}
