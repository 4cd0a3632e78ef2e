package dialect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-auth/chancery/core"
)

// traced is a contract of which every kind of step can be seen.
const traced = `dialect: traced
tokens:
  access: {format: opaque, lifetime: {default: 1h, max: 2h}}
carriers: [{in: header, name: X-Token}]
routes:
  - on: {method: POST, path: /login, when: {body.type: other}}
    accept: [json, none]
    inputs: {identifier: body.user, secret: body.password}
    do: {operation: authenticate, issue: access}
    ok: {text: other}
  - on: {method: POST, path: /login}
    inputs:
      identifier: {from: [query.user, body.user], required: true}
      secret: {from: body.password, required: true, min: 2}
      minutes: {from: body.minutes, type: integer, default: 5}
      api_password: {from: body.extra}
    do:
      operation: authenticate
      issue: access
      with: {user: "${input.identifier}"}
      allow: ${input.identifier != 'eve'}
      lifetime: ${input.minutes * 60}
    ok: {headers: {X-Token: "${token.value}"}, text: "${granted.user}"}
  - on: {method: GET, path: /who}
    do: whoami
    ok: {empty: true}
errors:
  invalid_request: {status: 400, text: "${issues[0].rule}"}
  forbidden: {status: 403, empty: true}
  bad_credentials: {status: 401, json: {error: "no"}}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, text: sorry}
`

// TestTraceTenant: what it means that a request names no tenant is told.
func TestTraceTenant(t *testing.T) {
	for _, tt := range []struct{ input, body, want string }{
		{"tenant: body.company", `{}`, "tenant: absent, which means whichever tenant alone has the login name"},
		{"tenant: {from: body.company, default: ''}", `{}`, `tenant: "", which means accounts without a tenant by default`},
		{"tenant_name: {from: body.company, default: ''}", `{"company":""}`, `tenant_name: "", which means accounts without a tenant from body.company`},
		{"tenant_name: {from: body.company, default: ''}", `{"company":"acme"}`, `tenant_name: "acme" from body.company`},
		{"tenant_name: body.company", `{"company":""}`, `tenant_name: "" from body.company`},
	} {
		var steps []string
		options := testOptions()
		options.Trace = func(s Step) { steps = append(steps, s.Text) }
		text := strings.Replace(traced, "      minutes:", "      "+tt.input+"\n      minutes:", 1)
		d, err := Load("test.yaml", []byte(text), options)
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = serve(d, post("/login", jsonTyp, tt.body))
		if !slices.Contains(steps, tt.want) {
			t.Errorf("%s, %s: steps\n%s\nwant %s", tt.input, tt.body, strings.Join(steps, "\n"), tt.want)
		}
	}
}

// TestTrace: who asks is told each step of a call, and no secret.
func TestTrace(t *testing.T) {
	var steps []string
	options := testOptions()
	options.Trace = func(s Step) { steps = append(steps, fmt.Sprintf("%d %s %s", s.Line, s.Name, s.Text)) }
	d, err := Load("test.yaml", []byte(traced), options)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, target, body string) (*Call, error) {
		steps = nil
		r := post(target, jsonTyp, body)
		r.Method = method
		r.Header.Set("X-Token", "canary")
		c := d.Match(r)
		if c.Err() != nil {
			return c, c.Err()
		}
		err := c.Decode(r)
		if err == nil && c.Operation() == Whoami {
			_, err = d.Bearer(r)
		}
		return c, err
	}
	for _, tt := range []struct {
		name, method, target, body string
		end                        func(*Call, error)
		want                       string
	}{
		{"a success", "POST", "/login?user=ada", `{"password":"canary","extra":"canary"}`, func(c *Call, _ error) {
			token := sampleGrant()
			token.Value = core.NewSecret("canary")
			token.Granted, _ = c.Inputs().Judge(core.Judged{})
			_ = c.Encode(recorder(), Result{Token: &token})
		}, `
6 match POST /login
6 body json, 2 members
11 when POST /login
13 input identifier: "ada" from query.user
14 input secret: a secret from body.password
15 input minutes: 5 by default
16 input api_password: a secret from body.extra
11 operation authenticate, issues access for 5m0s
20 with user: "ada"
21 allow holds
23 outcome success
23 reply 200 text/plain, with X-Token`},
		{"not allowed", "POST", "/login", `{"user":"eve","password":"canary","minutes":"` + strings.Repeat("x", 100) + `"}`, func(c *Call, err error) { c.Refuse(recorder(), err) }, `
6 match POST /login
6 body json, 3 members
11 when POST /login
13 input identifier: "eve" from body.user
14 input secret: a secret from body.password
15 input minutes: "` + strings.Repeat("x", 59) + `… from body.minutes
16 input api_password: absent
15 issue body.minutes: type
0 cause invalid_field: body.minutes: type
28 outcome invalid_field, in the words of invalid_request
28 reply 400 text/plain`},
		{"a refusal of core's", "POST", "/login", `{"user":"eve","password":"canary"}`, func(c *Call, _ error) {
			_, err := c.Inputs().Judge(core.Judged{})
			c.Refuse(recorder(), err)
			c.Refuse(recorder(), &core.Error{Kind: core.BadSecret})
		}, `
6 match POST /login
6 body json, 2 members
11 when POST /login
13 input identifier: "eve" from body.user
14 input secret: a secret from body.password
15 input minutes: 5 by default
16 input api_password: absent
11 operation authenticate, issues access for 5m0s
20 with user: "eve"
21 allow does not hold
0 cause forbidden: allow does not hold
29 outcome forbidden
29 reply 403
30 outcome bad_secret, in the words of bad_credentials
30 reply 401 application/json`},
		{"a broken body", "POST", "/login", `{"password":"canary"`, func(c *Call, err error) { c.Refuse(recorder(), err) }, `
6 match POST /login
6 body malformed_body: body: malformed_body: unexpected end at offset 20
0 cause malformed_body: body: malformed_body: unexpected end at offset 20
28 outcome malformed_body, in the words of invalid_request
28 reply 400 text/plain`},
		{"a bearer", "GET", "/who", "", func(*Call, error) {}, `
24 match GET /who
24 body none is read
24 operation whoami
4 bearer header X-Token`},
		{"an unknown path", "GET", "/nowhere", "", func(*Call, error) {}, `
0 match not_found: no route has this path; there are POST /login, GET /who`},
		{"a path that is near", "GET", "/whom", "", func(*Call, error) {}, `
24 match not_found: no route has this path; near is GET /who`},
		{"another method", "GET", "/login", "", func(*Call, error) {}, `
0 match method_not_allowed: on this path there is POST`},
	} {
		c, err := ask(tt.method, tt.target, tt.body)
		tt.end(c, err)
		got := "\n" + strings.Join(steps, "\n")
		if diff := cmp.Diff(tt.want, got); diff != "" || strings.Contains(got, "canary") {
			t.Errorf("%s: steps (-want +got):\n%s", tt.name, diff)
		}
	}
}
