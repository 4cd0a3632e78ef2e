package core_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

func TestEnrollFactor(t *testing.T) {
	w := newPeople(t, nil)
	account := w.account(t, "Ada@example.com", nil)
	made, err := w.registry.EnrollFactor(t.Context(), named("ada@example.com"), origin)
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(made.URL.Reveal())
	if err != nil || address.Scheme != "otpauth" || address.Host != "totp" || address.Path != "/demo:Ada@example.com" {
		t.Errorf("the URL is %s, %v", made.URL.Reveal(), err)
	}
	for name, want := range map[string]string{"secret": made.Secret.Reveal(), "issuer": "demo", "digits": "6", "period": "30", "algorithm": "SHA1"} {
		if got := address.Query().Get(name); got != want {
			t.Errorf("%s of the URL is %q, want %q", name, got, want)
		}
	}
	if len(made.Secret.Reveal()) != 32 { // 160 bits
		t.Errorf("a secret of %d letters", len(made.Secret.Reveal()))
	}
	codes := map[string]bool{}
	for _, code := range made.RecoveryCodes {
		codes[code.Reveal()] = true
	}
	if len(codes) != 10 {
		t.Errorf("%d recovery codes, want 10", len(codes))
	}
	// S45: what is kept holds neither.
	factor, err := w.store.Factor(t.Context(), realm, account.ID)
	if err != nil || len(factor.Recovery) != 10 {
		t.Fatalf("Factor() = %+v, %v", factor, err)
	}
	if !slices.ContainsFunc(w.events(t), func(e core.RecordedEvent) bool {
		return e.Action == core.ActionFactorEnrolled && e.Account == account.ID
	}) {
		t.Error("the journal does not tell of it")
	}

	_, err = w.registry.EnrollFactor(t.Context(), named("ada@example.com"), origin)
	want(t, "EnrollFactor again", err, core.Conflict)
	_, err = w.registry.EnrollFactor(t.Context(), named("nobody"), origin)
	want(t, "EnrollFactor of nobody", err, core.NotFound)
	for _, changed := range []bool{true, false} {
		if got, err := w.registry.RemoveFactor(t.Context(), named("ada@example.com"), origin); err != nil || got != changed {
			t.Errorf("RemoveFactor() = %v, %v; want %v", got, err, changed)
		}
	}
	_, err = w.login(t.Context(), "ada@example.com", "right password")
	want(t, "Exchange without the factor", err, "")
}

// The sealed secret opens for its own account alone.
func TestFactorIsBoundToItsAccount(t *testing.T) {
	w := newPeople(t, nil)
	ada, eve := w.account(t, "ada@example.com", nil), w.account(t, "eve@example.com", nil)
	code, _ := w.enroll(t, "ada@example.com")
	factor, err := w.store.Factor(t.Context(), realm, ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	factor.Account = eve.ID
	if err := w.store.PutFactor(t.Context(), factor, core.Event{Realm: realm}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Exchange(t.Context(), password("eve@example.com", "right password", func(c *core.Credential) { c.OTP = code() }))
	want(t, "another account's sealed secret", err, core.Internal)
}

func TestImportFactor(t *testing.T) {
	w := newPeople(t, nil)
	const rfc = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, bad := range []string{"", "GEZDGNBV", "not base32 !", "GEZDGNBVGY3TQOJ1", strings.Repeat("=", 32)} {
		_, err := w.registry.CreateAccount(t.Context(), core.AccountSpec{Realm: realm, Login: "bad@example.com", TOTP: core.NewSecret(bad)}, origin)
		want(t, bad, err, core.InvalidRequest)
		if bad != "" && err != nil && strings.Contains(err.Error(), bad) {
			t.Errorf("the refusal repeats the secret: %v", err)
		}
	}
	_, err := w.store.AccountByLogin(t.Context(), realm, "bad@example.com")
	want(t, "an account with a bad secret", err, core.NotFound)

	w.account(t, "ada@example.com", func(s *core.AccountSpec) {
		s.TOTP, s.RecoveryCodes = core.NewSecret(strings.ToLower(rfc)), []core.Secret{core.NewSecret("abcd-efgh")}
	})
	signIn := func(change func(*core.Credential)) error {
		_, err := w.Exchange(t.Context(), password("ada@example.com", "right password", change))
		return err
	}
	want(t, "without a code", signIn(nil), core.MFARequired)
	want(t, "by the imported recovery code", signIn(func(c *core.Credential) { c.RecoveryCode = core.NewSecret("ABCDEFGH") }), "")
	want(t, "by the imported secret", signIn(func(c *core.Credential) { c.OTP = codeOf(t, rfc) }), "")
	want(t, "ImportFactor again", w.registry.ImportFactor(t.Context(), named("ada@example.com"), core.NewSecret(rfc), nil, origin), core.Conflict)

	w.account(t, "eve@example.com", nil)
	want(t, "ImportFactor", w.registry.ImportFactor(t.Context(), named("eve@example.com"), core.NewSecret("JBSWY3DPEHPK3PXP"), nil, origin), "")
	_, err = w.login(t.Context(), "eve@example.com", "right password")
	want(t, "Exchange", err, core.MFARequired)
}
