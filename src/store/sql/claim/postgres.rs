//! Claims on PostgreSQL: one statement finds, locks and takes.
//!
//! Rows are locked as they are found, passing over what others hold; the UPDATE then names the fence
//! that was locked. Columns: onboarding, tenant, fence and attempt as they were, for how long it was
//! due, place.

use crate::store::sql::claim::texts::{ClaimTexts, claims};
use crate::store::sql::statements::dollars;

/// The texts.
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const TEXTS: ClaimTexts = claims! {
    form: dollars,
    now: "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint",
    lock: " FOR UPDATE SKIP LOCKED",
    insert: "INSERT" " ON CONFLICT DO NOTHING",
    oldest: dollars!(
        "WITH chosen AS MATERIALIZED (SELECT 1000000::bigint AS place, onboarding, fence, due_at \
            FROM onramp_queue WHERE flow = $1 \
            AND due_at > (extract(epoch FROM statement_timestamp()) * 1000000)::bigint - $2 \
            AND due_at <= (extract(epoch FROM statement_timestamp()) * 1000000)::bigint \
            ORDER BY due_at, onboarding LIMIT $3 FOR UPDATE SKIP LOCKED) \
        UPDATE onramp_queue q SET \
            due_at = (extract(epoch FROM statement_timestamp()) * 1000000)::bigint + $4, \
            fence = q.fence + 1, leased = 1, lease_us = $5, attempt = q.attempt + 1, worker = $6 \
        FROM chosen c WHERE q.onboarding = c.onboarding AND q.fence = c.fence \
        RETURNING q.onboarding, q.tenant, q.fence - 1, q.attempt - 1, \
            (extract(epoch FROM statement_timestamp()) * 1000000)::bigint - c.due_at, c.place"
    ),
    // `turn` walks from tenant to tenant, a step down the index each; `head` has what is due longest
    // of each; `rest` fills up with what is due longest of all.
    in_turn: dollars!(
        "WITH RECURSIVE turn (flow, tenant, place) AS (\
            SELECT f.flow, f.tenant, 1::bigint FROM (SELECT q.flow, q.tenant FROM onramp_queue q \
                WHERE q.flow = $1 AND q.tenant > $2 ORDER BY q.tenant LIMIT 1) f \
            UNION ALL \
            SELECT t.flow, (SELECT q.tenant FROM onramp_queue q \
                WHERE q.flow = t.flow AND q.tenant > t.tenant ORDER BY q.tenant LIMIT 1), t.place + 1 \
            FROM turn t WHERE t.tenant IS NOT NULL AND t.place < $3), \
        head AS MATERIALIZED (SELECT t.place, e.onboarding, e.fence, e.due_at \
            FROM turn t CROSS JOIN LATERAL (\
                SELECT d.onboarding, d.fence, d.due_at FROM onramp_queue d \
                WHERE d.flow = t.flow AND d.tenant = t.tenant \
                AND d.due_at <= (extract(epoch FROM statement_timestamp()) * 1000000)::bigint \
                ORDER BY d.due_at, d.onboarding LIMIT 1 FOR UPDATE SKIP LOCKED) e \
            WHERE t.tenant IS NOT NULL LIMIT $4), \
        rest AS MATERIALIZED (SELECT 1000000::bigint AS place, onboarding, fence, due_at \
            FROM onramp_queue WHERE flow = $5 \
            AND due_at <= (extract(epoch FROM statement_timestamp()) * 1000000)::bigint \
            ORDER BY due_at, onboarding \
            LIMIT (SELECT CASE WHEN EXISTS (SELECT FROM head OFFSET $6) THEN 0 ELSE $7::bigint END) \
            FOR UPDATE SKIP LOCKED), \
        chosen AS MATERIALIZED (SELECT * FROM head UNION ALL \
            SELECT * FROM rest r \
            WHERE NOT EXISTS (SELECT FROM head h WHERE h.onboarding = r.onboarding) \
            ORDER BY place, due_at LIMIT $8), \
        claimed AS (UPDATE onramp_queue q SET \
            due_at = (extract(epoch FROM statement_timestamp()) * 1000000)::bigint + $9, \
            fence = q.fence + 1, leased = 1, lease_us = $10, attempt = q.attempt + 1, worker = $11 \
            FROM chosen c WHERE q.onboarding = c.onboarding AND q.fence = c.fence \
            RETURNING q.onboarding, q.tenant, q.fence - 1 AS fence, q.attempt - 1 AS attempt, \
                (extract(epoch FROM statement_timestamp()) * 1000000)::bigint - c.due_at AS age, \
                c.place) \
        SELECT onboarding, tenant, fence, attempt, age, place FROM claimed UNION ALL \
        SELECT NULL, tenant, NULL, NULL, NULL, place FROM turn WHERE tenant IS NOT NULL"
    ),
    pin: "",
    take: "",
};
