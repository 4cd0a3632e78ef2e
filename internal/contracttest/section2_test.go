package contracttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// loginA proves A1.
func loginA(t *testing.T, w *world) {
	m := w.account(t, contractA, called("Ada.Byron@Work.Example"))
	off := w.account(t, contractA, inactive)
	w.prove(t, contractA, []row{
		{"success", contractA.loginWith(m.identifier, password), granted},
		{"e-mail in another case", contractA.loginWith("aDA.bYRON@wORK.eXAMPLE", password), granted},
		{"e-mail with blanks around", contractA.loginWith(" "+m.identifier+" ", password), contractA.refused()},
		{"form invalid", post(contractA.login, formType, "username="+m.identifier), detail(missing("password", "null"))},
		{"unknown e-mail", contractA.loginWith("nobody@people.example", password), contractA.refused()},
		{"wrong password", contractA.loginWith(m.identifier, password+"x"), contractA.refused()},
		{"wrong password of an inactive user", contractA.loginWith(off.identifier, password+"x"), contractA.refused()},
		{"inactive user", contractA.loginWith(off.identifier, password), expected{status: 400, body: `{"detail":"Inactive user"}`}},
		{"an unverified user may log in", contractA.loginWith(w.account(t, contractA, unverified).identifier, password), granted},
		{"an account without a password", contractA.loginWith(w.account(t, contractA, withoutPassword).identifier, "x"), contractA.refused()},
	})
	sub(t, "form invalid before inactive", func(t *testing.T) {
		r := contractA.loginWith(off.identifier, password)
		r.body += "&grant_type=x"
		contractA.expect(t, w.send(t, contractA, r), detail(badGrant("x")))
	})
	sub(t, "token", func(t *testing.T) {
		token := w.token(t, contractA, m)
		if !strings.HasPrefix(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.") {
			t.Errorf("first segment is not the documented one: %.60s", token)
		}
		decoded := decodeToken(t, token)
		issued := decoded.issuedNow(t)
		want := fmt.Sprintf(`{"exp":%d,"sub":"%s","iat":%d}`, issued+691_200, m.account.ID, issued)
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
	sub(t, "sub is stable between logins", func(t *testing.T) {
		for range 2 {
			if got := find(t, `"sub":"([^"]*)"`, decodeToken(t, w.token(t, contractA, m)).payload); got != string(m.account.ID) {
				t.Errorf("sub = %q, want %q", got, m.account.ID)
			}
		}
	})
}

// profile is A2's success body for a member.
func profile(m member, name, role string, superuser bool) string {
	at := m.account.CreatedAt.UTC()
	created := at.Format("2006-01-02T15:04:05")
	if micro := at.Nanosecond() / 1000; micro != 0 {
		created += fmt.Sprintf(".%06d", micro)
	}
	return fmt.Sprintf(`{"email":%q,"is_active":true,"is_superuser":%v,"full_name":%s,"id":"%s","created_at":"%sZ","name":%s,"role":"%s"}`,
		m.account.Email, superuser, name, m.account.ID, created, name, role)
}

// tokenTestA proves A2.
func tokenTestA(t *testing.T, w *world) {
	named := w.account(t, contractA)
	nameless := w.account(t, contractA, func(spec *core.AccountSpec) { spec.Name = "" })
	admin := w.account(t, contractA, func(spec *core.AccountSpec) { spec.Roles = []string{"admin"} })
	sub(t, "success", func(t *testing.T) {
		got := w.send(t, contractA, contractA.present(w.token(t, contractA, named)))
		contractA.expect(t, got, expected{status: 200, noStore: true, body: profile(named, `"Ada"`, "user", false)})
	})
	sub(t, "name not set", func(t *testing.T) {
		got := w.send(t, contractA, contractA.present(w.token(t, contractA, nameless)))
		contractA.expect(t, got, expected{status: 200, noStore: true, body: profile(nameless, "null", "user", false)})
	})
	sub(t, "role of a superuser", func(t *testing.T) {
		got := w.send(t, contractA, contractA.present(w.token(t, contractA, admin)))
		contractA.expect(t, got, expected{status: 200, noStore: true, body: profile(admin, `"Ada"`, "admin", true)})
	})
	sub(t, "a body is ignored", func(t *testing.T) {
		r := contractA.present(w.token(t, contractA, named)).with("Content-Type: application/json")
		r.body = "\xff{no JSON"
		contractA.expect(t, w.send(t, contractA, r), expected{status: 200, noStore: true, body: profile(named, `"Ada"`, "user", false)})
	})
	sub(t, "id is the token's sub", func(t *testing.T) {
		token := w.token(t, contractA, named)
		id := find(t, `"id":"([^"]*)"`, w.send(t, contractA, contractA.present(token)).body)
		if got := find(t, `"sub":"([^"]*)"`, decodeToken(t, token).payload); got != id {
			t.Errorf("sub = %q, id = %q", got, id)
		}
	})
	sub(t, "unverified user", func(t *testing.T) {
		m := w.account(t, contractA, unverified)
		got := w.send(t, contractA, contractA.present(w.token(t, contractA, m)))
		contractA.expect(t, got, expected{status: 200, noStore: true, body: profile(m, `"Ada"`, "user", false)})
	})
	sub(t, "user has become inactive", func(t *testing.T) {
		m := w.account(t, contractA)
		token := w.token(t, contractA, m)
		w.disable(t, contractA, m)
		contractA.expect(t, w.send(t, contractA, contractA.present(token)), expected{status: 400, body: `{"detail":"Inactive user"}`})
	})
	tokenMissingA(t, w)
	invalidTokens(t, w, contractA)
}

func tokenMissingA(t *testing.T, w *world) {
	call := request{method: "POST", target: contractA.resource}
	none := expected{status: 401, body: `{"detail":"Not authenticated"}`, challenge: "Bearer"}
	w.prove(t, contractA, []row{
		{"no Authorization", call, none},
		{"empty Authorization", call.with("Authorization:"), none},
		{"Basic", call.with("Authorization: Basic YTpi"), none},
		{"Bearer but empty", call.with("Authorization: Bearer "), contractA.invalid()},
	})
}
