//! Reads: one statement each, keyed by tenant.

use uuid::Uuid;

use crate::id::{CommandId, Key, OnboardingId, Revision, SubjectId, TenantId};
use crate::store::error::Error;
use crate::store::record::{FactRecord, JournalEntry, Listed, Row, StepProgress};
use crate::store::scan::{ScanRequest, Scanned};
use crate::store::sql::codec::{self, Reader};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{DbRow, args};
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;
use crate::store::tenant::TenantRequest;

/// An onboarding by identity.
pub(super) struct Load {
    pub(super) tenant: TenantId,
    pub(super) id: OnboardingId,
}

impl<D: Dialect> Work<D> for Load {
    type Out = Option<Row>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Option<Row>, Fault> {
        let args = args![self.tenant.as_str(), self.id.as_uuid()];
        let rows = db.all(db.sql.row_by_id, args).await?;
        Ok(rows.first().map(|row| self.read::<D>(row)).transpose()?)
    }
}

impl Load {
    /// What was found.
    pub(super) fn read<D: Dialect>(&self, columns: &DbRow<D>) -> Result<Row, Error> {
        let row = codec::row::<D>(columns)?;
        // Its columns say so, its state does not: nobody else's is shown for that.
        match row.state.key().tenant == self.tenant {
            true => Ok(row),
            false => Err(elsewhere(&row)),
        }
    }
}

/// An onboarding by what it is found by.
pub(super) struct Find(pub(super) Key);

impl<D: Dialect> Work<D> for Find {
    type Out = Option<Row>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Option<Row>, Fault> {
        let Key {
            tenant,
            flow,
            subject,
        } = &self.0;
        let args = args![tenant.as_str(), flow.as_str(), subject.as_str()];
        let rows = db.all(db.sql.row_by_key, args).await?;
        Ok(rows.first().map(|row| self.read::<D>(row)).transpose()?)
    }
}

impl Find {
    /// What was found.
    pub(super) fn read<D: Dialect>(&self, columns: &DbRow<D>) -> Result<Row, Error> {
        let row = codec::row::<D>(columns)?;
        match *row.state.key() == self.0 {
            true => Ok(row),
            false => Err(elsewhere(&row)),
        }
    }
}

fn elsewhere(row: &Row) -> Error {
    let id = row.state.id();
    Error::corrupt(format!(
        "the row of onboarding {id} does not belong to its state"
    ))
}

/// The onboardings of a subject.
pub(super) struct OfSubject {
    pub(super) tenant: TenantId,
    pub(super) subject: SubjectId,
}

impl<D: Dialect> Work<D> for OfSubject {
    type Out = Vec<Listed>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Listed>, Fault> {
        let args = args![self.tenant.as_str(), self.subject.as_str()];
        let rows = db.all(db.sql.rows_of_subject, args).await?;
        Ok(rows
            .iter()
            .map(codec::listed::<D>)
            .collect::<Result<_, _>>()?)
    }
}

/// A page of a tenant's onboardings.
pub(super) struct OfTenant(pub(super) TenantRequest);

impl<D: Dialect> Work<D> for OfTenant {
    type Out = Vec<Listed>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Listed>, Fault> {
        let Self(request) = self;
        // Subjects are never empty, so the first one is after this.
        let (subject, flow) = match &request.after {
            Some((subject, flow)) => (subject.as_str(), flow.as_str()),
            None => ("", ""),
        };
        let only = request.flow.as_ref();
        let args = args![
            request.tenant.as_str(),
            subject,
            subject,
            flow,
            i64::from(only.is_some()),
            only.map_or("", |only| only.as_str()),
            codec::limit(request.limit),
        ];
        let rows = db.all(db.sql.rows_of_tenant, args).await?;
        Ok(rows
            .iter()
            .map(codec::listed::<D>)
            .collect::<Result<_, _>>()?)
    }
}

/// A page of all onboardings.
pub(super) struct List {
    pub(super) after: Option<OnboardingId>,
    pub(super) limit: usize,
}

impl<D: Dialect> Work<D> for List {
    type Out = Vec<Listed>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Listed>, Fault> {
        let after = self.after.map_or(Uuid::nil(), |id| id.as_uuid());
        let args = args![after, codec::limit(self.limit)];
        let rows = db.all(db.sql.rows_after, args).await?;
        Ok(rows
            .iter()
            .map(codec::listed::<D>)
            .collect::<Result<_, _>>()?)
    }
}

/// A page of a flow's onboardings, with their rows.
pub(super) struct Scan(pub(super) ScanRequest);

impl<D: Dialect> Work<D> for Scan {
    type Out = Vec<Scanned>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Scanned>, Fault> {
        let Self(request) = self;
        let (tenant, stage) = (request.tenant.as_ref(), request.stage);
        let args = args![
            request.from.as_uuid(),
            request.until.as_uuid(),
            request.flow.as_str(),
            i64::from(tenant.is_some()),
            tenant.map_or("", |tenant| tenant.as_str()),
            i64::from(stage.is_some()),
            stage.map_or("", |stage| stage.as_str()),
            codec::limit(request.limit),
        ];
        let rows = db.all(db.sql.scan, args).await?;
        let mut page = Vec::with_capacity(rows.len());
        for columns in &rows {
            let Scanned { id, row } = codec::scanned::<D>(columns)?;
            // Nobody else's is shown because its columns say so.
            let row = row.and_then(|row| match request.is_for(row.state.key()) {
                true => Ok(row),
                false => Err(elsewhere(&row)),
            });
            page.push(Scanned { id, row });
        }
        Ok(page)
    }
}

/// The revision that a command made.
pub(super) struct Committed {
    pub(super) tenant: TenantId,
    pub(super) id: OnboardingId,
    pub(super) command: CommandId,
}

impl<D: Dialect> Work<D> for Committed {
    type Out = Option<Revision>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Option<Revision>, Fault> {
        let args = args![
            self.tenant.as_str(),
            self.id.as_uuid(),
            self.command.as_uuid()
        ];
        let rows = db.all(db.sql.committed, args).await?;
        let revision = rows
            .first()
            .map(|row| Reader::<D>::of(row, self.id).count(0, "a journal entry"));
        Ok(revision.transpose()?.map(Revision::new))
    }
}

/// How far the newest attempt is.
pub(super) struct Progress {
    pub(super) tenant: TenantId,
    pub(super) id: OnboardingId,
}

impl<D: Dialect> Work<D> for Progress {
    type Out = Option<StepProgress>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Option<StepProgress>, Fault> {
        let args = args![self.tenant.as_str(), self.id.as_uuid()];
        let rows = db.all(db.sql.progress, args).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let read = Reader::<D>::of(row, self.id);
        let progress = serde_json::from_str(&read.text(0, "the progress")?);
        Ok(Some(progress.map_err(read.corrupt("the progress"))?))
    }
}

/// The facts of an onboarding.
pub(super) struct Facts {
    pub(super) tenant: TenantId,
    pub(super) id: OnboardingId,
}

impl<D: Dialect> Work<D> for Facts {
    type Out = Vec<FactRecord>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<FactRecord>, Fault> {
        let args = args![self.tenant.as_str(), self.id.as_uuid()];
        let rows = db.all(db.sql.facts, args).await?;
        let facts = rows.iter().map(|row| codec::fact::<D>(row, self.id));
        Ok(facts.collect::<Result<_, _>>()?)
    }
}

/// A part of an onboarding's journal.
pub(super) struct Journal {
    pub(super) tenant: TenantId,
    pub(super) id: OnboardingId,
    pub(super) after: Revision,
    pub(super) limit: usize,
}

impl<D: Dialect> Work<D> for Journal {
    type Out = Vec<JournalEntry>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<JournalEntry>, Fault> {
        let args = args![
            self.tenant.as_str(),
            self.id.as_uuid(),
            codec::counter(self.after.get())?,
            codec::limit(self.limit),
        ];
        let rows = db.all(db.sql.journal, args).await?;
        let entries = rows.iter().map(|row| codec::entry::<D>(row, self.id));
        Ok(entries.collect::<Result<_, _>>()?)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::Row as _;

    use crate::store::SqliteStore;

    #[tokio::test]
    async fn the_list_of_a_tenant_is_one_range_of_the_unique_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("plans.db")).await;
        let store = store.unwrap();
        let sql = store.names.statements.rows_of_tenant;
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps = sqlx::query(plan).fetch_all(&store.readers).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        let [step] = steps.as_slice() else {
            panic!("it sorts as well: {steps:?}")
        };
        assert!(
            step.starts_with("SEARCH") && step.ends_with("(tenant=? AND subject>?)"),
            "{step}"
        );
    }
}
