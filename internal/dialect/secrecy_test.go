package dialect

import (
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// secretive is a contract whose inputs read the same places under several names.
const secretive = `dialect: secretive
names: NAMES
tokens: {access: {format: opaque, lifetime: 1h, session: 2h, refresh: {lifetime: 90m}}}
carriers:
  - {in: header, name: X-Vault-Token}
  - {in: cookie, name: sid}
  - {in: query, name: access_token}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs:
      identifier: {from: [body.user, basic.username], required: true}
      secret: {from: [body.login.password, basic.password], required: true}
      other: {from: OTHER, type: any}
      third: {from: [query.third, body.other], type: any}
    do: {operation: authenticate, issue: access}
    ok: {empty: true}
  - on: {method: GET, path: /self}
    inputs: {sid: cookie.sid}
    do: whoami
    ok: {json: {id: "${presented.value}"}}
  - on: {method: POST, path: /lookup}
    accept: [json]
    inputs: {token: {from: body.token, required: true}}
    do: introspect
    ok: {json: {id: "${presented.value}"}}
  - on: {method: POST, path: /refresh}
    accept: [json]
    inputs: {refresh: {from: body.token, required: true}}
    do: refresh
    ok: {json: {id: "${presented.value}", new: "${token.value}"}}
errors:
  invalid_request: {status: 400, empty: true}
  bad_credentials: {status: 401, empty: true}
  bad_refresh: {status: 401, empty: true}
  subject_invalid: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestSecretsBySource: an input that reads what another reads as a secret is one too.
func TestSecretsBySource(t *testing.T) {
	for _, tt := range []struct {
		names, other string
		want         bool
	}{
		{"exact", "body.user", false},
		{"exact", "basic.username", false},
		{"exact", "body.login.password", true},
		{"exact", "body.login", true},
		{"exact", "body.login.password.text", true},
		{"exact", "body.login.0.password", true},
		{"exact", "body.login.Password", false},
		{"fold", "body.login.Password", true},
		{"exact", "basic.password", true},
		{"exact", "header.authorization", true},
		{"exact", "header.X-Vault-Token", true},
		{"exact", "header.Cookie", true},
		{"exact", "cookie.sid", true},
		{"exact", "cookie.other", false},
		{"exact", "query.access_token", true},
		{"exact", "bearer", true},
	} {
		d := loadText(t, strings.NewReplacer("NAMES", tt.names, "OTHER", tt.other).Replace(secretive))
		if in := d.routes[0].byName["other"]; in.secret != tt.want {
			t.Errorf("%s, names %s: secret is %t, want %t (%s)", tt.other, tt.names, in.secret, tt.want, in.secretAs)
		}
	}
	d := loadText(t, strings.NewReplacer("NAMES", "exact", "OTHER", "[body.login, body.other]").Replace(secretive))
	if in := d.routes[0].byName["third"]; !in.secret {
		t.Error("what reads where an input may read that is a secret by another place is none")
	}
}

// TestPresented: the token that a request is about goes back to its sender, and into no
// trace.
func TestPresented(t *testing.T) {
	options := testOptions()
	options.Trace = func(s Step) {
		if strings.Contains(s.Text, "presented-") {
			t.Errorf("step %s tells %s", s.Name, s.Text)
		}
	}
	d, err := Load("test.yaml", []byte(strings.NewReplacer("NAMES", "exact", "OTHER", "body.x").Replace(secretive)), options)
	if err != nil {
		t.Fatal(err)
	}
	token := sampleGrant()
	identity := &core.Identity{Account: token.Account}
	for _, tt := range []struct{ method, path, body, want string }{
		{"GET", "/self", "", `{"id":"presented-bearer"}`},
		{"POST", "/lookup", `{"token":"presented-token"}`, `{"id":"presented-token"}`},
		{"POST", "/refresh", `{"token":"presented-refresh"}`, `{"id":"presented-refresh","new":"t.o.k"}`},
	} {
		r := post(tt.path, jsonTyp, tt.body)
		r.Method = tt.method
		r.Header.Set("X-Vault-Token", "presented-bearer")
		c, w, err := serve(d, r)
		if err == nil {
			err = c.Encode(w, Result{Token: &token, Identity: identity})
		}
		if err != nil || w.Body.String() != tt.want {
			t.Errorf("%s answers %s, %v, want %s", tt.path, w.Body, err, tt.want)
		}
	}
}

// A password has no other name: an input that reads where a secret comes is one too,
// and no expression names it.
func TestSecretsByOtherNames(t *testing.T) {
	for alias, secret := range map[string]bool{
		"body.password": true, "{from: [body.x, body.password]}": true, "{from: body.password.a, type: any}": true,
		"body.in.pin": true, "{from: body.in, type: object}": true, "basic.password": true, "bearer": true,
		"header.Authorization": true, "header.Cookie": true, "header.X-Token": true, "cookie.token": true,
		"body.in.user": false, "body.pass": false, "body.PASSWORD": false, "basic.username": false, "header.X-Device": false, "cookie.other": false, "query.password": false,
	} {
		source := strings.Replace(filled(map[string]string{"OK": `{json: "${input.p}"}`}),
			"    inputs:\n", "    inputs:\n      pin: {from: body.in.pin, secret: true}\n      p: "+alias+"\n", 1)
		source += "carriers: [{in: header, name: X-Token}, {in: cookie, name: token}]\n"
		_, err := Load("a.yaml", []byte(source), testOptions())
		if refused := err != nil && strings.Contains(err.Error(), "input.p is a secret and cannot be named"); refused != secret || !secret && err != nil {
			t.Errorf("%s: Load() = %v, want a secret: %v", alias, err, secret)
		}
	}
}

// A path that holds a secret is not told either.
func TestSecretPaths(t *testing.T) {
	for path, secret := range map[string]bool{"/reset/{t}": true, "/reset": false} {
		from := map[bool]string{true: "path.t", false: "body.t"}[secret]
		source := strings.Replace(filled(nil), "routes:\n", `routes:
  - on: {method: POST, path: "`+path+`"}
    accept: [json]
    inputs: {ticket: {from: `+from+`, required: true}, new_secret: {from: body.new, required: true}}
    do: reset_password
    ok: {json: "${request.path}"}
`, 1)
		source = strings.Replace(source, "errors:\n", "errors:\n  bad_ticket: {status: 400, empty: true}\n", 1)
		_, err := Load("a.yaml", []byte(source), testOptions())
		if refused := err != nil && strings.Contains(err.Error(), "request.path holds a secret"); refused != secret || !secret && err != nil {
			t.Errorf("%s: Load() = %v, want it refused: %v", path, err, secret)
		}
	}
}
