package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/internal/web"
)

// A journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines decodes what was logged; each line must be one JSON object.
func (j *journal) lines(t *testing.T, message string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(j.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("log line %q: %v", line, err)
			continue
		}
		if fields["msg"] == message {
			lines = append(lines, fields)
		}
	}
	return lines
}

// counting counts the bytes that its connections' clients got rid of.
type counting struct {
	net.Listener
	taken atomic.Int64
}

func (l *counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &countingConn{conn, &l.taken}, err
}

type countingConn struct {
	net.Conn
	taken *atomic.Int64
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.taken.Add(int64(n))
	return n, err
}

// A server is a running one with everything round handler.
type server struct {
	journal
	listener *counting
	address  string
	stop     context.CancelFunc
	ended    chan error
}

func serve(t *testing.T, handler http.Handler, wrap web.Options, options web.ServeOptions) *server {
	t.Helper()
	listener, err := web.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listener: &counting{Listener: listener}, address: listener.Addr().String(), ended: make(chan error, 1)}
	wrap.Log, options.Log = s.logger(), s.logger()
	options.Listener, options.Handler = s.listener, web.Wrap(handler, wrap)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.ended <- web.Serve(ctx, options); close(s.ended) }()
	t.Cleanup(func() { stop(); <-s.ended })
	return s
}

func (s *server) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// A reply is one answer, read to its end.
type reply struct {
	*http.Response
	body string
}

func readReply(t *testing.T, from *bufio.Reader, method string) reply {
	t.Helper()
	response, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no reply: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reply %d breaks off: %v", response.StatusCode, err)
	}
	return reply{response, string(body)}
}

// ask sends text on a connection of its own.
func (s *server) ask(t *testing.T, text string) reply {
	t.Helper()
	conn := s.dial(t)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	return readReply(t, bufio.NewReader(conn), method)
}

func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a.example\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

// wantEnd wants the connection's end within limit.
func wantEnd(t *testing.T, conn net.Conn, from io.Reader, limit time.Duration) {
	t.Helper()
	start := time.Now()
	if err := conn.SetReadDeadline(start.Add(limit)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, from); err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of the connection itself
			t.Errorf("the connection is still open after %v", limit)
		}
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
