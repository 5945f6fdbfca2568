//! Which stage follows by the types, as values.

use std::marker::PhantomData;

use onramp::lifecycle::{
    CanAdopt, CanApprove, CanAttest, CanCancel, CanComplete, CanDismiss, CanDraft, CanErase,
    CanLogin, CanPark, CanReopen, CanRetry, CanRetryUndo, CanRevise, CanSkip, CanStart, CanSubmit,
    CanUnpark, CanWaive, Completed, Failed, InProgress, Operation, Pending, Stage, StageKind,
};

/// Says at run time which stage follows, or `None` where the bound does not hold: an associated
/// constant of the type itself, where its bound holds, hides the trait's.
struct Edge<T>(PhantomData<T>);

trait NoEdge {
    const TO: Option<StageKind> = None;
}
impl<T> NoEdge for Edge<T> {}

macro_rules! typed_table {
    ($($operation:ident $can:ident $module:ident;)+) => {
        $(mod $module {
            use super::*;

            pub(crate) struct By<S>(PhantomData<S>);
            impl<S: $can> Edge<By<S>> {
                pub(crate) const TO: Option<StageKind> = Some(<S::To as Stage>::KIND);
            }
        })+

        /// Every operation of hosts in every stage, and where it leads.
        pub(crate) fn typed() -> Vec<(Operation, StageKind, Option<StageKind>)> {
            vec![$(
                (Operation::$operation, StageKind::Pending, Edge::<$module::By<Pending>>::TO),
                (Operation::$operation, StageKind::InProgress, Edge::<$module::By<InProgress>>::TO),
                (Operation::$operation, StageKind::Completed, Edge::<$module::By<Completed>>::TO),
                (Operation::$operation, StageKind::Failed, Edge::<$module::By<Failed>>::TO),
            )+]
        }
    };
}

/// The one operation of hosts that no handle has. It takes many in, as a source has them, and whether one
/// is pending or completed afterwards is told by its record: no type can know it before.
pub(crate) const OF_NO_HANDLE: (Operation, [(StageKind, StageKind); 2]) = (
    Operation::Import,
    [
        (StageKind::Pending, StageKind::Pending),
        (StageKind::Pending, StageKind::Completed),
    ],
);

typed_table! {
    Start CanStart start;
    Submit CanSubmit submit;
    Skip CanSkip skip;
    Revise CanRevise revise;
    Attest CanAttest attest;
    Complete CanComplete complete;
    Cancel CanCancel cancel;
    Retry CanRetry retry;
    RetryUndo CanRetryUndo retry_undo;
    Erase CanErase erase;
    Approve CanApprove approve;
    Waive CanWaive waive;
    Dismiss CanDismiss dismiss;
    Draft CanDraft draft;
    Park CanPark park;
    Unpark CanUnpark unpark;
    Login CanLogin login;
    Reopen CanReopen reopen;
    Adopt CanAdopt adopt;
}
