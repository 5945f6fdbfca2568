-- Version 1. Drawn in src/store/sql/mod.rs. Times are microseconds since 1970, UTC; identities are
-- the 16 bytes of a UUID. Every statement can be run again. Later versions only add.

CREATE TABLE IF NOT EXISTS onramp_onboarding (
    id         BLOB    NOT NULL PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    flow       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    active     INTEGER,            -- 1, or NULL for one that makes room for a successor
    revision   INTEGER NOT NULL,
    stage      TEXT    NOT NULL,
    fence      INTEGER NOT NULL,   -- the last fence, kept while it is not in the queue
    state      TEXT    NOT NULL,   -- JSON
    head       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (tenant, subject, flow, active)
) STRICT;

CREATE TABLE IF NOT EXISTS onramp_fact (
    onboarding BLOB    NOT NULL,
    step       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    payload    TEXT    NOT NULL,   -- JSON
    salt       BLOB    NOT NULL,
    given_by   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (onboarding, step)
) STRICT;

-- What only one onboarding may have: the hash of it, and who has it.
CREATE TABLE IF NOT EXISTS onramp_reservation (
    held       BLOB NOT NULL PRIMARY KEY,
    onboarding BLOB NOT NULL,
    step       TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS onramp_reservation_holder ON onramp_reservation (onboarding, step);

CREATE TABLE IF NOT EXISTS onramp_journal (
    onboarding BLOB    NOT NULL,
    revision   INTEGER NOT NULL,
    command    BLOB    NOT NULL,
    given_by   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    events     TEXT    NOT NULL,   -- the JSON text that was hashed
    hash       BLOB    NOT NULL,
    PRIMARY KEY (onboarding, revision)
) STRICT;

CREATE TABLE IF NOT EXISTS onramp_queue (
    onboarding BLOB    NOT NULL PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    flow       TEXT    NOT NULL,
    due_at     INTEGER NOT NULL,   -- for a leased one, when its lease runs out
    fence      INTEGER NOT NULL,
    leased     INTEGER NOT NULL,
    lease_us   INTEGER NOT NULL,   -- how long the newest lease was given for
    attempt    INTEGER NOT NULL,
    worker     TEXT,
    progress   TEXT               -- JSON: how far the newest attempt is
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS onramp_queue_due ON onramp_queue (flow, due_at, onboarding);
CREATE INDEX IF NOT EXISTS onramp_queue_turn ON onramp_queue (flow, tenant, due_at, onboarding);

-- How many of a tenant's are leased at the same time: a slot is free when the lease it names is over.
CREATE TABLE IF NOT EXISTS onramp_slot (
    flow       TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    slot       INTEGER NOT NULL,
    onboarding BLOB    NOT NULL,
    fence      INTEGER NOT NULL,
    PRIMARY KEY (flow, tenant, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS onramp_outbox (
    id         BLOB    NOT NULL,
    tenant     TEXT    NOT NULL,
    flow       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    onboarding BLOB    NOT NULL,
    revision   INTEGER NOT NULL,
    place      INTEGER NOT NULL,   -- among the messages of its commit
    topic      TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    stored_at  INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,   -- of a dead one, 2^62 and since when: behind all others
    fence      INTEGER NOT NULL DEFAULT 0, -- how often it was handed out
    attempt    INTEGER NOT NULL DEFAULT 0, -- the same, since it was last revived
    reason     TEXT,               -- of a dead one
    PRIMARY KEY (onboarding, revision, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS onramp_outbox_due ON onramp_outbox (due_at, stored_at);
