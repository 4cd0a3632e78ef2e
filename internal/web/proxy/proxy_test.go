package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/store/memory"
	"github.com/chancery-auth/chancery/internal/web"
	"github.com/chancery-auth/chancery/internal/web/proxy"
	"github.com/chancery-auth/chancery/internal/web/webtest"
)

// A world is a proxy with an API behind it.
type world struct {
	*webtest.World
	front    *httptest.Server
	token    string // of ada
	upstream string
	took     atomic.Int64

	mu  sync.Mutex
	log bytes.Buffer
}

func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.front.Close() // every line is written by then
	return w.text()
}

func (w *world) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func open(t testing.TB, api http.HandlerFunc) *world {
	t.Helper()
	source, err := dialects.Files.ReadFile("kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{World: webtest.New(t, memory.New(), "kyc.yaml", source, nil)}
	w.Account(t, "ada@example.com", func(s *core.AccountSpec) { s.Roles = []string{"trader"}; s.ID = "ada-id" })
	w.token = w.Token(t, "ada@example.com")
	behind := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.took.Add(1); api(rw, r) }))
	t.Cleanup(behind.Close)
	w.upstream = behind.URL + "/base"
	w.serve(t, w.upstream)
	return w
}

func (w *world) serve(t testing.TB, upstream string) {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := proxy.New(proxy.Options{Upstream: target, Dialect: w.Dialect, Authority: w.Authority, Log: log})
	w.front = httptest.NewServer(web.Wrap(h, web.Options{Log: log}))
	t.Cleanup(w.front.Close)
}

func (w *world) dial(t *testing.T, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", w.front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// ask sends text and reads the reply.
func (w *world) ask(t *testing.T, text string) (*http.Response, string) {
	t.Helper()
	_, from := w.dial(t, text)
	method, _, _ := strings.Cut(text, " ")
	response, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// with is a request with ada's token.
func (w *world) with(line string, headers ...string) string {
	return request(line, append(headers, "Authorization: Bearer "+w.token)...)
}

func request(line string, headers ...string) string {
	return line + " HTTP/1.1\r\nHost: api.example\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

// tell answers with the request as the API sees it.
func tell(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.Header().Set("X-Api", "yes")
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintln(w, r.Method, r.RequestURI, string(body), err)
	var lines []string
	for name, values := range r.Header {
		lines = append(lines, fmt.Sprintf("%s=%q", name, values))
	}
	slices.Sort(lines)
	_, _ = io.WriteString(w, strings.Join(lines, "\n"))
}

func TestPassesOn(t *testing.T) {
	w := open(t, tell)
	for _, tt := range []struct{ line, seen string }{
		{"GET /api/v1/resource", "GET /base/api/v1/resource"},
		{"DELETE /a%20b/%c3%A9?x=1&y=%zz;z&&q", "DELETE /base/a%20b/%c3%A9?x=1&y=%zz;z&&q"},
		{"PATCH /", "PATCH /base/"},
		{"PURGE /x/", "PURGE /base/x/"},
	} {
		response, body := w.ask(t, w.with(tt.line))
		if response.StatusCode != http.StatusAccepted || response.Header.Get("X-Api") != "yes" || !strings.HasPrefix(body, tt.seen+" ") {
			t.Errorf("%s: got %d %v %s", tt.line, response.StatusCode, response.Header, body)
		}
	}
	_, body := w.ask(t, w.with("POST /x", "Content-Length: 5", "X-Api-Version: 3", "User-Agent: ua", "Cookie: a=b")+"hello")
	for _, wanted := range []string{
		"POST /base/x hello <nil>", `Authorization=["Bearer ` + w.token + `"]`, `X-Api-Version=["3"]`, `User-Agent=["ua"]`, `Cookie=["a=b"]`,
		`X-Auth-Request-User=["ada-id"]`, `X-Auth-Request-Email=["ada@example.com"]`, `X-Auth-Request-Groups=["trader"]`,
		`X-Forwarded-For=["127.0.0.1"]`, `X-Forwarded-Host=["api.example"]`, `X-Forwarded-Proto=["http"]`, `X-Request-Id=`,
	} {
		if !strings.Contains(body, wanted) {
			t.Errorf("the API lacks %s:\n%s", wanted, body)
		}
	}
	if _, body := w.ask(t, w.with("POST /x", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n"); !strings.Contains(body, "/base/x abc <nil>") {
		t.Errorf("chunked: %s", body)
	}
	if response, body := w.ask(t, w.with("HEAD /x")); response.StatusCode != http.StatusAccepted || body != "" {
		t.Errorf("HEAD: %d %q", response.StatusCode, body)
	}
}

// S64: no spelling of a client's own identity reaches the API.
func TestIdentityCannotBeForged(t *testing.T) {
	w := open(t, tell)
	for _, forged := range []string{
		"X-Auth-Request-User: root", "x-auth-request-user: root", "X_Auth_Request_User: root", "X-Auth_Request-User: root", "x_auth_request_groups: root",
		"X-Auth-Request-User: ada-id\r\nX-Auth-Request-User: root", "X-Auth-Request-Preferred-Username: root", "Remote-User: root", "REMOTE_USER: root", "remote-groups: root",
		"X-Forwarded-User: root", "X-Forwarded-For: 6.6.6.6, root", "x_forwarded_for: root", "X-Forwarded-Host: root", "X-Forwarded-Proto: root", "X-Forwarded-Prefix: root",
		"Forwarded: for=root", "X-Real-IP: root", "X-Request-Id: root",
		"Connection: X-Auth-Request-User, X-Forwarded-For\r\nX-Auth-Request-User: root", "Connection: close, X-Auth-Request-Groups, authorization",
		"Te: trailers\r\nTrailer: X-Auth-Request-User",
	} {
		response, body := w.ask(t, w.with("GET /", strings.Split(forged, "\r\n")...))
		if response.StatusCode != http.StatusAccepted || strings.Contains(body, "root") || !strings.Contains(body, `X-Auth-Request-User=["ada-id"]`) || !strings.Contains(body, `X-Auth-Request-Groups=["trader"]`) {
			t.Errorf("%q: got %d, the API sees\n%s", forged, response.StatusCode, body)
		}
	}
}

// Refusals are in the dialect's words, and never reach the API.
func TestRefuses(t *testing.T) {
	w := open(t, tell)
	for name, text := range map[string]string{
		"no token":          request("GET /"),
		"bad token":         request("GET /", "Authorization: Bearer x"),
		"two tokens":        w.with("GET /", "Authorization: Bearer x"),
		"with a large body": request("POST /", "Content-Length: 1000000000"),
		"upgrade":           request("GET /", "Connection: Upgrade", "Upgrade: websocket"),
	} {
		response, body := w.ask(t, text)
		if response.StatusCode != 401 || body != `{"detail":"Unauthorized"}` || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %d %s", name, response.StatusCode, body)
		}
	}
	panics := func() error { panic("no") }
	w.Fault.Store(&panics)
	if response, body := w.ask(t, w.with("GET /")); response.StatusCode != 500 || body != `{"detail":"Internal Server Error"}` {
		t.Errorf("panic: got %d %s", response.StatusCode, body)
	}
	away := func() error { return &core.Error{Kind: core.Unavailable, Err: errors.New("no")} }
	w.Fault.Store(&away)
	if response, body := w.ask(t, w.with("GET /")); response.StatusCode != 503 || body != `{"detail":"Service Unavailable"}` || response.Header.Get("Retry-After") == "" {
		t.Errorf("store away: got %d %v %s", response.StatusCode, response.Header, body)
	}
	if n := w.took.Load(); n != 0 {
		t.Errorf("%d requests reached the API", n)
	}
}

// An API that fails is told as unavailable; the log says why without what was sent.
func TestUpstreamFails(t *testing.T) {
	const canary = "c4n4ry"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + closed.Addr().String()
	_ = closed.Close()
	rude := func(reply string) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = bufio.NewReader(conn).ReadString('\n')
				_, _ = io.WriteString(conn, reply)
				_ = conn.Close()
			}
		}()
		return "http://" + listener.Addr().String()
	}
	for _, tt := range []struct{ name, upstream, logged string }{
		{"nobody listens", gone, "connection refused"},
		{"it hangs up", rude(""), "upstream"},
		{"it speaks another language", rude(canary + " " + canary + "\r\n\r\n"), "no reply that could be understood"},
		{"its headers have no end", rude("HTTP/1.1 200 OK\r\nX: " + strings.Repeat(canary, 20_000)), "no reply that could be understood"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t, tell)
			w.front.Close()
			w.serve(t, tt.upstream)
			response, body := w.ask(t, w.with("GET /"+canary+"?"+canary, "X-Canary: "+canary))
			if response.StatusCode != 503 || body != `{"detail":"Service Unavailable"}` || response.Header.Get("Retry-After") == "" {
				t.Errorf("got %d %v %s", response.StatusCode, response.Header, body)
			}
			log := w.logged()
			if !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, tt.logged) || strings.Contains(log, canary) || strings.Contains(log, w.token) {
				t.Errorf("log, want %q in it:\n%s", tt.logged, log)
			}
		})
	}
}

func TestRepliesPassAsTheyAre(t *testing.T) {
	w := open(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/base/redirect":
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		case "/base/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "as it is")
		case "/base/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		default:
			http.Error(w, "I'm a teapot", http.StatusTeapot)
		}
	})
	if response, _ := w.ask(t, w.with("GET /redirect")); response.StatusCode != http.StatusFound || response.Header.Get("Location") != "https://elsewhere.example/" {
		t.Errorf("redirect: %d %v", response.StatusCode, response.Header)
	}
	if response, body := w.ask(t, w.with("GET /gzip")); response.Header.Get("Content-Encoding") != "gzip" || body != "as it is" {
		t.Errorf("gzip: %v %q", response.Header, body)
	}
	if response, body := w.ask(t, w.with("GET /")); response.StatusCode != http.StatusTeapot || body != "I'm a teapot\n" {
		t.Errorf("teapot: %d %q", response.StatusCode, body)
	}
	_, from := w.dial(t, w.with("GET /half"))
	response, err := http.ReadResponse(from, nil)
	if err == nil { // its beginning may be lost as well
		var body []byte
		body, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil {
			t.Errorf("half a reply reads as a whole one: %d %q", response.StatusCode, body)
		}
	}
	if log := w.logged(); strings.Contains(log, `"msg":"panic"`) {
		t.Errorf("a reply that broke off is told as a panic:\n%s", log)
	}
}

// Bodies are passed on as they come, in both directions, without an end in sight.
func TestStreams(t *testing.T) {
	w := open(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		_ = rc.Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintf(w, "%s again\n", lines.Text())
			_ = rc.Flush()
		}
	})
	conn, from := w.dial(t, w.with("POST /", "Transfer-Encoding: chunked")+"4\r\none\n\r\n")
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewReader(response.Body)
	for i, next := range []string{"two", "six", ""} {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.HasSuffix(line, " again\n") {
			t.Fatalf("line %d: %q, %v", i, line, err)
		}
		if next != "" {
			_, _ = io.WriteString(conn, "4\r\n"+next+"\n\r\n")
		}
	}
	_, _ = io.WriteString(conn, "0\r\n\r\n")
	if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
		t.Errorf("the end: %q, %v", rest, err)
	}
}

// An API that refuses an upload in its middle is heard at once.
func TestEarlyReply(t *testing.T) {
	w := open(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "enough", http.StatusRequestEntityTooLarge)
	})
	start := time.Now()
	conn, from := w.dial(t, w.with("POST /", "Content-Length: 100000000"))
	go func() {
		piece := bytes.Repeat([]byte("x"), 1<<10)
		for {
			if _, err := conn.Write(piece); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge && response.StatusCode != http.StatusServiceUnavailable || time.Since(start) > 3*time.Second {
		t.Errorf("got %d after %v", response.StatusCode, time.Since(start))
	}
}

func TestUpgrade(t *testing.T) {
	w := open(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(conn, "echo "+line)
	})
	conn, from := w.dial(t, w.with("GET /", "Connection: Upgrade", "Upgrade: echo"))
	response, err := http.ReadResponse(from, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v", response, err)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if line, err := from.ReadString('\n'); err != nil || line != "echo hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
	_ = conn.Close()
	for end := time.Now().Add(3 * time.Second); !strings.Contains(w.text(), `"status":101`); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("log:\n%s", w.text())
		}
	}
}

func TestClientGoesAway(t *testing.T) {
	ended := make(chan struct{})
	w := open(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); close(ended) })
	conn, _ := w.dial(t, w.with("GET /"))
	for w.took.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	_ = conn.Close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the API works on for nobody")
	}
	if log := w.logged(); strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
		t.Errorf("a client that went away is told as a failure:\n%s", log)
	}
}

func BenchmarkProxy(b *testing.B) {
	w := open(b, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	client := &http.Client{}
	for b.Loop() {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.front.URL, nil)
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+w.token)
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		_ = response.Body.Close()
	}
}

// TestCORS leaves the upstream's word for browsers alone, unless this server gives its own.
func TestCORS(t *testing.T) {
	for _, ours := range []bool{false, true} {
		w := open(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("access-control-allow-origin", "*")
			rw.Header().Set("X-Total", "3")
		})
		target, err := url.Parse(w.upstream)
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+w.token)
		log := slog.New(slog.DiscardHandler)
		web.Wrap(proxy.New(proxy.Options{Upstream: target, Dialect: w.Dialect, Authority: w.Authority, CORS: ours, Log: log}), web.Options{Log: log}).ServeHTTP(rec, r)
		if said := rec.Header().Get("Access-Control-Allow-Origin") != ""; rec.Code != http.StatusOK || said == ours || rec.Header().Get("X-Total") != "3" {
			t.Errorf("CORS %t: %d %v", ours, rec.Code, rec.Header())
		}
	}
}
