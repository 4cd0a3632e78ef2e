// Package seed makes the identities that a dialect's file declares as samples,
// for what shows or tries a dialect: no server that signs people in calls it.
package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// Identities makes the sample identities that d's file declares, with the realm
// that they need. It leaves those alone that are there already.
func Identities(ctx context.Context, registry *core.Registry, d *dialect.Dialect) error {
	samples, origin := d.Samples(), core.Origin{Actor: "samples"}
	realm := core.RealmInfo{Name: d.Realm(), Attributes: attributeTypes(samples)}
	if _, err := registry.PutRealm(ctx, realm, origin); err != nil {
		return fmt.Errorf("samples of %s: %w", d.Name(), err)
	}
	for _, sample := range samples.Tenants {
		tenant := sample.Tenant
		tenant.Realm = d.Realm()
		if _, err := registry.PutTenant(ctx, tenant, origin); err != nil {
			return fmt.Errorf("sample %s of %s: %w", sample.Sample, d.Name(), err)
		}
	}
	owners := map[core.AccountID]core.Account{}
	for _, sample := range samples.Accounts {
		a := sample.Account
		owners[a.ID] = a
		spec := core.AccountSpec{
			ID: a.ID, Realm: d.Realm(), Tenant: a.Tenant, Login: a.Login, Email: a.Email, Name: a.Name, Roles: a.Roles,
			Attributes: a.Attributes, Active: a.Active, Verified: a.Verified, Hold: a.Hold,
			TOTP: sample.TOTP, RecoveryCodes: sample.RecoveryCodes, Password: sample.Password,
		}
		if _, err := at(registry, a.CreatedAt).CreateAccount(ctx, spec, origin); err != nil && core.KindOf(err) != core.Conflict {
			return fmt.Errorf("sample %s of %s: %w", sample.Sample, d.Name(), err)
		}
	}
	for _, sample := range samples.Keys {
		k, owner := sample.Key, owners[sample.Key.Account]
		spec := core.AccessKeySpec{
			ID: k.ID, Realm: d.Realm(), Owner: owner.Login, Tenant: core.Tenancy{ID: string(owner.Tenant), Given: true},
			Identifier: k.Identifier, Secret: sample.Secret,
			Name: k.Name, Attributes: k.Attributes, State: k.State, ExpiresAt: k.ExpiresAt,
		}
		if _, _, err := registry.CreateAccessKey(ctx, spec, origin); err != nil && core.KindOf(err) != core.Conflict {
			return fmt.Errorf("sample %s of %s: %w", sample.Sample, d.Name(), err)
		}
	}
	return nil
}

// at is registry at another time, as replies may tell when an account was created.
func at(registry *core.Registry, instant time.Time) *core.Registry {
	if instant.IsZero() {
		return registry
	}
	then := *registry
	then.Now = func() time.Time { return instant }
	return &then
}

// attributeTypes declares what the samples have.
func attributeTypes(samples dialect.Samples) map[string]core.AttributeType {
	types := map[string]core.AttributeType{}
	add := func(attributes core.Attributes) {
		for name, value := range attributes {
			switch value.(type) {
			case float64:
				types[name] = core.NumberAttribute
			case bool:
				types[name] = core.BooleanAttribute
			case []any:
				types[name] = core.ListAttribute
			default:
				types[name] = core.StringAttribute
			}
		}
	}
	for _, sample := range samples.Tenants {
		add(sample.Tenant.Attributes)
	}
	for _, sample := range samples.Accounts {
		add(sample.Account.Attributes)
	}
	for _, sample := range samples.Keys {
		add(sample.Key.Attributes)
	}
	return types
}
