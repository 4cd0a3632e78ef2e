package store

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// AccessKey returns the access key, or an error of kind NotFound.
func (s *Store) AccessKey(ctx context.Context, realm core.Realm, id core.KeyID) (core.AccessKey, error) {
	return find(ctx, s, readAccessKey, scanAccessKey, string(realm), string(id))
}

// AccessKeyByIdentifier returns the access key that clients name so, or NotFound.
func (s *Store) AccessKeyByIdentifier(ctx context.Context, realm core.Realm, identifier string) (core.AccessKey, error) {
	var decoy core.Digest
	key, err := find(ctx, s, readAccessKeyByIdentifier, scanAccessKey, string(realm), identifier, decoy[:])
	if err == nil && key.ID == nobody {
		return core.AccessKey{}, errNoKey
	}
	return key, err
}

var errNoKey = &core.Error{Kind: core.NotFound}

// AccessKeyList returns at most limit access keys after an identifier, in order of it.
func (s *Store) AccessKeyList(ctx context.Context, realm core.Realm, after string, limit int) ([]core.AccessKey, error) {
	if limit <= 0 {
		return nil, nil
	}
	return list(ctx, s, readAccessKeys, scanAccessKey, string(realm), after, limit)
}

// CreateAccessKey stores a new access key. An identifier or id that is taken in
// the realm is Conflict, an account that does not exist is NotFound.
func (s *Store) CreateAccessKey(ctx context.Context, key core.AccessKey, event core.Event) error {
	attributes, err := encode(key.Attributes)
	if err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		g.record(event)
		_, err := g.exec(insertAccessKey, string(key.Realm), string(key.ID), string(key.Account), key.Identifier,
			key.SecretDigest[:], key.Name, attributes, string(key.State),
			micros(key.CreatedAt), micros(key.UpdatedAt), micros(key.ExpiresAt), micros(key.TokensFrom), key.Version)
		return err
	})
}

// UpdateAccessKey is as UpdateAccount.
func (s *Store) UpdateAccessKey(ctx context.Context, realm core.Realm, id core.KeyID, change func(*core.AccessKey) (core.Event, error)) error {
	return s.write(ctx, func(g *group) error {
		return retryLost(func() (bool, error) {
			key, err := load(g, readAccessKey, scanAccessKey, string(realm), string(id))
			if err != nil {
				return false, err
			}
			version, identifier := key.Version, key.Identifier
			event, err := change(&key)
			if err != nil {
				return false, err
			}
			g.hold(s.recentKeys.hold(realm, string(id)))
			g.hold(s.recentIdentifiers.hold(realm, identifier))
			g.hold(s.recentIdentifiers.hold(realm, key.Identifier))
			saved, err := saveAccessKey(g, realm, id, version, &key)
			if saved {
				g.record(event)
			}
			return saved, err
		})
	})
}

func saveAccessKey(g *group, realm core.Realm, id core.KeyID, version int64, k *core.AccessKey) (bool, error) {
	attributes, err := encode(k.Attributes)
	if err != nil {
		return false, err
	}
	touched, err := g.exec(updateAccessKey, string(realm), string(id), version, string(k.Account), k.Identifier,
		k.SecretDigest[:], k.Name, attributes, string(k.State),
		micros(k.CreatedAt), micros(k.UpdatedAt), micros(k.ExpiresAt), micros(k.TokensFrom))
	return touched == 1, err
}

func scanAccessKey(r row) (core.AccessKey, error) {
	var k core.AccessKey
	var attributes string
	var digest []byte
	var created, updated, expires, tokens int64
	err := r.Scan(&k.Realm, &k.ID, &k.Account, &k.Identifier, &digest, &k.Name, &attributes, &k.State, &created, &updated, &expires, &tokens, &k.Version)
	if err != nil {
		return k, err
	}
	copy(k.SecretDigest[:], digest)
	k.CreatedAt, k.UpdatedAt, k.ExpiresAt, k.TokensFrom = instant(created), instant(updated), instant(expires), instant(tokens)
	return k, decode(attributes, &k.Attributes)
}
