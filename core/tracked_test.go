package core_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

const day = 24 * time.Hour

// tracked makes the policy one of opaque tokens with sessions and refresh tokens.
func tracked(change func(*core.Policy)) func(*core.Terms) {
	return func(terms *core.Terms) {
		policy := terms.Policies["access"]
		policy.Format, policy.Session = core.FormatOpaque, 30*day
		policy.Refresh = &core.RefreshPolicy{Opaque: core.Opaque{Form: "uuid"}, Lifetime: 14 * day}
		if change != nil {
			change(&policy)
		}
		terms.Policies["access"] = policy
	}
}

// signed makes tracked tokens JWTs.
func signed(p *core.Policy) {
	p.Format = core.FormatJWT
	p.Claims = func(g core.Grant) ([]byte, error) {
		return []byte(`{"sub":"` + string(g.Account.ID) + `","jti":"` + g.TokenID + `","iat":` + seconds(g.IssuedAt) + `,"exp":` + seconds(g.ExpiresAt) + `}`), nil
	}
}

// ada signs in; the account is made first.
func (w *world) ada(t *testing.T) core.Token {
	t.Helper()
	w.account(t, "ada@example.com", nil)
	return w.adaAgain(t)
}

func (w *world) adaAgain(t *testing.T) core.Token {
	t.Helper()
	token, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, "")
	return token
}

func (w *world) refresh(ctx context.Context, token core.Secret) (core.Token, error) {
	return w.Refresh(ctx, core.Renewal{Refresh: token, Origin: origin})
}

func (w *world) whoami(t *testing.T, what string, token core.Secret, kind core.Kind) core.Identity {
	t.Helper()
	identity, err := w.Whoami(t.Context(), token)
	want(t, what, err, kind)
	return identity
}

// actions are those that the journal tells of, from a place on.
func (w *world) actions(t *testing.T, from int) (all []string) {
	t.Helper()
	for _, e := range w.events(t)[from:] {
		text := string(e.Action)
		if e.Outcome != "" {
			text += ": " + string(e.Outcome)
		}
		all = append(all, text)
	}
	return all
}

func wantSame[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// change edits an account as nothing in core does.
func (w *world) change(t *testing.T, id core.AccountID, edit func(*core.Account)) {
	t.Helper()
	if err := w.store.UpdateAccount(t.Context(), realm, id, func(a *core.Account) (core.Event, error) {
		edit(a)
		return core.Event{}, nil
	}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) newPassword(t *testing.T) {
	t.Helper()
	ticket := w.requestTicket(t, "ada@example.com")
	want(t, "ResetPassword", w.ResetPassword(t.Context(), core.PasswordReset{Ticket: ticket, Password: core.NewSecret("right password")}), "")
}

// clients are access keys of one partner, as requests bring them.
func (w *world) clients(t *testing.T, identifiers ...string) map[string]*core.Client {
	t.Helper()
	w.account(t, "partner", nil)
	all := map[string]*core.Client{}
	for _, identifier := range identifiers {
		_, secret, err := w.registry.CreateAccessKey(t.Context(), core.AccessKeySpec{Realm: realm, Identifier: identifier, Owner: "partner", State: core.KeyStateActive}, origin)
		want(t, "CreateAccessKey", err, "")
		all[identifier] = &core.Client{Identifier: identifier, Secret: secret}
	}
	return all
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// S28: each of four kinds of token opens its own place alone.
func TestPurposes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(terms *core.Terms) {
			tracked(nil)(terms)
			terms.AskSecondFactor = true
		})
		kinds := map[string]func(login string) core.Secret{
			"access": func(login string) core.Secret {
				token, err := w.login(t.Context(), login, "right password")
				want(t, "Exchange", err, "")
				return token.Value
			},
			"refresh": func(login string) core.Secret {
				token, err := w.login(t.Context(), login, "right password")
				want(t, "Exchange", err, "")
				return token.Refresh.Value
			},
			"challenge": func(login string) core.Secret {
				_, err := w.registry.EnrollFactor(t.Context(), core.AccountName{Realm: realm, Login: login}, origin)
				want(t, "EnrollFactor", err, "")
				_, err = w.login(t.Context(), login, "right password")
				refusal, _ := errors.AsType[*core.Error](err)
				return refusal.Challenge.Value
			},
			"recovery": func(login string) core.Secret { return w.requestTicket(t, login) },
		}
		for place, open := range map[string]func(core.Secret) error{
			"access": func(s core.Secret) error { _, err := w.Whoami(t.Context(), s); return err },
			"refresh": func(s core.Secret) error {
				_, err := w.refresh(t.Context(), s)
				return err
			},
			"challenge": func(s core.Secret) error {
				_, err := w.Resume(t.Context(), core.Resumption{Challenge: s, OTP: core.NewSecret("000000"), Origin: origin})
				return err
			},
			"recovery": func(s core.Secret) error {
				return w.ResetPassword(t.Context(), core.PasswordReset{Ticket: s, Password: core.NewSecret("a new password"), Origin: origin})
			},
		} {
			for kind, make := range kinds {
				login := kind + " at " + place + "@example.com"
				w.account(t, login, func(s *core.AccountSpec) { s.Email = kind + "." + place + "@example.com" })
				wanted := map[string]core.Kind{"access": core.TokenInvalid, "refresh": core.RefreshUnknown, "challenge": core.TicketUnknown, "recovery": core.TicketUnknown}[place]
				if kind == place {
					wanted = map[string]core.Kind{"challenge": core.BadOTP}[place] // which it asks only of its own
				}
				want(t, kind+" at "+place, open(make(login)), wanted)
			}
		}
	})
}

// A file that is served anew may track its tokens no longer: what was ended stays so.
func TestEndedTokensStayEndedUntracked(t *testing.T) {
	w := newWorld(t, tracked(signed))
	token := w.ada(t)
	want(t, "Revoke", w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true}), "")
	w.terms.Policies["access"] = newWorld(t, nil).terms.Policies["access"]
	w.open(t)
	w.whoami(t, "the ended token, not tracked any more", token.Value, core.TokenInvalid)
	w.whoami(t, "a new one", w.adaAgain(t).Value, "")
}
