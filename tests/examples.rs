//! The ladder of examples does what it says: every rung is run, and what it prints compared.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// No rung is longer, so that it is read at a sitting.
const LONGEST: usize = 120;

/// No rung takes longer on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a rung prints, all of it.
const RUNGS: [(&str, &[&str]); 9] = [
    (
        "01_hello",
        &[
            "enrolled: pending",
            "started: company: waits for the subject",
            "refused: invalid answer: /name must not be empty",
            "completed: at revision 4",
            "known: Acme",
        ],
    ),
    (
        "02_typed_data",
        &[
            "waits: payment: waits for a third party",
            "waits: build_site: will wait for a worker",
            "waits: write_letter: will wait for a worker",
            "build_site: acme, inv-1, grey",
            "letter: Dear acme, you are at https://acme.example.",
        ],
    ),
    (
        "03_retry",
        &[
            "attempt 1",
            "stored: attempt_failed",
            "attempt 2",
            "stored: attempt_failed",
            "attempt 3",
            "stored: attempt_failed",
            "attempt 4",
            "stored: fact_recorded",
            "stored: completed",
            "made: one dataset, acme-",
        ],
    ),
    (
        "04_undo",
        &[
            "make create_dataset",
            "take back create_tables",
            "take back create_dataset",
            "failed with 0 left",
            "because: create_tables: it was given up: retry it (no_quota)",
            "because: create_dataset: will wait for a worker",
            "because: create_tables: will wait for a worker",
            "make create_dataset",
            "make create_tables",
            "completed with 2 made",
        ],
    ),
    (
        "05_restart",
        &[
            "worker: create_folder: attempt 1",
            "worker: create_dataset: attempt 1, new",
            "worker: killed",
            "create_dataset: attempt 2, there",
            "completed with 1 dataset",
        ],
    ),
    (
        "signup",
        &[
            "ann    signed up",
            "andy   not signed up: error returned from database: (code: 2067) UNIQUE constraint failed: users.email",
            "andy   has no onboarding",
            "ann    paid, and is completed",
        ],
    ),
    (
        "06_outbox",
        &[
            "started: sent to ann",
            "started: and the answer was lost",
            "started: sent before, so not again",
            "completed: no such address",
            "mended",
            "completed is dead (no_such_address), revived: true",
            "completed: sent to ann",
            "dead now: 0",
        ],
    ),
    (
        "07_http",
        &[
            "GET onboarding: 401",
            r#"    code: "unauthenticated""#,
            "POST onboarding/start: 202",
            r#"    stage: "in_progress""#,
            r#"    next_action: {"action":"answer","optional":false,"step":"company"}"#,
            "POST onboarding/steps/company/submit: 422",
            r#"    code: "invalid_answer""#,
            r#"    errors: [{"detail":"must not be empty","pointer":"/name"}]"#,
            "POST onboarding/steps/company/submit: 200",
            r#"    stage: "in_progress""#,
            r#"    next_action: {"action":"complete"}"#,
            "POST onboarding/complete: 200",
            r#"    stage: "completed""#,
            r#"    next_action: {"action":"proceed"}"#,
            "GET onboarding: 200",
            r#"    stage: "completed""#,
            r#"    next_action: {"action":"proceed"}"#,
        ],
    ),
    (
        "08_store",
        &[
            "maintained: 0 clauses broken",
            "fenceless: an_older_claim_cannot_write: an older claim's commit gave Committed",
            "fenceless: a_claim_that_was_given_back_cannot_write: a claim that was given back gave Committed",
            "closed: closed for maintenance",
            "open again: completed at revision 2",
        ],
    ),
];

fn example(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("examples").join(name)
}

/// The binary, which `cargo test` builds beside the tests. One that is older than its source would
/// show what the example was once.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let binary = profile.join("examples").join(file);
    let made = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    assert!(
        made(&binary) >= made(&example(&format!("{name}.rs"))),
        "{binary:?} is not built, or is old: run `cargo build --examples` first"
    );
    binary
}

fn run(name: &str, expected: &[&str]) {
    let begun = Instant::now();
    let output = Command::new(binary(name)).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name} failed: {complaint}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{name}");
    assert_eq!(complaint, "", "{name}");
    assert!(begun.elapsed() < PATIENCE, "{name}: {:?}", begun.elapsed());
}

#[test]
fn every_rung_says_what_it_does() {
    // One after the other: leases run out too soon where everything is slow.
    for (name, expected) in RUNGS {
        run(name, expected);
    }
}

#[test]
fn every_rung_is_run_listed_and_short() {
    let listed = fs::read_to_string(example("README.md")).unwrap();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(example("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && path.extension().is_some_and(|kind| kind == "rs") {
            let link = format!("({name}.rs)");
            assert!(listed.contains(&link), "examples/README.md lacks {link}");
            if name.starts_with(|first: char| first.is_ascii_digit()) {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines < LONGEST, "{name} has {lines} lines");
                found.insert(name);
            }
        }
    }
    let run = RUNGS.map(|(name, _)| name.to_owned());
    let run: BTreeSet<_> = run.into_iter().filter(|name| name != "signup").collect();
    assert_eq!(found, run);
}
