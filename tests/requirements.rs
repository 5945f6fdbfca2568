//! Every requirement has its test: `tests/REQUIREMENTS.md` names one for each, and each is there.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What the users asked for, by its number in their documents. Section C is the lifecycle's.
const REQUIRED: &[&str] = &[
    // A: one source of truth
    "S000-01", "S000-02", "S000-03", "S000-04", "S000-05", "S000-06", "S000-07",
    // B: storage tiers
    "S001-01", "S001-02", "S001-03", "S001-04", "S001-05", "S001-06", "S001-07", "S001-08",
    "S001-09", "S001-10", "S001-11", // C: lifecycle, concurrency, failure
    "REC-1", "GAP-001", "GAP-003", "REC-4", "GAP-004", "REC-2", "GAP-009", "GAP-008", "GAP-012",
    "GAP-013", "S003-09", "S003-12", "S003-14", "S004-05",
    // D: what people and systems put in
    "GAP-002", "GAP-005", "GAP-016", "GAP-018", "S003-01", "S003-04", "S003-06", "S003-02",
    "S003-03", "S004-01", "S004-03", "S004-06", "S004-07", "S004-14",
    // E: what people and operators see
    "GAP-006", "GAP-007", "GAP-010", "GAP-014", "GAP-015", "S003-10", "S003-13", "S004-04",
    "S004-11", "S004-12", "S004-10",
];

/// The rows of the table: what is required, and its tests as `file::function`.
fn rows(text: &str) -> Vec<(String, Vec<String>)> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("::"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let tests = cells.last().unwrap().split(", ");
        let tests = tests.map(|test| test.trim().trim_matches('`').to_owned());
        (cells[0].to_owned(), tests.collect())
    })
    .collect()
}

/// What is wrong with a table, given the files beside it.
fn problems(text: &str, folder: &Path) -> Vec<String> {
    let rows = rows(text);
    let named: BTreeSet<_> = rows.iter().flat_map(|(ids, _)| ids.split(", ")).collect();
    let required: BTreeSet<_> = REQUIRED.iter().copied().collect();
    let missing = required
        .difference(&named)
        .map(|id| format!("{id} has no test"));
    let mut problems: Vec<_> = missing.collect();
    for (ids, tests) in &rows {
        for test in tests {
            let (file, function) = test.split_once("::").unwrap_or((test, ""));
            let source = fs::read_to_string(folder.join(file)).unwrap_or_default();
            let declared = format!("fn {function}(");
            let before = source.split_once(&declared).map(|(before, _)| before);
            // Its attribute is among the few lines before it.
            let is_test = before.is_some_and(|before| {
                let mut lines = before.lines().rev().take(4);
                lines.any(|line| line.contains("test]") || line.contains("::test("))
            });
            if !is_test {
                problems.push(format!("{ids}: there is no test {test}"));
            }
        }
    }
    problems
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

#[test]
fn every_requirement_has_a_test_that_is_there() {
    let text = fs::read_to_string(folder().join("REQUIREMENTS.md")).unwrap();
    let found = problems(&text, &folder());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_check_can_fail() {
    let text = fs::read_to_string(folder().join("REQUIREMENTS.md")).unwrap();
    let without = text.replace("| S000-01 ", "| S999-01 ");
    assert_eq!(problems(&without, &folder()), ["S000-01 has no test"]);
    let renamed = text.replace(
        "commit.rs::a_hundred_sign_ups_at_once",
        "commit.rs::a_thousand_sign_ups_at_once",
    );
    assert!(!problems(&renamed, &folder()).is_empty());
}
