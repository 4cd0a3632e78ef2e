package core_test

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/counter"
)

// S5: the second factor is asked for after the password and the state, and costs
// nothing that a wrong password could tell it by.
func TestSecondFactorComesAfterThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPeople(t, nil)
		w.account(t, "plain@example.com", nil)
		w.account(t, "ada@example.com", nil)
		w.account(t, "idle@example.com", nil)
		w.account(t, "held@example.com", nil)
		code, recovery := w.enroll(t, "ada@example.com")
		idleCode, _ := w.enroll(t, "idle@example.com")
		heldCode, _ := w.enroll(t, "held@example.com")
		if _, err := w.registry.DisableAccount(t.Context(), named("idle@example.com"), origin); err != nil {
			t.Fatal(err)
		}
		if _, err := w.registry.HoldAccount(t.Context(), named("held@example.com"), core.Locked, origin); err != nil {
			t.Fatal(err)
		}
		used := code()
		for _, tt := range []struct {
			name, login, password string
			otp, recovery         core.Secret
			kind                  core.Kind
			counted               string
			methods               []string
		}{
			{"without a factor", "plain@example.com", "right password", core.Secret{}, core.Secret{}, "", "succeeded", []string{"password"}},
			{"without a factor, but with a code", "plain@example.com", "right password", used, core.Secret{}, "", "succeeded", []string{"password"}},
			{"wrong password", "ada@example.com", "wrong password", core.Secret{}, core.Secret{}, core.BadSecret, "failed", nil},
			{"wrong password and a code", "ada@example.com", "wrong password", used, core.Secret{}, core.BadSecret, "failed", nil},
			{"nobody and a code", "nobody@example.com", "right password", used, core.Secret{}, core.Unknown, "failed", nil},
			{"inactive", "idle@example.com", "right password", core.Secret{}, core.Secret{}, core.Inactive, "abandoned", nil},
			{"inactive, with a code", "idle@example.com", "right password", idleCode(), core.Secret{}, core.Inactive, "abandoned", nil},
			{"locked, with a code", "held@example.com", "right password", heldCode(), core.Secret{}, core.Locked, "abandoned", nil},
			{"no code", "ada@example.com", "right password", core.Secret{}, core.Secret{}, core.MFARequired, "abandoned", nil},
			{"empty code", "ada@example.com", "right password", core.NewSecret(""), core.NewSecret(""), core.MFARequired, "abandoned", nil},
			{"wrong code", "ada@example.com", "right password", core.NewSecret("000000"), core.Secret{}, core.BadOTP, "failed", nil},
			{"another account's code", "ada@example.com", "right password", heldCode(), core.Secret{}, core.BadOTP, "failed", nil},
			{"right code", "ada@example.com", "right password", used, core.Secret{}, "", "succeeded", []string{"password", "totp"}},
			{"the same code again", "ada@example.com", "right password", used, core.Secret{}, core.BadOTP, "failed", nil},
			{"wrong recovery code", "ada@example.com", "right password", core.Secret{}, core.NewSecret("AAAA-AAAA-AAAA-AAAA"), core.BadOTP, "failed", nil},
			{"recovery code", "ada@example.com", "right password", core.Secret{}, recovery[0], "", "succeeded", []string{"password", "recovery_code"}},
			{"the same recovery code again", "ada@example.com", "right password", core.Secret{}, recovery[0], core.BadOTP, "failed", nil},
			{"another recovery code", "ada@example.com", "right password", core.Secret{}, recovery[9], "", "succeeded", []string{"password", "recovery_code"}},
		} {
			w.passwords.compared, w.attempts.ended = nil, nil
			token, err := w.Exchange(t.Context(), password(tt.login, tt.password, func(c *core.Credential) { c.OTP, c.RecoveryCode = tt.otp, tt.recovery }))
			want(t, tt.name, err, tt.kind)
			if len(w.passwords.compared) != 1 || !slices.Equal(w.attempts.ended, []string{tt.counted}) {
				t.Errorf("%s: %d comparisons, and the attempt %v; want 1, %s", tt.name, len(w.passwords.compared), w.attempts.ended, tt.counted)
			}
			if !slices.Equal(token.Methods, tt.methods) {
				t.Errorf("%s: signed in by %q, want %q", tt.name, token.Methods, tt.methods)
			}
			refusal, _ := errors.AsType[*core.Error](err)
			if has := refusal != nil && refusal.Challenge != nil; has != (tt.kind == core.MFARequired) {
				t.Errorf("%s: challenge %v", tt.name, has)
			}
		}
		// Codes of steps before a used one are void, those after it are not.
		time.Sleep(30 * time.Second)
		_, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.OTP = used }))
		want(t, "the used code, a step later", err, core.BadOTP)
		_, err = w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.OTP = code() }))
		want(t, "the next code", err, "")
	})
}

// One code gives one sign-in, however many ask at once.
func TestCodesWorkOnce(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", nil)
	code, recovery := w.enroll(t, "ada@example.com")
	for name, change := range map[string]func(*core.Credential){
		"code":          func(c *core.Credential) { c.OTP = code() },
		"recovery code": func(c *core.Credential) { c.RecoveryCode = recovery[3] },
	} {
		credential := password("ada@example.com", "right password", change)
		var all sync.WaitGroup
		outcomes := make(chan core.Kind, 20)
		for range cap(outcomes) {
			all.Go(func() {
				_, err := w.Exchange(t.Context(), credential)
				outcomes <- core.KindOf(err)
			})
		}
		all.Wait()
		close(outcomes)
		count := map[core.Kind]int{}
		for kind := range outcomes {
			count[kind]++
		}
		if count[""] != 1 || count[core.BadOTP] != 19 {
			t.Errorf("%s: %v, want one success", name, count)
		}
	}
}

// An authority that does not ask for second factors lets accounts that have one in.
func TestSecondFactorIsNotAskedFor(t *testing.T) {
	w := newPeople(t, func(terms *core.Terms) { terms.AskSecondFactor = false })
	w.account(t, "ada@example.com", nil)
	w.enroll(t, "ada@example.com")
	_, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, "")
}

// challenged signs in up to the second factor.
func (w *world) challenged(t *testing.T, login string, change func(*core.Credential)) core.Secret {
	t.Helper()
	_, err := w.Exchange(t.Context(), password(login, "right password", change))
	want(t, "Exchange", err, core.MFARequired)
	refusal, ok := errors.AsType[*core.Error](err)
	if !ok || refusal.Challenge == nil {
		t.Fatalf("%v has no challenge", err)
	}
	if left := time.Until(refusal.Challenge.ExpiresAt); left <= 4*time.Minute || left > 5*time.Minute {
		t.Errorf("the challenge ends in %v, want 5 minutes", left)
	}
	return refusal.Challenge.Value
}

// What was settled before the code was asked for is what the token is made of.
func TestResumeGoesOn(t *testing.T) {
	w := newPeople(t, func(terms *core.Terms) {
		other := terms.Policies["access"]
		other.Name = "other"
		terms.Policies["other"] = other
	})
	w.tenant(t, "t-1", "ACME", true)
	w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Tenant = "t-1" })
	w.account(t, "maker", nil)
	_, secret, err := w.registry.CreateAccessKey(t.Context(), core.AccessKeySpec{Realm: realm, Owner: "maker", Identifier: "app", State: core.KeyStateActive}, origin)
	if err != nil {
		t.Fatal(err)
	}
	code, _ := w.enroll(t, "ada@example.com")
	challenge := w.challenged(t, "ada@example.com", func(c *core.Credential) {
		c.Policy, c.Client = "other", &core.Client{Identifier: "app", Secret: secret}
		c.Judge = func(judged core.Judged) (core.Granted, error) {
			return core.Granted{"scope": "read", "seats": 3.0, "login": judged.Account.Login}, nil
		}
	})
	token, err := w.Resume(t.Context(), core.Resumption{Challenge: challenge, OTP: code(), Origin: origin})
	want(t, "Resume", err, "")
	if token.Policy != "other" || token.Client == nil || token.Client.Identifier != "app" || token.Tenant == nil || token.Tenant.ID != "t-1" ||
		token.Granted["scope"] != "read" || token.Granted["seats"] != 3.0 || token.Granted["login"] != "ada@example.com" ||
		!slices.Equal(token.Methods, []string{"password", "totp"}) {
		t.Errorf("the token is of %+v", token.Grant)
	}
	identity, err := w.Whoami(t.Context(), token.Value)
	if want(t, "Whoami", err, ""); identity.Account.Login != "ada@example.com" {
		t.Errorf("Whoami() = %+v", identity)
	}
	if last := w.lastEvent(t); last.Action != core.ActionExchange || last.Outcome != "" {
		t.Errorf("the journal ends with %+v", last)
	}
	_, err = w.Resume(t.Context(), core.Resumption{Challenge: challenge, OTP: code(), Origin: origin})
	want(t, "Resume again", err, core.TicketUsed)
}

// A challenge ends by all that ends the right to sign in, and by a wrong code it
// does not.
func TestResumeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    core.Kind
		counted string
		then    func(t *testing.T, w *world, r *core.Resumption)
	}{
		{"right", "", "succeeded", nil},
		{"recovery code", "", "succeeded", func(_ *testing.T, _ *world, r *core.Resumption) { r.OTP = core.Secret{} }},
		{"wrong code", core.BadOTP, "failed", func(_ *testing.T, _ *world, r *core.Resumption) { r.OTP = core.NewSecret("000000") }},
		{"no code", core.BadOTP, "failed", func(_ *testing.T, _ *world, r *core.Resumption) { r.OTP = core.Secret{} }},
		{"after a wrong code", "", "succeeded", func(t *testing.T, w *world, r *core.Resumption) {
			_, err := w.Resume(t.Context(), core.Resumption{Challenge: r.Challenge, OTP: core.NewSecret("000000"), Origin: origin})
			want(t, "the wrong code", err, core.BadOTP)
		}},
		{"five minutes later", core.TicketExpired, "failed", func(*testing.T, *world, *core.Resumption) { time.Sleep(5 * time.Minute) }},
		{"replaced by a newer one", core.TicketUnknown, "failed", func(t *testing.T, w *world, _ *core.Resumption) {
			w.challenged(t, "ada@example.com", nil)
		}},
		{"truncated", core.TicketUnknown, "failed", func(_ *testing.T, _ *world, r *core.Resumption) {
			r.Challenge = core.NewSecret(r.Challenge.Reveal()[1:])
		}},
		{"no challenge", core.TicketUnknown, "failed", func(_ *testing.T, _ *world, r *core.Resumption) { r.Challenge = core.Secret{} }},
		{"disabled", core.TicketInactive, "failed", func(t *testing.T, w *world, _ *core.Resumption) {
			if _, err := w.registry.DisableAccount(t.Context(), named("ada@example.com"), origin); err != nil {
				t.Fatal(err)
			}
		}},
		{"locked", core.Locked, "abandoned", func(t *testing.T, w *world, _ *core.Resumption) {
			if _, err := w.registry.HoldAccount(t.Context(), named("ada@example.com"), core.Locked, origin); err != nil {
				t.Fatal(err)
			}
		}},
		{"tenant shut", core.Inactive, "abandoned", func(t *testing.T, w *world, _ *core.Resumption) {
			w.tenant(t, "t-1", "ACME", false)
		}},
		{"a new password", core.TicketUsed, "failed", func(t *testing.T, w *world, _ *core.Resumption) {
			ticket := w.requestTicket(t, "ada@example.com")
			want(t, "ResetPassword", w.ResetPassword(t.Context(), core.PasswordReset{Ticket: ticket, Password: core.NewSecret("a new password")}), "")
		}},
		{"another dialect", core.TicketUnknown, "failed", func(t *testing.T, w *world, _ *core.Resumption) {
			w.terms.Dialect = "other"
			w.open(t)
		}},
		{"the factor taken away", "", "succeeded", func(t *testing.T, w *world, _ *core.Resumption) {
			if _, err := w.registry.RemoveFactor(t.Context(), named("ada@example.com"), origin); err != nil {
				t.Fatal(err)
			}
		}},
		{"the factor replaced", core.BadOTP, "failed", func(t *testing.T, w *world, _ *core.Resumption) {
			if _, err := w.registry.RemoveFactor(t.Context(), named("ada@example.com"), origin); err != nil {
				t.Fatal(err)
			}
			w.enroll(t, "ada@example.com")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newPeople(t, nil)
				w.tenant(t, "t-1", "ACME", true)
				w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Tenant = "t-1" })
				code, recovery := w.enroll(t, "ada@example.com")
				r := core.Resumption{Challenge: w.challenged(t, "ada@example.com", nil), OTP: code(), Origin: origin}
				if tt.then != nil {
					tt.then(t, w, &r)
				}
				if r.OTP == (core.Secret{}) && tt.kind == "" {
					r.RecoveryCode = recovery[0]
				}
				w.attempts.ended = nil
				token, err := w.Resume(t.Context(), r)
				want(t, "Resume", err, tt.kind)
				if !slices.Equal(w.attempts.ended, []string{tt.counted}) {
					t.Errorf("the attempt %v, want %s", w.attempts.ended, tt.counted)
				}
				if (token.Value == core.Secret{}) != (tt.kind != "") {
					t.Errorf("token %v", token)
				}
				if last := w.lastEvent(t); last.Action != core.ActionExchange || last.Outcome != tt.kind {
					t.Errorf("the journal ends with %+v, want the outcome %q", last, tt.kind)
				}
			})
		})
	}
}

// Codes are guessed at the cost of guessing passwords: as attempts at the account.
func TestResumeIsThrottledWithTheAccount(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", nil)
	w.enroll(t, "ada@example.com")
	challenge := w.challenged(t, "Ada@Example.com", nil)
	signIn := w.attempts.keys[0]
	w.attempts.keys, w.attempts.full = nil, true
	_, err := w.Resume(t.Context(), core.Resumption{Challenge: challenge, OTP: core.NewSecret("000000"), Origin: origin})
	want(t, "Resume", err, core.RateLimited)
	if !slices.Equal(w.attempts.keys, []core.AttemptKey{signIn}) {
		t.Errorf("counted as %+v, want %+v", w.attempts.keys, signIn)
	}
	if w.count(t, core.ActionFactorUsed) != 0 {
		t.Error("a code was compared")
	}
}

// Who knows the password gets a challenge, and does not end the owner's by it.
func TestChallengesOfOthersStay(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", nil)
	code, _ := w.enroll(t, "ada@example.com")
	owners := w.challenged(t, "ada@example.com", nil)
	w.challenged(t, "ada@example.com", func(c *core.Credential) { c.Origin.Address = netip.MustParseAddr("203.0.113.9") })
	_, err := w.Resume(t.Context(), core.Resumption{Challenge: owners, OTP: code(), Origin: origin})
	want(t, "Resume", err, "")
}

// S19: codes are not guessed from many networks either, by whatever way.
func TestCodesAreGuessedByAccount(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", nil)
	code, _ := w.enroll(t, "ada@example.com")
	w.deps.Attempts = counter.New(counter.Options{})
	w.open(t)
	compared, from := 0, netip.MustParseAddr("10.0.0.0")
	for i := range 1000 {
		from = from.Next()
		at := core.Origin{Address: from, RequestID: "r1"}
		_, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) {
			c.Origin = at
			if i%2 == 0 {
				c.OTP = core.NewSecret("000000")
			}
		}))
		if refusal, ok := errors.AsType[*core.Error](err); ok && refusal.Challenge != nil {
			_, err = w.Resume(t.Context(), core.Resumption{Challenge: refusal.Challenge.Value, OTP: core.NewSecret("000000"), Origin: at})
		}
		if core.KindOf(err) == core.BadOTP {
			compared++
		}
	}
	if compared > 100 {
		t.Errorf("%d of 1000 guesses from as many networks were compared, want 100 at most", compared)
	}
	_, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.OTP = code() }))
	want(t, "a right code after that", err, core.RateLimited)
}

// S28: a ticket of one purpose opens nothing else, and none is a bearer token.
func TestTicketsOfOtherPurposes(t *testing.T) {
	w := newPeople(t, func(terms *core.Terms) { terms.AdmitUnverified = true })
	w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Verified = false })
	code, _ := w.enroll(t, "ada@example.com")
	mailed := func(purpose core.Purpose) core.Secret {
		want(t, "RequestTicket", w.RequestTicket(t.Context(), purpose, "ada@example.com", core.Tenancy{}, origin), "")
		mail, err := w.mailed(t)
		if err != nil {
			t.Fatal(err)
		}
		return ticketOf(mail)
	}
	recovery, verification := mailed(core.PurposeRecovery), mailed(core.PurposeVerification)
	challenge := w.challenged(t, "ada@example.com", nil)
	access, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.OTP = code() }))
	want(t, "Exchange", err, "")
	opens := map[string]func(core.Secret) error{
		"recovery": func(s core.Secret) error {
			return w.ResetPassword(t.Context(), core.PasswordReset{Ticket: s, Password: core.NewSecret("a new password")})
		},
		"verification": func(s core.Secret) error { _, err := w.Verify(t.Context(), s, origin); return err },
		"challenge": func(s core.Secret) error {
			_, err := w.Resume(t.Context(), core.Resumption{Challenge: s, OTP: core.NewSecret("000000")})
			return err
		},
		"access": func(s core.Secret) error { _, err := w.Whoami(t.Context(), s); return err },
	}
	for held, secret := range map[string]core.Secret{"recovery": recovery, "verification": verification, "challenge": challenge, "access": access.Value} {
		for place, open := range opens {
			if place == held {
				continue
			}
			kind := core.TicketUnknown
			if place == "access" {
				kind = core.TokenInvalid
			}
			want(t, held+" for "+place, open(secret), kind)
		}
	}
	// After all that each still opens its own place.
	want(t, "challenge", opens["challenge"](challenge), core.BadOTP)
	want(t, "verification", opens["verification"](verification), "")
	want(t, "recovery", opens["recovery"](recovery), "")
}
