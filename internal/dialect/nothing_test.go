package dialect

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// lenient is a contract that takes nothing in several forms.
const lenient = `dialect: lenient
tokens: {access: {format: opaque, lifetime: 1h}}
routes:
  - on: {method: POST, path: /blank}
    accept: {types: [json, form, multipart, xml], blank: empty}
    inputs: &inputs {a: {from: [body.a, header.X-A], nulls: missing, default: d}, b: body.b}
    do: fixed
    ok: &ok {text: "${input.a}"}
  - on: {method: POST, path: /none}
    accept: {types: [json, none], untyped: json}
    inputs: *inputs
    do: fixed
    ok: *ok
  - on: {method: POST, path: /refused}
    accept: {types: [json, none], untyped: refuse}
    inputs: *inputs
    do: fixed
    ok: *ok
  - on: {method: POST, path: /strict}
    accept: [json, none]
    inputs: *inputs
    do: fixed
    ok: *ok
errors:
  invalid_request: {status: 400, text: "${issue.rule} ${issue.pointer}"}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestNothing: what counts as nothing is told by the file: null, an empty body, none.
func TestNothing(t *testing.T) {
	var read []string
	options := testOptions()
	options.Trace = func(s Step) {
		if s.Name == "body" {
			read = append(read, s.Text)
		}
	}
	d, err := Load("lenient.yaml", []byte(lenient), options)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, typ, body, want, read string }{
		{"null is nothing", "/blank", jsonTyp, `{"a":null}`, "d", "json, 1 member"},
		{"null is a value otherwise", "/blank", jsonTyp, `{"b":null}`, "type /b", "json, 1 member"},
		{"an empty JSON body", "/blank", jsonTyp, "", "d", "empty: no members"},
		{"an empty multipart body", "/blank", "multipart/form-data", "", "d", "empty: no members"},
		{"an empty XML body", "/blank", "text/xml", "", "d", "empty: no members"},
		{"an empty body of no type", "/blank", "", "", "d", "empty: no members"},
		{"a body that is not empty", "/blank", jsonTyp, `{"a":"b"}`, "b", "json, 1 member"},
		{"a body of no type", "/blank", "", "{}", "wrong_content_type ", "wrong_content_type"},
		{"none wins over untyped", "/none", "", "", "d", "empty: no members"},
		{"untyped counts where there is a body", "/none", "", `{"a":"b"}`, "b", "json, 1 member"},
		{"none does not speak of media types", "/none", jsonTyp, "", "body_missing ", "body_missing"},
		{"none wins over refuse", "/refused", "", "", "d", "empty: no members"},
		{"and leaves the rest to it", "/refused", "", "a", "wrong_content_type ", "wrong_content_type"},
		{"none alone reads nothing of no type", "/strict", "", `{"a":"b"}`, "d", "not read: it has no media type"},
	} {
		for _, length := range []string{"known", "unknown"} {
			r := post(tt.path, tt.typ, tt.body)
			if length == "unknown" {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(tt.body)), -1
			}
			read = nil
			if got := answered(t, d, r); got != tt.want {
				t.Errorf("%s, of %s length: answered %q, want %q", tt.name, length, got, tt.want)
			}
			if !slices.ContainsFunc(read, func(text string) bool { return strings.HasPrefix(text, tt.read) }) {
				t.Errorf("%s, of %s length: told %q, want %q", tt.name, length, read, tt.read)
			}
		}
	}
}

// answered is the body of the answer to a request of a fixed reply.
func answered(t *testing.T, d *Dialect, r *http.Request) string {
	t.Helper()
	c, w, err := serve(d, r)
	if err == nil {
		err = c.Encode(w, Result{})
	}
	if err != nil && w.Body.Len() == 0 {
		t.Fatal(err)
	}
	return w.Body.String()
}
