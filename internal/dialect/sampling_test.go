package dialect

import (
	"strings"
	"testing"
)

const sampled = `dialect: sampled
tokens:
  short: {format: opaque, form: hex24, lifetime: 5m, session: 5m}
  web: {algorithm: HS256, lifetime: 1h, session: 12h, claims: {sub: "${account.id}", jti: "${token.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
  app:
    format: opaque
    value: app_${token.random}
    lifetime: 2h
    session: 12h
    refresh: {lifetime: 14d, form: uuid, value: "re_${token.random}"}
routes:
  - on: {method: POST, path: /short}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, secret: {from: body.pin, required: true}}
    do: {operation: authenticate, issue: short}
    ok: {json: {token: "${token.value}", request: "${request.id}"}}
  - on: {method: POST, path: /app}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, secret: {from: body.pin, required: true}}
    do: {operation: authenticate, issue: app}
    ok: {cookies: [{name: app, value: "${token.value}", max_age: "${token.lifetime}", http_only: true, secure: true, same_site: lax}], json: {token: "${token.value}", refresh: "${refresh.value}"}}
  - on: {method: POST, path: /web}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, secret: {from: body.pin, required: true}}
    do: {operation: authenticate, issue: web}
    ok: {json: {token: "${token.value}"}}
  - {on: {method: POST, path: /extend}, do: extend, ok: {json: {token: "${token.value}", lives: "${token.lifetime}"}}}
  - {on: {method: POST, path: /extend/app}, do: extend, ok: {cookies: [{name: app, value: "${token.value}", max_age: 60, http_only: true, secure: true, same_site: lax}], json: {lives: "${token.lifetime}"}}}
  - {on: {method: POST, path: /refresh}, accept: [json], inputs: {refresh: {from: body.refresh, required: true}}, do: refresh, ok: {json: {token: "${token.value}", refresh: "${refresh.value}"}}}
errors:
  invalid_request: {status: 400, json: {error: invalid request}}
  bad_credentials: {status: 401, json: {error: wrong username or password}}
  unauthorized: {status: 401, json: {error: sign in first}}
  not_found: {status: 404, json: {error: not found}}
  method_not_allowed: {status: 405, json: {error: method not allowed}}
  rate_limited: {status: 429, json: {error: too many attempts}}
  unavailable: {status: 503, json: {error: try again later}}
  internal: {status: 500, json: {error: internal error}}
`

// TestSampleReplies: sample replies hold what real ones look like.
func TestSampleReplies(t *testing.T) {
	routes := loadText(t, sampled).Describe().Routes
	for path, want := range map[string]string{
		"/short":      `{"token":"9f2c4e8a1b7d4036a5c3e1f07b2d84969f2c4e8a1b7d4036","request":"CYXJ7H3NBNU5EG2K-1"}`,
		"/app":        `{"token":"app_` + sampleRandom + `","refresh":"re_7d9f0f3c-2b1a-4c5e-8f60-1a2b3c4d5e6f"}`,
		"/extend":     `{"token":"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl","lives":3600}`,
		"/extend/app": `{"lives":7200}`,
		"/refresh":    `{"token":"app_` + sampleRandom + `","refresh":"re_7d9f0f3c-2b1a-4c5e-8f60-1a2b3c4d5e6f"}`,
	} {
		for _, route := range routes {
			if route.Path == path && string(route.OK[0].Example) != want {
				t.Errorf("%s is answered with %s\nwant %s", path, route.OK[0].Example, want)
			}
		}
	}
	for i, want := range map[int]string{1: "Max-Age=7200", 4: "Max-Age=60"} {
		if got := routes[i].OK[0].Cookies[0].Attributes; !strings.Contains(got, want) {
			t.Errorf("the cookie of %s has %s, want %s", routes[i].Path, got, want)
		}
	}
}
