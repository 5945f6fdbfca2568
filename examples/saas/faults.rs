//! Failures on demand, so that one can see what comes of them.

use onramp::prelude::*;

use crate::platform::Platform;

/// The steps that can be made to fail.
pub(crate) const STEPS: [&str; 5] = [
    "reserve_address",
    "create_database",
    "create_tables",
    "load_settings",
    "issue_api_key",
];

const BUSY: Problem = Problem::new(
    "provider_busy",
    "Our data centre is busy. We try again in a moment, by ourselves.",
);
const REFUSED: Problem = Problem::new(
    "provider_refused",
    "Our data centre could not set this up. Nothing of it is left over, and you are not charged again: please try once more.",
);

/// Makes the next attempt at a step fail, whosever it is: for good, or to be repeated.
pub(crate) async fn stage(platform: &Platform, step: &str, is_final: bool) -> sqlx::Result<()> {
    let query = sqlx::query("INSERT INTO faults (step, final) VALUES ($1, $2)");
    query
        .bind(step)
        .bind(is_final)
        .execute(&platform.pool)
        .await?;
    Ok(())
}

/// Fails, where that was asked for; once each.
pub(crate) async fn strike(platform: &Platform, cx: &TaskContext) -> Result<(), TaskError> {
    let query = sqlx::query_scalar(
        "DELETE FROM faults WHERE id = (SELECT MIN(id) FROM faults WHERE step = $1) RETURNING final",
    );
    let staged = query
        .bind(cx.step().as_str())
        .fetch_optional(&platform.pool)
        .await;
    match staged.map_err(|error| TaskError::retryable(BUSY, error))? {
        None => Ok(()),
        Some(false) => Err(TaskError::retryable(BUSY, "staged")),
        Some(true) => Err(TaskError::fatal(REFUSED, "staged")),
    }
}
