//! Points at which the restart test kills this program, as a power cut would: with SIGKILL.
//!
//! `ONRAMP_QUICKSTART_KILL=create_tables.after_effect#3` kills it there, the third time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Every point, in the order in which a sign-up meets them.
pub(crate) const POINTS: &[&str] = &[
    "enroll.before",
    "enroll.after",
    "start.after",
    "submit.after",
    "branding.after",
    "attest.after",
    "reserve_slug.before_effect",
    "reserve_slug.after_effect",
    "create_workspace.before_effect",
    "create_workspace.after_effect",
    "create_tables.before_effect",
    "create_tables.after_effect",
    "load_settings.before_effect",
    "load_settings.after_effect",
    "issue_api_key.before_effect",
    "issue_api_key.after_effect",
    "create_workspace.before_undo",
    "reserve_slug.before_undo",
    "engine.commit",
];

static WANTED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
    let wanted = std::env::var("ONRAMP_QUICKSTART_KILL").ok()?;
    let (point, time) = wanted.split_once('#').unwrap_or((&wanted, "1"));
    Some((point.to_owned(), time.parse().ok()?))
});

static PASSED: AtomicU32 = AtomicU32::new(0);

/// Ends the process on the spot, if it was asked to end here.
pub(crate) fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "{name} is not listed");
    if let Some((point, time)) = &*WANTED
        && point == name
        && PASSED.fetch_add(1, SeqCst) + 1 == *time
    {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}
