-- +goose Up
-- Sessions end at ended_at, or are over at expires_at or once unused for idle
-- (microseconds); 0 stands for never. Where a table has further indexes that begin
-- with the realm, its primary key ends with it: SQLite would else take the key for
-- them, and look at all of the realm.

CREATE TABLE tenants (
    realm      TEXT    NOT NULL REFERENCES realms (name),
    id         TEXT    NOT NULL,
    canonical  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    attributes TEXT    NOT NULL,
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tenants_canonical ON tenants (realm, canonical);

ALTER TABLE accounts ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN hold TEXT NOT NULL DEFAULT '';

DROP INDEX accounts_canonical;
CREATE UNIQUE INDEX accounts_canonical ON accounts (realm, canonical, tenant);

CREATE TABLE sessions (
    realm      TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    dialect    TEXT    NOT NULL,
    policy     TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    access_key TEXT    NOT NULL,
    client     TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    methods    TEXT    NOT NULL,
    granted    TEXT    NOT NULL,
    slot       TEXT    NOT NULL,
    idle       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    end_reason TEXT    NOT NULL,
    PRIMARY KEY (id, realm),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX sessions_slot ON sessions (realm, slot) WHERE slot <> '';
CREATE INDEX sessions_account ON sessions (realm, account);
-- What a purge looks for.
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at <> 0;
CREATE INDEX sessions_over ON sessions (expires_at) WHERE expires_at <> 0;
CREATE INDEX sessions_idle ON sessions ((seen_at + idle)) WHERE idle > 0;

CREATE TABLE tokens (
    realm       TEXT    NOT NULL,
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    session     TEXT    NOT NULL,
    token_use   TEXT    NOT NULL,
    token_id    TEXT    NOT NULL,
    issued_at   INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    replaced_at INTEGER NOT NULL,
    sealed      BLOB    NOT NULL,
    PRIMARY KEY (digest, realm),
    FOREIGN KEY (realm, session) REFERENCES sessions (realm, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_session ON tokens (realm, session);
CREATE INDEX tokens_expired ON tokens (expires_at) WHERE expires_at <> 0;

-- The recovery codes that are left are digests of 32 bytes, one after the other.
CREATE TABLE factors (
    realm       TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    sealed      BLOB    NOT NULL,
    last_step   INTEGER NOT NULL,
    recovery    BLOB    NOT NULL CHECK (length(recovery) % 32 = 0),
    enrolled_at INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (realm, account),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
) STRICT, WITHOUT ROWID;

ALTER TABLE tickets ADD COLUMN payload TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN session TEXT NOT NULL DEFAULT '';
