//! A store behind a `Box` or an `Arc` is a store.
//!
//! [`Store`] has no default methods, so one that is forgotten here does not compile.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::id::{CommandId, FlowName, Key, OnboardingId, Revision, SubjectId, TenantId};
use crate::store::claim::ClaimRequest;
use crate::store::contract::Store;
use crate::store::delivery::{DeadLetter, Delivery, OutboxLag, Settlement};
use crate::store::error::Error;
use crate::store::hints::Hints;
use crate::store::record::{
    Commit, CommitOutcome, Created, FactRecord, JournalEntry, Lease, Listed, NewOnboarding, Row,
    StepProgress,
};
use crate::store::scan::{ScanRequest, Scanned};
use crate::store::tenant::TenantRequest;

macro_rules! forward {
    ($($pointer:ident),+) => {$(
        #[async_trait]
        impl<S: Store + ?Sized> Store for $pointer<S> {
            async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
                (**self).create(new).await
            }

            async fn load(
                &self,
                tenant: &TenantId,
                id: OnboardingId,
            ) -> Result<Option<Row>, Error> {
                (**self).load(tenant, id).await
            }

            async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
                (**self).find(key).await
            }

            async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
                (**self).commit(commit).await
            }

            async fn committed(
                &self,
                tenant: &TenantId,
                id: OnboardingId,
                command: CommandId,
            ) -> Result<Option<Revision>, Error> {
                (**self).committed(tenant, id, command).await
            }

            async fn of_subject(
                &self,
                tenant: &TenantId,
                subject: &SubjectId,
            ) -> Result<Vec<Listed>, Error> {
                (**self).of_subject(tenant, subject).await
            }

            async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error> {
                (**self).of_tenant(request).await
            }

            async fn list(
                &self,
                after: Option<OnboardingId>,
                limit: usize,
            ) -> Result<Vec<Listed>, Error> {
                (**self).list(after, limit).await
            }

            async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error> {
                (**self).scan(request).await
            }

            async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
                (**self).delete(these).await
            }

            async fn facts(
                &self,
                tenant: &TenantId,
                id: OnboardingId,
            ) -> Result<Vec<FactRecord>, Error> {
                (**self).facts(tenant, id).await
            }

            async fn journal(
                &self,
                tenant: &TenantId,
                id: OnboardingId,
                after: Revision,
                limit: usize,
            ) -> Result<Vec<JournalEntry>, Error> {
                (**self).journal(tenant, id, after, limit).await
            }

            async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
                (**self).claim(request).await
            }

            async fn renew(
                &self,
                leases: &[Lease],
                lease: Duration,
            ) -> Result<Vec<Lease>, Error> {
                (**self).renew(leases, lease).await
            }

            async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
                (**self).release(lease, after).await
            }

            async fn park(
                &self,
                lease: &Lease,
                at: Revision,
                rest: Option<Duration>,
            ) -> Result<(), Error> {
                (**self).park(lease, at, rest).await
            }

            async fn report(
                &self,
                lease: &Lease,
                progress: &StepProgress,
            ) -> Result<bool, Error> {
                (**self).report(lease, progress).await
            }

            async fn progress(
                &self,
                tenant: &TenantId,
                id: OnboardingId,
            ) -> Result<Option<StepProgress>, Error> {
                (**self).progress(tenant, id).await
            }

            async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
                (**self).next_due(flows).await
            }

            fn hints(&self) -> Hints {
                (**self).hints()
            }

            async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
                (**self).take_outbox(max, hidden).await
            }

            async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
                (**self).settle_outbox(settled).await
            }

            async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
                (**self).next_outbox().await
            }

            async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
                (**self).dead_outbox(limit).await
            }

            async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
                (**self).revive_outbox(message).await
            }

            async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
                (**self).outbox_lag().await
            }
        }
    )+};
}

forward!(Arc, Box);
