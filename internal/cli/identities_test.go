package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-auth/chancery/core"
)

const goodIdentities = `realms:
  - name: partners
    attributes: {domain: string, limit: number, tags: list}
    accounts:
      - login: acme
        email: ops@acme.example
        name: Acme
        roles: [Partner, PartnerAdmin]
        attributes: {domain: /partners, limit: 3, tags: [a, b]}
        password_file: acme.password
      - login: idle
        active: false
        verified: false
        password_hash: $argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g
    access_keys:
      - identifier: 986d8167
        owner: acme
        state: active
        expires_at: 2099-12-31T00:00:00Z
      - name: ci
        owner: acme
`

func TestParseIdentities(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "acme.password"), []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed, err := parseIdentities(filepath.Join(folder, "identities.yaml"), []byte(goodIdentities))
	if err != nil {
		t.Fatal(err)
	}
	realm := parsed.Realms[0]
	got := realm.Accounts[0].spec("partners")
	if text := got.Password.Reveal(); text != "correct horse battery" {
		t.Errorf("password = %q, want the file's text", text)
	}
	got.Password = core.Secret{}
	want := core.AccountSpec{
		Realm: "partners", Login: "acme", Email: "ops@acme.example", Name: "Acme", Roles: []string{"Partner", "PartnerAdmin"},
		Attributes: core.Attributes{"domain": "/partners", "limit": 3.0, "tags": []any{"a", "b"}}, Active: true, Verified: true,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b core.Secret) bool { return a.Reveal() == b.Reveal() })); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	if idle := realm.Accounts[1].spec("partners"); idle.Active || idle.Verified || idle.PasswordHash == "" {
		t.Errorf("account idle = %+v", idle)
	}
	if key := realm.AccessKeys[0].spec("partners"); key.State != core.KeyStateActive || !key.ExpiresAt.Equal(time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("access key = %+v", key)
	}
}

func TestParseIdentitiesTellsAllFaults(t *testing.T) {
	const source = `realms:
  - name: Bad Realm
  - name: good
    attributes: {a: text}
    accounts:
      - login: Ada@example.com
        attributes: {b: 1}
      - login: ada@EXAMPLE.com
        password: short
      - login: ""
      - login: eve
        password: long enough
        password_hash: x
      - login: bob
        password_file: missing
    access_keys:
      - owner: ada@example.com
      - identifier: k
        state: ready
      - identifier: k
        owner: bob
  - name: good
`
	_, err := parseIdentities("i.yaml", []byte(source))
	if err == nil {
		t.Fatal("parseIdentities() = nil")
	}
	for _, want := range []string{
		`i.yaml:2:5: realms[0].name: realm "Bad Realm": use lower-case letters`,
		`i.yaml:4:18: realms[1].attributes.a: type "text" is none of string, number, boolean, list`,
		`i.yaml:7:9: realms[1].accounts[0].attributes: attribute "b" is not declared by realm good`,
		`i.yaml:8:9: realms[1].accounts[1].login: login name "ada@EXAMPLE.com" is declared twice in realm good`,
		`i.yaml:8:9: realms[1].accounts[1]: the password must have at least 8 characters`,
		`i.yaml:10:9: realms[1].accounts[2].login: login name: give 1 to 320 bytes`,
		`i.yaml:11:9: realms[1].accounts[3]: give one of password, password_file and password_hash`,
		`i.yaml:13:9: realms[1].accounts[3].password_hash: password hash: format is not supported`,
		`i.yaml:15:9: realms[1].accounts[4].password_file: open missing: no such file`,
		`i.yaml:17:9: realms[1].access_keys[0]: give an identifier, or a name`,
		`i.yaml:18:9: realms[1].access_keys[1]: owner: name the login`,
		`i.yaml:19:9: realms[1].access_keys[1].state: "ready" is none of pending, active, revoked`,
		`i.yaml:20:9: realms[1].access_keys[2]: access key "k" is declared twice in realm good`,
		`i.yaml:22:5: realms[2].name: realm "good" is declared twice`,
	} {
		if !strings.Contains(err.Error()+"\n", want) {
			t.Errorf("no fault begins with %q", want)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 14 {
		t.Errorf("%d faults, want 14:\n%v", got, err)
	}
	if strings.Contains(err.Error(), "long enough") || strings.Contains(err.Error(), "short\n") {
		t.Errorf("a password is repeated:\n%v", err)
	}
}

func TestParseIdentitiesOfTenants(t *testing.T) {
	const source = `realms:
  - name: good
    attributes: {plan: string}
    tenants:
      - {id: t-1, name: ACME, attributes: {plan: 3}}
      - {id: t-1, name: Apex}
      - {id: t-3, name: acme}
      - {name: Nobody}
      - {id: t-5}
    accounts:
      - {login: ada, tenant: t-1, hold: forever}
      - {login: ada}
      - {login: ADA, tenant: t-1, totp: true, totp_secret: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ}
      - {login: eve, totp_secret: hunter2}
      - {login: bob, totp_secret_file: missing}
`
	_, err := parseIdentities("i.yaml", []byte(source))
	if err == nil {
		t.Fatal("parseIdentities() = nil")
	}
	for _, want := range []string{
		`i.yaml:5:31: realms[0].tenants[0].attributes: attribute "plan": want a string, got float64`,
		`i.yaml:6:10: realms[0].tenants[1].id: tenant "t-1" is declared twice in realm good`,
		`i.yaml:7:19: realms[0].tenants[2].name: realm good has two tenants of the name "acme"`,
		`i.yaml:8:9: realms[0].tenants[3].id: give the id by which sign-ins and accounts name the tenant`,
		`i.yaml:9:9: realms[0].tenants[4].name: give a name`,
		`i.yaml:11:35: realms[0].accounts[0].hold: "forever" is none of none, locked, must_change_secret`,
		`i.yaml:13:10: realms[0].accounts[2].login: login name "ADA" is declared twice in realm good and tenant "t-1"`,
		`i.yaml:13:9: realms[0].accounts[2]: give one of totp, totp_secret and totp_secret_file`,
		`i.yaml:14:9: realms[0].accounts[3]: the secret of a second factor must be base32`,
		`i.yaml:15:22: realms[0].accounts[4].totp_secret_file: open missing: no such file`,
	} {
		if !strings.Contains(err.Error()+"\n", want) {
			t.Errorf("no fault begins with %q", want)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 10 {
		t.Errorf("%d faults, want 10:\n%v", got, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is repeated:\n%v", err)
	}
}

func TestParseIdentitiesOfNothing(t *testing.T) {
	if _, err := parseIdentities("i.yaml", nil); err == nil || err.Error() != "i.yaml: realms: the file declares none" {
		t.Errorf("parseIdentities() = %v", err)
	}
}

// FuzzIdentities: what is accepted has a realm, and each name in it has its form.
func FuzzIdentities(f *testing.F) {
	f.Add(goodIdentities)
	f.Add("realms: [{name: a, accounts: [{login: x}], access_keys: [{name: k, owner: x}]}]")
	f.Fuzz(func(t *testing.T, source string) {
		parsed, err := parseIdentities(filepath.Join(t.TempDir(), "i.yaml"), []byte(source))
		if err != nil {
			return
		}
		for _, realm := range parsed.Realms {
			if _, err := core.ParseRealm(realm.Name); err != nil {
				t.Errorf("accepted realm %q", realm.Name)
			}
			for _, account := range realm.Accounts {
				if _, err := core.Canonical(account.Login); err != nil {
					t.Errorf("accepted login %q", account.Login)
				}
			}
			for _, key := range realm.AccessKeys {
				if key.label() == "" || key.Owner == "" {
					t.Errorf("accepted access key %+v", key)
				}
			}
		}
	})
}
