package dialect

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// grouped is a contract with several routes on one path.
const grouped = `dialect: grouped
subject: [account, key]
unknown_inputs: refuse
tokens:
  access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
routes:
  - on: {method: POST, path: /token, when: {body.grant_type: client_credentials}}
    accept: [json, form]
    inputs: {grant_type: body.grant_type, identifier: {from: body.client, required: true}, secret: {from: body.secret, required: true}}
    do: {operation: authenticate, issue: access, as: [key]}
    ok: {text: keys}
    errors: {missing_field: {status: 422, text: "${issues[0].field} is missing"}}
  - on: {method: [POST, PUT], path: /token, when: {body.grant_type: {one_of: [password, 2]}, header.X-Old: {present: false}}}
    inputs: {grant_type: {from: body.grant_type, type: any}, identifier: {from: body.user, required: true}, secret: {from: body.password, required: true}}
    do: {operation: authenticate, issue: access, as: [account]}
    ok: {text: "accounts ${input.grant_type}"}
  - on: {method: POST, path: /token, when: {body.methods: {equals: [totp]}, body.on: true}}
    accept: [json, form]
    inputs: {methods: {from: body.methods, type: list}, on: {from: body.on, type: boolean}, identifier: {from: body.user}, secret: {from: body.password}}
    do: {operation: authenticate, issue: access}
    ok: {text: both}
  - on: {method: GET, path: /who, when: {query.v: 2}}
    do: whoami
    ok: {text: second}
  - on: {method: GET, path: /who}
    do: whoami
    ok: {text: rest}
  - on: {method: POST, path: /typed, when: {type: json}}
    accept: [json, form, none]
    inputs: {ticket: {from: body.a, required: true}, new_secret: {from: body.b, required: true}}
    do: reset_password
    ok: {text: json}
  - on: {method: POST, path: /typed, when: {type: {one_of: [form]}}}
    do: whoami
    ok: {text: form}
issues:
  invalid_request: ${issue.field} breaks ${issue.rule}
errors:
  invalid_request: {status: 400, json: {errors: "${issues}", allowed: "${issue.allowed}"}}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  bad_ticket: {status: 400, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, text: sorry}
`

// TestWhen: of the routes of a path the first answers whose conditions hold.
func TestWhen(t *testing.T) {
	d := loadText(t, grouped)
	request := func(method, target, typ, text string, headers ...string) *http.Request {
		r := post(target, typ, text)
		r.Method = method
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
		want   string
		hash   bool
	}{
		{"the first", request("POST", "/token", jsonTyp, `{"grant_type":"client_credentials","client":"a","secret":"b"}`), 200, "keys", true},
		{"another", request("POST", "/token", urlForm, "grant_type=password&user=a&password=b"), 200, "accounts password", true},
		{"a number in a form", request("POST", "/token", urlForm, "grant_type=2&user=a&password=b"), 200, "accounts 2", true},
		{"a number in JSON", request("POST", "/token", jsonTyp, `{"grant_type":2,"user":"a","password":"b"}`), 200, "accounts 2", true},
		{"a text is no number in JSON", request("POST", "/token", jsonTyp, `{"grant_type":"2","user":"a","password":"b"}`), 400, `{"errors":["grant_type breaks when"],"allowed":["client_credentials","password",2]}`, true},
		{"one of two conditions", request("POST", "/token", urlForm, "grant_type=password&user=a&password=b", "X-Old", ""), 400, `{"errors":["grant_type breaks when"],"allowed":["client_credentials","password",2]}`, true},
		{"a list", request("POST", "/token", jsonTyp, `{"methods":["totp"],"on":true,"user":"a","password":"b"}`), 200, "both", true},
		{"another list", request("POST", "/token", jsonTyp, `{"methods":["totp","x"],"on":true}`), 422, "grant_type is missing", true},
		{"none: in the words of the first", request("POST", "/token", jsonTyp, `{}`), 422, "grant_type is missing", true},
		{"a broken body: in the words of the first", request("POST", "/token", jsonTyp, `{`), 400, `{"errors":[" breaks malformed_body"],"allowed":null}`, true},
		{"the issues of the route that was taken", request("POST", "/token", urlForm, "grant_type=password&password=b&client=x"), 400, `{"errors":["user breaks required","client breaks unknown_input"],"allowed":null}`, true},
		{"the group of another method", request("PUT", "/token", urlForm, "grant_type=client_credentials"), 400, `{"errors":["grant_type breaks when"],"allowed":["password",2]}`, true},
		{"a query", request("GET", "/who?v=2", "", ""), 200, "second", false},
		{"the rest", request("GET", "/who?v=3", "", ""), 200, "rest", false},
		{"a media type", request("POST", "/typed", jsonTyp, `{"a":"b","b":"c"}`), 200, "json", true},
		{"another media type", request("POST", "/typed", urlForm, "x"), 400, `{"errors":["x breaks unknown_input"],"allowed":null}`, true},
		{"no media type", request("POST", "/typed", "", ""), 400, `{"errors":["Content-Type breaks when"],"allowed":["json","form"]}`, true},
	} {
		if d.Match(tt.r).MayHash() != tt.hash {
			t.Errorf("%s: MayHash() = %v", tt.name, !tt.hash)
		}
		c, w, err := serve(d, tt.r)
		if err == nil {
			token := sampleGrant()
			if err := c.Encode(w, Result{Token: &token, Identity: &core.Identity{}}); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if w.Code != tt.status || w.Body.String() != tt.want {
			t.Errorf("%s: got %d %s, want %d %s\n%v", tt.name, w.Code, w.Body, tt.status, tt.want, err)
		}
	}
	if got := strings.Join(d.Paths(), ", "); got != "POST /token, PUT /token, GET /who, POST /typed" {
		t.Errorf("Paths() = %s", got)
	}
}

// TestPresence: what must be there, and what must not, may depend on the rest.
func TestPresence(t *testing.T) {
	d := loadText(t, strings.Replace(filled(map[string]string{"OK": `text: "${input.identifier} ${input.size} ${input.kind}"`, "ISSUES": `invalid_request: ${issue.field} breaks ${issue.rule}`}),
		`      identifier: {from: body.user, required: true}
      secret: {from: body.password, required: true}
      tenant: {from: body.tenant}
      size: {from: body.size, type: integer}
`, `      identifier: {from: body.user, required: "${!sent.mail}"}
      mail: {from: body.mail, forbidden: "${sent.identifier}"}
      secret: {from: body.password, required: "${input.kind == 'full'}"}
      kind: {from: body.kind, default: full}
      size: {from: body.size, type: integer, default: 7, required: "${input.kind != 'full' && !(sent.secret || request.method == 'PUT')}"}
`, 1))
	for _, tt := range []struct{ name, body, want string }{
		{"one side", `{"user":"a","password":"b"}`, "a 7 full"},
		{"the other side", `{"mail":"a","password":"b"}`, " 7 full"},
		{"neither", `{"password":"b"}`, `["user breaks required"]`},
		{"both", `{"user":"a","mail":"b","password":"c"}`, `["mail breaks forbidden"]`},
		{"a default counts as a value, not as sent", `{"user":"a"}`, `["password breaks required"]`},
		{"a default that other inputs take away", `{"user":"a","kind":"x"}`, `["size breaks required"]`},
		{"a default that they leave", `{"user":"a","kind":"x","password":""}`, "a 7 x"},
		{"the wrong type is told once", `{"user":"a","kind":"x","size":"1"}`, `["size breaks type"]`},
		{"all issues in the order of the inputs", `{"kind":"x"}`, `["user breaks required","size breaks required"]`},
	} {
		c, w, err := serve(d, post("/login", jsonTyp, tt.body))
		if err == nil {
			token := sampleGrant()
			err = c.Encode(w, Result{Token: &token})
		}
		if w.Body.String() != tt.want {
			t.Errorf("%s: got %s, want %s\n%v", tt.name, w.Body, tt.want, err)
		}
	}
	for expression, want := range map[string]string{
		"${input.secret == 'x'}":    "input.secret is a secret and cannot be named",
		"${input.size}":             "input.size is not always true or false",
		"${account.active}":         "account.active is not known in required of input tags",
		"${sent.sise}":              `the route has no input "sise"; hint: did you mean size?`,
		"yes, ${sent.size}":         "required must be true, false or an expression, not yes, ${sent.size}",
		"${size(input.tags) > 0}":   "fails where input.tags is absent",
		"${sent.size && sent.sise}": `the route has no input "sise"`,
	} {
		_, err := Load("test.yaml", []byte(strings.Replace(filled(nil), "{from: body.tags, type: list}", `{from: body.tags, type: list, required: "`+expression+`"}`, 1)), testOptions())
		if faults, ok := errors.AsType[Faults](err); !ok || !strings.Contains(faults.Error(), want) {
			t.Errorf("required: %s: Load() = %v\nwant %q", expression, err, want)
		}
	}
}
