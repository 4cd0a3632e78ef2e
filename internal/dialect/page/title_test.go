package page

import (
	"slices"
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
