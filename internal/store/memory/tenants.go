package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// Tenant implements [core.Tenants].
func (s *Store) Tenant(ctx context.Context, realm core.Realm, id core.TenantID) (core.Tenant, error) {
	if err := s.enter(ctx); err != nil {
		return core.Tenant{}, err
	}
	defer s.mu.Unlock()
	t, ok := s.tenants[tenantKey{realm, id}]
	if !ok {
		return core.Tenant{}, refusal(core.NotFound)
	}
	return cloneTenant(t)
}

func cloneTenant(t core.Tenant) (_ core.Tenant, err error) {
	t.Attributes, err = copied(t.Attributes)
	t.CreatedAt = stored(t.CreatedAt)
	return t, err
}

// TenantByName implements [core.Tenants].
func (s *Store) TenantByName(ctx context.Context, realm core.Realm, name core.CanonicalLogin) (core.Tenant, error) {
	if err := s.enter(ctx); err != nil {
		return core.Tenant{}, err
	}
	defer s.mu.Unlock()
	for _, t := range s.tenants {
		if canonical, _ := core.Canonical(t.Name); t.Realm == realm && canonical == name {
			return cloneTenant(t)
		}
	}
	return core.Tenant{}, refusal(core.NotFound)
}

// TenantList implements [core.Tenants].
func (s *Store) TenantList(ctx context.Context, realm core.Realm, after core.TenantID, limit int) ([]core.Tenant, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var found []core.Tenant
	for _, t := range s.tenants {
		if t.Realm == realm && t.ID > after {
			t, err := cloneTenant(t)
			if err != nil {
				return nil, err
			}
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b core.Tenant) int { return cmp.Compare(a.ID, b.ID) })
	return found[:min(len(found), max(0, limit))], nil
}

// PutTenant implements [core.Tenants].
func (s *Store) PutTenant(ctx context.Context, tenant core.Tenant, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	canonical, err := core.Canonical(tenant.Name)
	if err != nil {
		return err
	}
	if _, ok := s.realms[tenant.Realm]; !ok {
		return refusal(core.NotFound)
	}
	for _, other := range s.tenants {
		if taken, _ := core.Canonical(other.Name); other.Realm == tenant.Realm && other.ID != tenant.ID && taken == canonical {
			return refusal(core.Conflict)
		}
	}
	place := tenantKey{tenant.Realm, tenant.ID}
	if old, ok := s.tenants[place]; ok {
		tenant.CreatedAt, tenant.Version = old.CreatedAt, old.Version+1
	}
	if tenant, err = cloneTenant(tenant); err != nil {
		return err
	}
	s.tenants[place] = tenant
	s.record(event)
	return nil
}

// AccountByTenantLogin implements [core.Accounts].
func (s *Store) AccountByTenantLogin(ctx context.Context, realm core.Realm, tenant core.TenantID, login core.CanonicalLogin) (core.Account, error) {
	if err := s.enter(ctx); err != nil {
		return core.Account{}, err
	}
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.Realm == realm && a.Tenant == tenant && canonical(a) == login {
			return cloneAccount(a)
		}
	}
	return core.Account{}, refusal(core.NotFound)
}
