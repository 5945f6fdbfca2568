//! The table of legal operations is the same at run time, at compile time, and in the cases that
//! show it: an edge that is added or taken away without its case fails here.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::marker::PhantomData;
use std::path::Path;

use onramp::Actor;
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

        fn typed() -> Vec<(Operation, StageKind, Option<StageKind>)> {
            vec![$(
                (Operation::$operation, StageKind::Pending, Edge::<$module::By<Pending>>::TO),
                (Operation::$operation, StageKind::InProgress, Edge::<$module::By<InProgress>>::TO),
                (Operation::$operation, StageKind::Completed, Edge::<$module::By<Completed>>::TO),
                (Operation::$operation, StageKind::Failed, Edge::<$module::By<Failed>>::TO),
            )+]
        }
    };
}

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
    Reopen CanReopen reopen;
    Adopt CanAdopt adopt;
    Login CanLogin login;
}

#[test]
fn the_types_allow_what_the_table_allows() {
    for (operation, stage, to) in typed() {
        let legal = operation.stages().contains(&stage);
        assert_eq!(to.is_some(), legal, "{} in {stage}", operation.as_str());
    }
}

#[test]
fn every_operation_that_is_not_a_workers_alone_is_typed() {
    let hosts = |operation: &&Operation| {
        let actors = [Actor::Subject, Actor::Host, Actor::Operator("ann".into())];
        actors.iter().any(|actor| operation.open_to(actor))
    };
    let hosts: BTreeSet<_> = Operation::ALL.iter().filter(hosts).copied().collect();
    let typed: BTreeSet<_> = typed()
        .into_iter()
        .map(|(operation, ..)| operation)
        .collect();
    assert_eq!(hosts, typed);
}

#[test]
fn every_pair_has_its_case() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let legal = fs::read_to_string(ui.join("legal/every_edge.rs")).unwrap();
    let mut expected = BTreeSet::new();
    for (operation, stage, to) in typed() {
        let name = format!("{}_in_{stage}", operation.as_str());
        let handle = format!("it: Onboarding<Signup, {stage:?}>");
        if let Some(to) = to {
            let (_, case) = legal
                .split_once(&format!("fn {name}("))
                .unwrap_or_else(|| panic!("tests/ui/legal/every_edge.rs lacks {name}"));
            let case = case.split("\n}").next().unwrap();
            assert!(case.contains(&handle), "{name} is about another stage");
            assert!(
                case.contains(&format!("Change<Signup, {stage:?}, {to:?}>")),
                "{name}: wrong target"
            );
            assert!(calls(case, operation), "{name} calls something else");
        } else {
            let case = fs::read_to_string(ui.join(format!("illegal/{name}.rs")))
                .unwrap_or_else(|_| panic!("tests/ui/illegal/{name}.rs is missing"));
            assert!(case.contains(&handle), "{name} is about another stage");
            assert!(calls(&case, operation), "{name} calls something else");
            let message = fs::read_to_string(ui.join(format!("illegal/{name}.stderr"))).unwrap();
            explains(&message, operation, stage);
            expected.insert(name);
        }
    }
    let found: BTreeSet<_> = fs::read_dir(ui.join("illegal"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        found, expected,
        "a case is there for a pair that is legal, or for none"
    );
}

fn calls(case: &str, operation: Operation) -> bool {
    let name = operation.as_str();
    case.contains(&format!("it.{name}(")) || case.contains(&format!("it.{name}::<"))
}

/// The message names the operation, the stage that it was tried in, and every stage where it is legal.
fn explains(message: &str, operation: Operation, stage: StageKind) {
    let name = operation.as_str();
    let headline = message.lines().next().unwrap();
    assert!(
        headline.contains(&format!("{stage:?}")),
        "{name}: no stage in {headline:?}"
    );
    assert!(
        headline.starts_with("error[E0277]"),
        "{name}: not in our words: {headline:?}"
    );
    let label = format!("`{name}` is legal in ");
    assert!(
        message.contains(&label),
        "{name} in {stage}: the legal stages are not named"
    );
    let (_, legal) = message.split_once(&label).unwrap();
    let legal = legal.lines().next().unwrap();
    for stage in operation.stages() {
        assert!(
            legal.contains(&format!("`{stage:?}`")),
            "{name}: {stage:?} is not named"
        );
    }
}
