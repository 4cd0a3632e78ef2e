package page

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
)

func load(t testing.TB, files fs.FS, path string) *dialect.Dialect {
	t.Helper()
	source, err := fs.ReadFile(files, path)
	if err != nil {
		t.Fatal(err)
	}
	return loadText(t, string(source))
}

func loadText(t testing.TB, source string) *dialect.Dialect {
	t.Helper()
	options := dialect.Options{Realm: "test", Issuer: "https://login.example.com", BaseURL: "https://login.example.com", Settings: map[string]any{}}
	if strings.Contains(source, "frontend_url:") {
		options.Settings["frontend_url"] = "https://app.example.com"
	}
	d, err := dialect.Load("test.yaml", []byte(source), options)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range d.Settings() { // all that a setting can switch on
		if value == false {
			options.Settings[name] = true
		}
	}
	if d, err = dialect.Load("test.yaml", []byte(source), options); err != nil {
		t.Fatal(err)
	}
	return d
}

func shipped(t testing.TB) map[string]*dialect.Dialect {
	t.Helper()
	all := map[string]*dialect.Dialect{"many": load(t, os.DirFS("../openapi/testdata"), "many.yaml")}
	for files, pattern := range map[fs.FS]string{dialects.Files: "*.yaml", dialects.Examples: "examples/*.yaml"} {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			all[name] = load(t, files, name)
		}
	}
	return all
}

var links = Options{Stylesheet: "assets/page.css", Script: "assets/page.js", OpenAPI: "openapi.json", Try: "try"}

func render(t testing.TB, d *dialect.Dialect) (text string, root *html.Node) {
	t.Helper()
	out, err := Render(d, links)
	if err != nil {
		t.Fatal(err)
	}
	root, err = html.Parse(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return string(out), root
}

// TestPageStandsByItself: what a strict policy forbids is not there, and all links
// within the page lead somewhere.
func TestPageStandsByItself(t *testing.T) {
	for name, d := range shipped(t) {
		t.Run(name, func(t *testing.T) {
			_, root := render(t, d)
			ids, anchors := map[string]int{}, []string{}
			for n := range root.Descendants() {
				for _, a := range n.Attr {
					switch {
					case a.Key == "id":
						ids[a.Val]++
					case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
						t.Errorf("<%s %s=%q> breaks the policy", n.Data, a.Key, a.Val)
					case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
						anchors = append(anchors, a.Val[1:])
					case (a.Key == "href" || a.Key == "src") && strings.Contains(a.Val, "//"):
						t.Errorf("<%s %s=%q> asks another host", n.Data, a.Key, a.Val)
					}
				}
				if (n.Data == "script" || n.Data == "style") && n.FirstChild != nil {
					t.Errorf("there is a <%s> in the page", n.Data)
				}
			}
			for id, n := range ids {
				if n > 1 {
					t.Errorf("%d elements are called %q", n, id)
				}
			}
			for _, anchor := range anchors {
				if ids[anchor] == 0 {
					t.Errorf("#%s leads nowhere", anchor)
				}
			}
			if len(anchors) < 10 {
				t.Errorf("there are %d links within the page", len(anchors))
			}
		})
	}
}

// TestPageTellsEverything: each route, input, reply and failure is there.
func TestPageTellsEverything(t *testing.T) {
	text, _ := render(t, load(t, dialects.Files, "instant-classification.yaml"))
	for _, want := range []string{
		"The Data City, Instant Classification", "/api/v1/password-recovery/{email}", "new_password",
		"at least 8 characters", "8 days", "Incorrect email or password", "Www-Authenticate", "curl -sS", "requests.post(", "await fetch(", "http.NewRequest(", "Net::HTTP",
		"your-password", "the-ticket-from-the-mail", "Authorization: Bearer TOKEN", "https://login.example.com/api/v1/login/access-token",
	} {
		if !strings.Contains(html.UnescapeString(text), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, sample := range load(t, dialects.Files, "instant-classification.yaml").Samples().Accounts {
		if secret := sample.Password.Reveal(); secret != "" && strings.Contains(text, secret) {
			t.Errorf("the page tells the password of sample %s", sample.Sample)
		}
	}
}

// TestPageEscapes: a file's words are text, whatever they are.
func TestPageEscapes(t *testing.T) {
	source, err := fs.ReadFile(dialects.Files, "kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const attack = `</code></pre><script>alert(1)</script>`
	hostile := strings.NewReplacer("title: Quant", "title: '"+attack+"' #", "LOGIN_BAD_CREDENTIALS", "'"+attack+"'", "login: trader7", `login: "`+"a'; $(rm -rf x) `x` #{x} ${x}"+`"`,
		"username: trader7", `username: "`+"a'; $(rm -rf x) `x` #{x} $${x}"+`"`).Replace(string(source))
	text, root := render(t, loadText(t, hostile))
	if strings.Contains(text, "<script>alert") {
		t.Error("the file's words became the page's")
	}
	scripts := 0
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "script" {
			scripts++
		}
	}
	if scripts != 1 {
		t.Errorf("the page has %d scripts", scripts)
	}
}

func TestSamplesQuote(t *testing.T) {
	if got, err := rubyLiteral(`a"#{b}`); err != nil || got != `"a\"\#{b}"` {
		t.Errorf("rubyLiteral() = %s, %v", got, err)
	}
	if got := shellWord("it's $x"); got != `'it'\''s $x'` {
		t.Errorf("shellWord() = %s", got)
	}
	if got, err := languages[1].words.value([]byte(`{"a":[true,null,1.50],"b":{}}`), 0); err != nil || got != "{\n    \"a\": [True, None, 1.50],\n    \"b\": {}\n}" {
		t.Errorf("value() = %s, %v", got, err)
	}
	if got, err := pretty([]byte(`{"loc":["body","x"],"long":[{"a":1}]}`)); err != nil || got != "{\n  \"loc\": [\"body\", \"x\"],\n  \"long\": [\n    {\n      \"a\": 1\n    }\n  ]\n}" {
		t.Errorf("pretty() = %s, %v", got, err)
	}
}

// TestPageIsSmall: a page that is fast on a phone.
func TestPageIsSmall(t *testing.T) {
	for name, d := range shipped(t) {
		text, _ := render(t, d)
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := io.WriteString(w, text); err != nil || w.Close() != nil || packed.Len() > 16<<10 {
			t.Errorf("%s has %d bytes, packed %d", name, len(text), packed.Len())
		}
	}
	for _, name := range []string{"page.css", "page.js"} {
		content, err := fs.ReadFile(Assets(), name)
		if err != nil || len(content) > 16<<10 {
			t.Errorf("%s has %d bytes, %v", name, len(content), err)
		}
	}
}
