package contracttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// loginB proves B1.
func loginB(t *testing.T, w *world) {
	m := w.account(t, contractB, called("Desk-7 (Lisboa)"))
	w.account(t, contractB, called(" padded "))
	off := w.account(t, contractB, inactive)
	neither := w.account(t, contractB, inactive, unverified)
	unproved := w.account(t, contractB, unverified)
	notVerified := expected{status: 400, body: `{"detail":"LOGIN_USER_NOT_VERIFIED"}`}
	w.prove(t, contractB, []row{
		{"success", contractB.loginWith(m.identifier, password), granted},
		{"login name in another case", contractB.loginWith("dESK-7 (lISBOA)", password), granted},
		{"login name that is an address", contractB.loginWith(w.account(t, contractB).identifier, password), granted},
		{"blanks are kept", contractB.loginWith(" padded ", password), granted},
		{"blanks are not taken off", contractB.loginWith("padded", password), contractB.refused()},
		{"blanks are not added", contractB.loginWith(m.identifier+" ", password), contractB.refused()},
		{"form invalid", post(contractB.login, formType, "password=x"), detail(missing("username", "null"))},
		{"unknown login", contractB.loginWith("nobody", password), contractB.refused()},
		{"wrong password", contractB.loginWith(m.identifier, password+"x"), contractB.refused()},
		{"inactive with the right password", contractB.loginWith(off.identifier, password), contractB.refused()},
		{"inactive with a wrong password", contractB.loginWith(off.identifier, "x"), contractB.refused()},
		{"inactive and unverified", contractB.loginWith(neither.identifier, password), contractB.refused()},
		{"not verified", contractB.loginWith(unproved.identifier, password), notVerified},
		{"not verified with a wrong password", contractB.loginWith(unproved.identifier, password+"x"), contractB.refused()},
	})
	sub(t, "form invalid before not verified", func(t *testing.T) {
		r := contractB.loginWith(unproved.identifier, password)
		r.body += "&grant_type=x"
		contractB.expect(t, w.send(t, contractB, r), detail(badGrant("x")))
	})
	sub(t, "token", func(t *testing.T) {
		token := w.token(t, contractB, m)
		if !strings.HasPrefix(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.") {
			t.Errorf("first segment is not the documented one: %.60s", token)
		}
		decoded := decodeToken(t, token)
		issued := decoded.issuedNow(t)
		want := fmt.Sprintf(`{"sub":"%s","aud":["fastapi-users:auth"],"exp":%d,"iat":%d}`, m.account.ID, issued+3600, issued)
		if decoded.payload != want {
			t.Errorf("payload = %s, want %s", decoded.payload, want)
		}
		if decoded.header != `{"alg":"HS256","typ":"JWT"}` || len(decoded.signature) != 32 {
			t.Errorf("header = %s, signature of %d bytes", decoded.header, len(decoded.signature))
		}
		if !matches(uuidPattern, string(m.account.ID)) {
			t.Errorf("sub %q is not a UUID", m.account.ID)
		}
	})
}

// passed checks that the API behind answered, and that it saw the request once.
func (w *world) passed(t *testing.T, c contract, r request) {
	t.Helper()
	w.upstream.took()
	got := w.send(t, c, r)
	if got.status != 200 || got.body != `{"resource":"served"}` {
		t.Errorf("got %s, want the resource", got)
	}
	if n := w.upstream.took(); n != 1 {
		t.Errorf("the API behind saw %d requests, want 1", n)
	}
}

// stopped checks that a protected call is refused and does not reach the API behind.
func (w *world) stopped(t *testing.T, c contract, r request, want expected) {
	t.Helper()
	w.upstream.took()
	c.expect(t, w.send(t, c, r), want)
	if n := w.upstream.took(); n != 0 && c.resourceBy == "GET" {
		t.Errorf("the API behind saw %d requests, want none", n)
	}
}

// protectedCalls proves what B2, C2 and D3 have in common.
func protectedCalls(t *testing.T, w *world, c contract) {
	m := w.member(t, c)
	token := w.token(t, c, m)
	call := request{method: "GET", target: c.resource}
	sub(t, "success", func(t *testing.T) { w.passed(t, c, c.present(token)) })
	for _, tt := range []struct {
		name string
		send request
	}{
		{"missing", call},
		{"empty", call.with("Authorization:")},
		{"other scheme", call.with("Authorization: Basic YTpi")},
		{"Bearer but empty", call.with("Authorization: Bearer ")},
		{"in the query", call.at(c.resource + "?access_token=" + token + "&token=" + token)},
		{"malformed", c.present("abc")},
	} {
		sub(t, tt.name, func(t *testing.T) { w.stopped(t, c, tt.send, c.invalid()) })
	}
	sub(t, "user has become inactive", func(t *testing.T) {
		m := w.member(t, c)
		token := w.token(t, c, m)
		w.passed(t, c, c.present(token))
		w.disable(t, c, m)
		w.stopped(t, c, c.present(token), c.invalid())
	})
	invalidTokens(t, w, c)
}

// protectedB proves B2.
func protectedB(t *testing.T, w *world) {
	protectedCalls(t, w, contractB)
	sub(t, "no longer verified", func(t *testing.T) {
		m := w.account(t, contractB)
		token := w.token(t, contractB, m)
		w.unverify(t, contractB, m)
		w.stopped(t, contractB, contractB.present(token), expected{status: 403, body: `{"detail":"Forbidden"}`})
	})
	m := w.account(t, contractB)
	signed := func(t *testing.T, aud string) request {
		return contractB.present(w.forge(t, contractB, contractB.claims(m, map[string]string{"aud": aud})))
	}
	sub(t, "aud as text", func(t *testing.T) { w.passed(t, contractB, signed(t, `"fastapi-users:auth"`)) })
	for name, aud := range map[string]string{
		"aud of a reset token": `["fastapi-users:reset"]`, "aud as other text": `"other"`, "aud missing": "", "aud empty": `[]`,
		"aud in another case": `["FastAPI-Users:auth"]`, "aud a number": `1`, "aud null": `null`,
	} {
		sub(t, name, func(t *testing.T) { w.stopped(t, contractB, signed(t, aud), contractB.invalid()) })
	}
}

// enable lets a disabled account in again.
func (w *world) enable(t testing.TB, c contract, m member) {
	t.Helper()
	if _, err := w.registry.UpdateAccount(t.Context(), core.AccountSpec{
		Realm: c.realm, Login: m.account.Login, Email: m.account.Email, Name: m.account.Name, Active: true, Verified: true,
		Attributes: m.account.Attributes, Roles: m.account.Roles,
	}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
}
