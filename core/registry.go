package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Registry creates and changes realms, tenants, accounts with their second
// factors, and access keys, for administrators. Each change is one transaction with
// its audit record.
type Registry struct {
	Realms     Realms
	Tenants    Tenants // needed where there are tenants
	Accounts   Accounts
	Factors    Factors // these two for second factors
	Sealer     Sealer
	AccessKeys AccessKeys
	Passwords  Passwords
	Forms      map[Realm]KeyForm // of the realms whose contract fixes the form of access keys
	Now        func() time.Time
}

// PutRealm creates a realm or changes what it declares. It reports whether that
// changed anything.
func (r *Registry) PutRealm(ctx context.Context, realm RealmInfo, origin Origin) (changed bool, err error) {
	if _, err := ParseRealm(string(realm.Name)); err != nil {
		return false, err
	}
	for name, attribute := range realm.Attributes {
		if !slices.Contains([]AttributeType{StringAttribute, NumberAttribute, BooleanAttribute, ListAttribute}, attribute) {
			return false, refuse(InvalidRequest, "realm %s: attribute %q: type %q is none of string, number, boolean, list", realm.Name, name, attribute)
		}
	}
	current, err := r.Realms.Realm(ctx, realm.Name)
	switch {
	case err == nil && maps.Equal(current.Attributes, realm.Attributes):
		return false, nil
	case err == nil:
		realm.CreatedAt = current.CreatedAt
	case KindOf(err) == NotFound:
		realm.CreatedAt = r.Now()
	default:
		return false, err
	}
	return true, r.Realms.PutRealm(ctx, realm, r.event(ActionRealmChanged, realm.Name, origin))
}

// An AccountSpec is what an administrator says of an account.
type AccountSpec struct {
	ID         AccountID // "" makes one
	Realm      Realm
	Tenant     TenantID // "" for none
	Login      string
	Email      string // "" takes Login when that is an address
	Name       string
	Roles      []string
	Attributes Attributes
	Active     bool
	Verified   bool
	Hold       Kind // as in [Account]
	// TOTP is the secret of a second factor from another system, in base32, and
	// RecoveryCodes are those that go with it. They are set when the account is
	// created; the zero Secret sets none.
	TOTP          Secret
	RecoveryCodes []Secret
	// Password is set when the account is created; an existing account keeps its
	// own. The zero Secret makes an account that cannot sign in by password yet.
	Password Secret
	// PasswordHash is stored instead of hashing Password, for accounts that come
	// from another system.
	PasswordHash PasswordHash
}

func (s *AccountSpec) complete(realm RealmInfo) error {
	if _, err := Canonical(s.Login); err != nil {
		return err
	}
	if s.Email == "" {
		if address, err := mail.ParseAddress(s.Login); err == nil && address.Address == s.Login {
			s.Email = s.Login
		}
	} else if address, err := mail.ParseAddress(s.Email); err != nil || address.Address != s.Email {
		return refuse(InvalidRequest, "email %q is not an address such as ada@example.com", s.Email)
	}
	if len(s.Email) > maxLogin {
		return refuse(InvalidRequest, "an address has at most %d bytes", maxLogin)
	}
	if len(s.Name) > maxName || !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, unicode.IsControl) {
		return refuse(InvalidRequest, "a name has at most %d bytes of UTF-8 without control characters", maxName)
	}
	if err := checkHold(s.Hold); err != nil {
		return err
	}
	return realm.CheckAttributes(s.Attributes)
}

// maxName bounds an account's readable name, in bytes: tokens and headers hold it.
const maxName = 256

func checkHold(hold Kind) error {
	if hold != "" && hold != Locked && hold != MustChangeSecret {
		return refuse(InvalidRequest, "hold %q is none of %s and %s", hold, Locked, MustChangeSecret)
	}
	return nil
}

// account is the new one that a spec describes.
func (s AccountSpec) account(id AccountID, hash PasswordHash, now time.Time) Account {
	return Account{
		ID: id, Realm: s.Realm, Tenant: s.Tenant, Login: s.Login, Email: s.Email, Name: s.Name,
		Roles: s.Roles, Attributes: s.Attributes, Active: s.Active, Verified: s.Verified, Hold: s.Hold,
		PasswordHash: hash, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
}

// CreateAccount creates an account. It refuses with InvalidRequest,
// PasswordRefused, or Conflict when the login name is taken.
func (r *Registry) CreateAccount(ctx context.Context, spec AccountSpec, origin Origin) (Account, error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return Account{}, missingRealm(spec.Realm, err)
	}
	if err := spec.complete(realm); err != nil {
		return Account{}, err
	}
	if err := r.checkTenant(ctx, spec); err != nil {
		return Account{}, err
	}
	if spec.TOTP != (Secret{}) {
		if err := CheckTOTP(spec.TOTP); err != nil {
			return Account{}, err
		}
	}
	hash, err := r.hash(ctx, spec)
	if err != nil {
		return Account{}, err
	}
	if spec.ID == "" {
		spec.ID = AccountID(newID())
	}
	now := r.Now()
	account := spec.account(spec.ID, hash, now)
	event := r.event(ActionAccountCreated, spec.Realm, origin)
	event.Account = account.ID
	if err := r.Accounts.CreateAccount(ctx, account, event); err != nil || spec.TOTP == (Secret{}) {
		return account, err
	}
	return account, r.putFactor(ctx, account, spec.TOTP, spec.RecoveryCodes, origin)
}

// checkTenant refuses an account of a tenant that there is not.
func (r *Registry) checkTenant(ctx context.Context, spec AccountSpec) error {
	if spec.Tenant == "" {
		return nil
	}
	_, err := r.Tenants.Tenant(ctx, spec.Realm, spec.Tenant)
	if KindOf(err) == NotFound {
		return refuse(NotFound, "realm %s has no tenant %q: declare it in the file of `chancery apply`", spec.Realm, spec.Tenant)
	}
	return err
}

// hash is that of a new account's password; "" when it has none.
func (r *Registry) hash(ctx context.Context, spec AccountSpec) (PasswordHash, error) {
	switch {
	case spec.PasswordHash != "":
		if err := r.Passwords.Supports(spec.PasswordHash); err != nil {
			return "", fmt.Errorf("account %q: %w", spec.Login, err)
		}
		return spec.PasswordHash, nil
	case spec.Password == (Secret{}):
		return "", nil
	}
	if err := CheckPassword(spec.Password, spec.ownWords()...); err != nil {
		return "", err
	}
	return r.Passwords.Hash(ctx, spec.Realm, spec.Password)
}

// UpdateAccount makes an existing account what spec says, its password, login name,
// tenant and second factor apart, and reports whether that changed anything. To take
// a role away ends the account's tokens.
func (r *Registry) UpdateAccount(ctx context.Context, spec AccountSpec, origin Origin) (changed bool, err error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return false, missingRealm(spec.Realm, err)
	}
	if err := spec.complete(realm); err != nil {
		return false, err
	}
	account, err := r.Account(ctx, AccountName{Realm: spec.Realm, Login: spec.Login, Tenant: Tenancy{ID: string(spec.Tenant), Given: true}})
	if err != nil {
		return false, err
	}
	return r.update(ctx, account, ActionAccountChanged, origin, func(account *Account, now time.Time) {
		if account.Email != spec.Email {
			account.TicketsFrom = now // S27
		}
		account.Email, account.Name, account.Verified, account.Hold = spec.Email, spec.Name, spec.Verified, spec.Hold
		if !slices.Equal(account.Roles, spec.Roles) {
			if slices.ContainsFunc(account.Roles, func(role string) bool { return !slices.Contains(spec.Roles, role) }) {
				account.endTokens(now) // and with them what was granted to a role that it has no more (S48)
			}
			account.Roles = spec.Roles
		}
		if len(account.Attributes)+len(spec.Attributes) > 0 {
			account.Attributes = spec.Attributes
		}
		switch {
		case account.Active && !spec.Active:
			account.disable(now)
		case spec.Active:
			account.Active = true
		}
	})
}

// DisableAccount shuts an account: no new token, and its old ones end.
func (r *Registry) DisableAccount(ctx context.Context, name AccountName, origin Origin) (changed bool, err error) {
	account, err := r.Account(ctx, name)
	if err != nil {
		return false, err
	}
	return r.update(ctx, account, ActionAccountDisabled, origin, func(account *Account, now time.Time) {
		if account.Active {
			account.disable(now)
		}
	})
}

// HoldAccount keeps sign-ins to an account out for a reason as in [Account], or lets
// them in again, with "". Tokens in hand go on.
func (r *Registry) HoldAccount(ctx context.Context, name AccountName, hold Kind, origin Origin) (changed bool, err error) {
	if err := checkHold(hold); err != nil {
		return false, err
	}
	account, err := r.Account(ctx, name)
	if err != nil {
		return false, err
	}
	return r.update(ctx, account, ActionAccountChanged, origin, func(account *Account, _ time.Time) { account.Hold = hold })
}

// update edits an account and writes it only if edit changed it.
func (r *Registry) update(ctx context.Context, account Account, action Action, origin Origin, edit func(*Account, time.Time)) (changed bool, err error) {
	err = r.Accounts.UpdateAccount(ctx, account.Realm, account.ID, func(account *Account) (Event, error) {
		before, now := *account, r.Now()
		edit(account, now)
		if changed = !reflect.DeepEqual(before, *account); !changed {
			return Event{}, errUnchanged
		}
		account.UpdatedAt = now
		event := r.event(action, account.Realm, origin)
		event.Account = account.ID
		return event, nil
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return changed, err
}

// errUnchanged undoes an update that has nothing to write.
var errUnchanged = errors.New("nothing to change")

// An AccountName is what an administrator calls an account: by its login name, and
// by its tenant where accounts of several tenants have that name.
type AccountName struct {
	Realm  Realm
	Tenant Tenancy // given without an id, it is that of accounts without a tenant
	Login  string
}

// Account finds an account. It refuses with NotFound, and with InvalidRequest when
// the name is that of several.
func (r *Registry) Account(ctx context.Context, name AccountName) (Account, error) {
	canonical, err := Canonical(name.Login)
	if err != nil {
		return Account{}, err
	}
	var account Account
	if name.Tenant.Given && r.Tenants != nil {
		account, err = r.Tenants.AccountByTenantLogin(ctx, name.Realm, TenantID(name.Tenant.ID), canonical)
	} else {
		account, err = r.Accounts.AccountByLogin(ctx, name.Realm, canonical)
	}
	switch KindOf(err) {
	case NotFound:
		where := ""
		if name.Tenant.ID != "" {
			where = fmt.Sprintf(" in tenant %q", name.Tenant.ID)
		}
		return Account{}, refuse(NotFound, "realm %s has no account %q%s", name.Realm, name.Login, where)
	case Conflict:
		return Account{}, refuse(InvalidRequest, "realm %s has accounts %q in several tenants: name the tenant", name.Realm, name.Login)
	}
	return account, err
}

func (r *Registry) event(action Action, realm Realm, origin Origin) Event {
	return Event{
		At: r.Now(), Realm: realm, Action: action, Actor: origin.Actor,
		Address: origin.Address, RequestID: origin.RequestID,
	}
}

func missingRealm(realm Realm, err error) error {
	if KindOf(err) == NotFound {
		return refuse(NotFound, "there is no realm %q: declare it in the file of `chancery apply`, or serve it", realm)
	}
	return err
}
