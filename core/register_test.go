package core_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func registration(login string, change func(*core.Registration)) core.Registration {
	r := core.Registration{Login: login, Password: core.NewSecret("a good password"), Origin: origin}
	if change != nil {
		change(&r)
	}
	return r
}

// The domain of an address folds, what is before it is its owner's, and the account
// waits for its mail.
func TestRegister(t *testing.T) {
	w := newPeople(t, nil)
	account, token, err := w.Register(t.Context(), registration("Ada.L@Example.COM", func(r *core.Registration) {
		r.Name, r.Roles, r.Attributes = "Ada", []string{"user"}, core.Attributes{"team": "a"}
	}))
	want(t, "Register", err, "")
	if token != nil {
		t.Errorf("a token that nobody asked for: %v", token)
	}
	stored, err := w.store.AccountByLogin(t.Context(), realm, "ada.l@example.com")
	want(t, "AccountByLogin", err, "")
	for _, a := range []core.Account{account, stored} {
		if a.Login != "Ada.L@example.com" || a.Email != a.Login || a.Name != "Ada" || !a.Active || a.Verified ||
			!slices.Equal(a.Roles, []string{"user"}) || a.Attributes["team"] != "a" || a.ID != account.ID {
			t.Errorf("registered %+v", a)
		}
	}
	if last := w.lastEvent(t); last.Action != core.ActionAccountRegistered || last.Account != account.ID || last.Outcome != "" {
		t.Errorf("the journal ends with %+v", last)
	}
	_, err = w.login(t.Context(), "ada.l@example.com", "a good password")
	want(t, "Exchange before the mail", err, core.Unverified)

	mail, err := w.mailed(t)
	want(t, "ComposeMail", err, "")
	if mail.Purpose != core.PurposeVerification || mail.To != account.Email || mail.Subject != "Verification" || mail.Lifetime != 24*time.Hour {
		t.Errorf("the mail is %+v", mail)
	}
	verified, err := w.Verify(t.Context(), ticketOf(mail), origin)
	if want(t, "Verify", err, ""); verified.ID != account.ID || !verified.Verified {
		t.Errorf("Verify() = %+v", verified)
	}
	_, err = w.login(t.Context(), "ADA.L@example.com", "a good password")
	want(t, "Exchange", err, "")
}

func TestRegisterRefuses(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	w.tenant(t, "t-2", "Closed", false)
	w.account(t, "ada@example.com", nil)
	counting := &hashes{Passwords: w.passwords}
	w.deps.Passwords = counting
	w.open(t)
	var judged core.Account
	for _, tt := range []struct {
		name   string
		login  string
		change func(*core.Registration)
		kind   core.Kind
		hashes int
		counts bool
	}{
		{"new", "new@example.com", nil, "", 1, true},
		{"taken", "ada@example.com", nil, core.AccountExists, 1, true},
		{"taken, in another spelling", "ADA@EXAMPLE.com", nil, core.AccountExists, 1, true},
		{"free in a tenant", "ada@example.com", func(r *core.Registration) { r.Tenant = core.Tenancy{Name: "acme", Given: true} }, "", 1, true},
		{"taken in a tenant", "ada@example.com", func(r *core.Registration) { r.Tenant = core.Tenancy{ID: "t-1", Given: true} }, core.AccountExists, 1, true},
		{"free where there is no tenant", "mia@example.com", func(r *core.Registration) { r.Tenant = core.Tenancy{Given: true, None: true} }, "", 1, true},
		{"taken where there is no tenant", "ada@example.com", func(r *core.Registration) { r.Tenant = core.Tenancy{Given: true, None: true} }, core.AccountExists, 1, true},
		{"unknown tenant", "eve@example.com", func(r *core.Registration) { r.Tenant = core.Tenancy{ID: "t-9", Given: true} }, core.InvalidField, 1, true},
		{"inactive tenant", "eve@example.com", func(r *core.Registration) { r.Tenant = core.Tenancy{ID: "t-2", Given: true} }, core.InvalidField, 1, true},
		{"short password", "eve@example.com", func(r *core.Registration) { r.Password = core.NewSecret("short") }, core.PasswordRefused, 0, false},
		{"no login", "", nil, core.InvalidRequest, 0, false},
		{"no address", "eve", func(r *core.Registration) { r.Email = "Eve <eve@example.com>" }, core.InvalidRequest, 0, false},
		{"undeclared attribute", "eve@example.com", func(r *core.Registration) { r.Attributes = core.Attributes{"admin": true} }, core.InvalidRequest, 0, false},
		{"refused by the judge", "eve@example.com", func(r *core.Registration) {
			r.Judge = func(j core.Judged) (core.Granted, error) {
				judged = j.Account
				return nil, &core.Error{Kind: core.Forbidden}
			}
		}, core.Forbidden, 1, true},
		{"a token for the unverified", "eve@example.com", func(r *core.Registration) { r.Policy = "access" }, core.Internal, 0, false},
		{"an unknown token", "eve@example.com", func(r *core.Registration) { r.Policy, r.Verified = "other", true }, core.Internal, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			counting.made, w.attempts.ended, w.attempts.keys = 0, nil, nil
			_, token, err := w.Register(t.Context(), registration(tt.login, tt.change))
			want(t, "Register", err, tt.kind)
			if counting.made != tt.hashes || token != nil {
				t.Errorf("%d hashes, want %d; token %v", counting.made, tt.hashes, token)
			}
			// Enumeration is throttled: each answer counts, against the network alone.
			if counted := slices.Equal(w.attempts.ended, []string{"failed"}); counted != tt.counts || len(w.attempts.keys) > 0 && w.attempts.keys[0].Identity != "" {
				t.Errorf("attempts %v of %+v", w.attempts.ended, w.attempts.keys)
			}
			if tt.kind == core.AccountExists {
				if last := w.lastEvent(t); last.Action != core.ActionAccountRegistered || last.Outcome != core.AccountExists {
					t.Errorf("the journal ends with %+v", last)
				}
			}
		})
	}
	if judged.Login != "eve@example.com" {
		t.Errorf("the judge saw %+v", judged)
	}
	_, err := w.store.AccountByLogin(t.Context(), realm, "eve@example.com")
	want(t, "what was refused", err, core.NotFound)

	w.attempts.full = true
	_, _, err = w.Register(t.Context(), registration("another@example.com", nil))
	want(t, "Register when throttled", err, core.RateLimited)
}

// A registration can give a token at once, of what the judge has granted.
func TestRegisterWithToken(t *testing.T) {
	w := newPeople(t, func(terms *core.Terms) { terms.AdmitUnverified = true })
	account, token, err := w.Register(t.Context(), registration("ada@example.com", func(r *core.Registration) {
		r.Policy = "access"
		r.Judge = func(core.Judged) (core.Granted, error) { return core.Granted{"plan": "free"}, nil }
	}))
	want(t, "Register", err, "")
	if token == nil || token.Account.ID != account.ID || token.Granted["plan"] != "free" || !slices.Equal(token.Methods, []string{"password"}) {
		t.Fatalf("token %+v", token)
	}
	_, err = w.Whoami(t.Context(), token.Value)
	want(t, "Whoami", err, "")
}

// Without words for the mail, and for accounts that are verified or have no address,
// none is sent.
func TestRegisterMails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		terms func(*core.Terms)
		login string
		set   func(*core.Registration)
		mails int
	}{
		{"unverified", nil, "ada@example.com", nil, 1},
		{"with an address of its own", nil, "ada", func(r *core.Registration) { r.Email = "ada@example.com" }, 1},
		{"without an address", nil, "ada", nil, 0},
		{"verified", nil, "ada@example.com", func(r *core.Registration) { r.Verified = true }, 0},
		{"without words", func(terms *core.Terms) { delete(terms.Mails, core.PurposeVerification) }, "ada@example.com", nil, 0},
	} {
		w := newPeople(t, tt.terms)
		_, _, err := w.Register(t.Context(), registration(tt.login, tt.set))
		want(t, tt.name, err, "")
		notices, err := w.store.LeaseNotices(t.Context(), time.Now(), time.Now(), 10)
		if err != nil || len(notices) != tt.mails {
			t.Errorf("%s: %d mails, %v; want %d", tt.name, len(notices), err, tt.mails)
		}
	}
}

// Who has a login name goes on signing in by it alone, whoever registers it in a tenant
// of theirs; and where that is how one signs in, nobody can.
func TestRegisterShutsNobodyOut(t *testing.T) {
	acme := core.Tenancy{ID: "t-1", Given: true}
	for _, tt := range []struct {
		name  string
		alone bool
		owner core.TenantID
		in    core.Tenancy
		kind  core.Kind
	}{
		{"where each sign-in names a tenant", false, "", acme, ""},
		{"who has no tenant", true, "", acme, core.AccountExists},
		{"who has another tenant", true, "t-2", acme, core.AccountExists},
		{"who has a tenant, from without one", true, "t-2", core.Tenancy{}, core.AccountExists},
		{"who has a tenant, from where there is none", true, "t-2", core.Tenancy{Given: true, None: true}, core.AccountExists},
		{"who has the same tenant", true, "t-1", acme, core.AccountExists},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newPeople(t, func(terms *core.Terms) { terms.LoginsAlone = tt.alone })
			w.tenant(t, "t-1", "ACME", true)
			w.tenant(t, "t-2", "Apex", true)
			w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Tenant = tt.owner })
			_, _, err := w.Register(t.Context(), registration("ADA@example.com", func(r *core.Registration) { r.Tenant = tt.in }))
			want(t, "Register", err, tt.kind)
			if last := w.lastEvent(t); last.Action != core.ActionAccountRegistered || last.Outcome != tt.kind {
				t.Errorf("the journal ends with %+v", last)
			}
			_, err = w.login(t.Context(), "ada@example.com", "right password")
			want(t, "Exchange after that", err, "")
			_, _, err = w.Register(t.Context(), registration("new@example.com", func(r *core.Registration) { r.Tenant = tt.in }))
			want(t, "Register by a name that is free", err, "")
		})
	}
}

// The mail of a new account without a tenant is its own, though a tenant has another
// of the same name.
func TestRegisterMailsItsOwn(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	w.account(t, "ada", func(s *core.AccountSpec) { s.Tenant, s.Email, s.Verified = "t-1", "ada@acme.example", false })
	_, _, err := w.Register(t.Context(), registration("ada", func(r *core.Registration) { r.Email = "ada@example.com" }))
	want(t, "Register", err, "")
	mail, err := w.mailed(t)
	want(t, "ComposeMail", err, "")
	if mail.To != "ada@example.com" {
		t.Errorf("the mail goes to %q", mail.To)
	}
}

// S24: asking for a mail of verification leaves the same behind for every name.
func TestVerificationLooksTheSame(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	unverified := func(s *core.AccountSpec) { s.Verified = false }
	w.account(t, "new@example.com", unverified)
	w.account(t, "done@example.com", nil)
	w.account(t, "idle@example.com", func(s *core.AccountSpec) { s.Active, s.Verified = false, false })
	w.account(t, "twice@example.com", unverified)
	w.account(t, "twice@example.com", func(s *core.AccountSpec) { s.Tenant, s.Verified = "t-1", false })
	acme := core.Tenancy{ID: "t-1", Given: true}
	for _, tt := range []struct {
		login   string
		tenancy core.Tenancy
		kind    core.Kind
	}{
		{"NEW@example.com", core.Tenancy{}, ""},
		{"done@example.com", core.Tenancy{}, core.AlreadyVerified},
		{"idle@example.com", core.Tenancy{}, core.Inactive},
		{"nobody@example.com", core.Tenancy{}, core.NotFound},
		{"non\nsense", core.Tenancy{}, core.NotFound},
		{"twice@example.com", core.Tenancy{}, ""},
		{"twice@example.com", acme, ""},
		{"twice@example.com", core.Tenancy{Given: true, None: true}, ""},
		{"new@example.com", acme, core.NotFound},
		{"twice@example.com", core.Tenancy{Name: "nobody", Given: true}, core.NotFound},
	} {
		before := len(w.events(t))
		want(t, tt.login, w.RequestTicket(t.Context(), core.PurposeVerification, tt.login, tt.tenancy, origin), "")
		_, err := w.mailed(t)
		want(t, tt.login, err, tt.kind)
		events := w.events(t)[before:]
		if len(events) != 2 || events[0].Action != core.ActionVerificationRequested || events[0].Outcome != "" || events[0].Account != "" || events[1].Outcome != tt.kind {
			t.Errorf("%q: the journal tells of %+v", tt.login, events)
		}
	}
	want(t, "a mail for a challenge", w.RequestTicket(t.Context(), core.PurposeChallenge, "new@example.com", core.Tenancy{}, origin), core.Internal)
}

// S26, S27: a ticket verifies once, and dies of whatever makes it stale.
func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind core.Kind
		then func(t *testing.T, w *world, ticket *core.Secret)
	}{
		{"fresh", "", nil},
		{"used", core.AlreadyVerified, func(t *testing.T, w *world, ticket *core.Secret) {
			_, err := w.Verify(t.Context(), *ticket, origin)
			want(t, "the first use", err, "")
		}},
		{"a day old", core.TicketExpired, func(*testing.T, *world, *core.Secret) { time.Sleep(24 * time.Hour) }},
		{"used, a day ago", core.TicketUsed, func(t *testing.T, w *world, ticket *core.Secret) {
			_, err := w.Verify(t.Context(), *ticket, origin)
			want(t, "the first use", err, "")
			time.Sleep(24 * time.Hour)
		}},
		{"replaced by a newer one", core.TicketUnknown, func(t *testing.T, w *world, _ *core.Secret) {
			want(t, "RequestTicket", w.RequestTicket(t.Context(), core.PurposeVerification, "ada@example.com", core.Tenancy{}, origin), "")
			_, err := w.mailed(t)
			want(t, "ComposeMail", err, "")
		}},
		{"verified by hand", core.AlreadyVerified, func(t *testing.T, w *world, _ *core.Secret) {
			spec := core.AccountSpec{Realm: realm, Login: "ada@example.com", Active: true, Verified: true}
			if _, err := w.registry.UpdateAccount(t.Context(), spec, origin); err != nil {
				t.Fatal(err)
			}
		}},
		{"address changed", core.TicketUsed, func(t *testing.T, w *world, _ *core.Secret) {
			spec := core.AccountSpec{Realm: realm, Login: "ada@example.com", Email: "new@example.com", Active: true}
			if _, err := w.registry.UpdateAccount(t.Context(), spec, origin); err != nil {
				t.Fatal(err)
			}
		}},
		{"disabled", core.TicketInactive, func(t *testing.T, w *world, _ *core.Secret) {
			if _, err := w.registry.DisableAccount(t.Context(), named("ada@example.com"), origin); err != nil {
				t.Fatal(err)
			}
		}},
		{"truncated", core.TicketUnknown, func(_ *testing.T, _ *world, ticket *core.Secret) { *ticket = core.NewSecret(ticket.Reveal()[1:]) }},
		{"empty", core.TicketUnknown, func(_ *testing.T, _ *world, ticket *core.Secret) { *ticket = core.Secret{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newPeople(t, nil)
				_, _, err := w.Register(t.Context(), registration("ada@example.com", nil))
				want(t, "Register", err, "")
				mail, err := w.mailed(t)
				want(t, "ComposeMail", err, "")
				ticket := ticketOf(mail)
				if tt.then != nil {
					tt.then(t, w, &ticket)
				}
				w.attempts.ended = nil
				_, err = w.Verify(t.Context(), ticket, origin)
				want(t, "Verify", err, tt.kind)
				refusal, _ := errors.AsType[*core.Error](err)
				if has := refusal != nil && refusal.Identity != nil && refusal.Identity.Account.Login == "ada@example.com"; has != (tt.kind == core.AlreadyVerified) {
					t.Errorf("the refusal names its account: %v", has)
				}
				counted := "abandoned"
				switch {
				case tt.kind == "":
					counted = "succeeded"
				case tt.kind.IsA(core.BadTicket):
					counted = "failed"
				}
				if !slices.Equal(w.attempts.ended, []string{counted}) {
					t.Errorf("the attempt %v, want %s", w.attempts.ended, counted)
				}
				if last := w.lastEvent(t); last.Action != core.ActionAccountVerified || last.Outcome != tt.kind {
					t.Errorf("the journal ends with %+v, want the outcome %q", last, tt.kind)
				}
			})
		})
	}
}

// S33: mails of verification are as few as those of recovery, and count apart.
func TestVerificationMailsAreFew(t *testing.T) {
	w := newPeople(t, nil)
	_, _, err := w.Register(t.Context(), registration("ada@example.com", nil))
	want(t, "Register", err, "")
	var kinds []string
	_, err = w.mailed(t)
	kinds = append(kinds, string(core.KindOf(err)))
	for range 3 {
		want(t, "RequestTicket", w.RequestTicket(t.Context(), core.PurposeVerification, "ada@example.com", core.Tenancy{}, origin), "")
		_, err := w.mailed(t)
		kinds = append(kinds, string(core.KindOf(err)))
	}
	if got := strings.Join(kinds, ","); got != ",,,rate_limited" {
		t.Errorf("four mails within the hour end with %q", got)
	}
	_, err = w.nextMail(t, "ada@example.com")
	want(t, "a mail of recovery", err, "")
}

// S33: mails to one address are as few as those to one account, however many accounts
// somebody registers with it.
func TestMailsToOneAddressAreFew(t *testing.T) {
	w := newPeople(t, nil)
	var kinds []string
	for i := range 12 {
		address := "victim@example.com"
		if i%2 == 1 {
			address = "VICTIM@example.com"
		}
		_, _, err := w.Register(t.Context(), registration(string(rune('a'+i)), func(r *core.Registration) { r.Email = address }))
		want(t, "Register", err, "")
		_, err = w.mailed(t)
		kinds = append(kinds, string(core.KindOf(err)))
	}
	if got, bound := strings.Join(kinds, ","), ",,"+strings.Repeat(",rate_limited", 9); got != bound {
		t.Errorf("twelve mails within the hour end with %q", got)
	}
	if last := w.lastEvent(t); last.Action != core.ActionTicketWithheld || last.Outcome != core.RateLimited {
		t.Errorf("the journal ends with %+v", last)
	}
	_, _, err := w.Register(t.Context(), registration("other@example.com", nil))
	want(t, "Register", err, "")
	_, err = w.mailed(t)
	want(t, "a mail to another address", err, "")
}

// S54: what somebody says of themselves can be kept by every store, and told by every
// token.
func TestRegisterBounds(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*core.Registration)
		kind   core.Kind
	}{
		"a name":                      {func(r *core.Registration) { r.Name = "Ada, Countess of Lovelace 🙂" }, ""},
		"the longest name":            {func(r *core.Registration) { r.Name = strings.Repeat("x", 256) }, ""},
		"a longer one":                {func(r *core.Registration) { r.Name = strings.Repeat("x", 257) }, core.InvalidRequest},
		"NUL, which PostgreSQL lacks": {func(r *core.Registration) { r.Name = "a\x00b" }, core.InvalidRequest},
		"a line break":                {func(r *core.Registration) { r.Name = "a\r\nb" }, core.InvalidRequest},
		"no UTF-8":                    {func(r *core.Registration) { r.Name = "\xff" }, core.InvalidRequest},
		"a long address":              {func(r *core.Registration) { r.Email = strings.Repeat("x", 320) + "@example.com" }, core.InvalidRequest},
		"an attribute":                {func(r *core.Registration) { r.Attributes = core.Attributes{"team": strings.Repeat("x", 1000)} }, ""},
		"a long attribute":            {func(r *core.Registration) { r.Attributes = core.Attributes{"team": strings.Repeat("x", 1024)} }, core.InvalidField},
	} {
		w := newPeople(t, nil)
		r := core.Registration{Login: "ada@example.com", Password: core.NewSecret("right password"), Origin: origin}
		tt.change(&r)
		_, _, err := w.Register(t.Context(), r)
		want(t, name, err, tt.kind)
	}
}
