package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func withKey(t *testing.T, s Store, id, owner, identifier string) core.AccessKey {
	t.Helper()
	k := accessKey(id, owner, identifier)
	must(t, s.CreateAccessKey(t.Context(), k, at(0, core.ActionKeyCreated)))
	return k
}

var accessKeyTests = map[string]func(*testing.T, Store){
	"what is created is returned": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		want := withKey(t, s, "k1", "1", "AK-1")
		wantSame(t, "AccessKey()", get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, "k1")), want)
		wantSame(t, "AccessKeyByIdentifier()", get[core.AccessKey](t)(s.AccessKeyByIdentifier(t.Context(), realm, "AK-1")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionKeyCreated})
	},
	"zero values are returned as zero": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := core.AccessKey{ID: "k", Realm: realm, Account: "1", Identifier: "i"}
		must(t, s.CreateAccessKey(t.Context(), want, at(0, core.ActionKeyCreated)))
		wantSame(t, "AccessKey()", get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, "k")), want)
	},
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withKey(t, s, "k1", "1", "AK-1")
		_, err := s.AccessKey(t.Context(), realm, "k2")
		wantKind(t, "AccessKey(another id)", err, core.NotFound)
		_, err = s.AccessKey(t.Context(), other, "k1")
		wantKind(t, "AccessKey(another realm)", err, core.NotFound)
		_, err = s.AccessKeyByIdentifier(t.Context(), other, "AK-1")
		wantKind(t, "AccessKeyByIdentifier(another realm)", err, core.NotFound)
		err = s.UpdateAccessKey(t.Context(), realm, "k2", func(*core.AccessKey) (core.Event, error) { return core.Event{}, nil })
		wantKind(t, "UpdateAccessKey()", err, core.NotFound)
		err = s.CreateAccessKey(t.Context(), accessKey("k2", "nobody", "AK-2"), at(0, core.ActionKeyCreated))
		wantKind(t, "CreateAccessKey(no account)", err, core.NotFound)
		foreign := accessKey("k3", "1", "AK-3")
		foreign.Realm = other
		err = s.CreateAccessKey(t.Context(), foreign, at(0, core.ActionKeyCreated))
		wantKind(t, "CreateAccessKey(account of another realm)", err, core.NotFound)
	},
	"identifiers are exact": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i, identifier := range []string{"AK", "ak", "Ak", "AK ", " AK", "ＡＫ", "AK%", "A_"} {
			withKey(t, s, fmt.Sprint(i), "1", identifier)
			got := get[core.AccessKey](t)(s.AccessKeyByIdentifier(t.Context(), realm, identifier))
			if got.ID != core.KeyID(fmt.Sprint(i)) {
				t.Errorf("%q found key %s, want %d", identifier, got.ID, i)
			}
		}
		for _, identifier := range []string{"aK", "AK  ", "A", "A%", "%", ""} {
			_, err := s.AccessKeyByIdentifier(t.Context(), realm, identifier)
			wantKind(t, fmt.Sprintf("AccessKeyByIdentifier(%q)", identifier), err, core.NotFound)
		}
	},
	"a taken identifier or id is Conflict and leaves no event": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := withKey(t, s, "k1", "1", "AK-1")
		withKey(t, s, "k2", "1", "AK-2")
		before := last(t, s)
		wantKind(t, "CreateAccessKey(identifier)", s.CreateAccessKey(t.Context(), accessKey("k3", "1", "AK-1"), at(1, core.ActionKeyCreated)), core.Conflict)
		wantKind(t, "CreateAccessKey(id)", s.CreateAccessKey(t.Context(), accessKey("k1", "1", "AK-3"), at(1, core.ActionKeyCreated)), core.Conflict)
		wantKind(t, "UpdateAccessKey(identifier)", s.UpdateAccessKey(t.Context(), realm, "k2", func(k *core.AccessKey) (core.Event, error) {
			k.Identifier = "AK-1"
			return at(2, core.ActionKeyChanged), nil
		}), core.Conflict)
		wantSame(t, "events", journal(t, s, before), nil)
		wantSame(t, "AccessKey()", get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, "k1")), want)
	},
	"an update saves what change edits, but realm, id and version": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		old := withKey(t, s, "k1", "1", "AK-1")
		before := last(t, s)
		want := core.AccessKey{ID: "k1", Realm: realm, Account: "2", Identifier: "AK-9", SecretDigest: core.NewSecret("new").Digest(), Name: "N",
			Attributes: core.Attributes{"x": false}, State: core.KeyStateRevoked, CreatedAt: start, UpdatedAt: start.Add(time.Hour), TokensFrom: start.Add(2 * time.Hour), Version: 2}
		must(t, s.UpdateAccessKey(t.Context(), realm, "k1", func(k *core.AccessKey) (core.Event, error) {
			wantSame(t, "the key given to change", *k, old)
			*k = want
			k.ID, k.Realm, k.Version = "k9", other, 77
			return at(5, core.ActionKeyRevoked), nil
		}))
		wantSame(t, "AccessKey()", get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, "k1")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionKeyRevoked})
	},
	"the error of change undoes the update and is returned as it is": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := withKey(t, s, "k1", "1", "AK-1")
		before := last(t, s)
		err := s.UpdateAccessKey(t.Context(), realm, "k1", func(k *core.AccessKey) (core.Event, error) {
			k.State = core.KeyStateRevoked
			return at(1, core.ActionKeyRevoked), errChange
		})
		if err != errChange { //nolint:errorlint // the very error is promised
			t.Errorf("UpdateAccessKey() = %v, want %v itself", err, errChange)
		}
		wantSame(t, "AccessKey()", get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, "k1")), want)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"of 50 parallel changes none is lost": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withKey(t, s, "k1", "1", "AK-1")
		errs := parallel(50, func(i int) error {
			return []Store{s, second}[i%2].UpdateAccessKey(t.Context(), realm, "k1", func(k *core.AccessKey) (core.Event, error) {
				k.Name += "x"
				return at(i, core.ActionKeyChanged), nil
			})
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 50})
		got := get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, "k1"))
		if grown := len(got.Name) - len("Name of AK-1"); grown != 50 || got.Version != 51 {
			t.Errorf("%d changes, version %d; want 50 and 51", grown, got.Version)
		}
	},
	"lists are in order of identifier and paged": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i, identifier := range []string{"b", "B", "a", "é", "-", "10", "9"} {
			withKey(t, s, fmt.Sprint(i), "1", identifier)
		}
		want := []string{"-", "10", "9", "B", "a", "b", "é"}
		for _, limit := range []int{1, 2, 100} {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				page := get[[]core.AccessKey](t)(s.AccessKeyList(t.Context(), realm, after, limit))
				if len(page) > limit {
					t.Fatalf("AccessKeyList(limit %d) returned %d", limit, len(page))
				}
				if len(page) == 0 {
					break
				}
				for _, k := range page {
					got = append(got, k.Identifier)
				}
			}
			wantSame(t, fmt.Sprint("identifiers by ", limit), got, want)
		}
		wantSame(t, "limit 0", get[[]core.AccessKey](t)(s.AccessKeyList(t.Context(), realm, "", 0)), nil)
		wantSame(t, "another realm", get[[]core.AccessKey](t)(s.AccessKeyList(t.Context(), other, "", 10)), nil)
	},
}
