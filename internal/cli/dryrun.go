package cli

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// dryRegistry judges as registry does, and keeps what it would write in memory.
func dryRegistry(registry *core.Registry) *core.Registry {
	dry := *registry
	dry.Realms = &dryRealms{realmStore: registry.Realms, written: map[core.Realm]core.RealmInfo{}}
	accounts := &dryAccounts{Accounts: registry.Accounts, written: map[core.AccountID]core.Account{}}
	dry.Accounts = accounts
	dry.Tenants = &dryTenants{Tenants: registry.Tenants, accounts: accounts, written: map[tenantPlace]core.Tenant{}}
	dry.Factors, dry.Sealer = dryFactors{registry.Factors}, drySealer{}
	dry.AccessKeys = &dryKeys{AccessKeys: registry.AccessKeys, written: map[core.Realm]map[string]core.AccessKey{}}
	dry.Passwords = dryPasswords{registry.Passwords}
	return &dry
}

type realmStore = core.Realms // the embedded field must not hide the method of that name

type dryRealms struct {
	realmStore
	written map[core.Realm]core.RealmInfo
}

func (d *dryRealms) Realm(ctx context.Context, name core.Realm) (core.RealmInfo, error) {
	if realm, ok := d.written[name]; ok {
		return realm, nil
	}
	return d.realmStore.Realm(ctx, name)
}

func (d *dryRealms) PutRealm(_ context.Context, realm core.RealmInfo, _ core.Event) error {
	d.written[realm.Name] = realm
	return nil
}

type dryAccounts struct {
	core.Accounts
	written map[core.AccountID]core.Account
}

// find is the written account of a login name for which within says yes.
func (d *dryAccounts) find(realm core.Realm, login core.CanonicalLogin, within func(core.TenantID) bool) (core.Account, bool) {
	for _, account := range d.written {
		if has, _ := core.Canonical(account.Login); account.Realm == realm && has == login && within(account.Tenant) {
			return account, true
		}
	}
	return core.Account{}, false
}

func (d *dryAccounts) AccountByLogin(ctx context.Context, realm core.Realm, login core.CanonicalLogin) (core.Account, error) {
	if account, ok := d.find(realm, login, func(core.TenantID) bool { return true }); ok {
		return account, nil
	}
	return d.Accounts.AccountByLogin(ctx, realm, login)
}

func (d *dryAccounts) CreateAccount(_ context.Context, account core.Account, _ core.Event, _ ...core.Notice) error {
	d.written[account.ID] = account
	return nil
}

func (d *dryAccounts) UpdateAccount(ctx context.Context, realm core.Realm, id core.AccountID, change func(*core.Account) (core.Event, error)) error {
	account, err := d.Account(ctx, realm, id)
	if err != nil {
		return err
	}
	_, err = change(&account)
	return err
}

type tenantPlace struct {
	realm core.Realm
	id    core.TenantID
}

type dryTenants struct {
	core.Tenants
	accounts *dryAccounts
	written  map[tenantPlace]core.Tenant
}

func (d *dryTenants) Tenant(ctx context.Context, realm core.Realm, id core.TenantID) (core.Tenant, error) {
	if tenant, ok := d.written[tenantPlace{realm, id}]; ok {
		return tenant, nil
	}
	return d.Tenants.Tenant(ctx, realm, id)
}

// PutTenant refuses a name that another tenant has, as a store does.
func (d *dryTenants) PutTenant(ctx context.Context, tenant core.Tenant, _ core.Event) error {
	name, err := core.Canonical(tenant.Name)
	if err != nil {
		return err
	}
	other, err := d.TenantByName(ctx, tenant.Realm, name)
	switch {
	case err == nil && other.ID != tenant.ID:
		return &core.Error{Kind: core.Conflict}
	case err != nil && core.KindOf(err) != core.NotFound:
		return err
	}
	d.written[tenantPlace{tenant.Realm, tenant.ID}] = tenant
	return nil
}

func (d *dryTenants) AccountByTenantLogin(ctx context.Context, realm core.Realm, tenant core.TenantID, login core.CanonicalLogin) (core.Account, error) {
	if account, ok := d.accounts.find(realm, login, func(of core.TenantID) bool { return of == tenant }); ok {
		return account, nil
	}
	return d.Tenants.AccountByTenantLogin(ctx, realm, tenant, login)
}

type dryFactors struct{ core.Factors }

func (dryFactors) PutFactor(context.Context, core.Factor, core.Event) error { return nil }

func (d dryFactors) DeleteFactor(ctx context.Context, realm core.Realm, account core.AccountID, _ core.Event) error {
	_, err := d.Factor(ctx, realm, account)
	return err
}

// drySealer needs no master key, and makes none: nothing will be stored.
type drySealer struct{ core.Sealer }

func (drySealer) Seal(string, string, core.Secret) ([]byte, error) { return nil, nil }

type dryKeys struct {
	core.AccessKeys
	written map[core.Realm]map[string]core.AccessKey
}

func (d *dryKeys) AccessKeyByIdentifier(ctx context.Context, realm core.Realm, identifier string) (core.AccessKey, error) {
	if key, ok := d.written[realm][identifier]; ok {
		return key, nil
	}
	return d.AccessKeys.AccessKeyByIdentifier(ctx, realm, identifier)
}

func (d *dryKeys) CreateAccessKey(_ context.Context, key core.AccessKey, _ core.Event) error {
	if d.written[key.Realm] == nil {
		d.written[key.Realm] = map[string]core.AccessKey{}
	}
	d.written[key.Realm][key.Identifier] = key
	return nil
}

func (d *dryKeys) UpdateAccessKey(ctx context.Context, realm core.Realm, id core.KeyID, change func(*core.AccessKey) (core.Event, error)) error {
	key, err := d.AccessKey(ctx, realm, id)
	if err != nil {
		return err
	}
	_, err = change(&key)
	return err
}

// dryPasswords makes no hash: nothing will be stored.
type dryPasswords struct{ core.Passwords }

func (dryPasswords) Hash(context.Context, core.Realm, core.Secret) (core.PasswordHash, error) {
	return "", nil
}
