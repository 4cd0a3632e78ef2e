package page

import (
	"strings"
	"testing"
)

// call is the sample in curl of the route at index in plain with parts in its places.
func call(t *testing.T, index int, parts map[string]string) string {
	t.Helper()
	samples, err := Samples(loadText(t, plainWith(parts)), index, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return samples[0].Code
}

// TestSamplesPresent: a token comes once, by a carrier that fits, and what examples
// refer to is made up.
func TestSamplesPresent(t *testing.T) {
	const (
		me     = `- {on: {method: GET, path: /me}, do: whoami, ok: {json: {id: "${account.id}"}}}`
		header = "carriers: [{in: header, name: X-Token}, {in: header, name: Authorization, scheme: Bearer}]"
		cookie = "carriers: [{in: header, name: Authorization, scheme: Bearer}, {in: cookie, name: sid}]"
		logout = `- {on: {method: POST, path: /logout}, do: revoke, ok: {status: 204, cookies: [{name: sid, end: true}]}}`
		saved  = "examples:\n  - {name: in, send: {path: /login, json: {username: ada, password: correct horse battery staple}}, expect: {status: 200, save: {token: /token, other: /token}}}\n"
	)
	cookieLogin := `- {on: {method: POST, path: /web}, accept: [form], inputs: {identifier: {from: body.user, required: true}, secret: {from: body.pin, required: true}}, do: {operation: authenticate, issue: access}, ok: {status: 204, cookies: [{name: sid, value: "${token.value}", http_only: true, secure: true, same_site: lax}]}}
  `
	for _, tt := range []struct {
		name  string
		index int
		parts map[string]string
		want  []string // each once
		not   []string
	}{
		{"in the header", 1, map[string]string{"ROUTES": me}, []string{`-H "Authorization: Bearer $TOKEN"`}, nil},
		{"an input reads the carrier", 1, map[string]string{
			"CARRIERS": header,
			"ROUTES":   `- {on: {method: GET, path: /me}, inputs: {shown: {from: [header.X-Token, bearer]}}, do: whoami, ok: {json: {id: "${account.id}"}}}`,
			"EXAMPLES": saved + `  - {name: me, send: {method: GET, path: /me, headers: {X-Token: "${saved.token}"}}, expect: {status: 200}}`,
		}, []string{"X-Token: "}, []string{"saved", "Authorization"}},
		{"an input names another carrier", 1, map[string]string{
			"CARRIERS": header,
			"ROUTES":   `- {on: {method: GET, path: /me}, inputs: {shown: {from: header.Authorization, required: true}}, do: whoami, ok: {json: {id: "${account.id}"}}}`,
		}, []string{`-H "Authorization: Bearer $TOKEN"`}, []string{"X-Token"}},
		{"with a header that is an input", 1, map[string]string{
			"CARRIERS": "carriers: [{in: header, name: X-Token, with: [X-App]}]",
			"ROUTES":   `- {on: {method: GET, path: /me}, inputs: {app: {from: header.X-App, required: true}}, do: whoami, ok: {json: {id: "${input.app}"}}}`,
		}, []string{"X-App: your-app", `-H "X-Token: $TOKEN"`}, nil},
		{"the token is in a cookie alone", 1, map[string]string{"CARRIERS": cookie, "ROUTES": cookieLogin + me}, []string{`-b "sid=$TOKEN"`, "sid="}, []string{"Bearer"}},
		{"the cookie ends", 2, map[string]string{"CARRIERS": cookie, "ROUTES": cookieLogin + logout}, []string{`-b "sid=$TOKEN"`}, []string{"Bearer"}},
		{"the usual way", 2, map[string]string{"CARRIERS": cookie, "ROUTES": cookieLogin + me}, []string{`-H "Authorization: Bearer $TOKEN"`}, []string{"sid"}},
		{"what was saved", 1, map[string]string{
			"ROUTES":   `- {on: {method: GET, path: "/seen/{id}"}, inputs: {id: {from: path.id, required: true}, note: {from: query.note}, ref: {from: query.ref, format: uuid}}, do: fixed, ok: {json: {id: "${input.id}"}}}`,
			"EXAMPLES": saved + `  - {name: seen, send: {method: GET, path: "/seen/${saved.token}?note=x-${saved.other}&ref=${saved.token}"}, expect: {status: 200}}`,
		}, []string{"/seen/your-token?note=x-your-other'"}, []string{"saved", "ref"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, tt.index, tt.parts)
			for _, want := range tt.want {
				if n := strings.Count(got, want); n != 1 && !(want == "sid=" && n > 0) {
					t.Errorf("%q is there %d times:\n%s", want, n, got)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(got, not) {
					t.Errorf("%q is there:\n%s", not, got)
				}
			}
		})
	}
}
