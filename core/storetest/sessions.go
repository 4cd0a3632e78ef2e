package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// session returns a session of account "1" with every field set but those of its end.
func session(id, slot string) core.Session {
	return core.Session{
		ID: core.SessionID(id), Realm: realm, Dialect: "dialect", Policy: "access", Account: "1", Key: "k1", Client: "k2", Tenant: "t",
		Methods: []string{"password", "totp"}, Granted: core.Granted{"scope": "a b", "list": []any{"x", 1.5}, "map": map[string]any{"y": true}},
		Slot: slot, Idle: 90*time.Second + time.Microsecond,
		CreatedAt: start, SeenAt: start.Add(time.Microsecond), ExpiresAt: start.Add(time.Hour),
	}
}

// token returns a token with every field set; its digest is that of its id.
func token(session, id string, use core.TokenUse) core.StoredToken {
	return core.StoredToken{
		Digest: core.NewSecret(id).Digest(), Session: core.SessionID(session), Use: use, ID: id,
		IssuedAt: start.Add(time.Microsecond), ExpiresAt: start.Add(time.Minute), Sealed: []byte{0, 1, 255, 0, 'x'},
	}
}

// withSession opens a session with an access token and a refresh token of its own.
func withSession(t *testing.T, s Store, id, slot string) core.Session {
	t.Helper()
	n := session(id, slot)
	must(t, s.OpenSession(t.Context(), core.Opening{Session: n, Tokens: []core.StoredToken{
		token(id, id+"-access", core.UseAccess), token(id, id+"-refresh", core.UseRefresh),
	}, Event: at(0, core.ActionExchange)}))
	return n
}

// ended returns n as it is once it was ended.
func ended(n core.Session, at time.Time, reason core.Kind) core.Session {
	n.Slot, n.EndedAt, n.EndReason = "", at, reason
	return n
}

// stored reads a token that must be there.
func stored(t *testing.T, s Store, id string) core.StoredToken {
	t.Helper()
	found, _, err := s.Token(t.Context(), realm, core.NewSecret(id).Digest())
	must(t, err)
	return found
}

func wantNoToken(t *testing.T, s Store, id string) {
	t.Helper()
	_, _, err := s.Token(t.Context(), realm, core.NewSecret(id).Digest())
	wantKind(t, "Token("+id+")", err, core.NotFound)
}

var sessionTests = map[string]func(*testing.T, Store){
	"what is opened is returned": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		want := withSession(t, s, "s1", "slot")
		wantSame(t, "Session()", get[core.Session](t)(s.Session(t.Context(), realm, "s1")), want)
		wantSame(t, "RecentSession()", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), want)
		for _, token := range []core.StoredToken{token("s1", "s1-access", core.UseAccess), token("s1", "s1-refresh", core.UseRefresh)} {
			got, of, err := s.Token(t.Context(), realm, token.Digest)
			must(t, err)
			wantSame(t, "Token()", got, token)
			wantSame(t, "the session of Token()", of, want)
		}
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionExchange})
	},
	"zero values are returned as zero": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := core.Session{ID: "s1", Realm: realm, Account: "1"}
		bare := core.StoredToken{Digest: core.NewSecret("x").Digest(), Session: "s1"}
		must(t, s.OpenSession(t.Context(), core.Opening{Session: want, Tokens: []core.StoredToken{bare}}))
		got, of, err := s.Token(t.Context(), realm, bare.Digest)
		must(t, err)
		wantSame(t, "Token()", got, bare)
		wantSame(t, "the session of Token()", of, want)
		must(t, s.OpenSession(t.Context(), core.Opening{Session: core.Session{ID: "s2", Realm: realm, Account: "1"}}))
	},
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "slot")
		withSession(t, s, "s2", "")
		before := last(t, s)
		_, err := s.Session(t.Context(), realm, "s3")
		wantKind(t, "Session(another id)", err, core.NotFound)
		_, err = s.Session(t.Context(), other, "s1")
		wantKind(t, "Session(another realm)", err, core.NotFound)
		_, err = s.RecentSession(t.Context(), other, "s1")
		wantKind(t, "RecentSession(another realm)", err, core.NotFound)
		for _, place := range []struct {
			realm core.Realm
			slot  string
		}{{realm, ""}, {realm, "Slot"}, {other, "slot"}} {
			_, _, err = s.SlotSession(t.Context(), place.realm, place.slot)
			wantKind(t, fmt.Sprintf("SlotSession(%s, %q)", place.realm, place.slot), err, core.NotFound)
		}
		wantKind(t, "EndSession()", s.EndSession(t.Context(), other, "s1", start, "", at(1, core.ActionSessionEnded)), core.NotFound)
		homeless := session("s3", "")
		homeless.Account = "nobody"
		wantKind(t, "OpenSession(no account)", s.OpenSession(t.Context(), core.Opening{Session: homeless, Event: at(1, core.ActionExchange)}), core.NotFound)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"a taken id or digest is Conflict, and nothing is done": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := withSession(t, s, "s1", "slot")
		before := last(t, s)
		open := func(id string, tokens ...core.StoredToken) error {
			return s.OpenSession(t.Context(), core.Opening{Session: session(id, "slot"), Tokens: tokens, EndAny: true, Event: at(1, core.ActionExchange)})
		}
		wantKind(t, "OpenSession(id)", open("s1"), core.Conflict)
		wantKind(t, "OpenSession(digest)", open("s2", token("s2", "s1-access", core.UseAccess)), core.Conflict)
		wantKind(t, "OpenSession(a digest twice)", open("s2", token("s2", "x", core.UseAccess), token("s2", "x", core.UseRefresh)), core.Conflict)
		wantSame(t, "Session()", get[core.Session](t)(s.Session(t.Context(), realm, "s1")), want)
		_, err := s.Session(t.Context(), realm, "s2")
		wantKind(t, "Session()", err, core.NotFound)
		wantNoToken(t, s, "x")
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"a slot that is held is Conflict, and nothing is done": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		held := withSession(t, s, "s1", "slot")
		free := withSession(t, s, "s2", "")
		before := last(t, s)
		for _, end := range []core.SessionID{"", "s2", "s9"} {
			o := core.Opening{Session: session("s3", "slot"), Tokens: []core.StoredToken{token("s3", "x", core.UseAccess)}, EndID: end, Event: at(1, core.ActionExchange)}
			wantKind(t, fmt.Sprintf("OpenSession(ends %q)", end), s.OpenSession(t.Context(), o), core.Conflict)
		}
		wantNoToken(t, s, "x")
		wantSame(t, "the holder", get[core.Session](t)(s.Session(t.Context(), realm, "s1")), held)
		wantSame(t, "the other", get[core.Session](t)(s.Session(t.Context(), realm, "s2")), free)
		wantSame(t, "events", journal(t, s, before), nil)
		elsewhere := session("s1", "slot")
		elsewhere.Realm = other
		foreign := account("1", "alice")
		foreign.Realm = other
		must(t, s.CreateAccount(t.Context(), foreign, at(1, core.ActionAccountCreated)))
		must(t, s.OpenSession(t.Context(), core.Opening{Session: elsewhere, Event: at(1, core.ActionExchange)}))
	},
	"a slot is taken over from whoever holds it": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		first := withSession(t, s, "s1", "slot")
		beside := withSession(t, s, "s2", "slot 2")
		get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1"))
		next := session("s3", "slot")
		next.CreatedAt = start.Add(time.Minute)
		must(t, s.OpenSession(t.Context(), core.Opening{Session: next, EndAny: true, Event: at(1, core.ActionExchange)}))
		wantSame(t, "the first", get[core.Session](t)(s.Session(t.Context(), realm, "s1")), ended(first, next.CreatedAt, ""))
		wantSame(t, "the first, from memory", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), ended(first, next.CreatedAt, ""))
		wantSame(t, "the other slot's", get[core.Session](t)(s.Session(t.Context(), realm, "s2")), beside)
		holder, _, err := s.SlotSession(t.Context(), realm, "slot")
		must(t, err)
		wantSame(t, "SlotSession()", holder, next)
		last := session("s4", "slot")
		must(t, s.OpenSession(t.Context(), core.Opening{Session: last, EndID: "s3", Event: at(1, core.ActionExchange)}))
		wantSame(t, "the one that was named", get[core.Session](t)(s.Session(t.Context(), realm, "s3")), ended(next, last.CreatedAt, ""))
	},
	"the newest access token stands for its slot": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		n := withSession(t, s, "s1", "slot")
		newest := token("s1", "newest", core.UseAccess)
		newest.IssuedAt, newest.ExpiresAt = start.Add(2*time.Second), start.Add(70*time.Second)
		refresh := token("s1", "later refresh", core.UseRefresh)
		refresh.IssuedAt = start.Add(time.Hour)
		older := token("s1", "older", core.UseAccess)
		older.IssuedAt = start.Add(time.Second)
		must(t, s.AddTokens(t.Context(), realm, "s1", start, []core.StoredToken{newest, refresh, older}, 9, at(1, core.ActionTokenExtended)))
		got, token, err := s.SlotSession(t.Context(), realm, "slot")
		must(t, err)
		wantSame(t, "the session", got, n)
		wantSame(t, "the token", token, newest)
		if removed := get[int](t)(s.PurgeSessions(t.Context(), start.Add(80*time.Second), 10)); removed != 5 {
			t.Errorf("%d were purged, want the five tokens", removed)
		}
		got, token, err = s.SlotSession(t.Context(), realm, "slot")
		must(t, err)
		wantSame(t, "the session", got, n)
		wantSame(t, "the token, when none is left", token, core.StoredToken{})
	},
	"ending keeps the first end, and records each": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		n := withSession(t, s, "s1", "slot")
		get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1"))
		before := last(t, s)
		must(t, s.EndSession(t.Context(), realm, "s1", start.Add(time.Minute), core.RefreshReused, at(1, core.ActionRefreshReused)))
		must(t, s.EndSession(t.Context(), realm, "s1", start.Add(time.Hour), "", at(2, core.ActionSessionEnded)))
		want := ended(n, start.Add(time.Minute), core.RefreshReused)
		wantSame(t, "Session()", get[core.Session](t)(s.Session(t.Context(), realm, "s1")), want)
		wantSame(t, "RecentSession()", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), want)
		_, of, err := s.Token(t.Context(), realm, core.NewSecret("s1-access").Digest())
		must(t, err)
		wantSame(t, "the session of Token()", of, want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionRefreshReused, core.ActionSessionEnded})
		withSession(t, s, "s2", "slot") // which is free again
	},
	"a session is seen later, never earlier": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		want := withSession(t, s, "s1", "")
		for _, tt := range []struct{ seen, want time.Time }{
			{start.Add(time.Minute), start.Add(time.Minute)},
			{start.Add(time.Second), start.Add(time.Minute)},
			{start.Add(time.Minute + time.Microsecond), start.Add(time.Minute + time.Microsecond)},
		} {
			get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1"))
			must(t, s.TouchSession(t.Context(), realm, "s1", tt.seen))
			want.SeenAt = tt.want
			wantSame(t, "RecentSession()", get[core.Session](t)(s.RecentSession(t.Context(), realm, "s1")), want)
		}
		wantKind(t, "TouchSession(not there)", s.TouchSession(t.Context(), other, "s1", start.Add(time.Hour)), core.Conflict)
		must(t, s.EndSession(t.Context(), realm, "s1", start, "", at(1, core.ActionSessionEnded)))
		wantKind(t, "TouchSession(ended)", s.TouchSession(t.Context(), realm, "s1", start.Add(time.Hour)), core.Conflict)
	},
	"of 100 that open one slot at once one holds it": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		errs := parallel(100, func(i int) error {
			return []Store{s, second}[i%2].OpenSession(t.Context(), core.Opening{Session: session(fmt.Sprint(i), "slot"), Event: at(i, core.ActionExchange)})
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 1, core.Conflict: 99})
		if n := len(journal(t, s, before)); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
	},
	"of 100 that take over one slot at once all do, and one is left": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		errs := parallel(100, func(i int) error {
			return []Store{s, second}[i%2].OpenSession(t.Context(), core.Opening{Session: session(fmt.Sprint(i), "slot"), EndAny: true, Event: at(i, core.ActionExchange)})
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 100})
		left := 0
		for i := range 100 {
			if get[core.Session](t)(s.Session(t.Context(), realm, core.SessionID(fmt.Sprint(i)))).EndedAt.IsZero() {
				left++
			}
		}
		if left != 1 {
			t.Errorf("%d sessions are left, want 1", left)
		}
	},
	"another handle's end is seen within two seconds": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withSession(t, s, "s1", "")
		get[core.Session](t)(second.RecentSession(t.Context(), realm, "s1"))
		must(t, s.EndSession(t.Context(), realm, "s1", start, "", at(1, core.ActionSessionEnded)))
		changed := time.Now()
		for get[core.Session](t)(second.RecentSession(t.Context(), realm, "s1")).EndedAt.IsZero() {
			if time.Since(changed) > 2*time.Second {
				t.Fatal("the session goes on after two seconds")
			}
			time.Sleep(20 * time.Millisecond)
		}
	},
	"what the caller does to a value later is not stored": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		given, sealed := session("s1", ""), token("s1", "x", core.UseAccess)
		must(t, s.OpenSession(t.Context(), core.Opening{Session: given, Tokens: []core.StoredToken{sealed}, Event: at(1, core.ActionExchange)}))
		given.Methods[0], given.Granted["scope"], sealed.Sealed[0] = "changed", "changed", 9
		wantSame(t, "Session()", get[core.Session](t)(s.Session(t.Context(), realm, "s1")), session("s1", ""))
		wantSame(t, "Token()", stored(t, s, "x"), token("s1", "x", core.UseAccess))
	},
}
