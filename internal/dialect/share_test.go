package dialect

import (
	"errors"
	"strings"
	"testing"
)

// sharing is a contract that says by anchors and merge keys what it has several times.
const sharing = `dialect: sharing
shared:
  reply: &reply {token: "${token.value}", by: "${account.login}", last: 1}
  login: &login
    accept: [json]
    inputs: &inputs
      identifier: {from: body.user, required: true}
      secret: {from: body.password, required: true}
    do: &do {operation: authenticate, issue: access}
tokens:
  access: {format: opaque, lifetime: 1h}
routes:
  - on: {method: POST, path: /a}
    <<: *login
    ok: {json: *reply}
  - on: {method: POST, path: /b}
    <<: *login
    inputs: {<<: *inputs, identifier: {from: body.name, required: true}, device: body.device}
    ok: {json: {first: 0, <<: [{by: "${input.device}"}, *reply], token: hidden}}
errors:
  invalid_request: {status: 400, text: "${issue.field}"}
  bad_credentials: &no {status: 401, empty: true}
  unauthorized: *no
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestShared: what is shared is as if it had been written out, in the file's order; a
// mapping's own members win over those that it takes over.
func TestShared(t *testing.T) {
	d := loadText(t, sharing)
	for _, tt := range []struct{ path, body, want string }{
		{"/a", `{"user":"ada","password":"p"}`, `{"token":"t.o.k","by":"ada","last":1}`},
		{"/b", `{"name":"ada","password":"p","device":"x"}`, `{"first":0,"by":"x","last":1,"token":"hidden"}`},
	} {
		r := post(tt.path, "application/json", tt.body)
		c := d.Match(r)
		if err := c.Decode(r); err != nil {
			t.Fatal(err)
		}
		w, token := recorder(), sampleGrant()
		if err := c.Encode(w, Result{Token: &token}); err != nil {
			t.Fatal(err)
		}
		if got := w.Body.String(); got != tt.want {
			t.Errorf("%s answers %s, want %s", tt.path, got, tt.want)
		}
	}
	r := post("/b", "application/json", `{"user":"ada","password":"p"}`)
	if err := d.Match(r).Decode(r); err == nil {
		t.Error("/b reads the name that it has put another in place of")
	}
}

// TestSharedFaults: what is wrong with a shared part is told once, where it stands,
// and what is wrong with its uses where they are.
func TestSharedFaults(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		want           []string
	}{
		{"in the part", "${account.login}", "${account.logn}", []string{`test.yaml:3:50: there is no fact "account.logn"; hint: did you mean account.login?`}},
		{"in one use", "device: body.device}", "device: bdy.device}", []string{`test.yaml:18:82: "bdy.device" is no place to read from; hint: did you mean body?`}},
		{"in the member's name", "secret: {from: body.password", "secret: {fro: body.password", []string{
			`test.yaml:8:16: input secret has no member "fro"; hint: did you mean from?`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load("test.yaml", []byte(strings.Replace(sharing, tt.from, tt.to, 1)), testOptions())
			faults, _ := errors.AsType[Faults](err)
			var got []string
			for _, f := range faults {
				got = append(got, f.String())
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
