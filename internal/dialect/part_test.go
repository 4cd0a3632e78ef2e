package dialect

import (
	"net/http"
	"strings"
	"testing"
)

// parted is a contract that takes parts of what it reads.
const parted = `dialect: parted
names: NAMES
tokens: {access: {format: opaque, lifetime: 1h}}
routes:
  - on: {method: POST, path: /login}
    accept: [json, xml]
    inputs:
      user: {from: [header.X-User, body.user], take: '^@?([^:]+)(?::.*)?$', max: 5, empty: missing}
      domain: {from: body.login, take: '^(?:ACME\\(.*)|plain)$', empty: missing}
      code: {from: [body.mfa.codes.0, body.mfa.code.0.value]}
      second: body.mfa.codes.1
      root: {from: body.r.codes.code.0.value}
    do: fixed
    ok: {json: ["${input.user}", "${input.domain}", "${input.code}", "${input.second}", "${input.root}"]}
errors:
  invalid_request: {status: 400, text: "${issue.rule} ${issue.pointer}"}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`

// TestParts: a pattern takes its group of a text before any rule is asked, and numbers
// lead to the items of lists.
func TestParts(t *testing.T) {
	for _, names := range []string{"exact", "fold"} {
		d := loadText(t, replaced(parted, "NAMES", names))
		for _, tt := range []struct{ name, typ, body, header, want string }{
			{"a part", jsonTyp, `{"user":"@ada:example.org"}`, "", `["ada",null,null,null,null]`},
			{"all of it", jsonTyp, `{"user":"ada"}`, "", `["ada",null,null,null,null]`},
			{"of a header too", jsonTyp, `{}`, "@bob:x", `["bob",null,null,null,null]`},
			{"what does not match stays", jsonTyp, `{"user":":"}`, "", `[":",null,null,null,null]`},
			{"rules are about the part", jsonTyp, `{"user":"@adalovelace:x"}`, "", "max /X-User"},
			{"a part that is empty is nothing", jsonTyp, `{"login":"ACME\\"}`, "", `[null,null,null,null,null]`},
			{"a group that is not in the match", jsonTyp, `{"login":"plain"}`, "", `[null,"plain",null,null,null]`},
			{"no text", jsonTyp, `{"user":1}`, "", "type /X-User"},
			{"an item", jsonTyp, `{"mfa":{"codes":["1","2"]}}`, "", `[null,null,"1","2",null]`},
			{"a member of an item", jsonTyp, `{"mfa":{"codes":[],"code":[{"value":"3"}]}}`, "", `[null,null,"3",null,null]`},
			{"no such item", jsonTyp, `{"mfa":{"codes":["1"]}}`, "", `[null,null,"1",null,null]`},
			{"a member of that name", jsonTyp, `{"mfa":{"codes":{"0":"1"}}}`, "", `[null,null,"1",null,null]`},
			{"repeated elements", "text/xml", `<r><codes><code><value>1</value></code><code><value>2</value></code></codes></r>`, "", `[null,null,null,null,"1"]`},
			{"an element that is there once", "text/xml", `<r><codes><code><value>1</value></code></codes></r>`, "", `[null,null,null,null,"1"]`},
		} {
			r := post("/login", tt.typ, tt.body)
			if tt.header != "" {
				r.Header.Set("X-User", tt.header)
			}
			if got := answered(t, d, r); got != tt.want {
				t.Errorf("%s, %s: answered %s, want %s", names, tt.name, got, tt.want)
			}
		}
	}
}

// TestComposedItems: composed requests have lists where numbers lead to items.
func TestComposedItems(t *testing.T) {
	d := loadText(t, replaced(parted, "NAMES", "exact"))
	values := map[string]string{"code": "1", "second": "2"}
	made, err := d.Compose(0, values)
	if want := `{"mfa":{"codes":["1","2"]}}`; err != nil || string(made.JSON) != want {
		t.Errorf("Compose() = %s, %v, want %s", made.JSON, err, want)
	}
	delete(values, "code")
	if made, err = d.Compose(0, values); err != nil || string(made.JSON) != `{"mfa":{"codes":[null,"2"]}}` {
		t.Errorf("Compose() = %s, %v", made.JSON, err)
	}
	xml := loadText(t, replaced(replaced(parted, "NAMES", "exact"), "[json, xml]", "[xml]"))
	made, err = xml.Compose(0, map[string]string{"root": "1"})
	if want := `<r><codes><code><value>1</value></code></codes></r>`; err != nil || string(made.XML) != want {
		t.Errorf("Compose() = %s, %v, want %s", made.XML, err, want)
	}
	if _, err := made.HTTP(t.Context(), "http://localhost"); err != nil || made.Method != http.MethodPost {
		t.Errorf("HTTP() = %v", err)
	}
}

func replaced(text, from, to string) string { return strings.ReplaceAll(text, from, to) }
