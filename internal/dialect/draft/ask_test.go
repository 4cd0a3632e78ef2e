package draft

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAsk(t *testing.T) {
	for _, tt := range []struct {
		name, typed string
		want        []string // of the file
		said        string   // of the conversation
	}{
		{"nothing but return", "\n\n\n\n\n\n\n\n", []string{
			"on: {method: POST, path: /login}", "accept: [json]", "from: body.username", "expires_in: ${token.lifetime}", "token_lifetime: 1h",
		}, "8. How long does a token live?\n   [1h] "},
		{"the end of the input", "", []string{"path: /login", "algorithm: HS256"}, "1. Where do clients sign in?"},
		{"answers of one's own", "put /v1/session\nform\nuser_name\npass_word\n201 {\"t\":{\"session\":\"0123456789abcdef0123456789abcdef\"}}\n403 no\nX-Session: ID\n8 h\n", []string{
			"on: {method: PUT, path: /v1/session}", "accept: [form]", "from: body.user_name", "session: ${token.value}", "format: opaque",
			"bad_credentials: {status: 403, text: no}", "- {in: header, name: X-Session}", "token_lifetime: 8h",
		}, "3. Which field is the login name?"},
		{"basic authentication has no names", "\nbasic\n\n\n\n\n", []string{"from: basic.username"}, "3. What comes back?"},
		{"members of members", "\n\na.b.user\na.b.pin\n\n\n\n\n", []string{"from: body.a.b.user", "json: {a: {b: {user: ada, pin: correct horse battery staple}}}"}, ""},
		{"what is not understood is asked again", "login\nPOST login\nPOST /x\nmorse\nquery\na b\nu\np\n200 {}\n\n\nX\n\nfor ever\n0s\n15m", []string{
			"path: /x", "from: query.u", "token_lifetime: 15m",
		}, "   \"POST login\" is no method and path\n   such as POST /login, without a query\n\n1. Where"},
		{"as people write", "https://api.acme.example/v1/{tenant}/login\n\n\"user\"\n\n\n\nX-Auth-Token\n15 Minutes\n", []string{
			"on: {method: POST, path: '/v1/{tenant}/login'}", "{from: path.tenant, required: true}", "identifier: {from: body.user,", "- {in: header, name: X-Auth-Token}", "token_lifetime: 15m",
		}, ""},
		{"a cookie, and seconds", "\n\n\n\n\n\nCookie: session=TOKEN\n600\n", []string{"- {in: cookie, name: session}", "token_lifetime: 10m"}, ""},
		{"a name of names, in a form", "\nmultipart\nuser.name\nuser\npin\n\n\n\n90d\n", []string{"from: body.user", "token_lifetime: 90d"},
			"3. Which field is the login name?\n   [username]    \"user.name\" has a dot, by which only members of JSON are found"},
		{"a length in another form", "\n\n\n\n\n\n\nPT1H\n1h30m\n", []string{"token_lifetime: 90m"},
			"\"PT1H\" is no length of time\n   a number and s, m, h, d or w, such as"},
		{"weeks", "\n\n\n\n\n\n\n2 weeks\n", []string{"token_lifetime: 14d"}, ""},
		{"answers that only look like some", "//a\n/a\nform\na.b\na\na\nb\nyes\n\n\n\n99999999d\n1 day\n", []string{"path: /a}", "from: body.b", "token_lifetime: 1d"},
			"\"a\" is the login name already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said strings.Builder
			d, err := Ask(strings.NewReader(tt.typed), &said, false)
			if err != nil {
				t.Fatal(err)
			}
			d.Name = "acme"
			file, err := d.File("acme.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := load(file); err != nil {
				t.Errorf("the draft does not load: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(file), want) {
					t.Errorf("the file lacks %q", want)
				}
			}
			if !strings.Contains(said.String(), tt.said) {
				t.Errorf("the conversation lacks %q:\n%s", tt.said, said.String())
			}
			if t.Failed() {
				t.Logf("%s", file)
			}
		})
	}
}

// TestAskStops: who ends the input at a terminal means to stop, and is asked no more.
func TestAskStops(t *testing.T) {
	var said strings.Builder
	if _, err := Ask(strings.NewReader("\n\n"), &said, true); !errors.Is(err, ErrStopped) {
		t.Errorf("Ask() = %v, want %v", err, ErrStopped)
	}
	if got := said.String(); !strings.HasSuffix(got, "[username] \n") {
		t.Errorf("the conversation does not end with the third question:\n%s", got)
	}
	broken := errors.New("it broke")
	if _, err := Ask(iotest.ErrReader(broken), io.Discard, false); !errors.Is(err, broken) {
		t.Errorf("Ask() = %v, want %v", err, broken)
	}
}
