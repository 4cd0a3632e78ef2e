package core

import (
	"context"
	"time"
)

// A SigningKey is a signing key at rest: sealed under the master key, which the
// store never sees.
type SigningKey struct {
	ID        string // also the key id (kid) of tokens that carry one
	Realm     Realm
	Dialect   string
	Algorithm string
	Sealed    []byte
	CreatedAt time.Time
}

// SigningKeys keeps signing keys.
type SigningKeys interface {
	// SigningKeys returns the keys of one dialect in one realm, newest first.
	SigningKeys(ctx context.Context, realm Realm, dialect string) ([]SigningKey, error)
	// AnySigningKey returns one key of any realm, to prove the master key by, or NotFound.
	AnySigningKey(ctx context.Context) (SigningKey, error)
	// AddFirstSigningKey stores key unless its realm and dialect have one of its
	// algorithm already, and returns the one that is stored: of several replicas
	// that start at once, all end with the same key.
	AddFirstSigningKey(ctx context.Context, key SigningKey) (SigningKey, error)
}
