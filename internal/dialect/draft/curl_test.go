package draft

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShellWords(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{`curl -X POST  http://a`, []string{"curl", "-X", "POST", "http://a"}},
		{`curl 'a b' "c \"d\" $e"`, []string{"curl", "a b", `c "d" $e`}},
		{`curl ''`, []string{"curl", ""}},
		{"curl \\\n  a\\ b \\\r\n c", []string{"curl", "a b", "c"}},
		{`curl $'it\'s\u0021\n\x41\101'`, []string{"curl", "it's!\nAA"}},
		{`curl a'b'"c"`, []string{"curl", "abc"}},
		{`curl é | jq .`, []string{"curl", "é"}},
		{"\n\ncurl a\ncurl b", []string{"curl", "a"}},
		{`curl a > out.txt`, []string{"curl", "a"}},
		{"curl a `\n  b", []string{"curl", "a", "b"}},
		{"curl ^\"a^\" ^\r\n  ^\"^{^\\^\"b^\\^\"^}^\"", []string{"curl", "a", `{"b"}`}},
		{`curl '{"a":"b"}'`, []string{"curl", `{"a":"b"}`}},
	} {
		got, err := shellWords(tt.text)
		if err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("shellWords(%q) = %q, %v, want %q", tt.text, got, err, tt.want)
		}
	}
}

// TestCurlRequest: what explain sends is what curl would send.
func TestCurlRequest(t *testing.T) {
	for _, tt := range []struct{ command, want string }{
		{"curl host/a?b=c", "GET /a?b=c\n\n"},
		{"curl -G host -d a=b -d c=d", "GET /?a=b&c=d\n\n"},
		{"curl host/a -d a=b -d c=d", "POST /a\nContent-Type: application/x-www-form-urlencoded\n\na=b&c=d"},
		{"curl host/a --data-urlencode 'a=b c&' --data-urlencode '=é'", "POST /a\nContent-Type: application/x-www-form-urlencoded\n\na=b+c%26&%C3%A9"},
		{`curl host/a --json '{"a":1}'`, "POST /a\nContent-Type: application/json\n\n{\"a\":1}"},
		{"curl -XPUT host/a -H 'content-type: text/csv' --data-binary x", "PUT /a\nContent-Type: text/csv\n\nx"},
		{"curl -sSi -u a:b -o out host/a", "GET /a\nAuthorization: Basic YTpi\n\n"},
		{"curl --oauth2-bearer t --max-time 3 --url https://host/a", "GET /a\nAuthorization: Bearer t\n\n"},
		{"curl https://a:b@host/a", "GET /a\nAuthorization: Basic YTpi\n\n"},
		{"curl https://a@host/a", "GET /a\nAuthorization: Basic YTo=\n\n"},
		{"curl host/a --url-query b=c", "GET /a?b=c\n\n"},
		{"curl --speed-time 3 -Y 1 host/a", "GET /a\n\n"},
		{"curl -F 'a=b;type=text/plain' --form-string 'c=d;type=e' host/a", "POST /a\nContent-Type: multipart/form-data; boundary=chancery-draft\n\n--chancery-draft\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--chancery-draft\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nd;type=e\r\n--chancery-draft--\r\n"},
		{"curl -I host", "HEAD /\n\n"},
	} {
		r, err := CurlRequest(tt.command)
		if err != nil {
			t.Errorf("CurlRequest(%q): %v", tt.command, err)
			continue
		}
		content, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Method + " " + r.URL.RequestURI() + "\n"
		for _, name := range []string{"Authorization", "Content-Type"} {
			if v := r.Header.Get(name); v != "" {
				got += name + ": " + v + "\n"
			}
		}
		if got += "\n" + string(content); got != tt.want {
			t.Errorf("CurlRequest(%q) = %q, want %q", tt.command, got, tt.want)
		}
	}
}

// TestProblems: what cannot be drafted from is told with what to do.
func TestProblems(t *testing.T) {
	for _, tt := range []struct{ curl, reply, want string }{
		{"wget host", "", "no curl command"},
		{"", "", "no curl command"},
		{"curl", "", "no URL"},
		{"curl -d", "", "wants a value"},
		{"curl 'host", "", "not closed"},
		{"curl host/a", "", "no field of the request looks like a password; it has none"},
		{"curl host/a -d user=x -d color=y", "", "looks like a password; it has user, color"},
		{"curl host/a -d password=x -d color=y", "", "looks like a login name; it has password, color"},
		{"curl host/a -d @body.json", "", "in the file body.json"},
		{`curl host/a -H 'Content-Type: application/json' -d '{"a'`, "", "no JSON object"},
		{"curl host/a -H 'Content-Type: text/csv' -d 'a,b'", "", "of type text/csv"},
		{"curl host/a -H 'Content-Type: text/xml' -d '<a>'", "", "no XML document"},
		{"curl host/login --json @-", "", "the body is on standard input"},
		{"curl host/login --json '[1]'", "", "the body is a JSON list"},
		{`curl host/login -d '[{"username":"a","password":"b"}]'`, "", "the body is a JSON list"},
		{`curl host/login -d '"x"'`, "", "the body is a lone JSON string"},
		{"curl host/login --json 12", "", "the body is a lone JSON number"},
		{"curl host/login -d password=x", "", "looks like a login name; it has password"},
		{`curl host/login --json '{"username":"a","pin":1}'`, "", "the password is no text"},
		{`curl host/login --json '{"phone":1,"password":"x"}'`, "", "the login name is a number"},
		{"curl host/me -H 'Authorization: Bearer x'", "", "brings a token"},
		{"curl host/me -H 'X-Api-Key: x'", "", "no secret beside it"},
		{`curl host/graphql --json '{"query":"mutation { login(password: 1) }"}'`, "", "within the text of the query"},
		{"curl -X BREW host/a -d user=x -d password=y", "", `"BREW" is no method`},
		{"curl http://host//a -d user=x -d password=y", "", "cannot be the path"},
		{"curl host -d user=x -d password=y", `{"ok":true}`, "nothing like a token"},
		{"curl host -d user=x -d password=y", "101 x", "101 is no status"},
		{"curl host -d user=x -d password=y", "HTTP/1.1 200 OK\nContent-Type: application/json\n\n{", "said to be JSON"},
		{"curl host -d user=x -d password=y", `{"token":"a","x":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + "}", "nested deeper"},
	} {
		_, err := draftOf(tt.curl, tt.reply, "")
		problem, ok := errors.AsType[*Problem](err)
		if !ok || !strings.Contains(problem.Message, tt.want) || problem.Advice == "" {
			t.Errorf("%s: %v, want a problem that says %q, with advice", tt.curl, err, tt.want)
		}
	}
}

// TestSecretsStayOut: what somebody's own sign-in holds is not written down.
func TestSecretsStayOut(t *testing.T) {
	const canary = "c4n4ry"
	for _, tt := range []struct{ curl, reply string }{
		{`curl host --json '{"username":"` + canary + `1","password":"` + canary + `2","otp":"` + canary + `3","client_secret":"` + canary + `4"}'`,
			`{"access_token":"` + canary + `5","refresh_token":"` + canary + `6","id_token":"` + canary + `7","session":{"token":"` + canary + `8"},"user":{"name":"` + canary + `9","email":"` + canary + `10","phone":"` + canary + `11"},"x":"` + canary + `1"}`},
		{`curl -u ` + canary + `:` + canary + ` host -H 'Authorization: Bearer ` + canary + `' -H 'Cookie: a=` + canary + `'`,
			"HTTP/1.1 200 OK\r\nSet-Cookie: session=" + canary + "\r\nX-Auth-Token: " + canary + "\r\nDate: x\r\n\r\n"},
	} {
		file, err := draftOf(tt.curl, tt.reply, "")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(file)) {
			if strings.Contains(line, canary) {
				t.Errorf("the file holds what was sent: %s", line)
			}
		}
	}
}
