package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// plainHash is a password hash that tests can read; the work that real ones cost
// is counted instead of done.
type plainHash struct {
	mu       sync.Mutex
	compared []string // by hash, in order
	upgrades sync.WaitGroup
	// meanwhile is what happens while a password is being compared; nil for nothing.
	meanwhile func()
}

func (*plainHash) Admit(context.Context, core.Realm, netip.Prefix) error { return nil }

func (p *plainHash) Verify(_ context.Context, _ core.Realm, hash core.PasswordHash, secret core.Secret) (match, outdated bool, err error) {
	if p.meanwhile != nil {
		p.meanwhile()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.compared = append(p.compared, string(hash))
	scheme, text, found := strings.Cut(string(hash), ":")
	return found && text == secret.Reveal(), scheme == "old", nil
}

func (*plainHash) Hash(_ context.Context, _ core.Realm, secret core.Secret) (core.PasswordHash, error) {
	return core.PasswordHash("new:" + secret.Reveal()), nil
}

func (*plainHash) Supports(core.PasswordHash) error { return nil }

func (p *plainHash) Later(_ core.Realm, secret core.Secret, done func(core.PasswordHash)) {
	p.upgrades.Go(func() { done(core.PasswordHash("new:" + secret.Reveal())) })
}

// openSigner signs by writing the key set's name before the payload.
type openSigner struct{}

func (openSigner) Sign(_ context.Context, keys core.KeySet, payload []byte) (core.Secret, error) {
	return core.NewSecret(signature(keys) + string(payload)), nil
}

func (openSigner) Verify(_ context.Context, keys core.KeySet, token core.Secret) (core.Claims, error) {
	payload, ok := strings.CutPrefix(token.Reveal(), signature(keys))
	var claims map[string]any
	if !ok || json.Unmarshal([]byte(payload), &claims) != nil {
		return core.Claims{}, &core.Error{Kind: core.TokenInvalid}
	}
	instant := func(name string) time.Time {
		if seconds, ok := claims[name].(float64); ok {
			return time.Unix(int64(seconds), 0)
		}
		return time.Time{}
	}
	audience, _ := claims["aud"].(string)
	return core.Claims{
		ExpiresAt: instant("exp"), NotBefore: instant("nbf"), IssuedAt: instant("iat"), Audience: []string{audience},
		Text: func(name string) string { text, _ := claims[name].(string); return text },
	}, nil
}

func signature(keys core.KeySet) string { return fmt.Sprintf("%s/%s.", keys.Realm, keys.Dialect) }

// openSealer seals by writing purpose and row before the secret.
type openSealer struct{}

func (openSealer) Seal(purpose, row string, secret core.Secret) ([]byte, error) {
	return []byte(purpose + " " + row + "\n" + secret.Reveal()), nil
}

func (openSealer) Open(purpose, row string, sealed []byte) (core.Secret, error) {
	text, ok := strings.CutPrefix(string(sealed), purpose+" "+row+"\n")
	if !ok {
		return core.Secret{}, &core.Error{Kind: core.Internal}
	}
	return core.NewSecret(text), nil
}

// tally lets every attempt through and remembers how each ended.
type tally struct {
	mu    sync.Mutex
	keys  []core.AttemptKey
	ended []string
	full  bool
}

func (t *tally) Begin(_ context.Context, key core.AttemptKey) (core.Attempt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key.Everywhere {
		return &tally{}, nil // which its own test counts
	}
	t.keys = append(t.keys, key)
	if t.full {
		return nil, &core.Error{Kind: core.RateLimited, RetryAfter: time.Second}
	}
	return t, nil
}

func (t *tally) end(how string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = append(t.ended, how)
}

func (t *tally) Succeeded() { t.end("succeeded") }
func (t *tally) Failed()    { t.end("failed") }
func (t *tally) Abandoned() { t.end("abandoned") }

// A world is an authority with all that it stands on.
type world struct {
	*core.Authority
	store     *memory.Store
	passwords *plainHash
	attempts  *tally
	registry  *core.Registry
	deps      core.Deps
	terms     core.Terms
}

const realm core.Realm = "demo"

var origin = core.Origin{Address: netip.MustParseAddr("192.0.2.1"), RequestID: "r1"}

func claims(g core.Grant) ([]byte, error) {
	members := map[string]any{"sub": g.Account.ID, "iat": g.IssuedAt.Unix(), "exp": g.ExpiresAt.Unix()}
	if g.Key != nil {
		members["ak"] = g.Key.ID
	}
	return json.Marshal(members)
}

func newWorld(t *testing.T, change func(*core.Terms)) *world {
	t.Helper()
	w := &world{store: memory.New(), passwords: &plainHash{}, attempts: &tally{}}
	w.deps = core.Deps{
		Realms: w.store, Accounts: w.store, AccessKeys: w.store, Recent: w.store, Tenants: w.store, Sessions: w.store, Tokens: w.store,
		Factors: w.store, Tickets: w.store, Outbox: w.store, Journal: w.store,
		Passwords: w.passwords, Signer: openSigner{}, Sealer: openSealer{}, Attempts: w.attempts, Now: time.Now,
	}
	w.terms = core.Terms{
		Realm: realm, Dialect: "plain",
		Policies: map[string]core.Policy{"access": {
			Name: "access", Keys: core.KeySet{Realm: realm, Dialect: "plain", Algorithm: "HS256"},
			Lifetime: time.Hour, Claims: claims, AccountClaim: "sub",
		}},
		Mails: map[core.Purpose]core.MailWords{core.PurposeRecovery: func(_ core.Account, ticket core.Secret) (string, core.Secret, error) {
			return "Recovery", core.NewSecret("https://app.example.com/reset?token=" + ticket.Reveal()), nil
		}},
	}
	if change != nil {
		change(&w.terms)
	}
	w.open(t)
	w.registry = &core.Registry{
		Realms: w.store, Tenants: w.store, Accounts: w.store, Factors: w.store, Sealer: openSealer{}, AccessKeys: w.store,
		Passwords: w.passwords, Now: time.Now,
	}
	if _, err := w.registry.PutRealm(t.Context(), core.RealmInfo{Name: realm, Attributes: map[string]core.AttributeType{"team": core.StringAttribute}}, origin); err != nil {
		t.Fatal(err)
	}
	return w
}

// open makes the authority from what the world has now.
func (w *world) open(t *testing.T) {
	t.Helper()
	authority, err := core.NewAuthority(w.deps, w.terms)
	if err != nil {
		t.Fatal(err)
	}
	w.Authority = authority
}

func (w *world) account(t *testing.T, login string, change func(*core.AccountSpec)) core.Account {
	t.Helper()
	spec := core.AccountSpec{Realm: realm, Login: login, Active: true, Verified: true, Password: core.NewSecret("right password")}
	if change != nil {
		change(&spec)
	}
	account, err := w.registry.CreateAccount(t.Context(), spec, origin)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// twins creates accounts of one login name in two tenants.
func (w *world) twins(t *testing.T, login string) {
	t.Helper()
	for _, tenant := range []core.TenantID{"t1", "t2"} {
		account := core.Account{ID: core.AccountID(tenant), Realm: realm, Tenant: tenant, Login: login, Email: login, Active: true, Verified: true, PasswordHash: "new:right password"}
		if err := w.store.CreateAccount(t.Context(), account, core.Event{}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) login(ctx context.Context, login, password string) (core.Token, error) {
	return w.Exchange(ctx, core.Credential{As: []core.SubjectKind{core.SubjectAccount}, Identifier: login, Secret: core.NewSecret(password), Policy: "access", Origin: origin})
}

func (w *world) keyLogin(ctx context.Context, identifier, secret string) (core.Token, error) {
	return w.Exchange(ctx, core.Credential{As: []core.SubjectKind{core.SubjectKey}, Identifier: identifier, Secret: core.NewSecret(secret), Policy: "access", Origin: origin})
}

func (w *world) events(t *testing.T) []core.RecordedEvent {
	t.Helper()
	events, err := w.store.Events(t.Context(), realm, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func want(t *testing.T, what string, err error, kind core.Kind) {
	t.Helper()
	if got := core.KindOf(err); got != kind {
		t.Errorf("%s: kind %q (%v), want %q", what, got, err, kind)
	}
}

// S1, S2, S5, S17: every refusal costs one comparison, the states are told only to
// who knows the password, and the journal knows the exact reason.
func TestExchangePassword(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "Ada@example.com", nil)
	w.account(t, "idle@example.com", func(s *core.AccountSpec) { s.Active = false })
	w.account(t, "new@example.com", func(s *core.AccountSpec) { s.Verified = false })
	w.account(t, "both@example.com", func(s *core.AccountSpec) { s.Active, s.Verified = false, false })
	w.account(t, "none@example.com", func(s *core.AccountSpec) { s.Password = core.Secret{} })
	w.twins(t, "twin@example.com")
	for _, tt := range []struct {
		login, password string
		kind            core.Kind
		counted         string
	}{
		{"ada@EXAMPLE.com", "right password", "", "succeeded"},
		{"ada@example.com", "wrong password", core.BadSecret, "failed"},
		{"ada@example.com", "right password ", core.BadSecret, "failed"},
		{" ada@example.com", "right password", core.Unknown, "failed"},
		{"nobody@example.com", "right password", core.Unknown, "failed"},
		{"a\x00da@example.com", "right password", core.Unknown, "failed"},
		{strings.Repeat("x", 5000), "right password", core.Unknown, "failed"},
		{"", "", core.Unknown, "failed"},
		{"twin@example.com", "right password", core.Unknown, "failed"},
		{"none@example.com", "", core.BadSecret, "failed"},
		{"idle@example.com", "wrong password", core.BadSecret, "failed"},
		{"idle@example.com", "right password", core.Inactive, "abandoned"},
		{"both@example.com", "right password", core.Inactive, "abandoned"},
		{"new@example.com", "wrong password", core.BadSecret, "failed"},
		{"new@example.com", "right password", core.Unverified, "abandoned"},
	} {
		t.Run(tt.login+"/"+tt.password, func(t *testing.T) {
			w.passwords.compared, w.attempts.ended = nil, nil
			_, err := w.login(t.Context(), tt.login, tt.password)
			want(t, "Exchange", err, tt.kind)
			if len(w.passwords.compared) != 1 {
				t.Errorf("%d comparisons, want 1", len(w.passwords.compared))
			}
			if !slices.Equal(w.attempts.ended, []string{tt.counted}) {
				t.Errorf("the attempt %v, want %s", w.attempts.ended, tt.counted)
			}
			if events := w.events(t); events[len(events)-1].Action != core.ActionExchange || events[len(events)-1].Outcome != tt.kind {
				t.Errorf("the journal ends with %+v, want the outcome %q", events[len(events)-1], tt.kind)
			}
		})
	}
}

func TestExchangeAdmitsUnverified(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) { terms.AdmitUnverified = true })
	w.account(t, "new@example.com", func(s *core.AccountSpec) { s.Verified = false })
	token, err := w.login(t.Context(), "new@example.com", "right password")
	want(t, "Exchange", err, "")
	_, err = w.Whoami(t.Context(), token.Value)
	want(t, "Whoami", err, "")
}

func TestExchangeThrottled(t *testing.T) {
	w := newWorld(t, nil)
	w.attempts.full = true
	for _, login := range []string{"nobody@example.com", "Nobody@Example.com"} {
		_, err := w.login(t.Context(), login, "x")
		want(t, login, err, core.RateLimited)
	}
	if w.attempts.keys[0] != w.attempts.keys[1] {
		t.Errorf("two spellings count apart: %v", w.attempts.keys)
	}
	if len(w.passwords.compared) != 0 {
		t.Error("a refused attempt was compared")
	}
}

// S3: states of an access key are told only to who knows the secret.
func TestExchangeAccessKey(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		policy := terms.Policies["access"]
		policy.KeyClaim = "ak"
		terms.Policies["access"] = policy
	})
	w.account(t, "partner", nil)
	w.account(t, "idle partner", func(s *core.AccountSpec) { s.Active = false })
	secrets := map[string]string{}
	for _, spec := range []core.AccessKeySpec{
		{Identifier: "active", Owner: "partner", State: core.KeyStateActive},
		{Identifier: "pending", Owner: "partner"},
		{Identifier: "expired", Owner: "partner", State: core.KeyStateActive, ExpiresAt: time.Now()},
		{Identifier: "revoked", Owner: "partner", State: core.KeyStateRevoked},
		{Identifier: "idle", Owner: "idle partner", State: core.KeyStateActive},
	} {
		spec.Realm = realm
		_, secret, err := w.registry.CreateAccessKey(t.Context(), spec, origin)
		if err != nil {
			t.Fatal(err)
		}
		secrets[spec.Identifier] = secret.Reveal()
	}
	for identifier, right := range map[string]core.Kind{
		"active": "", "pending": core.KeyPending, "expired": core.KeyExpired, "revoked": core.KeyRevoked, "idle": core.Inactive,
	} {
		_, err := w.keyLogin(t.Context(), identifier, secrets[identifier])
		want(t, identifier, err, right)
		for _, wrong := range []string{"", secrets[identifier] + "x", secrets[identifier][1:], strings.ToLower(secrets[identifier]), " " + secrets[identifier]} {
			_, err = w.keyLogin(t.Context(), identifier, wrong)
			want(t, identifier+" with a wrong secret", err, core.BadSecret)
		}
	}
	for _, unknown := range []string{"", "Active", "active ", "nothing"} {
		_, err := w.keyLogin(t.Context(), unknown, secrets["active"])
		want(t, unknown, err, core.Unknown)
	}
	if len(w.passwords.compared) != 0 {
		t.Error("an access key paid for a password hash")
	}

	token, err := w.keyLogin(t.Context(), "active", secrets["active"])
	want(t, "Exchange", err, "")
	identity, err := w.Whoami(t.Context(), token.Value)
	want(t, "Whoami", err, "")
	if identity.Key == nil || identity.Key.Identifier != "active" || identity.Account.Login != "partner" {
		t.Errorf("Whoami() = %+v", identity)
	}
	if _, err := w.registry.RevokeAccessKey(t.Context(), realm, "active", origin); err != nil {
		t.Fatal(err)
	}
	_, err = w.Whoami(t.Context(), token.Value)
	want(t, "Whoami after the key was revoked", err, core.TokenRevoked)
}

// S37–S39, S47: what a token must be, and what ends it.
func TestWhoami(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		policy := terms.Policies["access"]
		policy.Audiences = []string{"api"}
		terms.Policies["access"] = policy
	})
	ada := w.account(t, "ada@example.com", nil)
	now := time.Now()
	sign := func(change func(map[string]any)) core.Secret {
		members := map[string]any{"sub": ada.ID, "aud": "api", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
		if change != nil {
			change(members)
		}
		payload, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := openSigner{}.Sign(t.Context(), w.terms.Policies["access"].Keys, payload)
		return token
	}
	for _, tt := range []struct {
		name  string
		token core.Secret
		kind  core.Kind
	}{
		{"good", sign(nil), ""},
		{"without iat", sign(func(m map[string]any) { delete(m, "iat") }), ""},
		{"iat within the skew", sign(func(m map[string]any) { m["iat"] = now.Add(50 * time.Second).Unix() }), ""},
		{"iat ahead", sign(func(m map[string]any) { m["iat"] = now.Add(62 * time.Second).Unix() }), core.TokenInvalid},
		{"nbf ahead", sign(func(m map[string]any) { m["nbf"] = now.Add(62 * time.Second).Unix() }), core.TokenInvalid},
		{"without exp", sign(func(m map[string]any) { delete(m, "exp") }), core.TokenInvalid},
		{"expired", sign(func(m map[string]any) { m["exp"] = now.Unix() }), core.TokenExpired},
		{"other audience", sign(func(m map[string]any) { m["aud"] = "other" }), core.TokenForeign},
		{"without audience", sign(func(m map[string]any) { delete(m, "aud") }), core.TokenForeign},
		{"without subject", sign(func(m map[string]any) { delete(m, "sub") }), core.TokenInvalid},
		{"unknown subject", sign(func(m map[string]any) { m["sub"] = "nobody" }), core.AccountGone},
		{"another realm's", core.NewSecret("other/plain.{}"), core.TokenInvalid},
		{"empty", core.NewSecret(""), core.TokenInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the second time from memory
				_, err := w.Whoami(t.Context(), tt.token)
				want(t, "Whoami", err, tt.kind)
			}
		})
	}
	if _, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin); err != nil {
		t.Fatal(err)
	}
	_, err := w.Whoami(t.Context(), sign(nil))
	want(t, "Whoami of a disabled account", err, core.AccountInactive)
}

// S37: a token is refused from the second of its exp on, remembered or not.
func TestWhoamiExpiresOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.account(t, "ada@example.com", nil)
		token, err := w.login(t.Context(), "ada@example.com", "right password")
		want(t, "Exchange", err, "")
		time.Sleep(time.Hour - time.Second)
		_, err = w.Whoami(t.Context(), token.Value)
		want(t, "a second before exp", err, "")
		time.Sleep(time.Second)
		_, err = w.Whoami(t.Context(), token.Value)
		want(t, "at exp", err, core.TokenExpired)
	})
}

// S46: a new password ends older tokens, and the next token waits for the second
// from which tokens hold again.
func TestNewPasswordEndsTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.account(t, "ada@example.com", nil)
		time.Sleep(300 * time.Millisecond)
		old, err := w.login(t.Context(), "ada@example.com", "right password")
		want(t, "Exchange", err, "")
		ticket := w.requestTicket(t, "ada@example.com")
		want(t, "ResetPassword", w.ResetPassword(t.Context(), core.PasswordReset{Ticket: ticket, Password: core.NewSecret("a new password")}), "")
		_, err = w.Whoami(t.Context(), old.Value)
		want(t, "the old token", err, core.TokenRevoked)
		_, err = w.login(t.Context(), "ada@example.com", "right password")
		want(t, "the old password", err, core.BadSecret)

		begin := time.Now()
		fresh, err := w.login(t.Context(), "ada@example.com", "a new password")
		want(t, "the new password", err, "")
		if waited := time.Since(begin); waited <= 0 || waited > time.Second {
			t.Errorf("the next token came after %v, want up to a second", waited)
		}
		_, err = w.Whoami(t.Context(), fresh.Value)
		want(t, "the new token", err, "")
	})
}

// S46, S47: a password that was right when the login began gives no token when the
// account has changed by the time it is compared.
func TestChangeDuringLogin(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, w *world){
		"reset": func(t *testing.T, w *world) {
			ticket := w.requestTicket(t, "ada@example.com")
			want(t, "ResetPassword", w.ResetPassword(t.Context(), core.PasswordReset{Ticket: ticket, Password: core.NewSecret("a new password")}), "")
		},
		"disabled": func(t *testing.T, w *world) {
			if _, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.account(t, "ada@example.com", nil)
				w.passwords.meanwhile = func() {
					w.passwords.meanwhile = nil
					time.Sleep(1500 * time.Millisecond)
					change(t, w)
				}
				_, err := w.login(t.Context(), "ada@example.com", "right password")
				want(t, "Exchange", err, core.BadSecret)
			})
		})
	}
}

// A panic on the way leaves no attempt reserved for ever.
func TestPanicSettlesTheAttempt(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", nil)
	w.passwords.meanwhile = func() { panic("a defect") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not come up")
			}
		}()
		_, _ = w.login(t.Context(), "ada@example.com", "right password")
	}()
	if !slices.Equal(w.attempts.ended, []string{"abandoned"}) {
		t.Errorf("the attempt %v, want abandoned", w.attempts.ended)
	}
}

// requestTicket asks for a recovery mail and makes it out.
func (w *world) requestTicket(t *testing.T, login string) core.Secret {
	t.Helper()
	mail, err := w.nextMail(t, login)
	if err != nil {
		t.Fatal(err)
	}
	_, ticket, _ := strings.Cut(mail.Link.Reveal(), "token=")
	return core.NewSecret(ticket)
}

func (w *world) nextMail(t *testing.T, login string) (core.Mail, error) {
	t.Helper()
	if err := w.RequestTicket(t.Context(), core.PurposeRecovery, login, core.Tenancy{}, origin); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	notices, err := w.store.LeaseNotices(t.Context(), now, now.Add(time.Minute), 10)
	if err != nil || len(notices) != 1 {
		t.Fatalf("%d notices, %v; want 1", len(notices), err)
	}
	defer func() {
		if err := w.store.RemoveNotice(t.Context(), notices[0].ID, core.Event{}); err != nil {
			t.Error(err)
		}
	}()
	return w.ComposeMail(t.Context(), notices[0])
}

// S24: asking leaves the same behind for every login name.
func TestRecoveryLooksTheSame(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", nil)
	w.account(t, "idle@example.com", func(s *core.AccountSpec) { s.Active = false })
	w.account(t, "no address", nil)
	w.twins(t, "twin@example.com")
	for login, kind := range map[string]core.Kind{
		"ADA@example.com": "", "idle@example.com": core.Inactive, "nobody@example.com": core.NotFound,
		"no address": core.NotFound, "twin@example.com": core.NotFound, "non\nsense": core.NotFound, "": core.NotFound,
	} {
		before := len(w.events(t))
		_, err := w.nextMail(t, login)
		want(t, login, err, kind)
		events := w.events(t)[before:]
		if len(events) != 2 || events[0].Action != core.ActionRecoveryRequested || events[0].Outcome != "" || events[0].Account != "" {
			t.Errorf("%q: the journal tells of %+v", login, events)
		}
	}
	if len(w.passwords.compared) != 0 {
		t.Error("a request was compared with a password")
	}
}

// S33: at most three mails an hour and ten a day, silently.
func TestRecoveryMailsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.account(t, "ada@example.com", nil)
		sent := 0
		for range 48 {
			if _, err := w.nextMail(t, "ada@example.com"); err == nil {
				sent++
			} else {
				want(t, "ComposeMail", err, core.RateLimited)
			}
			if sent > 10 {
				t.Fatal("an eleventh mail within a day")
			}
			time.Sleep(10 * time.Minute)
		}
		if sent != 10 {
			t.Errorf("%d mails in eight hours, want 10", sent)
		}
	})
}

// S25–S28: a ticket opens once, and dies of whatever makes it stale.
func TestResetPassword(t *testing.T) {
	reset := func(w *world, ticket core.Secret, password string) error {
		return w.ResetPassword(context.Background(), core.PasswordReset{Ticket: ticket, Password: core.NewSecret(password), Origin: origin})
	}
	for _, tt := range []struct {
		name string
		kind core.Kind
		then func(t *testing.T, w *world, ticket core.Secret) core.Secret
	}{
		{"fresh", "", nil},
		{"used", core.TicketUsed, func(t *testing.T, w *world, ticket core.Secret) core.Secret {
			want(t, "the first use", reset(w, ticket, "first password"), "")
			return ticket
		}},
		{"replaced by a newer one", core.TicketUnknown, func(t *testing.T, w *world, ticket core.Secret) core.Secret {
			w.requestTicket(t, "ada@example.com")
			return ticket
		}},
		{"an hour old", core.TicketExpired, func(_ *testing.T, _ *world, ticket core.Secret) core.Secret {
			time.Sleep(time.Hour)
			return ticket
		}},
		{"a minute under an hour old", "", func(_ *testing.T, _ *world, ticket core.Secret) core.Secret {
			time.Sleep(59 * time.Minute)
			return ticket
		}},
		{"disabled account", core.TicketInactive, func(t *testing.T, w *world, ticket core.Secret) core.Secret {
			if _, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin); err != nil {
				t.Fatal(err)
			}
			return ticket
		}},
		{"account disabled and enabled again", core.TicketUsed, func(t *testing.T, w *world, ticket core.Secret) core.Secret {
			if _, err := w.registry.DisableAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			spec := core.AccountSpec{Realm: realm, Login: "ada@example.com", Active: true, Verified: true}
			if _, err := w.registry.UpdateAccount(t.Context(), spec, origin); err != nil {
				t.Fatal(err)
			}
			return ticket
		}},
		{"address changed", core.TicketUsed, func(t *testing.T, w *world, ticket core.Secret) core.Secret {
			spec := core.AccountSpec{Realm: realm, Login: "ada@example.com", Email: "new@example.com", Active: true, Verified: true}
			if _, err := w.registry.UpdateAccount(t.Context(), spec, origin); err != nil {
				t.Fatal(err)
			}
			return ticket
		}},
		{"truncated", core.TicketUnknown, func(_ *testing.T, _ *world, ticket core.Secret) core.Secret {
			return core.NewSecret(ticket.Reveal()[1:])
		}},
		{"empty", core.TicketUnknown, func(*testing.T, *world, core.Secret) core.Secret { return core.Secret{} }},
		{"an access token", core.TicketUnknown, func(t *testing.T, w *world, _ core.Secret) core.Secret {
			token, err := w.login(t.Context(), "ada@example.com", "right password")
			want(t, "Exchange", err, "")
			return token.Value
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.account(t, "ada@example.com", nil)
				ticket := w.requestTicket(t, "ada@example.com")
				if tt.then != nil {
					ticket = tt.then(t, w, ticket)
				}
				want(t, "a short password", reset(w, ticket, "short"), core.PasswordRefused)
				want(t, "ResetPassword", reset(w, ticket, "the new password"), tt.kind)
				_, err := w.Whoami(t.Context(), ticket)
				want(t, "the ticket as a bearer", err, bearerKind(tt.name))
			})
		})
	}
}

func bearerKind(name string) core.Kind {
	if name == "an access token" {
		return ""
	}
	return core.TokenInvalid
}

// S17: a weak hash is replaced after the login, once, and never over a newer password.
func TestOutdatedHashIsReplaced(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.PasswordHash = "old:right password" })
	_, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, "")
	w.passwords.upgrades.Wait()
	account, err := w.store.AccountByLogin(t.Context(), realm, "ada@example.com")
	if err != nil || account.PasswordHash != "new:right password" {
		t.Errorf("the hash is now %q, %v", string(account.PasswordHash), err)
	}
	if !slices.ContainsFunc(w.events(t), func(e core.RecordedEvent) bool { return e.Action == core.ActionPasswordRehashed }) {
		t.Error("the journal does not tell of it")
	}
}

// R4: when the journal is away, there is no token.
func TestNoTokenWithoutRecord(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", nil)
	w.deps.Journal = brokenJournal{w.store}
	w.open(t)
	for _, password := range []string{"right password", "wrong password"} {
		token, err := w.login(t.Context(), "ada@example.com", password)
		want(t, password, err, core.Unavailable)
		if token.Value != (core.Secret{}) {
			t.Error("a token came without its record")
		}
	}
}

type brokenJournal struct{ core.Journal }

func (brokenJournal) Record(context.Context, core.Event) error {
	return &core.Error{Kind: core.Unavailable, Err: errors.New("disk full")}
}

func TestNetwork(t *testing.T) {
	for address, network := range map[string]string{
		"192.0.2.77": "192.0.2.77/32", "::ffff:192.0.2.77": "192.0.2.77/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := (core.Origin{Address: netip.MustParseAddr(address)}).Network(); got.String() != network {
			t.Errorf("Network() of %s = %s, want %s", address, got, network)
		}
	}
	if got := (core.Origin{}).Network(); got.IsValid() {
		t.Errorf("Network() of no address = %s", got)
	}
}
