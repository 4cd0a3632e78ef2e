package openapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// plain is a dialect with places for what a test is about.
const plain = `dialect: plain
SETTINGS
subject: account
tokens:
  access:
    algorithm: HS256
    lifetime: 1h
    REFRESH
    claims: {sub: "${account.id}", jti: "${token.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}
CARRIERS
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs:
      identifier: {from: body.username, required: true}
      secret: {from: body.password, required: true}
    do: {operation: authenticate, issue: access}
    ok: {json: {token: "${token.value}"}}
  ROUTES
ISSUES
errors:
  invalid_request: {status: 400, json: {error: invalid request}}
  bad_credentials: {status: 401, json: {error: wrong username or password}}
  unauthorized: {status: 401, json: {error: sign in first}}
  not_found: {status: 404, json: {error: not found}}
  method_not_allowed: {status: 405, json: {error: method not allowed}}
  rate_limited: {status: 429, json: {error: too many attempts}}
  unavailable: {status: 503, json: {error: try again later}}
  internal: {status: 500, json: {error: internal error}}
  forbidden: {status: 403, json: {error: forbidden}}
  ERRORS
samples: {accounts: {ada: {login: ada, password: correct horse battery staple}}}
examples:
  - name: sign in
    send: {path: /login, json: {username: ada, password: correct horse battery staple}}
    expect: {status: 200, json: {token: <jwt>}, save: {token: /token}}
  EXAMPLES
`

// load loads plain with parts in its places; those that are not named are empty.
func loadPlain(t *testing.T, parts map[string]string) *dialect.Dialect {
	t.Helper()
	text := plain
	for _, place := range []string{"SETTINGS", "REFRESH", "CARRIERS", "ROUTES", "ISSUES", "ERRORS", "EXAMPLES"} {
		text = strings.Replace(text, place, parts[place], 1)
	}
	d, err := dialect.Load("plain.yaml", []byte(text), dialect.Options{Realm: "test", Issuer: "https://login.example.com", BaseURL: "https://login.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// document writes the document of plain with parts, and reads it again.
func document(t *testing.T, parts map[string]string) map[string]any {
	t.Helper()
	text, err := Write(loadPlain(t, parts))
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]any
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// at is what stands in a document below some names, nil where there is nothing.
func at(value any, names ...string) any {
	for _, name := range names {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

// TestHead: a reply to HEAD has no body, whatever the same route gives to GET.
func TestHead(t *testing.T) {
	paths := document(t, map[string]string{
		"ROUTES":   `- {on: {method: [GET, HEAD], path: /health}, do: fixed, ok: {json: {ok: true}}}`,
		"EXAMPLES": `- {name: only the head, send: {method: HEAD, path: /health}, expect: {status: 200, empty: true}}`,
	})["paths"]
	if got := at(paths, "/health", "get", "responses", "200", "content", "application/json", "examples", "ok", "value", "ok"); got != true {
		t.Errorf("GET shows %v", at(paths, "/health", "get", "responses", "200"))
	}
	if got := at(paths, "/health", "head", "responses", "200"); got == nil || at(got, "content") != nil {
		t.Errorf("HEAD shows %v", got)
	}
}

// TestReferences: what examples refer to is made up, in what is sent and in what comes
// back, and so are passwords.
func TestReferences(t *testing.T) {
	parts := map[string]string{
		"ROUTES":   `- {on: {method: POST, path: /note}, accept: [json], inputs: {note: {from: body.note, required: true}}, do: fixed, ok: {json: {note: "${input.note}"}}}`,
		"EXAMPLES": `- {name: note, send: {path: /note, json: {note: "${saved.token}"}}, expect: {status: 200, json: {note: "${saved.token}"}}}`,
	}
	text, err := Write(loadPlain(t, parts))
	if err != nil || strings.Contains(string(text), "${") {
		t.Errorf("%v\n%s", err, text)
	}
	paths := document(t, parts)["paths"]
	for _, tt := range []struct {
		want any
		path []string
	}{
		{"your-token", []string{"/note", "post", "requestBody", "content", "application/json", "examples", "request", "value", "note"}},
		{"your-token", []string{"/note", "post", "responses", "200", "content", "application/json", "examples", "note", "value", "note"}},
		{"your-password", []string{"/login", "post", "requestBody", "content", "application/json", "examples", "request", "value", "password"}},
	} {
		if got := at(paths, tt.path...); got != tt.want {
			t.Errorf("%v = %v, want %v", tt.path, got, tt.want)
		}
	}
	password := at(paths, "/login", "post", "requestBody", "content", "application/json", "schema", "properties", "password", "examples")
	if got, _ := password.([]any); len(got) != 1 || got[0] != "your-password" {
		t.Errorf("the password's examples are %v", password)
	}
}

// TestSummaries: of several routes on one path the one that most requests are for
// gives the name, and a route's own title is it.
func TestSummaries(t *testing.T) {
	paths := document(t, map[string]string{
		"REFRESH": "refresh: {lifetime: 14d}",
		"ROUTES": `- {on: {method: GET, path: /about}, title: Learn the addresses, do: fixed, ok: {empty: true}}
  - {on: {method: POST, path: /token, when: {body.kind: none}}, accept: [json], do: {operation: fixed, outcome: forbidden}}
  - {on: {method: POST, path: /token, when: {body.kind: again}}, inputs: {refresh: {from: body.refresh, required: true}}, do: refresh, ok: {json: {token: "${token.value}"}}}
  - {on: {method: POST, path: /token}, inputs: {identifier: {from: body.username, required: true}, secret: {from: body.password, required: true}}, do: {operation: authenticate, issue: access}, ok: {json: {token: "${token.value}"}}}`,
	})["paths"]
	if got := at(paths, "/about", "get", "summary"); got != "Learn the addresses" {
		t.Errorf("/about is called %v", got)
	}
	if got := at(paths, "/token", "post"); at(got, "summary") != "Get a token" || at(got, "tags").([]any)[0] != tagSignIn {
		t.Errorf("/token is %v, %v", at(got, "summary"), at(got, "tags"))
	}
}

// TestResponses: what a response tells beside its body, and whose words its examples have.
func TestResponses(t *testing.T) {
	document := document(t, map[string]string{
		"SETTINGS": "settings: {stage: live}",
		"ROUTES": `- on: {method: POST, path: /note}
    accept: [json]
    inputs: {note: {from: body.note, required: true}}
    do: fixed
    ok:
      doc: It has been noted.
      cookies: [{name: last, value: "${request.id}", path: /}, {name: first, end: true}]
      json: {stage: "${setting.stage}"}
    issues: {required: "${issue.field} is required", invalid_request: the body cannot be read}
    errors: {invalid_request: {status: 422, json: {error: "${issues[0].text}"}}}
  - {on: {method: GET, path: /mixed, when: {query.who: nobody}}, do: fixed, ok: {empty: true}}
  - on: {method: GET, path: /mixed}
    do: whoami
    ok: {json: {id: "${account.id}"}}
    errors: {token_missing: {status: 401, json: {code: 1}}, rate_limited: {status: 429, json: {code: 1}}, token_expired: {status: 401, json: {code: 2}}, token_foreign: {status: 403, json: {code: 2}}}`,
		"EXAMPLES": `- {name: test stage, settings: {stage: test}, send: {path: /note, json: {note: x}}, expect: {status: 200, json: {stage: test}}}
  - {name: live stage, settings: {stage: live}, send: {path: /note, json: {note: x}}, expect: {status: 200, json: {stage: live}}}
  - {name: broken, send: {path: /note, headers: {Content-Type: application/json}, raw: "{"}, expect: {status: 422, outcome: malformed_body, json: {error: <text>}}}
  - {name: lacking, send: {path: /note, json: {}}, expect: {status: 422, outcome: missing_field, json: {error: <text>}}}`,
	})
	note := at(document, "paths", "/note", "post", "responses")
	examples := at(note, "422", "content", "application/json", "examples")
	mixed := at(document, "paths", "/mixed", "get")
	schema := func(status string) any {
		return at(mixed, "responses", status, "content", "application/json", "schema", "$ref")
	}
	for _, tt := range []struct{ what, got, want any }{
		{"the reply's doc", at(note, "200", "description"), "It has been noted."},
		{"its cookies", at(note, "200", "headers", "Set-Cookie", "description"), "Sets the cookie last, the request's id (Path=/). Takes the cookie first away (Max-Age=0)."},
		{"an example of other settings", at(note, "200", "content", "application/json", "examples", "test stage"), nil},
		{"one of these", at(note, "200", "content", "application/json", "examples", "live stage", "value", "stage"), "live"},
		{"the words for a broken body", at(examples, "broken", "value", "error"), "the body cannot be read"},
		{"and for one that lacks something", at(examples, "lacking", "value", "error"), "note is required"},
		{"a schema of two families", at(document, "components", "schemas", "error", "properties", "code", "const"), 1.0},
		{"and of one", schema("403"), "#/components/schemas/token_invalid"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	if security, _ := at(mixed, "security").([]any); len(security) != 2 || len(security[1].(map[string]any)) != 0 {
		t.Errorf("security = %v", security)
	}
}

// TestNeededTogether: what a request must hold within objects that it need not hold.
func TestNeededTogether(t *testing.T) {
	paths := document(t, map[string]string{"ROUTES": `- on: {method: POST, path: /note}
    accept: [json]
    inputs:
      either: {from: [body.text.plain, body.text.rich], required: true}
      city: {from: body.address.city}
      street: {from: body.address.street, required: "${sent.city}"}
    do: fixed
    ok: {empty: true}`})["paths"]
	schema := at(paths, "/note", "post", "requestBody", "content", "application/json", "schema")
	if needed, _ := at(schema, "required").([]any); len(needed) != 1 || needed[0] != "text" {
		t.Errorf("required = %v", needed)
	}
	if with, _ := at(schema, "properties", "address", "dependentRequired", "city").([]any); len(with) != 1 || with[0] != "street" {
		t.Errorf("the address is %v", at(schema, "properties", "address"))
	}
}
