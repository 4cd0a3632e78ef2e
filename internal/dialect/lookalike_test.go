package dialect

import (
	"regexp"
	"strings"
	"testing"
)

// warned are the words of what a text is warned about, but for what all are.
func warned(t *testing.T, text string) string {
	t.Helper()
	var told []string
	for _, w := range loadText(t, text).Warnings() {
		told = append(told, w.Message+"; "+w.Hint)
	}
	return strings.Join(told, "\n")
}

// TestLookalikes: what other languages write for an expression is warned about where
// it goes out as it stands.
func TestLookalikes(t *testing.T) {
	for _, tt := range []struct{ reply, want string }{
		{`json: {a: "$token.value"}`, "$token.value looks like an expression, and is sent as it stands; write ${token.value}"},
		{`json: {a: "Bearer {{ token.value }}"}`, "{{ token.value }} looks like an expression, and is sent as it stands; write ${token.value}"},
		{`text: "a {input.user}"`, "{input.user} looks like an expression, and is sent as it stands; write ${input.user}"},
		{`json: {a: {token.value}}`, "{token.value} looks like an expression, and is an object whose one member is null; write ${token.value}"},
		{`xml: {a: "$account.login"}`, "$account.login looks like an expression, and is sent as it stands; write ${account.login}"},
		{"headers: {X-A: \"{base_url}/a\"}\n      empty: true", "{base_url} looks like an expression, and is sent as it stands; write ${base_url}"},
		{`json: {$for: r in account.roles, $yield: "$r.name"}`, "$r.name looks like an expression, and is sent as it stands; write ${r.name}"},
		{`json: {a: "${token.value} $${token.value} $5.00 $token {a.b} {token: value}"}`, ""},
		{`json: {a: "${'{token.value} $token.value'}"}`, ""},
		{`json: {a: {token.value: null}}`, ""},
		{`json: {a: {value}}`, ""},
	} {
		if got := warned(t, filled(map[string]string{"OK": tt.reply})); !strings.Contains(got, tt.want) || tt.want == "" && strings.Contains(got, "looks like") {
			t.Errorf("%s: warned %q, want %q", tt.reply, got, tt.want)
		}
	}
}

// TestSilentMistakes: what a file says that cannot come about is warned about.
func TestSilentMistakes(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"a title", "dialect:", "title: Of ${issuer}\ndialect:", "title takes no expression"},
		{"a doc", "    accept:", "    doc: by ${account.login}\n    accept:", "doc takes no expression"},
		{"a constant", "routes:\n", "routes:\n  - {on: {method: GET, path: /a}, inputs: {a: {from: query.a, equals: \"${input.b}\"}}, do: fixed, ok: {empty: true}}\n", "the value takes no expression"},
		{"a setting's default", "count: 3", "a: '${base_url}/x'", "the default of setting a takes no other expression"},
		{"a path", "routes:\n", "routes:\n  - {on: {method: GET, path: '/a/:user'}, do: fixed, ok: {empty: true}}\n", "the segment :user is matched letter for letter; write {user}"},
		{"a recovery mail", "routes:\n", "mails: {recovery: {subject: a, link: 'https://a.example/${ticket.value}'}}\nroutes:\n", "no route sends the recovery mail; add a route that does request_recovery"},
		{"a verification mail", "routes:\n", "mails: {verification: {subject: a, link: 'https://a.example/${ticket.value}'}}\nroutes:\n", "no route sends the verification mail"},
	} {
		text := strings.Replace(filled(nil), tt.from, tt.to, 1)
		if got := warned(t, text); text == filled(nil) || !strings.Contains(got, tt.want) {
			t.Errorf("%s: warned %q, want %q", tt.name, got, tt.want)
		}
	}
	text := strings.Replace(filled(nil), "routes:\n", "routes:\n  - {on: {method: GET, path: '/a:user'}, do: fixed, ok: {empty: true}}\n", 1)
	text = "title: ${setting.a}\n" + strings.Replace(text, "count: 3", "a: '${base_url}'", 1)
	if got := warned(t, text); strings.Contains(got, "takes no") || strings.Contains(got, "letter for letter") {
		t.Errorf("warned of what is meant: %s", got)
	}
}

// TestMisspelt: a member that is misspelt is told, whichever it is, and read as what it
// was meant for without harm.
func TestMisspelt(t *testing.T) {
	text := strings.Replace(filled(nil), "    ok:", "    issues: {required: a}\n    ok:", 1)
	for _, at := range regexp.MustCompile(`\b[a-z_]{4,}:`).FindAllStringIndex(text, -1) {
		if name := text[at[0] : at[1]-1]; name == roleIdentifier || name == roleSecret {
			continue // an input's own name
		}
		wrong := text[:at[0]+1] + text[at[0]+2:]
		if _, err := Load("test.yaml", []byte(wrong), testOptions()); err != nil && !strings.Contains(err.Error(), text[at[0]:at[0]+1]+text[at[0]+2:at[1]-1]) {
			t.Errorf("without the second letter of %s: %v", text[at[0]:at[1]], err)
		}
	}
}
