-- +goose Up
-- Mails are counted by whom they go to as well: the digest of the address. Those from
-- before count by their account alone.

ALTER TABLE ticket_issues ADD COLUMN recipient BLOB NOT NULL DEFAULT x'';

CREATE INDEX ticket_issues_recipient ON ticket_issues (realm, recipient, purpose, issued_at);
