package store

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// Tenant returns the tenant, or an error of kind NotFound.
func (s *Store) Tenant(ctx context.Context, realm core.Realm, id core.TenantID) (core.Tenant, error) {
	return find(ctx, s, readTenant, scanTenant, string(realm), string(id))
}

// TenantByName returns the tenant with that canonical name, or NotFound.
func (s *Store) TenantByName(ctx context.Context, realm core.Realm, name core.CanonicalLogin) (core.Tenant, error) {
	return find(ctx, s, readTenantByName, scanTenant, string(realm), string(name))
}

// TenantList returns at most limit tenants after an id, in order of it.
func (s *Store) TenantList(ctx context.Context, realm core.Realm, after core.TenantID, limit int) ([]core.Tenant, error) {
	if limit <= 0 {
		return nil, nil
	}
	return list(ctx, s, readTenants, scanTenant, string(realm), string(after), limit)
}

// PutTenant creates the tenant, or replaces it; the instant of its creation stays.
// A name that is taken in the realm is Conflict, a realm that does not exist is
// NotFound.
func (s *Store) PutTenant(ctx context.Context, tenant core.Tenant, event core.Event) error {
	canonical, err := core.Canonical(tenant.Name)
	if err != nil {
		return err
	}
	attributes, err := encode(tenant.Attributes)
	if err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		g.record(event)
		t := &tenant
		_, err := g.exec(putTenant, string(t.Realm), string(t.ID), t.Name, attributes, t.Active, micros(t.CreatedAt), t.Version, string(canonical))
		return err
	})
}

// AccountByTenantLogin returns the account with that canonical login in a tenant, or NotFound.
func (s *Store) AccountByTenantLogin(ctx context.Context, realm core.Realm, tenant core.TenantID, login core.CanonicalLogin) (core.Account, error) {
	return find(ctx, s, readAccountByTenantLogin, scanAccount, string(realm), string(login), string(tenant))
}

func scanTenant(r row) (core.Tenant, error) {
	var t core.Tenant
	var attributes string
	var created int64
	if err := r.Scan(&t.Realm, &t.ID, &t.Name, &attributes, &t.Active, &created, &t.Version); err != nil {
		return t, err
	}
	t.CreatedAt = instant(created)
	return t, decode(attributes, &t.Attributes)
}
