package core

import (
	"context"
	"reflect"
	"time"
)

// TenantID is what a tenant is known by, such as a UUID or a customer's number.
type TenantID string

// A Tenant is a part of a realm whose login names are its own.
type Tenant struct {
	ID         TenantID
	Realm      Realm
	Name       string // as it was given; Canonical(Name) is unique in the realm
	Attributes Attributes
	Active     bool
	CreatedAt  time.Time
	Version    int64 // counts changes
}

// A Tenancy is what a request says of its tenant: an id, a name, or both, which
// must then mean the same one.
type Tenancy struct {
	ID, Name string
	Given    bool // whether the request names a tenant at all
	// None says that accounts without a tenant are meant, where neither an id nor a
	// name comes. A request that is not Given means the account without a tenant, and
	// where there is none whichever tenant has the login name, if it is one alone.
	None bool
}

// none reports whether accounts without a tenant are meant.
func (t Tenancy) none() bool { return t.None && t.ID == "" && t.Name == "" }

// nobody is a login name and a tenant that none can have: to look it up costs what
// a name that is known costs.
const nobody = "\x1f"

// findable is text if it can be looked up, and nobody's name otherwise: not every
// store takes every byte.
func findable(text string) string {
	if _, err := Canonical(text); err != nil {
		return nobody
	}
	return text
}

// tenantOf finds the tenant that a request names; the zero Tenant when it names
// none, or says that there is none. One that is unknown, or an id and a name of two
// tenants, is Unknown, at the cost of the same look-ups.
func (a *Authority) tenantOf(ctx context.Context, tenancy Tenancy) (Tenant, error) {
	if !tenancy.Given {
		return Tenant{}, nil
	}
	if a.deps.Tenants == nil {
		return Tenant{}, refuse(Internal, "a tenant was named, but there is nothing to keep tenants")
	}
	if tenancy.none() {
		return Tenant{}, nil
	}
	var found []Tenant
	look := func(tenant Tenant, err error) error {
		if err == nil {
			found = append(found, tenant)
		} else if KindOf(err) != NotFound {
			return err
		}
		return nil
	}
	asked := 0
	if tenancy.ID != "" || tenancy.Name == "" {
		asked++
		if err := look(a.deps.Tenants.Tenant(ctx, a.terms.Realm, TenantID(findable(tenancy.ID)))); err != nil {
			return Tenant{}, err
		}
	}
	if tenancy.Name != "" {
		asked++
		name, err := Canonical(tenancy.Name)
		if err != nil {
			name = nobody
		}
		if err := look(a.deps.Tenants.TenantByName(ctx, a.terms.Realm, name)); err != nil {
			return Tenant{}, err
		}
	}
	if len(found) < asked || found[0].ID != found[len(found)-1].ID {
		return Tenant{}, refuse(Unknown, "no such tenant")
	}
	return found[0], nil
}

// accountOf finds the account that a credential names: by its id, by its login
// name within the tenant that the credential names, or by its login name alone.
// Of several that have the name it is the one without a tenant. None, and several of
// tenants that were not named, are NotFound, at the cost of the same look-ups; who is of
// another tenant comes with it, to be counted by. The tenant is the one that the
// credential names.
func (a *Authority) accountOf(ctx context.Context, c Credential) (Account, Tenant, error) {
	tenant, err := a.tenantOf(ctx, c.Tenant)
	if kind := KindOf(err); kind == Unknown {
		tenant = Tenant{ID: nobody}
	} else if err != nil {
		return Account{}, Tenant{}, err
	}
	account, err := a.accountWithin(ctx, c, tenant)
	switch {
	case KindOf(err) == Conflict:
		return Account{}, tenant, &Error{Kind: NotFound, Err: err}
	case err == nil && c.Tenant.Given && account.Tenant != tenant.ID:
		return account, tenant, refuse(NotFound, "of another tenant")
	}
	return account, tenant, err
}

func (a *Authority) accountWithin(ctx context.Context, c Credential, tenant Tenant) (Account, error) {
	if c.AccountID != "" {
		return a.deps.Accounts.Account(ctx, a.terms.Realm, AccountID(findable(string(c.AccountID))))
	}
	login, err := Canonical(c.Identifier)
	if err != nil {
		login = "" // nobody's (S7)
	}
	if c.Tenant.Given {
		return a.deps.Tenants.AccountByTenantLogin(ctx, a.terms.Realm, tenant.ID, login)
	}
	account, err := a.deps.Accounts.AccountByLogin(ctx, a.terms.Realm, login)
	if KindOf(err) == Conflict && account.ID != "" {
		return account, nil // who has a tenant can name it
	}
	return account, err
}

// tenantFor is the tenant that an account belongs to, and nil when it belongs to
// none. It is read once the account is proved, so that the look-up tells nobody
// else of it; named is the one that was read already.
func (a *Authority) tenantFor(ctx context.Context, account Account, named Tenant) (*Tenant, error) {
	switch {
	case account.Tenant == "":
		return nil, nil
	case account.Tenant == named.ID:
		return &named, nil
	case a.deps.Tenants == nil:
		return nil, refuse(Internal, "an account has a tenant, but there is nothing to keep tenants")
	}
	tenant, err := a.deps.Tenants.Tenant(ctx, a.terms.Realm, account.Tenant)
	if KindOf(err) == NotFound {
		return nil, refuse(Internal, "the tenant %q of account %s is gone", account.Tenant, account.ID)
	}
	return &tenant, err
}

// countedAs is what failing attempts at an account are counted by, however it was
// named (S20): its login name, which accounts of other tenants may have too.
func countedAs(account Account) string {
	login, _ := Canonical(account.Login) // what is stored has one
	return string(login)
}

// PutTenant creates a tenant, or changes its name, attributes and whether it is
// active. It reports whether that changed anything, and refuses with Conflict when
// another tenant of the realm has the name.
func (r *Registry) PutTenant(ctx context.Context, tenant Tenant, origin Origin) (changed bool, err error) {
	realm, err := r.Realms.Realm(ctx, tenant.Realm)
	if err != nil {
		return false, missingRealm(tenant.Realm, err)
	}
	for _, text := range []string{string(tenant.ID), tenant.Name} {
		if _, err := Canonical(text); err != nil {
			return false, refuse(InvalidRequest, "tenant %q: its id and its name have 1 to %d bytes of UTF-8 without control characters", tenant.ID, maxLogin)
		}
	}
	if err := realm.CheckAttributes(tenant.Attributes); err != nil {
		return false, err
	}
	current, err := r.Tenants.Tenant(ctx, tenant.Realm, tenant.ID)
	switch {
	case err == nil:
		same := current.Name == tenant.Name && current.Active == tenant.Active &&
			(len(current.Attributes)+len(tenant.Attributes) == 0 || reflect.DeepEqual(current.Attributes, tenant.Attributes))
		if same {
			return false, nil
		}
	case KindOf(err) == NotFound:
		tenant.CreatedAt, tenant.Version = r.Now(), 1
	default:
		return false, err
	}
	err = r.Tenants.PutTenant(ctx, tenant, r.event(ActionTenantChanged, tenant.Realm, origin))
	if KindOf(err) == Conflict {
		return false, refuse(Conflict, "realm %s has another tenant of the name %q", tenant.Realm, tenant.Name)
	}
	return err == nil, err
}
