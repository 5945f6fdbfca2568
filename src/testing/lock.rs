//! A golden file of a flow's shape: so that nobody changes, by accident, what customers are half-way
//! through.

use std::path::Path;

use crate::flow::Plan;

/// Set to `write`, the file is written anew instead of compared.
const VARIABLE: &str = "ONRAMP_LOCK";

/// The flow is not the one that is written down, or cannot follow it.
///
/// ```
/// use onramp::testing::LockDrift;
/// fn fail(drift: LockDrift) {
///     panic!("{drift}");
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct LockDrift {
    problems: Vec<String>,
}

/// Compares a flow with the file beside the code that says what it was when it was released last.
/// Call it in a test, and keep the file under version control.
///
/// - No file: it is written, and the test passes.
/// - The same shape: it passes.
/// - A newer version that those who are half-way can go on with: it fails, and asks to write the file
///   anew with `ONRAMP_LOCK=write`, so that the change is seen in review.
/// - Anything else: it fails, says what would break, and is not written.
///
/// # Errors
/// [`LockDrift`] says what would break, and what to do.
///
/// ```
/// use onramp::flow::{Kind, Plan, PlanStep};
/// use onramp::testing::check_lock;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("workspace.lock");
/// let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)]).unwrap();
/// check_lock(&plan, &path).unwrap(); // in a real test: "flows/workspace.lock"
///
/// let other = Plan::new("workspace", 1, vec![PlanStep::new("name", Kind::Answer)]).unwrap();
/// let drift = check_lock(&other, &path).unwrap_err().to_string();
/// assert!(drift.contains("count the version up"));
/// ```
pub fn check_lock(plan: &Plan, path: impl AsRef<Path>) -> Result<(), LockDrift> {
    let path = path.as_ref();
    let fail = |problem: String| LockDrift {
        problems: vec![problem],
    };
    let write = || {
        std::fs::write(path, plan.to_lock())
            .map_err(|error| fail(format!("cannot write {path:?}: {error}")))
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return write(),
        Err(error) => return Err(fail(format!("cannot read {path:?}: {error}"))),
    };
    let old = Plan::from_lock(&text).map_err(|error| fail(format!("{path:?}: {error}")))?;
    let problems = plan.breaks(&old);
    if !problems.is_empty() {
        return Err(LockDrift { problems });
    }
    if text == plan.to_lock() {
        return Ok(());
    }
    if std::env::var(VARIABLE).is_ok_and(|value| value == "write") {
        return write();
    }
    Err(fail(format!(
        "the flow has changed, and those who are half-way can go on: run the test with \
         {VARIABLE}=write, and look at what changes in {path:?}"
    )))
}
