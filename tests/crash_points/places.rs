//! The places in the code that write to a store, as the sources say.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::code::strip;

/// The methods of a store that change something.
const WRITES: [&str; 11] = [
    "create",
    "commit",
    "delete",
    "claim",
    "renew",
    "release",
    "park",
    "report",
    "take_outbox",
    "settle_outbox",
    "revive_outbox",
];

/// Stores themselves, and what is no part of a host's process.
const NOT_OURS: [&str; 7] = [
    "src/store/sql",
    "src/store/memory",
    "src/store/forward.rs",
    "src/store/contract.rs",
    "src/store/join.rs",
    "src/testing",
    "src/cli/commands/bench",
];

/// Struck by other tests, or with nothing to strike.
const ELSEWHERE: [(&str, &str); 2] = [
    // The kit's own way to work: its processes die at every moment in tests/kit/crashes.rs.
    ("src/engine/turn.rs", "turn"),
    // An operator's one statement, who sees what came of it and asks again.
    ("src/cli/commands/outbox.rs", "revive_outbox"),
];

/// A call of a method that writes, in a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    file: String,
    function: String,
    method: String,
}

impl Place {
    pub(crate) fn is_timed(&self) -> bool {
        matches!(
            self.method.as_str(),
            "renew" | "report" | "claim" | "take_outbox" | "park" | "release"
        )
    }

    /// Where a write comes from, by the stack: the innermost function of the library that is no store.
    pub(crate) fn of_this_call(method: &str) -> Self {
        let stack = Backtrace::force_capture().to_string();
        let lines = stack
            .lines()
            .filter_map(|line| line.trim().strip_prefix("at "));
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        for line in lines {
            let line = line.strip_prefix("./").unwrap_or(line);
            let line = line.strip_prefix(root).unwrap_or(line);
            let mut parts = line.splitn(3, ':');
            let (Some(file), Some(number)) = (parts.next(), parts.next()) else {
                continue;
            };
            if file.starts_with("src/") && !NOT_OURS.iter().any(|room| file.starts_with(room)) {
                let text = fs::read_to_string(Path::new(root).join(file)).unwrap();
                let before: Vec<_> = text.lines().take(number.parse().unwrap()).collect();
                return Self {
                    file: file.to_owned(),
                    function: enclosing(&before.join("\n")),
                    method: method.to_owned(),
                };
            }
        }
        panic!("{method} is called from nowhere:\n{stack}");
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.file, self.function, self.method)
    }
}

/// The name of the last function that begins in the code.
fn enclosing(code: &str) -> String {
    let mut found = "";
    for (at, word) in code.match_indices("fn ") {
        let whole = code[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let line = code[..at].rsplit('\n').next().unwrap_or_default();
        if whole && !line.trim_start().starts_with("//") {
            let name = &code[at + word.len()..];
            let end = name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            if end > 0 {
                found = &name[..end];
            }
        }
    }
    found.to_owned()
}

fn of_source(file: &str, text: &str) -> BTreeSet<Place> {
    let code = strip(text);
    let mut found = BTreeSet::new();
    for method in WRITES {
        for (at, _) in code.match_indices(&format!(".{method}(")) {
            let receiver = code[..at].trim_end();
            // The extension's `self` is a store.
            let is_store = receiver.ends_with("store")
                || (file == "src/store/ext.rs" && receiver.ends_with("self"));
            if is_store {
                found.insert(Place {
                    file: file.to_owned(),
                    function: enclosing(&code[..at]),
                    method: method.to_owned(),
                });
            }
        }
    }
    found
}

/// Every place of ours.
pub(crate) fn written() -> BTreeSet<Place> {
    let ours = crate::sources::sources().into_iter();
    let ours = ours.filter(|(file, _)| !NOT_OURS.iter().any(|room| file.starts_with(room)));
    let found: BTreeSet<_> = ours
        .flat_map(|(file, text)| of_source(&file, &text))
        .collect();
    assert!(found.len() > 20, "{found:#?}");
    found
}

pub(crate) fn elsewhere(place: &Place) -> bool {
    let is = |(file, name): &(&str, &str)| {
        place.file == *file && (place.function == *name || place.method == *name)
    };
    ELSEWHERE.iter().any(is)
}

#[test]
fn a_new_write_is_found() {
    let text = "\
/// store.commit(
async fn first(store: &dyn Store) {
    store.commit(commit).await;
}
fn second(&self) {
    let s = \"store.commit(\";
    self.shared
        .store
        .release(&lease)
        .await;
    onramp.commit(change).await;
}
#[cfg(test)]
mod tests { fn third() { store.create(new) } }
";
    let found: Vec<_> = of_source("src/a.rs", text)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        ["src/a.rs first: commit", "src/a.rs second: release"]
    );
}
