package dialect

import "testing"

// Whether a route signs in by a login name alone is what registration asks.
func TestLoginsAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		inputs, as string
		want       bool
	}{
		"no tenant":             {"identifier: {from: body.user, required: true}", "[account]", true},
		"a tenant, or none":     {"identifier: {from: body.user, required: true}, tenant: body.tenant", "[account]", true},
		"a tenant at times":     {"identifier: {from: body.user, required: true}, tenant: {from: body.tenant, required: \"${sent.tenant_name}\"}, tenant_name: body.company", "[account]", true},
		"a tenant":              {"identifier: {from: body.user, required: true}, tenant: {from: body.tenant, required: true}", "[account]", false},
		"a tenant by name":      {"identifier: {from: body.user, required: true}, tenant_name: {from: body.tenant, required: true}", "[account]", false},
		"a tenant, empty: none": {"identifier: {from: body.user, required: true}, tenant: {from: body.tenant, default: ''}", "[account]", false},
		"an account's id":       {"account_id: {from: body.user, required: true}", "[account]", false},
		"an access key":         {"identifier: {from: body.user, required: true}", "[key]", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := loadText(t, `dialect: alone
subject: [account, key]
tokens:
  access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs: {secret: {from: body.password, required: true}, `+tt.inputs+`}
    do: {operation: authenticate, issue: access, as: `+tt.as+`}
    ok: {text: "${token.value}"}
errors:
  invalid_request: {status: 400, text: "${issue.rule}"}
  bad_credentials: {status: 401, empty: true}
  account_exists: {status: 409, empty: true}
  unauthorized: {status: 401, empty: true}
  forbidden: {status: 403, text: switched off}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`)
			if got := d.Terms().LoginsAlone; got != tt.want {
				t.Errorf("LoginsAlone is %v, want %v", got, tt.want)
			}
		})
	}
}
