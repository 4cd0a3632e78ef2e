package keyring

import (
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/chancery-auth/chancery/core"
)

var (
	_ core.Sealer    = (*Ring)(nil)
	_ core.Publisher = (*Ring)(nil)
)

// Seal implements [core.Sealer] under the master key.
func (r *Ring) Seal(purpose, row string, secret core.Secret) ([]byte, error) {
	return r.master.Seal(purpose, row, []byte(secret.Reveal()))
}

// Open implements [core.Sealer].
func (r *Ring) Open(purpose, row string, sealed []byte) (core.Secret, error) {
	opened, err := r.master.Open(purpose, row, sealed)
	if err != nil {
		return core.Secret{}, err
	}
	return core.NewSecret(string(opened)), nil
}

// KeySet implements [core.Publisher]: the newest key of each set first, each key
// once, with its kid, alg and use.
func (r *Ring) KeySet(sets []core.KeySet) ([]byte, error) {
	published := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}} // never null
	done := map[family]bool{}
	for _, set := range sets {
		if done[familyOf(set)] {
			continue
		}
		done[familyOf(set)] = true
		l, err := r.prepared(set)
		if err != nil {
			return nil, err
		}
		for _, key := range l.keys {
			if public := key.Public(); public != nil {
				published.Keys = append(published.Keys, jose.JSONWebKey{Key: public, KeyID: key.ID(), Algorithm: key.Algorithm(), Use: "sig"})
			}
		}
	}
	text, err := json.Marshal(published)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	return text, nil
}
