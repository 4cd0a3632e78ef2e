// Package password computes password hashes: it makes new ones with argon2id and
// compares passwords with stored ones in the formats that it allows.
//
// A [Kernel] computes argon2id: ours is internal/argon2id, with golang.org/x/crypto
// as reference. argon2i, argon2d and the formats that are only compared are go-crypt's.
//
// It is pure: no I/O but random salts, no queue, no limit on how much runs at
// once. That is internal/hashgate, through which every password check passes.
// It does not know accounts either, nor what a caller does about an outdated hash.
//
// Passwords are bytes. They are never trimmed, folded, normalised or cut (S11).
package password
