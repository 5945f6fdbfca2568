-- Version 1. Drawn in src/store/sql/mod.rs. Times are microseconds since 1970, UTC; identities are
-- the 16 bytes of a UUID; keys are bytes, so that no collation folds or pads them. Every statement
-- can be run again, because none can be rolled back. Later versions only add.

CREATE TABLE IF NOT EXISTS onramp_onboarding (
    id         BINARY(16)     NOT NULL PRIMARY KEY,
    tenant     VARBINARY(255) NOT NULL,
    flow       VARBINARY(255) NOT NULL,
    subject    VARBINARY(255) NOT NULL,
    active     BIGINT,                 -- 1, or NULL for one that makes room for a successor
    revision   BIGINT         NOT NULL,
    stage      VARBINARY(255) NOT NULL,
    fence      BIGINT         NOT NULL, -- the last fence, kept while it is not in the queue
    state      LONGTEXT       NOT NULL, -- JSON
    head       BINARY(32)     NOT NULL,
    created_at BIGINT         NOT NULL,
    updated_at BIGINT         NOT NULL,
    UNIQUE KEY onramp_onboarding_key (tenant, subject, flow, active)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS onramp_fact (
    onboarding BINARY(16)     NOT NULL,
    step       VARBINARY(255) NOT NULL,
    version    BIGINT         NOT NULL,
    payload    LONGTEXT       NOT NULL, -- JSON
    salt       VARBINARY(255) NOT NULL,
    given_by   VARBINARY(1024) NOT NULL,
    at         BIGINT         NOT NULL,
    PRIMARY KEY (onboarding, step)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- What only one onboarding may have: the hash of it, and who has it.
CREATE TABLE IF NOT EXISTS onramp_reservation (
    held       BINARY(32) NOT NULL PRIMARY KEY,
    onboarding BINARY(16) NOT NULL,
    step       VARBINARY(255) NOT NULL,
    KEY onramp_reservation_holder (onboarding, step)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS onramp_journal (
    onboarding BINARY(16)     NOT NULL,
    revision   BIGINT         NOT NULL,
    command    BINARY(16)     NOT NULL,
    given_by   VARBINARY(1024) NOT NULL,
    at         BIGINT         NOT NULL,
    events     LONGTEXT       NOT NULL, -- the JSON text that was hashed
    hash       BINARY(32)     NOT NULL,
    PRIMARY KEY (onboarding, revision)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS onramp_queue (
    onboarding BINARY(16)     NOT NULL PRIMARY KEY,
    tenant     VARBINARY(255) NOT NULL,
    flow       VARBINARY(255) NOT NULL,
    due_at     BIGINT         NOT NULL, -- for a leased one, when its lease runs out
    fence      BIGINT         NOT NULL,
    leased     BIGINT         NOT NULL,
    lease_us   BIGINT         NOT NULL,   -- how long the newest lease was given for
    attempt    BIGINT         NOT NULL,
    worker     VARBINARY(1024),
    progress   LONGTEXT,                  -- JSON: how far the newest attempt is
    KEY onramp_queue_due (flow, due_at, onboarding),
    KEY onramp_queue_turn (flow, tenant, due_at, onboarding)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- How many of a tenant's are leased at the same time: a slot is free when the lease it names is over.
CREATE TABLE IF NOT EXISTS onramp_slot (
    flow       VARBINARY(255) NOT NULL,
    tenant     VARBINARY(255) NOT NULL,
    slot       BIGINT         NOT NULL,
    onboarding BINARY(16)     NOT NULL,
    fence      BIGINT         NOT NULL,
    PRIMARY KEY (flow, tenant, slot)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS onramp_outbox (
    id         BINARY(16)     NOT NULL,
    tenant     VARBINARY(255) NOT NULL,
    flow       VARBINARY(255) NOT NULL,
    subject    VARBINARY(255) NOT NULL,
    onboarding BINARY(16)     NOT NULL,
    revision   BIGINT         NOT NULL,
    place      BIGINT         NOT NULL, -- among the messages of its commit
    topic      VARBINARY(255) NOT NULL,
    at         BIGINT         NOT NULL,
    stored_at  BIGINT         NOT NULL,
    due_at     BIGINT         NOT NULL, -- of a dead one, 2^62 and since when: behind all others
    fence      BIGINT         NOT NULL DEFAULT 0, -- how often it was handed out
    attempt    BIGINT         NOT NULL DEFAULT 0, -- the same, since it was last revived
    reason     VARBINARY(255),          -- of a dead one
    PRIMARY KEY (onboarding, revision, place),
    KEY onramp_outbox_due (due_at, stored_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
