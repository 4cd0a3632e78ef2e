package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// factor returns a second factor with every field set.
func factor(owner string) core.Factor {
	return core.Factor{
		Realm: realm, Account: core.AccountID(owner), Sealed: []byte{0, 1, 255, 0, 'x'}, LastStep: 1 << 40,
		Recovery: []core.Digest{core.NewSecret("a").Digest(), core.NewSecret("b").Digest(), {}}, EnrolledAt: start, Version: 1,
	}
}

func withFactor(t *testing.T, s Store, owner string) core.Factor {
	t.Helper()
	f := factor(owner)
	must(t, s.PutFactor(t.Context(), f, at(0, core.ActionFactorEnrolled)))
	return f
}

var factorTests = map[string]func(*testing.T, Store){
	"what is put is returned": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		before := last(t, s)
		want := withFactor(t, s, "1")
		wantSame(t, "Factor()", get[core.Factor](t)(s.Factor(t.Context(), realm, "1")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionFactorEnrolled})
		bare := core.Factor{Realm: realm, Account: "2"}
		must(t, s.PutFactor(t.Context(), bare, at(1, core.ActionFactorEnrolled)))
		wantSame(t, "Factor(zero values)", get[core.Factor](t)(s.Factor(t.Context(), realm, "2")), bare)
	},
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		withFactor(t, s, "1")
		before := last(t, s)
		for _, place := range []struct {
			realm   core.Realm
			account core.AccountID
		}{{realm, "2"}, {other, "1"}} {
			_, err := s.Factor(t.Context(), place.realm, place.account)
			wantKind(t, "Factor()", err, core.NotFound)
			err = s.UpdateFactor(t.Context(), place.realm, place.account, func(*core.Factor) (core.Event, error) {
				t.Error("change was called")
				return core.Event{}, nil
			})
			wantKind(t, "UpdateFactor()", err, core.NotFound)
			wantKind(t, "DeleteFactor()", s.DeleteFactor(t.Context(), place.realm, place.account, at(1, core.ActionFactorRemoved)), core.NotFound)
		}
		wantKind(t, "PutFactor(no account)", s.PutFactor(t.Context(), factor("nobody"), at(1, core.ActionFactorEnrolled)), core.NotFound)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"a newer factor takes the older one's place": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withFactor(t, s, "1")
		want := core.Factor{Realm: realm, Account: "1", Sealed: []byte("new"), LastStep: 7, EnrolledAt: start.Add(time.Hour), Version: 1}
		must(t, s.PutFactor(t.Context(), want, at(1, core.ActionFactorEnrolled)))
		want.Version = 2
		wantSame(t, "Factor()", get[core.Factor](t)(s.Factor(t.Context(), realm, "1")), want)
	},
	"a factor that is deleted is gone": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withFactor(t, s, "1")
		before := last(t, s)
		must(t, s.DeleteFactor(t.Context(), realm, "1", at(1, core.ActionFactorRemoved)))
		_, err := s.Factor(t.Context(), realm, "1")
		wantKind(t, "Factor()", err, core.NotFound)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionFactorRemoved})
		withFactor(t, s, "1")
	},
	"an update saves what change edits, but realm, account and version": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		old := withFactor(t, s, "1")
		before := last(t, s)
		want := core.Factor{Realm: realm, Account: "1", Sealed: []byte("new"), LastStep: -1, Recovery: old.Recovery[1:2], EnrolledAt: start.Add(time.Hour), Version: 2}
		must(t, s.UpdateFactor(t.Context(), realm, "1", func(f *core.Factor) (core.Event, error) {
			wantSame(t, "the factor given to change", *f, old)
			*f = want
			f.Realm, f.Account, f.Version = other, "2", 77
			return at(5, core.ActionFactorUsed), nil
		}))
		wantSame(t, "Factor()", get[core.Factor](t)(s.Factor(t.Context(), realm, "1")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionFactorUsed})
	},
	"the error of change undoes the update and is returned as it is": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := withFactor(t, s, "1")
		before := last(t, s)
		err := s.UpdateFactor(t.Context(), realm, "1", func(f *core.Factor) (core.Event, error) {
			f.LastStep++
			f.Recovery[0], f.Sealed[0] = core.Digest{}, 9
			return at(1, core.ActionFactorUsed), errChange
		})
		if err != errChange { //nolint:errorlint // the very error is promised
			t.Errorf("UpdateFactor() = %v, want %v itself", err, errChange)
		}
		wantSame(t, "Factor()", get[core.Factor](t)(s.Factor(t.Context(), realm, "1")), want)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"of 100 parallel uses of a recovery code one succeeds": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		f := withFactor(t, s, "1")
		errs := parallel(100, func(i int) error {
			return []Store{s, second}[i%2].UpdateFactor(t.Context(), realm, "1", func(f *core.Factor) (core.Event, error) {
				if f.Recovery[0] != core.NewSecret("a").Digest() {
					return core.Event{}, &core.Error{Kind: core.BadOTP}
				}
				f.Recovery = f.Recovery[1:]
				return at(i, core.ActionFactorUsed), nil
			})
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 1, core.BadOTP: 99})
		if got := get[core.Factor](t)(s.Factor(t.Context(), realm, "1")).Recovery; !slices.Equal(got, f.Recovery[1:]) {
			t.Errorf("%d recovery codes are left, want 2", len(got))
		}
	},
	"every secret and number": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i, sealed := range [][]byte{nil, {}, {0}, []byte("'; drop table factors; --"), slices.Repeat([]byte{0xff, 0}, 5_000)} {
			want := core.Factor{Realm: realm, Account: "1", Sealed: sealed, LastStep: []int64{0, -1, 1 << 62, -1 << 62, 1}[i], Version: int64(i + 1)}
			for n := range i * 3 {
				want.Recovery = append(want.Recovery, core.NewSecret(fmt.Sprint(n)).Digest())
			}
			must(t, s.PutFactor(t.Context(), want, at(i, core.ActionFactorEnrolled)))
			wantSame(t, fmt.Sprint("Factor() ", i), get[core.Factor](t)(s.Factor(t.Context(), realm, "1")), want)
		}
	},
}
