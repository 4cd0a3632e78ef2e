package dialect

import (
	"strings"
	"testing"
)

// absent is a contract whose facts may be absent here and there.
const absent = `dialect: absent
tokens:
  key: {format: opaque, lifetime: never}
  access: {format: opaque, lifetime: 1h, refresh: {lifetime: 2h}}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, secret: {from: body.password, required: true}}
    do: {operation: authenticate, issue: ISSUE}
    ok: {json: {ms: "${token.lifetime * 1000}", name?: "${account.verified ? dyn(account.login) : dyn(null)}"}}
  - on: {method: POST, path: /refresh}
    accept: [json]
    inputs: {refresh: {from: body.refresh, required: true}}
    do: refresh
    ok: {json: {ms: "${token.lifetime * 1000}"}}
errors:
  invalid_request: {status: 400, text: "Invalid ${issue.reason}."}
  malformed_body: {status: 400, text: "Invalid body: ${issue.reason}."}
  wrong_content_type: {status: 400, text: "Invalid body: ${issue.reason}."}
  bad_credentials: {status: 401, empty: true}
  bad_refresh: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestEndlessTokens: a token may have no end where the route issues such a one, and not
// because another of the file's has none.
func TestEndlessTokens(t *testing.T) {
	loadText(t, strings.ReplaceAll(absent, "ISSUE", "access"))
	_, err := Load("absent.yaml", []byte(strings.ReplaceAll(absent, "ISSUE", "key")), testOptions())
	want := "absent.yaml:10:24: the expression fails where token.lifetime is absent: no such overload: _*_; hint: guard it, as in token.lifetime == null ? 0 : token.lifetime"
	if err == nil || err.Error() != want {
		t.Errorf("Load() = %v\nwant %s", err, want)
	}
}

// TestAbsentInText: a fact that may be absent inside a longer text is warned about, unless
// the place always has it.
func TestAbsentInText(t *testing.T) {
	d := loadText(t, strings.ReplaceAll(absent, "ISSUE", "access"))
	var got []string
	for _, w := range d.Warnings() {
		if strings.Contains(w.Message, "nothing stands") {
			got = append(got, w.String())
		}
	}
	want := "test.yaml:17:51: nothing stands in the text where issue.reason is absent; hint: say what stands there then, as in issue.reason == null ? 'none' : issue.reason"
	if strings.Join(got, "\n") != want {
		t.Errorf("warned %q, want %s", got, want)
	}
}

// TestBodyReasons: every fault of a whole body has a reason.
func TestBodyReasons(t *testing.T) {
	d := loadText(t, strings.ReplaceAll(absent, "ISSUE", "access"))
	for _, tt := range []struct{ typ, body, want string }{
		{jsonTyp, "", "there is no body"},
		{jsonTyp, "null", "there is no body"},
		{jsonTyp, "[]", "the body is not an object"},
		{jsonTyp, "{\"a\":\"\xff\"}", "the body is not UTF-8"},
		{jsonTyp, "{}1", "more after the end of the value"},
		{"text/csv", "a", "the body is of a media type that is not taken"},
	} {
		_, w, err := serve(d, post("/login", tt.typ, tt.body))
		if want := "Invalid body: " + tt.want + "."; err == nil || w.Body.String() != want {
			t.Errorf("%q: answered %q, want %q", tt.body, w.Body, want)
		}
	}
}
