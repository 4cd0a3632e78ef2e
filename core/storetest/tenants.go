package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// tenant returns a tenant with every field set.
func tenant(id, name string) core.Tenant {
	return core.Tenant{ID: core.TenantID(id), Realm: realm, Name: name, Attributes: core.Attributes{"text": "x", "list": []any{"a"}},
		Active: true, CreatedAt: start, Version: 1}
}

func withTenant(t *testing.T, s Store, id, name string) core.Tenant {
	t.Helper()
	want := tenant(id, name)
	must(t, s.PutTenant(t.Context(), want, at(0, core.ActionTenantChanged)))
	return want
}

// member returns an account of a tenant.
func member(id, tenant, login string) core.Account {
	a := account(id, login)
	a.Tenant = core.TenantID(tenant)
	return a
}

var tenantTests = map[string]func(*testing.T, Store){
	"what is put is returned": func(t *testing.T, s Store) {
		withRealms(t, s)
		before := last(t, s)
		want := withTenant(t, s, "t1", "Acme GmbH")
		wantSame(t, "Tenant()", get[core.Tenant](t)(s.Tenant(t.Context(), realm, "t1")), want)
		wantSame(t, "TenantByName()", get[core.Tenant](t)(s.TenantByName(t.Context(), realm, "acme gmbh")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionTenantChanged})
		zero := core.Tenant{ID: "t2", Realm: realm, Name: "x"}
		must(t, s.PutTenant(t.Context(), zero, at(1, core.ActionTenantChanged)))
		wantSame(t, "Tenant(zero values)", get[core.Tenant](t)(s.Tenant(t.Context(), realm, "t2")), zero)
	},
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withTenant(t, s, "t1", "Acme")
		for what, find := range map[string]func() (core.Tenant, error){
			"Tenant(another id)":          func() (core.Tenant, error) { return s.Tenant(t.Context(), realm, "t2") },
			"Tenant(another realm)":       func() (core.Tenant, error) { return s.Tenant(t.Context(), other, "t1") },
			"TenantByName(not canonical)": func() (core.Tenant, error) { return s.TenantByName(t.Context(), realm, "Acme") },
			"TenantByName(another realm)": func() (core.Tenant, error) { return s.TenantByName(t.Context(), other, "acme") },
			"TenantByName(no name)":       func() (core.Tenant, error) { return s.TenantByName(t.Context(), realm, "") },
		} {
			_, err := find()
			wantKind(t, what, err, core.NotFound)
		}
		elsewhere := tenant("t1", "Acme")
		elsewhere.Realm = "nowhere"
		wantKind(t, "PutTenant(no realm)", s.PutTenant(t.Context(), elsewhere, at(1, core.ActionTenantChanged)), core.NotFound)
		elsewhere.Realm = other
		must(t, s.PutTenant(t.Context(), elsewhere, at(1, core.ActionTenantChanged)))
		wantSame(t, "Tenant()", get[core.Tenant](t)(s.Tenant(t.Context(), other, "t1")), elsewhere)
	},
	"putting again replaces all but the creation": func(t *testing.T, s Store) {
		withRealms(t, s)
		withTenant(t, s, "t1", "Acme")
		want := core.Tenant{ID: "t1", Realm: realm, Name: "New", CreatedAt: start.Add(time.Hour), Version: 77}
		must(t, s.PutTenant(t.Context(), want, at(1, core.ActionTenantChanged)))
		want.CreatedAt, want.Version = start, 2
		wantSame(t, "TenantByName()", get[core.Tenant](t)(s.TenantByName(t.Context(), realm, "new")), want)
		_, err := s.TenantByName(t.Context(), realm, "acme")
		wantKind(t, "TenantByName(old)", err, core.NotFound)
	},
	"a taken name is Conflict, one without a canonical form is refused": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := withTenant(t, s, "t1", "Acme")
		withTenant(t, s, "t2", "Bolt")
		before := last(t, s)
		for _, id := range []string{"t2", "t3"} {
			wantKind(t, "PutTenant(taken)", s.PutTenant(t.Context(), tenant(id, "ACME"), at(1, core.ActionTenantChanged)), core.Conflict)
		}
		wantKind(t, "PutTenant(no name)", s.PutTenant(t.Context(), tenant("t3", ""), at(1, core.ActionTenantChanged)), core.InvalidRequest)
		wantSame(t, "events", journal(t, s, before), nil)
		wantSame(t, "TenantByName()", get[core.Tenant](t)(s.TenantByName(t.Context(), realm, "acme")), want)
	},
	"lists are in order of id and paged": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, id := range []string{"b", "B", "é", "10", "9"} {
			withTenant(t, s, id, fmt.Sprint("tenant ", i))
		}
		for _, limit := range []int{1, 2, 100} {
			var got []core.TenantID
			for after := core.TenantID(""); ; after = got[len(got)-1] {
				page := get[[]core.Tenant](t)(s.TenantList(t.Context(), realm, after, limit))
				if len(page) > limit {
					t.Fatalf("TenantList(limit %d) returned %d", limit, len(page))
				}
				if len(page) == 0 {
					break
				}
				for _, found := range page {
					got = append(got, found.ID)
				}
			}
			wantSame(t, fmt.Sprint("ids by ", limit), got, []core.TenantID{"10", "9", "B", "b", "é"})
		}
		wantSame(t, "limit 0", get[[]core.Tenant](t)(s.TenantList(t.Context(), realm, "", 0)), nil)
		wantSame(t, "another realm", get[[]core.Tenant](t)(s.TenantList(t.Context(), other, "", 10)), nil)
	},
	"a login name is a tenant's own": func(t *testing.T, s Store) {
		withRealms(t, s)
		none, first, second := member("1", "", "Alice"), member("2", "t1", "alice"), member("3", "t2", "alice")
		for _, a := range []core.Account{none, first, second} {
			must(t, s.CreateAccount(t.Context(), a, at(1, core.ActionAccountCreated)))
		}
		for _, want := range []core.Account{none, first, second} {
			got := get[core.Account](t)(s.AccountByTenantLogin(t.Context(), realm, want.Tenant, "alice"))
			wantSame(t, fmt.Sprintf("AccountByTenantLogin(%q)", want.Tenant), got, want)
		}
		for _, absent := range []core.TenantID{"T1", "t3", "\x1f", " "} {
			_, err := s.AccountByTenantLogin(t.Context(), realm, absent, "alice")
			wantKind(t, fmt.Sprintf("AccountByTenantLogin(%q)", absent), err, core.NotFound)
		}
		_, err := s.AccountByTenantLogin(t.Context(), realm, "t1", "Alice")
		wantKind(t, "AccountByTenantLogin(not canonical)", err, core.NotFound)
		_, err = s.AccountByTenantLogin(t.Context(), other, "t1", "alice")
		wantKind(t, "AccountByTenantLogin(another realm)", err, core.NotFound)
		wantKind(t, "CreateAccount(taken)", s.CreateAccount(t.Context(), member("4", "t1", "ALICE"), at(1, core.ActionAccountCreated)), core.Conflict)
		wantKind(t, "CreateAccount(taken id)", s.CreateAccount(t.Context(), member("1", "t1", "bob"), at(1, core.ActionAccountCreated)), core.Conflict)
	},
	"a login name alone must mean one account": func(t *testing.T, s Store) {
		withRealms(t, s)
		only := member("1", "t1", "alice")
		must(t, s.CreateAccount(t.Context(), only, at(1, core.ActionAccountCreated)))
		wantSame(t, "AccountByLogin()", get[core.Account](t)(s.AccountByLogin(t.Context(), realm, "alice")), only)
		for i, tenant := range []string{"t2", "t3"} {
			must(t, s.CreateAccount(t.Context(), member(fmt.Sprint("more", i), tenant, "alice"), at(1, core.ActionAccountCreated)))
			got, err := s.AccountByLogin(t.Context(), realm, "alice")
			wantKind(t, "AccountByLogin(several)", err, core.Conflict)
			wantSame(t, "what comes with it", got, core.Account{})
		}
		none := member("none", "", "alice")
		must(t, s.CreateAccount(t.Context(), none, at(1, core.ActionAccountCreated)))
		got, err := s.AccountByLogin(t.Context(), realm, "alice")
		wantKind(t, "AccountByLogin(several, one without a tenant)", err, core.Conflict)
		wantSame(t, "what comes with it", got, none)
	},
	"an account that changes its tenant needs a free name there": func(t *testing.T, s Store) {
		withRealms(t, s)
		must(t, s.CreateAccount(t.Context(), member("1", "t1", "alice"), at(1, core.ActionAccountCreated)))
		must(t, s.CreateAccount(t.Context(), member("2", "t2", "alice"), at(1, core.ActionAccountCreated)))
		move := func(to core.TenantID) error {
			return s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
				a.Tenant = to
				return at(2, core.ActionAccountChanged), nil
			})
		}
		wantKind(t, "UpdateAccount(taken there)", move("t2"), core.Conflict)
		must(t, move("t3"))
		if got := get[core.Account](t)(s.AccountByTenantLogin(t.Context(), realm, "t3", "alice")); got.ID != "1" {
			t.Errorf("account %s is there, want 1", got.ID)
		}
	},
	"lists of accounts go on within one name": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i := range 7 {
			must(t, s.CreateAccount(t.Context(), member(fmt.Sprint(i), fmt.Sprint("t", 9-i), "alice"), at(i, core.ActionAccountCreated)))
		}
		must(t, s.CreateAccount(t.Context(), member("0a", "t1", "bob"), at(1, core.ActionAccountCreated)))
		var got []core.AccountID
		for after := (core.AccountCursor{}); ; {
			page := get[[]core.Account](t)(s.AccountList(t.Context(), realm, after, 2))
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				got = append(got, a.ID)
				after = core.AccountCursor{Login: core.CanonicalLogin(a.Login), ID: a.ID}
			}
		}
		wantSame(t, "ids", got, []core.AccountID{"0", "1", "2", "3", "4", "5", "6", "0a"})
	},
	"of 100 parallel creations of one login in a tenant one succeeds": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		errs := parallel(100, func(i int) error {
			return []Store{s, second}[i%2].CreateAccount(t.Context(), member(fmt.Sprint(i), fmt.Sprint("t", i%4), "alice"), at(i, core.ActionAccountCreated))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 4, core.Conflict: 96})
	},
}
