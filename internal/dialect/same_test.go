package dialect

import (
	"strings"
	"testing"
)

// TestRegisterTells: that register tells which names are taken is warned about where
// its replies do.
func TestRegisterTells(t *testing.T) {
	for _, tt := range []struct {
		defaults, ok, exists string
		tells                bool
	}{
		{"", "{status: 202, json: {message: sent, to: [a, 1]}}", "{status: 202, json: {message: sent, to: [a, 1]}}", false},
		{"", "{status: 202, json: {message: sent, to: [a, 1]}, doc: yes}", "{json: {message: sent, to: [a, 1]}, status: 202, doc: no}", false},
		{"", "{json: {message: sent}}", "{status: 200, json: {message: sent}}", false},
		{"", "{status: 204}", "{status: 204, empty: true}", false},
		{"", `{text: "${input.identifier}", headers: {X-Id: "a ${request.id}"}}`, `{status: 200, headers: {X-Id: "a ${request.id}"}, text: "${input.identifier}"}`, false},
		{"", `[{when: "${input.short != null}", text: a}, {text: b}]`, `[{status: 200, when: "${input.short != null}", text: a}, {status: 200, text: b}]`, false},
		{"defaults: {ok: {headers: {X-A: a}}, errors: {headers: {X-A: a}}}", "{text: a}", "{status: 200, text: a}", false},
		{"", "{status: 201, json: {message: sent}}", "{status: 409, json: {message: taken}}", true},
		{"", "{status: 201, json: {message: sent}}", "{status: 409, json: {message: sent}}", true},
		{"", "{json: {message: sent}}", "{status: 200, json: {message: taken}}", true},
		{"", "{json: {n: 1}}", `{status: 200, json: {n: "1"}}`, true},
		{"", "{json: {a: 1, b: 2}}", "{status: 200, json: {b: 2, a: 1}}", true},
		{"", "{text: a, headers: {X-A: a}}", "{status: 200, text: a}", true},
		{"", "{text: a, headers: {X-A: a}}", "{status: 200, text: a, headers: {X-A: b}}", true},
		{"", "{text: a, type: text/html}", "{status: 200, text: a}", true},
		{"", `{text: a, cookies: [{name: a, value: b, http_only: true, secure: true}]}`, "{status: 200, text: a}", true},
		{"", "[{when: \"${input.short != null}\", text: a}, {text: b}]", "{status: 200, text: b}", true},
		{"defaults: {errors: {headers: {X-A: a}}}", "{text: a}", "{status: 200, text: a}", true},
		{"defaults: {ok: {type: text/html}}", "{text: a}", "{status: 200, text: a}", true},
	} {
		route := "routes:\n  - {on: {method: POST, path: /register}, accept: [json], inputs: {identifier: body.user, new_secret: body.password, short: query.short}, do: register, ok: " +
			tt.ok + ", errors: {account_exists: " + tt.exists + "}}\n"
		d := loadText(t, tt.defaults+"\n"+strings.Replace(filled(nil), "routes:\n", route, 1))
		warned := strings.Contains(Faults(d.Warnings()).Error(), "register tells which login names are taken")
		if warned != tt.tells {
			t.Errorf("%s ok: %s, account_exists: %s: warned %v, want %v", tt.defaults, tt.ok, tt.exists, warned, tt.tells)
		}
	}
}

// TestRegisterTellsTenants: so is that it tells which tenants there are.
func TestRegisterTellsTenants(t *testing.T) {
	for _, tt := range []struct {
		name, tenant, outcome, reply string
		tells                        bool
	}{
		{"no tenant is named", "", "invalid_field", "{status: 400, text: no}", false},
		{"by a reply of its own", "tenant: body.tenant, ", "invalid_field", "{status: 400, text: no}", true},
		{"by name", "tenant_name: body.tenant, ", "invalid_field", "{status: 400, text: no}", true},
		{"by the reply of other faults", "tenant: body.tenant, ", "invalid_request", "{status: 400, text: no}", true},
		{"as a success", "tenant: body.tenant, ", "invalid_field", "{status: 200, text: sent}", false},
	} {
		route := "routes:\n  - {on: {method: POST, path: /register}, accept: [json], inputs: {" + tt.tenant +
			"identifier: body.user, new_secret: body.password}, do: register, ok: {text: sent}, errors: {account_exists: {status: 200, text: sent}, " + tt.outcome + ": " + tt.reply + "}}\n"
		d := loadText(t, strings.Replace(filled(nil), "routes:\n", route, 1))
		warned := strings.Contains(Faults(d.Warnings()).Error(), "register tells which tenants there are")
		if warned != tt.tells {
			t.Errorf("%s: warned %v, want %v", tt.name, warned, tt.tells)
		}
	}
}
