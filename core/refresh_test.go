package core_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A refresh token gives new tokens once; when it comes again, all of them end.
func TestRefreshRotates(t *testing.T) {
	for name, change := range map[string]func(*core.Policy){"opaque": nil, "signed": signed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tracked(change))
			first := w.ada(t)
			before := len(w.events(t))
			second, err := w.refresh(t.Context(), first.Refresh.Value)
			want(t, "Refresh", err, "")
			if second.Value.Reveal() == first.Value.Reveal() || second.Refresh.Value.Reveal() == first.Refresh.Value.Reveal() || second.TokenID == first.TokenID {
				t.Error("the new tokens are the old ones")
			}
			w.whoami(t, "the first access token", first.Value, "")
			if identity := w.whoami(t, "the second", second.Value, ""); identity.Session.ID != first.Session.ID || identity.TokenID != second.TokenID {
				t.Errorf("the second is of session %q, token %q", identity.Session.ID, identity.TokenID)
			}

			_, err = w.refresh(t.Context(), first.Refresh.Value)
			want(t, "the first refresh token again", err, core.RefreshReused)
			w.whoami(t, "the first access token after that", first.Value, core.TokenRevoked)
			w.whoami(t, "the second after that", second.Value, core.TokenRevoked)
			_, err = w.refresh(t.Context(), second.Refresh.Value)
			want(t, "the second refresh token after that", err, core.RefreshRevoked)
			wantSame(t, "the journal", w.actions(t, before), []string{"token_refreshed", "refresh_reused: refresh_reused", "token_refreshed: refresh_revoked"})
			for _, e := range w.events(t)[before:] {
				if e.Session != first.Session.ID || e.Account != first.Account.ID {
					t.Errorf("%s tells of session %q of account %q", e.Action, e.Session, e.Account)
				}
			}
			session, err := w.store.Session(t.Context(), realm, first.Session.ID)
			if err != nil || session.EndReason != core.RefreshReused {
				t.Errorf("the session ended of %q, %v", session.EndReason, err)
			}
			wantSame(t, "the attempts", w.attempts.ended, []string{"succeeded", "succeeded", "failed", "abandoned"})
		})
	}
}

// Of refreshes at once by one token at most one succeeds, and the session ends.
func TestRefreshAtOnce(t *testing.T) {
	w := newWorld(t, tracked(nil))
	first := w.ada(t)
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		tokens []core.Token
		kinds  = map[core.Kind]int{}
	)
	for range 20 {
		all.Go(func() {
			token, err := w.refresh(context.Background(), first.Refresh.Value)
			mu.Lock()
			defer mu.Unlock()
			if kinds[core.KindOf(err)]++; err == nil {
				tokens = append(tokens, token)
			}
		})
	}
	all.Wait()
	if kinds[""] != 1 || kinds[core.RefreshReused] != 19 {
		t.Fatalf("outcomes: %v, want one success and 19 %s", kinds, core.RefreshReused)
	}
	w.whoami(t, "the winner's token", tokens[0].Value, core.TokenRevoked)
	_, err := w.refresh(t.Context(), tokens[0].Refresh.Value)
	want(t, "the winner's refresh token", err, core.RefreshRevoked)
}

// The loser of two that pass every check is told apart from a session that was
// ended meanwhile.
func TestRefreshLosesTheRace(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind core.Kind
		then func(t *testing.T, w *world, token core.Token)
	}{
		{"to another refresh", core.RefreshReused, func(t *testing.T, w *world, token core.Token) {
			_, err := w.refresh(t.Context(), token.Refresh.Value)
			want(t, "the other Refresh", err, "")
		}},
		{"to a logout", core.RefreshRevoked, func(t *testing.T, w *world, token core.Token) {
			want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tracked(nil))
			token := w.ada(t)
			slow := &meanwhile{Tokens: w.store}
			w.deps.Tokens = slow
			w.open(t)
			slow.then = func() { tt.then(t, w, token) }
			got, err := w.refresh(t.Context(), token.Refresh.Value)
			want(t, "Refresh", err, tt.kind)
			if got.Value != (core.Secret{}) {
				t.Error("a token came with the refusal")
			}
			w.whoami(t, "the access token", token.Value, core.TokenRevoked)
		})
	}
}

// A used token is told to be used, though the session was ended by another who used it
// between the look-ups of this one.
func TestRefreshLosesTheRaceLate(t *testing.T) {
	w := newWorld(t, tracked(nil))
	token := w.ada(t)
	slow := &meanwhileRecent{Recent: w.deps.Recent}
	w.deps.Recent = slow
	w.open(t)
	slow.then = func() {
		for _, kind := range []core.Kind{"", core.RefreshReused} {
			_, err := w.refresh(t.Context(), token.Refresh.Value)
			want(t, "the others", err, kind)
		}
	}
	_, err := w.refresh(t.Context(), token.Refresh.Value)
	want(t, "Refresh", err, core.RefreshReused)
}

// meanwhileRecent lets something happen before the next account is read.
type meanwhileRecent struct {
	core.Recent
	then func()
}

func (m *meanwhileRecent) RecentAccount(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	if then := m.then; then != nil {
		m.then = nil
		then()
	}
	return m.Recent.RecentAccount(ctx, realm, id)
}

// graced gives refresh tokens 30 seconds after their first use.
func graced(p *core.Policy) { p.Refresh.Grace = 30 * time.Second }

// Within its grace a used refresh token gives new tokens of its session; after that it
// ends the session.
func TestRefreshGrace(t *testing.T) {
	for name, change := range map[string]func(*core.Policy){"opaque": graced, "signed": func(p *core.Policy) { signed(p); graced(p) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tracked(change))
				first := w.ada(t)
				before := len(w.events(t))
				seen := map[string]bool{}
				var last core.Token
				for _, pause := range []time.Duration{time.Hour, time.Second, 28 * time.Second} { // counted from the first use
					time.Sleep(pause)
					token, err := w.refresh(t.Context(), first.Refresh.Value)
					want(t, "Refresh after another "+pause.String(), err, "")
					if seen[token.Refresh.Value.Reveal()] || token.Session.ID != first.Session.ID {
						t.Errorf("the refresh token is of session %q, and not new", token.Session.ID)
					}
					seen[token.Refresh.Value.Reveal()] = true
					w.whoami(t, "the new token", token.Value, "")
					last = token
				}
				for value := range seen { // each goes on for itself
					_, err := w.refresh(t.Context(), core.NewSecret(value))
					want(t, "Refresh by a new one", err, "")
				}
				time.Sleep(time.Second)
				_, err := w.refresh(t.Context(), first.Refresh.Value)
				want(t, "Refresh after the grace", err, core.RefreshReused)
				w.whoami(t, "the last token after that", last.Value, core.TokenRevoked)
				wantSame(t, "the journal", w.actions(t, before), []string{
					"token_refreshed", "token_refreshed", "token_refreshed", "token_refreshed", "token_refreshed", "token_refreshed", "refresh_reused: refresh_reused",
				})
			})
		})
	}
}

// What ends a session ends the grace of its tokens.
func TestRefreshGraceEnds(t *testing.T) {
	w := newWorld(t, tracked(graced))
	first := w.ada(t)
	second, err := w.refresh(t.Context(), first.Refresh.Value)
	want(t, "Refresh", err, "")
	want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: second.Value, Own: true}), "")
	_, err = w.refresh(t.Context(), first.Refresh.Value)
	want(t, "Refresh within the grace, after a logout", err, core.RefreshRevoked)

	w = newWorld(t, tracked(graced))
	first = w.ada(t)
	slow := &meanwhile{Tokens: w.store, then: func() {
		want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: first.Value, Own: true}), "")
	}}
	w.deps.Tokens = slow
	w.open(t)
	_, err = w.refresh(t.Context(), first.Refresh.Value)
	want(t, "Refresh that a logout overtakes", err, core.RefreshRevoked)
}

// Of refreshes at once within the grace all succeed, and the session goes on; of those
// after it none does, and the session ends.
func TestRefreshGraceAtOnce(t *testing.T) {
	const many = 19 // beside the first: what a session has of access tokens
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	w := newWorld(t, tracked(graced))
	w.deps.Now = func() time.Time { return time.Unix(0, now.Load()) }
	w.open(t)
	first := w.ada(t)
	atOnce := func() (tokens []core.Token, kinds map[core.Kind]int) {
		var (
			all sync.WaitGroup
			mu  sync.Mutex
		)
		kinds = map[core.Kind]int{}
		for range many {
			all.Go(func() {
				token, err := w.refresh(context.Background(), first.Refresh.Value)
				mu.Lock()
				defer mu.Unlock()
				if kinds[core.KindOf(err)]++; err == nil {
					tokens = append(tokens, token)
				}
			})
		}
		all.Wait()
		return tokens, kinds
	}
	tokens, kinds := atOnce()
	if kinds[""] != many {
		t.Fatalf("outcomes within the grace: %v, want %d successes", kinds, many)
	}
	for _, token := range tokens {
		w.whoami(t, "a token of the grace", token.Value, "")
	}
	now.Add(int64(30 * time.Second))
	if _, kinds := atOnce(); kinds[core.RefreshReused] != many {
		t.Fatalf("outcomes after the grace: %v, want %d %s", kinds, many, core.RefreshReused)
	}
	w.whoami(t, "a token of the grace after that", tokens[0].Value, core.TokenRevoked)
}

// meanwhile lets something happen before the next rotation or extension.
type meanwhile struct {
	core.Tokens
	then func()
}

func (m *meanwhile) happen() {
	if then := m.then; then != nil {
		m.then = nil
		then()
	}
}

func (m *meanwhile) RotateToken(ctx context.Context, realm core.Realm, old core.Digest, now time.Time, tokens []core.StoredToken, e core.Event) error {
	m.happen()
	return m.Tokens.RotateToken(ctx, realm, old, now, tokens, e)
}

func (m *meanwhile) ProlongToken(ctx context.Context, realm core.Realm, token core.StoredToken, now time.Time, e core.Event) error {
	m.happen()
	return m.Tokens.ProlongToken(ctx, realm, token, now, e)
}

func TestRefreshRefuses(t *testing.T) {
	same := func(_ *testing.T, _ *world, token core.Token) core.Secret { return token.Refresh.Value }
	for _, tt := range []struct {
		name    string
		kind    core.Kind
		counted string
		then    func(t *testing.T, w *world, token core.Token) core.Secret
	}{
		{"nothing", "", "succeeded", same},
		{"an unknown token", core.RefreshUnknown, "failed", func(*testing.T, *world, core.Token) core.Secret { return core.NewSecret("x") }},
		{"an empty token", core.RefreshUnknown, "failed", func(*testing.T, *world, core.Token) core.Secret { return core.Secret{} }},
		{"a huge token", core.RefreshUnknown, "failed", func(*testing.T, *world, core.Token) core.Secret { return core.NewSecret(strings.Repeat("x", 9000)) }},
		{"a cut token", core.RefreshUnknown, "failed", func(_ *testing.T, _ *world, token core.Token) core.Secret {
			return core.NewSecret(token.Refresh.Value.Reveal()[1:])
		}},
		{"an access token", core.RefreshUnknown, "failed", func(_ *testing.T, _ *world, token core.Token) core.Secret { return token.Value }},
		{"the last second of its life", "", "succeeded", func(t *testing.T, w *world, token core.Token) core.Secret {
			time.Sleep(14*day - time.Second)
			return same(t, w, token)
		}},
		{"the end of its life", core.RefreshExpired, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			time.Sleep(14 * day)
			return same(t, w, token)
		}},
		{"an ended session", core.RefreshRevoked, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
			return same(t, w, token)
		}},
		{"a disabled account", core.AccountInactive, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			_, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin)
			want(t, "DisableAccount", err, "")
			return same(t, w, token)
		}},
		{"an account on hold", core.AccountInactive, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			_, err := w.registry.HoldAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, core.Locked, origin)
			want(t, "HoldAccount", err, "")
			w.whoami(t, "a token in hand goes on", token.Value, "")
			return same(t, w, token)
		}},
		{"an account that is not verified any more", core.AccountUnverified, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			w.change(t, token.Account.ID, func(a *core.Account) { a.Verified = false })
			return same(t, w, token)
		}},
		{"a new password", core.RefreshRevoked, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			w.newPassword(t)
			return same(t, w, token)
		}},
		{"all tokens ended", core.RefreshRevoked, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			want(t, "RevokeAll", w.RevokeAll(t.Context(), token.Value, origin), "")
			return same(t, w, token)
		}},
		{"another dialect", core.RefreshUnknown, "failed", func(t *testing.T, w *world, token core.Token) core.Secret {
			w.terms.Dialect = "other"
			w.open(t)
			return same(t, w, token)
		}},
		{"a policy that is gone", core.RefreshRevoked, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			w.terms.Policies = map[string]core.Policy{}
			w.open(t)
			return same(t, w, token)
		}},
		{"a policy without refresh tokens", core.RefreshRevoked, "abandoned", func(t *testing.T, w *world, token core.Token) core.Secret {
			tracked(func(p *core.Policy) { p.Refresh = nil })(&w.terms)
			w.open(t)
			return same(t, w, token)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tracked(nil))
				token := w.ada(t)
				secret := tt.then(t, w, token)
				w.attempts.ended = nil
				before := len(w.events(t))
				got, err := w.refresh(t.Context(), secret)
				want(t, "Refresh", err, tt.kind)
				wantSame(t, "the attempt", w.attempts.ended, []string{tt.counted})
				if key := w.attempts.keys[len(w.attempts.keys)-1]; key != (core.AttemptKey{Realm: realm, Network: origin.Network()}) {
					t.Errorf("counted by %+v", key)
				}
				if tt.kind != "" {
					wantSame(t, "the journal", w.actions(t, before), []string{"token_refreshed: " + string(tt.kind)})
					if got.Value != (core.Secret{}) || got.Refresh != nil {
						t.Error("a token came with the refusal")
					}
				}
			})
		})
	}
}

func TestRefreshThrottled(t *testing.T) {
	w := newWorld(t, tracked(nil))
	token := w.ada(t)
	before := len(w.events(t))
	w.attempts.full = true
	_, err := w.refresh(t.Context(), token.Refresh.Value)
	want(t, "Refresh", err, core.RateLimited)
	w.attempts.full = false
	_, err = w.refresh(t.Context(), token.Refresh.Value)
	want(t, "Refresh after that", err, "")
	wantSame(t, "the journal", w.actions(t, before), []string{"token_refreshed"})
}

// A policy may keep its refresh tokens: they then give any number of tokens.
func TestRefreshKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) { p.Refresh.Keep = true }))
		first := w.ada(t)
		for range 3 {
			time.Sleep(time.Minute)
			token, err := w.refresh(t.Context(), first.Refresh.Value)
			want(t, "Refresh", err, "")
			if token.Refresh.Value.Reveal() != first.Refresh.Value.Reveal() || !token.Refresh.ExpiresAt.Equal(first.Refresh.ExpiresAt) {
				t.Errorf("the refresh token is now one until %v, want the same until %v", token.Refresh.ExpiresAt, first.Refresh.ExpiresAt)
			}
			w.whoami(t, "the new token", token.Value, "")
		}
		want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: first.Value, Own: true}), "")
		_, err := w.refresh(t.Context(), first.Refresh.Value)
		want(t, "Refresh of an ended session", err, core.RefreshRevoked)
	})
}

// No token outlives its session, and refreshing ends with it.
func TestSessionBoundsTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) { p.Session = 15 * day }))
		first := w.ada(t)
		end := first.IssuedAt.Add(15 * day)
		time.Sleep(14*day - time.Minute)
		second, err := w.refresh(t.Context(), first.Refresh.Value)
		want(t, "Refresh", err, "")
		if !second.Refresh.ExpiresAt.Equal(end) {
			t.Errorf("the second refresh token ends %v, want with the session, %v", second.Refresh.ExpiresAt, end)
		}
		time.Sleep(day)
		third, err := w.refresh(t.Context(), second.Refresh.Value)
		want(t, "Refresh a minute before the end", err, "")
		if !third.ExpiresAt.Equal(end) {
			t.Errorf("the third token ends %v, want with the session, %v", third.ExpiresAt, end)
		}
		time.Sleep(time.Minute)
		w.whoami(t, "the third token at the end", third.Value, core.TokenExpired)
		_, err = w.refresh(t.Context(), third.Refresh.Value)
		want(t, "Refresh at the end", err, core.RefreshExpired)
	})
}

// The client that began a session is the only one that goes on with it.
func TestRefreshByClient(t *testing.T) {
	for _, begun := range []string{"c1", ""} {
		for _, by := range []string{"", "c1", "c2", "unknown"} {
			t.Run("begun by "+begun+", refreshed by "+by, func(t *testing.T) {
				w := newWorld(t, tracked(nil))
				w.account(t, "ada@example.com", nil)
				clients := w.clients(t, "c1", "c2")
				clients["unknown"] = &core.Client{Identifier: "unknown", Secret: core.NewSecret("x")}
				token, err := w.Exchange(t.Context(), core.Credential{
					As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"),
					Client: clients[begun], Policy: "access", Origin: origin,
				})
				want(t, "Exchange", err, "")
				w.attempts.ended = nil
				kind, counted := core.RefreshUnknown, "failed" // another client learns nothing of what it has
				switch by {
				case begun:
					kind, counted = "", "succeeded"
				case "", "unknown":
					kind = core.BadClient
				}
				second, err := w.Refresh(t.Context(), core.Renewal{Refresh: token.Refresh.Value, Client: clients[by], Origin: origin})
				want(t, "Refresh", err, kind)
				wantSame(t, "the attempt", w.attempts.ended, []string{counted})
				if kind != "" {
					second, err = w.Refresh(t.Context(), core.Renewal{Refresh: token.Refresh.Value, Client: clients[begun], Origin: origin})
					want(t, "Refresh by the right one after that", err, "")
				}
				identity := w.whoami(t, "the second token", second.Value, "")
				if (identity.Client == nil) != (begun == "") || begun != "" && identity.Client.Identifier != begun {
					t.Errorf("the client is now %+v", identity.Client)
				}
				if begun == "" {
					return
				}
				_, err = w.registry.RevokeAccessKey(t.Context(), realm, "c1", origin)
				want(t, "RevokeAccessKey", err, "")
				w.whoami(t, "the token of a revoked client", second.Value, core.TokenRevoked)
			})
		}
	}
}
