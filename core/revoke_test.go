package core_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Either token of a session ends all of it.
func TestRevoke(t *testing.T) {
	for name, revocation := range map[string]func(core.Token) core.Revocation{
		"own": func(token core.Token) core.Revocation { return core.Revocation{Token: token.Value, Own: true} },
		"access token": func(token core.Token) core.Revocation {
			return core.Revocation{Token: token.Value}
		},
		"refresh token": func(token core.Token) core.Revocation { return core.Revocation{Token: token.Refresh.Value} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tracked(nil))
			other, token := w.ada(t), w.adaAgain(t)
			before := len(w.events(t))
			r := revocation(token)
			r.Origin = origin
			want(t, "Revoke", w.Revoke(t.Context(), r), "")
			w.whoami(t, "its access token", token.Value, core.TokenRevoked)
			_, err := w.refresh(t.Context(), token.Refresh.Value)
			want(t, "its refresh token", err, core.RefreshRevoked)
			w.whoami(t, "another session's", other.Value, "")
			wantSame(t, "the journal", w.actions(t, before)[:1], []string{"session_ended"})
			if e := w.events(t)[before]; e.Session != token.Session.ID || e.Account != token.Account.ID || e.TokenID != token.TokenID || e.RequestID != "r1" {
				t.Errorf("the journal tells of %+v", e)
			}
		})
	}
}

// S88: what is unknown, over or another's is done; a store that fails is not.
func TestRevokeUnknown(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token func(t *testing.T, w *world) core.Secret
	}{
		{"unknown", func(*testing.T, *world) core.Secret { return core.NewSecret("x") }},
		{"empty", func(*testing.T, *world) core.Secret { return core.Secret{} }},
		{"huge", func(*testing.T, *world) core.Secret { return core.NewSecret(strings.Repeat("x", 9000)) }},
		{"ended", func(t *testing.T, w *world) core.Secret {
			token := w.adaAgain(t)
			want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value}), "")
			return token.Value
		}},
		{"over", func(t *testing.T, w *world) core.Secret {
			token := w.adaAgain(t)
			time.Sleep(30 * day)
			return token.Value
		}},
		{"a ticket", func(t *testing.T, w *world) core.Secret { return w.requestTicket(t, "ada@example.com") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tracked(nil))
				w.ada(t)
				token := tt.token(t, w)
				before := len(w.events(t))
				want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token}), "")
				if actions := w.actions(t, before); len(actions) != 0 {
					t.Errorf("the journal tells of %v", actions)
				}
				err := w.Revoke(t.Context(), core.Revocation{Token: token, Own: true})
				if !core.KindOf(err).IsA(core.Unauthorized) {
					t.Errorf("as one's own: %v, want it unauthorized", err)
				}
			})
		})
	}
	w := newWorld(t, tracked(nil))
	token := w.ada(t)
	l := w.keepLedger(t)
	for _, step := range []string{"Token", "EndSession session_ended"} {
		l.away = step
		for _, own := range []bool{false, true} {
			want(t, "Revoke while away for "+step, w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: own}), core.Unavailable)
			w.open(t) // and forgets
		}
	}
	l.away = ""
	w.whoami(t, "the token after all", token.Value, "")
}

// Of an untracked policy nothing is kept, and so nothing ends.
func TestRevokeUntracked(t *testing.T) {
	w := newWorld(t, nil)
	token := w.ada(t)
	want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
	want(t, "Revoke by nobody", w.Revoke(t.Context(), core.Revocation{Token: token.Value}), "")
	w.whoami(t, "the token after that", token.Value, "")
}

// The caller is asked first, then what the contract lets them end.
func TestRevokeByCaller(t *testing.T) {
	forbidden := func(j core.Judged) (core.Granted, error) {
		if j.Caller == nil || j.Caller.Account.ID != j.Account.ID {
			return nil, &core.Error{Kind: core.Forbidden}
		}
		return nil, nil
	}
	for _, tt := range []struct {
		name   string
		caller func(w *world, own, other core.Token, clients map[string]*core.Client) core.Caller
		judge  core.Judge
		kind   core.Kind
		ends   bool
		told   []string
	}{
		{"nobody", func(*world, core.Token, core.Token, map[string]*core.Client) core.Caller { return core.Caller{} }, nil, "", true, []string{"session_ended"}},
		{"itself", func(_ *world, own, _ core.Token, _ map[string]*core.Client) core.Caller {
			return core.Caller{Bearer: &own.Value}
		}, forbidden, "", true, []string{"session_ended"}},
		{"another whom nothing forbids", func(_ *world, _, other core.Token, _ map[string]*core.Client) core.Caller {
			return core.Caller{Bearer: &other.Value}
		}, nil, "", true, []string{"session_ended"}},
		{"another", func(_ *world, _, other core.Token, _ map[string]*core.Client) core.Caller {
			return core.Caller{Bearer: &other.Value}
		}, forbidden, core.Forbidden, false, []string{"session_ended: forbidden"}},
		{"nobody, when that is forbidden", func(*world, core.Token, core.Token, map[string]*core.Client) core.Caller { return core.Caller{} }, forbidden, core.Forbidden, false, []string{"session_ended: forbidden"}},
		{"a refresh token", func(_ *world, own, _ core.Token, _ map[string]*core.Client) core.Caller {
			return core.Caller{Bearer: &own.Refresh.Value}
		}, nil, core.TokenInvalid, false, nil},
		{"its client", func(_ *world, _, _ core.Token, clients map[string]*core.Client) core.Caller {
			return core.Caller{Client: clients["c1"], ByClient: true}
		}, nil, "", true, []string{"session_ended"}},
		{"another client", func(_ *world, _, _ core.Token, clients map[string]*core.Client) core.Caller {
			return core.Caller{Client: clients["c2"], ByClient: true}
		}, nil, "", false, nil},
		{"no client", func(*world, core.Token, core.Token, map[string]*core.Client) core.Caller {
			return core.Caller{ByClient: true}
		}, nil, "", false, nil},
		{"a wrong client", func(*world, core.Token, core.Token, map[string]*core.Client) core.Caller {
			return core.Caller{Client: &core.Client{Identifier: "c1", Secret: core.NewSecret("x")}, ByClient: true}
		}, nil, core.BadClient, false, []string{"session_ended: bad_client"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tracked(nil))
			clients := w.clients(t, "c1", "c2")
			for _, login := range []string{"ada@example.com", "bob@example.com"} {
				w.account(t, login, nil)
			}
			own, err := w.Exchange(t.Context(), core.Credential{
				As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret("right password"),
				Client: clients["c1"], Policy: "access", Origin: origin,
			})
			want(t, "Exchange", err, "")
			other, err := w.login(t.Context(), "bob@example.com", "right password")
			want(t, "Exchange", err, "")
			before := len(w.events(t))
			for _, token := range []core.Secret{own.Value, core.NewSecret("unknown")} {
				err := w.Revoke(t.Context(), core.Revocation{Token: token, Caller: tt.caller(w, own, other, clients), Judge: tt.judge, Origin: origin})
				kind := tt.kind
				if token != own.Value && (kind == core.Forbidden || tt.ends) {
					if kind = ""; tt.name == "itself" {
						kind = core.TokenRevoked
					}
				}
				want(t, "Revoke", err, kind)
			}
			w.whoami(t, "the token", own.Value, map[bool]core.Kind{true: core.TokenRevoked}[tt.ends])
			if tt.kind == core.BadClient {
				tt.told = append(tt.told, tt.told...) // of both tokens
			}
			wantSame(t, "the journal", w.actions(t, before), tt.told)
		})
	}
}

// RevokeAll ends every token of the account, tracked or not, and nobody else's.
func TestRevokeAll(t *testing.T) {
	for name, change := range map[string]func(*core.Terms){"tracked": tracked(nil), "untracked": nil, "given again": inSlot(core.SlotSame)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, change)
				w.account(t, "bob@example.com", nil)
				bob, err := w.login(t.Context(), "bob@example.com", "right password")
				want(t, "Exchange", err, "")
				first, second := w.ada(t), w.adaAgain(t)
				time.Sleep(1500 * time.Millisecond)
				before := len(w.events(t))
				want(t, "RevokeAll", w.RevokeAll(t.Context(), first.Value, origin), "")
				wantSame(t, "the journal", w.actions(t, before), []string{"tokens_ended"})
				w.whoami(t, "the first", first.Value, core.TokenRevoked)
				w.whoami(t, "the second", second.Value, core.TokenRevoked)
				w.whoami(t, "another's", bob.Value, "")
				want(t, "RevokeAll again", w.RevokeAll(t.Context(), first.Value, origin), core.TokenRevoked)
				w.whoami(t, "the next", w.adaAgain(t).Value, "")
			})
		})
	}
}

// S87: every defect of the token asked about is one kind, told only to who may ask.
func TestIntrospect(t *testing.T) {
	w := newWorld(t, tracked(nil))
	clients := w.clients(t, "c1")
	caller := w.ada(t)
	subject := func(login string, then func(core.Token)) core.Secret {
		account := w.account(t, login, nil)
		token, err := w.login(t.Context(), login, "right password")
		want(t, "Exchange", err, "")
		if then != nil {
			then(token)
		}
		if token.Account.ID != account.ID {
			t.Fatal("signed in as somebody else")
		}
		return token.Value
	}
	foreign := core.Session{ID: "foreign", Realm: realm, Dialect: "other", Policy: "access", Account: caller.Account.ID}
	want(t, "OpenSession", w.store.OpenSession(t.Context(), core.Opening{Session: foreign, Tokens: []core.StoredToken{
		{Digest: core.NewSecret("foreign").Digest(), Session: "foreign", Use: core.UseAccess},
	}}), "")
	var refresh core.Secret
	good := subject("good", func(token core.Token) { refresh = token.Refresh.Value })
	tokens := map[string]core.Secret{
		"good": good, "refresh": refresh, "unknown": core.NewSecret("x"), "empty": {}, "huge": core.NewSecret(strings.Repeat("x", 9000)),
		"ended": subject("ended", func(token core.Token) {
			want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
		}),
		"disabled": subject("disabled", func(core.Token) {
			_, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "disabled"}, origin)
			want(t, "DisableAccount", err, "")
		}),
		"unverified": subject("unverified", func(token core.Token) {
			w.change(t, token.Account.ID, func(a *core.Account) { a.Verified = false })
		}),
		"expired": subject("expired", func(token core.Token) {
			past := []core.StoredToken{{Digest: core.NewSecret("past").Digest(), Use: core.UseAccess, ExpiresAt: time.Now()}}
			if err := w.store.AddTokens(t.Context(), realm, token.Session.ID, time.Now(), past, 0, core.Event{}); err != nil {
				t.Fatal(err)
			}
		}),
		"of another dialect": core.NewSecret("foreign"),
	}
	nobody := core.NewSecret("nobody")
	for _, by := range []struct {
		name   string
		caller core.Caller
		kind   core.Kind
	}{
		{"bearer", core.Caller{Bearer: &caller.Value}, ""},
		{"client", core.Caller{Client: clients["c1"]}, ""},
		{"unknown bearer", core.Caller{Bearer: &nobody}, core.TokenInvalid},
		{"refresh token", core.Caller{Bearer: &caller.Refresh.Value}, core.TokenInvalid},
		{"wrong client", core.Caller{Client: &core.Client{Identifier: "c1", Secret: nobody}}, core.BadClient},
		{"unknown client", core.Caller{Client: &core.Client{Identifier: "c9", Secret: nobody}}, core.BadClient},
		{"nobody", core.Caller{}, core.Internal},
	} {
		for name, token := range tokens {
			w.attempts.ended = nil
			got, asking, err := w.Introspect(t.Context(), core.Inquiry{Token: token, Caller: by.caller, Origin: origin})
			kind := by.kind
			if kind == "" && name != "good" {
				kind = core.SubjectInvalid
			}
			want(t, by.name+" asks about "+name, err, kind)
			if kind != "" {
				if got.Account.ID != "" || asking.Account.ID != "" {
					t.Errorf("%s asks about %s: told of %q and %q", by.name, name, got.Account.ID, asking.Account.ID)
				}
				continue
			}
			if got.Account.Login != "good" || got.Session == nil {
				t.Errorf("%s asks about %s: told of %+v", by.name, name, got)
			}
			switch by.name {
			case "bearer":
				if asking.Account.ID != caller.Account.ID {
					t.Errorf("the caller is %+v", asking)
				}
			case "client":
				if asking.Client == nil || asking.Client.Identifier != "c1" || asking.Account.Login != "partner" {
					t.Errorf("the caller is %+v", asking)
				}
				wantSame(t, "the attempt", w.attempts.ended, []string{"succeeded"})
			}
		}
	}

	judge := func(j core.Judged) (core.Granted, error) {
		if j.Account.Login != "good" || j.Caller.Account.ID != caller.Account.ID {
			return nil, errors.New("judged as somebody else")
		}
		return nil, &core.Error{Kind: core.Forbidden}
	}
	_, _, err := w.Introspect(t.Context(), core.Inquiry{Token: good, Caller: core.Caller{Bearer: &caller.Value}, Judge: judge})
	want(t, "what the contract forbids", err, core.Forbidden)
	w.attempts.full = true
	_, _, err = w.Introspect(t.Context(), core.Inquiry{Token: good, Caller: core.Caller{Client: clients["c1"]}})
	want(t, "a client that guesses too often", err, core.RateLimited)
	w.attempts.full = false
	w.keepLedger(t).away = "Token"
	_, _, err = w.Introspect(t.Context(), core.Inquiry{Token: good, Caller: core.Caller{Client: clients["c1"]}})
	want(t, "while the store is away", err, core.Unavailable)
}

// S48: what was granted to a client, or got by a key, ends when the key's attributes
// change, or it is put out of use; what the key is called makes no difference.
func TestChangedKeysEndTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*core.AccessKeySpec)
		kind   core.Kind
	}{
		{"another name", func(s *core.AccessKeySpec) { s.Name = "App" }, ""},
		{"a later end", func(s *core.AccessKeySpec) { s.ExpiresAt = time.Now().Add(time.Hour) }, ""},
		{"other attributes", func(s *core.AccessKeySpec) { s.Attributes = core.Attributes{"team": "orders.read"} }, core.TokenRevoked},
		{"no attributes", func(s *core.AccessKeySpec) { s.Attributes = nil }, core.TokenRevoked},
		{"out of use for a while", func(s *core.AccessKeySpec) { s.State = core.KeyStatePending }, core.TokenRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newPeople(t, tracked(nil))
				w.account(t, "ada@example.com", nil)
				w.account(t, "partner", nil)
				w.account(t, "careful", nil)
				code, _ := w.enroll(t, "careful")
				spec := core.AccessKeySpec{
					Realm: realm, Identifier: "c1", Owner: "partner", State: core.KeyStateActive, Attributes: core.Attributes{"team": "orders.write"},
				}
				_, secret, err := w.registry.CreateAccessKey(t.Context(), spec, origin)
				want(t, "CreateAccessKey", err, "")
				client := &core.Client{Identifier: "c1", Secret: secret}
				login := func(as core.SubjectKind, name string, with core.Secret) (core.Token, error) {
					return w.Exchange(t.Context(), password(name, with.Reveal(), func(c *core.Credential) {
						if c.As = []core.SubjectKind{as}; as == core.SubjectKey {
							return
						}
						c.Client = client
						c.Judge = func(judged core.Judged) (core.Granted, error) {
							return core.Granted{"scope": judged.Client.Attributes["team"]}, nil
						}
					}))
				}
				right := core.NewSecret("right password")
				user, err := login(core.SubjectAccount, "ada@example.com", right)
				want(t, "Exchange of a user", err, "")
				own, err := login(core.SubjectKey, "c1", secret)
				want(t, "Exchange of the key itself", err, "")
				_, err = login(core.SubjectAccount, "careful", right)
				refusal, _ := errors.AsType[*core.Error](err)
				time.Sleep(time.Second)

				tt.change(&spec)
				_, err = w.registry.UpdateAccessKey(t.Context(), spec, origin)
				want(t, "UpdateAccessKey", err, "")
				if spec.State != core.KeyStateActive {
					_, err = w.registry.ApproveAccessKey(t.Context(), realm, "c1", origin)
					want(t, "ApproveAccessKey", err, "")
				}
				w.whoami(t, "the user's token", user.Value, tt.kind)
				w.whoami(t, "the key's own", own.Value, tt.kind)
				refreshed, resumed := core.Kind(""), core.Kind("")
				if tt.kind != "" {
					refreshed, resumed = core.RefreshRevoked, core.TicketUsed
				}
				_, err = w.Refresh(t.Context(), core.Renewal{Refresh: user.Refresh.Value, Client: client, Origin: origin})
				want(t, "Refresh", err, refreshed)
				_, err = w.Resume(t.Context(), core.Resumption{Challenge: refusal.Challenge.Value, OTP: code(), Origin: origin})
				want(t, "Resume", err, resumed)
				again, err := login(core.SubjectAccount, "ada@example.com", right)
				want(t, "Exchange after that", err, "")
				w.whoami(t, "a token of it", again.Value, "")
			})
		})
	}
}

// Extend gives another token of the session, until nothing is left of it.
func TestExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) { p.Session, p.Refresh.Lifetime = 3*time.Hour, time.Hour }))
		first := w.ada(t)
		before := len(w.events(t))
		time.Sleep(30 * time.Minute)
		second, err := w.Extend(t.Context(), core.Extension{Token: first.Value, Origin: origin})
		want(t, "Extend", err, "")
		if second.Session.ID != first.Session.ID || !second.ExpiresAt.Equal(first.ExpiresAt.Add(30*time.Minute)) || second.Refresh != nil {
			t.Errorf("the second is of session %q until %v", second.Session.ID, second.ExpiresAt)
		}
		w.whoami(t, "the first", first.Value, "")
		third, err := w.Extend(t.Context(), core.Extension{Token: second.Value, EndOld: true, Origin: origin})
		want(t, "Extend that ends the old", err, "")
		w.whoami(t, "the first after that", first.Value, core.TokenExpired)
		w.whoami(t, "the second after that", second.Value, core.TokenExpired)
		w.whoami(t, "the third", third.Value, "")
		wantSame(t, "the journal", w.actions(t, before), []string{"token_extended", "token_extended"})
		_, err = w.refresh(t.Context(), first.Refresh.Value)
		want(t, "the refresh token after that", err, "")

		last := third
		for range 6 {
			time.Sleep(29 * time.Minute)
			token, err := w.Extend(t.Context(), core.Extension{Token: last.Value, Origin: origin})
			if err != nil {
				want(t, "Extend of the last", err, core.SessionOver)
				break
			}
			last = token
		}
		if end := first.IssuedAt.Add(3 * time.Hour); !last.ExpiresAt.Equal(end) {
			t.Errorf("the last ends %v, want with the session, %v", last.ExpiresAt, end)
		}
		_, err = w.Extend(t.Context(), core.Extension{Token: core.NewSecret("x"), Origin: origin})
		want(t, "Extend of an unknown token", err, core.TokenInvalid)
		_, err = w.Extend(t.Context(), core.Extension{Token: last.Value, Origin: origin})
		want(t, "Extend of the last", err, core.SessionOver)
	})
}

// One bearer token does not fill the store, for which it needs no hash and has no
// count against it: a session has 20 access tokens that hold.
func TestSessionsHaveFewTokens(t *testing.T) {
	for name, more := range map[string]func(*world, *testing.T, core.Token) (core.Token, error){
		"extend": func(w *world, t *testing.T, first core.Token) (core.Token, error) {
			return w.Extend(t.Context(), core.Extension{Token: first.Value, Origin: origin})
		},
		"refresh": func(w *world, t *testing.T, first core.Token) (core.Token, error) {
			return w.refresh(t.Context(), first.Refresh.Value)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, tracked(func(p *core.Policy) { p.Refresh.Keep = true }))
			first := w.ada(t)
			var last core.Token
			for range 20 {
				time.Sleep(time.Second)
				token, err := more(w, t, first)
				want(t, name, err, "")
				last = token
			}
			time.Sleep(time.Minute) // longer than any token is remembered
			w.whoami(t, name+": the first of 21 tokens", first.Value, core.TokenExpired)
			w.whoami(t, name+": the last", last.Value, "")
			if name == "extend" {
				_, err := more(w, t, first)
				want(t, "extend by a token that has ended so", err, core.TokenExpired)
			}
		})
	}
}

// The same token can be given another end, never beyond its session's.
func TestExtendInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tracked(func(p *core.Policy) {
			p.Session, p.Refresh = 3*time.Hour, nil
			p.LeastLifetime, p.MostLifetime = time.Minute, 2*time.Hour
		}))
		first := w.ada(t)
		before := len(w.events(t))
		extend := func(what string, asked time.Duration, end time.Duration) {
			t.Helper()
			token, err := w.Extend(t.Context(), core.Extension{Token: first.Value, Same: true, Lifetime: asked, Origin: origin})
			want(t, what, err, "")
			wantEnd := first.IssuedAt.Add(end)
			if token.Value.Reveal() != first.Value.Reveal() || token.TokenID != first.TokenID || token.Session.ID != first.Session.ID || token.Refresh != nil ||
				!token.IssuedAt.Equal(time.Now().UTC()) || !token.ExpiresAt.Equal(wantEnd) {
				t.Errorf("%s: the token %q from %v to %v, want the same to %v", what, token.TokenID, token.IssuedAt, token.ExpiresAt, wantEnd)
			}
			if identity := w.whoami(t, what, first.Value, ""); !identity.ExpiresAt.Equal(wantEnd) || !identity.IssuedAt.Equal(first.IssuedAt) {
				t.Errorf("%s: Whoami tells of %v to %v, want %v to %v", what, identity.IssuedAt, identity.ExpiresAt, first.IssuedAt, wantEnd)
			}
		}
		time.Sleep(59 * time.Minute)
		extend("the policy's own lifetime", 0, 119*time.Minute)
		extend("a shorter one", time.Second, time.Hour) // which is a minute at least
		extend("a longer one", 9*time.Hour, 179*time.Minute)
		time.Sleep(2*time.Hour - time.Minute)
		extend("what is left of the session", 0, 3*time.Hour)
		extend("what is left again", 0, 3*time.Hour)
		time.Sleep(2 * time.Minute)
		_, err := w.Extend(t.Context(), core.Extension{Token: first.Value, Same: true, Origin: origin})
		want(t, "the end of the session", err, core.TokenExpired)
		wantSame(t, "the journal", w.actions(t, before), []string{"token_extended", "token_extended", "token_extended", "token_extended", "token_extended"})
	})
}

// What ends a token while it is prolonged ends it.
func TestExtendInPlaceLosesTheRace(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind core.Kind // of the extension
		then func(t *testing.T, w *world, token core.Token)
	}{
		{"to a logout", core.TokenRevoked, func(t *testing.T, w *world, token core.Token) {
			want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
		}},
		{"to a logout everywhere", "", func(t *testing.T, w *world, token core.Token) {
			want(t, "RevokeAll", w.RevokeAll(t.Context(), token.Value, origin), "")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tracked(nil))
			token := w.ada(t)
			slow := &meanwhile{Tokens: w.store}
			w.deps.Tokens = slow
			w.open(t)
			slow.then = func() { tt.then(t, w, token) }
			_, err := w.Extend(t.Context(), core.Extension{Token: token.Value, Same: true, Origin: origin})
			want(t, "Extend", err, tt.kind)
			w.whoami(t, "the token", token.Value, core.TokenRevoked)
		})
	}
}

func TestExtendInPlaceRefuses(t *testing.T) {
	w := newWorld(t, tracked(signed))
	token := w.ada(t)
	_, err := w.Extend(t.Context(), core.Extension{Token: token.Value, Same: true, Origin: origin})
	want(t, "Extend of a JWT", err, core.TokenForeign)
	w.whoami(t, "the JWT", token.Value, "")
}

func TestExtendRefuses(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.Extend(t.Context(), core.Extension{Token: w.ada(t).Value, Origin: origin})
	want(t, "Extend of what is not tracked", err, core.SessionOver)

	w = newWorld(t, tracked(nil))
	token := w.ada(t)
	_, err = w.Extend(t.Context(), core.Extension{Token: token.Refresh.Value, Origin: origin})
	want(t, "Extend by a refresh token", err, core.TokenInvalid)
	_, err = w.registry.HoldAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, core.Locked, origin)
	want(t, "HoldAccount", err, "")
	_, err = w.Extend(t.Context(), core.Extension{Token: token.Value, Origin: origin})
	want(t, "Extend by an account on hold", err, core.AccountInactive)
	w.whoami(t, "its token in hand", token.Value, "")
}
