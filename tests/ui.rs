//! Every misuse is refused by the compiler, in words that name what to do instead.
//!
//! `tests/ui/illegal` has one case for each (operation, stage) pair that the table forbids (held
//! complete by `tests/table.rs`), `tests/ui/misuse` every other mistake, `tests/ui/legal` what
//! must compile. The messages are those of [`COMPILER`]: look at a changed one, and take it with
//! `TRYBUILD=overwrite cargo test --test ui`. Another compiler words its own part in another way;
//! there, only that each case is refused is held.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

const COMPILER: &str = "rustc 1.95.";

#[test]
fn misuse_does_not_compile() {
    if let Ok(folder) = std::env::var("ONRAMP_UI_FOLDER") {
        return check(&folder);
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().unwrap();
    if String::from_utf8_lossy(&version.stdout).starts_with(COMPILER) {
        return check("tests/ui");
    }
    println!("not {COMPILER}x: the messages are not compared");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    copy(Path::new("tests/ui"), &folder);
    // In a process of its own, because the mode is an environment variable.
    let child = Command::new(std::env::current_exe().unwrap())
        .env("ONRAMP_UI_FOLDER", &folder)
        .env("TRYBUILD", "overwrite")
        .arg("misuse_does_not_compile")
        .status();
    assert!(child.unwrap().success());
}

fn check(folder: &str) {
    let cases = trybuild::TestCases::new();
    cases.compile_fail(format!("{folder}/illegal/*.rs"));
    cases.compile_fail(format!("{folder}/misuse/*.rs"));
    cases.pass(format!("{folder}/legal/*.rs"));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
