package core_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// What is kept of a tracked token is its digest; what it stands for comes back.
func TestTrackedToken(t *testing.T) {
	for name, change := range map[string]func(*core.Policy){"opaque": nil, "signed": signed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tracked(change))
			w.account(t, "ada@example.com", nil)
			token, err := w.Exchange(t.Context(), core.Credential{
				As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"), Policy: "access",
				Judge: func(core.Judged) (core.Granted, error) { return core.Granted{"scope": "read"}, nil }, Origin: origin,
			})
			want(t, "Exchange", err, "")
			stored, session, err := w.store.Token(t.Context(), realm, token.Value.Digest())
			if err != nil || stored.ID != token.TokenID || stored.Use != core.UseAccess || len(stored.Sealed) > 0 || session.ID != token.Session.ID {
				t.Errorf("kept is %+v of session %q, %v", stored, session.ID, err)
			}
			if session.Account != token.Account.ID || session.Dialect != "plain" || session.Policy != "access" || session.Slot != "" ||
				!session.ExpiresAt.Equal(token.IssuedAt.Add(30*day)) || !session.CreatedAt.Equal(token.IssuedAt) {
				t.Errorf("the session is %+v", session)
			}
			identity := w.whoami(t, "Whoami", token.Value, "")
			if identity.Account.ID != token.Account.ID || identity.Session.ID != session.ID || identity.Granted["scope"] != "read" ||
				identity.TokenID != token.TokenID || identity.Policy != "access" || !identity.ExpiresAt.Equal(token.ExpiresAt) {
				t.Errorf("Whoami() = %+v", identity)
			}
			wantSame(t, "methods", identity.Methods, []string{"password"})
			events := w.events(t)
			if last := events[len(events)-1]; last.Action != core.ActionExchange || last.TokenID != token.TokenID || last.Session != session.ID || last.Account != token.Account.ID {
				t.Errorf("the journal ends with %+v", last)
			}
			w.whoami(t, "the refresh token as a bearer", token.Refresh.Value, core.TokenInvalid)
			w.whoami(t, "a cut token", core.NewSecret(token.Value.Reveal()[1:]), core.TokenInvalid)
			w.whoami(t, "a huge token", core.NewSecret(strings.Repeat("x", 9000)), core.TokenInvalid)
			if err := w.store.EndSession(t.Context(), realm, session.ID, time.Now(), "", core.Event{}); err != nil {
				t.Fatal(err)
			}
			w.whoami(t, "the token of an ended session", token.Value, core.TokenRevoked)
			if _, err := w.store.PurgeSessions(t.Context(), time.Now().Add(time.Second), 10); err != nil {
				t.Fatal(err)
			}
			w.whoami(t, "of a purged one, from memory", token.Value, core.TokenRevoked)
			w.open(t)
			kind := core.TokenInvalid
			if name == "signed" {
				kind = core.TokenRevoked
			}
			w.whoami(t, "of a purged one", token.Value, kind)
		})
	}
}

func TestTokenForms(t *testing.T) {
	value := func(random core.Secret, g core.Grant) (core.Secret, error) {
		return core.NewSecret(g.TokenID + "|" + random.Reveal()), nil
	}
	for _, tt := range []struct {
		name    string
		opaque  core.Opaque
		pattern string
	}{
		{"default", core.Opaque{}, `^[0-9A-Za-z]{43}$`},
		{"base62", core.Opaque{Form: "base62"}, `^[0-9A-Za-z]{43}$`},
		{"uuid", core.Opaque{Form: "uuid"}, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		{"hex", core.Opaque{Form: "hex20"}, `^[0-9a-f]{40}$`},
		{"base64url", core.Opaque{Form: "base64url_32"}, `^[0-9A-Za-z_-]{43}$`},
		{"base62 of fewer bytes", core.Opaque{Form: "base62_16"}, `^[0-9A-Za-z]{22}$`},
		{"worded", core.Opaque{Form: "hex32", Value: value}, `^[A-Z2-7]{26}\|[0-9a-f]{64}$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tracked(func(p *core.Policy) { p.Opaque, p.Refresh.Opaque = tt.opaque, tt.opaque }))
			first, second := w.ada(t), w.adaAgain(t)
			for _, token := range []core.Secret{first.Value, first.Refresh.Value} {
				if !matches(tt.pattern, token.Reveal()) {
					t.Errorf("%q, want %s", token.Reveal(), tt.pattern)
				}
			}
			if first.Value.Reveal() == second.Value.Reveal() {
				t.Error("the same token twice")
			}
			w.whoami(t, "Whoami", first.Value, "")
		})
	}
}

func TestTooLongToken(t *testing.T) {
	w := newWorld(t, tracked(func(p *core.Policy) {
		p.Opaque.Value = func(random core.Secret, _ core.Grant) (core.Secret, error) {
			return core.NewSecret(random.Reveal() + strings.Repeat("x", 8<<10)), nil
		}
	}))
	w.account(t, "ada@example.com", nil)
	_, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, core.Internal)
}

// A lifetime that is asked for is kept within the policy's bounds.
func TestLifetimes(t *testing.T) {
	bounds := func(p *core.Policy) { p.LeastLifetime, p.MostLifetime = time.Minute, 2*time.Hour }
	for _, tt := range []struct {
		name   string
		change func(*core.Policy)
		asked  time.Duration
		want   time.Duration // 0: for ever
	}{
		{"none asked for", bounds, 0, time.Hour},
		{"one within", bounds, 90*time.Second + time.Millisecond, 90 * time.Second},
		{"too short", bounds, time.Second, time.Minute},
		{"less than nothing", bounds, -time.Hour, time.Minute},
		{"too long", bounds, 3 * time.Hour, 2 * time.Hour},
		{"none may be asked for", nil, time.Minute, time.Hour},
		{"longer than the session", func(p *core.Policy) { p.Session = 10 * time.Minute }, 0, 10 * time.Minute},
		{"for ever", func(p *core.Policy) { p.Endless, p.Session, p.Lifetime, p.Refresh = true, 0, 0, nil }, time.Minute, 0},
		{"for ever, but for the session", func(p *core.Policy) { p.Endless, p.Lifetime = true, 0 }, 0, 30 * day},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tracked(tt.change))
				w.account(t, "ada@example.com", nil)
				token, err := w.Exchange(t.Context(), core.Credential{
					As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"),
					Policy: "access", Lifetime: tt.asked, Origin: origin,
				})
				want(t, "Exchange", err, "")
				if tt.want == 0 {
					if !token.ExpiresAt.IsZero() {
						t.Errorf("it ends %v", token.ExpiresAt)
					}
					time.Sleep(1000 * day)
					for range 2 { // the second time from memory
						w.whoami(t, "after 1,000 days", token.Value, "")
					}
					return
				}
				if got := token.ExpiresAt.Sub(token.IssuedAt); got != tt.want {
					t.Errorf("lifetime %v, want %v", got, tt.want)
				}
				time.Sleep(tt.want - time.Second)
				w.whoami(t, "a second before its end", token.Value, "")
				time.Sleep(time.Second)
				w.whoami(t, "at its end", token.Value, core.TokenExpired)
			})
		})
	}
}

// Who wants no refresh token gets none, whatever the policy gives.
func TestWithoutRefresh(t *testing.T) {
	w := newWorld(t, tracked(nil))
	w.account(t, "ada@example.com", nil)
	token, err := w.Exchange(t.Context(), core.Credential{
		As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"),
		Policy: "access", WithoutRefresh: true, Origin: origin,
	})
	want(t, "Exchange", err, "")
	if token.Refresh != nil {
		t.Error("there is a refresh token")
	}
}

// S46, S47: what ends an account's or a key's tokens ends tracked ones as well, from
// the next check on.
func TestWhatEndsTrackedTokens(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind core.Kind
		then func(t *testing.T, w *world, token core.Token)
	}{
		{"a disabled account", core.AccountInactive, func(t *testing.T, w *world, _ core.Token) {
			_, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin)
			want(t, "DisableAccount", err, "")
		}},
		{"a new password", core.TokenRevoked, func(t *testing.T, w *world, _ core.Token) { w.newPassword(t) }},
		{"all ended", core.TokenRevoked, func(t *testing.T, w *world, token core.Token) {
			want(t, "RevokeAll", w.RevokeAll(t.Context(), token.Value, origin), "")
		}},
		{"an account that is not verified any more", core.AccountUnverified, func(t *testing.T, w *world, token core.Token) {
			w.change(t, token.Account.ID, func(a *core.Account) { a.Verified = false })
		}},
		{"another dialect", core.TokenForeign, func(t *testing.T, w *world, _ core.Token) {
			w.terms.Dialect = "other"
			w.open(t)
		}},
		{"a policy that is gone", core.TokenForeign, func(t *testing.T, w *world, _ core.Token) {
			policy := w.terms.Policies["access"]
			w.terms.Policies = map[string]core.Policy{"renamed": policy}
			w.open(t)
		}},
		{"a policy that is signed now", core.TokenInvalid, func(t *testing.T, w *world, _ core.Token) {
			opaque := w.terms.Policies["access"]
			tracked(signed)(&w.terms)
			w.terms.Policies["other"] = opaque
			w.open(t)
		}},
		{"another realm", core.TokenInvalid, func(t *testing.T, w *world, _ core.Token) {
			w.terms.Realm = "other"
			w.open(t)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tracked(nil))
				token := w.ada(t)
				w.whoami(t, "before", token.Value, "")
				tt.then(t, w, token)
				w.whoami(t, "after", token.Value, tt.kind)
				_, err := w.Extend(t.Context(), core.Extension{Token: token.Value, Origin: origin})
				want(t, "Extend", err, tt.kind)
			})
		})
	}
}

// A session that is not used ends; one that is used goes on, at the cost of a write
// now and then.
func TestIdle(t *testing.T) {
	for _, idle := range []time.Duration{2 * time.Second, 20 * time.Second, 32 * time.Minute} {
		t.Run(idle.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tracked(func(p *core.Policy) { p.Idle, p.Lifetime = idle, 30*day }))
				l := w.keepLedger(t)
				token := w.ada(t)
				step := idle / 64
				for range 256 { // four times as long as it may be unused
					time.Sleep(step)
					w.whoami(t, "in use", token.Value, "")
					synctest.Wait()
				}
				if touches := len(l.wrote("TouchSession")); touches < 4 || touches > 64 {
					t.Errorf("%d writes while in use, want 4 to 64", touches)
				}
				session, err := w.store.Session(t.Context(), realm, token.Session.ID)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Until(session.SeenAt.Add(idle)) - time.Millisecond)
				w.whoami(t, "just before its end", token.Value, "")
				time.Sleep(idle)
				w.whoami(t, "at its end", token.Value, core.TokenExpired)
				_, err = w.refresh(t.Context(), token.Refresh.Value)
				want(t, "Refresh at its end", err, core.RefreshExpired)
				if token := w.adaAgain(t); token.Value != (core.Secret{}) {
					w.whoami(t, "another sign-in", token.Value, "")
				}
			})
		})
	}
}

// Only a use whose session would be over soon waits for the write, and no session is
// written twice at once.
func TestTouchIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) { p.Idle, p.Lifetime = 16*time.Minute, day }))
		token := w.ada(t)
		slow := &slowSessions{Sessions: w.store, takes: time.Second}
		w.deps.Sessions = slow
		w.open(t)
		took := func(what string, want time.Duration) {
			t.Helper()
			start := time.Now()
			w.whoami(t, what, token.Value, "")
			if got := time.Since(start); got != want {
				t.Errorf("%s took %v, want %v", what, got, want)
			}
		}
		took("at once", 0)
		time.Sleep(time.Minute)
		took("after a minute", 0)
		took("while it is written down", 0)
		time.Sleep(time.Second)
		synctest.Wait()
		if slow.touched != 1 {
			t.Errorf("%d writes, want 1", slow.touched)
		}
		time.Sleep(15*time.Minute - time.Second)
		took("a minute before its end", time.Second)
		slow.away = true
		time.Sleep(15 * time.Minute)
		took("while the store is away", time.Second)
	})
}

type slowSessions struct {
	core.Sessions
	takes   time.Duration
	touched int
	away    bool
}

func (s *slowSessions) TouchSession(ctx context.Context, realm core.Realm, id core.SessionID, seenAt time.Time) error {
	time.Sleep(s.takes)
	if s.away {
		return &core.Error{Kind: core.Unavailable}
	}
	s.touched++
	return s.Sessions.TouchSession(ctx, realm, id, seenAt)
}

// What memory holds of a session may be two seconds old: that it is over for want of
// use is decided on a fresh read.
func TestIdleIsReadAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) { p.Idle = 10 * time.Minute }))
		token := w.ada(t)
		old, err := w.store.Session(t.Context(), realm, token.Session.ID)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		if err := w.store.TouchSession(t.Context(), realm, old.ID, time.Now()); err != nil { // by another replica
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.deps.Recent = heldSession{w.deps.Recent, old}
		w.open(t)
		w.whoami(t, "Whoami", token.Value, "")
	})
}

type heldSession struct {
	core.Recent
	session core.Session
}

func (h heldSession) RecentSession(context.Context, core.Realm, core.SessionID) (core.Session, error) {
	return h.session, nil
}

// Policies may share keys: what is kept of a token decides which is its own, and an
// ended one passes by none.
func TestPoliciesOfOneFamily(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		tracked(signed)(terms)
		plain := terms.Policies["access"]
		plain.Name, plain.Session, plain.Refresh = "plain", 0, nil
		second := terms.Policies["access"]
		second.Name, second.Audiences = "second", nil
		terms.Policies["plain"], terms.Policies["second"] = plain, second
		terms.Order = []string{"plain", "access", "second"}
	})
	w.account(t, "ada@example.com", nil)
	for _, policy := range []string{"access", "second", "plain"} {
		token, err := w.Exchange(t.Context(), core.Credential{
			As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"), Policy: policy, Origin: origin,
		})
		want(t, "Exchange", err, "")
		identity := w.whoami(t, policy, token.Value, "")
		if identity.Policy != policy || (identity.Session == nil) != (policy == "plain") {
			t.Errorf("a token of %s is taken for one of %s, session %v", policy, identity.Policy, identity.Session)
		}
		want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
		kind := core.TokenRevoked
		if policy == "plain" {
			kind = "" // nothing is kept of it, and so nothing ends it
		}
		w.whoami(t, policy+", revoked", token.Value, kind)
	}
}

// S36: size comes first.
func TestHugeTokensCostNothing(t *testing.T) {
	w := newWorld(t, tracked(nil))
	l := w.keepLedger(t)
	huge := core.NewSecret(strings.Repeat("x", 8<<10+1))
	w.whoami(t, "Whoami", huge, core.TokenInvalid)
	_, err := w.refresh(t.Context(), huge)
	want(t, "Refresh", err, core.RefreshUnknown)
	want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: huge}), "")
	wantSame(t, "the steps", l.wrote(), []string{"Record token_refreshed"})
}

// Two Whoami at once by one token are one session's use.
func TestWhoamiAtOnce(t *testing.T) {
	w := newWorld(t, tracked(func(p *core.Policy) { p.Idle = time.Hour }))
	token := w.ada(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				if _, err := w.Whoami(context.Background(), token.Value); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
