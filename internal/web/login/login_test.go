package login_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/store/memory"
	"github.com/chancery-auth/chancery/internal/web"
	"github.com/chancery-auth/chancery/internal/web/login"
	"github.com/chancery-auth/chancery/internal/web/webtest"
)

var settings = map[string]map[string]any{
	"instant-classification": {"frontend_url": "https://app.example"},
}

// open loads one of the dialects that come with Chancery.
func open(t testing.TB, name string) *webtest.World {
	t.Helper()
	source, err := dialects.Files.ReadFile(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return webtest.New(t, memory.New(), name+".yaml", source, settings[name])
}

func mount(w *webtest.World) login.Mount {
	return login.Mount{Dialect: w.Dialect, Authority: w.Authority}
}

// A server serves mounts over a socket and keeps what it logs.
type server struct {
	*httptest.Server
	mu  sync.Mutex
	log bytes.Buffer
}

func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *server) logged() string {
	s.Close() // every line is written by then
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func serve(t testing.TB, mounts ...login.Mount) *server {
	t.Helper()
	s := new(server)
	log := slog.New(slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.Server = httptest.NewServer(web.Wrap(login.New(login.Options{Mounts: mounts, Log: log}), web.Options{Log: log}))
	t.Cleanup(s.Close)
	return s
}

// A reply is one answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
	closed bool
}

// ask sends a request; headers are "Name: value". It follows no redirect.
func (s *server) ask(t testing.TB, method, target, body string, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(text), response.Close}
}

const (
	formType = "Content-Type: application/x-www-form-urlencoded"
	jsonType = "Content-Type: application/json"
)

func form(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

func want(t *testing.T, what string, got reply, status int, body string) {
	t.Helper()
	if got.status != status || got.body != body {
		t.Errorf("%s: got %d %s, want %d %s", what, got.status, got.body, status, body)
	}
	if got.body != "" && (got.header.Get("Content-Type") == "" || got.header.Get("X-Content-Type-Options") != "nosniff") { // S57
		t.Errorf("%s: headers %v: want a type and nosniff", what, got.header)
	}
	if got.body != "" && got.header.Get("Cache-Control") != "no-store" { // S83
		t.Errorf("%s: headers %v: want no-store", what, got.header)
	}
}

// Every operation, from the request to core and back.
func TestOperations(t *testing.T) {
	a := open(t, "instant-classification")
	ada := a.Account(t, "ada@example.com", func(s *core.AccountSpec) { s.Name = "Ada" })
	s := serve(t, mount(a))
	const path = "/api/v1/login/access-token"

	got := s.ask(t, "POST", path, form("username", "Ada@example.com", "password", webtest.Password), formType)
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(got.body), &token); err != nil || got.status != 200 {
		t.Fatalf("login: %d %s", got.status, got.body)
	}
	want(t, "wrong password", s.ask(t, "POST", path, form("username", "ada@example.com", "password", "no"), formType), 400, `{"detail":"Incorrect email or password"}`)
	if got := s.ask(t, "POST", "/api/v1/login/test-token", "", "Authorization: bearer "+token.Value); got.status != 200 || !strings.Contains(got.body, string(ada.ID)) {
		t.Errorf("test-token: %d %s", got.status, got.body)
	}
	want(t, "test-token with a body that is ignored", s.ask(t, "POST", "/api/v1/login/test-token", "{", jsonType, "Authorization: Bearer x"), 401, `{"detail":"Could not validate credentials"}`)
	want(t, "test-token without a token", s.ask(t, "POST", "/api/v1/login/test-token", ""), 401, `{"detail":"Not authenticated"}`)

	const sent = `{"message":"If that email is registered, we sent a password recovery link"}`
	want(t, "recovery", s.ask(t, "POST", "/api/v1/password-recovery/ada@example.com", ""), 200, sent)
	want(t, "recovery of nobody", s.ask(t, "POST", "/api/v1/password-recovery/nobody%40example.com", ""), 200, sent)
	notices, err := a.Store.LeaseNotices(t.Context(), time.Now(), time.Now().Add(time.Minute), 10)
	if err != nil || len(notices) != 2 {
		t.Fatalf("notices %v, %v", notices, err)
	}
	mail, err := a.Authority.ComposeMail(t.Context(), notices[0])
	if err != nil {
		t.Fatal(err)
	}
	_, ticket, _ := strings.Cut(mail.Link.Reveal(), "token=")
	reset := func(ticket, password string) reply {
		body, _ := json.Marshal(map[string]string{"token": ticket, "new_password": password})
		return s.ask(t, "POST", "/api/v1/reset-password/", string(body), jsonType)
	}
	if got := reset(ticket, "short"); got.status != 422 {
		t.Errorf("short password: %d %s", got.status, got.body)
	}
	want(t, "reset", reset(ticket, "a new password"), 200, `{"message":"Password updated successfully"}`)
	want(t, "reset again", reset(ticket, "a new password"), 400, `{"detail":"Invalid token"}`)
	want(t, "the old token has ended", s.ask(t, "POST", "/api/v1/login/test-token", "", "Authorization: Bearer "+token.Value), 401, `{"detail":"Could not validate credentials"}`)

	log := s.logged()
	for _, secret := range []string{token.Value, ticket, webtest.Password, "a new password", "ada@example.com", "nobody"} { // S76
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, `"route":"/api/v1/password-recovery/{email}"`) || !strings.Contains(log, `"outcome":"bad_secret"`) {
		t.Errorf("the log lacks route or outcome:\n%s", log)
	}
}

func TestAccessKeys(t *testing.T) {
	d := open(t, "pagfast")
	d.AccessKey(t, d.Account(t, "partner", nil), "986d8167")
	s := serve(t, mount(d))
	got := s.ask(t, "POST", "/login", fmt.Sprintf(`{"accessKey":"986d8167","secret":%q}`, webtest.Secret), jsonType)
	if got.status != 201 || strings.Count(got.body, ".") < 2 || got.header.Get("Content-Type") != "text/plain" {
		t.Errorf("got %d %v %s", got.status, got.header, got.body)
	}
	if got := s.ask(t, "POST", "/login", `{"accessKey":"986d8167","secret":"no"}`, jsonType); got.status != 401 || !strings.Contains(got.body, "AccessKeyUnauthorized") {
		t.Errorf("wrong secret: %d %s", got.status, got.body)
	}
}

// 1.6 of the contracts: methods, unknown paths and slashes, in the dialect's words.
func TestRouting(t *testing.T) {
	b, d := open(t, "kyc"), open(t, "pagfast")
	s := serve(t, mount(b), mount(d))
	for _, tt := range []struct {
		method, target, body string
		status               int
		words, name, value   string // part of the body, a header
	}{
		{"GET", "/auth/jwt/login", "", 405, "Method Not Allowed", "Allow", "POST"},
		{"HEAD", "/auth/jwt/login", "", 405, "", "Allow", "POST"},
		{"OPTIONS", "/auth/jwt/login", "", 405, "Method Not Allowed", "Allow", "POST"},
		{"BREW", "/auth/jwt/login", "", 405, "Method Not Allowed", "Allow", "POST"},
		{"POST", "/auth/jwt/login/?a=b%20c", "x=y", 307, "", "Location", "/auth/jwt/login?a=b%20c"},
		{"GET", "/auth/jwt/login/", "", 307, "", "Location", "/auth/jwt/login"},
		{"POST", "/auth/jwt//login", "", 404, `{"detail":"Not Found"}`, "", ""},
		{"POST", "//auth/jwt/login", "", 404, `{"detail":"Not Found"}`, "", ""},
		{"POST", "/auth/./jwt/login", "", 404, `{"detail":"Not Found"}`, "", ""},
		{"POST", "/Auth/jwt/login", "", 404, `{"detail":"Not Found"}`, "", ""},
		{"POST", "/auth%2Fjwt/login", "", 404, `{"detail":"Not Found"}`, "", ""},
		{"GET", "/", "", 404, `{"detail":"Not Found"}`, "", ""},
		{"POST", "/auth/jwt/login", "", 422, `"username"`, "", ""},
		{"POST", "/login", "{}", 400, "InvalidRequestFormatError", "", ""}, // the second dialect's
		{"POST", "/login/", "{}", 400, "InvalidRequestFormatError", "", ""},
	} {
		t.Run(tt.method+tt.target, func(t *testing.T) {
			got := s.ask(t, tt.method, tt.target, tt.body, jsonType)
			if got.status != tt.status || !strings.Contains(got.body, tt.words) || (tt.words == "" && got.body != "") || (tt.name != "" && got.header.Get(tt.name) != tt.value) {
				t.Errorf("got %d %v %q", got.status, got.header, got.body)
			}
		})
	}
}

func TestMounts(t *testing.T) {
	a, b, d := open(t, "datafiniti"), open(t, "kyc"), open(t, "pagfast")
	s := serve(t,
		login.Mount{Host: "A.example", Dialect: a.Dialect, Authority: a.Authority},
		login.Mount{Host: "b.example", Prefix: "/one", Dialect: b.Dialect, Authority: b.Authority},
		login.Mount{Host: "b.example", Prefix: "/one/two", Dialect: d.Dialect, Authority: d.Authority},
		login.Mount{Prefix: "/any", Dialect: b.Dialect, Authority: b.Authority},
	)
	for _, tt := range []struct {
		host, target string
		status       int
		words        string
	}{
		{"a.example", "/v4/auth", 400, "Bad Request"},
		{"A.EXAMPLE:8080", "/v4/auth", 400, "Bad Request"},
		{"a.example.", "/v4/auth", 400, "Bad Request"},
		{"a.example", "/unknown", 404, `"code":404`},
		{"a.example", "/any/auth/jwt/login", 404, `"code":404`}, // a.example has all paths for itself
		{"b.example", "/one/auth/jwt/login", 422, "missing"},
		{"b.example", "/one/two/login", 400, "InvalidRequestFormatError"},
		{"b.example", "/one/two/auth/jwt/login", 404, "NotFoundError"},
		{"b.example", "/onetwo/login", 404, "not found\n"},
		{"b.example", "/one", 404, "not found\n"},
		{"b.example", "/%6fne/auth/jwt/login", 404, "not found\n"},
		{"b.example", "/any/auth/jwt/login", 422, "missing"},
		{"[::1]:80", "/any/auth/jwt/login", 422, "missing"},
		{"other.example", "/any/auth/jwt/login", 422, "missing"},
		{"other.example", "/v4/auth", 404, "not found\n"},
		{"other.example", "/any/auth/jwt/login/?x=%2f", 307, ""},
	} {
		t.Run(tt.host+tt.target, func(t *testing.T) {
			got := s.ask(t, "POST", tt.target, "{}", jsonType, "Host: "+tt.host)
			if got.status != tt.status || !strings.Contains(got.body, tt.words) {
				t.Errorf("got %d %q", got.status, got.body)
			}
			if location := got.header.Get("Location"); got.status == 307 && location != "/any/auth/jwt/login?x=%2f" {
				t.Errorf("Location %q", location)
			}
		})
	}
}

// Protected paths: the longest wins, routes come first, what is ambiguous goes nowhere (S62).
func TestProtected(t *testing.T) {
	behind := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.Reply(w, http.StatusOK, name+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery)
		})
	}
	b := open(t, "kyc")
	m := login.Mount{Prefix: "/kyc", Dialect: b.Dialect, Authority: b.Authority, Protected: []login.Protected{
		{Path: "/api/", Handler: behind("api")}, {Path: "/api/v2", Handler: behind("v2")}, {Path: "/auth", Handler: behind("auth")},
	}}
	s := serve(t, m)
	for target, wanted := range map[string]string{
		"/kyc/api/v1/x?a=..;b": "api /api/v1/x?a=..;b",
		"/kyc/api/":            "api /api/?",
		"/kyc/api/v2":          "v2 /api/v2?",
		"/kyc/api/v2/x%20y":    "v2 /api/v2/x%20y?",
		"/kyc/api/v21":         "api /api/v21?",
		"/kyc/auth/other":      "auth /auth/other?",
		"/kyc/auth/jwt/login":  "", // the dialect's own
		"/kyc/api":             "",
		"/kyc/API/v1":          "",
		"/kyc/api/../x":        "",
		"/kyc/api/%2e%2e/x":    "",
		"/kyc/api//x":          "",
		"/kyc/api/x%2Fy":       "",
		"/kyc/api/x;y":         "",
		"/kyc//api/x":          "",
		"/kyc/api/x%00":        "",
		"/kyc/%61pi/x":         "api /%61pi/x?", // judged as it will be read
		"/api/v1/x":            "",
	} {
		got := s.ask(t, "GET", target, "")
		switch {
		case wanted != "" && got.body != wanted+"\n":
			t.Errorf("%s: got %d %q, want %q", target, got.status, got.body, wanted)
		case wanted == "" && got.status != 404 && got.status != 405:
			t.Errorf("%s: got %d %q, want a refusal", target, got.status, got.body)
		}
	}
}

// Admission is asked before the body, held back, and only where a hash would be paid.
func TestAdmission(t *testing.T) {
	b, d := open(t, "kyc"), open(t, "pagfast")
	d.AccessKey(t, d.Account(t, "partner", nil), "k1")
	b.Busy.Store(true)
	d.Busy.Store(true)
	s := serve(t, mount(b), mount(d))

	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	start := time.Now()
	_, _ = io.WriteString(conn, "POST /auth/jwt/login HTTP/1.1\r\nHost: a\r\n"+formType+"\r\nContent-Length: 50000\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil) // the body is never sent
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != 503 || string(body) != `{"detail":"Service Unavailable"}` || response.Header.Get("Retry-After") != "3" || !response.Close {
		t.Errorf("got %d %v %s, %v", response.StatusCode, response.Header, body, err)
	}
	if took := time.Since(start); took < 450*time.Millisecond || took > 3*time.Second {
		t.Errorf("refused after %v, want it held back for 0.5 s", took)
	}
	if got := s.ask(t, "POST", "/login", fmt.Sprintf(`{"accessKey":"k1","secret":%q}`, webtest.Secret), jsonType); got.status != 201 {
		t.Errorf("an access key needs no hash, but got %d %s", got.status, got.body)
	}
	want(t, "bad method", s.ask(t, "GET", "/auth/jwt/login", ""), 405, `{"detail":"Method Not Allowed"}`)
}

func TestRefusedBodies(t *testing.T) {
	s := serve(t, mount(open(t, "kyc")))
	got := s.ask(t, "POST", "/auth/jwt/login", "username="+strings.Repeat("a", 70_000), formType)
	want(t, "70 kB", got, 413, `{"detail":"Content Too Large"}`)
	if !got.closed {
		t.Error("a connection with unread rest is kept")
	}
	for range 3 {
		if got := s.ask(t, "POST", "/auth/jwt/login", "{", jsonType); got.status != 422 || got.closed {
			t.Errorf("got %d, closed %v", got.status, got.closed)
		}
	}
}

// What a request costs beside net/http, with logging at its default level.
func BenchmarkOperations(b *testing.B) {
	a, d := open(b, "instant-classification"), open(b, "pagfast")
	a.Account(b, "ada", nil)
	d.AccessKey(b, d.Account(b, "partner", nil), "k1")
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	handler := web.Wrap(login.New(login.Options{Mounts: []login.Mount{mount(a), mount(d)}, Log: log}), web.Options{Log: log})
	for _, bench := range []struct {
		name, target, body string
		header             http.Header
		status             int
	}{
		{"bearer check", "/api/v1/login/test-token", "", http.Header{"Authorization": {"Bearer " + a.Token(b, "ada")}}, 200},
		{"key exchange", "/login", fmt.Sprintf(`{"accessKey":"k1","secret":%q}`, webtest.Secret), http.Header{"Content-Type": {"application/json"}}, 201},
	} {
		b.Run(bench.name, func(b *testing.B) {
			body := strings.NewReader(bench.body)
			r := httptest.NewRequest(http.MethodPost, bench.target, nil)
			if bench.body != "" {
				r = httptest.NewRequest(http.MethodPost, bench.target, body)
			}
			r.Header = bench.header
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(bench.body)
				w := httptest.ResponseRecorder{}
				if handler.ServeHTTP(&w, r); w.Code != bench.status {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
