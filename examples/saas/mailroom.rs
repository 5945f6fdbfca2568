//! Turns the onboardings' messages into mails.

use std::sync::Arc;

use onramp::engine::{Notifier, NotifyError};
use onramp::store::OutboxMessage;

use crate::app::App;

pub(crate) struct Mailroom(pub(crate) Arc<App>);

#[async_trait::async_trait]
impl Notifier for Mailroom {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let (subject, body) = match message.topic.as_str() {
            "completed" => (
                "Welcome! Your workspace is ready",
                "Sign in to find its address and your API key. We never send keys by mail.",
            ),
            "failed" => (
                "We could not finish setting up your workspace",
                "What was set up has been taken back; your answers and your payment are kept. Sign in to try again.",
            ),
            // Of no interest to customers.
            _ => return Ok(()),
        };
        // A message may come twice, with the same identity: one mail is sent.
        let (id, account) = (message.id.to_string(), message.key.tenant.as_str());
        let sent = self.0.send(&id, account, "", (subject, body, None)).await;
        sent.map_err(|error| NotifyError::retryable("mail_not_sent", error))
    }
}
