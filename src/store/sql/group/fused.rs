//! Group commit on PostgreSQL: one statement, which is its own transaction.
//!
//! One way to the server and back for any number of members. Arguments are arrays, one for each
//! column; what a member does not have is NULL.
//!
//! Never inside BEGIN and COMMIT of ours, and never on a connection on which a BEGIN was ever dropped
//! half-way: lanes keep their connections to themselves, and close one on which anything went wrong.

use std::collections::HashSet;

use uuid::Uuid;

use crate::id::OnboardingId;
use crate::store::error::Error;
use crate::store::record::{CommitOutcome, Created};
use crate::store::sql::codec::Reader;
use crate::store::sql::fault::{Fault, at_commit};
use crate::store::sql::group::columns::{Commits, Creations, Kind};
use crate::store::sql::group::{Batch, Member, Outcome, Texts};
use crate::store::sql::postgres::Postgres;
use crate::store::sql::session::Session;
use crate::store::sql::write::{met, refused, store_commit};

macro_rules! now {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
    };
}

/// The commits, as rows.
macro_rules! members {
    () => {
        "SELECT * FROM unnest(\
            $1::bytea[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bigint[], \
            $8::bytea[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], \
            $14::text[], $15::bigint[], $16::text[], $17::bytea[], $18::text[], $19::bigint[], \
            $20::text[], $21::bytea[], $22::text[]) \
        AS m (id, tenant, expected, stage, state, head, at, \
            command, given_by, events, held, change, later, \
            step, version, payload, salt, fact_by, fact_at, \
            removed, message, topic)"
    };
}

/// One commit, as a row of the same columns. PostgreSQL puts the arguments where they are used.
macro_rules! member {
    () => {
        "SELECT $1::bytea AS id, $2::text AS tenant, $3::bigint AS expected, $4::text AS stage, \
            $5::text AS state, $6::bytea AS head, $7::bigint AS at, $8::bytea AS command, \
            $9::text AS given_by, $10::text AS events, $11::bigint AS held, $12::bigint AS change, \
            $13::bigint AS later, $14::text AS step, $15::bigint AS version, $16::text AS payload, \
            $17::bytea AS salt, $18::text AS fact_by, $19::bigint AS fact_at, $20::text AS removed, \
            $21::bytea AS message, $22::text AS topic"
    };
}

/// The leases that are written under, locked.
macro_rules! held {
    () => {
        "SELECT m.*, q.attempt FROM member m JOIN onramp_queue q ON q.onboarding = m.id \
            WHERE m.held >= 0 AND q.fence = m.held AND q.leased = 1 FOR NO KEY UPDATE OF q"
    };
}

/// The compare-and-swap. How tenants are compared, see `statements!`.
macro_rules! moved {
    ($from:literal $($more:literal)?) => {
        concat!("UPDATE onramp_onboarding o SET revision = m.expected + 1, stage = m.stage, \
            fence = CASE WHEN m.change = 4 THEN m.held ELSE o.fence END, state = m.state, \
            head = m.head, updated_at = m.at \
            FROM ", $from, " m WHERE o.id = m.id AND o.tenant IS NOT DISTINCT FROM m.tenant \
            AND o.revision = m.expected \
            AND NOT EXISTS (SELECT FROM onramp_journal j \
                WHERE j.onboarding = m.id AND j.command = m.command) \
            RETURNING o.id, o.tenant, o.flow, o.subject, o.revision, o.fence, m.head, m.at, m.command, \
                m.given_by, m.events, m.change, m.later, m.step, m.version, m.payload, m.salt, \
                m.fact_by, m.fact_at, m.removed, m.message, m.topic" $(, $more)?)
    };
}

/// What every commit writes.
macro_rules! journal {
    () => {
        "journal AS (INSERT INTO onramp_journal \
            (onboarding, revision, command, given_by, at, events, hash) \
            SELECT id, revision, command, given_by, at, events, head FROM moved)"
    };
}

/// What is not there yet is inserted plainly: an upsert inserts tentatively and then confirms, which
/// costs half as much again. It is left for what was there when the statement began, whatever becomes of
/// that meanwhile; and when somebody inserts the same meanwhile, all are tried again, each alone.
macro_rules! put {
    () => {
        "put AS (INSERT INTO onramp_fact (onboarding, step, version, payload, salt, given_by, at) \
            SELECT id, step, version, payload, salt, fact_by, fact_at FROM moved m \
            WHERE step IS NOT NULL AND NOT EXISTS (SELECT FROM onramp_fact f \
                WHERE f.onboarding = m.id AND f.step = m.step)), \
        replaced AS (INSERT INTO onramp_fact \
            (onboarding, step, version, payload, salt, given_by, at) \
            SELECT id, step, version, payload, salt, fact_by, fact_at FROM moved m \
            WHERE step IS NOT NULL AND EXISTS (SELECT FROM onramp_fact f \
                WHERE f.onboarding = m.id AND f.step = m.step) \
            ON CONFLICT (onboarding, step) DO UPDATE SET version = excluded.version, \
            payload = excluded.payload, salt = excluded.salt, given_by = excluded.given_by, \
            at = excluded.at)"
    };
}

/// Facts of tasks, which are almost always new: when one is not, all are tried again, each alone.
macro_rules! put_new {
    () => {
        "put AS (INSERT INTO onramp_fact (onboarding, step, version, payload, salt, given_by, at) \
            SELECT id, step, version, payload, salt, fact_by, fact_at FROM moved \
            WHERE step IS NOT NULL)"
    };
}

macro_rules! woken {
    () => {
        concat!(
            "woken AS (INSERT INTO onramp_queue AS q \
            (onboarding, tenant, flow, fence, due_at, leased, lease_us, attempt) \
            SELECT id, tenant, flow, fence, ",
            now!(),
            " + later, 0, 0, 0 \
            FROM moved WHERE change = 1 \
            ON CONFLICT (onboarding) DO UPDATE SET \
            due_at = CASE WHEN q.leased = 1 THEN q.due_at ELSE excluded.due_at END, \
            attempt = q.leased, worker = CASE WHEN q.leased = 1 THEN q.worker END)"
        )
    };
}

macro_rules! posted {
    () => {
        concat!("posted AS (INSERT INTO onramp_outbox (id, tenant, flow, subject, onboarding, revision, \
            place, topic, at, stored_at, due_at) \
            SELECT message, tenant, flow, subject, id, revision, 0, topic, at, ", now!(), ", ", now!(), " \
            FROM moved WHERE topic IS NOT NULL)")
    };
}

macro_rules! kept {
    () => {
        "kept AS (UPDATE onramp_queue q SET attempt = 1 FROM moved m \
            WHERE q.onboarding = m.id AND m.change = 2 AND m.attempt <> 1)"
    };
}

macro_rules! gone {
    () => {
        "gone AS (DELETE FROM onramp_queue q USING moved m \
            WHERE q.onboarding = m.id AND m.change = 4)"
    };
}

/// The columns of creations.
macro_rules! newcomer {
    () => {
        "AS n (id, tenant, flow, subject, revision, stage, state, head, created_at, \
            command, given_by, at, events, later, message, topic)"
    };
}

/// The creations, after the columns of commits.
macro_rules! newcomers {
    () => {
        concat!(
            "newcomer AS MATERIALIZED (SELECT * FROM unnest(\
            $23::bytea[], $24::text[], $25::text[], $26::text[], $27::bigint[], $28::text[], \
            $29::text[], $30::bytea[], $31::bigint[], $32::bytea[], $33::text[], $34::bigint[], \
            $35::text[], $36::bigint[], $37::bytea[], $38::text[]) ",
            newcomer!(),
            ")"
        )
    };
}

/// What is made of them.
macro_rules! made {
    () => {
        concat!("made AS (INSERT INTO onramp_onboarding (id, tenant, flow, subject, active, revision, stage, \
            fence, state, head, created_at, updated_at) \
            SELECT id, tenant, flow, subject, 1, revision, stage, 0, state, head, created_at, at \
            FROM newcomer ON CONFLICT DO NOTHING RETURNING id), \
        born AS MATERIALIZED (SELECT n.* FROM newcomer n JOIN made ON made.id = n.id), \
        begun AS (INSERT INTO onramp_journal \
            (onboarding, revision, command, given_by, at, events, hash) \
            SELECT id, revision, command, given_by, at, events, head FROM born), \
        entered AS (INSERT INTO onramp_queue \
            (onboarding, tenant, flow, fence, due_at, leased, lease_us, attempt) \
            SELECT id, tenant, flow, 0, ", now!(), " + later, 0, 0, 0 FROM born \
            WHERE later IS NOT NULL), \
        told AS (INSERT INTO onramp_outbox (id, tenant, flow, subject, onboarding, revision, \
            place, topic, at, stored_at, due_at) \
            SELECT message, tenant, flow, subject, id, revision, 0, topic, at, ", now!(), ", ", now!(), " \
            FROM born WHERE topic IS NOT NULL)")
    };
}

/// The statements. The more there is in one the longer it takes to begin, whether or not there is
/// something to do; so there are small ones for what comes most often.
///
/// - `held` locks the queue entries of the leases that are written under, and waits for who holds
///   them: a claim that came between is seen, and its fence is another one.
/// - `moved` is the compare-and-swap: PostgreSQL looks at the row again after it waited for it.
/// - A command that is in the journal already is passed over. It is enough to look as of the
///   statement's beginning: whoever knows the revision that the row has now has seen its journal.
/// - Everything else is written for what `moved` gives, and only for that.
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const TEXTS: Texts = Texts {
    fused_answer: concat!(
        "WITH member AS (", member!(), "), moved AS (", moved!("member"), "), ",
        journal!(), ", ", put!(), " SELECT id FROM moved",
    ),
    fused_checkpoint: concat!(
        "WITH member AS (", member!(), "), held AS (", held!(), "), ",
        "moved AS (", moved!("held" ", m.attempt"), "), ",
        journal!(), ", ", put!(), ", ", kept!(), " SELECT id FROM moved",
    ),
    fused_host: concat!(
        "WITH member AS (", member!(), "), moved AS (", moved!("member"), "), ",
        journal!(), ", ", put!(), ", ", woken!(), ", ", posted!(), " SELECT id FROM moved",
    ),
    fused_commits: concat!(
        "WITH member AS (", members!(), "), moved AS (", moved!("member"), "), ",
        journal!(), ", ", put!(), ", ", woken!(), ", ", posted!(), " SELECT id FROM moved",
    ),
    fused_creation: concat!(
        "WITH newcomer AS (SELECT $1::bytea AS id, $2::text AS tenant, $3::text AS flow, \
            $4::text AS subject, $5::bigint AS revision, $6::text AS stage, $7::text AS state, \
            $8::bytea AS head, $9::bigint AS created_at, $10::bytea AS command, \
            $11::text AS given_by, $12::bigint AS at, $13::text AS events, \
            $14::bigint AS later, $15::bytea AS message, $16::text AS topic), ",
        made!(), " SELECT id FROM made",
    ),
    fused_creations: concat!(
        "WITH newcomer AS MATERIALIZED (SELECT * FROM unnest(\
            $1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], \
            $7::text[], $8::bytea[], $9::bigint[], $10::bytea[], $11::text[], $12::bigint[], \
            $13::text[], $14::bigint[], $15::bytea[], $16::text[]) ", newcomer!(), "), ",
        made!(), " SELECT id FROM made",
    ),
    fused_hosts: concat!(
        "WITH member AS (", members!(), "), moved AS (", moved!("member"), "), ",
        journal!(), ", ", put!(), ", ", woken!(), ", ", posted!(), ", ", newcomers!(), ", ",
        made!(), " SELECT id FROM moved UNION ALL SELECT id FROM made",
    ),
    fused_workers: concat!(
        "WITH member AS (", members!(), "), held AS MATERIALIZED (", held!(), "), \
        moved AS (", moved!("held" ", m.attempt"), "), ",
        journal!(), ", ", put_new!(), ", ", posted!(), ", ", kept!(), ", ", gone!(), ", ",
        newcomers!(), ", ", made!(), " SELECT id FROM moved UNION ALL SELECT id FROM made",
    ),
    fused: concat!(
        "WITH member AS MATERIALIZED (", members!(), "), held AS MATERIALIZED (", held!(), "), \
        ready AS (SELECT * FROM held UNION ALL SELECT *, NULL::bigint FROM member WHERE held < 0), \
        moved AS (", moved!("ready" ", m.attempt"), "), ",
        journal!(), ", ", put!(), ", ", woken!(), ", ", posted!(), ", ", kept!(), ", \
        removed AS (DELETE FROM onramp_fact f USING moved m \
            WHERE m.removed IS NOT NULL AND f.onboarding = m.id AND f.step = m.removed), \
        handed AS (UPDATE onramp_queue q SET due_at = ", now!(), " + m.later, \
            leased = 0, worker = NULL FROM moved m WHERE q.onboarding = m.id AND m.change = 3), \
        ", gone!(), ", ", newcomers!(), ", ",
        made!(), " SELECT id FROM moved UNION ALL SELECT id FROM made",
    ),
    ..Texts::NONE
};

/// Stores those members that hold; gives nothing for the others.
pub(in crate::store::sql) async fn together(
    db: &mut Session<'_, Postgres>,
    texts: &'static Texts,
    batch: &Batch,
) -> Result<Vec<Option<Outcome>>, Fault> {
    db.committing = true;
    run(db, texts, batch.members())
        .await
        .map_err(|fault| match fault {
            Fault::Sql(error) => at_commit::<Postgres>(error),
            other => other,
        })
}

/// Stores a member in a transaction of the host's: in one statement, so that all or nothing of it is
/// written. When it does not hold, a second one finds out why.
pub(in crate::store::sql) async fn joined(
    db: &mut Session<'_, Postgres>,
    texts: &'static Texts,
    member: Member,
) -> Result<Outcome, Fault> {
    if let Member::Commit(commit) = &member
        && !member.fits()
    {
        // Locked by a statement of its own, so that the next one sees what is there then.
        met(db, commit, db.sql.look_locked).await?.ok();
        return Ok(Outcome::Commit(
            store_commit(db, commit, db.sql.look).await?,
        ));
    }
    let members = [member];
    if let Some(outcome) = run(db, texts, &members).await?.pop().flatten() {
        return Ok(outcome);
    }
    match &members[0] {
        Member::Commit(commit) => Ok(Outcome::Commit(refused(db, commit).await?)),
        // It exists, or did a moment ago.
        Member::Create(create) => Ok(Outcome::Created(create.existing(db).await?)),
    }
}

async fn run(
    db: &mut Session<'_, Postgres>,
    texts: &'static Texts,
    members: &[Member],
) -> Result<Vec<Option<Outcome>>, Fault> {
    let (mut commits, mut creations) = (Commits::default(), Creations::default());
    for member in members {
        match member {
            Member::Commit(commit) => commits.push(commit)?,
            Member::Create(create) => creations.push(&create.0)?,
        }
    }
    let query = match (commits.kind(), creations.id.is_empty()) {
        (Kind::Answer, true) => commits.bind_one(sqlx::query(texts.fused_answer)),
        (Kind::Checkpoint, true) => commits.bind_one(sqlx::query(texts.fused_checkpoint)),
        (Kind::Host, true) => commits.bind_one(sqlx::query(texts.fused_host)),
        (Kind::None, _) if creations.id.len() == 1 => {
            creations.bind_one(sqlx::query(texts.fused_creation))
        }
        (Kind::None, _) => creations.bind(sqlx::query(texts.fused_creations)),
        (Kind::Answer | Kind::Host | Kind::Hosts, false) => {
            creations.bind(commits.bind(sqlx::query(texts.fused_hosts)))
        }
        (Kind::Hosts, true) => commits.bind(sqlx::query(texts.fused_commits)),
        (Kind::Workers, _) => creations.bind(commits.bind(sqlx::query(texts.fused_workers))),
        _ => creations.bind(commits.bind(sqlx::query(texts.fused))),
    };
    let rows = query.fetch_all(&mut *db.on).await?;
    let stored: Result<HashSet<Uuid>, Error> = rows
        .iter()
        .map(|row| Reader::<Postgres>::any(row, "a commit").uuid(0, "the id"))
        .collect();
    let stored = stored?;
    let is_stored = |id: OnboardingId| stored.contains(&id.as_uuid());
    Ok(members
        .iter()
        .map(|member| match member {
            Member::Commit(commit) => {
                is_stored(commit.id()).then_some(Outcome::Commit(CommitOutcome::Committed))
            }
            Member::Create(create) => is_stored(create.0.row.state.id()).then(|| {
                let row = create.0.row.clone();
                Outcome::Created(Created { row, fresh: true })
            }),
        })
        .collect())
}
