-- Version 1. Drawn in src/store/sql/mod.rs. Times are microseconds since 1970, UTC; identities are
-- the 16 bytes of a UUID; keys are compared byte by byte. Every statement can be
-- run again. Later versions only add.

CREATE TABLE IF NOT EXISTS onramp_onboarding (
    id         BYTEA  NOT NULL PRIMARY KEY,
    tenant     TEXT COLLATE "C" NOT NULL,
    flow       TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    active     BIGINT,             -- 1, or NULL for one that makes room for a successor
    revision   BIGINT NOT NULL,
    stage      TEXT   NOT NULL,
    fence      BIGINT NOT NULL,   -- the last fence, kept while it is not in the queue
    state      TEXT   NOT NULL,   -- JSON
    head       BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant, subject, flow, active)
)
-- Room for the next revision on the same page: then no index is written to.
WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS onramp_fact (
    onboarding BYTEA  NOT NULL,
    step       TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    payload    TEXT   NOT NULL,   -- JSON
    salt       BYTEA  NOT NULL,
    given_by   TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (onboarding, step)
);

-- What only one onboarding may have: the hash of it, and who has it.
CREATE TABLE IF NOT EXISTS onramp_reservation (
    held       BYTEA NOT NULL PRIMARY KEY,
    onboarding BYTEA NOT NULL,
    step       TEXT COLLATE "C" NOT NULL
);

CREATE INDEX IF NOT EXISTS onramp_reservation_holder ON onramp_reservation (onboarding, step);

CREATE TABLE IF NOT EXISTS onramp_journal (
    onboarding BYTEA  NOT NULL,
    revision   BIGINT NOT NULL,
    command    BYTEA  NOT NULL,
    given_by   TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    events     TEXT   NOT NULL,   -- the JSON text that was hashed
    hash       BYTEA  NOT NULL,
    PRIMARY KEY (onboarding, revision)
);

CREATE TABLE IF NOT EXISTS onramp_queue (
    onboarding BYTEA  NOT NULL PRIMARY KEY,
    tenant     TEXT COLLATE "C" NOT NULL,
    flow       TEXT COLLATE "C" NOT NULL,
    due_at     BIGINT NOT NULL,   -- for a leased one, when its lease runs out
    fence      BIGINT NOT NULL,
    leased     BIGINT NOT NULL,
    lease_us   BIGINT NOT NULL,   -- how long the newest lease was given for
    attempt    BIGINT NOT NULL,
    worker     TEXT,
    progress   TEXT               -- JSON: how far the newest attempt is
);

CREATE INDEX IF NOT EXISTS onramp_queue_due ON onramp_queue (flow, due_at, onboarding);
CREATE INDEX IF NOT EXISTS onramp_queue_turn ON onramp_queue (flow, tenant, due_at, onboarding);

-- How many of a tenant's are leased at the same time: a slot is free when the lease it names is over.
CREATE TABLE IF NOT EXISTS onramp_slot (
    flow       TEXT COLLATE "C" NOT NULL,
    tenant     TEXT COLLATE "C" NOT NULL,
    slot       BIGINT NOT NULL,
    onboarding BYTEA  NOT NULL,
    fence      BIGINT NOT NULL,
    PRIMARY KEY (flow, tenant, slot)
);

CREATE TABLE IF NOT EXISTS onramp_outbox (
    id         BYTEA  NOT NULL,
    tenant     TEXT COLLATE "C" NOT NULL,
    flow       TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    onboarding BYTEA  NOT NULL,
    revision   BIGINT NOT NULL,
    place      BIGINT NOT NULL,   -- among the messages of its commit
    topic      TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    stored_at  BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,   -- of a dead one, 2^62 and since when: behind all others
    fence      BIGINT NOT NULL DEFAULT 0, -- how often it was handed out
    attempt    BIGINT NOT NULL DEFAULT 0, -- the same, since it was last revived
    reason     TEXT,              -- of a dead one
    PRIMARY KEY (onboarding, revision, place)
);

CREATE INDEX IF NOT EXISTS onramp_outbox_due ON onramp_outbox (due_at, stored_at);
