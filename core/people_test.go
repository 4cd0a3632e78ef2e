package core_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pquerna/otp/totp"

	"github.com/chancery-auth/chancery/core"
)

// newPeople is a world with tenants, second factors and mails of verification.
func newPeople(t *testing.T, change func(*core.Terms)) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.terms.AskSecondFactor = true
	w.terms.Mails[core.PurposeVerification] = func(_ core.Account, ticket core.Secret) (string, core.Secret, error) {
		return "Verification", core.NewSecret("https://app.example.com/verify?token=" + ticket.Reveal()), nil
	}
	if change != nil {
		change(&w.terms)
	}
	w.open(t)
	return w
}

func named(login string) core.AccountName { return core.AccountName{Realm: realm, Login: login} }

func (w *world) tenant(t *testing.T, id, name string, active bool) {
	t.Helper()
	if _, err := w.registry.PutTenant(t.Context(), core.Tenant{ID: core.TenantID(id), Realm: realm, Name: name, Active: active}, origin); err != nil {
		t.Fatal(err)
	}
}

// enroll gives an account a second factor and returns a way to its codes.
func (w *world) enroll(t *testing.T, login string) (code func() core.Secret, recovery []core.Secret) {
	t.Helper()
	made, err := w.registry.EnrollFactor(t.Context(), named(login), origin)
	if err != nil {
		t.Fatal(err)
	}
	return func() core.Secret { return codeOf(t, made.Secret.Reveal()) }, made.RecoveryCodes
}

// codeOf is what an authenticator app shows now.
func codeOf(t *testing.T, secret string) core.Secret {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return core.NewSecret(code)
}

// password is a credential of an account; change adds to it.
func password(login, text string, change func(*core.Credential)) core.Credential {
	c := core.Credential{As: []core.SubjectKind{core.SubjectAccount}, Identifier: login, Secret: core.NewSecret(text), Policy: "access", Origin: origin}
	if change != nil {
		change(&c)
	}
	return c
}

// mailed takes the one notice that waits and makes it out.
func (w *world) mailed(t *testing.T) (core.Mail, error) {
	t.Helper()
	now := time.Now()
	notices, err := w.store.LeaseNotices(t.Context(), now, now.Add(time.Minute), 10)
	if err != nil || len(notices) != 1 {
		t.Fatalf("%d notices, %v; want 1", len(notices), err)
	}
	if err := w.store.RemoveNotice(t.Context(), notices[0].ID, core.Event{}); err != nil {
		t.Fatal(err)
	}
	return w.ComposeMail(t.Context(), notices[0])
}

func ticketOf(mail core.Mail) core.Secret {
	_, ticket, _ := strings.Cut(mail.Link.Reveal(), "token=")
	return core.NewSecret(ticket)
}

// lastEvent is the newest record of the journal.
func (w *world) lastEvent(t *testing.T) core.RecordedEvent {
	t.Helper()
	events := w.events(t)
	return events[len(events)-1]
}

func (w *world) count(t *testing.T, action core.Action) int {
	t.Helper()
	n := 0
	for _, e := range w.events(t) {
		if e.Action == action && e.Outcome == "" {
			n++
		}
	}
	return n
}

// hashes counts the hashes that are made.
type hashes struct {
	core.Passwords
	made int
}

func (h *hashes) Hash(ctx context.Context, realm core.Realm, secret core.Secret) (core.PasswordHash, error) {
	h.made++
	return h.Passwords.Hash(ctx, realm, secret)
}

// lookups counts what the store is asked of tenants and accounts. PostgreSQL takes
// neither bytes that are not UTF-8 nor NUL.
type lookups struct {
	core.Tenants
	core.Accounts
	t     *testing.T
	asked []string
}

func (l *lookups) ask(what string, texts ...string) {
	l.asked = append(l.asked, what)
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			l.t.Errorf("%s is asked of %q", what, text)
		}
	}
}

func (l *lookups) Tenant(ctx context.Context, realm core.Realm, id core.TenantID) (core.Tenant, error) {
	l.ask("tenant", string(id))
	return l.Tenants.Tenant(ctx, realm, id)
}

func (l *lookups) TenantByName(ctx context.Context, realm core.Realm, name core.CanonicalLogin) (core.Tenant, error) {
	l.ask("tenant by name", string(name))
	return l.Tenants.TenantByName(ctx, realm, name)
}

func (l *lookups) AccountByTenantLogin(ctx context.Context, realm core.Realm, tenant core.TenantID, login core.CanonicalLogin) (core.Account, error) {
	l.ask("account by tenant and login", string(tenant), string(login))
	return l.Tenants.AccountByTenantLogin(ctx, realm, tenant, login)
}

func (l *lookups) Account(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	l.ask("account", string(id))
	return l.Accounts.Account(ctx, realm, id)
}

func (l *lookups) AccountByLogin(ctx context.Context, realm core.Realm, login core.CanonicalLogin) (core.Account, error) {
	l.ask("account by login", string(login))
	return l.Accounts.AccountByLogin(ctx, realm, login)
}

// S1: a login name is its tenant's own, and every name that is refused costs the
// look-ups and the hash of a wrong password.
func TestExchangeInTenants(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	w.tenant(t, "t-2", "Apex", true)
	w.tenant(t, "t-3", "Closed", false)
	for _, tenant := range []core.TenantID{"t-1", "t-2", "t-3"} {
		w.account(t, "ada@example.com", func(s *core.AccountSpec) {
			s.Tenant, s.Password = tenant, core.NewSecret("right password "+string(tenant))
		})
	}
	w.account(t, "one@example.com", func(s *core.AccountSpec) { s.Tenant = "t-1" })
	free := w.account(t, "free@example.com", nil)
	one, err := w.store.AccountByLogin(t.Context(), realm, "one@example.com")
	want(t, "AccountByLogin", err, "")
	counting := &lookups{Tenants: w.store, Accounts: w.store, t: t}
	w.deps.Tenants, w.deps.Accounts = counting, counting
	w.open(t)

	given := func(id, name string) core.Tenancy { return core.Tenancy{ID: id, Name: name, Given: true} }
	for _, tt := range []struct {
		name     string
		login    string
		id       core.AccountID
		tenancy  core.Tenancy
		password string
		kind     core.Kind
		tenant   core.TenantID
	}{
		{"by id", "ada@example.com", "", given("t-1", ""), "right password t-1", "", "t-1"},
		{"by name", "ADA@example.com", "", given("", "apex"), "right password t-2", "", "t-2"},
		{"by both", "ada@example.com", "", given("t-2", "APEX"), "right password t-2", "", "t-2"},
		{"another tenant's password", "ada@example.com", "", given("t-1", ""), "right password t-2", core.BadSecret, ""},
		{"id and name of two tenants", "ada@example.com", "", given("t-1", "Apex"), "right password t-1", core.Unknown, ""},
		{"unknown id", "ada@example.com", "", given("t-9", ""), "right password t-1", core.Unknown, ""},
		{"unknown name", "ada@example.com", "", given("", "Nobody"), "right password t-1", core.Unknown, ""},
		{"unknown name beside an id", "ada@example.com", "", given("t-1", "Nobody"), "right password t-1", core.Unknown, ""},
		{"a name that none can have", "ada@example.com", "", given("", "\x1f"), "right password t-1", core.Unknown, ""},
		{"empty", "free@example.com", "", given("", ""), "right password", core.Unknown, ""},
		{"inactive", "ada@example.com", "", given("t-3", ""), "right password t-3", core.Inactive, ""},
		{"inactive, with a wrong password", "ada@example.com", "", given("t-3", ""), "wrong password", core.BadSecret, ""},
		{"without one, of several", "ada@example.com", "", core.Tenancy{}, "right password t-1", core.Unknown, ""},
		{"without one, of one", "one@example.com", "", core.Tenancy{}, "right password", "", "t-1"},
		{"without one, of nobody", "nobody@example.com", "", core.Tenancy{}, "right password", core.Unknown, ""},
		{"without a tenant", "free@example.com", "", core.Tenancy{}, "right password", "", ""},
		{"without a tenant, but one is named", "free@example.com", "", given("t-1", ""), "right password", core.Unknown, ""},
		{"by account id", "", one.ID, core.Tenancy{}, "right password", "", "t-1"},
		{"by account id in its tenant", "", one.ID, given("", "acme"), "right password", "", "t-1"},
		{"by account id in another tenant", "", one.ID, given("t-2", ""), "right password", core.Unknown, ""},
		{"by account id in an unknown tenant", "", one.ID, given("t-9", ""), "right password", core.Unknown, ""},
		{"by unknown account id", "", "nobody", core.Tenancy{}, "right password", core.Unknown, ""},
		{"by a hostile account id", "", "a\x00\xff", core.Tenancy{}, "right password", core.Unknown, ""},
		{"by account id without a tenant", "", free.ID, core.Tenancy{}, "right password", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exchange := func(secret string) ([]string, core.Token, error) {
				w.passwords.compared, counting.asked = nil, nil
				token, err := w.Exchange(t.Context(), password(tt.login, secret, func(c *core.Credential) { c.AccountID, c.Tenant = tt.id, tt.tenancy }))
				if len(w.passwords.compared) != 1 {
					t.Errorf("%d comparisons, want 1", len(w.passwords.compared))
				}
				return counting.asked, token, err
			}
			asked, token, err := exchange(tt.password)
			want(t, "Exchange", err, tt.kind)
			if err == nil && (token.Tenant == nil) != (tt.tenant == "") || token.Tenant != nil && token.Tenant.ID != tt.tenant {
				t.Errorf("the token is of tenant %v, want %q", token.Tenant, tt.tenant)
			}
			wrong, _, _ := exchange("wrong password")
			if tt.kind == core.Unknown && !slices.Equal(asked, wrong) {
				t.Errorf("an unknown name costs %q, and with a wrong password %q", asked, wrong)
			}
			if tt.tenancy.Given && len(wrong) == 0 {
				t.Error("nothing was looked up")
			}
		})
	}

	// Known and unknown are looked up alike, whatever of them is unknown.
	cost := func(login string, id core.AccountID, tenancy core.Tenancy) []string {
		counting.asked = nil
		_, err := w.Exchange(t.Context(), password(login, "wrong password", func(c *core.Credential) { c.AccountID, c.Tenant = id, tenancy }))
		if kind := core.KindOf(err); kind != core.Unknown && kind != core.BadSecret {
			t.Errorf("a wrong password of %q in %+v is %q", login, tenancy, kind)
		}
		return counting.asked
	}
	for _, alike := range [][]core.Tenancy{
		{given("t-1", ""), given("t-9", ""), given("t\x00", ""), given("\xff", "")},
		{given("", "acme"), given("", "nobody"), given("", "a\x00"), given("", "\xff")},
		{given("t-1", "acme"), given("t-9", "nobody"), given("t-9", "acme"), given("t-1", "apex")},
		{{}},
	} {
		known := cost("ada@example.com", "", alike[0])
		for _, tenancy := range alike {
			for _, login := range []string{"ada@example.com", "one@example.com", "free@example.com", "nobody@example.com", "", "a\x00"} {
				if got := cost(login, "", tenancy); !slices.Equal(got, known) {
					t.Errorf("%q in %+v costs %q, want %q", login, tenancy, got, known)
				}
			}
		}
	}
}

// S20: however an account is named, its failures count as one.
func TestAttemptsInTenants(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	w.tenant(t, "t-2", "Apex", true)
	account := w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Tenant = "t-1" })
	attempt := func(login string, id core.AccountID, tenancy core.Tenancy) core.AttemptKey {
		w.attempts.keys = nil
		_, _ = w.Exchange(t.Context(), password(login, "wrong password", func(c *core.Credential) { c.AccountID, c.Tenant = id, tenancy }))
		if len(w.attempts.keys) != 1 {
			t.Fatalf("%d attempts, want 1", len(w.attempts.keys))
		}
		return w.attempts.keys[0]
	}
	first := attempt("ada@example.com", "", core.Tenancy{})
	for name, key := range map[string]core.AttemptKey{
		"in another spelling": attempt("ADA@Example.com", "", core.Tenancy{}),
		"in its tenant":       attempt("ada@example.com", "", core.Tenancy{ID: "t-1", Given: true}),
		"by tenant's name":    attempt("ada@example.com", "", core.Tenancy{Name: "acme", Given: true}),
		"by account id":       attempt("", account.ID, core.Tenancy{}),
	} {
		if key != first {
			t.Errorf("%s counts as %+v, want %+v", name, key, first)
		}
	}
	other := w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Tenant = "t-2" })
	if key := attempt("", other.ID, core.Tenancy{}); key != first {
		t.Errorf("an account of another tenant counts as %+v, want %+v", key, first)
	}
}

// S23: what one is throttled for tells neither whether there is an account nor of which
// tenant it is.
func TestAttemptsTellNoTenant(t *testing.T) {
	w := newPeople(t, nil)
	w.tenant(t, "t-1", "ACME", true)
	w.tenant(t, "t-2", "Apex", true)
	w.account(t, "ada", func(s *core.AccountSpec) { s.Tenant = "t-1" })
	w.account(t, "eve", nil)
	for _, tenant := range []core.TenantID{"t-1", "t-2"} {
		w.account(t, "bob", func(s *core.AccountSpec) { s.Tenant = tenant })
	}
	for _, login := range []string{"ada", "eve", "bob", "nobody"} {
		w.attempts.keys = nil
		for _, tenancy := range []core.Tenancy{
			{}, {Given: true, None: true}, {ID: "t-1", Given: true}, {Name: "acme", Given: true}, {ID: "t-2", Given: true}, {ID: "t-9", Given: true},
		} {
			_, _ = w.Exchange(t.Context(), password(login, "wrong password", func(c *core.Credential) { c.Tenant = tenancy }))
		}
		if counted := slices.Compact(w.attempts.keys); len(counted) != 1 || counted[0].Identity != login {
			t.Errorf("wrong passwords of %s count as %+v, want as the name alone", login, counted)
		}
	}
}

// A client is proved beside the account, and what is wrong with it is told as
// one thing, whatever the password is.
func TestExchangeWithClient(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", nil)
	w.account(t, "maker", nil)
	w.account(t, "idle maker", func(s *core.AccountSpec) { s.Active = false })
	secrets := map[string]core.Secret{}
	for _, spec := range []core.AccessKeySpec{
		{Identifier: "app", Owner: "maker", State: core.KeyStateActive},
		{Identifier: "pending app", Owner: "maker"},
		{Identifier: "expired app", Owner: "maker", State: core.KeyStateActive, ExpiresAt: time.Now()},
		{Identifier: "revoked app", Owner: "maker", State: core.KeyStateRevoked},
		{Identifier: "idle app", Owner: "idle maker", State: core.KeyStateActive},
	} {
		spec.Realm = realm
		_, secret, err := w.registry.CreateAccessKey(t.Context(), spec, origin)
		if err != nil {
			t.Fatal(err)
		}
		secrets[spec.Identifier] = secret
	}
	for _, tt := range []struct {
		name     string
		client   *core.Client
		login    string
		password string
		kind     core.Kind
	}{
		{"none", nil, "ada@example.com", "right password", ""},
		{"right", &core.Client{Identifier: "app", Secret: secrets["app"]}, "ada@example.com", "right password", ""},
		{"right, with a wrong password", &core.Client{Identifier: "app", Secret: secrets["app"]}, "ada@example.com", "wrong password", core.BadSecret},
		{"right, of nobody", &core.Client{Identifier: "app", Secret: secrets["app"]}, "nobody@example.com", "right password", core.Unknown},
		{"wrong secret", &core.Client{Identifier: "app", Secret: core.NewSecret("guessed")}, "ada@example.com", "right password", core.BadClient},
		{"wrong secret and password", &core.Client{Identifier: "app", Secret: core.NewSecret("guessed")}, "ada@example.com", "wrong password", core.BadClient},
		{"wrong secret, of nobody", &core.Client{Identifier: "app", Secret: core.NewSecret("guessed")}, "nobody@example.com", "x", core.BadClient},
		{"unknown", &core.Client{Identifier: "nothing", Secret: secrets["app"]}, "ada@example.com", "right password", core.BadClient},
		{"empty", &core.Client{}, "ada@example.com", "right password", core.BadClient},
		{"pending", &core.Client{Identifier: "pending app", Secret: secrets["pending app"]}, "ada@example.com", "right password", core.BadClient},
		{"expired", &core.Client{Identifier: "expired app", Secret: secrets["expired app"]}, "ada@example.com", "right password", core.BadClient},
		{"revoked", &core.Client{Identifier: "revoked app", Secret: secrets["revoked app"]}, "ada@example.com", "right password", core.BadClient},
		{"of an inactive account", &core.Client{Identifier: "idle app", Secret: secrets["idle app"]}, "ada@example.com", "right password", core.BadClient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.passwords.compared = nil
			token, err := w.Exchange(t.Context(), password(tt.login, tt.password, func(c *core.Credential) { c.Client = tt.client }))
			want(t, "Exchange", err, tt.kind)
			if len(w.passwords.compared) != 1 {
				t.Errorf("%d comparisons, want 1", len(w.passwords.compared))
			}
			if err == nil && (token.Client == nil) != (tt.client == nil) {
				t.Errorf("the token's client is %v", token.Client)
			}
		})
	}
}

// Hold keeps sign-ins out, and tokens in hand go on.
func TestHold(t *testing.T) {
	w := newPeople(t, nil)
	w.account(t, "ada@example.com", nil)
	before, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, "")
	for _, hold := range []core.Kind{core.Locked, core.MustChangeSecret} {
		for _, changed := range []bool{true, false} {
			if got, err := w.registry.HoldAccount(t.Context(), named("Ada@example.com"), hold, origin); err != nil || got != changed {
				t.Errorf("HoldAccount(%s) = %v, %v; want %v", hold, got, err, changed)
			}
		}
		_, err = w.login(t.Context(), "ada@example.com", "right password")
		want(t, "Exchange of an account on hold", err, hold)
		_, err = w.login(t.Context(), "ada@example.com", "wrong password")
		want(t, "Exchange with a wrong password", err, core.BadSecret)
		_, err = w.Whoami(t.Context(), before.Value)
		want(t, "Whoami", err, "")
	}
	if _, err := w.registry.HoldAccount(t.Context(), named("ada@example.com"), "", origin); err != nil {
		t.Fatal(err)
	}
	_, err = w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange afterwards", err, "")
	_, err = w.registry.HoldAccount(t.Context(), named("ada@example.com"), core.Unknown, origin)
	want(t, "HoldAccount for no reason", err, core.InvalidRequest)
}
