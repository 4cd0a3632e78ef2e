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
