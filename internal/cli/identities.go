package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/strictyaml"
)

// identities is the file of `chancery apply`: who may sign in where.
type identities struct {
	Realms []realmEntry `yaml:"realms"`

	file     string
	document strictyaml.Document
}

type realmEntry struct {
	Name       string                        `yaml:"name"`
	Attributes map[string]core.AttributeType `yaml:"attributes"`
	Tenants    []tenantEntry                 `yaml:"tenants"`
	Accounts   []accountEntry                `yaml:"accounts"`
	AccessKeys []accessKeyEntry              `yaml:"access_keys"`
}

type tenantEntry struct {
	ID         string         `yaml:"id"`
	Name       string         `yaml:"name"`
	Attributes map[string]any `yaml:"attributes"`
	Active     *bool          `yaml:"active"` // default true; of an existing tenant: as it is
}

type accountEntry struct {
	Login          string            `yaml:"login"`
	Tenant         string            `yaml:"tenant"` // its id; default none
	Email          string            `yaml:"email"`
	Name           string            `yaml:"name"`
	Roles          []string          `yaml:"roles"`
	Attributes     map[string]any    `yaml:"attributes"`
	Active         *bool             `yaml:"active"`   // default true; of an existing account: as it is
	Verified       *bool             `yaml:"verified"` // default true, the operator vouches for it; of an existing account: as it is
	Hold           *core.Kind        `yaml:"hold"`     // default none; of an existing account: as it is
	Password       core.Secret       `yaml:"password"`
	PasswordFile   string            `yaml:"password_file"` // relative to this file
	PasswordHash   core.PasswordHash `yaml:"password_hash"`
	TOTP           *bool             `yaml:"totp"` // true makes a second factor, false takes it away; default: as it is
	TOTPSecret     core.Secret       `yaml:"totp_secret"`
	TOTPSecretFile string            `yaml:"totp_secret_file"` // relative to this file
}

// noHold is how the file says that nothing holds an account.
const noHold core.Kind = "none"

type accessKeyEntry struct {
	Identifier string         `yaml:"identifier"` // made when left out; the key is then known by its name
	Owner      string         `yaml:"owner"`
	Tenant     string         `yaml:"tenant"` // of the owner; default none
	Name       string         `yaml:"name"`
	Attributes map[string]any `yaml:"attributes"`
	State      core.KeyState  `yaml:"state"`      // default pending
	ExpiresAt  *time.Time     `yaml:"expires_at"` // default never; of an existing key: as it is
	Secret     core.Secret    `yaml:"secret"`
	SecretFile string         `yaml:"secret_file"` // relative to this file
}

// parseIdentities reads the file and tells everything that is wrong with it.
func parseIdentities(file string, source []byte) (identities, error) {
	parsed := identities{file: file}
	var err error
	if parsed.document, err = strictyaml.Decode(file, source, &parsed); err != nil {
		return identities{}, err
	}
	var faults strictyaml.Faults
	fault := func(path string, err error) {
		line, column, _ := parsed.document.Place(path)
		faults = append(faults, strictyaml.Fault{File: file, Line: line, Column: column, Message: path + ": " + sentence(err)})
	}
	if len(parsed.Realms) == 0 {
		return identities{}, strictyaml.Faults{{File: file, Message: "realms: the file declares none"}}
	}
	names := map[string]bool{}
	for i := range parsed.Realms {
		path := fmt.Sprintf("realms[%d]", i)
		realm := &parsed.Realms[i]
		if names[realm.Name] {
			fault(path+".name", fmt.Errorf("realm %q is declared twice", realm.Name))
		}
		names[realm.Name] = true
		realm.check(path, fault)
		realm.readSecrets(path, filepath.Dir(file), fault)
	}
	if len(faults) > 0 {
		return identities{}, faults
	}
	return parsed, nil
}

// sentence is a core error without its kind, which says nothing to the reader of a file.
func sentence(err error) string {
	if refusal, ok := errors.AsType[*core.Error](err); ok {
		switch {
		case refusal.Reason != "":
			return refusal.Reason
		case refusal.Err != nil:
			return refusal.Err.Error()
		}
	}
	return err.Error()
}

// info is the realm as core knows it.
func (r *realmEntry) info() core.RealmInfo {
	info := core.RealmInfo{Name: core.Realm(r.Name), Attributes: r.Attributes}
	if info.Attributes == nil {
		info.Attributes = map[string]core.AttributeType{}
	}
	return info
}

func (r *realmEntry) check(path string, fault func(string, error)) {
	if _, err := core.ParseRealm(r.Name); err != nil {
		fault(path+".name", err)
	}
	for name, attribute := range r.Attributes {
		switch attribute {
		case core.StringAttribute, core.NumberAttribute, core.BooleanAttribute, core.ListAttribute:
		default:
			fault(path+".attributes."+name, fmt.Errorf("type %q is none of string, number, boolean, list", attribute))
		}
	}
	r.checkTenants(path, fault)
	type place struct {
		tenant string
		login  core.CanonicalLogin
	}
	logins := map[place]bool{}
	for i := range r.Accounts {
		path, account := fmt.Sprintf("%s.accounts[%d]", path, i), &r.Accounts[i]
		login, err := core.Canonical(account.Login)
		switch {
		case err != nil:
			fault(path+".login", err)
		case logins[place{account.Tenant, login}]:
			fault(path+".login", fmt.Errorf("login name %q is declared twice in realm %s%s", account.Login, r.Name, inTenant(account.Tenant)))
		}
		logins[place{account.Tenant, login}] = true
		account.check(path, r.info(), fault)
	}
	known := map[string]bool{}
	for i := range r.AccessKeys {
		path, key := fmt.Sprintf("%s.access_keys[%d]", path, i), &r.AccessKeys[i]
		key.check(path, r.info(), fault)
		if id := key.label(); id != "" && known[id] {
			fault(path, fmt.Errorf("access key %q is declared twice in realm %s", id, r.Name))
		} else {
			known[id] = true
		}
	}
}

func (r *realmEntry) checkTenants(path string, fault func(string, error)) {
	ids, names := map[string]bool{}, map[core.CanonicalLogin]bool{}
	for i := range r.Tenants {
		path, tenant := fmt.Sprintf("%s.tenants[%d]", path, i), &r.Tenants[i]
		if _, err := core.Canonical(tenant.ID); err != nil {
			fault(path+".id", errors.New("give the id by which sign-ins and accounts name the tenant: 1 to 320 bytes without control characters"))
		} else if ids[tenant.ID] {
			fault(path+".id", fmt.Errorf("tenant %q is declared twice in realm %s", tenant.ID, r.Name))
		}
		name, err := core.Canonical(tenant.Name)
		if err != nil {
			fault(path+".name", errors.New("give a name: 1 to 320 bytes without control characters"))
		} else if names[name] {
			fault(path+".name", fmt.Errorf("realm %s has two tenants of the name %q", r.Name, tenant.Name))
		}
		ids[tenant.ID], names[name] = true, true
		numbers(tenant.Attributes)
		if err := r.info().CheckAttributes(tenant.Attributes); err != nil {
			fault(path+".attributes", err)
		}
	}
}

// inTenant ends a sentence about an account.
func inTenant(tenant string) string {
	if tenant == "" {
		return ""
	}
	return fmt.Sprintf(" and tenant %q", tenant)
}

func (a *accountEntry) check(path string, realm core.RealmInfo, fault func(string, error)) {
	numbers(a.Attributes)
	if err := realm.CheckAttributes(a.Attributes); err != nil {
		fault(path+".attributes", err)
	}
	given := 0
	for _, set := range []bool{a.Password != (core.Secret{}), a.PasswordFile != "", a.PasswordHash != ""} {
		if set {
			given++
		}
	}
	if given > 1 {
		fault(path, errors.New("give one of password, password_file and password_hash"))
	}
	if a.PasswordHash != "" {
		if err := chancery.CheckPasswordHash(a.PasswordHash); err != nil {
			fault(path+".password_hash", err)
		}
	}
	if a.Hold != nil {
		switch *a.Hold {
		case noHold, core.Locked, core.MustChangeSecret:
		default:
			fault(path+".hold", fmt.Errorf("%q is none of %s, %s, %s", *a.Hold, noHold, core.Locked, core.MustChangeSecret))
		}
	}
	given = 0
	for _, set := range []bool{a.TOTP != nil, a.TOTPSecret != (core.Secret{}), a.TOTPSecretFile != ""} {
		if set {
			given++
		}
	}
	if given > 1 {
		fault(path, errors.New("give one of totp, totp_secret and totp_secret_file"))
	}
}

func (k *accessKeyEntry) check(path string, realm core.RealmInfo, fault func(string, error)) {
	numbers(k.Attributes)
	if err := realm.CheckAttributes(k.Attributes); err != nil {
		fault(path+".attributes", err)
	}
	if k.Identifier == "" && k.Name == "" {
		fault(path, errors.New("give an identifier, or a name by which the key is known when the file is applied again"))
	}
	if k.Owner == "" {
		fault(path, errors.New("owner: name the login of the account that the key acts for"))
	}
	switch k.State {
	case "", core.KeyStatePending, core.KeyStateActive, core.KeyStateRevoked:
	default:
		fault(path+".state", fmt.Errorf("%q is none of pending, active, revoked", k.State))
	}
	if k.Secret != (core.Secret{}) && k.SecretFile != "" {
		fault(path, errors.New("give one of secret and secret_file"))
	}
}

// label is what the key is known by in the file.
func (k *accessKeyEntry) label() string {
	if k.Identifier != "" {
		return k.Identifier
	}
	return k.Name
}

// numbers makes whole numbers what core takes numbers for.
func numbers(attributes map[string]any) {
	for name, value := range attributes {
		switch n := value.(type) {
		case int:
			attributes[name] = float64(n)
		case int64:
			attributes[name] = float64(n)
		case uint64:
			attributes[name] = float64(n)
		}
	}
}

// readSecrets reads the files that hold passwords and secrets.
func (r *realmEntry) readSecrets(path, folder string, fault func(string, error)) {
	for i := range r.Accounts {
		account := &r.Accounts[i]
		read(&account.Password, folder, account.PasswordFile, fmt.Sprintf("%s.accounts[%d].password_file", path, i), fault)
		if account.Password != (core.Secret{}) {
			if err := core.CheckPassword(account.Password); err != nil {
				fault(fmt.Sprintf("%s.accounts[%d]", path, i), err)
			}
		}
		read(&account.TOTPSecret, folder, account.TOTPSecretFile, fmt.Sprintf("%s.accounts[%d].totp_secret_file", path, i), fault)
		if account.TOTPSecret != (core.Secret{}) {
			if err := core.CheckTOTP(account.TOTPSecret); err != nil {
				fault(fmt.Sprintf("%s.accounts[%d]", path, i), err)
			}
		}
	}
	for i := range r.AccessKeys {
		key := &r.AccessKeys[i]
		read(&key.Secret, folder, key.SecretFile, fmt.Sprintf("%s.access_keys[%d].secret_file", path, i), fault)
	}
}

func read(secret *core.Secret, folder, file, path string, fault func(string, error)) {
	if file == "" {
		return
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(folder, file)
	}
	opened, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		fault(path, err)
		return
	}
	defer func() { _ = opened.Close() }()
	text, err := io.ReadAll(io.LimitReader(opened, core.MaxPassword+2)) // a device has no end
	if err != nil {
		fault(path, err)
		return
	}
	*secret = core.NewSecret(strings.TrimRight(string(text), "\r\n"))
}

// spec is what the entry says of a new account.
func (a *accountEntry) spec(realm core.Realm) core.AccountSpec {
	spec := core.AccountSpec{
		Realm: realm, Tenant: core.TenantID(a.Tenant), Login: a.Login, Email: a.Email, Name: a.Name,
		Roles: a.Roles, Attributes: a.Attributes,
		Active: a.Active == nil || *a.Active, Verified: a.Verified == nil || *a.Verified,
		Password: a.Password, PasswordHash: a.PasswordHash, TOTP: a.TOTPSecret,
	}
	if a.Hold != nil && *a.Hold != noHold {
		spec.Hold = *a.Hold
	}
	return spec
}

// accountName is what core calls the account.
func (a *accountEntry) accountName(realm core.Realm) core.AccountName {
	return core.AccountName{Realm: realm, Tenant: core.Tenancy{ID: a.Tenant, Given: true}, Login: a.Login}
}

// tenant is what the entry says of a tenant, the current one if there is one.
func (t *tenantEntry) tenant(realm core.Realm, current core.Tenant) core.Tenant {
	made := core.Tenant{ID: core.TenantID(t.ID), Realm: realm, Name: t.Name, Attributes: t.Attributes, Active: true}
	switch {
	case t.Active != nil:
		made.Active = *t.Active
	case current.ID != "":
		made.Active = current.Active
	}
	return made
}

// specFor is what the entry says of an account that exists: a state that it does
// not name is left alone, so that applying a file again switches nobody on.
func (a *accountEntry) specFor(current core.Account) core.AccountSpec {
	spec := a.spec(current.Realm)
	if a.Active == nil {
		spec.Active = current.Active
	}
	if a.Verified == nil {
		spec.Verified = current.Verified
	}
	if a.Hold == nil {
		spec.Hold = current.Hold
	}
	return spec
}

// spec is what the entry says of a new access key.
func (k *accessKeyEntry) spec(realm core.Realm) core.AccessKeySpec {
	spec := core.AccessKeySpec{
		Realm: realm, Owner: k.Owner, Tenant: core.Tenancy{ID: k.Tenant, Given: true}, Identifier: k.Identifier, Secret: k.Secret, Name: k.Name,
		Attributes: k.Attributes, State: k.State,
	}
	if k.ExpiresAt != nil {
		spec.ExpiresAt = *k.ExpiresAt
	}
	return spec
}

// specFor is what the entry says of a key that exists, which keeps an expiry that
// the entry does not name.
func (k *accessKeyEntry) specFor(current core.AccessKey) core.AccessKeySpec {
	spec := k.spec(current.Realm)
	spec.Identifier = current.Identifier
	if k.ExpiresAt == nil {
		spec.ExpiresAt = current.ExpiresAt
	}
	return spec
}
