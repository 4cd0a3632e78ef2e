package core_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/chancery-auth/chancery/core"
)

// S1, S2: a client that is wrong is told before a secret that is, at the same cost,
// and neither its owner's nor the account's state.
func TestExchangeByClient(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.PasswordHash, s.Password = "old:right password", core.Secret{} })
	w.account(t, "idle@example.com", func(s *core.AccountSpec) { s.Active = false })
	clients := w.clients(t, "c1", "revoked")
	if _, err := w.registry.RevokeAccessKey(t.Context(), realm, "revoked", origin); err != nil {
		t.Fatal(err)
	}
	wrong, unknown := *clients["c1"], *clients["c1"]
	wrong.Secret, unknown.Identifier = core.NewSecret("x"), "c9"
	clients["wrong"], clients["unknown"] = &wrong, &unknown
	for _, tt := range []struct {
		client, login, password string
		kind                    core.Kind
	}{
		{"", "ada@example.com", "right password", ""},
		{"c1", "ada@example.com", "right password", ""},
		{"c1", "ada@example.com", "wrong password", core.BadSecret},
		{"c1", "nobody@example.com", "right password", core.Unknown},
		{"c1", "idle@example.com", "right password", core.Inactive},
		{"wrong", "ada@example.com", "right password", core.BadClient},
		{"wrong", "ada@example.com", "wrong password", core.BadClient},
		{"wrong", "nobody@example.com", "right password", core.BadClient},
		{"wrong", "idle@example.com", "right password", core.BadClient},
		{"unknown", "ada@example.com", "right password", core.BadClient},
		{"revoked", "ada@example.com", "right password", core.BadClient},
	} {
		t.Run(tt.client+"/"+tt.login+"/"+tt.password, func(t *testing.T) {
			w.passwords.compared, w.attempts.ended = nil, nil
			asked := false
			token, err := w.Exchange(t.Context(), core.Credential{
				As: []core.SubjectKind{core.SubjectAccount}, Identifier: tt.login, Secret: core.NewSecret(tt.password),
				Client: clients[tt.client], Policy: "access", Origin: origin,
				Judge: func(j core.Judged) (core.Granted, error) {
					asked = true
					if (j.Client == nil) != (tt.client == "") || j.Account.Login != tt.login {
						t.Errorf("judged is %+v", j)
					}
					return nil, nil
				},
			})
			want(t, "Exchange", err, tt.kind)
			if len(w.passwords.compared) != 1 || asked != (tt.kind == "") {
				t.Errorf("%d comparisons, want 1; judged: %v", len(w.passwords.compared), asked)
			}
			counted := map[core.Kind]string{"": "succeeded", core.Inactive: "abandoned"}[tt.kind]
			if counted == "" {
				counted = "failed"
			}
			wantSame(t, "the attempt", w.attempts.ended, []string{counted})
			if err != nil && tt.client == "wrong" {
				if refusal, ok := errors.AsType[*core.Error](err); !ok || refusal.Identity != nil {
					t.Errorf("who was refused is told to a wrong client: %+v", refusal)
				}
			}
			if err == nil && tt.client != "" && (token.Client == nil || token.Client.Identifier != tt.client) {
				t.Errorf("the token is granted to the client %+v", token.Client)
			}
		})
	}
	w.passwords.upgrades.Wait()
	rehashed := 0
	for _, action := range w.actions(t, 0) {
		if action == "password_rehashed" {
			rehashed++
		}
	}
	if rehashed == 0 || rehashed > 2 {
		t.Errorf("%d upgrades of the hash, want those of the right clients alone", rehashed)
	}
}

// Tenants scope names, and whoever is of another tenant is unknown. However an
// account is named, its attempts are counted as one (S20).
func TestExchangeInTenant(t *testing.T) {
	w := newWorld(t, nil)
	for _, tenant := range []core.Tenant{{ID: "t1", Name: "One", Active: true}, {ID: "t2", Name: "Two", Active: true}, {ID: "t3", Name: "Three"}} {
		tenant.Realm = realm
		if _, err := w.registry.PutTenant(t.Context(), tenant, origin); err != nil {
			t.Fatal(err)
		}
	}
	in := func(tenant core.TenantID) func(*core.AccountSpec) {
		return func(s *core.AccountSpec) { s.Tenant = tenant }
	}
	ada1, ada2 := w.account(t, "ada", in("t1")), w.account(t, "ada", in("t2"))
	w.account(t, "bob", in("t1"))
	w.account(t, "eve", in("t3"))
	free, both := w.account(t, "free", nil), w.account(t, "both", nil)
	w.account(t, "both", in("t2"))
	id := func(id core.TenantID) core.Tenancy { return core.Tenancy{ID: string(id), Given: true} }
	name := func(name string) core.Tenancy { return core.Tenancy{Name: name, Given: true} }
	for _, tt := range []struct {
		name    string
		login   string
		account core.AccountID
		tenant  core.Tenancy
		kind    core.Kind
		who     core.AccountID
		counted string
	}{
		{"by id", "ada", "", id("t1"), "", ada1.ID, "ada"},
		{"by name", "ADA", "", name("TWO"), "", ada2.ID, "ada"},
		{"by both", "ada", "", core.Tenancy{ID: "t2", Name: "two", Given: true}, "", ada2.ID, "ada"},
		{"by two that differ", "ada", "", core.Tenancy{ID: "t1", Name: "Two", Given: true}, core.Unknown, "", "ada"},
		{"by none", "ada", "", core.Tenancy{}, core.Unknown, "", "ada"},
		{"by none, but there is only one", "bob", "", core.Tenancy{}, "", "", "bob"},
		{"by another", "bob", "", id("t2"), core.Unknown, "", "bob"},
		{"by an unknown one", "bob", "", name("nine"), core.Unknown, "", "bob"},
		{"by saying that there is none", "free", "", core.Tenancy{Given: true, None: true}, "", free.ID, "free"},
		{"by saying so of one that has one", "bob", "", core.Tenancy{Given: true, None: true}, core.Unknown, "", "bob"},
		{"by saying so of a name that several have", "both", "", core.Tenancy{Given: true, None: true}, "", both.ID, "both"},
		{"by saying so beside a name", "ada", "", core.Tenancy{Name: "one", Given: true, None: true}, "", ada1.ID, "ada"},
		{"by account id, saying so", "", ada1.ID, core.Tenancy{Given: true, None: true}, core.Unknown, "", "ada"},
		{"by an empty one", "free", "", core.Tenancy{Given: true}, core.Unknown, "", "free"},
		{"of no tenant", "free", "", core.Tenancy{}, "", free.ID, "free"},
		{"of no tenant, by one", "free", "", id("t1"), core.Unknown, "", "free"},
		{"of an inactive one", "eve", "", id("t3"), core.Inactive, "", "eve"},
		{"of an inactive one, not named", "eve", "", core.Tenancy{}, core.Inactive, "", "eve"},
		{"by account id", "", ada1.ID, core.Tenancy{}, "", ada1.ID, "ada"},
		{"by account id and tenant", "", ada1.ID, name("one"), "", ada1.ID, "ada"},
		{"by account id and another tenant", "", ada1.ID, id("t2"), core.Unknown, "", "ada"},
		{"by an unknown account id", "", "nobody", core.Tenancy{}, core.Unknown, "", "\x1fnobody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for password, kind := range map[string]core.Kind{"right password": tt.kind, "wrong password": core.BadSecret} {
				if tt.kind == core.Unknown {
					kind = core.Unknown
				}
				w.passwords.compared, w.attempts.keys = nil, nil
				token, err := w.Exchange(t.Context(), core.Credential{
					As: []core.SubjectKind{core.SubjectAccount}, Identifier: tt.login, AccountID: tt.account, Secret: core.NewSecret(password),
					Tenant: tt.tenant, Policy: "access", Origin: origin,
				})
				want(t, password, err, kind)
				if len(w.passwords.compared) != 1 {
					t.Errorf("%d comparisons, want 1", len(w.passwords.compared))
				}
				if counted := w.attempts.keys[0].Identity; counted != tt.counted {
					t.Errorf("counted as %q, want %q", counted, tt.counted)
				}
				if err != nil {
					continue
				}
				if tt.who != "" && token.Account.ID != tt.who || (token.Tenant == nil) != (token.Account.Tenant == "") || token.Tenant != nil && token.Tenant.ID != token.Account.Tenant {
					t.Errorf("a token for %q of %+v, want for %q", token.Account.ID, token.Tenant, tt.who)
				}
				if identity := w.whoami(t, "Whoami", token.Value, ""); (identity.Tenant == nil) != (token.Tenant == nil) {
					t.Errorf("Whoami tells the tenant %+v", identity.Tenant)
				}
			}
		})
	}
}

// A key acts for its owner: of another tenant than the one that is named it is as
// unknown as one that is not there, whatever its state.
func TestExchangeKeyInTenant(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		policy := terms.Policies["access"]
		policy.KeyClaim = "ak"
		terms.Policies["access"] = policy
	})
	for _, tenant := range []core.TenantID{"t1", "t2"} {
		if _, err := w.registry.PutTenant(t.Context(), core.Tenant{ID: tenant, Realm: realm, Name: string(tenant), Active: true}, origin); err != nil {
			t.Fatal(err)
		}
	}
	w.account(t, "partner", func(s *core.AccountSpec) { s.Tenant = "t1" })
	secrets := map[string]core.Secret{"unknown": core.NewSecret("x")}
	for _, key := range []core.AccessKeySpec{{Identifier: "active", State: core.KeyStateActive}, {Identifier: "pending"}} {
		key.Realm, key.Owner = realm, "partner"
		_, secret, err := w.registry.CreateAccessKey(t.Context(), key, origin)
		want(t, "CreateAccessKey", err, "")
		secrets[key.Identifier] = secret
	}
	l := w.keepLedger(t)
	for _, tt := range []struct {
		key    string
		tenant core.Tenancy
		kind   core.Kind
	}{
		{"active", core.Tenancy{}, ""},
		{"active", core.Tenancy{ID: "t1", Given: true}, ""},
		{"active", core.Tenancy{Name: "T1", Given: true}, ""},
		{"active", core.Tenancy{ID: "t2", Given: true}, core.Unknown},
		{"active", core.Tenancy{Given: true, None: true}, core.Unknown},
		{"active", core.Tenancy{ID: "t9", Given: true}, core.Unknown},
		{"pending", core.Tenancy{ID: "t1", Given: true}, core.KeyPending},
		{"pending", core.Tenancy{ID: "t2", Given: true}, core.Unknown},
		{"unknown", core.Tenancy{ID: "t1", Given: true}, core.Unknown},
	} {
		t.Run(fmt.Sprint(tt.key, tt.tenant), func(t *testing.T) {
			l.wrote()
			token, err := w.Exchange(t.Context(), core.Credential{
				As: []core.SubjectKind{core.SubjectKey}, Identifier: tt.key, Secret: secrets[tt.key], Tenant: tt.tenant, Policy: "access", Origin: origin,
			})
			want(t, "Exchange", err, tt.kind)
			if err == nil {
				wantSame(t, "methods", token.Methods, []string{"key"})
				if token.Tenant == nil || token.Tenant.ID != "t1" {
					t.Errorf("the tenant is %+v", token.Tenant)
				}
			}
			if steps := l.wrote(); tt.tenant.Given && !slices.Contains(steps, "Account") {
				t.Errorf("the owner was not looked up: %v", steps)
			}
		})
	}
}

// The tenant of a token is asked each time, as its account is.
func TestTenantEndsTokens(t *testing.T) {
	for name, change := range map[string]func(*core.Terms){"tracked": tracked(nil), "untracked": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, change)
			tenant := core.Tenant{ID: "t1", Realm: realm, Name: "One", Active: true}
			put := func() {
				if _, err := w.registry.PutTenant(t.Context(), tenant, origin); err != nil {
					t.Fatal(err)
				}
			}
			put()
			account := w.account(t, "ada@example.com", func(s *core.AccountSpec) { s.Tenant = "t1" })
			token := w.adaAgain(t)
			w.whoami(t, "of an active tenant", token.Value, "")
			tenant.Active = false
			put()
			w.whoami(t, "of an inactive one", token.Value, core.AccountInactive)
			tenant.Active = true
			put()
			w.whoami(t, "of one that is active again", token.Value, "")
			if name == "tracked" {
				w.change(t, account.ID, func(a *core.Account) { a.Tenant = "" })
				w.whoami(t, "of none any more", token.Value, core.TokenRevoked)
			}
		})
	}
}

// Whoever has proved to be it is told its state, and only then.
func TestExchangeTellsStates(t *testing.T) {
	w := newWorld(t, nil)
	for login, change := range map[string]func(*core.AccountSpec){
		"inactive":    func(s *core.AccountSpec) { s.Active, s.Hold, s.Verified = false, core.Locked, false },
		"locked":      func(s *core.AccountSpec) { s.Hold, s.Verified = core.Locked, false },
		"unverified":  func(s *core.AccountSpec) { s.Hold, s.Verified = core.MustChangeSecret, false },
		"must change": func(s *core.AccountSpec) { s.Hold = core.MustChangeSecret },
	} {
		w.account(t, login, change)
		kind := map[string]core.Kind{"inactive": core.Inactive, "locked": core.Locked, "unverified": core.Unverified, "must change": core.MustChangeSecret}[login]
		for password, kind := range map[string]core.Kind{"right password": kind, "wrong password": core.BadSecret} {
			_, err := w.login(t.Context(), login, password)
			want(t, login+" with the "+password, err, kind)
			refusal, ok := errors.AsType[*core.Error](err)
			if told := ok && refusal.Identity != nil; told != (kind != core.BadSecret) || told && refusal.Identity.Account.Login != login {
				t.Errorf("%s with the %s: who was refused is %+v", login, password, refusal.Identity)
			}
		}
	}
}

// A hold that comes while the password is being compared keeps the sign-in out.
func TestHoldDuringLogin(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", nil)
	w.passwords.meanwhile = func() {
		w.passwords.meanwhile = nil
		_, err := w.registry.HoldAccount(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, core.Locked, origin)
		want(t, "HoldAccount", err, "")
	}
	_, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, core.Locked)
}

// The judge is asked once all else is right; what it refuses is on record.
func TestExchangeJudged(t *testing.T) {
	w := newWorld(t, nil)
	w.account(t, "ada@example.com", nil)
	asked := 0
	login := func(password string, granted core.Granted, refusal error) (core.Token, error) {
		return w.Exchange(t.Context(), core.Credential{
			As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret(password), Policy: "access", Origin: origin,
			Judge: func(j core.Judged) (core.Granted, error) {
				asked++
				if j.Policy != "access" || j.Caller != nil || !slices.Equal(j.Methods, []string{"password"}) {
					t.Errorf("judged is %+v", j)
				}
				return granted, refusal
			},
		})
	}
	_, err := login("wrong password", nil, nil)
	want(t, "a wrong password", err, core.BadSecret)
	if asked != 0 {
		t.Error("judged before the password was right")
	}
	before := len(w.events(t))
	for _, kind := range []core.Kind{core.Forbidden, core.ScopeDenied, core.BadCredentials} {
		_, err = login("right password", nil, &core.Error{Kind: kind})
		want(t, "what is not granted", err, kind)
	}
	wantSame(t, "the journal", w.actions(t, before), []string{"exchange: forbidden", "exchange: scope_denied", "exchange: bad_credentials"})
	token, err := login("right password", core.Granted{"scope": "read"}, nil)
	want(t, "what is granted", err, "")
	if token.Granted["scope"] != "read" || token.Policy != "access" {
		t.Errorf("granted is %+v", token.Grant)
	}
}

// What a policy's claims refuse, such as an audience, is forbidden, and on record.
func TestExchangeClaimsRefuse(t *testing.T) {
	w := newWorld(t, func(terms *core.Terms) {
		policy := terms.Policies["access"]
		policy.Claims = func(core.Grant) ([]byte, error) { return nil, &core.Error{Kind: core.Forbidden} }
		terms.Policies["access"] = policy
	})
	w.account(t, "ada@example.com", nil)
	_, err := w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange", err, core.Forbidden)
	if actions := w.actions(t, 0); actions[len(actions)-1] != "exchange: forbidden" {
		t.Errorf("the journal ends with %s", actions[len(actions)-1])
	}
}

// A second factor is asked for after the password and what the judge says, and goes
// into the token's methods.
func TestExchangeSecondFactor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(terms *core.Terms) {
			tracked(nil)(terms)
			terms.AskSecondFactor = true
		})
		w.account(t, "ada@example.com", nil)
		enrolled, err := w.registry.EnrollFactor(t.Context(), core.AccountName{Realm: realm, Login: "ada@example.com"}, origin)
		want(t, "EnrollFactor", err, "")
		code := func() core.Secret {
			code, err := totp.GenerateCode(enrolled.Secret.Reveal(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return core.NewSecret(code)
		}
		var judged error
		login := func(password string, otp, recovery core.Secret) (core.Token, error) {
			w.attempts.ended = nil
			return w.Exchange(t.Context(), core.Credential{
				As: []core.SubjectKind{core.SubjectAccount}, Identifier: "ada@example.com", Secret: core.NewSecret(password),
				OTP: otp, RecoveryCode: recovery, Policy: "access", Origin: origin,
				Judge: func(core.Judged) (core.Granted, error) { return core.Granted{"scope": "read"}, judged },
			})
		}
		before := len(w.events(t))
		_, err = login("wrong password", code(), core.Secret{})
		want(t, "a wrong password with a right code", err, core.BadSecret)
		_, err = login("right password", core.NewSecret("000000"), core.Secret{})
		want(t, "a wrong code", err, core.BadOTP)
		wantSame(t, "the attempt", w.attempts.ended, []string{"failed"})

		judged = &core.Error{Kind: core.Forbidden}
		_, err = login("right password", core.Secret{}, core.Secret{})
		want(t, "what is forbidden", err, core.Forbidden)
		judged = nil
		_, err = login("right password", core.Secret{}, core.Secret{})
		want(t, "no code", err, core.MFARequired)
		wantSame(t, "the attempt", w.attempts.ended, []string{"abandoned"})
		refusal, _ := errors.AsType[*core.Error](err)
		if refusal.Challenge == nil || refusal.Identity == nil || refusal.Identity.Account.Login != "ada@example.com" || !refusal.Challenge.ExpiresAt.Equal(time.Now().Add(5*time.Minute)) {
			t.Fatalf("the refusal is %+v", refusal)
		}
		wantSame(t, "the journal", w.actions(t, before), []string{"exchange: bad_secret", "exchange: bad_otp", "exchange: forbidden", "challenge_issued"})
		w.whoami(t, "the challenge as a bearer", refusal.Challenge.Value, core.TokenInvalid)
		_, err = w.refresh(t.Context(), refusal.Challenge.Value)
		want(t, "the challenge as a refresh token", err, core.RefreshUnknown)

		token, err := w.Resume(t.Context(), core.Resumption{Challenge: refusal.Challenge.Value, OTP: code(), Origin: origin})
		want(t, "Resume", err, "")
		wantSame(t, "methods", token.Methods, []string{"password", "totp"})
		if identity := w.whoami(t, "the resumed token", token.Value, ""); identity.Granted["scope"] != "read" {
			t.Errorf("granted is %v", identity.Granted)
		}
		time.Sleep(time.Minute)
		token, err = login("right password", code(), core.Secret{})
		want(t, "a right code", err, "")
		wantSame(t, "the attempt", w.attempts.ended, []string{"succeeded"})
		wantSame(t, "methods", w.whoami(t, "Whoami", token.Value, "").Methods, []string{"password", "totp"})
		token, err = login("right password", core.Secret{}, enrolled.RecoveryCodes[0])
		want(t, "a recovery code", err, "")
		wantSame(t, "methods", token.Methods, []string{"password", "recovery_code"})
	})
}
