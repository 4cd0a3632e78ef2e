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

func inSlot(rule core.SlotRule) func(*core.Terms) {
	return tracked(func(p *core.Policy) { p.Slot, p.Refresh = rule, nil })
}

// one: newest. A sign-in ends the session before it, and no other identity's.
func TestOneNewest(t *testing.T) {
	w := newWorld(t, inSlot(core.SlotNewest))
	w.account(t, "bob@example.com", nil)
	bob, err := w.login(t.Context(), "bob@example.com", "right password")
	want(t, "Exchange", err, "")
	first := w.ada(t)
	second := w.adaAgain(t)
	w.whoami(t, "the first", first.Value, core.TokenRevoked)
	w.whoami(t, "the second", second.Value, "")
	w.whoami(t, "another's", bob.Value, "")
	want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: second.Value, Own: true}), "")
	w.whoami(t, "the third, after a logout", w.adaAgain(t).Value, "")
}

// one: newest with a granted fact is of each of its values.
func TestOneNewestByDevice(t *testing.T) {
	w := newWorld(t, tracked(func(p *core.Policy) { p.Slot, p.SlotBy, p.Refresh = core.SlotNewest, "device", nil }))
	w.account(t, "ada@example.com", nil)
	w.account(t, "bob@example.com", nil)
	on := func(login string, device any) core.Token {
		t.Helper()
		token, err := w.Exchange(t.Context(), password(login, "right password", func(c *core.Credential) {
			c.Judge = func(core.Judged) (core.Granted, error) {
				if device == nil {
					return core.Granted{"other": "x"}, nil
				}
				return core.Granted{"device": device}, nil
			}
		}))
		want(t, "Exchange", err, "")
		return token
	}
	tokens := map[string]core.Token{}
	for name, device := range map[string]any{"phone": "phone", "desk": "desk", "number": 7, "none": nil} {
		tokens[name] = on("ada@example.com", device)
	}
	tokens["another's"] = on("bob@example.com", "phone")
	second := on("ada@example.com", "phone")
	nowhere := on("ada@example.com", nil)
	w.whoami(t, "the phone's second", second.Value, "")
	w.whoami(t, "the second of no device", nowhere.Value, "")
	for name, token := range tokens {
		kind := map[string]core.Kind{"phone": core.TokenRevoked, "none": core.TokenRevoked}[name]
		w.whoami(t, "the first of "+name, token.Value, kind)
	}
}

// one: newest is of one identity by one policy: another client's or policy's stays.
func TestOneNewestOfEach(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		inSlot(core.SlotNewest)(terms)
		terms.Policies["other"] = terms.Policies["access"]
	})
	w.account(t, "ada@example.com", nil)
	clients := w.clients(t, "c1", "c2")
	var values []core.Secret
	for _, as := range []struct{ policy, client string }{{"access", ""}, {"access", "c1"}, {"access", "c2"}, {"other", ""}} {
		token, err := w.Exchange(t.Context(), core.Credential{
			As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"),
			Client: clients[as.client], Policy: as.policy, Origin: origin,
		})
		want(t, "Exchange", err, "")
		values = append(values, token.Value)
	}
	key, err := w.keyLogin(t.Context(), "c1", clients["c1"].Secret.Reveal())
	want(t, "Exchange of a key", err, "")
	for _, value := range append(values, key.Value) {
		w.whoami(t, "Whoami", value, "")
	}
}

// one: same. The token is given again until it is over, each time on record, and is
// kept under seal.
func TestOneSame(t *testing.T) {
	for _, tt := range []struct {
		name string
		same bool
		then func(t *testing.T, w *world, token core.Token)
	}{
		{"at once", true, func(*testing.T, *world, core.Token) {}},
		{"a second before its end", true, func(*testing.T, *world, core.Token) { time.Sleep(time.Hour - time.Second) }},
		{"at its end", false, func(*testing.T, *world, core.Token) { time.Sleep(time.Hour) }},
		{"ended", false, func(t *testing.T, w *world, token core.Token) {
			want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
		}},
		{"its row purged", false, func(t *testing.T, w *world, _ core.Token) {
			time.Sleep(2 * time.Hour)
			if removed, err := w.store.PurgeSessions(t.Context(), time.Now(), 10); removed != 1 {
				t.Fatalf("%d purged, %v; want the token", removed, err)
			}
		}},
		{"unused for too long", false, func(*testing.T, *world, core.Token) { time.Sleep(40 * time.Minute) }},
		{"a new password", false, func(t *testing.T, w *world, _ core.Token) { w.newPassword(t) }},
		{"another's sign-in", true, func(t *testing.T, w *world, token core.Token) {
			w.account(t, "bob@example.com", nil)
			bob, err := w.login(t.Context(), "bob@example.com", "right password")
			want(t, "Exchange", err, "")
			if bob.Value.Reveal() == token.Value.Reveal() {
				t.Error("two have one token")
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(terms *core.Terms) {
					inSlot(core.SlotSame)(terms)
					if strings.HasPrefix(tt.name, "unused") {
						policy := terms.Policies["access"]
						policy.Idle = 40 * time.Minute
						terms.Policies["access"] = policy
					}
				})
				first := w.ada(t)
				stored, _, err := w.store.Token(t.Context(), realm, first.Value.Digest())
				if want := "tokens.sealed demo/"; err != nil || !strings.HasPrefix(string(stored.Sealed), want) || !strings.HasSuffix(string(stored.Sealed), first.Value.Reveal()) {
					t.Errorf("sealed is %q, %v; want %q and the token", stored.Sealed, err, want)
				}
				tt.then(t, w, first)
				before := len(w.events(t))
				second := w.adaAgain(t)
				if same := second.Value.Reveal() == first.Value.Reveal(); same != tt.same {
					t.Errorf("the same token: %v, want %v", same, tt.same)
				}
				w.whoami(t, "the second", second.Value, "")
				if !tt.same {
					wantSame(t, "the journal", w.actions(t, before), []string{"exchange"})
					if _, err := w.Whoami(t.Context(), first.Value); err == nil {
						t.Error("the first goes on beside the second")
					}
					return
				}
				wantSame(t, "the journal", w.actions(t, before), []string{"token_reused"})
				if e := w.events(t)[before]; e.TokenID != first.TokenID || e.Session != first.Session.ID || e.Account != first.Account.ID {
					t.Errorf("the journal tells of %+v", e)
				}
				if second.TokenID != first.TokenID || !second.IssuedAt.Equal(first.IssuedAt) || !second.ExpiresAt.Equal(first.ExpiresAt) || second.Session.ID != first.Session.ID {
					t.Errorf("it is told as %+v, want %+v", second.Grant, first.Grant)
				}
			})
		})
	}
}

// one: same gives nobody what was granted for another request.
func TestOneSameGrantsTheSame(t *testing.T) {
	w := newWorld(t, inSlot(core.SlotSame))
	w.account(t, "ada@example.com", nil)
	login := func(scope string) core.Token {
		token, err := w.Exchange(t.Context(), core.Credential{
			As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"), Policy: "access", Origin: origin,
			Judge: func(core.Judged) (core.Granted, error) { return core.Granted{"scope": scope}, nil },
		})
		want(t, "Exchange", err, "")
		return token
	}
	read, write := login("read"), login("write")
	if read.Value.Reveal() == write.Value.Reveal() {
		t.Error("the token for reading was given to write")
	}
	if again := login("read"); again.Value.Reveal() != read.Value.Reveal() || again.Granted["scope"] != "read" {
		t.Errorf("the token for reading is now another one, for %v", again.Granted)
	}
}

// A token that is given again has a refresh token of its own each time, and one that
// was got by refreshing is the one that is given again.
func TestOneSameRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) { p.Slot = core.SlotSame }))
		first := w.ada(t)
		second := w.adaAgain(t)
		if second.Refresh == nil || second.Refresh.Value.Reveal() == first.Refresh.Value.Reveal() {
			t.Fatal("the second sign-in has no refresh token of its own")
		}
		time.Sleep(30 * time.Minute)
		fresh, err := w.refresh(t.Context(), first.Refresh.Value)
		want(t, "Refresh by the first", err, "")
		_, err = w.refresh(t.Context(), second.Refresh.Value)
		want(t, "Refresh by the second", err, "")
		time.Sleep(31 * time.Minute)
		w.whoami(t, "the first", first.Value, core.TokenExpired)
		w.whoami(t, "the refreshed one", fresh.Value, "")
		if again := w.adaAgain(t); again.Session.ID != first.Session.ID || again.Value.Reveal() == first.Value.Reveal() {
			t.Error("the token that is over was given again")
		}
	})
}

// Sign-ins at once all succeed: by one: newest one session is left, by one: same all
// have one token.
func TestSlotAtOnce(t *testing.T) {
	for _, rule := range []core.SlotRule{core.SlotNewest, core.SlotSame} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t, inSlot(rule))
			w.account(t, "ada@example.com", nil)
			var (
				all    sync.WaitGroup
				mu     sync.Mutex
				values = map[string]core.Secret{}
			)
			for range 20 {
				all.Go(func() {
					token, err := w.login(context.Background(), "ada@example.com", "right password")
					want(t, "Exchange", err, "")
					mu.Lock()
					defer mu.Unlock()
					values[token.Value.Reveal()] = token.Value
				})
			}
			all.Wait()
			live := 0
			for _, value := range values {
				if _, err := w.Whoami(t.Context(), value); err == nil {
					live++
				}
			}
			if live != 1 || rule == core.SlotSame && len(values) != 1 {
				t.Errorf("%d tokens, %d of them live; want 1", len(values), live)
			}
		})
	}
}

// Who meets others three times over gives up, and has no token.
func TestSlotGivesUp(t *testing.T) {
	w := newWorld(t, inSlot(core.SlotSame))
	w.account(t, "ada@example.com", nil)
	taken := &takenSlot{Sessions: w.store}
	w.deps.Sessions = taken
	w.open(t)
	token, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, core.Unavailable)
	if taken.tries != 3 || token.Value != (core.Secret{}) {
		t.Errorf("%d tries, a token: %v; want 3 and none", taken.tries, token.Value != (core.Secret{}))
	}
}

type takenSlot struct {
	core.Sessions
	tries int
}

func (s *takenSlot) OpenSession(context.Context, core.Opening) error {
	s.tries++
	return &core.Error{Kind: core.Conflict}
}

// A token that is given again lives no longer than was asked for.
func TestSameTokenKeepsTheLifetimeAskedFor(t *testing.T) {
	w := newPeople(t, inSlot(core.SlotSame))
	w.terms.Policies["access"] = func(p core.Policy) core.Policy {
		p.LeastLifetime, p.MostLifetime, p.Session = time.Minute, 30*day, 30*day
		return p
	}(w.terms.Policies["access"])
	w.open(t)
	w.account(t, "ada@example.com", nil)
	_, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.Lifetime = 20 * day }))
	want(t, "Exchange", err, "")
	short, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.Lifetime = time.Minute }))
	want(t, "Exchange", err, "")
	if short.ExpiresAt.Sub(short.IssuedAt) > time.Minute {
		t.Errorf("a token for a minute lives %v", short.ExpiresAt.Sub(short.IssuedAt))
	}
}
