-- +goose Up
-- Each audit record is linked to the one before it. What was recorded before there
-- were links comes before the chain's base.

ALTER TABLE audit ALTER COLUMN sequence DROP IDENTITY;
ALTER TABLE audit ADD COLUMN link BYTEA NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN sealed BYTEA NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN salt BYTEA NOT NULL DEFAULT '';

-- One row: the newest record and the one before the first that is kept. Who records
-- writes it first, so that one transaction at a time appends to the chain.
CREATE TABLE audit_head (
    id            BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence      BIGINT NOT NULL,
    link          BYTEA  NOT NULL CHECK (length(link) = 32),
    base          BIGINT NOT NULL,
    base_link     BYTEA  NOT NULL CHECK (length(base_link) = 32)
);

INSERT INTO audit_head (id, sequence, link, base, base_link)
SELECT 1, coalesce(max(sequence), 0), decode(repeat('00', 32), 'hex'), coalesce(max(sequence), 0), decode(repeat('00', 32), 'hex') FROM audit;
