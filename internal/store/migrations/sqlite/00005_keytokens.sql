-- +goose Up
-- The second from which tokens hold that were got by an access key, or granted to it.

ALTER TABLE access_keys ADD COLUMN tokens_from INTEGER NOT NULL DEFAULT 0;
