package dialect

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// wire is a reply as text, but for what every reply has.
func wire(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(w.Code))
	for _, name := range slices.Sorted(maps.Keys(w.Header())) {
		switch name {
		case "Cache-Control", "X-Content-Type-Options", "Content-Length":
			continue
		}
		for _, value := range w.Header()[name] {
			b.WriteString(" | " + name + ": " + value)
		}
	}
	return b.String() + " | " + w.Body.String()
}

// success is the reply to a login that a file with this ok gives. head are lines
// before its routes.
func success(t *testing.T, head, ok string, accept ...string) string {
	t.Helper()
	text := strings.Replace(renewed(map[string]string{"OK": ok}), "routes:", head+"\nroutes:", 1)
	text = strings.Replace(text, "    inputs:\n", "    inputs:\n      none: {from: body.none, type: integer}\n", 1)
	r := post("/login?lang=de", jsonTyp, `{"user":"ada","password":"p","size":12}`)
	for _, a := range accept {
		r.Header.Add("Accept", a)
	}
	c, w, err := serve(loadText(t, text), r)
	if err != nil {
		t.Fatal(err)
	}
	token := sampleGrant()
	token.Refresh = &core.RefreshToken{Value: core.NewSecret("r"), IssuedAt: testTime, ExpiresAt: testTime.Add(time.Minute)}
	if err := c.Encode(w, Result{Token: &token}); err != nil {
		t.Fatalf("%s: %v", ok, err)
	}
	return wire(w)
}

// refusalOf is the reply to an error that a file with these errors gives.
func refusalOf(t *testing.T, head, errors string, err error, accept ...string) string {
	t.Helper()
	text := strings.Replace(filled(nil), "routes:", head+"\nroutes:", 1)
	text = strings.Replace(text, "  bad_credentials: {status: 401, empty: true}\n", errors+"\n", 1)
	r := post("/login", jsonTyp, "")
	for _, a := range accept {
		r.Header.Add("Accept", a)
	}
	w := recorder()
	loadText(t, text).Match(r).Refuse(w, err)
	return wire(w)
}

// TestVariants: the first variant whose condition holds is taken.
func TestVariants(t *testing.T) {
	for _, tt := range []struct{ name, ok, want string }{
		{"the first that holds", `[{when: "${input.size == 12}", status: 201, text: a}, {when: true, text: b}, {text: c}]`, "201 | Content-Type: text/plain | a"},
		{"the next", `[{when: "${input.size == 13}", text: a}, {when: "${'a' in account.roles}", json: {b: 1}}, {text: c}]`, `200 | Content-Type: application/json | {"b":1}`},
		{"the rest", `[{when: "${input.size == 13}", text: a}, {when: false, text: b}, {status: 204, headers: {X-A: b}}]`, "204 | X-A: b | "},
		{"a setting", `[{when: "${setting.on}", text: a}, {text: c}]`, "200 | Content-Type: text/plain | a"},
	} {
		if got := success(t, "", "- "+strings.Join(strings.Split(strings.Trim(tt.ok, "[]"), "}, {"), "}\n      - {")); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
	bad := `  bad_credentials: [{when: "${now > timestamp('2026-03-01T00:00:00Z')}", status: 404, text: late}, {status: 401, text: early}]`
	if got := refusalOf(t, "", bad, &core.Error{Kind: core.BadSecret}); got != "404 | Content-Type: text/plain | late" {
		t.Errorf("a refusal: %s", got)
	}
}

// TestNegotiation: of variants by media type the client gets what it likes best, and
// the rest where it does not say, likes that as well, or takes none.
func TestNegotiation(t *testing.T) {
	const ok = `
      - {accept: application/xml, text: x}
      - {accept: application/vnd.a+json, json: {v: 1}}
      - {accept: text/html, type: text/html; charset=UTF-8, text: h}
      - json: {}`
	for _, tt := range []struct {
		accept []string
		want   string
	}{
		{nil, "application/json"},
		{[]string{"*/*"}, "application/json"},
		{[]string{"application/*"}, "application/json"},
		{[]string{"application/xml"}, "application/xml"},
		{[]string{"Application/XML ; q=0.5"}, "application/xml"},
		{[]string{"application/xml, application/json"}, "application/json"},
		{[]string{"application/xml;q=0.9, application/json;q=0.8"}, "application/xml"},
		{[]string{"application/json;q=0.8", "application/xml;q=0.9"}, "application/xml"},
		{[]string{"application/json;q=0, */*;q=0.1"}, "application/xml"},
		{[]string{"application/vnd.a+json;version=2"}, "application/vnd.a+json"},
		{[]string{"text/*;q=0.5, application/json;q=0.1"}, "text/html; charset=UTF-8"},
		{[]string{"image/png"}, "application/json"},
		{[]string{"application/xml;q=0"}, "application/json"},
		{[]string{"nonsense, ;q, */"}, "application/json"},
		{[]string{strings.Repeat("application/xml,", 1000)}, "application/json"},
	} {
		if got := success(t, "", ok, tt.accept...); !strings.HasPrefix(got, "200 | Content-Type: "+tt.want+" | Vary: Accept | ") {
			t.Errorf("Accept %.60q: %s, want %s", tt.accept, got, tt.want)
		}
	}
	errors := "  bad_credentials:\n    - {accept: application/xml, when: \"${base_url != ''}\", status: 401, text: <bad/>}\n    - {when: false, status: 402, empty: true}\n    - {status: 400, empty: true}"
	for accept, want := range map[string]string{
		"application/xml": "401 | Content-Type: application/xml | Vary: Accept | <bad/>",
		"*/*":             "400 | Vary: Accept | ",
		"text/html":       "400 | Vary: Accept | ",
	} {
		if got := refusalOf(t, "", errors, &core.Error{Kind: core.BadSecret}, accept); got != want {
			t.Errorf("Accept %s: %s\nwant %s", accept, got, want)
		}
	}
}

// TestDefaults: a reply has what its family has, unless it says otherwise.
func TestDefaults(t *testing.T) {
	const head = `defaults:
  ok: {type: application/json; charset=utf-8, headers: {X-Api: "2", Pragma: no-cache, X-Id: "${request.method}"}}
  errors: {type: text/plain; charset=utf-8, headers: {X-Wait: "${limit.retry_after}"}}`
	for _, tt := range []struct{ ok, want string }{
		{"json: {}", "200 | Content-Type: application/json; charset=utf-8 | Pragma: no-cache | X-Api: 2 | X-Id: POST | {}"},
		{"{json: {}, type: application/vnd.a+json}", "200 | Content-Type: application/vnd.a+json | Pragma: no-cache | X-Api: 2 | X-Id: POST | {}"},
		{"{text: a, headers: {x-api: [\"3\", \"4\"]}}", "200 | Content-Type: text/plain | Pragma: no-cache | X-Api: 3 | X-Api: 4 | X-Id: POST | a"},
		{"{status: 204}", "204 | Pragma: no-cache | X-Api: 2 | X-Id: POST | "},
	} {
		if got := success(t, head, tt.ok); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.ok, got, tt.want)
		}
	}
	err := &core.Error{Kind: core.BadSecret, RetryAfter: 7 * time.Second}
	if got := refusalOf(t, head, "  bad_credentials: {status: 401, text: no}", err); got != "401 | Content-Type: text/plain; charset=utf-8 | X-Wait: 7 | no" {
		t.Errorf("a text refusal: %s", got)
	}
	if got := refusalOf(t, head, "  bad_credentials: {status: 401, json: {}}", err); got != "401 | Content-Type: application/json | X-Wait: 7 | {}" {
		t.Errorf("a JSON refusal: %s", got)
	}
}

// TestCookies: cookies have their attributes in RFC 6265's order.
func TestCookies(t *testing.T) {
	for _, tt := range []struct{ cookies, want string }{
		{`[{name: metabase.SESSION, value: "${token.value}", http_only: true, same_site: lax}]`, "Set-Cookie: metabase.SESSION=t.o.k; HttpOnly; SameSite=Lax"},
		{`[{name: a, value: "x-${token.value}", path: /, domain: example.com, max_age: "${token.lifetime}", http_only: true, secure: true, same_site: strict}]`, "Set-Cookie: a=x-t.o.k; Path=/; Domain=example.com; Max-Age=3600; HttpOnly; Secure; SameSite=Strict"},
		{`[{name: a, value: v, max_age: 60}, {name: b, value: "${refresh.value}", max_age: "${refresh.lifetime}", secure: true, same_site: none}]`, "Set-Cookie: a=v; Max-Age=60 | Set-Cookie: b=r; Max-Age=60; Secure; SameSite=None"},
		{`[{name: a, end: true, path: /}, {name: b, value: "", max_age: "${setting.count}"}]`, "Set-Cookie: a=; Path=/; Max-Age=0 | Set-Cookie: b=; Max-Age=3"},
		{`[{name: a, value: x, max_age: "${token.lifetime - 3600}"}, {name: b, value: x, max_age: "${input.none}"}]`, "Set-Cookie: a=x; Max-Age=0 | Set-Cookie: b=x"},
	} {
		if got := success(t, "", "{empty: true, cookies: "+tt.cookies+"}"); got != "200 | "+tt.want+" | " {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.cookies, got, tt.want)
		}
	}
	if got := success(t, "", "{empty: true, headers: {Set-Cookie: c=d}, cookies: [{name: a, value: b}]}"); got != "200 | Set-Cookie: c=d | Set-Cookie: a=b | " {
		t.Errorf("beside a header: %s", got)
	}
}

// TestCookieHolds: what a cookie cannot hold is percent-encoded, and what it can is
// as it is.
func TestCookieHolds(t *testing.T) {
	for name, want := range map[string]string{
		"ada":                              "ada",
		"100%25":                           "100%25",
		"Zo\u00eb; Domain=example.com\r\n": "Zo%C3%AB%3B%20Domain=example.com%0D%0A",
		"a \"b\", 5%":                      "a%20%22b%22%2C%205%25",
	} {
		d := loadText(t, filled(map[string]string{"OK": `{empty: true, cookies: [{name: a, value: "${account.name}"}]}`}))
		c, w, err := serve(d, post("/login", jsonTyp, `{"user":"ada","password":"p"}`))
		if err != nil {
			t.Fatal(err)
		}
		token := sampleGrant()
		token.Account.Name = name
		if err := c.Encode(w, Result{Token: &token}); err != nil || wire(w) != "200 | Set-Cookie: a="+want+" | " {
			t.Errorf("Encode() = %v, %s, want the cookie %s", err, wire(w), want)
		}
	}
}

// TestCookieWarnings: what a cookie with a token lacks is said, however it is written.
func TestCookieWarnings(t *testing.T) {
	const http, plain, other = "scripts of the page can read", "over plain HTTP too", "pages of other sites"
	for _, tt := range []struct {
		ok, baseURL string
		want        []string
	}{
		{`cookies: [{name: a, value: "${token.value}", http_only: true, secure: true, same_site: lax}]`, "", nil},
		{`cookies: [{name: a, value: "${account.id}"}]`, "", nil},
		{`cookies: [{name: a, value: "${token.value}"}]`, "", []string{http, plain}},
		{`cookies: [{name: a, value: "x${refresh.value}"}]`, "http://127.0.0.1:8080", []string{http}},
		{`cookies: [{name: a, value: "${token.value}", http_only: true, secure: true, same_site: none}]`, "", []string{other}},
		{`headers: {Set-Cookie: "a=${token.value}; Path=/; HttpOnly; Secure"}`, "", nil},
		{`headers: {Set-Cookie: "a=${token.value}; SameSite=None"}`, "", []string{http, plain, other}},
	} {
		options := testOptions()
		if tt.baseURL != "" {
			options.BaseURL = tt.baseURL
		}
		d, err := Load("test.yaml", []byte(renewed(map[string]string{"OK": "{empty: true, " + tt.ok + "}"})), options)
		if err != nil {
			t.Fatal(err)
		}
		var got []Fault
		for _, w := range d.Warnings() {
			if strings.Contains(w.Message, "cookie") {
				got = append(got, w)
			}
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: warnings %v, want %q", tt.ok, got, tt.want)
			continue
		}
		for i, w := range got {
			if !strings.Contains(w.Message, tt.want[i]) || w.Hint == "" {
				t.Errorf("%s: warning %v, want %q", tt.ok, w, tt.want[i])
			}
		}
	}
}

// TestHeadersOfInputs: what clients send leads no browser elsewhere unsaid, and sets
// no attribute of a cookie.
func TestHeadersOfInputs(t *testing.T) {
	for header, want := range map[string]string{
		`Location: "${input.tenant}"`:                                           "an open redirect",
		`Location: "https://${input.tenant}.example.com/"`:                      "an open redirect",
		`Location: "/${input.tenant}"`:                                          "an open redirect",
		`Location: "${input.tenant == null ? '/' : 'https://' + input.tenant}"`: "an open redirect",
		`Location: "https://app.example.com/?t=${input.tenant}"`:                "",
		`Location: "/t/${input.tenant}"`:                                        "",
		`Location: "${base_url}/${input.tenant}"`:                               "",
		`Location: "/t/${account.id}"`:                                          "",
		`X-Tenant: "${input.tenant}"`:                                           "",
		`Set-Cookie: "t=${input.tenant}; HttpOnly"`:                             "it could set attributes",
	} {
		d, err := Load("a.yaml", []byte(filled(map[string]string{"OK": "{status: 302, empty: true, headers: {" + header + "}}"})), testOptions())
		told := fmt.Sprint(err)
		if err == nil {
			told = fmt.Sprint(d.Warnings())
		}
		if want == "" && err != nil || strings.Contains(told, "an open redirect") != (want == "an open redirect") || !strings.Contains(told, want) {
			t.Errorf("%s: %s, want %q", header, told, want)
		}
	}
}
