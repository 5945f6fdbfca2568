//! One attempt at delivering a message: bounded in time, guarded against panics.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use crate::engine::drive::roll;
use crate::engine::notify::NotifyError;
use crate::store::{Delivery, Settlement};

/// Attempts it, and says what becomes of it.
pub(super) async fn deliver(shared: &Shared, delivery: &Delivery) -> Settlement {
    let attempt = delivery.attempt;
    if attempt > shared.retry.max_attempts() {
        // Every attempt was handed out, and the last one was never heard of: whatever delivering it
        // does ends its process, and would end this one too.
        return dead(delivery, NotifyError::INTERRUPTED);
    }
    let message = delivery.message.clone();
    let notifier = Arc::clone(&shared.notifier);
    // A task of its own: a panic ends the attempt, not the relay.
    let notifying =
        AbortOnDropHandle::new(tokio::spawn(async move { notifier.notify(&message).await }));
    let id = delivery.message.id;
    let (code, retryable) = match tokio::time::timeout(shared.timeout, notifying).await {
        Ok(Ok(Ok(()))) => return Settlement::Delivered,
        Ok(Ok(Err(error))) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(message = %id, attempt, code = error.code(), cause, "not delivered");
            (error.code(), error.is_retryable())
        }
        Ok(Err(join)) => {
            tracing::error!(message = %id, attempt, cause = %join, "notifier panicked");
            (NotifyError::PANICKED, true)
        }
        Err(_) => {
            tracing::warn!(message = %id, attempt, "notifier took too long");
            (NotifyError::TIMED_OUT, true)
        }
    };
    match shared.retry.delay(attempt, roll()).filter(|_| retryable) {
        Some(rest) => Settlement::Later(rest),
        None => dead(delivery, code),
    }
}

fn dead(delivery: &Delivery, code: &'static str) -> Settlement {
    let settlement = Settlement::Dead(code.to_owned());
    let settlement = match settlement.check() {
        Ok(()) => settlement,
        Err(_) => Settlement::Dead(NotifyError::OTHER.to_owned()),
    };
    tracing::error!(message = %delivery.message.id, attempt = delivery.attempt, code,
        "message given up");
    settlement
}
