package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

var accountTests = map[string]func(*testing.T, Store){
	"what is created is returned": func(t *testing.T, s Store) {
		withRealms(t, s)
		before := last(t, s)
		want := withAccount(t, s, "1", "Alice")
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
		wantSame(t, "AccountByLogin()", get[core.Account](t)(s.AccountByLogin(t.Context(), realm, "alice")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionAccountCreated})
	},
	"zero values are returned as zero": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := core.Account{ID: "1", Realm: realm, Login: "x"}
		must(t, s.CreateAccount(t.Context(), want, core.Event{Action: core.ActionAccountCreated}))
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
	},
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		_, err := s.Account(t.Context(), realm, "2")
		wantKind(t, "Account(another id)", err, core.NotFound)
		_, err = s.Account(t.Context(), other, "1")
		wantKind(t, "Account(another realm)", err, core.NotFound)
		_, err = s.AccountByLogin(t.Context(), realm, "Alice")
		wantKind(t, "AccountByLogin(not canonical)", err, core.NotFound)
		_, err = s.AccountByLogin(t.Context(), other, "alice")
		wantKind(t, "AccountByLogin(another realm)", err, core.NotFound)
		err = s.UpdateAccount(t.Context(), other, "1", func(*core.Account) (core.Event, error) {
			t.Error("change was called")
			return core.Event{}, nil
		})
		wantKind(t, "UpdateAccount()", err, core.NotFound)
	},
	"an account needs its realm": func(t *testing.T, s Store) {
		err := s.CreateAccount(t.Context(), account("1", "alice"), at(1, core.ActionAccountCreated))
		wantKind(t, "CreateAccount()", err, core.NotFound)
		wantSame(t, "events", journal(t, s, 0), nil)
	},
	"a login without a canonical form is refused": func(t *testing.T, s Store) {
		withRealms(t, s)
		before := last(t, s)
		err := s.CreateAccount(t.Context(), account("1", "a\nb"), at(1, core.ActionAccountCreated))
		wantKind(t, "CreateAccount()", err, core.InvalidRequest)
		withAccount(t, s, "1", "alice")
		err = s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
			a.Login = ""
			return at(2, core.ActionAccountChanged), nil
		})
		wantKind(t, "UpdateAccount()", err, core.InvalidRequest)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionAccountCreated})
	},
	"a taken login or id is Conflict and leaves no event": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		before := last(t, s)
		wantKind(t, "CreateAccount(login)", s.CreateAccount(t.Context(), account("3", "ALICE"), at(1, core.ActionAccountCreated)), core.Conflict)
		wantKind(t, "CreateAccount(id)", s.CreateAccount(t.Context(), account("1", "carol"), at(1, core.ActionAccountCreated)), core.Conflict)
		wantKind(t, "UpdateAccount(login)", s.UpdateAccount(t.Context(), realm, "2", func(a *core.Account) (core.Event, error) {
			a.Login = "aLiCe"
			return at(2, core.ActionAccountChanged), nil
		}), core.Conflict)
		wantSame(t, "events", journal(t, s, before), nil)
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
	},
	"the same login and id are free in another realm": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		elsewhere := account("1", "alice")
		elsewhere.Realm = other
		must(t, s.CreateAccount(t.Context(), elsewhere, at(1, core.ActionAccountCreated)))
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), other, "1")), elsewhere)
	},
	"an update saves what change edits, but realm, id and version": func(t *testing.T, s Store) {
		withRealms(t, s)
		old := withAccount(t, s, "1", "alice")
		before := last(t, s)
		want := core.Account{ID: "1", Realm: realm, Tenant: "t2", Login: "Bob", Hold: core.MustChangeSecret, Email: "b@example.org", Name: "B", Roles: []string{"x"},
			Attributes: core.Attributes{"n": 2.0}, PasswordHash: "new", CreatedAt: start, UpdatedAt: start.Add(time.Hour), TokensFrom: start.Add(time.Minute), Version: 2}
		must(t, s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
			wantSame(t, "the account given to change", *a, old)
			*a = want
			a.ID, a.Realm, a.Version = "9", other, 77
			return at(5, core.ActionAccountChanged), nil
		}))
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
		wantSame(t, "AccountByLogin()", get[core.Account](t)(s.AccountByLogin(t.Context(), realm, "bob")), want)
		_, err := s.AccountByLogin(t.Context(), realm, "alice")
		wantKind(t, "AccountByLogin(old name)", err, core.NotFound)
		events := get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", before, 10))
		wantSame(t, "the event", events[0].Event, at(5, core.ActionAccountChanged))
	},
	"the error of change undoes the update and is returned as it is": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := withAccount(t, s, "1", "alice")
		before := last(t, s)
		for _, own := range []error{errChange, &core.Error{Kind: core.Unavailable}, &core.Error{Kind: core.BadTicket}} {
			err := s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
				a.Name = "changed"
				a.Attributes["text"] = "changed"
				return at(1, core.ActionAccountChanged), own
			})
			if err != own { //nolint:errorlint // the very error is promised
				t.Errorf("UpdateAccount() = %v, want %v itself", err, own)
			}
		}
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"a change that panics undoes the update and harms nobody else": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := withAccount(t, s, "1", "alice")
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("recovered %v, want the panic of change", got)
				}
			}()
			_ = s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
				a.Name = "changed"
				panic("boom")
			})
		}()
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
		withAccount(t, s, "2", "bob")
	},
	"of 50 parallel increments none is lost": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		errs := parallel(50, func(i int) error {
			return s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
				a.Attributes = core.Attributes{"number": a.Attributes["number"].(float64) + 1}
				return at(i, core.ActionAccountChanged), nil
			})
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 50})
		got := get[core.Account](t)(s.Account(t.Context(), realm, "1"))
		if got.Attributes["number"] != 51.5 || got.Version != 51 {
			t.Errorf("number %v, version %d; want 51.5 and 51", got.Attributes["number"], got.Version)
		}
		if n := len(journal(t, s, before)); n != 50 {
			t.Errorf("got %d events, want 50", n)
		}
	},
	"in two handles of 50 parallel increments none is lost": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		errs := parallel(50, func(i int) error {
			return []Store{s, second}[i%2].UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
				a.Attributes = core.Attributes{"number": a.Attributes["number"].(float64) + 1}
				return at(i, core.ActionAccountChanged), nil
			})
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 50})
		if got := get[core.Account](t)(s.Account(t.Context(), realm, "1")); got.Attributes["number"] != 51.5 || got.Version != 51 {
			t.Errorf("number %v, version %d; want 51.5 and 51", got.Attributes["number"], got.Version)
		}
	},
	"of 100 parallel creations of one login one succeeds": func(t *testing.T, s Store) {
		withRealms(t, s)
		before := last(t, s)
		errs := parallel(100, func(i int) error {
			return s.CreateAccount(t.Context(), account(fmt.Sprint(i), "alice"), at(i, core.ActionAccountCreated))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 1, core.Conflict: 99})
		if n := len(journal(t, s, before)); n != 1 {
			t.Errorf("got %d events, want 1", n)
		}
	},
	"lists are in order of canonical login and paged": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, login := range []string{"Zoe", "alice", "Bob", "ß", "bob-2", "ALICE2", "_x", "é", "10", "9"} {
			withAccount(t, s, fmt.Sprint(i), login)
		}
		want := []string{"10", "9", "_x", "alice", "ALICE2", "Bob", "bob-2", "Zoe", "ß", "é"}
		for _, limit := range []int{1, 3, 10, 100} {
			var got []string
			for after := (core.AccountCursor{}); ; {
				page := get[[]core.Account](t)(s.AccountList(t.Context(), realm, after, limit))
				if len(page) > limit {
					t.Fatalf("AccountList(limit %d) returned %d", limit, len(page))
				}
				if len(page) == 0 {
					break
				}
				for _, a := range page {
					got = append(got, a.Login)
				}
				last := page[len(page)-1]
				after = core.AccountCursor{Login: get[core.CanonicalLogin](t)(core.Canonical(last.Login)), ID: last.ID}
			}
			wantSame(t, fmt.Sprint("logins by ", limit), got, want)
		}
		wantSame(t, "limit 0", get[[]core.Account](t)(s.AccountList(t.Context(), realm, core.AccountCursor{}, 0)), nil)
		wantSame(t, "another realm", get[[]core.Account](t)(s.AccountList(t.Context(), other, core.AccountCursor{}, 10)), nil)
	},
	"an account is created with its notices, or not at all": func(t *testing.T, s Store) {
		withRealms(t, s)
		withNotice(t, s, "taken", start.Add(time.Hour))
		before := last(t, s)
		create := func(id string, notices ...core.Notice) error {
			return s.CreateAccount(t.Context(), account(id, "login"+id), at(1, core.ActionAccountRegistered), notices...)
		}
		must(t, create("1", notice("a", start), notice("b", start)))
		wantSame(t, "leased", leased(t, s, start, 10), []string{"a", "b"})
		wantKind(t, "CreateAccount(taken notice)", create("2", notice("c", start), notice("taken", start)), core.Conflict)
		wantKind(t, "CreateAccount(the same notice twice)", create("2", notice("c", start), notice("c", start)), core.Conflict)
		wantKind(t, "CreateAccount(taken id)", create("1", notice("c", start)), core.Conflict)
		_, err := s.Account(t.Context(), realm, "2")
		wantKind(t, "Account()", err, core.NotFound)
		wantSame(t, "leased", leased(t, s, start, 10), nil)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionAccountRegistered})
	},
	"a context that is done is Unavailable": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Account(ctx, realm, "1")
		wantKind(t, "Account()", err, core.Unavailable)
		err = s.CreateAccount(ctx, account("2", "bob"), at(1, core.ActionAccountCreated))
		wantKind(t, "CreateAccount()", err, core.Unavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v does not tell of the context", err)
		}
		if e, ok := errors.AsType[*core.Error](err); ok && (e.RetryAfter < time.Second || e.RetryAfter > 30*time.Second) {
			t.Errorf("RetryAfter is %v, want 1 to 30 s", e.RetryAfter)
		}
		wantSame(t, "events", journal(t, s, before), nil)
	},
}

// reopen opens the store a second time, where there is something to open.
func reopen(t *testing.T, s Store) Store {
	t.Helper()
	if r, ok := s.(Reopener); ok {
		return r.Reopen(t)
	}
	return s // a store in memory is its only handle
}
