// Package password computes password hashes: it makes new ones with argon2id and
// compares passwords with stored ones in the formats that it allows.
//
// It is pure: no I/O but random salts, no queue, no limit on how much runs at
// once. That is internal/hashgate, through which every password check passes.
// It does not know accounts either, nor what a caller does about an outdated hash.
//
// Passwords are bytes. They are never trimmed, folded, normalised or cut (S11).
package password
