//! The table of legal operations is the same at run time, at compile time, and in the cases that
//! show it: an edge that is added or taken away without its case fails here.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod table {
    pub(crate) mod typed;
}

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use onramp::Actor;
use onramp::lifecycle::{Operation, StageKind};
use table::typed::{OF_NO_HANDLE, typed};

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
    let (import, _) = OF_NO_HANDLE;
    let typed = typed().into_iter().map(|(operation, ..)| operation);
    let typed: BTreeSet<_> = typed.collect();
    assert!(!typed.contains(&import));
    assert_eq!(hosts, typed.into_iter().chain([import]).collect());
}

#[test]
fn what_is_of_no_handle_is_a_hosts_alone_and_leads_nowhere_else() {
    let (import, edges) = OF_NO_HANDLE;
    assert_eq!(import.edges(), edges);
    assert_eq!(import.stages(), [StageKind::Pending]);
    // Nobody who is known by a name can claim what was elsewhere.
    let others = [Actor::Subject, Actor::Operator("ann".into())];
    assert!(import.open_to(&Actor::Host) && !others.iter().any(|who| import.open_to(who)));
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
