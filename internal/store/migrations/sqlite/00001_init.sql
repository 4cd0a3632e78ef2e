-- +goose Up
-- Instants are microseconds since 1970 in UTC, 0 for none. Text compares by bytes.

CREATE TABLE realms (
    name       TEXT    NOT NULL PRIMARY KEY,
    attributes TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    realm         TEXT    NOT NULL REFERENCES realms (name),
    id            TEXT    NOT NULL,
    canonical     TEXT    NOT NULL,
    login         TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    roles         TEXT    NOT NULL,
    attributes    TEXT    NOT NULL,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    verified      INTEGER NOT NULL CHECK (verified IN (0, 1)),
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    tokens_from   INTEGER NOT NULL,
    tickets_from  INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (realm, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX accounts_canonical ON accounts (realm, canonical);

CREATE TABLE access_keys (
    realm         TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    identifier    TEXT    NOT NULL,
    secret_digest BLOB    NOT NULL CHECK (length(secret_digest) = 32),
    name          TEXT    NOT NULL,
    attributes    TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX access_keys_identifier ON access_keys (realm, identifier);
CREATE INDEX access_keys_account ON access_keys (realm, account);

-- An account has one ticket of a purpose: a newer one takes the older one's row.
CREATE TABLE tickets (
    realm      TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    PRIMARY KEY (realm, account, purpose),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tickets_digest ON tickets (realm, digest);

-- When tickets were issued, kept for counting after the tickets are gone.
CREATE TABLE ticket_issues (
    id        INTEGER NOT NULL PRIMARY KEY,
    realm     TEXT    NOT NULL,
    account   TEXT    NOT NULL,
    purpose   TEXT    NOT NULL,
    issued_at INTEGER NOT NULL
) STRICT;

CREATE INDEX ticket_issues_account ON ticket_issues (realm, account, purpose, issued_at);

CREATE TABLE notices (
    id           TEXT    NOT NULL PRIMARY KEY,
    realm        TEXT    NOT NULL,
    dialect      TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    login        TEXT    NOT NULL,
    request_id   TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX notices_due ON notices (due_at, id);

CREATE TABLE audit (
    sequence   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    realm      TEXT    NOT NULL,
    dialect    TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    access_key TEXT    NOT NULL,
    token_id   TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    request_id TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_realm ON audit (realm); -- and the row id, which is the sequence

-- The ordinal lets one of several replicas that start at once make the first key.
CREATE TABLE signing_keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    realm      TEXT    NOT NULL,
    dialect    TEXT    NOT NULL,
    algorithm  TEXT    NOT NULL,
    ordinal    INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (realm, dialect, algorithm, ordinal)
) STRICT, WITHOUT ROWID;

-- One row, written to find out whether the database takes writes.
CREATE TABLE probe (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
