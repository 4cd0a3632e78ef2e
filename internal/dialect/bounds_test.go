package dialect

import (
	"fmt"
	"strings"
	"testing"
)

// repeated writes a piece of a file some times, with its number in it.
func repeated(count int, format string) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestBounds: a file can ask for so much of everything and no more, and is told
// once.
func TestBounds(t *testing.T) {
	const languages = "messages: {languages: [en, %s], texts: {}}"
	for _, tt := range []struct{ name, old, changed, want string }{
		{"tokens", "routes:", "", "there are more than 20 tokens"},
		{"headers", "empty: true", "{empty: true, headers: {" + repeated(65, "X-%d: a, ") + "}}", "a reply has no more than 64 headers"},
		{"cookies", "empty: true", "{empty: true, cookies: [" + repeated(65, "{name: c%d, value: a}, ") + "]}", "a reply sets no more than 64 cookies"},
		{"variants", "empty: true", "[" + repeated(8, "{when: false, text: a%d}, ") + "{text: b}]", "has 9 variants, and may have 2 to 8"},
		{"languages", "routes:", fmt.Sprintf(languages, "aa, ab, af, am, ar, as, az, be, bg, bn, bs, ca, cs, cy, da, de, el, eo, es, et") + "\nroutes:", "there are more than 20 languages"},
		{"messages", "routes:", "messages:\n  languages: [en]\n  texts:\n" + repeated(201, "    m%d: {en: a}\n") + "routes:", "there are more than 200 messages"},
		{"examples", "errors:", "examples:\n" + repeated(201, "  - {name: e%d, send: {path: /}, expect: {status: 404}}\n") + "errors:", "there are more than 200 examples"},
		{"expressions", "empty: true", "json: [" + strings.Repeat(`"${account.login}", `, 501) + "]", "the file has more than 500 expressions"},
		{"cost", "empty: true", "json: [" + strings.Repeat(`"${account.roles.filter(a, account.roles.filter(b, account.roles.exists(c, c == a)).size() > 0)}", `, 60) + "]", "the expression may cost too much to run"},
		{"cost in all", "empty: true", "json: [" + strings.Repeat(`"${false`+strings.Repeat(" || account.roles.exists(a, a in account.roles)", 5)+`}", `, 120) + "]", "the expressions of the file may cost too much to run, all together"},
	} {
		text := strings.Replace(filled(nil), tt.old, tt.changed, 1)
		if tt.name == "tokens" {
			text = strings.Replace(filled(nil), "  access: {algorithm", repeated(20, "  t%d: {format: opaque, lifetime: 1h}\n")+"  access: {algorithm", 1)
		}
		_, err := Load("test.yaml", []byte(text), testOptions())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Load() = %v\nwant %s", tt.name, err, tt.want)
			continue
		}
		if n := strings.Count(err.Error(), tt.want); n != 1 && tt.name != "cost" {
			t.Errorf("%s: told %d times:\n%v", tt.name, n, err)
		}
	}
}

// TestSharedEnvironments: places that know different names do not share what they
// know, however alike they are.
func TestSharedEnvironments(t *testing.T) {
	text := strings.Replace(filled(map[string]string{"OK": `json: ["${input.size == 1}", {$for: r in account.roles, $yield: "${r + 'x'}"}, "${account.roles.exists(r, r == 'a')}"]`}), "issues:", `  - on: {method: POST, path: /other}
    accept: [json]
    inputs: {size: {from: body.size}}
    do: whoami
    ok: {json: ["${input.size + 'x'}", "${'a' + r}"]}
issues:`, 1)
	_, err := Load("test.yaml", []byte(text), testOptions())
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), `there is no fact "r"`) || !strings.Contains(err.Error(), "fails where input.size is absent") {
		t.Errorf("Load() = %v", err)
	}
}
