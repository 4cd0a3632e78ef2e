package docs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
)

func load(t testing.TB, name string) *dialect.Dialect {
	t.Helper()
	source, err := fs.ReadFile(dialects.Files, name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dialect.Load(name, source, dialect.Options{Realm: "demo", Issuer: "https://login.example.com", BaseURL: "https://login.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func place(t testing.TB, names ...string) *Handler {
	options := Options{Log: slog.New(slog.DiscardHandler)}
	for _, name := range names {
		options.Contracts = append(options.Contracts, Contract{Dialect: load(t, name)})
	}
	return New(options)
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOneContract(t *testing.T) {
	h := place(t, "kyc")
	for _, tt := range []struct{ path, mediaType, want string }{
		{"/docs", "text/html; charset=utf-8", "Quant Trading Factory"},
		{"/docs/kyc", "text/html; charset=utf-8", "Quant Trading Factory"},
		{"/docs/openapi.json", "application/json", `"openapi": "3.1.0"`},
		{"/docs/try", "text/html; charset=utf-8", `data-url="openapi.json" data-expand="full"`}, // what is switched off is not counted
		{"/docs/-/page.css", "text/css; charset=utf-8", "prefers-color-scheme"},
		{"/docs/-/page.js", "text/javascript; charset=utf-8", "localStorage"},
		{"/docs/-/swagger-ui-bundle.js", "text/javascript; charset=utf-8", "SwaggerUIBundle"},
	} {
		w := get(h, tt.path)
		if w.Code != 200 || w.Header().Get("Content-Type") != tt.mediaType || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d %s, and %q is in it: %t", tt.path, w.Code, w.Header().Get("Content-Type"), tt.want, strings.Contains(w.Body.String(), tt.want))
		}
		if got := w.Header().Get("Content-Security-Policy"); got != policy || strings.Contains(got, "unsafe") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", tt.path, w.Header())
		}
	}
}

func TestSeveralContracts(t *testing.T) {
	h := place(t, "kyc", "pagfast")
	index := get(h, "/docs").Body.String()
	for _, want := range []string{`href="docs/kyc"`, `href="docs/pagfast"`, "PagFast"} {
		if !strings.Contains(index, want) {
			t.Errorf("/docs lacks %s", want)
		}
	}
	if try := get(place(t, "oauth2"), "/docs/try").Body.String(); !strings.Contains(try, `data-expand="list"`) {
		t.Error("of several operations one is open")
	}
	for path, status := range map[string]int{"/docs/pagfast": 200, "/docs/kyc/openapi.json": 200, "/docs/kyc/try": 200, "/docs/try": 404, "/docs/datafiniti": 404, "/docs/-/x": 404, "/docs/": 308} {
		if w := get(h, path); w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
}

// TestLinksLead: what a page refers to is served, wherever the page stands.
func TestLinksLead(t *testing.T) {
	for _, h := range []*Handler{place(t, "kyc"), place(t, "kyc", "pagfast")} {
		for _, path := range []string{"/docs", "/docs/try", "/docs/kyc", "/docs/kyc/try"} {
			w := get(h, path)
			if w.Code != 200 {
				continue
			}
			root, err := html.Parse(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			base := httptest.NewRequest("GET", path, nil).URL
			for n := range root.Descendants() {
				for _, a := range n.Attr {
					if a.Key != "href" && a.Key != "src" && a.Key != "data-url" || strings.HasPrefix(a.Val, "data:") {
						continue
					}
					to, err := base.Parse(a.Val)
					if err != nil {
						t.Fatal(err)
					}
					if got := get(h, to.Path); got.Code != 200 {
						t.Errorf("%s refers to %s, which is %d", path, to.Path, got.Code)
					}
				}
			}
		}
	}
}

func TestFilesAreKeptAndPacked(t *testing.T) {
	h := place(t, "kyc")
	plain := get(h, "/docs")
	packed := get(h, "/docs", "Accept-Encoding", "br, gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() > plain.Body.Len()/3 || packed.Header().Get("ETag") == plain.Header().Get("ETag") {
		t.Errorf("packed: %d of %d bytes, %v", packed.Body.Len(), plain.Body.Len(), packed.Header())
	}
	if unpacked, err := unpack(packed.Body.Bytes()); err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) {
		t.Errorf("what is packed is another page: %v", err)
	}
	if w := get(h, "/docs", "If-None-Match", plain.Header().Get("ETag")); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("asked again: %d", w.Code)
	}
	for header, want := range map[string]bool{"": false, "gzip": true, "gzip;q=0": false, "gzip; q=0.0": false, "gzip;q=0.5": true, "deflate, gzip": true, "gzip;q=1.0": true, "xgzip": false} {
		if got := takesGzip(header); got != want {
			t.Errorf("takesGzip(%q) = %t", header, got)
		}
	}
	r := httptest.NewRequest("POST", "/docs", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

// TestForeignFiles: what is served for Swagger UI is what versions.txt names.
func TestForeignFiles(t *testing.T) {
	list, err := assets.ReadFile("assets/versions.txt")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(list)) {
		name, want, ok := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		found++
		packed, err := assets.ReadFile("assets/" + name + ".gz")
		if err != nil {
			t.Fatal(err)
		}
		content, err := unpack(packed)
		if digest := sha256.Sum256(content); err != nil || hex.EncodeToString(digest[:]) != want {
			t.Errorf("%s has the digest %x, %v", name, digest, err)
		}
	}
	if found != 2 {
		t.Errorf("%d files are named", found)
	}
}
