//! Every public type, trait and function has an example in its documentation.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

/// Public only because public signatures mention them; no host names them.
const NEVER_NAMED: [&str; 10] = [
    "src/flow/provides.rs",
    "StageData",
    "src/store/sql/driver.rs",
    "src/store/sql/statements.rs",
    "src/store/sql/fault.rs",
    "src/store/sql/session.rs",
    "src/store/sql/group/batch.rs",
    "src/store/sql/write.rs: Create",
    "src/store/sql/dialect.rs: Speaks",
    "src/store/sql/dialect.rs: Class",
];

#[test]
fn every_public_item_has_an_example() {
    let mut bare = Vec::new();
    for file in sources(Path::new("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let file = file.display().to_string();
        let items = without_example(&text);
        bare.extend(items.into_iter().map(|item| format!("{file}: {item}")));
    }
    bare.retain(|item| !NEVER_NAMED.iter().any(|never| item.contains(never)));
    assert!(bare.is_empty(), "no example:\n{}", bare.join("\n"));
}

#[test]
fn the_check_can_fail() {
    let bare = "/// Says nothing.\n#[derive(Debug)]\npub struct Bare;\n";
    assert_eq!(without_example(bare), ["Bare"]);
    let shown = "/// Shows.\n///\n/// ```\n/// ```\n#[derive(\n    Debug,\n)]\npub struct Shown;\n";
    assert!(without_example(shown).is_empty());
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The names of top-level public items whose documentation holds no code block.
fn without_example(text: &str) -> Vec<String> {
    let mut bare = Vec::new();
    let mut shown = false;
    for line in text.lines() {
        if line.starts_with("///") {
            shown |= line.contains("```");
        } else if let Some(name) = public_item(line) {
            if !shown {
                bare.push(name.to_owned());
            }
            shown = false;
        } else if line.is_empty() || line == "}" {
            shown = false;
        }
    }
    bare
}

fn public_item(line: &str) -> Option<&str> {
    let item = line.strip_prefix("pub ")?;
    let kinds = ["struct ", "enum ", "trait ", "fn ", "async fn ", "type "];
    let name = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}
