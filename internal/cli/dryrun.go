package cli

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// dryRegistry judges as registry does, and keeps what it would write in memory.
func dryRegistry(registry *core.Registry) *core.Registry {
	dry := *registry
	dry.Realms = &dryRealms{realmStore: registry.Realms, written: map[core.Realm]core.RealmInfo{}}
	dry.Accounts = &dryAccounts{Accounts: registry.Accounts, written: map[core.Realm]map[core.CanonicalLogin]core.Account{}}
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
	written map[core.Realm]map[core.CanonicalLogin]core.Account
}

func (d *dryAccounts) AccountByLogin(ctx context.Context, realm core.Realm, login core.CanonicalLogin) (core.Account, error) {
	if account, ok := d.written[realm][login]; ok {
		return account, nil
	}
	return d.Accounts.AccountByLogin(ctx, realm, login)
}

func (d *dryAccounts) CreateAccount(_ context.Context, account core.Account, _ core.Event, _ ...core.Notice) error {
	login, err := core.Canonical(account.Login)
	if err != nil {
		return err
	}
	if d.written[account.Realm] == nil {
		d.written[account.Realm] = map[core.CanonicalLogin]core.Account{}
	}
	d.written[account.Realm][login] = account
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
