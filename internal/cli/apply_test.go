package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// plainPasswords keeps a digest for a hash: quick, and no test asks for more.
type plainPasswords struct{}

func (plainPasswords) Admit(context.Context, core.Realm, netip.Prefix) error { return nil }

func (plainPasswords) Verify(_ context.Context, _ core.Realm, hash core.PasswordHash, secret core.Secret) (match, outdated bool, err error) {
	return string(hash) == secret.Reveal(), false, nil
}

func (plainPasswords) Hash(_ context.Context, _ core.Realm, secret core.Secret) (core.PasswordHash, error) {
	return core.PasswordHash(secret.Reveal()), nil
}

func (plainPasswords) Supports(core.PasswordHash) error { return nil }

func (plainPasswords) Later(core.Realm, core.Secret, func(core.PasswordHash)) {}

func testRegistry() *core.Registry {
	s := memory.New()
	return &core.Registry{
		Realms: s, Tenants: s, Accounts: s, Factors: s, Sealer: plainSealer{}, AccessKeys: s, Passwords: plainPasswords{}, Now: time.Now,
	}
}

func mustParse(t *testing.T, source string) identities {
	t.Helper()
	parsed, err := parseIdentities("i.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func lines(changes []change) string {
	var all []string
	for _, c := range changes {
		name := c.Name
		if c.Kind == "access_key" && c.Name == "" {
			name = c.Identifier
		}
		text := fmt.Sprintf("%s %s %s", c.Change, c.Kind, name)
		if c.Secret != "" {
			text += " with secret"
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

const twoKeys = `realms:
  - name: partners
    attributes: {domain: string}
    accounts:
      - {login: acme, name: %s, password: correct horse}
    access_keys:
      - {name: ci, owner: acme, state: active}
      - {identifier: imported, owner: acme, secret: 0123456789abcdef0123456789abcdef}
`

func TestApplyIsIdempotent(t *testing.T) {
	registry, ctx := testRegistry(), t.Context()
	for _, step := range []struct{ name, want string }{
		{"Acme", "created realm \ncreated account acme\ncreated access_key ci with secret\ncreated access_key imported"},
		{"Acme", "unchanged realm \nunchanged account acme\nunchanged access_key ci\nunchanged access_key imported"},
		{"Apex", "unchanged realm \nchanged account acme\nunchanged access_key ci\nunchanged access_key imported"},
	} {
		changes, err := apply(ctx, registry, mustParse(t, fmt.Sprintf(twoKeys, step.name)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, lines(changes)); diff != "" {
			t.Errorf("apply() (-want +got):\n%s", diff)
		}
	}
}

func TestDryRunJudgesAndWritesNothing(t *testing.T) {
	registry, ctx := testRegistry(), t.Context()
	file := mustParse(t, fmt.Sprintf(twoKeys, "Acme"))
	changes, err := apply(ctx, dryRegistry(registry), file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := lines(changes), "created realm \ncreated account acme\ncreated access_key ci with secret\ncreated access_key imported"; got != want {
		t.Errorf("dry run = %q, want %q", got, want)
	}
	if _, err := registry.Realms.Realm(ctx, "partners"); core.KindOf(err) != core.NotFound {
		t.Errorf("after a dry run Realm() = %v, want not found", err)
	}
	if _, err := apply(ctx, registry, file); err != nil {
		t.Fatal(err)
	}
	changes, err = apply(ctx, dryRegistry(registry), mustParse(t, fmt.Sprintf(twoKeys, "Apex")))
	if got, want := lines(changes), "unchanged realm \nchanged account acme\nunchanged access_key ci\nunchanged access_key imported"; err != nil || got != want {
		t.Errorf("dry run = %q, %v, want %q", got, err, want)
	}
	if account, err := registry.Accounts.AccountByLogin(ctx, "partners", "acme"); err != nil || account.Name != "Acme" {
		t.Errorf("after a dry run the name is %q, %v, want it unchanged", account.Name, err)
	}
}

// What a file does not say of an account or key that exists stays as it is: nobody
// is switched on again, and no key is made eternal, by applying it once more.
func TestApplyLeavesWhatIsNotSaid(t *testing.T) {
	const (
		plain   = "realms: [{name: p, accounts: [{login: a}], access_keys: [{identifier: k1, owner: a}, {name: ci, owner: a}]}]"
		said    = "realms: [{name: p, accounts: [{login: a, active: %t, verified: %[1]t}], access_keys: [{identifier: k1, owner: a, expires_at: %[2]s}, {name: ci, owner: a, expires_at: %[2]s}]}]"
		earlier = "2098-12-31T00:00:00Z"
		later   = "2099-12-31T00:00:00Z"
	)
	registry, ctx := testRegistry(), t.Context()
	for _, step := range []struct {
		name, source string
		on           bool
		expires      string
		changes      string
	}{
		{"a new one has the defaults", plain, true, "", "created"},
		{"what is said is done", fmt.Sprintf(said, false, earlier), false, earlier, "changed"},
		{"what is not said stays", plain, false, earlier, "unchanged"},
		{"it can be said otherwise", fmt.Sprintf(said, true, later), true, later, "changed"},
		{"and stays again", plain, true, later, "unchanged"},
	} {
		t.Run(step.name, func(t *testing.T) {
			changes, err := apply(ctx, registry, mustParse(t, step.source))
			if err != nil {
				t.Fatal(err)
			}
			account, err := registry.Accounts.AccountByLogin(ctx, "p", "a")
			if err != nil || account.Active != step.on || account.Verified != step.on {
				t.Errorf("account: active %t, verified %t, %v, want both %t", account.Active, account.Verified, err, step.on)
			}
			for _, c := range changes {
				if c.Kind != "realm" && c.Change != step.changes {
					t.Errorf("%s %s is %s, want %s", c.Kind, c.Name, c.Change, step.changes)
				}
				if c.Kind != "access_key" {
					continue
				}
				key, err := registry.AccessKeys.AccessKeyByIdentifier(ctx, "p", c.Identifier)
				got := ""
				if !key.ExpiresAt.IsZero() {
					got = key.ExpiresAt.UTC().Format(time.RFC3339)
				}
				if err != nil || got != step.expires {
					t.Errorf("access key %q expires at %q, %v, want %q", key.Identifier, got, err, step.expires)
				}
			}
		})
	}
}

func TestApplyLeavesADisabledAccountDisabled(t *testing.T) {
	registry, ctx := testRegistry(), t.Context()
	file := mustParse(t, "realms: [{name: p, accounts: [{login: a, name: Ada}]}]")
	if _, err := apply(ctx, registry, file); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.DisableAccount(ctx, core.AccountName{Realm: "p", Login: "a"}, origin()); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(ctx, registry, mustParse(t, "realms: [{name: p, accounts: [{login: a, name: Ada Lovelace}]}]")); err != nil {
		t.Fatal(err)
	}
	if account, err := registry.Accounts.AccountByLogin(ctx, "p", "a"); err != nil || account.Active || account.Name != "Ada Lovelace" {
		t.Errorf("account = %+v, %v, want it renamed and still disabled", account, err)
	}
}

func TestApplyStopsWithThePlace(t *testing.T) {
	changes, err := apply(t.Context(), testRegistry(), mustParse(t, "realms:\n  - name: partners\n    access_keys:\n      - {name: ci, owner: nobody}\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "i.yaml:4:9: realms[0].access_keys[0]: ") || core.KindOf(err) != core.NotFound {
		t.Errorf("apply() = %v, want NotFound at the key's place", err)
	}
	if lines(changes) != "created realm " {
		t.Errorf("apply() = %q, want what was done until then", lines(changes))
	}
}

func TestApplyRefusesAmbiguousNames(t *testing.T) {
	registry, ctx := testRegistry(), t.Context()
	if _, err := apply(ctx, registry, mustParse(t, "realms:\n  - {name: p, accounts: [{login: a}], access_keys: [{identifier: k1, name: ci, owner: a}, {identifier: k2, name: ci, owner: a}]}")); err != nil {
		t.Fatal(err)
	}
	_, err := apply(ctx, registry, mustParse(t, "realms:\n  - {name: p, access_keys: [{name: ci, owner: a}]}"))
	if err == nil || !strings.Contains(err.Error(), "give the identifier") {
		t.Errorf("apply() = %v, want it to ask for the identifier", err)
	}
}

const tenants = `realms:
  - name: p
    tenants:
      - {id: t-1, name: %s}
      - {id: t-2, name: Apex, active: false}
    accounts:
      - {login: ada, tenant: t-1, hold: %s, totp: %s}
      - {login: ada, tenant: t-2, totp_secret: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ}
      - {login: ada}
    access_keys:
      - {identifier: k1, owner: ada, tenant: t-2}
`

// Each step is tried dry first, which says the same and changes nothing.
func TestApplyTenants(t *testing.T) {
	registry, ctx := testRegistry(), t.Context()
	for _, step := range []struct {
		name, hold, totp string
		want             string
		enrolled         bool
	}{
		{"ACME", "locked", "false", "created created created created created created created", false},
		{"ACME", "locked", "false", "unchanged unchanged unchanged unchanged unchanged unchanged unchanged", false},
		{"ACME", "none", "true", "unchanged unchanged unchanged changed unchanged unchanged unchanged", true},
		{"Acme Inc.", "none", "true", "unchanged changed unchanged unchanged unchanged unchanged unchanged", false},
		{"Acme Inc.", "none", "false", "unchanged unchanged unchanged changed unchanged unchanged unchanged", false},
	} {
		file := mustParse(t, fmt.Sprintf(tenants, step.name, step.hold, step.totp))
		for _, into := range []*core.Registry{dryRegistry(registry), registry} {
			changes, err := apply(ctx, into, file)
			if err != nil {
				t.Fatal(err)
			}
			var done []string
			enrolled := false
			for _, c := range changes {
				done = append(done, c.Change)
				enrolled = enrolled || c.TOTP != nil
			}
			if got := strings.Join(done, " "); got != step.want || enrolled != step.enrolled {
				t.Errorf("%+v: %s, with a second factor %v", step, got, enrolled)
			}
			if forget(changes); into != registry && enrolled && changes[3].TOTP != nil {
				t.Errorf("a dry run shows %+v", changes[3].TOTP)
			}
		}
		account, err := registry.Account(ctx, core.AccountName{Realm: "p", Login: "ada", Tenant: core.Tenancy{ID: "t-1", Given: true}})
		if want := map[string]core.Kind{"locked": core.Locked}[step.hold]; err != nil || account.Hold != want {
			t.Errorf("%+v: the account is %+v, %v", step, account, err)
		}
		_, err = registry.Factors.Factor(ctx, "p", account.ID)
		if has := err == nil; has != (step.totp == "true") {
			t.Errorf("%+v: Factor() = %v", step, err)
		}
	}
	key, err := registry.AccessKeys.AccessKeyByIdentifier(ctx, "p", "k1")
	if err != nil {
		t.Fatal(err)
	}
	owner, err := registry.Accounts.Account(ctx, "p", key.Account)
	if err != nil || owner.Tenant != "t-2" {
		t.Errorf("the key's owner is %+v, %v", owner, err)
	}
	if tenant, err := registry.Tenants.Tenant(ctx, "p", "t-2"); err != nil || tenant.Active {
		t.Errorf("tenant %+v, %v; want it inactive", tenant, err)
	}
	// What is not said stays.
	if _, err := apply(ctx, registry, mustParse(t, "realms: [{name: p, tenants: [{id: t-2, name: Apex}], accounts: [{login: ada, tenant: t-2}]}]")); err != nil {
		t.Fatal(err)
	}
	if tenant, err := registry.Tenants.Tenant(ctx, "p", "t-2"); err != nil || tenant.Active {
		t.Errorf("tenant %+v, %v; want it inactive still", tenant, err)
	}
	if _, err := registry.Factors.Factor(ctx, "p", owner.ID); err != nil {
		t.Errorf("the imported second factor: %v", err)
	}
}

func TestApplyRefusesTenants(t *testing.T) {
	registry, ctx := testRegistry(), t.Context()
	if _, err := apply(ctx, registry, mustParse(t, "realms: [{name: p, tenants: [{id: t-1, name: A}], accounts: [{login: a, tenant: t-1}]}]")); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]core.Kind{
		"realms: [{name: p, accounts: [{login: b, tenant: t-9}]}]":           core.NotFound,
		"realms: [{name: p, tenants: [{id: t-2, name: a}]}]":                 core.Conflict,
		"realms: [{name: p, access_keys: [{name: k, owner: a}]}]":            core.NotFound, // of no tenant
		"realms: [{name: p, access_keys: [{name: k, owner: a, tenant: t}]}]": core.NotFound,
	} {
		for _, into := range []*core.Registry{dryRegistry(registry), registry} {
			if _, err := apply(ctx, into, mustParse(t, source)); core.KindOf(err) != want {
				t.Errorf("%s: %v, want kind %q", source, err, want)
			}
		}
	}
}

func TestParseAttributes(t *testing.T) {
	realm := core.RealmInfo{Name: "r", Attributes: map[string]core.AttributeType{
		"s": core.StringAttribute, "n": core.NumberAttribute, "b": core.BooleanAttribute, "l": core.ListAttribute,
	}}
	got, err := parseAttributes(realm, []string{"s=x=y", "n=1.5", "b=true", "l=a", "l=b"})
	want := core.Attributes{"s": "x=y", "n": 1.5, "b": true, "l": []any{"a", "b"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("parseAttributes() = %v, (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"s", "n=many", "b=perhaps", "x=1"} {
		_, err := parseAttributes(realm, []string{bad})
		if fault, ok := errors.AsType[*failure](err); !ok || fault.code != exitUsage {
			t.Errorf("parseAttributes(%q) = %v, want a usage fault", bad, err)
		}
	}
}

// plainSealer seals nothing: no test here reads what is sealed.
type plainSealer struct{}

func (plainSealer) Seal(_, _ string, secret core.Secret) ([]byte, error) {
	return []byte(secret.Reveal()), nil
}

func (plainSealer) Open(_, _ string, sealed []byte) (core.Secret, error) {
	return core.NewSecret(string(sealed)), nil
}
