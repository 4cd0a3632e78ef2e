-- +goose Up
-- Each audit record is linked to the one before it. What was recorded before there
-- were links comes before the chain's base.

ALTER TABLE audit ADD COLUMN link BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN salt BLOB NOT NULL DEFAULT x'';

-- One row: the newest record and the one before the first that is kept. Who records
-- writes it first, so that one transaction at a time appends to the chain.
CREATE TABLE audit_head (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence      INTEGER NOT NULL,
    link          BLOB    NOT NULL CHECK (length(link) = 32),
    base          INTEGER NOT NULL,
    base_link     BLOB    NOT NULL CHECK (length(base_link) = 32)
) STRICT;

INSERT INTO audit_head (id, sequence, link, base, base_link)
SELECT 1, coalesce(max(sequence), 0), zeroblob(32), coalesce(max(sequence), 0), zeroblob(32) FROM audit;
