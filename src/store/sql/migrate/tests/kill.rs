//! A process that is killed in the middle of a migration of its SQLite file.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Signal, getpid, kill_process};

use super::{Database, Kind, names, onboarding, one_more, opened, this};
use crate::store::sql::{Sqlite, SqliteStore, file};

const FILE: &str = "ONRAMP_TEST_MIGRATED_FILE";
const INSTRUCTION: &str = "ONRAMP_TEST_KILLED_AT";

/// Not a test of its own: what the next one starts. Kills itself when SQLite has run so many
/// instructions.
#[tokio::test]
async fn as_a_child() {
    let (Ok(path), Ok(at)) = (std::env::var(FILE), std::env::var(INSTRUCTION)) else {
        return;
    };
    let at: u32 = at.parse().unwrap();
    let (writers, readers) = file::connect(Path::new(&path), true).await.unwrap();
    let mut left = at;
    let mut on = writers.acquire().await.unwrap();
    let mut handle = on.lock_handle().await.unwrap();
    handle.set_progress_handler(1, move || {
        left -= 1;
        if left == 0 {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
        true
    });
    drop(handle);
    drop(on);
    let names = names::<Sqlite>(&[one_more(Kind::Sqlite)]);
    super::super::migrate::<Sqlite>(&writers, names)
        .await
        .unwrap();
    readers.close().await;
    writers.close().await;
}

/// Gives whether the child came to its end.
fn migrated(path: &Path, killed_at: u32) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::sql::migrate::tests::kill::as_a_child"])
        .env(FILE, path)
        .env(INSTRUCTION, killed_at.to_string())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success() || status.signal() == Some(9), "{status}");
    status.success()
}

#[tokio::test]
async fn a_process_killed_at_any_instruction_leaves_a_file_that_migrates() {
    let names = names::<Sqlite>(&[one_more(Kind::Sqlite)]);
    let other = Database::sqlite();
    assert!(migrated(&other.path(), u32::MAX));
    let undisturbed = other.schema().await;

    // From nothing to the next version, and from this one with a row in it.
    for from_this in [false, true] {
        let (mut killed, mut halves) = (0, 0);
        let mut at = 1;
        loop {
            let database = Database::sqlite();
            let mut row = None;
            if from_this {
                let store = SqliteStore::open(&database.url).await.unwrap();
                row = Some(onboarding(&store, "org-1").await);
                store.close().await;
            }
            let ended = migrated(&database.path(), at);
            let (writers, readers) = file::connect(&database.path(), true).await.unwrap();
            let found = super::super::current::<Sqlite>(&writers, names)
                .await
                .unwrap();
            let (old, new) = (
                u32::from(from_this) * this::<Sqlite>(),
                this::<Sqlite>() + 1,
            );
            assert!(found == new || found == old && !ended, "version {found}");
            halves += u32::from(found != new);
            let store = SqliteStore::on(None, writers, readers, names);
            let store = opened(&store, names, true).await.unwrap();
            assert_eq!(database.schema().await, undisturbed, "killed at {at}");
            if let Some(row) = row {
                assert_eq!(onboarding(&store, "org-1").await, row);
            }
            store.close().await;
            if ended {
                break;
            }
            killed += 1;
            // Not every one of some thousands: a step that shares no factor with the loops of SQLite.
            at += 17;
        }
        println!("killed {killed} times, {halves} times before the end");
        assert!(killed > 10 && halves > 10);
    }
}
