package web_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/internal/web"
)

const bodyLimit = 64 << 10

// readBody stands for a login: it reads at most 64 KiB and says what came of it.
var readBody = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		web.Reply(w, http.StatusBadRequest, "too slow")
	case err != nil:
		web.Reply(w, http.StatusBadRequest, "malformed")
	case len(body) > bodyLimit:
		web.Reply(w, http.StatusRequestEntityTooLarge, "too large")
	default:
		web.Reply(w, http.StatusOK, fmt.Sprint(len(body)))
	}
})

// refuseAll answers before it reads any body.
var refuseAll = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	web.Reply(w, http.StatusServiceUnavailable, "busy")
})

var short = web.Timeouts{Header: 300 * time.Millisecond, Body: 300 * time.Millisecond, Write: 2 * time.Second, Idle: 300 * time.Millisecond}

// R15 in short: what trickles in is cut, and others are served meanwhile.
func TestSlowClientsAreCut(t *testing.T) {
	s := serve(t, readBody, web.Options{}, web.ServeOptions{Timeouts: short})
	for _, tt := range []struct{ name, first, drip string }{
		{"headers", "POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ", "x"},
		{"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", "x"},
		{"chunked body", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, start := s.dial(t), time.Now()
			_, _ = io.WriteString(conn, tt.first)
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(50 * time.Millisecond):
						_, _ = io.WriteString(conn, tt.drip) // fails once the server has had enough
					}
				}
			}()
			wantEnd(t, conn, conn, 10*time.Second)
			// Body limit, the drain's half second and the linger that spares the client a reset.
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("cut after %v, want 0.3 s and 1 s of manners, and allow for a busy machine", took)
			}
			if got := s.ask(t, get("/")); got.StatusCode != http.StatusOK {
				t.Errorf("beside it a request got %d", got.StatusCode)
			}
		})
	}
}

// A body that comes late, yet in time, leaves the work after it its whole time.
func TestWorkAfterASlowBody(t *testing.T) {
	gone := make(chan error, 1)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(700 * time.Millisecond): // past header and body limits together
		}
		gone <- r.Context().Err()
		web.Reply(w, http.StatusOK, "done")
	}), web.Options{}, web.ServeOptions{Timeouts: web.Timeouts{Header: 200 * time.Millisecond, Body: 1300 * time.Millisecond, Write: 2 * time.Second}})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
	time.Sleep(1100 * time.Millisecond)
	_, _ = io.WriteString(conn, "x")
	if got := readReply(t, bufio.NewReader(conn), "POST"); got.StatusCode != http.StatusOK || got.Close {
		t.Errorf("got %d, closed %v", got.StatusCode, got.Close)
	}
	if err := <-gone; err != nil {
		t.Errorf("the handler's context ended: %v", err)
	}
}

// S50, R16 in short: an endless body is refused after its limit and little more,
// which is counted where the server takes it from the kernel.
func TestEndlessBodies(t *testing.T) {
	const buffers = 8 << 10 // net/http's own, and the headers
	for _, tt := range []struct {
		name    string
		handler http.Handler
		head    string
		chunked bool
		status  int
		most    int64
	}{
		{"of a known length", readBody, "Content-Length: 1073741824", false, 413, bodyLimit + 4<<10 + buffers},
		{"in chunks", readBody, "Transfer-Encoding: chunked", true, 413, bodyLimit + 4<<10 + buffers},
		{"refused unread", refuseAll, "Content-Length: 1073741824", false, 503, buffers},
		{"refused unread, in chunks", refuseAll, "Transfer-Encoding: chunked", true, 503, 4<<10 + buffers},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.handler, web.Options{}, web.ServeOptions{})
			conn := s.dial(t)
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\n"+tt.head+"\r\n\r\n")
			go func() {
				piece := strings.Repeat("x", 1<<10)
				if tt.chunked {
					piece = "400\r\n" + piece + "\r\n"
				}
				for {
					if _, err := io.WriteString(conn, piece); err != nil {
						return
					}
				}
			}()
			got := readReply(t, bufio.NewReader(conn), "POST")
			if got.StatusCode != tt.status || !got.Close {
				t.Errorf("got %d, Connection: close %v; want %d, true", got.StatusCode, got.Close, tt.status)
			}
			wantEnd(t, conn, conn, 5*time.Second)
			if taken := s.listener.taken.Load(); taken > tt.most {
				t.Errorf("%d bytes were taken, want at most %d", taken, tt.most)
			}
		})
	}
}

// A refusal reaches even a client that first sends all it has.
func TestRefusalIsNotLost(t *testing.T) {
	s := serve(t, readBody, web.Options{}, web.ServeOptions{})
	for range 20 {
		conn := s.dial(t)
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n"+strings.Repeat("x", 100_000)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // the reply is on its way
		if _, err := io.WriteString(conn, strings.Repeat("x", 100_000)); err != nil {
			t.Fatalf("the rest cannot be sent: %v", err)
		}
		if got := readReply(t, bufio.NewReader(conn), "POST"); got.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d", got.StatusCode)
		}
	}
}

// A connection outlives a refusal when the body is small, and only then.
func TestKeepAliveAfterARefusal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.Handler
		request string
		status  int
		kept    bool
	}{
		{"small unread body", refuseAll, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 503, true},
		{"small unread body in chunks", refuseAll, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 503, true},
		{"unread body of 4 KiB", refuseAll, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n" + strings.Repeat("x", 4096), 503, true},
		{"larger unread body", refuseAll, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n" + strings.Repeat("x", 4097), 503, false},
		{"announced, never sent", refuseAll, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 503, false},
		{"waiting for 100-continue", refuseAll, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 503, false},
		{"body read whole", readBody, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 200, true},
		{"chunks read whole", readBody, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, true},
		{"just over the limit", readBody, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("x", 65537), 413, true},
		{"malformed chunks", readBody, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, false},
		{"no body", refuseAll, get("/"), 503, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.handler, web.Options{}, web.ServeOptions{})
			conn := s.dial(t)
			_, _ = io.WriteString(conn, tt.request)
			from := bufio.NewReader(conn)
			got := readReply(t, from, "POST")
			if got.StatusCode != tt.status || got.Close == tt.kept {
				t.Errorf("got %d, Connection: close %v; want %d, %v", got.StatusCode, got.Close, tt.status, !tt.kept)
			}
			if !tt.kept {
				wantEnd(t, conn, from, 3*time.Second)
				return
			}
			_, _ = io.WriteString(conn, get("/"))
			if again := readReply(t, from, "GET"); again.Close {
				t.Errorf("the second request got %d and a close", again.StatusCode)
			}
		})
	}
}

func TestSizeLimits(t *testing.T) {
	s := serve(t, readBody, web.Options{}, web.ServeOptions{})
	for _, tt := range []struct {
		name, request string
		status        int
	}{
		{"URL of 8 KiB", get("/" + strings.Repeat("a", web.MaxURL-1)), 200},
		{"longer URL", get("/" + strings.Repeat("a", web.MaxURL)), 414},
		{"longer query", get("/?" + strings.Repeat("a", web.MaxURL)), 414},
		{"15 KiB of headers", get("/", "X-Long: "+strings.Repeat("a", 15<<10)), 200},
		{"21 KiB of headers", get("/", "X-Long: "+strings.Repeat("a", 21<<10)), 431},
		{"2,000 headers", get("/", strings.Repeat("X-Many: aaaaa\r\n", 2000)+"X: y"), 431},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := s.dial(t)
			_, _ = io.WriteString(conn, tt.request)
			got, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = got.Body.Close() }() // net/http's own 431 may end in a reset
			if got.StatusCode != tt.status {
				t.Errorf("got %d, want %d", got.StatusCode, tt.status)
			}
			if tt.status == 414 && (got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Content-Type") == "") {
				t.Errorf("headers %v: want a type and nosniff", got.Header)
			}
		})
	}
}

func TestHead(t *testing.T) {
	s := serve(t, readBody, web.Options{}, web.ServeOptions{})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, strings.Replace(get("/"), "GET", "HEAD", 1)+get("/"))
	from := bufio.NewReader(conn)
	head := readReply(t, from, "HEAD")
	if full := readReply(t, from, "GET"); head.body != "" || head.ContentLength != full.ContentLength {
		t.Errorf("HEAD has body %q and length %d, GET %d", head.body, head.ContentLength, full.ContentLength)
	}
}

// An unhurried request outlives every limit on its whole, in both directions.
func TestUnhurried(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.Unhurried(r)
		n, err := io.Copy(io.Discard, r.Body)
		for range 5 {
			time.Sleep(200 * time.Millisecond)
			_, _ = io.WriteString(w, "tick\n")
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = fmt.Fprintln(w, n, err, r.Context().Err())
	}), web.Options{}, web.ServeOptions{Timeouts: web.Timeouts{Header: 200 * time.Millisecond, Body: 200 * time.Millisecond, Write: 500 * time.Millisecond}})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
	for range 8 {
		time.Sleep(150 * time.Millisecond)
		_, _ = io.WriteString(conn, "x")
	}
	if got := readReply(t, bufio.NewReader(conn), "POST"); got.body != strings.Repeat("tick\n", 5)+"8 <nil> <nil>\n" {
		t.Errorf("got %q", got.body)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	s := serve(t, readBody, web.Options{}, web.ServeOptions{Timeouts: short})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, get("/"))
	from := bufio.NewReader(conn)
	readReply(t, from, "GET")
	wantEnd(t, conn, from, 3*time.Second)
}
