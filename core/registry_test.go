package core_test

import (
	"testing"

	"github.com/chancery-auth/chancery/core"
)

func TestPutTenant(t *testing.T) {
	w := newPeople(t, nil)
	acme := core.Tenant{ID: "t-1", Realm: realm, Name: "ACME", Attributes: core.Attributes{"team": "a"}, Active: true}
	for _, tt := range []struct {
		name    string
		change  func(*core.Tenant)
		changed bool
		kind    core.Kind
	}{
		{"new", func(*core.Tenant) {}, true, ""},
		{"again", func(*core.Tenant) {}, false, ""},
		{"another name", func(n *core.Tenant) { n.Name = "Acme Inc." }, true, ""},
		{"inactive", func(n *core.Tenant) { n.Name, n.Active = "Acme Inc.", false }, true, ""},
		{"its name for another", func(n *core.Tenant) { n.ID, n.Name = "t-2", "acme INC." }, false, core.Conflict},
		{"an attribute that is not declared", func(n *core.Tenant) { n.Attributes = core.Attributes{"other": "x"} }, false, core.InvalidRequest},
		{"no id", func(n *core.Tenant) { n.ID = "" }, false, core.InvalidRequest},
		{"no name", func(n *core.Tenant) { n.Name = "" }, false, core.InvalidRequest},
		{"a control character", func(n *core.Tenant) { n.ID = "\x1f" }, false, core.InvalidRequest},
		{"no realm", func(n *core.Tenant) { n.Realm = "other" }, false, core.NotFound},
	} {
		tenant := acme
		tt.change(&tenant)
		changed, err := w.registry.PutTenant(t.Context(), tenant, origin)
		if want(t, tt.name, err, tt.kind); changed != tt.changed {
			t.Errorf("%s: changed %v, want %v", tt.name, changed, tt.changed)
		}
	}
	if got := w.count(t, core.ActionTenantChanged); got != 3 {
		t.Errorf("%d changes on record, want 3", got)
	}
	_, err := w.registry.CreateAccount(t.Context(), core.AccountSpec{Realm: realm, Tenant: "t-9", Login: "x"}, origin)
	want(t, "CreateAccount in no tenant", err, core.NotFound)
}

// Administrators name the tenant where a login name is that of several accounts.
func TestAccountNames(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	for _, tenant := range []core.TenantID{"", "t-1"} {
		w.account(t, "ada", func(s *core.AccountSpec) { s.Tenant = tenant })
	}
	w.account(t, "eve", func(s *core.AccountSpec) { s.Tenant = "t-1" })
	within := func(login, id string) core.AccountName {
		return core.AccountName{Realm: realm, Login: login, Tenant: core.Tenancy{ID: id, Given: true}}
	}
	for _, tt := range []struct {
		name   core.AccountName
		tenant core.TenantID
		kind   core.Kind
	}{
		{named("ada"), "", core.InvalidRequest},
		{within("ada", ""), "", ""},
		{within("ada", "t-1"), "t-1", ""},
		{named("EVE"), "t-1", ""},
		{within("eve", ""), "", core.NotFound},
		{within("eve", "t-2"), "", core.NotFound},
	} {
		account, err := w.registry.Account(t.Context(), tt.name)
		if want(t, tt.name.Login, err, tt.kind); account.Tenant != tt.tenant {
			t.Errorf("%+v is of tenant %q, want %q", tt.name, account.Tenant, tt.tenant)
		}
	}
	spec := core.AccountSpec{Realm: realm, Tenant: "t-1", Login: "ada", Name: "Ada", Active: true, Verified: true}
	if changed, err := w.registry.UpdateAccount(t.Context(), spec, origin); err != nil || !changed {
		t.Errorf("UpdateAccount() = %v, %v", changed, err)
	}
	if other, err := w.registry.Account(t.Context(), within("ada", "")); err != nil || other.Name != "" {
		t.Errorf("the other account is %+v, %v", other, err)
	}
	key := core.AccessKeySpec{Realm: realm, Owner: "ada", Tenant: core.Tenancy{ID: "t-1", Given: true}}
	created, _, err := w.registry.CreateAccessKey(t.Context(), key, origin)
	if err != nil {
		t.Fatal(err)
	}
	if owner, err := w.store.Account(t.Context(), realm, created.Account); err != nil || owner.Tenant != "t-1" {
		t.Errorf("the key's owner is %+v, %v", owner, err)
	}
}
