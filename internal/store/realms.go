package store

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// Realm returns the realm, or an error of kind NotFound.
func (s *Store) Realm(ctx context.Context, name core.Realm) (core.RealmInfo, error) {
	return find(ctx, s, readRealm, scanRealm, string(name))
}

// Realms returns every realm, by name.
func (s *Store) Realms(ctx context.Context) ([]core.RealmInfo, error) {
	return list(ctx, s, readRealms, scanRealm)
}

// PutRealm creates the realm, or replaces what it declares; the instant of its
// creation stays.
func (s *Store) PutRealm(ctx context.Context, realm core.RealmInfo, event core.Event) error {
	attributes, err := encode(realm.Attributes)
	if err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		g.record(event)
		_, err := g.exec(putRealm, string(realm.Name), attributes, micros(realm.CreatedAt))
		return err
	})
}

func scanRealm(r row) (core.RealmInfo, error) {
	var realm core.RealmInfo
	var attributes string
	var created int64
	if err := r.Scan(&realm.Name, &attributes, &created); err != nil {
		return realm, err
	}
	realm.CreatedAt = instant(created)
	return realm, decode(attributes, &realm.Attributes)
}
