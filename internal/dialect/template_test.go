package dialect

import (
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// minimal is a dialect of which tests replace one part.
const minimal = `dialect: minimal
subject: [account, key]
settings: {count: 3, label: "Grüße", ratio: 1.5, on: true}
tokens:
  access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
routes:
  - on: {method: POST, path: /login}
    accept: [json, form]
    inputs:
      identifier: {from: body.user, required: true}
      secret: {from: body.password, required: true}
      tenant: {from: body.tenant}
      size: {from: body.size, type: integer}
      tags: {from: body.tags, type: list}
    do: {operation: authenticate, issue: access}
    ok:
      OK
issues:
  ISSUES
errors:
  invalid_request: {status: 400, REFUSAL}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, text: "wait ${limit.retry_after} s"}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, text: sorry}
`

// filled is minimal with parts of one's own.
func filled(parts map[string]string) string {
	text := minimal
	for _, part := range []struct{ name, otherwise string }{
		{"OK", "empty: true"}, {"ISSUES", "invalid_request: x"}, {"REFUSAL", `json: "${issues}"`},
	} {
		own, ok := parts[part.name]
		if !ok {
			own = part.otherwise
		}
		text = strings.ReplaceAll(text, part.name, own)
	}
	return text
}

// renewed is filled with a refresh token beside the token.
func renewed(parts map[string]string) string {
	return strings.Replace(filled(parts), "lifetime: 1h, claims: {", `lifetime: 1h, refresh: {lifetime: 14d}, claims: {jti: "${token.id}", `, 1)
}

func loadText(t testing.TB, text string) *Dialect {
	t.Helper()
	d, err := Load("test.yaml", []byte(text), testOptions())
	if err != nil {
		t.Fatalf("Load():\n%v\n%s", err, text)
	}
	return d
}

func sampleGrant() core.Token {
	return core.Token{Value: core.NewSecret("t.o.k"), Grant: core.Grant{
		Account: core.Account{
			ID: "65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6", Login: "ada", Name: "Ada \"the\" <Countess>\n", Roles: []string{"b", "a"}, Active: true,
			Attributes: core.Attributes{"realm": "Partner", "rank": 7.0, "part": 0.25, "on": true, "tags": []any{"x", "y"}},
			CreatedAt:  testTime.Add(1500), // nanoseconds: no whole microsecond but one
		},
		Key:     &core.AccessKey{ID: "45771ea1-b012-4b80-8ba4-49891c5d8d47", Identifier: "k1"},
		TokenID: "id", IssuedAt: testTime, ExpiresAt: testTime.Add(3600e9),
	}}
}

func TestTemplates(t *testing.T) {
	for _, tt := range []struct{ name, template, want string }{
		{"literals keep their types and order", `{b: 1, a: "1", c: 1.50, d: true, e: null, f: ~, g: yes, h: 2026-01-01, i: [1, x]}`, `{"b":1,"a":"1","c":1.50,"d":true,"e":null,"f":null,"g":"yes","h":"2026-01-01","i":[1,"x"]}`},
		{"a leaf alone keeps its type", `{a: "${account.roles}", b: "${token.lifetime}", c: "${account.active}", d: "${account.email}"}`, `{"a":["b","a"],"b":3600,"c":true,"d":null}`},
		{"inside text it is substituted", `"${account.login} is ${account.active} for ${token.lifetime}s${account.email}"`, `"ada is true for 3600s"`},
		{"text is escaped as JSON", `{a: "${account.name}", b: "<${account.name}>é\u0001"}`, "{\"a\":\"Ada \\\"the\\\" <Countess>\\n\",\"b\":\"<Ada \\\"the\\\" <Countess>\\n>é\\u0001\"}"},
		{"absent members are dropped", `{a?: "${account.email}", b?: "${account.login}", c?: null, d: 1}`, `{"b":"ada","d":1}`},
		{"a question mark of the name", `{a??: 1}`, `{"a?":1}`},
		{"a dollar of the name", `{$$for: 1}`, `{"$for":1}`},
		{"braces that are no expression", `"$${a} {b} $"`, `"${a} {b} $"`},
		{"attributes", `{a: "${account.attributes.realm}", b: "${account.attributes.rank}", c: "${account.attributes.part}", d: "${account.attributes.none}", e: "${account.attributes.tags}", f: "${account.attributes}"}`, `{"a":"Partner","b":7,"c":0.25,"d":null,"e":["x","y"],"f":{"on":true,"part":0.25,"rank":7,"realm":"Partner","tags":["x","y"]}}`},
		{"absent attributes in expressions", `"${account.attributes.none == null ? 'none' : 'some'}"`, `"none"`},
		{"settings", `{a: "${setting.count}", b: "${setting.label}!", c: "${setting.ratio}", d: "${setting.on}", e: "${setting.count + 1}"}`, `{"a":3,"b":"Grüße!","c":1.5,"d":true,"e":4}`},
		{"expressions", `{a: "${account.roles.join('-')}", b: "${size(account.roles)}", c: "${'a' in account.roles}", d: "${account.roles.map(r, r + '!')}", e: "${double(token.lifetime) / 7200.0}", f: "${account.email == null ? account.login : account.email}"}`, `{"a":"b-a","b":2,"c":true,"d":["b!","a!"],"e":0.5,"f":"ada"}`},
		{"instants", `{a: "${iso(token.expires_at, 6)}", b: "${iso(account.created_at, 6)}", c: "${iso_full(token.expires_at, 3)}", d: "${epoch(token.issued_at)}", e: "${epoch_ms(token.issued_at)}", f: "${iso(key.expires_at, 0)}", g: "${iso(now, 1 + 1)}"}`, `{"a":"2026-03-01T13:00:00Z","b":"2026-03-01T12:00:00.000001Z","c":"2026-03-01T13:00:00.000Z","d":1772366400,"e":1772366400000,"f":null,"g":"2026-03-01T12:00:00Z"}`},
		{"loops make items", `{$for: r in account.roles, $yield: {role: "${r}", at: "${r}/${account.login}"}}`, `[{"role":"b","at":"b/ada"},{"role":"a","at":"a/ada"}]`},
		{"loops among items", `[0, {$for: r in account.roles, $yield: "${r}"}, {$for: i in input.tags, $yield: "${i}"}, 9]`, `[0,"b","a",9]`},
		{"loops that make nothing", `[{$for: i in input.tags, $yield: "${i}"}, 1, {$for: i in input.tags, $yield: 2}]`, `[1]`},
		{"a loop without items is absent", `{a?: {$for: i in input.tags, $yield: "${i}"}, b: 1}`, `{"b":1}`},
		{"loops make members, each once", `{$for: r in account.roles, $members: {"is_${r}": true, same: "${r}"}}`, `{"is_b":true,"same":"b","is_a":true}`},
		{"nested loops", `{$for: a in account.roles, $yield: {$for: b in account.roles, $yield: "${a + b}"}}`, `[["bb","ba"],["ab","aa"]]`},
		{"inputs", `{a: "${input.tenant}", b: "${input.identifier}", c: "${input.size}", d: "${input.tags}"}`, `{"a":null,"b":"ada","c":12,"d":null}`},
		{"the request", `{a: "${request.id}", b: "${request.media_type}", c: "${issuer}", d: "${base_url}/x"}`, `{"a":"r1","b":"application/json","c":"https://issuer.example","d":"https://api.example/x"}`},
		{"keys", `{a: "${key.id}", b: "${key.identifier}", c: "${key.name}", d: "${key.attributes.x}"}`, `{"a":"45771ea1-b012-4b80-8ba4-49891c5d8d47","b":"k1","c":null,"d":null}`},
		{"tokens", `["${token.value}", "${token.id}"]`, `["t.o.k","id"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := loadText(t, filled(map[string]string{"OK": "json: " + tt.template}))
			c := d.Match(post("/login", "application/json", ""))
			c.RequestID = "r1"
			if err := c.Decode(post("/login", "application/json", `{"user":"ada","password":"p","size":12}`)); err != nil {
				t.Fatalf("Decode() = %v", err)
			}
			token := sampleGrant()
			w := recorder()
			if err := c.Encode(w, Result{Token: &token}); err != nil {
				t.Fatalf("Encode() = %v", err)
			}
			if got := w.Body.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type = %q", got)
			}
		})
	}
}

func TestIssueTemplates(t *testing.T) {
	for _, tt := range []struct{ name, issues, refusal, body, want string }{
		{"as a list", `required: {f: "${issue.field}", p: "${issue.path}", q: "${issue.pointer}", t: "${issue.value_type}"}` + "\n  invalid_request: x", `json: "${issues}"`, `{}`,
			`[{"f":"user","p":["body","user"],"q":"/user","t":"absent"},{"f":"password","p":["body","password"],"q":"/password","t":"absent"}]`},
		{"as members", `invalid_request: "The ${issue.field} is ${issue.rule}."`, `json: {errors: {$for: i in issues, $members: {"${i.field}": ["${i}"]}}}`, `{"password":1}`,
			`{"errors":{"user":["The user is required."],"password":["The password is type."]}}`},
		{"the first one's text", `invalid_request: "No ${issue.label}."`, `json: {message: "${issues[0].text}", more: "${size(issues) - 1}", all: "${issues.map(i, string(i.field))}"}`, `{}`,
			`{"message":"No user.","more":1,"all":["user","password"]}`},
		{"expected and sent types", `invalid_request: {e: "${issue.expected}", t: "${issue.value_type}", v: {$echo: value}}`, `json: {d: {$for: i in issues, $yield: "${i}"}}`, `{"user":"u","password":["a"],"size":1.5}`,
			`{"d":[{"e":"string","t":"list","v":["a"]},{"e":"integer","t":"number","v":1.5}]}`},
		{"the whole body", `invalid_request: {v: {$echo: body}}`, `json: "${issues}"`, `{"user":"é\u0001","user":"\ud800","x":1E2,"password":"p"}`,
			`[{"v":{"user":"\ud800","x":100.0,"password":"p"}}]`},
		{"a constant text", `invalid_request: x`, `json: ["${issues[0].text}", "${issues[0].rule}"]`, `{}`, `["x","required"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := loadText(t, filled(map[string]string{"ISSUES": tt.issues, "REFUSAL": tt.refusal}))
			r := post("/login", "application/json", tt.body)
			c := d.Match(r)
			err := c.Decode(r)
			if !core.KindOf(err).IsA(core.InvalidRequest) {
				t.Fatalf("Decode() = %v, want an invalid request", err)
			}
			w := recorder()
			c.Refuse(w, err)
			if got := w.Body.String(); got != tt.want || w.Code != 400 {
				t.Errorf("got  %d %s\nwant 400 %s", w.Code, got, tt.want)
			}
		})
	}
}

// TestEncodeFails: what an expression finds out too late becomes an internal error,
// with nothing of the success sent.
func TestEncodeFails(t *testing.T) {
	d := loadText(t, filled(map[string]string{"OK": `json: {a: "${account.attributes.realm == null ? 0 : account.attributes.realm.size() / account.attributes.zero}"}`}))
	r := post("/login", "application/json", `{"user":"ada","password":"p"}`)
	c := d.Match(r)
	if err := c.Decode(r); err != nil {
		t.Fatal(err)
	}
	token := sampleGrant()
	token.Account.Attributes = core.Attributes{"realm": "x", "zero": "text"}
	w := recorder()
	if err := c.Encode(w, Result{Token: &token}); core.KindOf(err) != core.Internal {
		t.Errorf("Encode() = %v, want an internal error", err)
	}
	if w.Code != 500 || w.Body.String() != "sorry" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("reply = %d %q %v", w.Code, w.Body, w.Header())
	}
	w = recorder()
	if err := c.Encode(w, Result{}); core.KindOf(err) != core.Internal || w.Code != 500 {
		t.Errorf("Encode() of an empty result = %v, status %d", err, w.Code)
	}
}
