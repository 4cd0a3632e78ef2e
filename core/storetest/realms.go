package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

var realmTests = map[string]func(*testing.T, Store){
	"what is put is returned": func(t *testing.T, s Store) {
		want := core.RealmInfo{Name: realm, CreatedAt: start, Attributes: map[string]core.AttributeType{
			"a": core.StringAttribute, "b": core.ListAttribute, "quote\"'\U0001F600": core.NumberAttribute}}
		must(t, s.PutRealm(t.Context(), want, at(1, core.ActionRealmChanged)))
		got := get[core.RealmInfo](t)(s.Realm(t.Context(), realm))
		wantSame(t, "Realm()", got, want)
		events := get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, 10))
		if len(events) != 1 {
			t.Fatalf("got %d events, want 1", len(events))
		}
		wantSame(t, "the event", events[0].Event, at(1, core.ActionRealmChanged))
	},
	"a realm that is not there is NotFound": func(t *testing.T, s Store) {
		_, err := s.Realm(t.Context(), "nowhere")
		wantKind(t, "Realm()", err, core.NotFound)
	},
	"putting again replaces what is declared, not the creation": func(t *testing.T, s Store) {
		first := core.RealmInfo{Name: realm, CreatedAt: start, Attributes: map[string]core.AttributeType{"a": core.StringAttribute}}
		second := core.RealmInfo{Name: realm, CreatedAt: start.Add(time.Hour), Attributes: map[string]core.AttributeType{"b": core.BooleanAttribute}}
		must(t, s.PutRealm(t.Context(), first, at(1, core.ActionRealmChanged)))
		must(t, s.PutRealm(t.Context(), second, at(2, core.ActionRealmChanged)))
		want := second
		want.CreatedAt = start
		wantSame(t, "Realm()", get[core.RealmInfo](t)(s.Realm(t.Context(), realm)), want)
	},
	"realms are listed by name": func(t *testing.T, s Store) {
		for _, name := range []core.Realm{"b", "a-b", "a", "0", "ab"} {
			must(t, s.PutRealm(t.Context(), core.RealmInfo{Name: name, CreatedAt: start}, at(1, core.ActionRealmChanged)))
		}
		var got []core.Realm
		for _, r := range get[[]core.RealmInfo](t)(s.Realms(t.Context())) {
			got = append(got, r.Name)
		}
		wantSame(t, "Realms()", got, []core.Realm{"0", "a", "a-b", "ab", "b"})
	},
	"many at once are all kept": func(t *testing.T, s Store) {
		errs := parallel(50, func(i int) error {
			return s.PutRealm(t.Context(), core.RealmInfo{Name: core.Realm(fmt.Sprint("r", i)), CreatedAt: start}, at(i, core.ActionRealmChanged))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 50})
		if got := len(get[[]core.RealmInfo](t)(s.Realms(t.Context()))); got != 50 {
			t.Errorf("got %d realms, want 50", got)
		}
	},
}
