package dialect

import (
	"io"
	"net/http"
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

// BenchmarkSuccess writes the body of a success and its headers: below 1 µs.
func BenchmarkSuccess(b *testing.B) {
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

// BenchmarkIssues writes the body of a refusal with its issues: below 5 µs.
func BenchmarkIssues(b *testing.B) {
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
