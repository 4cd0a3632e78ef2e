package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// rotate replaces a refresh token by one of another id.
func rotate(s Store, t *testing.T, old, id string) error {
	return s.RotateToken(t.Context(), realm, core.NewSecret(old).Digest(), start.Add(time.Minute),
		[]core.StoredToken{token("", id, core.UseRefresh), token("", id+" access", core.UseAccess)}, at(7, core.ActionTokenRefreshed))
}

var tokenTests = map[string]func(*testing.T, Store){
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		before := last(t, s)
		wantNoToken(t, s, "S1-access")
		_, _, err := s.Token(t.Context(), other, core.NewSecret("s1-access").Digest())
		wantKind(t, "Token(another realm)", err, core.NotFound)
		wantKind(t, "RotateToken()", rotate(s, t, "guess", "x"), core.NotFound)
		wantNoToken(t, s, "x")
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"the same digest is free in another realm": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		foreign, elsewhere := account("1", "alice"), session("s2", "")
		foreign.Realm, elsewhere.Realm = other, other
		must(t, s.CreateAccount(t.Context(), foreign, at(1, core.ActionAccountCreated)))
		same := token("s2", "s1-access", core.UseAccess)
		must(t, s.OpenSession(t.Context(), core.Opening{Session: elsewhere, Tokens: []core.StoredToken{same}, Event: at(1, core.ActionExchange)}))
		got, of, err := s.Token(t.Context(), other, same.Digest)
		must(t, err)
		wantSame(t, "Token()", got, same)
		wantSame(t, "the session of Token()", of, elsewhere)
		wantSame(t, "Token(here)", stored(t, s, "s1-access"), token("s1", "s1-access", core.UseAccess))
	},
	"adding tokens moves the session's SeenAt": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := withSession(t, s, "s1", "slot")
		get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1"))
		before := last(t, s)
		added := token("whatever", "more", core.UseAccess)
		must(t, s.AddTokens(t.Context(), realm, "s1", start.Add(time.Minute), []core.StoredToken{added}, 9, at(1, core.ActionTokenExtended)))
		want.SeenAt, added.Session = start.Add(time.Minute), "s1"
		wantSame(t, "Token()", stored(t, s, "more"), added)
		wantSame(t, "Token(older)", stored(t, s, "s1-access"), token("s1", "s1-access", core.UseAccess))
		wantSame(t, "RecentSession()", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionTokenExtended})
	},
	"adding tokens can end the session's other access tokens": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		withSession(t, s, "s2", "")
		endless, over := token("s1", "endless", core.UseAccess), token("s1", "over", core.UseAccess)
		endless.ExpiresAt, over.ExpiresAt = time.Time{}, start.Add(time.Second)
		must(t, s.AddTokens(t.Context(), realm, "s1", start, []core.StoredToken{endless, over}, 9, at(1, core.ActionTokenExtended)))
		now := start.Add(10 * time.Second)
		must(t, s.AddTokens(t.Context(), realm, "s1", now, []core.StoredToken{token("s1", "new", core.UseAccess)}, 0, at(1, core.ActionTokenExtended)))
		for id, want := range map[string]time.Time{
			"s1-access": now, "endless": now, "over": start.Add(time.Second),
			"new": start.Add(time.Minute), "s1-refresh": start.Add(time.Minute), "s2-access": start.Add(time.Minute),
		} {
			if got := stored(t, s, id).ExpiresAt; !got.Equal(want) {
				t.Errorf("%s expires at %v, want %v", id, got, want)
			}
		}
	},
	"adding tokens ends the oldest of too many": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		withSession(t, s, "s2", "")
		var tokens []core.StoredToken
		for i, id := range []string{"newest", "second", "third", "over"} {
			one := token("s1", id, core.UseAccess)
			one.IssuedAt = start.Add(time.Duration(10-i) * time.Second)
			tokens = append(tokens, one)
		}
		endless, over := &tokens[2], &tokens[3]
		endless.ExpiresAt, over.IssuedAt, over.ExpiresAt = time.Time{}, start.Add(20*time.Second), start.Add(time.Second)
		must(t, s.AddTokens(t.Context(), realm, "s1", start, tokens, 9, at(1, core.ActionTokenExtended)))
		now := start.Add(30 * time.Second)
		must(t, s.AddTokens(t.Context(), realm, "s1", now, []core.StoredToken{token("s1", "new", core.UseAccess)}, 2, at(1, core.ActionTokenExtended)))
		for id, want := range map[string]time.Time{
			"newest": start.Add(time.Minute), "second": start.Add(time.Minute), "third": now, "s1-access": now, "over": start.Add(time.Second),
			"new": start.Add(time.Minute), "s1-refresh": start.Add(time.Minute), "s2-access": start.Add(time.Minute),
		} {
			if got := stored(t, s, id).ExpiresAt; !got.Equal(want) {
				t.Errorf("%s expires at %v, want %v", id, got, want)
			}
		}
	},
	"what has ended takes no more tokens": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		must(t, s.EndSession(t.Context(), realm, "s1", start, "", at(1, core.ActionSessionEnded)))
		before := last(t, s)
		for _, id := range []core.SessionID{"s1", "nothing"} {
			err := s.AddTokens(t.Context(), realm, id, start, []core.StoredToken{token("", "x", core.UseAccess)}, 0, at(1, core.ActionTokenExtended))
			wantKind(t, "AddTokens()", err, core.Conflict)
		}
		wantKind(t, "RotateToken()", rotate(s, t, "s1-refresh", "x"), core.Conflict)
		wantNoToken(t, s, "x")
		wantSame(t, "Token()", stored(t, s, "s1-refresh"), token("s1", "s1-refresh", core.UseRefresh))
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"an access token that holds can be given another end": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		n := withSession(t, s, "s1", "")
		get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1"))
		before := last(t, s)
		prolong := func(id string, now time.Time) error {
			longer := token("s1", id, core.UseAccess)
			longer.IssuedAt, longer.ExpiresAt, longer.ID, longer.Sealed = now, now.Add(time.Minute), "", nil
			return s.ProlongToken(t.Context(), realm, longer, now, at(1, core.ActionTokenExtended))
		}
		now := start.Add(59 * time.Second)
		must(t, prolong("s1-access", now))
		want := token("s1", "s1-access", core.UseAccess)
		want.ExpiresAt = now.Add(time.Minute)
		wantSame(t, "Token()", stored(t, s, "s1-access"), want)
		n.SeenAt = now
		wantSame(t, "RecentSession()", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), n)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionTokenExtended})

		before = last(t, s)
		wantKind(t, "ProlongToken(a refresh token)", prolong("s1-refresh", start), core.Conflict)
		wantKind(t, "ProlongToken(nothing)", prolong("nothing", start), core.Conflict)
		wantKind(t, "ProlongToken(what is over)", prolong("s1-access", want.ExpiresAt), core.Conflict)
		must(t, s.EndSession(t.Context(), realm, "s1", now, "", at(1, core.ActionSessionEnded)))
		wantKind(t, "ProlongToken(of an ended session)", prolong("s1-access", now), core.Conflict)
		wantSame(t, "Token(after that)", stored(t, s, "s1-access"), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionSessionEnded})
	},
	"a refresh token is replaced once": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		n := withSession(t, s, "s1", "slot")
		get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1"))
		before := last(t, s)
		must(t, rotate(s, t, "s1-refresh", "new"))
		want := token("s1", "s1-refresh", core.UseRefresh)
		want.ReplacedAt = start.Add(time.Minute)
		wantSame(t, "Token(old)", stored(t, s, "s1-refresh"), want)
		wantSame(t, "Token(new)", stored(t, s, "new"), token("s1", "new", core.UseRefresh))
		wantSame(t, "Token(new access)", stored(t, s, "new access"), token("s1", "new access", core.UseAccess))
		n.SeenAt = start.Add(time.Minute)
		wantSame(t, "RecentSession()", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), n)
		wantKind(t, "RotateToken(again)", rotate(s, t, "s1-refresh", "x"), core.Conflict)
		wantKind(t, "RotateToken(an access token)", rotate(s, t, "s1-access", "x"), core.Conflict)
		wantKind(t, "RotateToken(taken digest)", rotate(s, t, "new", "s1-access"), core.Conflict)
		wantNoToken(t, s, "x")
		wantSame(t, "Token(new)", stored(t, s, "new"), token("s1", "new", core.UseRefresh))
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionTokenRefreshed})
	},
	"of 100 parallel rotations one succeeds": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		old := "s1-refresh"
		for round := range 5 {
			before := last(t, s)
			errs := parallel(100, func(i int) error {
				return rotate([]Store{s, second}[i%2], t, old, fmt.Sprint(round, "-", i))
			})
			wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 1, core.Conflict: 99})
			wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionTokenRefreshed})
			for i, err := range errs {
				if err == nil {
					old = fmt.Sprint(round, "-", i)
					continue
				}
				wantNoToken(t, s, fmt.Sprint(round, "-", i))
			}
		}
	},
	"an end while tokens are rotated is the end": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for round := range 10 {
			id := fmt.Sprint("s", round)
			n := withSession(t, s, id, "")
			errs := parallel(20, func(i int) error {
				if i == 10 {
					return s.EndSession(t.Context(), realm, n.ID, start.Add(time.Minute), core.RefreshReused, at(i, core.ActionRefreshReused))
				}
				return rotate([]Store{s, second}[i%2], t, id+"-refresh", fmt.Sprint(round, "-", i))
			})
			wantKind(t, "EndSession()", errs[10], "")
			count := kinds(errs)
			if count[""] > 2 || count[""]+count[core.Conflict] != 20 {
				t.Errorf("errors %v, want at most one rotation", count)
			}
			for i := range 20 {
				_, of, err := s.Token(t.Context(), realm, core.NewSecret(fmt.Sprint(round, "-", i)).Digest())
				if i != 10 && (err == nil) != (errs[i] == nil) {
					t.Errorf("rotation %d: %v, but its token: %v", i, errs[i], err)
				}
				if err == nil && of.EndedAt.IsZero() {
					t.Errorf("rotation %d has left a token that lives", i)
				}
			}
		}
	},
	"a purge takes what was over before, with its tokens": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := start.Add(time.Hour)
		open := func(id string, change func(*core.Session, *core.StoredToken)) {
			n, access := session(id, ""), token(id, id, core.UseAccess)
			n.Idle, n.ExpiresAt, access.ExpiresAt = 0, time.Time{}, time.Time{}
			change(&n, &access)
			must(t, s.OpenSession(t.Context(), core.Opening{Session: n, Tokens: []core.StoredToken{access}, Event: at(1, core.ActionExchange)}))
		}
		open("endless", func(*core.Session, *core.StoredToken) {})
		open("over", func(n *core.Session, _ *core.StoredToken) { n.ExpiresAt = before.Add(-time.Microsecond) })
		open("just over", func(n *core.Session, _ *core.StoredToken) { n.ExpiresAt = before })
		open("unused", func(n *core.Session, _ *core.StoredToken) {
			n.Idle, n.SeenAt = time.Minute, before.Add(-time.Minute-time.Microsecond)
		})
		open("just unused", func(n *core.Session, _ *core.StoredToken) { n.Idle, n.SeenAt = time.Minute, before.Add(-time.Minute) })
		open("ended", func(n *core.Session, _ *core.StoredToken) { n.ExpiresAt = before.Add(time.Hour) })
		must(t, s.EndSession(t.Context(), realm, "ended", before.Add(-time.Microsecond), "", at(1, core.ActionSessionEnded)))
		open("just ended", func(*core.Session, *core.StoredToken) {})
		must(t, s.EndSession(t.Context(), realm, "just ended", before, "", at(1, core.ActionSessionEnded)))
		open("with an expired token", func(_ *core.Session, access *core.StoredToken) { access.ExpiresAt = before.Add(-time.Microsecond) })
		open("with one just expired", func(_ *core.Session, access *core.StoredToken) { access.ExpiresAt = before })

		if removed := get[int](t)(s.PurgeSessions(t.Context(), before, 100)); removed != 4 {
			t.Errorf("%d were removed, want 4", removed)
		}
		for id, want := range map[string]struct{ session, token core.Kind }{
			"endless": {}, "just over": {}, "just unused": {}, "just ended": {}, "with one just expired": {},
			"over": {core.NotFound, core.NotFound}, "unused": {core.NotFound, core.NotFound}, "ended": {core.NotFound, core.NotFound},
			"with an expired token": {"", core.NotFound},
		} {
			_, err := s.Session(t.Context(), realm, core.SessionID(id))
			wantKind(t, "Session("+id+")", err, want.session)
			_, _, err = s.Token(t.Context(), realm, core.NewSecret(id).Digest())
			wantKind(t, "Token("+id+")", err, want.token)
		}
	},
	"a purge takes no more than its limit": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i := range 7 {
			withSession(t, s, fmt.Sprint(i), "")
			if i%2 == 0 {
				must(t, s.EndSession(t.Context(), realm, core.SessionID(fmt.Sprint(i)), start, "", at(1, core.ActionSessionEnded)))
			}
		}
		var removed []int
		for len(removed) < 10 && (len(removed) == 0 || removed[len(removed)-1] == 3) {
			removed = append(removed, get[int](t)(s.PurgeSessions(t.Context(), start.Add(48*time.Hour), 3)))
		}
		wantSame(t, "removed", removed, []int{3, 3, 1})
		if got := get[int](t)(s.PurgeSessions(t.Context(), start.Add(48*time.Hour), 0)); got != 0 {
			t.Errorf("a limit of 0 removed %d", got)
		}
		for i := range 7 {
			wantNoToken(t, s, fmt.Sprint(i, "-access"))
		}
	},
}
