//! A store in which something is committed between a look at the journal and the look at the row.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use onramp::Revision;
use onramp::prelude::*;
use onramp::store::{Error, JournalEntry};
use onramp::testing::Layer;
use tokio::sync::Mutex;

/// What is done once, after a look at the journal that found nothing new.
type Late = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Between {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) late: Mutex<Option<Late>>,
}

#[async_trait]
impl Layer for Between {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let read = self.inner.journal(tenant, id, after, limit).await?;
        if read.is_empty()
            && let Some(late) = self.late.lock().await.take()
        {
            late.await;
        }
        Ok(read)
    }
}
