// Package keyring keeps signing keys: made when they are first needed, sealed
// under the master key in the store, open in memory. It meets [core.Signer],
// [core.Sealer] and [core.Publisher].
//
// It does not know JWS and its claims, which are internal/token's, nor what the
// claims mean, which core judges.
package keyring

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/token"
)

// A Ring signs and verifies with the keys of the sets that were prepared.
type Ring struct {
	store  core.SigningKeys
	master *MasterKey

	mu     sync.RWMutex
	loaded map[family]*loaded // replaced, never changed
	proven bool               // the master key opens what is stored
}

// loaded are a family's keys in memory.
type loaded struct {
	keys []token.Key // newest first, at least one
}

// A family is a set of keys that verify one another's tokens (S39). It has one
// algorithm: in another one the same dialect has other keys (S34).
type family struct {
	realm              core.Realm
	dialect, algorithm string
}

func familyOf(set core.KeySet) family { return family{set.Realm, set.Dialect, set.Algorithm} }

var _ core.Signer = (*Ring)(nil)

// New makes an empty ring.
func New(store core.SigningKeys, master *MasterKey) *Ring {
	return &Ring{store: store, master: master, loaded: map[family]*loaded{}}
}

// Prepare loads the keys of set, and makes the first one when there is none. It
// is called at start for every set in use; calling it again loads them anew. No
// key is made while the master key does not open those that are stored.
func (r *Ring) Prepare(ctx context.Context, set core.KeySet) error {
	if err := r.Prove(ctx); err != nil {
		return err
	}
	stored, err := r.store.SigningKeys(ctx, set.Realm, set.Dialect)
	if err != nil {
		return err
	}
	var keys []token.Key
	for _, s := range stored {
		if s.Algorithm != set.Algorithm {
			continue
		}
		key, err := r.open(s)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		first, err := r.makeFirst(ctx, set)
		if err != nil {
			return err
		}
		key, err := r.open(first)
		if err != nil {
			return err
		}
		keys = []token.Key{key}
	}
	r.mu.Lock()
	r.loaded[familyOf(set)] = &loaded{keys: keys}
	r.mu.Unlock()
	return nil
}

// Prove refuses a master key that does not open a key in the store. With none
// stored any master key will do.
func (r *Ring) Prove(ctx context.Context) error {
	r.mu.RLock()
	proven := r.proven
	r.mu.RUnlock()
	if proven {
		return nil
	}
	stored, err := r.store.AnySigningKey(ctx)
	if core.KindOf(err) == core.NotFound {
		return nil
	}
	if err == nil {
		_, err = r.open(stored)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.proven = true
	r.mu.Unlock()
	return nil
}

// makeFirst makes a key and stores it, unless another replica was faster: then it
// is that one's key.
func (r *Ring) makeFirst(ctx context.Context, set core.KeySet) (core.SigningKey, error) {
	material, err := token.Generate(set.Algorithm)
	if err != nil {
		return core.SigningKey{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return core.SigningKey{}, err
	}
	made := core.SigningKey{ID: id.String(), Realm: set.Realm, Dialect: set.Dialect, Algorithm: set.Algorithm, CreatedAt: time.Now()}
	if made.Sealed, err = r.master.Seal(purpose, row(made), material); err != nil {
		return core.SigningKey{}, err
	}
	return r.store.AddFirstSigningKey(ctx, made)
}

func (r *Ring) open(stored core.SigningKey) (token.Key, error) {
	material, err := r.master.Open(purpose, row(stored), stored.Sealed)
	if err != nil {
		return token.Key{}, err
	}
	return token.ParseKey(stored.ID, stored.Algorithm, material)
}

// auditKeys is the set of the one key that links audit records. It is of no realm, so
// that no dialect signs by it.
var auditKeys = core.KeySet{Dialect: "audit", Algorithm: "HS256"}

// AuditKey is the secret under which audit records are linked (S80): made when it is
// first asked for, and sealed as signing keys are.
func (r *Ring) AuditKey(ctx context.Context) (core.Secret, error) {
	if err := r.Prove(ctx); err != nil {
		return core.Secret{}, err
	}
	stored, err := r.store.SigningKeys(ctx, auditKeys.Realm, auditKeys.Dialect)
	if err != nil {
		return core.Secret{}, err
	}
	if len(stored) == 0 {
		first, err := r.makeFirst(ctx, auditKeys)
		if err != nil {
			return core.Secret{}, err
		}
		stored = []core.SigningKey{first}
	}
	material, err := r.master.Open(purpose, row(stored[0]), stored[0].Sealed)
	return core.NewSecret(string(material)), err
}

const purpose = "signing_keys.sealed"

// row binds sealed bytes to the whole row: moved to another realm, dialect or
// algorithm they do not open (S45).
func row(k core.SigningKey) string {
	return fmt.Sprintf("%q %q %q %q", k.ID, k.Realm, k.Dialect, k.Algorithm)
}

// Sign implements [core.Signer] with the newest key of set.
func (r *Ring) Sign(_ context.Context, set core.KeySet, payload []byte) (core.Secret, error) {
	l, err := r.prepared(set)
	if err != nil {
		return core.Secret{}, err
	}
	signed, err := l.keys[0].Sign(payload, token.Header{Type: set.Type, KeyID: set.WithKeyID})
	if err != nil {
		return core.Secret{}, err
	}
	return core.NewSecret(signed), nil
}

// Verify implements [core.Signer].
func (r *Ring) Verify(_ context.Context, set core.KeySet, bearer core.Secret) (core.Claims, error) {
	l, err := r.prepared(set)
	if err != nil {
		return core.Claims{}, err
	}
	claims, err := verify(l.keys, set, bearer.Reveal())
	if err != nil {
		return core.Claims{}, &core.Error{Kind: core.TokenInvalid, Err: err}
	}
	return claims, nil
}

func verify(keys []token.Key, set core.KeySet, bearer string) (core.Claims, error) {
	payload, err := token.Verify(keys, set.Algorithm, set.Type, bearer)
	if err != nil {
		return core.Claims{}, err
	}
	claims, err := token.ParseClaims(payload)
	if err != nil {
		return core.Claims{}, err
	}
	return core.Claims{
		ExpiresAt: instant(claims.ExpiresAt),
		NotBefore: instant(claims.NotBefore),
		IssuedAt:  instant(claims.IssuedAt),
		Audience:  claims.Audience,
		Text:      claims.Text,
	}, nil
}

// instant leaves what is absent at the zero time.
func instant(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func (r *Ring) prepared(set core.KeySet) (*loaded, error) {
	r.mu.RLock()
	l := r.loaded[familyOf(set)]
	r.mu.RUnlock()
	if l == nil {
		return nil, fmt.Errorf("no %s key of realm %s and dialect %s is loaded", set.Algorithm, set.Realm, set.Dialect)
	}
	return l, nil
}
