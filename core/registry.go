package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"reflect"
	"slices"
	"time"
)

// A Registry creates and changes realms, accounts and access keys, for
// administrators. Each change is one transaction with its audit record.
type Registry struct {
	Realms     Realms
	Accounts   Accounts
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
	Login      string
	Email      string // "" takes Login when that is an address
	Name       string
	Roles      []string
	Attributes Attributes
	Active     bool
	Verified   bool
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
	return realm.CheckAttributes(s.Attributes)
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
	hash := spec.PasswordHash
	if hash != "" {
		if err := r.Passwords.Supports(hash); err != nil {
			return Account{}, fmt.Errorf("account %q: %w", spec.Login, err)
		}
	} else if spec.Password != (Secret{}) {
		if err := CheckPassword(spec.Password); err != nil {
			return Account{}, err
		}
		if hash, err = r.Passwords.Hash(ctx, spec.Realm, spec.Password); err != nil {
			return Account{}, err
		}
	}
	if spec.ID == "" {
		spec.ID = AccountID(newID())
	}
	now := r.Now()
	account := Account{
		ID: spec.ID, Realm: spec.Realm, Login: spec.Login, Email: spec.Email, Name: spec.Name,
		Roles: spec.Roles, Attributes: spec.Attributes, Active: spec.Active, Verified: spec.Verified,
		PasswordHash: hash, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	event := r.event(ActionAccountCreated, spec.Realm, origin)
	event.Account = account.ID
	return account, r.Accounts.CreateAccount(ctx, account, event)
}

// UpdateAccount makes an existing account what spec says, its password and login
// name apart, and reports whether that changed anything.
func (r *Registry) UpdateAccount(ctx context.Context, spec AccountSpec, origin Origin) (changed bool, err error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return false, missingRealm(spec.Realm, err)
	}
	if err := spec.complete(realm); err != nil {
		return false, err
	}
	account, err := r.accountByLogin(ctx, spec.Realm, spec.Login)
	if err != nil {
		return false, err
	}
	return r.update(ctx, account, ActionAccountChanged, origin, func(account *Account, now time.Time) {
		if account.Email != spec.Email {
			account.TicketsFrom = now // S27
		}
		account.Email, account.Name, account.Verified = spec.Email, spec.Name, spec.Verified
		if !slices.Equal(account.Roles, spec.Roles) {
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
func (r *Registry) DisableAccount(ctx context.Context, realm Realm, login string, origin Origin) (changed bool, err error) {
	account, err := r.accountByLogin(ctx, realm, login)
	if err != nil {
		return false, err
	}
	return r.update(ctx, account, ActionAccountDisabled, origin, func(account *Account, now time.Time) {
		if account.Active {
			account.disable(now)
		}
	})
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

func (r *Registry) accountByLogin(ctx context.Context, realm Realm, login string) (Account, error) {
	canonical, err := Canonical(login)
	if err != nil {
		return Account{}, err
	}
	account, err := r.Accounts.AccountByLogin(ctx, realm, canonical)
	if KindOf(err) == NotFound {
		return Account{}, refuse(NotFound, "realm %s has no account %q", realm, login)
	}
	return account, err
}

// An AccessKeySpec is what an administrator says of an access key.
type AccessKeySpec struct {
	ID         KeyID // "" makes one
	Realm      Realm
	Owner      string // login name of the account that it acts for
	Identifier string // "" makes one in the realm's form
	Secret     Secret // the zero Secret makes one in the realm's form
	Name       string
	Attributes Attributes
	State      KeyState // "" is pending
	ExpiresAt  time.Time
}

const minImportedSecret = 32 // bytes

// CreateAccessKey creates an access key and returns its secret, which is not
// kept and cannot be shown again (S14).
func (r *Registry) CreateAccessKey(ctx context.Context, spec AccessKeySpec, origin Origin) (AccessKey, Secret, error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return AccessKey{}, Secret{}, missingRealm(spec.Realm, err)
	}
	if err := realm.CheckAttributes(spec.Attributes); err != nil {
		return AccessKey{}, Secret{}, err
	}
	owner, err := r.accountByLogin(ctx, spec.Realm, spec.Owner)
	if err != nil {
		return AccessKey{}, Secret{}, err
	}
	form := r.Forms[spec.Realm]
	switch {
	case spec.Secret == (Secret{}):
		spec.Secret = form.newSecret()
	case len(spec.Secret.Reveal()) < minImportedSecret:
		return AccessKey{}, Secret{}, refuse(InvalidRequest, "access key %q: its secret has under %d characters; leave it out and one is made", spec.Identifier, minImportedSecret)
	}
	if spec.Identifier == "" {
		spec.Identifier = form.newIdentifier()
	}
	if _, err := Canonical(spec.Identifier); err != nil {
		return AccessKey{}, Secret{}, fmt.Errorf("access key: %w", err)
	}
	if spec.ID == "" {
		spec.ID = KeyID(newID())
	}
	if spec.State == "" {
		spec.State = KeyStatePending
	}
	now := r.Now()
	key := AccessKey{
		ID: spec.ID, Realm: spec.Realm, Account: owner.ID, Identifier: spec.Identifier,
		SecretDigest: spec.Secret.Digest(), Name: spec.Name, Attributes: spec.Attributes,
		State: spec.State, CreatedAt: now, UpdatedAt: now, ExpiresAt: spec.ExpiresAt, Version: 1,
	}
	event := r.event(ActionKeyCreated, spec.Realm, origin)
	event.Account, event.Key = owner.ID, key.ID
	if err := r.AccessKeys.CreateAccessKey(ctx, key, event); err != nil {
		return AccessKey{}, Secret{}, err
	}
	return key, spec.Secret, nil
}

// UpdateAccessKey makes an existing key what spec says, its secret and owner
// apart, and reports whether that changed anything. A revoked key stays revoked.
func (r *Registry) UpdateAccessKey(ctx context.Context, spec AccessKeySpec, origin Origin) (changed bool, err error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return false, missingRealm(spec.Realm, err)
	}
	if err := realm.CheckAttributes(spec.Attributes); err != nil {
		return false, err
	}
	return r.updateKey(ctx, spec.Realm, spec.Identifier, ActionKeyChanged, origin, func(key *AccessKey) error {
		if key.State == KeyStateRevoked && spec.State != KeyStateRevoked && spec.State != "" {
			return refuse(Conflict, "access key %q is revoked for good: make a new one", key.Identifier)
		}
		key.Name = spec.Name
		if !key.ExpiresAt.Equal(spec.ExpiresAt) {
			key.ExpiresAt = spec.ExpiresAt
		}
		if len(key.Attributes)+len(spec.Attributes) > 0 {
			key.Attributes = spec.Attributes
		}
		if spec.State != "" {
			key.State = spec.State
		}
		return nil
	})
}

// ApproveAccessKey makes a pending key usable.
func (r *Registry) ApproveAccessKey(ctx context.Context, realm Realm, identifier string, origin Origin) (changed bool, err error) {
	return r.updateKey(ctx, realm, identifier, ActionKeyApproved, origin, func(key *AccessKey) error {
		if key.State == KeyStateRevoked {
			return refuse(Conflict, "access key %q is revoked for good: make a new one", identifier)
		}
		key.State = KeyStateActive
		return nil
	})
}

// RevokeAccessKey ends a key for good, and with it the tokens got by it.
func (r *Registry) RevokeAccessKey(ctx context.Context, realm Realm, identifier string, origin Origin) (changed bool, err error) {
	return r.updateKey(ctx, realm, identifier, ActionKeyRevoked, origin, func(key *AccessKey) error {
		key.State = KeyStateRevoked
		return nil
	})
}

func (r *Registry) updateKey(ctx context.Context, realm Realm, identifier string, action Action, origin Origin, edit func(*AccessKey) error) (changed bool, err error) {
	key, err := r.AccessKeys.AccessKeyByIdentifier(ctx, realm, identifier)
	if err != nil {
		if KindOf(err) == NotFound {
			err = refuse(NotFound, "realm %s has no access key %q", realm, identifier)
		}
		return false, err
	}
	err = r.AccessKeys.UpdateAccessKey(ctx, realm, key.ID, func(key *AccessKey) (Event, error) {
		before, now := *key, r.Now()
		if err := edit(key); err != nil {
			return Event{}, err
		}
		if changed = !reflect.DeepEqual(before, *key); !changed {
			return Event{}, errUnchanged
		}
		key.UpdatedAt = now
		event := r.event(action, realm, origin)
		event.Account, event.Key = key.Account, key.ID
		return event, nil
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return changed, err
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
