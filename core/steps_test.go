package core_test

import (
	"context"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// What an untracked policy costs: these calls and no others (the four built-in
// contracts are measured in microseconds).
func TestUntrackedCosts(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		policy := terms.Policies["access"]
		policy.KeyClaim = "ak"
		terms.Policies["access"] = policy
		policy.Name, policy.KeyClaim = "password", ""
		policy.Keys.Dialect = "password"
		terms.Policies["password"] = policy
	})
	w.account(t, "ada@example.com", nil)
	key := w.clients(t, "k1")["k1"]
	l := w.keepLedger(t)
	cost := func(what string, kind core.Kind, steps ...string) func(core.Token, error) core.Token {
		return func(token core.Token, err error) core.Token {
			t.Helper()
			want(t, what, err, kind)
			wantSame(t, what, l.wrote(), steps)
			return token
		}
	}
	login := func(login, password string) (core.Token, error) {
		return w.Exchange(t.Context(), core.Credential{
			As: []core.SubjectKind{core.SubjectAccount}, Identifier: login, Secret: core.NewSecret(password), Policy: "password", Origin: origin,
		})
	}
	cost("a password", "", "AccountByLogin", "RecentAccount", "Sign", "Record exchange")(login("ada@example.com", "right password"))
	cost("a wrong password", core.BadSecret, "AccountByLogin", "Record exchange")(login("ada@example.com", "wrong password"))
	cost("an unknown name", core.Unknown, "AccountByLogin", "Record exchange")(login("nobody@example.com", "right password"))
	token := cost("a key in memory", "", "HeldAccessKey", "RecentAccount", "RecentAccount", "Sign", "Record exchange")(w.keyLogin(t.Context(), "k1", key.Secret.Reveal()))
	cost("a wrong secret", core.BadSecret, "HeldAccessKey", "AccessKeyByIdentifier", "Record exchange")(w.keyLogin(t.Context(), "k1", "x"))
	cost("an unknown key", core.Unknown, "HeldAccessKey", "AccessKeyByIdentifier", "Record exchange")(w.keyLogin(t.Context(), "k2", key.Secret.Reveal()))
	_, err := w.Whoami(t.Context(), token.Value)
	cost("a check", "", "Verify", "RecentAccessKey", "RecentAccount")(core.Token{}, err)
	_, err = w.Whoami(t.Context(), token.Value)
	cost("the same again", "", "RecentAccessKey", "RecentAccount")(core.Token{}, err)
	_, err = w.Whoami(t.Context(), core.NewSecret("x"))
	cost("nonsense", core.TokenInvalid, "Verify", "Verify")(core.Token{}, err)
}

// R4: what is written down about a token is written before the token goes out, after
// it is made; and when it cannot be, there is no token.
func TestRecordedFirst(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy func(*core.Terms)
		steps  []string
		do     func(w *world, first core.Token) (core.Token, error)
	}{
		{"an untracked token", nil, []string{"Sign", "Record exchange"}, func(w *world, _ core.Token) (core.Token, error) {
			return w.login(context.Background(), "ada@example.com", "right password")
		}},
		{"a tracked one", tracked(signed), []string{"Sign", "OpenSession exchange"}, func(w *world, _ core.Token) (core.Token, error) {
			return w.login(context.Background(), "ada@example.com", "right password")
		}},
		{"an opaque one", tracked(nil), []string{"OpenSession exchange"}, func(w *world, _ core.Token) (core.Token, error) {
			return w.login(context.Background(), "ada@example.com", "right password")
		}},
		{"one that ends another", inSlot(core.SlotNewest), []string{"OpenSession exchange"}, func(w *world, _ core.Token) (core.Token, error) {
			return w.login(context.Background(), "ada@example.com", "right password")
		}},
		{"the same again", inSlot(core.SlotSame), []string{"AddTokens token_reused"}, func(w *world, _ core.Token) (core.Token, error) {
			return w.login(context.Background(), "ada@example.com", "right password")
		}},
		{"a refreshed one", tracked(signed), []string{"Sign", "RotateToken token_refreshed"}, func(w *world, first core.Token) (core.Token, error) {
			return w.refresh(context.Background(), first.Refresh.Value)
		}},
		{"one by a kept refresh token", tracked(func(p *core.Policy) { signed(p); p.Refresh.Keep = true }), []string{"Sign", "AddTokens token_refreshed"}, func(w *world, first core.Token) (core.Token, error) {
			return w.refresh(context.Background(), first.Refresh.Value)
		}},
		{"an extended one", tracked(signed), []string{"Sign", "AddTokens token_extended"}, func(w *world, first core.Token) (core.Token, error) {
			return w.Extend(context.Background(), core.Extension{Token: first.Value, EndOld: true, Origin: origin})
		}},
		{"the same for longer", tracked(nil), []string{"ProlongToken token_extended"}, func(w *world, first core.Token) (core.Token, error) {
			return w.Extend(context.Background(), core.Extension{Token: first.Value, Same: true, Origin: origin})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.policy)
			w.account(t, "ada@example.com", nil)
			first := w.adaAgain(t)
			l := w.keepLedger(t)
			for _, l.away = range tt.steps {
				token, err := tt.do(w, first)
				want(t, "without "+l.away, err, core.Unavailable)
				if token.Value != (core.Secret{}) || token.Refresh != nil {
					t.Errorf("a token came without %s", l.away)
				}
			}
			l.away = ""
			l.wrote()
			token, err := tt.do(w, first)
			want(t, "at last", err, "")
			wantSame(t, "the order", l.wrote("Sign", "Record exchange", "OpenSession exchange", "AddTokens token_reused", "RotateToken token_refreshed", "AddTokens token_refreshed", "AddTokens token_extended", "ProlongToken token_extended"), tt.steps)
			events := w.events(t)
			if last := events[len(events)-1]; last.TokenID != token.TokenID {
				t.Errorf("the journal ends with %+v, want the token %q", last, token.TokenID)
			}
		})
	}
}

// A reused refresh token is refused after its session was ended, and not before.
func TestReuseEndsFirst(t *testing.T) {
	w := newWorld(t, tracked(nil))
	first := w.ada(t)
	second, err := w.refresh(t.Context(), first.Refresh.Value)
	want(t, "Refresh", err, "")
	l := w.keepLedger(t)
	l.away = "EndSession refresh_reused"
	_, err = w.refresh(t.Context(), first.Refresh.Value)
	want(t, "Refresh while nothing can be ended", err, core.Unavailable)
	w.whoami(t, "the second token", second.Value, "")
	l.away = ""
	l.wrote()
	_, err = w.refresh(t.Context(), first.Refresh.Value)
	want(t, "Refresh again", err, core.RefreshReused)
	wantSame(t, "the steps", l.wrote(), []string{"Token", "EndSession refresh_reused"})
	w.whoami(t, "the second token after that", second.Value, core.TokenRevoked)
}
