package core

import "time"

// KeyID is the UUID of an access key's record; it is not the access key itself.
type KeyID string

// KeyState is where an access key stands in its life. Expiry is not a state but
// a date: see [AccessKey.Usable].
type KeyState string

// The states of an access key.
const (
	KeyStatePending KeyState = "pending" // made, not yet approved
	KeyStateActive  KeyState = "active"
	KeyStateRevoked KeyState = "revoked" // for good
)

// An AccessKey is a machine's credential: a public identifier and a secret that
// is shown once. It acts for the account that owns it.
type AccessKey struct {
	ID           KeyID
	Realm        Realm
	Account      AccountID
	Identifier   string // what the client sends beside the secret, matched exactly
	SecretDigest Digest
	Name         string
	Attributes   Attributes
	State        KeyState
	CreatedAt    time.Time
	UpdatedAt    time.Time
	ExpiresAt    time.Time // zero: never
	// TokensFrom is the whole second from which tokens hold that were got by the key, or
	// granted to it as a client: one whose iat is before it is refused.
	TokensFrom time.Time
	Version    int64
}

// Usable returns nil if k may sign in at now, and otherwise says why not.
func (k *AccessKey) Usable(now time.Time) error {
	switch {
	case k.State == KeyStatePending:
		return &Error{Kind: KeyPending}
	case k.State != KeyStateActive:
		return &Error{Kind: KeyRevoked}
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return &Error{Kind: KeyExpired}
	}
	return nil
}
