//! Which public futures there are, as the sources say, and that each is dropped somewhere here.

use std::collections::BTreeSet;

/// The same function under another name, by what is dropped in its place; and what is no part of it.
const ELSEWHERE: &[(&str, &str)] = &[
    // One body for three databases.
    (
        "src/store/sql/postgres.rs connect",
        "src/store/sql/sqlite.rs open",
    ),
    (
        "src/store/sql/postgres.rs connect_with",
        "src/store/sql/sqlite.rs open_with",
    ),
    (
        "src/store/sql/postgres.rs plan_migration",
        "src/store/sql/sqlite.rs plan_migration",
    ),
    (
        "src/store/sql/mysql.rs connect",
        "src/store/sql/sqlite.rs open",
    ),
    (
        "src/store/sql/mysql.rs connect_with",
        "src/store/sql/sqlite.rs open_with",
    ),
    (
        "src/store/sql/mysql.rs plan_migration",
        "src/store/sql/sqlite.rs plan_migration",
    ),
    (
        "src/store/sql/body.rs close",
        "src/store/sql/sqlite.rs open",
    ),
    // In a transaction of the host's, which is rolled back.
    ("src/store/join.rs create", "src/onramp.rs enroll_in"),
    ("src/store/join.rs commit", "src/onramp.rs commit_in"),
    // What a host implements, and what it is asked for by.
    ("src/flow/gate.rs check", "src/onramp/gates.rs check_gates"),
    ("src/flow/prefill.rs known", "src/onramp/prefill.rs prefill"),
    ("src/flow/task.rs run", "src/engine/worker.rs run"),
    ("src/flow/task.rs undo", "src/engine/worker.rs run"),
    ("src/flow/task.rs verify", "src/engine/worker.rs run"),
    (
        "src/onramp/reconcile.rs exists",
        "*src/onramp/reconcile.rs reconcile",
    ),
    (
        "src/onramp/reconcile.rs page",
        "*src/onramp/reconcile.rs reconcile",
    ),
];

/// Not dropped here, and why.
const NOT_HERE: &[(&str, &str)] = &[
    (
        "src/flow/cancellation.rs cancelled",
        "waits for a word and holds nothing",
    ),
    (
        "src/http/authorize.rs authorize",
        "the host's; tests/http drops requests",
    ),
    (
        "src/http/reauthenticate.rs reauthenticated",
        "the host's; asked before anything is done",
    ),
];

/// Whose futures are none of a host's: programs and test kits, whose dropping is their own subject, and the
/// sealed part of the SQL stores.
const ROOMS: &[&str] = &[
    "src/testing",
    "src/cli",
    "src/bin",
    "src/store/sql/dialect.rs",
    "src/store/sql/driver.rs",
];

/// Every public future of a source, as `"file function"`: public functions, and those of public traits.
fn futures(file: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut in_trait = false;
    let mut name = None;
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        if line.starts_with("pub trait ") {
            in_trait = true;
        } else if line == "}" {
            in_trait = false;
        }
        let public = code.strip_prefix("pub ").or(in_trait.then_some(code));
        if let Some(public) = public {
            let (waits, rest) = match public.strip_prefix("async fn ") {
                Some(rest) => (true, Some(rest)),
                None => (false, public.strip_prefix("fn ")),
            };
            if let Some(rest) = rest {
                let end = rest.find(['(', '<']).unwrap_or(rest.len());
                name = Some(rest[..end].to_owned());
                found.extend(name.clone().filter(|_| waits));
            }
        }
        // The signature may go over several lines.
        if code.contains("-> impl Future<") {
            found.extend(name.take());
        }
        if code.ends_with('{') || code.ends_with(';') {
            name = None;
        }
    }
    found
        .into_iter()
        .map(|name| format!("{file} {name}"))
        .collect()
}

fn all() -> BTreeSet<String> {
    let ours = crate::sources::sources().into_iter();
    let ours = ours.filter(|(file, _)| !ROOMS.iter().any(|room| file.starts_with(room)));
    ours.flat_map(|(file, text)| futures(&file, &text))
        .collect()
}

#[test]
fn every_public_future_is_dropped_here() {
    let dropped: BTreeSet<_> = crate::cases().map(|case| case.of).collect();
    let here: BTreeSet<_> = dropped
        .iter()
        .map(|of| of.trim_start_matches('*').to_owned())
        .collect();
    let mut known = here.clone();
    for (of, by) in ELSEWHERE {
        assert!(dropped.contains(by), "{of}: {by} is not dropped");
        known.insert((*of).to_owned());
    }
    known.extend(NOT_HERE.iter().map(|(of, _)| (*of).to_owned()));
    let all = all();
    let new: Vec<_> = all.difference(&known).collect();
    assert!(new.is_empty(), "drop these at every poll: {new:#?}");
    let gone: Vec<_> = known.difference(&all).collect();
    assert!(gone.is_empty(), "these are not there any more: {gone:#?}");
    assert!(here.len() > 80, "{}", here.len());
}

#[test]
fn a_new_future_is_found() {
    let text = "\
impl Onramp {
    /// pub async fn commented() {}
    pub async fn whole(&self) {}
    async fn private(&self) {}
    pub fn at_once(&self) {}
    pub fn spread(
        &self,
    ) -> impl Future<Output = ()> + Send {
    }
}
pub trait Store {
    async fn of_a_trait(&self);
    fn spread_too(
        &self,
    ) -> impl Future<Output = ()> + Send;
}
impl Store for Onramp {
    async fn of_a_trait(&self) {}
    fn hidden(&self) -> u8 { 0 }
}
";
    let found: Vec<_> = futures("a.rs", text).into_iter().collect();
    assert_eq!(
        found,
        [
            "a.rs of_a_trait",
            "a.rs spread",
            "a.rs spread_too",
            "a.rs whole"
        ]
    );
}
