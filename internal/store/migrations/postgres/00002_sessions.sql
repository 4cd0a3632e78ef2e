-- +goose Up
-- Sessions end at ended_at, or are over at expires_at or once unused for idle
-- (microseconds); 0 stands for never. Where a table has further indexes that begin
-- with the realm, its primary key ends with it: SQLite would else take the key for
-- them, and look at all of the realm.

CREATE TABLE tenants (
    realm      TEXT COLLATE "C" NOT NULL REFERENCES realms (name),
    id         TEXT COLLATE "C" NOT NULL,
    canonical  TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    attributes TEXT COLLATE "C" NOT NULL,
    active     BOOLEAN          NOT NULL,
    created_at BIGINT           NOT NULL,
    version    BIGINT           NOT NULL,
    PRIMARY KEY (realm, id)
);

CREATE UNIQUE INDEX tenants_canonical ON tenants (realm, canonical);

ALTER TABLE accounts ADD COLUMN tenant TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN hold TEXT COLLATE "C" NOT NULL DEFAULT '';

DROP INDEX accounts_canonical;
CREATE UNIQUE INDEX accounts_canonical ON accounts (realm, canonical, tenant);

CREATE TABLE sessions (
    realm      TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    dialect    TEXT COLLATE "C" NOT NULL,
    policy     TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL,
    access_key TEXT COLLATE "C" NOT NULL,
    client     TEXT COLLATE "C" NOT NULL,
    tenant     TEXT COLLATE "C" NOT NULL,
    methods    TEXT COLLATE "C" NOT NULL,
    granted    TEXT COLLATE "C" NOT NULL,
    slot       TEXT COLLATE "C" NOT NULL,
    idle       BIGINT           NOT NULL,
    created_at BIGINT           NOT NULL,
    seen_at    BIGINT           NOT NULL,
    expires_at BIGINT           NOT NULL,
    ended_at   BIGINT           NOT NULL,
    end_reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id, realm),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
);

CREATE UNIQUE INDEX sessions_slot ON sessions (realm, slot) WHERE slot <> '';
CREATE INDEX sessions_account ON sessions (realm, account);
-- What a purge looks for.
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at <> 0;
CREATE INDEX sessions_over ON sessions (expires_at) WHERE expires_at <> 0;
CREATE INDEX sessions_idle ON sessions ((seen_at + idle)) WHERE idle > 0;

CREATE TABLE tokens (
    realm       TEXT COLLATE "C" NOT NULL,
    digest      BYTEA            NOT NULL CHECK (length(digest) = 32),
    session     TEXT COLLATE "C" NOT NULL,
    token_use   TEXT COLLATE "C" NOT NULL,
    token_id    TEXT COLLATE "C" NOT NULL,
    issued_at   BIGINT           NOT NULL,
    expires_at  BIGINT           NOT NULL,
    replaced_at BIGINT           NOT NULL,
    sealed      BYTEA            NOT NULL,
    PRIMARY KEY (digest, realm),
    FOREIGN KEY (realm, session) REFERENCES sessions (realm, id) ON DELETE CASCADE
);

CREATE INDEX tokens_session ON tokens (realm, session);
CREATE INDEX tokens_expired ON tokens (expires_at) WHERE expires_at <> 0;

-- The recovery codes that are left are digests of 32 bytes, one after the other.
CREATE TABLE factors (
    realm       TEXT COLLATE "C" NOT NULL,
    account     TEXT COLLATE "C" NOT NULL,
    sealed      BYTEA            NOT NULL,
    last_step   BIGINT           NOT NULL,
    recovery    BYTEA            NOT NULL CHECK (length(recovery) % 32 = 0),
    enrolled_at BIGINT           NOT NULL,
    version     BIGINT           NOT NULL,
    PRIMARY KEY (realm, account),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
);

ALTER TABLE tickets ADD COLUMN payload TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN tenant TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN session TEXT COLLATE "C" NOT NULL DEFAULT '';
