package contracttest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A member is somebody who can sign in, with what they sign in by.
type member struct {
	identifier string // login name or access key
	secret     string
	account    core.Account
	key        core.AccessKey
}

const password = "Correct-horse 7 &+%=ü" // what members have unless a test says otherwise; awkward in a form

// account creates an account in c's realm: active and verified unless edit says
// otherwise, its login name its own.
func (w *world) account(t testing.TB, c contract, edit ...func(*core.AccountSpec)) member {
	t.Helper()
	spec := core.AccountSpec{
		Realm: c.realm, Login: fmt.Sprintf("m%d@people.example", w.next.Add(1)), Name: "Ada",
		Active: true, Verified: true, Password: core.NewSecret(password),
	}
	if c.name == "D" {
		spec.Roles = []string{"Partner", "PartnerAdmin"}
		spec.Attributes = core.Attributes{
			"realm": "Partner", "domain": "/partners-int",
			"ca": "0ea70001-0f58-44a2-80ad-953633ff2cc7", "cid": "29263739-2cf8-483d-af15-6151dc8448b4",
		}
	}
	for _, f := range edit {
		f(&spec)
	}
	secret := spec.Password.Reveal()
	if known, ok := hashed.Load(secret); ok && spec.PasswordHash == "" && secret != "" {
		spec.PasswordHash = known.(core.PasswordHash) // so that no second hash is paid for
	}
	account, err := w.registry.CreateAccount(t.Context(), spec, core.Origin{})
	if err != nil {
		t.Fatalf("account %q: %v", spec.Login, err)
	}
	hashed.Store(secret, account.PasswordHash)
	return member{identifier: spec.Login, secret: secret, account: account}
}

// hashed are the hashes of passwords that accounts have had.
var hashed sync.Map

func inactive(spec *core.AccountSpec)   { spec.Active = false }
func unverified(spec *core.AccountSpec) { spec.Verified = false }

func called(login string) func(*core.AccountSpec) {
	return func(spec *core.AccountSpec) { spec.Login = login }
}

func having(text string) func(*core.AccountSpec) {
	return func(spec *core.AccountSpec) { spec.Password = core.NewSecret(text) }
}

func withoutPassword(spec *core.AccountSpec) { spec.Password = core.Secret{} }

// accessKey creates an active access key in D's realm with an account of its own.
func (w *world) accessKey(t testing.TB, edit ...func(*core.AccessKeySpec)) member {
	t.Helper()
	owner := w.account(t, contractD)
	spec := core.AccessKeySpec{Realm: contractD.realm, Owner: owner.identifier, State: core.KeyStateActive}
	for _, f := range edit {
		f(&spec)
	}
	key, secret, err := w.registry.CreateAccessKey(t.Context(), spec, core.Origin{})
	if err != nil {
		t.Fatalf("access key: %v", err)
	}
	return member{identifier: key.Identifier, secret: secret.Reveal(), account: owner.account, key: key}
}

func pending(spec *core.AccessKeySpec) { spec.State = core.KeyStatePending }
func revoked(spec *core.AccessKeySpec) { spec.State = core.KeyStateRevoked }
func expired(spec *core.AccessKeySpec) { spec.ExpiresAt = time.Now().Add(-time.Minute) }

// member creates somebody who can sign in at c.
func (w *world) member(t testing.TB, c contract) member {
	t.Helper()
	if c.name == "D" {
		return w.accessKey(t)
	}
	return w.account(t, c)
}

// disable shuts a member's account.
func (w *world) disable(t testing.TB, c contract, m member) {
	t.Helper()
	if _, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: c.realm, Login: m.account.Login}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
}

// unverify takes an account's verification back.
func (w *world) unverify(t testing.TB, c contract, m member) {
	t.Helper()
	if _, err := w.registry.UpdateAccount(t.Context(), core.AccountSpec{
		Realm: c.realm, Login: m.account.Login, Email: m.account.Email, Name: m.account.Name, Active: true,
	}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
}
