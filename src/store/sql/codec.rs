//! Rows to types and back. What does not decode is `Corrupt` and names the onboarding; the value
//! itself is never quoted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::flow::EncodedFact;
use crate::id::{
    Actor, CommandId, FlowName, Key, OnboardingId, Revision, StepName, SubjectId, TenantId,
};
use crate::lifecycle::{Digest, StageKind, State};
use crate::store::delivery::DeadLetter;
use crate::store::error::{Error, ErrorKind};
use crate::store::record::{FactRecord, JournalEntry, Listed, OutboxMessage, Row};
use crate::store::scan::Scanned;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{DbRow, Driver};

/// A hundred years: what any delay is cut to, so that sums of times stay in range.
pub(super) const LONGEST: i64 = 100 * 365 * 24 * 3_600 * 1_000_000;

/// A delay in microseconds.
pub(super) fn micros(delay: Duration) -> i64 {
    i64::try_from(delay.as_micros()).map_or(LONGEST, |micros| micros.min(LONGEST))
}

/// A number of rows.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A counter as it is stored.
pub(super) fn counter(value: u64) -> Result<i64, Error> {
    i64::try_from(value)
        .map_err(|error| Error::new(ErrorKind::Invalid, "a counter is too large").because(error))
}

/// The state as it is stored.
pub(super) fn encode(state: &State) -> Result<String, Error> {
    serde_json::to_string(state).map_err(|error| {
        let message = format!("the state of onboarding {} does not serialise", state.id());
        Error::new(ErrorKind::Invalid, message).because(error)
    })
}

/// Reads the columns of one row, on behalf of one onboarding.
pub(super) struct Reader<'r, D: Dialect> {
    row: &'r DbRow<D>,
    of: String,
}

impl<'r, D: Dialect> Reader<'r, D> {
    /// A row that belongs to a known onboarding.
    pub(super) fn of(row: &'r DbRow<D>, id: OnboardingId) -> Self {
        let of = format!("onboarding {id}");
        Self { row, of }
    }

    /// A row that is not known by an onboarding.
    pub(super) fn any(row: &'r DbRow<D>, what: &str) -> Self {
        let of = what.to_owned();
        Self { row, of }
    }

    /// What is said of a value that does not decode.
    pub(super) fn corrupt<E>(&self, what: &str) -> impl FnOnce(E) -> Error
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let message = format!("{what} of {} does not decode", self.of);
        move |error| Error::corrupt(message).because(error)
    }

    pub(super) fn maybe_int(&self, column: usize, what: &str) -> Result<Option<i64>, Error> {
        D::Db::int(self.row, column).map_err(self.corrupt(what))
    }

    pub(super) fn int(&self, column: usize, what: &str) -> Result<i64, Error> {
        let value = self.maybe_int(column, what)?;
        value.ok_or_else(|| self.corrupt(what)("there is no value"))
    }

    /// A number that is not negative, nor too large for its type.
    pub(super) fn count<N: TryFrom<i64>>(&self, column: usize, what: &str) -> Result<N, Error> {
        let value = self.int(column, what)?;
        N::try_from(value).map_err(|_| self.corrupt(what)("the number is out of range"))
    }

    pub(super) fn text(&self, column: usize, what: &str) -> Result<String, Error> {
        D::Db::text(self.row, column).map_err(self.corrupt(what))
    }

    /// A text that is only looked at, damaged or not.
    pub(super) fn text_as_it_is(&self, column: usize) -> String {
        let text = D::Db::text(self.row, column).or_else(|_| {
            let bytes = D::Db::bytes(self.row, column)?;
            Ok::<_, sqlx::Error>(String::from_utf8_lossy(&bytes).into_owned())
        });
        text.unwrap_or_default()
    }

    pub(super) fn uuid(&self, column: usize, what: &str) -> Result<Uuid, Error> {
        self.array(column, what).map(Uuid::from_bytes)
    }

    fn array<const N: usize>(&self, column: usize, what: &str) -> Result<[u8; N], Error> {
        let bytes = D::Db::bytes(self.row, column).map_err(self.corrupt(what))?;
        <[u8; N]>::try_from(bytes.as_slice()).map_err(self.corrupt(what))
    }

    fn time(&self, column: usize, what: &str) -> Result<DateTime<Utc>, Error> {
        let time = DateTime::from_timestamp_micros(self.int(column, what)?);
        time.ok_or_else(|| self.corrupt(what)("the time is out of range"))
    }

    fn actor(&self, column: usize, what: &str) -> Result<Actor, Error> {
        let text = self.text(column, what)?;
        text.parse().map_err(self.corrupt(what))
    }

    pub(super) fn tenant(&self, column: usize) -> Result<TenantId, Error> {
        let text = self.text(column, "the tenant")?;
        TenantId::new(text).map_err(self.corrupt("the tenant"))
    }
}

/// An onboarding. Columns: id, revision, head, state.
pub(super) fn row<D: Dialect>(row: &DbRow<D>) -> Result<Row, Error> {
    let id = OnboardingId::from_uuid(Reader::<D>::any(row, "an onboarding").uuid(0, "the id")?);
    let read = Reader::<D>::of(row, id);
    let revision = Revision::new(read.count(1, "the revision")?);
    let head = Digest::from_bytes(read.array(2, "the journal's head")?);
    let state: State = serde_json::from_str(&read.text(3, "the state")?)
        // serde's text can quote a value; the place alone says enough.
        .map_err(|e| format!("at line {} column {}", e.line(), e.column()))
        .map_err(read.corrupt("the state"))?;
    if state.id() != id || state.revision() != revision {
        return Err(read.corrupt("the state")(
            "it is of another row or revision",
        ));
    }
    Ok(Row { state, head })
}

/// An onboarding that a scan came by. Columns: those of a row.
pub(super) fn scanned<D: Dialect>(columns: &DbRow<D>) -> Result<Scanned, Error> {
    let id = Reader::<D>::any(columns, "an onboarding").uuid(0, "the id")?;
    let (id, row) = (OnboardingId::from_uuid(id), row::<D>(columns));
    Ok(Scanned { id, row })
}

/// An onboarding in a list. Columns: id, tenant, flow, subject, revision, stage, updated_at.
pub(super) fn listed<D: Dialect>(row: &DbRow<D>) -> Result<Listed, Error> {
    let id = OnboardingId::from_uuid(Reader::<D>::any(row, "an onboarding").uuid(0, "the id")?);
    let read = Reader::<D>::of(row, id);
    let stage = read.text(5, "the stage")?;
    let known = StageKind::ALL.into_iter().find(|s| s.as_str() == stage);
    Ok(Listed {
        id,
        key: Key {
            tenant: read.tenant(1)?,
            flow: FlowName::from_text(read.text(2, "the flow")?),
            subject: SubjectId::new(read.text(3, "the subject")?)
                .map_err(read.corrupt("the subject"))?,
        },
        revision: Revision::new(read.count(4, "the revision")?),
        stage: known.ok_or_else(|| read.corrupt("the stage")("there is no such stage"))?,
        changed_at: read.time(6, "the time of the last change")?,
    })
}

/// A fact. Columns: step, version, payload, salt, given_by, at.
pub(super) fn fact<D: Dialect>(row: &DbRow<D>, id: OnboardingId) -> Result<FactRecord, Error> {
    let read = Reader::<D>::of(row, id);
    let step = StepName::from_text(read.text(0, "a fact's step")?);
    let what = format!("the fact {:?}", step.as_str());
    let version = read.count(1, &what)?;
    let fact = EncodedFact::from_stored(step, version, read.text(2, &what)?)
        .map_err(|_| "it is not JSON")
        .map_err(read.corrupt(&what))?;
    Ok(FactRecord {
        fact,
        salt: read.array(3, &what)?,
        by: read.actor(4, &what)?,
        at: read.time(5, &what)?,
    })
}

/// A journal entry. Columns: revision, command, given_by, at, events, hash.
pub(super) fn entry<D: Dialect>(row: &DbRow<D>, id: OnboardingId) -> Result<JournalEntry, Error> {
    let read = Reader::<D>::of(row, id);
    let revision = Revision::new(read.count(0, "a journal entry")?);
    let what = format!("journal entry {revision}");
    Ok(JournalEntry {
        onboarding: id,
        revision,
        command: CommandId::from_uuid(read.uuid(1, &what)?),
        by: read.actor(2, &what)?,
        at: read.time(3, &what)?,
        events: read.text(4, &what)?,
        hash: Digest::from_bytes(read.array(5, &what)?),
    })
}

/// An outbox message. Columns: id, place, tenant, flow, subject, onboarding, revision, topic,
/// at.
pub(super) fn message<D: Dialect>(row: &DbRow<D>) -> Result<OutboxMessage, Error> {
    let unknown = Reader::<D>::any(row, "an outbox message");
    let id = unknown.uuid(0, "the id")?;
    let onboarding = OnboardingId::from_uuid(unknown.uuid(5, "the onboarding")?);
    let read = Reader::<D>::of(row, onboarding);
    let what = "an outbox message";
    Ok(OutboxMessage {
        id,
        key: Key {
            tenant: read.tenant(2)?,
            flow: FlowName::from_text(read.text(3, what)?),
            subject: SubjectId::new(read.text(4, what)?).map_err(read.corrupt(what))?,
        },
        onboarding,
        revision: Revision::new(read.count(6, what)?),
        topic: read.text(7, what)?,
        at: read.time(8, what)?,
    })
}

/// A dead message. Columns: those of a message, attempt, reason, since.
pub(super) fn dead<D: Dialect>(row: &DbRow<D>) -> Result<DeadLetter, Error> {
    let message = message::<D>(row)?;
    let read = Reader::<D>::of(row, message.onboarding);
    let what = "a dead message";
    Ok(DeadLetter {
        attempts: read.count(9, what)?,
        reason: read.text(10, what)?,
        since: read.time(11, what)?,
        message,
    })
}
