package dialect

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
)

// A sink is a ResponseWriter that keeps its header map, as a server's buffers do.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header        { return s.header }
func (*sink) Write(p []byte) (int, error)  { return len(p), nil }
func (*sink) WriteHeader(int)              {}
func (s *sink) reset() http.ResponseWriter { clear(s.header); return s }

func BenchmarkLoad(b *testing.B) {
	for _, name := range all {
		b.Run(name, func(b *testing.B) {
			source, err := dialects.Files.ReadFile(name + ".yaml")
			if err != nil {
				b.Fatal(err)
			}
			options := testOptions()
			if name == all[0] {
				options.Settings = map[string]any{"frontend_url": "https://app.example"}
			}
			for b.Loop() {
				if _, err := Load(name, source, options); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad200 loads 200 dialects, each of those that come with Chancery in its
// turn, and one that is nothing but expressions: below 2 s.
func BenchmarkLoad200(b *testing.B) {
	var sources [][]byte
	for _, files := range []fs.FS{dialects.Files, dialects.Examples} {
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				var source []byte
				source, err = fs.ReadFile(files, path)
				sources = append(sources, source)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	sources = append(sources, []byte(filled(map[string]string{"OK": "json: [" + strings.Repeat(`"${input.size == null ? account.login : account.login + string(input.size + setting.count)}", `, 100) + "]"})))
	for b.Loop() {
		for i := range 200 {
			if _, err := Load("bench.yaml", sources[i%len(sources)], benchOptions(sources[i%len(sources)])); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/200")
}

// benchOptions has an address for the mails of the dialects that send any.
func benchOptions(source []byte) Options {
	options := testOptions()
	if bytes.Contains(source, []byte("frontend_url:")) {
		options.Settings = map[string]any{"frontend_url": "https://app.example"}
	}
	return options
}

// BenchmarkReplySuccess writes the body of a success and its headers: below 5 µs, and
// below 1 µs where no expression is more than a fact.
func BenchmarkReplySuccess(b *testing.B) {
	token := sampleGrant()
	identity := core.Identity{Account: token.Account, Key: token.Key, IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt}
	for _, bb := range []struct {
		name, dialect, path string
		result              Result
	}{
		{"A login", all[0], "/api/v1/login/access-token", Result{Token: &token}},
		{"A profile", all[0], "/api/v1/login/test-token", Result{Identity: &identity}},
		{"C login", all[2], "/v4/auth", Result{Token: &token}},
		{"D login", all[3], "/login", Result{Token: &token}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c := load(b, bb.dialect, nil).Match(post(bb.path, "", ""))
			w := &sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Encode(w.reset(), bb.result); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkClaims writes a token's payload.
func BenchmarkClaims(b *testing.B) {
	token := sampleGrant()
	claims := load(b, "pagfast", nil).Terms().Policies["access"].Claims
	b.ReportAllocs()
	for b.Loop() {
		if _, err := claims(token.Grant); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplyForms writes what replies can be beside one JSON body: below 5 µs.
func BenchmarkReplyForms(b *testing.B) {
	token := sampleGrant()
	for _, bb := range []struct{ name, ok string }{
		{"XML", `xml: {login: {"@version": 1, token: "${token.value}", user: {name: "${account.name}", role: "${account.roles}"}}}`},
		{"cookies", `{json: {id: "${token.value}"}, cookies: [{name: s, value: "${token.value}", http_only: true, max_age: "${token.lifetime}"}]}`},
		{"JSON in a text", `json: {data: {$json: {token: "${token.value}", roles: "${account.roles}"}}}`},
		{"variants", "\n      - {when: \"${input.size == 1}\", text: a}\n      - {accept: application/xml, xml: {a: 1}}\n      - {json: {token: \"${token.value}\"}}"},
		{"a message", `json: {message: "${message.bad}"}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			text := strings.Replace(speaking("true"), "empty: true", bb.ok, 1)
			r := post("/login", jsonTyp, "")
			r.Header.Set("Accept", "text/html, application/xml;q=0.9, */*;q=0.8")
			r.Header.Set("Accept-Language", "es-MX, es;q=0.8, en;q=0.5")
			c := loadText(b, text).Match(r)
			w := &sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Encode(w.reset(), Result{Token: &token}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReplyIssues writes the body of a refusal with its issues: below 5 µs.
func BenchmarkReplyIssues(b *testing.B) {
	for _, bb := range []struct{ name, dialect, path, typ, body string }{
		{"A two missing", all[0], "/api/v1/login/access-token", urlForm, ""},
		{"D two missing", all[3], "/login", jsonTyp, "{}"},
		{"D malformed", all[3], "/login", jsonTyp, "{"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c, _, err := serve(load(b, bb.dialect, nil), post(bb.path, bb.typ, bb.body))
			w := &sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				c.Refuse(w.reset(), err)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bb := range []struct{ name, dialect, path, typ, body string }{
		{"A form", all[0], "/api/v1/login/access-token", urlForm, "username=ada%40example.com&password=correct+horse+battery+staple"},
		{"D JSON", all[3], "/login", jsonTyp, `{"accessKey":"986d816705c05ae4bd2dbdcf0dd1f4b4f2c6b3a1","secret":"dGhpcyBpcyBhIHNhbXBsZSBzZWNyZXQgb2YgMzYgYnl0ZXMh"}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			d := load(b, bb.dialect, nil)
			r := post(bb.path, bb.typ, bb.body)
			b.ReportAllocs()
			for b.Loop() {
				r.Body = &rewound{text: bb.body}
				if err := d.Match(r).Decode(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// rewound is a body that costs the benchmark little.
type rewound struct {
	text string
	done bool
}

func (b *rewound) Read(p []byte) (int, error) {
	if b.done {
		return 0, io.EOF
	}
	b.done = true
	return copy(p, b.text), nil
}

func (*rewound) Close() error { return nil }
