package forwardauth_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/store/memory"
	"github.com/chancery-auth/chancery/internal/web"
	"github.com/chancery-auth/chancery/internal/web/forwardauth"
	"github.com/chancery-auth/chancery/internal/web/webtest"
)

func open(t testing.TB, name string, change func(string) string) *webtest.World {
	t.Helper()
	source, err := dialects.Files.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]any{}
	if name == "instant-classification" {
		settings["frontend_url"] = "https://app.example"
	}
	if change != nil {
		source = []byte(change(string(source)))
	}
	return webtest.New(t, memory.New(), name+".yaml", source, settings)
}

func serve(t testing.TB, w *webtest.World, log io.Writer) *httptest.Server {
	t.Helper()
	to := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := forwardauth.New(forwardauth.Options{Dialect: w.Dialect, Authority: w.Authority, Log: to})
	server := httptest.NewServer(web.Wrap(h, web.Options{Log: to}))
	t.Cleanup(server.Close)
	return server
}

// ask sends text over a socket; a reply must come within a second.
func ask(t *testing.T, s *httptest.Server, text string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response
}

func readAll(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func request(line string, headers ...string) string {
	return line + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

// Allowed is exactly 200, empty, with the whole set of headers; the method, the
// path, the query and the body make no difference.
func TestAllowed(t *testing.T) {
	b := open(t, "kyc", nil)
	ada := b.Account(t, "ada@example.com", func(s *core.AccountSpec) { s.Roles = []string{"trader", "a,b", "admin"} })
	bare := b.Account(t, "bare", nil)
	s := serve(t, b, io.Discard)
	bearer := "Authorization: Bearer " + b.Token(t, "ada@example.com")
	for _, text := range []string{
		request("GET /", bearer),
		request("DELETE /api/v1//x/../%2e?access_token=no", bearer),
		request("HEAD /", bearer),
		request("PROPFIND /x", bearer),
		request("GET /", "authorization: bEARER   "+strings.TrimPrefix(bearer, "Authorization: Bearer ")+"  "),
		request("GET /", bearer, "X-Auth-Request-User: root", "X-Auth-Request-Groups: root", "Remote-User: root"),
		request("POST /", bearer, "Content-Length: 5"), // announced and never sent, as nginx does
		request("POST /", bearer, "Content-Length: 99999999"),
		request("POST /", bearer, "Transfer-Encoding: chunked"),
		request("POST /", bearer, "Content-Length: 5", "Expect: 100-continue"),
	} {
		got := ask(t, s, text)
		line, _, _ := strings.Cut(text, "\r\n")
		if body := readAll(t, got); got.StatusCode != 200 || body != "" {
			t.Errorf("%s: got %d %q", line, got.StatusCode, body)
		}
		for name, want := range map[string]string{"User": string(ada.ID), "Email": "ada@example.com", "Groups": "trader,admin"} {
			if values := got.Header["X-Auth-Request-"+name]; len(values) != 1 || values[0] != want {
				t.Errorf("%s: %s is %q, want %q", line, name, values, want)
			}
		}
		if announced := strings.Contains(text, "Content-Length") || strings.Contains(text, "chunked"); got.Close != announced {
			t.Errorf("%s: Connection: close is %v, want %v", line, got.Close, announced)
		}
	}
	got := ask(t, s, request("GET /", "Authorization: Bearer "+b.Token(t, "bare")))
	for name, want := range map[string]string{"User": string(bare.ID), "Email": "", "Groups": ""} {
		if values := got.Header["X-Auth-Request-"+name]; len(values) != 1 || values[0] != want {
			t.Errorf("an account without an address: %s is %q, want %q", name, values, want)
		}
	}
}

// S63: nothing but a valid token opens; a refusal is 401 or 403 in the dialect's words.
func TestDenied(t *testing.T) {
	b := open(t, "kyc", nil)
	b.Account(t, "ada", nil)
	b.Account(t, "idle", nil)
	b.Account(t, "doubtful", nil)
	good, idle, doubtful := b.Token(t, "ada"), b.Token(t, "idle"), b.Token(t, "doubtful")
	if _, err := b.Registry.DisableAccount(t.Context(), core.AccountName{Realm: webtest.Realm, Login: "idle"}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Registry.UpdateAccount(t.Context(), core.AccountSpec{Realm: webtest.Realm, Login: "doubtful", Active: true}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
	s := serve(t, b, io.Discard)
	const unauthorized, forbidden = `{"detail":"Unauthorized"}`, `{"detail":"Forbidden"}`
	for _, tt := range []struct {
		name, text string
		status     int
		body       string
	}{
		{"nothing", request("GET /"), 401, unauthorized},
		{"another scheme", request("GET /", "Authorization: Basic Og=="), 401, unauthorized},
		{"no token", request("GET /", "Authorization: Bearer"), 401, unauthorized},
		{"nonsense", request("GET /", "Authorization: Bearer nonsense"), 401, unauthorized},
		{"a changed token", request("GET /", "Authorization: Bearer A"+good), 401, unauthorized},
		{"two headers", request("GET /", "Authorization: Bearer "+good, "Authorization: Bearer "+good), 401, unauthorized},
		{"in the query", request("GET /?access_token=" + good), 401, unauthorized},
		{"in a cookie", request("GET /", "Cookie: access_token="+good), 401, unauthorized},
		{"a health checker", request("GET /healthz", "User-Agent: kube-probe/1.30", "X-Original-Method: OPTIONS"), 401, unauthorized},
		{"preflight", request("OPTIONS /", "Origin: https://x.example"), 401, unauthorized},
		{"a claim of its own", request("GET /", "X-Auth-Request-User: root"), 401, unauthorized},
		{"an inactive account", request("GET /", "Authorization: Bearer "+idle), 401, unauthorized},
		{"an unverified account", request("GET /", "Authorization: Bearer "+doubtful), 403, forbidden},
		{"HEAD", request("HEAD /"), 401, ""},
		{"an announced body", request("POST /", "Content-Length: 7"), 401, unauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, s, tt.text)
			if body := readAll(t, got); got.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %q, want %d %q", got.StatusCode, body, tt.status, tt.body)
			}
			if challenge := got.Header.Get("WWW-Authenticate"); got.StatusCode == 401 && !strings.HasPrefix(challenge, "Bearer") {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			if got.Header.Get("X-Auth-Request-User") != "" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

// A contract may refuse with any status; a proxy would take 2xx for a yes.
func TestOddStatusesAreDenials(t *testing.T) {
	for _, status := range []string{"200", "204", "302", "400", "404", "422"} {
		b := open(t, "kyc", func(source string) string {
			body := ", json: {detail: Unauthorized}}"
			if status == "204" || status == "302" {
				body = ", empty: true}"
			}
			return strings.ReplaceAll(source, "unauthorized: {status: 401, json: {detail: Unauthorized}}", "unauthorized: {status: "+status+body)
		})
		if got := ask(t, serve(t, b, io.Discard), request("GET /")); got.StatusCode != 401 || got.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("the contract's %s became %d %v, want 401", status, got.StatusCode, got.Header)
		}
	}
	a := open(t, "instant-classification", nil) // words an inactive account's token with 400
	a.Account(t, "idle", nil)
	token := a.Token(t, "idle")
	if _, err := a.Registry.DisableAccount(t.Context(), core.AccountName{Realm: webtest.Realm, Login: "idle"}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, serve(t, a, io.Discard), request("GET /", "Authorization: Bearer "+token)); got.StatusCode != 401 {
		t.Errorf("an inactive account got %d", got.StatusCode)
	}
}

// S65: any failure inside denies, and tells nothing of itself.
func TestFailuresDeny(t *testing.T) {
	const canary = "c4n4ry"
	for _, tt := range []struct {
		name   string
		fault  func() error
		status int
	}{
		{"an error of the store", func() error { return errors.New(canary) }, 500},
		{"the store is away", func() error { return &core.Error{Kind: core.Unavailable, Err: errors.New(canary)} }, 503},
		{"a kind that is no refusal", func() error { return &core.Error{Kind: core.Conflict} }, 500},
		{"a kind that nobody knows", func() error { return &core.Error{Kind: "surprise"} }, 500},
		{"the account is gone", func() error { return &core.Error{Kind: core.NotFound} }, 401},
		{"a panic", func() error { panic(canary) }, 500},
		{"a panic with an abort's clothes", func() error { panic(errors.New("net/http: abort Handler")) }, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, "kyc", nil)
			b.Account(t, "ada", nil)
			token := b.Token(t, "ada")
			b.Fault.Store(&tt.fault)
			var log bytes.Buffer
			s := serve(t, b, &log)
			got := ask(t, s, request("POST /", "Authorization: Bearer "+token, "Content-Length: 7"))
			body := readAll(t, got)
			if got.StatusCode != tt.status || strings.Contains(body, canary) || got.Header.Get("X-Auth-Request-User") != "" {
				t.Errorf("got %d %v %s, want %d", got.StatusCode, got.Header, body, tt.status)
			}
			if (got.Header.Get("Retry-After") != "") != (tt.status == 503) {
				t.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
			}
			s.Close()
			if strings.Contains(log.String(), token) {
				t.Errorf("the log holds the token:\n%s", &log)
			}
		})
	}
}

// An id that no header can hold is no identity.
func TestUnwritableIdentityIsDenied(t *testing.T) {
	b := open(t, "kyc", nil)
	b.Account(t, "ada", func(s *core.AccountSpec) { s.ID = "a\r\nX-Auth-Request-Groups: root" })
	got := ask(t, serve(t, b, io.Discard), request("GET /", "Authorization: Bearer "+b.Token(t, "ada")))
	if got.StatusCode != 500 || got.Header.Get("X-Auth-Request-User") != "" || got.Header.Get("X-Auth-Request-Groups") != "" {
		t.Errorf("got %d %v", got.StatusCode, got.Header)
	}
}

func BenchmarkAllowed(b *testing.B) {
	w := open(b, "kyc", nil)
	w.Account(b, "ada@example.com", func(s *core.AccountSpec) { s.Roles = []string{"trader"} })
	quiet := slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h := web.Wrap(forwardauth.New(forwardauth.Options{Dialect: w.Dialect, Authority: w.Authority, Log: quiet}), web.Options{Log: quiet})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+w.Token(b, "ada@example.com"))
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.ResponseRecorder{}
		if h.ServeHTTP(&rec, r); rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
}
