//! One member alone on SQLite, in one call: the whole transaction is one script.
//!
//! Every statement asks by `changes()` whether the one before it changed its row: so the first one,
//! the compare-and-swap, decides for all, and the last one says what it decided.

use crate::store::error::Error;
use crate::store::record::{Commit, CommitOutcome, Created, FactChange, QueueChange};
use crate::store::sql::codec::{Reader, counter, encode};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::{Fault, at_commit};
use crate::store::sql::group::{Member, Outcome, Texts};
use crate::store::sql::session::Session;
use crate::store::sql::write::Create;

/// The compare-and-swap and the journal's entry. `$and`: what else must hold.
macro_rules! moved {
    ($and:literal) => {
        concat!(
            "BEGIN IMMEDIATE; \
            UPDATE onramp_onboarding SET revision = $3 + 1, stage = $4, state = $5, head = $6, \
                updated_at = $7 \
            WHERE id = $1 AND tenant = $2 AND revision = $3 AND NOT EXISTS \
                (SELECT 1 FROM onramp_journal WHERE onboarding = $1 AND command = $8)",
            $and,
            "; \
            INSERT INTO onramp_journal (onboarding, revision, command, given_by, at, events, hash) \
            SELECT $1, $3 + 1, $8, $9, $7, $10, $6 WHERE changes() = 1; "
        )
    };
}

/// A fact.
macro_rules! put {
    () => {
        "INSERT INTO onramp_fact (onboarding, step, version, payload, salt, given_by, at) \
        SELECT $1, $11, $12, $13, $14, $15, $16 WHERE changes() = 1 \
        ON CONFLICT (onboarding, step) DO UPDATE SET version = excluded.version, \
            payload = excluded.payload, salt = excluded.salt, given_by = excluded.given_by, \
            at = excluded.at; "
    };
}

/// A message, whose arguments are these.
macro_rules! posted {
    ($id:literal $flow:literal $subject:literal $topic:literal $at:literal) => {
        concat!(
            "INSERT INTO onramp_outbox (id, tenant, flow, subject, onboarding, revision, place, topic, \
                at, stored_at, due_at) SELECT ",
            $id, ", $2, ", $flow, ", ", $subject, ", $1, $3 + 1, 0, ", $topic, ", ", $at,
            ", CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER), \
            CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER) WHERE changes() = 1; "
        )
    };
}

macro_rules! end {
    () => {
        "SELECT changes(); COMMIT"
    };
}

/// The texts, beside those for many.
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const TEXTS: Texts = Texts {
    one_put: concat!(moved!(""), put!(), end!()),
    one_post: concat!(moved!(""), posted!("$11" "$12" "$13" "$14" "$15"), end!()),
    one_put_post: concat!(moved!(""), put!(), posted!("$17" "$18" "$19" "$20" "$21"), end!()),
    one_checkpoint: concat!(
        moved!(" AND EXISTS (SELECT 1 FROM onramp_queue \
            WHERE onboarding = $1 AND fence = $17 AND leased = 1)"),
        put!(),
        "UPDATE onramp_queue SET attempt = 1 WHERE onboarding = $1 AND fence = $17 AND changes() = 1; ",
        end!(),
    ),
    one_creation: concat!(
        "BEGIN IMMEDIATE; \
        INSERT INTO onramp_onboarding (id, tenant, flow, subject, revision, stage, state, head, \
            created_at, updated_at, active, fence) \
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 0 WHERE 1 = 1 ON CONFLICT DO NOTHING; \
        INSERT INTO onramp_journal (onboarding, revision, command, given_by, at, events, hash) \
        SELECT $1, $5, $11, $12, $10, $13, $8 WHERE changes() = 1; ",
        end!(),
    ),
    ..super::scripts::TEXTS
};

/// Stores it, if it holds and one of the texts fits; gives nothing when none does.
pub(super) async fn store<D: Dialect>(
    db: &mut Session<'_, D>,
    texts: &'static Texts,
    member: &Member,
) -> Result<Option<Option<Outcome>>, Fault> {
    let (text, args) = match member {
        Member::Create(create) if create.0.due.is_some() || !create.0.outbox.is_empty() => {
            return Ok(None);
        }
        Member::Create(create) => (texts.one_creation, creation(create)?),
        Member::Commit(commit) => match commit_args(texts, commit)? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    db.committing = true;
    let rows = db.all(text, args).await.map_err(at_commit::<D>)?;
    let changed = match rows.first() {
        Some(row) => Reader::<D>::any(row, "a commit").int(0, "the changes")?,
        None => 0,
    };
    let outcome = match member {
        Member::Commit(_) => Outcome::Commit(CommitOutcome::Committed),
        Member::Create(create) => Outcome::Created(Created {
            row: create.0.row.clone(),
            fresh: true,
        }),
    };
    Ok(Some((changed == 1).then_some(outcome)))
}

type Args = Vec<crate::store::sql::driver::Arg>;

fn creation(create: &Create) -> Result<Args, Error> {
    let (row, entry) = (&create.0.row, &create.0.entry);
    let key = row.state.key();
    Ok(args![
        row.state.id().as_uuid(),
        key.tenant.as_str(),
        key.flow.as_str(),
        key.subject.as_str(),
        counter(row.state.revision().get())?,
        row.state.stage().as_str(),
        encode(&row.state)?,
        &row.head.as_bytes()[..],
        row.state.created_at().timestamp_micros(),
        entry.at.timestamp_micros(),
        entry.command.as_uuid(),
        entry.by.to_string(),
        entry.events.as_str(),
    ])
}

fn commit_args(
    texts: &'static Texts,
    commit: &Commit,
) -> Result<Option<(&'static str, Args)>, Error> {
    let text = match (&*commit.facts, &*commit.outbox, commit.queue, commit.fence) {
        ([FactChange::Put(_)], [], QueueChange::Keep, None) => texts.one_put,
        ([], [_], QueueChange::Keep, None) => texts.one_post,
        ([FactChange::Put(_)], [_], QueueChange::Keep, None) => texts.one_put_post,
        ([FactChange::Put(_)], [], QueueChange::Hold, Some(_)) => texts.one_checkpoint,
        _ => return Ok(None),
    };
    let (state, entry) = (&commit.row.state, &commit.entry);
    let mut args = args![
        commit.id().as_uuid(),
        commit.tenant().as_str(),
        counter(commit.expected.get())?,
        state.stage().as_str(),
        encode(state)?,
        &commit.row.head.as_bytes()[..],
        entry.at.timestamp_micros(),
        entry.command.as_uuid(),
        entry.by.to_string(),
        entry.events.as_str(),
    ];
    if let [FactChange::Put(record)] = &*commit.facts {
        args.extend(args![
            record.fact.step().as_str(),
            i64::from(record.fact.version()),
            record.fact.json(),
            &record.salt[..],
            record.by.to_string(),
            record.at.timestamp_micros(),
        ]);
    }
    if let [message] = &*commit.outbox {
        args.extend(args![
            message.id,
            message.key.flow.as_str(),
            message.key.subject.as_str(),
            message.topic.as_str(),
            message.at.timestamp_micros(),
        ]);
    }
    if let Some(fence) = commit.fence {
        args.extend(args![counter(fence.get())?]);
    }
    Ok(Some((text, args)))
}
