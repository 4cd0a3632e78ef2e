package web_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/web"
)

// tellOrigin answers with what is known of the request's origin.
var tellOrigin = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	origin := web.Origin(r)
	web.Reply(w, http.StatusOK, fmt.Sprint(origin.Address, " ", web.Scheme(r), " ", origin.RequestID))
})

// S60: the socket's address, unless a named proxy says otherwise; read from the right.
func TestClientAddress(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name    string
		trusted []netip.Prefix
		headers []string
		want    string
	}{
		{"no header", networks, nil, "127.0.0.1 http"},
		{"nobody is trusted by default", nil, []string{"X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"}, "127.0.0.1 http"},
		{"a stranger is not trusted", networks[1:], []string{"X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"}, "127.0.0.1 http"},
		{"one hop", networks, []string{"X-Forwarded-For: 192.0.2.9", "X-Forwarded-Proto: https"}, "192.0.2.9 https"},
		{"the client's own claim is left of it", networks, []string{"X-Forwarded-For: 198.51.100.1, 192.0.2.9"}, "192.0.2.9 http"},
		{"trusted hops are passed over", networks, []string{"X-Forwarded-For: 198.51.100.1, 192.0.2.9, 10.1.2.3,10.0.0.7"}, "192.0.2.9 http"},
		{"several lines are one list", networks, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.9", "X-Forwarded-For: 10.0.0.1"}, "192.0.2.9 http"},
		{"all are trusted", networks, []string{"X-Forwarded-For: 10.0.0.1, 10.0.0.2"}, "10.0.0.1 http"},
		{"nonsense ends the reading", networks, []string{"X-Forwarded-For: 198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2 http"},
		{"nonsense at once", networks, []string{"X-Forwarded-For: 198.51.100.1, "}, "127.0.0.1 http"},
		{"with ports", networks, []string{"X-Forwarded-For: 192.0.2.9:4711"}, "192.0.2.9 http"},
		{"IPv6", networks, []string{"X-Forwarded-For: 2001:db8::1, [fd00::1]:80, [fd00::2]"}, "2001:db8::1 http"},
		{"IPv4 in IPv6 is IPv4", networks, []string{"X-Forwarded-For: ::ffff:192.0.2.9, ::ffff:10.0.0.1"}, "192.0.2.9 http"},
		{"another case", networks, []string{"x-forwarded-FOR: 192.0.2.9"}, "192.0.2.9 http"},
		{"other headers are not read", networks, []string{"X-Real-IP: 192.0.2.9", "Forwarded: for=192.0.2.9", "X-Forwarded: 192.0.2.9"}, "127.0.0.1 http"},
		{"a scheme that is none", networks, []string{"X-Forwarded-Proto: gopher"}, "127.0.0.1 http"},
		{"two schemes", networks, []string{"X-Forwarded-Proto: http", "X-Forwarded-Proto: https"}, "127.0.0.1 http"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tellOrigin, web.Options{TrustedProxies: tt.trusted}, web.ServeOptions{})
			if got := s.ask(t, get("/", tt.headers...)); !strings.HasPrefix(got.body, tt.want+" ") {
				t.Errorf("got %q, want %q", got.body, tt.want)
			}
		})
	}
}

// Behind a proxy that is not named, all clients are one to the throttle: the log says
// so once, and tells nothing of the headers.
func TestWarningOfAProxy(t *testing.T) {
	const warning = "requests come through a proxy that is not trusted: all its clients share one throttle; name it in trusted_proxies"
	near := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		name   string
		from   string
		header string
		change func(*web.Options)
		want   int
	}{
		{"loopback", "127.0.0.1:1", "X-Forwarded-For", nil, 1},
		{"private", "10.1.2.3:1", "X-Forwarded-For", nil, 1},
		{"private IPv6", "[fd00::1]:1", "Forwarded", nil, 1},
		{"IPv4 in IPv6", "[::ffff:192.168.0.1]:1", "Forwarded", nil, 1},
		{"another proxy is trusted", "192.168.0.1:1", "X-Forwarded-For", func(o *web.Options) { o.TrustedProxies = near }, 1},
		{"it is trusted", "10.1.2.3:1", "X-Forwarded-For", func(o *web.Options) { o.TrustedProxies = near }, 0},
		{"a client from afar", "192.0.2.1:1", "X-Forwarded-For", nil, 0},
		{"another header", "127.0.0.1:1", "X-Forwarded-Host", nil, 0},
		{"nothing is throttled there", "127.0.0.1:1", "X-Forwarded-For", func(o *web.Options) { o.WarnOfProxy = false }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log journal
			options := web.Options{WarnOfProxy: true, Log: log.logger()}
			if tt.change != nil {
				tt.change(&options)
			}
			handler := web.Wrap(tellOrigin, options)
			for range 3 {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.RemoteAddr = tt.from
				r.Header.Set(tt.header, "c4n4ry")
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
			lines := log.lines(t, warning)
			if len(lines) != tt.want || strings.Contains(log.String(), "c4n4ry") {
				t.Fatalf("%d warnings, want %d and nothing of the header:\n%s", len(lines), tt.want, log.String())
			}
			if peer := netip.MustParseAddrPort(tt.from).Addr().Unmap().String(); tt.want > 0 && (lines[0]["level"] != "WARN" || lines[0]["proxy"] != peer) {
				t.Errorf("warning %v, want it at WARN with proxy %s", lines[0], peer)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, tt := range []struct {
		name    string
		trusted []netip.Prefix
		headers []string
		kept    bool
	}{
		{"a trusted proxy's", trusted, []string{"X-Request-Id: abc-DEF_1.2"}, true},
		{"a client's", nil, []string{"X-Request-Id: abc-DEF_1.2"}, false},
		{"64 characters", trusted, []string{"X-Request-Id: " + strings.Repeat("a", 64)}, true},
		{"65 characters", trusted, []string{"X-Request-Id: " + strings.Repeat("a", 65)}, false},
		{"with a quote", trusted, []string{`X-Request-Id: a"b`}, false},
		{"with a blank", trusted, []string{"X-Request-Id: a b"}, false},
		{"empty", trusted, []string{"X-Request-Id:"}, false},
		{"doubled", trusted, []string{"X-Request-Id: a", "X-Request-Id: b"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tellOrigin, web.Options{TrustedProxies: tt.trusted, EchoRequestID: tt.kept}, web.ServeOptions{})
			got := s.ask(t, get("/", tt.headers...))
			id := strings.Fields(got.body)[2]
			_, sent, _ := strings.Cut(tt.headers[0], ": ")
			if (id == sent) != tt.kept || len(id) == 0 || len(id) > 64 {
				t.Errorf("id %q, sent %q: kept %v, want %v", id, sent, id == sent, tt.kept)
			}
			want := ""
			if tt.kept {
				want = id
			}
			if echo := got.Header.Get("X-Request-Id"); echo != want {
				t.Errorf("reply has X-Request-Id %q, want %q", echo, want)
			}
		})
	}
	s := serve(t, tellOrigin, web.Options{}, web.ServeOptions{})
	if a, b := s.ask(t, get("/")).body, s.ask(t, get("/")).body; a == b {
		t.Errorf("two requests have the id %q", a)
	}
}

// S76, S77: one line of JSON per request, and nothing in it that a client wrote.
func TestAccessLog(t *testing.T) {
	const canary = "c4n4ry"
	var seen []web.Record
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := web.Note(r)
		note.Dialect, note.Realm, note.Operation = "kyc", "demo", "authenticate"
		note.Route, note.Outcome = "/recover/{email}", core.BadSecret
		web.Reply(w, http.StatusBadRequest, "no")
	}), web.Options{Observe: func(record web.Record) { seen = append(seen, record) }}, web.ServeOptions{})
	requests := []string{
		get("/recover/"+canary+"@example.com?token="+canary, "Authorization: Bearer "+canary, "User-Agent: "+canary, "Referer: "+canary, "Cookie: a="+canary, "X-Request-Id: "+canary),
		get("/%0a{\"msg\":\"request\"}"+canary, "X-Forwarded-For: "+canary),
		get("/\"\\" + canary + "\xff\u2028"),
		strings.Replace(get("/"), "GET", "CANARY"+strings.ToUpper(canary), 1),
		strings.Replace(get("/"), "a.example", canary+".example", 1),
		get("/" + strings.Repeat(canary, 2000)),
		"POST /" + canary + " HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n" + canary,
	}
	for _, request := range requests {
		s.ask(t, request)
	}
	s.stop()
	<-s.ended // by now every line is written
	lines := s.lines(t, "request")
	if len(lines) != len(requests) || len(seen) != len(requests) {
		t.Fatalf("%d lines and %d records for %d requests:\n%s", len(lines), len(seen), len(requests), s)
	}
	if log := strings.ToLower(s.String()); strings.Contains(log, canary) {
		t.Errorf("the log holds what a client sent:\n%s", s)
	}
	for i, line := range lines {
		if line["request_id"] == "" || line["address"] != "127.0.0.1" || line["level"] != "INFO" {
			t.Errorf("line %v", line)
		}
		if i != 5 && (line["route"] != "/recover/{email}" || line["status"] != 400.0 || line["outcome"] != "bad_secret" || line["dialect"] != "kyc" || line["bytes"] != 3.0) {
			t.Errorf("line %v", line)
		}
	}
	if lines[5]["status"] != 414.0 || lines[3]["method"] != "other" || lines[6]["method"] != "POST" {
		t.Errorf("status %v, methods %v, %v", lines[5]["status"], lines[3]["method"], lines[6]["method"])
	}
	if first := seen[0]; first.Operation != "authenticate" || first.Outcome != core.BadSecret || first.Status != 400 || first.Bytes != 3 || first.Duration <= 0 {
		t.Errorf("record %+v", first)
	}
}

// R24, S76: a panic is one failed request and one line, without what caused it.
func TestPanics(t *testing.T) {
	const canary = "c4n4ry"
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		told    string // in the log; "" for the type alone
		broken  bool   // the reply breaks off
	}{
		{"text", func(http.ResponseWriter, *http.Request) { panic("password " + canary) }, "a value of type string", false},
		{"error", func(http.ResponseWriter, *http.Request) { panic(errors.New(canary)) }, "a value of type *errors.errorString", false},
		{"runtime error", func(_ http.ResponseWriter, r *http.Request) { _ = r.Header["None"][len(r.Header)] }, "runtime error: index out of range", false},
		{"after the reply began", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(canary)
		}, "a value of type string", true},
		{"deliberate abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int64
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) == 1 {
					tt.handler(w, r)
				}
			}), web.Options{}, web.ServeOptions{})
			conn := s.dial(t)
			_, _ = io.WriteString(conn, get("/"+canary))
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				defer func() { _ = response.Body.Close() }()
				_, err = io.ReadAll(response.Body)
			}
			if (err != nil) != tt.broken || (!tt.broken && response.StatusCode != http.StatusInternalServerError) {
				t.Errorf("reply %v, error %v; want it broken: %v", response, err, tt.broken)
			}
			if got := s.ask(t, get("/")); got.StatusCode != http.StatusOK {
				t.Errorf("the next request got %d", got.StatusCode)
			}
			s.stop()
			<-s.ended
			panics := s.lines(t, "panic")
			if tt.told == "" {
				if len(panics) != 0 {
					t.Errorf("an abort was logged: %v", panics)
				}
			} else if len(panics) != 1 || !strings.HasPrefix(panics[0]["panic"].(string), tt.told) || !strings.Contains(panics[0]["stack"].(string), "wrap_test.go") || panics[0]["request_id"] == "" {
				t.Errorf("lines %v, want one that tells %q", panics, tt.told)
			}
			if strings.Contains(s.String(), canary) {
				t.Errorf("the log holds what a client sent:\n%s", s)
			}
			if len(s.lines(t, "request")) != 2 {
				t.Errorf("want one access line for each request:\n%s", s)
			}
		})
	}
}

// A surface words its panics itself, once.
func TestRecover(t *testing.T) {
	for _, begun := range []bool{false, true} {
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer web.Recover(r, func(err error) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = fmt.Fprintf(w, "{%q}", core.KindOf(err))
			})
			w.Header().Set("X-Half-Done", "yes")
			if begun {
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
			}
			panic("no")
		}), web.Options{}, web.ServeOptions{})
		conn := s.dial(t)
		_, _ = io.WriteString(conn, get("/"))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		switch {
		case begun && err == nil:
			t.Errorf("the reply was begun, but does not break off: %q", body)
		case !begun && (response.StatusCode != 500 || string(body) != `{"internal"}` || response.Header.Get("X-Half-Done") != ""):
			t.Errorf("got %d %v %q", response.StatusCode, response.Header, body)
		}
		s.stop()
		<-s.ended
		if lines := s.lines(t, "request"); len(s.lines(t, "panic")) != 1 || len(lines) != 1 || lines[0]["outcome"] != "internal" {
			t.Errorf("want one panic and one request:\n%s", s)
		}
	}
}

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		err     error
		level   string // of the line; "" for none
		outcome string
	}{
		{errors.New("the disk is gone"), "ERROR", "internal"},
		{&core.Error{Kind: core.Unavailable, Err: errors.New("the disk is full")}, "WARN", "unavailable"},
		{&core.Error{Kind: core.BadSecret}, "", "bad_secret"},
	} {
		s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.Report(r, slog.New(slog.NewJSONHandler(w, nil)), tt.err)
		}), web.Options{}, web.ServeOptions{})
		body := s.ask(t, get("/")).body
		if (tt.level == "") != (body == "") || !strings.Contains(body, tt.level) || (tt.level != "" && !strings.Contains(body, "the disk is")) {
			t.Errorf("%v: logged %q, want level %q", tt.err, body, tt.level)
		}
		s.stop()
		<-s.ended
		if lines := s.lines(t, "request"); len(lines) != 1 || lines[0]["outcome"] != tt.outcome {
			t.Errorf("%v: access line %v", tt.err, lines)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"short", "short"},
		{strings.Repeat("a", 1024), strings.Repeat("a", 1024)},
		{strings.Repeat("a", 1025), strings.Repeat("a", 1021) + "…"},
		{strings.Repeat("é", 600), strings.Repeat("é", 510) + "…"},
	} {
		if got := web.Cut(tt.text); got != tt.want {
			t.Errorf("Cut(%d bytes) = %q", len(tt.text), got)
		}
	}
}

func TestErrorLog(t *testing.T) {
	var j journal
	log := web.ErrorLog(j.logger())
	for _, line := range []string{
		"http: TLS handshake error from 192.0.2.1:5: tls: client offered only unsupported versions: c4n4ry",
		"http: Accept error: accept tcp [::]:80: accept4: too many open files; retrying in 5ms",
		"http: superfluous response.WriteHeader call from c4n4ry",
		"http: invalid Content-Length of \"c4n4ry\"\nsecond line",
	} {
		log.Print(line)
	}
	var levels []string
	for line := range strings.Lines(j.String()) {
		level, _, _ := strings.Cut(line[strings.Index(line, `"level":"`)+9:], `"`)
		levels = append(levels, level)
	}
	if got := strings.Join(levels, " "); got != "DEBUG WARN DEBUG DEBUG" || strings.Contains(j.String(), "c4n4ry") || !strings.Contains(j.String(), "too many open files") {
		t.Errorf("levels %s:\n%s", got, &j)
	}
}

func BenchmarkWrap(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, bench := range []struct {
		name    string
		handler http.Handler
	}{
		{"bare", handler},
		{"wrapped, logged", web.Wrap(handler, web.Options{Log: slog.New(slog.NewJSONHandler(io.Discard, nil))})},
		{"wrapped, not logged", web.Wrap(handler, web.Options{Log: slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelWarn}))})},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				bench.handler.ServeHTTP(w, r)
			}
		})
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// A bearer check that passes is one of very many: the access log has it at debug
// alone, and a refused one at info.
func TestRoutineSuccessIsLoggedAtDebug(t *testing.T) {
	for _, tt := range []struct {
		name    string
		routine bool
		outcome core.Kind
		want    int
	}{
		{"a check that passes", true, "", 0},
		{"a check that is refused", true, core.TokenExpired, 1},
		{"a login", false, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var lines bytes.Buffer
			h := web.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				note := web.Note(r)
				note.Routine, note.Outcome = tt.routine, tt.outcome
				w.WriteHeader(http.StatusOK)
			}), web.Options{Log: slog.New(slog.NewJSONHandler(&lines, nil))})
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			if got := strings.Count(lines.String(), "\n"); got != tt.want {
				t.Errorf("%d lines at info, want %d: %s", got, tt.want, lines.String())
			}
		})
	}
}
