package page

import (
	"slices"
	"strings"
	"testing"
)

// TestTitles: routes are called by what they do, and told apart; the main sign-in
// comes first, and preflight requests are left out.
func TestTitles(t *testing.T) {
	const many = `- {on: {method: GET, path: /health}, do: fixed, ok: {empty: true}}
  - {on: {method: GET, path: /version}, do: fixed, ok: {json: {version: 1}}}
  - {on: {method: GET, path: /about}, title: Learn the addresses, do: fixed, ok: {json: {at: "${base_url}"}}}
  - {on: {method: OPTIONS, path: /login}, do: fixed, ok: {status: 204}}
  - {on: {method: POST, path: /gone}, do: {operation: fixed, outcome: forbidden}}
  - {on: {method: POST, path: /revoke}, accept: [json], inputs: {token: {from: body.token, required: true}}, do: revoke, ok: {status: 204}}
  - {on: {method: POST, path: /end}, accept: [json], inputs: {token: {from: body.token, required: true}}, do: {operation: revoke, caller: none}, ok: {status: 204}}
  - {on: {method: POST, path: /code, when: {body.kind: code}}, accept: [json], inputs: {challenge: {from: body.challenge, required: true}, otp: {from: body.code, required: true}}, do: resume, ok: {json: {token: "${token.value}"}}}
  - {on: {method: POST, path: /code}, inputs: {identifier: {from: body.username, required: true}, secret: {from: body.password, required: true}}, do: {operation: authenticate, issue: access}, ok: {json: {token: "${token.value}"}}}`
	root := pageOf(t, map[string]string{"ROUTES": many, "ERRORS": "forbidden: {status: 403, json: {error: no}}\n  mfa_required: {status: 401, json: {challenge: \"${challenge.value}\"}}\n  bad_ticket: {status: 401, json: {error: late}}"})
	got := blocks(root, "tr", "")[1:]
	want := []string{
		"POST /login Get a token: /login", "POST /code Bring the second factor", "POST /code Get a token: /code",
		"POST /revoke End a token", "POST /end Sign out",
		"GET /health Get information: /health", "GET /version Get information: /version", "GET /about Learn the addresses", "POST /gone What is refused",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the endpoints are\n%q\nwant\n%q", got, want)
	}
	for _, title := range blocks(root, "h3", "") {
		if len(title) < 5 { // a status alone
			t.Errorf("a heading is %q", title)
		}
	}
}

// TestMainSignInFirst: on a path with several routes the one that takes most requests.
func TestMainSignInFirst(t *testing.T) {
	const session = `- {on: {method: POST, path: /first, when: {body.mode: session}}, accept: [json], inputs: {identifier: {from: body.username, required: true}, secret: {from: body.password, required: true}}, do: {operation: authenticate, issue: access}, ok: {json: {session: "${token.value}"}}}
  - {on: {method: POST, path: /first}, inputs: {identifier: {from: body.username, required: true}, secret: {from: body.password, required: true}}, do: {operation: authenticate, issue: access}, ok: {json: {token: "${token.value}"}}}`
	info := loadText(t, plainWith(map[string]string{"ROUTES": session})).Describe()
	if got := info.Main(); got != 0 { // /login stands before them
		t.Errorf("Main() = %d", got)
	}
	info.Routes = info.Routes[1:]
	if got := info.Main(); got != 1 {
		t.Errorf("Main() = %d", got)
	}
}

// TestWords: what a page tells of inputs and replies is for those who call.
func TestWords(t *testing.T) {
	root := pageOf(t, map[string]string{
		"CARRIERS": "carriers: [{in: header, name: X-Token}]",
		"ROUTES": `- on: {method: GET, path: /me}
    inputs:
      shown: {from: [header.X-Token, bearer]}
      kind: {from: query.sort, min: 1, max: 2, pattern: "^[a-z]+$", default: a, forbidden: "${request.path == '/x'}"}
    do: whoami
    ok:
      - {when: "${input.kind == 'x'}", json: {id: "${account.id}", kind: "${input.kind}"}}
      - {when: "${size(account.roles) > 2}", json: {id: "${account.id}", session: "${session.id}"}}
      - {json: {id: "${account.id}", token: "${token.id}"}}
  - {on: {method: POST, path: /long}, accept: [json], inputs: {identifier: {from: body.username, required: true}, secret: {from: body.password, required: true}}, do: {operation: authenticate, issue: access}, ok: {json: {t: "${token.value}", ms: "${token.lifetime * 1000}"}}}`,
	})
	text := textOf(root)
	for _, want := range []string{
		"X-Token text · header, or the token optional", "at least 1 character; at most 2 characters; matches ^[a-z]+$", "otherwise \"a\"",
		"What comes back, where sort is x", "What comes back, in some cases", "What comes back, otherwise", "what was sent as sort", "made from the seconds that the token lives", "128 random bits that name the token",
		"the id of the token's session",
	} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{"size(", "for jti", "for sid", "token.issued_at", "1 characters", "sent as kind"} {
		if strings.Contains(text, not) {
			t.Errorf("the page tells %q", not)
		}
	}
	if found := blocks(root, "code", ""); !slices.Contains(found, "^[a-z]+$") {
		t.Error("a pattern is no code")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestConditionsAreSent: what chooses a route is listed with what to send, once.
func TestConditionsAreSent(t *testing.T) {
	root := pageOf(t, map[string]string{"ROUTES": `- {on: {method: POST, path: /out, when: {body.mode: all, body.parts: {equals: [x, 1]}, query.kind: {one_of: [a, b]}, header.X-App: {present: true}}}, accept: [json], do: revoke_all, ok: {status: 204}}
  - {on: {method: POST, path: /out}, accept: [json], inputs: {why: {from: [body.why, body.reason], one_of: [done]}}, do: revoke, ok: {status: 204}}`})
	text := strings.Join(blocks(root, "article", ""), "\n")
	for _, want := range []string{
		"mode text · body required always all", "kind text · query required one of a, b", "X-App anything · header required",
		`parts list · body required always ["x",1]`, "Where mode is all and parts is [\"x\",1] and kind in the query is a or b and the header X-App is sent.", "why text · body, or as reason optional always done",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is there %d times:\n%s", want, strings.Count(text, want), text)
		}
	}
}
