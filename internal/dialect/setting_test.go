package dialect

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// switched is a contract whose routes and rules depend on what the operator chooses.
const switched = `dialect: switched
settings: {reg: REG, strict: STRICT}
tokens:
  access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs:
      identifier: {from: body.user, required: true}
      secret: {from: body.password, required: true}
      device: {from: body.device, required: "${setting.strict}"}
      place: {from: body.place, required: "${setting.strict}", default: home}
    do: {operation: authenticate, issue: access, allow: "${setting.reg}"}
    ok: {text: "${input.device == null ? 'none' : input.device}"}
  - on: {method: POST, path: /register}
    enabled: ${setting.reg && !setting.strict}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, new_secret: {from: body.password, required: true}}
    do: register
    ok: {status: 201, empty: true}
  - on: {method: POST, path: /register}
    enabled: ${!setting.reg || setting.strict}
    do: {operation: fixed, outcome: forbidden}
errors:
  invalid_request: {status: 400, text: "${issue.rule}"}
  bad_credentials: {status: 401, empty: true}
  account_exists: {status: 409, empty: true}
  unauthorized: {status: 401, empty: true}
  forbidden: {status: 403, text: switched off}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestSettingsMakeNoFault: whatever an operator chooses, the file stays right, and the
// choice counts.
func TestSettingsMakeNoFault(t *testing.T) {
	for _, tt := range []struct{ reg, strict, operation, login string }{
		{"false", "false", "fixed", ""},
		{"true", "false", "register", ""},
		{"false", "true", "fixed", "required"},
		{"true", "true", "fixed", "required"},
	} {
		t.Run("reg="+tt.reg+" strict="+tt.strict, func(t *testing.T) {
			d := loadText(t, strings.NewReplacer("REG", tt.reg, "STRICT", tt.strict).Replace(switched))
			r := post("/register", "application/json", `{"user":"ada","password":"correct horse battery"}`)
			c := d.Match(r)
			if err := c.Decode(r); err != nil || string(c.Operation()) != tt.operation {
				t.Errorf("/register does %s, %v, want %s", c.Operation(), err, tt.operation)
			}
			r = post("/login", "application/json", `{"user":"ada","password":"p"}`)
			c, login := d.Match(r), ""
			if err := c.Decode(r); err != nil {
				w := recorder()
				c.Refuse(w, err)
				login = w.Body.String()
			} else if _, err := c.Inputs().Judge(core.Judged{}); (err == nil) != (tt.reg == "true") {
				t.Errorf("Judge() = %v", err)
			}
			if login != tt.login {
				t.Errorf("/login breaks %q, want %q", login, tt.login)
			}
		})
	}
}

// TestSwitchedOffIsForbidden: while a route is switched off, another on its path tells
// so, whatever the request holds.
func TestSwitchedOffIsForbidden(t *testing.T) {
	d := loadText(t, strings.NewReplacer("REG", "false", "STRICT", "false").Replace(switched))
	for _, r := range []*http.Request{post("/register", "application/json", `{"user":"ada"}`), post("/register", "text/csv", "a"), post("/register", "", "")} {
		c := d.Match(r)
		if err := c.Decode(r); err != nil {
			t.Errorf("Decode() = %v", err)
		}
		w := recorder()
		c.Refuse(w, &core.Error{Kind: c.Inputs().Outcome})
		if w.Code != http.StatusForbidden || w.Body.String() != "switched off" {
			t.Errorf("answered %d %q", w.Code, w.Body)
		}
	}
}
