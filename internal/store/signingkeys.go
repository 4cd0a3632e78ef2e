package store

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// SigningKeys returns the keys of one dialect in one realm, newest first.
func (s *Store) SigningKeys(ctx context.Context, realm core.Realm, dialect string) ([]core.SigningKey, error) {
	return list(ctx, s, readSigningKeys, scanSigningKey, string(realm), dialect)
}

// AnySigningKey returns one key of any realm, or an error of kind NotFound.
func (s *Store) AnySigningKey(ctx context.Context) (core.SigningKey, error) {
	return find(ctx, s, readAnySigningKey, scanSigningKey)
}

// AddFirstSigningKey stores key unless its realm and dialect have one of its
// algorithm, and returns the one that is stored. An id that is taken is Conflict.
func (s *Store) AddFirstSigningKey(ctx context.Context, key core.SigningKey) (core.SigningKey, error) {
	var stored core.SigningKey
	err := s.write(ctx, func(g *group) (err error) {
		stored, err = loadSigningKey(g, key)
		if !isMissing(err) {
			return err
		}
		// A replica that does the same is waited for here; then its key stands.
		_, err = g.exec(insertSigningKey, key.ID, string(key.Realm), key.Dialect, key.Algorithm, key.Sealed, micros(key.CreatedAt), int64(1))
		if err != nil {
			return err
		}
		stored, err = loadSigningKey(g, key)
		return err
	})
	return stored, err
}

func loadSigningKey(g *group, key core.SigningKey) (core.SigningKey, error) {
	return load(g, readSigningKeyOf, scanSigningKey, string(key.Realm), key.Dialect, key.Algorithm)
}

func scanSigningKey(r row) (core.SigningKey, error) {
	var k core.SigningKey
	var created int64
	err := r.Scan(&k.ID, &k.Realm, &k.Dialect, &k.Algorithm, &k.Sealed, &created)
	k.CreatedAt = instant(created)
	return k, err
}
