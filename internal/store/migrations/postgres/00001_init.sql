-- +goose Up
-- Instants are microseconds since 1970 in UTC, 0 for none. Text compares by bytes,
-- whatever the database's own collation.

CREATE TABLE realms (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    attributes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT           NOT NULL
);

CREATE TABLE accounts (
    realm         TEXT COLLATE "C" NOT NULL REFERENCES realms (name),
    id            TEXT COLLATE "C" NOT NULL,
    canonical     TEXT COLLATE "C" NOT NULL,
    login         TEXT COLLATE "C" NOT NULL,
    email         TEXT COLLATE "C" NOT NULL,
    name          TEXT COLLATE "C" NOT NULL,
    roles         TEXT COLLATE "C" NOT NULL,
    attributes    TEXT COLLATE "C" NOT NULL,
    active        BOOLEAN          NOT NULL,
    verified      BOOLEAN          NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT           NOT NULL,
    updated_at    BIGINT           NOT NULL,
    tokens_from   BIGINT           NOT NULL,
    tickets_from  BIGINT           NOT NULL,
    version       BIGINT           NOT NULL,
    PRIMARY KEY (realm, id)
);

CREATE UNIQUE INDEX accounts_canonical ON accounts (realm, canonical);

CREATE TABLE access_keys (
    realm         TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    account       TEXT COLLATE "C" NOT NULL,
    identifier    TEXT COLLATE "C" NOT NULL,
    secret_digest BYTEA            NOT NULL CHECK (length(secret_digest) = 32),
    name          TEXT COLLATE "C" NOT NULL,
    attributes    TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT           NOT NULL,
    updated_at    BIGINT           NOT NULL,
    expires_at    BIGINT           NOT NULL,
    version       BIGINT           NOT NULL,
    PRIMARY KEY (realm, id),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
);

CREATE UNIQUE INDEX access_keys_identifier ON access_keys (realm, identifier);
CREATE INDEX access_keys_account ON access_keys (realm, account);

-- An account has one ticket of a purpose: a newer one takes the older one's row.
CREATE TABLE tickets (
    realm      TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL,
    purpose    TEXT COLLATE "C" NOT NULL,
    digest     BYTEA            NOT NULL CHECK (length(digest) = 32),
    issued_at  BIGINT           NOT NULL,
    expires_at BIGINT           NOT NULL,
    used_at    BIGINT           NOT NULL,
    PRIMARY KEY (realm, account, purpose),
    FOREIGN KEY (realm, account) REFERENCES accounts (realm, id)
);

CREATE UNIQUE INDEX tickets_digest ON tickets (realm, digest);

-- When tickets were issued, kept for counting after the tickets are gone.
CREATE TABLE ticket_issues (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    realm     TEXT COLLATE "C" NOT NULL,
    account   TEXT COLLATE "C" NOT NULL,
    purpose   TEXT COLLATE "C" NOT NULL,
    issued_at BIGINT           NOT NULL
);

CREATE INDEX ticket_issues_account ON ticket_issues (realm, account, purpose, issued_at);

CREATE TABLE notices (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    realm        TEXT COLLATE "C" NOT NULL,
    dialect      TEXT COLLATE "C" NOT NULL,
    purpose      TEXT COLLATE "C" NOT NULL,
    login        TEXT COLLATE "C" NOT NULL,
    request_id   TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT           NOT NULL,
    due_at       BIGINT           NOT NULL,
    attempts     BIGINT           NOT NULL,
    leased_until BIGINT           NOT NULL
);

CREATE INDEX notices_due ON notices (due_at, id);

CREATE TABLE audit (
    sequence   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         BIGINT           NOT NULL,
    realm      TEXT COLLATE "C" NOT NULL,
    dialect    TEXT COLLATE "C" NOT NULL,
    action     TEXT COLLATE "C" NOT NULL,
    outcome    TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL,
    access_key TEXT COLLATE "C" NOT NULL,
    token_id   TEXT COLLATE "C" NOT NULL,
    address    TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL
);

CREATE INDEX audit_realm ON audit (realm, sequence);

-- The ordinal lets one of several replicas that start at once make the first key.
CREATE TABLE signing_keys (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    realm      TEXT COLLATE "C" NOT NULL,
    dialect    TEXT COLLATE "C" NOT NULL,
    algorithm  TEXT COLLATE "C" NOT NULL,
    ordinal    BIGINT           NOT NULL,
    sealed     BYTEA            NOT NULL,
    created_at BIGINT           NOT NULL,
    UNIQUE (realm, dialect, algorithm, ordinal)
);

-- One row, written to find out whether the database takes writes.
CREATE TABLE probe (
    id BIGINT           NOT NULL PRIMARY KEY CHECK (id = 1),
    at BIGINT           NOT NULL
);
