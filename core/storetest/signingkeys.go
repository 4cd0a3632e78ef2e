package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func signingKey(id, dialect, algorithm string, created time.Time) core.SigningKey {
	return core.SigningKey{ID: id, Realm: realm, Dialect: dialect, Algorithm: algorithm, Sealed: []byte{0, 1, 255, 0, 'x'}, CreatedAt: created}
}

var signingKeyTests = map[string]func(*testing.T, Store){
	"the first key is stored, and returned to whoever comes later": func(t *testing.T, s Store) {
		want := signingKey("1", "d", "ES256", start)
		wantSame(t, "AddFirstSigningKey()", get[core.SigningKey](t)(s.AddFirstSigningKey(t.Context(), want)), want)
		again := get[core.SigningKey](t)(s.AddFirstSigningKey(t.Context(), signingKey("2", "d", "ES256", start.Add(time.Hour))))
		wantSame(t, "AddFirstSigningKey(again)", again, want)
		wantSame(t, "SigningKeys()", get[[]core.SigningKey](t)(s.SigningKeys(t.Context(), realm, "d")), []core.SigningKey{want})
	},
	"another algorithm, dialect or realm has keys of its own, newest first": func(t *testing.T, s Store) {
		es := signingKey("1", "d", "ES256", start)
		ed := signingKey("2", "d", "EdDSA", start.Add(time.Microsecond))
		hs := signingKey("3", "d", "HS256", start.Add(-time.Hour))
		elsewhere := signingKey("4", "e", "ES256", start)
		foreign := signingKey("5", "d", "ES256", start)
		foreign.Realm = other
		for _, key := range []core.SigningKey{es, ed, hs, elsewhere, foreign} {
			wantSame(t, "AddFirstSigningKey()", get[core.SigningKey](t)(s.AddFirstSigningKey(t.Context(), key)), key)
		}
		wantSame(t, "SigningKeys()", get[[]core.SigningKey](t)(s.SigningKeys(t.Context(), realm, "d")), []core.SigningKey{ed, es, hs})
		wantSame(t, "SigningKeys(another dialect)", get[[]core.SigningKey](t)(s.SigningKeys(t.Context(), realm, "e")), []core.SigningKey{elsewhere})
		wantSame(t, "SigningKeys(another realm)", get[[]core.SigningKey](t)(s.SigningKeys(t.Context(), other, "d")), []core.SigningKey{foreign})
		wantSame(t, "SigningKeys(none)", get[[]core.SigningKey](t)(s.SigningKeys(t.Context(), realm, "D")), nil)
	},
	"a taken id is Conflict": func(t *testing.T, s Store) {
		get[core.SigningKey](t)(s.AddFirstSigningKey(t.Context(), signingKey("1", "d", "ES256", start)))
		_, err := s.AddFirstSigningKey(t.Context(), signingKey("1", "e", "ES256", start))
		wantKind(t, "AddFirstSigningKey()", err, core.Conflict)
	},
	"any key is one of the stored, or NotFound": func(t *testing.T, s Store) {
		_, err := s.AnySigningKey(t.Context())
		wantKind(t, "AnySigningKey()", err, core.NotFound)
		want := signingKey("1", "d", "ES256", start)
		get[core.SigningKey](t)(s.AddFirstSigningKey(t.Context(), want))
		wantSame(t, "AnySigningKey()", get[core.SigningKey](t)(s.AnySigningKey(t.Context())), want)
	},
	"of replicas that start at once all end with the same key": func(t *testing.T, s Store) {
		second := reopen(t, s)
		for round := range 5 {
			dialect := fmt.Sprint("d", round)
			got := make([]core.SigningKey, 50)
			errs := parallel(len(got), func(i int) (err error) {
				got[i], err = []Store{s, second}[i%2].AddFirstSigningKey(t.Context(), signingKey(fmt.Sprint(round, "-", i), dialect, "ES256", start.Add(time.Duration(i))))
				return err
			})
			wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": len(got)})
			stored := get[[]core.SigningKey](t)(s.SigningKeys(t.Context(), realm, dialect))
			if len(stored) != 1 {
				t.Fatalf("%d keys are stored, want 1", len(stored))
			}
			for _, key := range got {
				wantSame(t, "AddFirstSigningKey()", key, stored[0])
			}
		}
	},
}
