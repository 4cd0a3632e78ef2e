package core

import (
	"context"
	"net/netip"
	"time"
)

// Passwords hashes and compares, each call in a slot of a bounded pool. Its
// errors are of kind Unavailable: no slot came free in time.
type Passwords interface {
	// Admit refuses, before any work, what the pool could not serve in time.
	Admit(ctx context.Context, realm Realm, network netip.Prefix) error
	// Verify reports whether secret matches hash, and whether the hash is weaker
	// than a new one would be. A hash of "" or of unknown form matches nothing and
	// costs as much as one that is known.
	Verify(ctx context.Context, realm Realm, hash PasswordHash, secret Secret) (match, outdated bool, err error)
	// Hash makes a new hash with the current parameters.
	Hash(ctx context.Context, realm Realm, secret Secret) (PasswordHash, error)
	// Supports refuses, with InvalidRequest, a hash from elsewhere that Verify would
	// never match: its form is unknown or its cost out of bounds (S13).
	Supports(hash PasswordHash) error
	// Later runs a new hash of secret when the pool has nothing better to do, and
	// hands it to done; it may be dropped under load.
	Later(realm Realm, secret Secret, done func(PasswordHash))
}

// Signer signs and verifies compact JWS with the keys of a set.
type Signer interface {
	Sign(ctx context.Context, keys KeySet, payload []byte) (Secret, error)
	// Verify returns the claims of a token that one of the set's keys signed with
	// the set's algorithm. Whatever else it is given is TokenInvalid. What the
	// claims mean is the caller's to judge.
	Verify(ctx context.Context, keys KeySet, token Secret) (Claims, error)
}

// Claims are what a verified token says.
type Claims struct {
	ExpiresAt time.Time // required of every token (S37)
	NotBefore time.Time // zero when absent
	IssuedAt  time.Time // zero when absent
	Audience  []string  // given as text or as a list
	// Text returns the claim of that name when it is a string, and "" otherwise.
	Text func(name string) string
}

// Sealer seals secrets that must be read again, bound to their purpose and row (S45).
type Sealer interface {
	Seal(purpose, row string, secret Secret) ([]byte, error)
	// Open refuses, with Internal, what was not sealed for that purpose and row.
	Open(purpose, row string, sealed []byte) (Secret, error)
}

// Publisher tells the public keys of key sets as a JWK set (RFC 7517); those of
// HMAC have none.
type Publisher interface {
	KeySet(sets []KeySet) ([]byte, error)
}

// Attempts counts failing sign-ins. Its refusal is of kind RateLimited, with
// RetryAfter set, and does not depend on whether the identity exists (S23).
type Attempts interface {
	// Begin reserves one attempt before its work is done. While as many attempts
	// are under way as may still fail, it waits for one of them to end.
	Begin(ctx context.Context, key AttemptKey) (Attempt, error)
}

// An AttemptKey is what attempts are counted by.
type AttemptKey struct {
	Realm    Realm
	Identity string // canonical login or access key identifier; "" counts the network alone
	Network  netip.Prefix
	// Everywhere counts the identity alone, whatever the network that it is tried from.
	Everywhere bool
}

// An Attempt is one reserved try; exactly one of its methods is called.
type Attempt interface {
	Succeeded() // forgets the identity's earlier failures from this network
	Failed()
	Abandoned() // nothing was compared: it does not count
}
