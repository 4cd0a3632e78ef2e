package dialect

import (
	"strings"
	"testing"
)

// otherwise is a contract whose inputs' rules end in outcomes of their own.
const otherwise = `dialect: otherwise
tokens: {access: {format: opaque, lifetime: 1h}}
routes:
  - on: {method: POST, path: /token}
    accept: [json]
    inputs:
      grant: {from: body.grant, required: true, equals: password, else: {equals: bad_grant}}
      scope: {from: body.scope, required: true, max: 3, else: scope_denied}
      size: {from: body.size, required: true, type: integer, min: 2, else: {type: malformed_body, min: too_large}}
    do: fixed
    ok: {empty: true}
    issues: {required: never said}
errors:
  invalid_request: {status: 400, text: invalid}
  missing_field: {status: 400, text: missing}
  bad_grant: {status: 400, text: grant}
  scope_denied: {status: 400, text: scope}
  malformed_body: {status: 400, text: "malformed: ${issue.reason}"}
  too_large: {status: 413, text: large}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestElse: what breaking a rule means is said of all rules of an input, or of each.
func TestElse(t *testing.T) {
	d := loadText(t, otherwise)
	for _, tt := range []struct{ body, want string }{
		{`{"scope":"a","size":2}`, "missing"},
		{`{"grant":"x","scope":"a","size":2}`, "grant"},
		{`{"grant":1,"scope":"a","size":2}`, "invalid"},
		{`{"grant":"password","size":2}`, "scope"},
		{`{"grant":"password","scope":"abcd","size":2}`, "scope"},
		{`{"grant":"password","scope":"a","size":"2"}`, "malformed: the body cannot be read"},
		{`{"grant":"password","scope":"a","size":1}`, "large"},
		{`{"grant":"password","scope":"a"}`, "missing"},
		{`{"grant":"password","scope":"a","size":2}`, ""},
	} {
		if got := answered(t, d, post("/token", jsonTyp, tt.body)); got != tt.want {
			t.Errorf("%s: answered %q, want %q", tt.body, got, tt.want)
		}
	}
}

// TestUnsaidIssues: a route's words for issues that no reply of it lists are warned about.
func TestUnsaidIssues(t *testing.T) {
	const want = "test.yaml:12:13: no reply of POST /token lists issues: nothing says these words"
	for _, tt := range []struct {
		reply string
		warns bool
	}{
		{"text: missing", true},
		{`json: "${issues}"`, false},
		{`json: {$for: i in issues, $yield: "${i.text}"}`, false},
	} {
		d := loadText(t, strings.Replace(otherwise, "text: missing", tt.reply, 1))
		warned := false
		for _, w := range d.Warnings() {
			warned = warned || strings.HasPrefix(w.String(), want)
		}
		if warned != tt.warns {
			t.Errorf("%s: warnings %v", tt.reply, d.Warnings())
		}
	}
}
