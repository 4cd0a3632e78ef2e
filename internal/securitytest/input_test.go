package securitytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRequestSizes proves S51 for what comes before a body, at the whole server's
// socket: a URL of 8 KiB is read and a longer one is not; a head of 16 KiB is
// read and a longer one is not.
func TestRequestSizes(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, c := range all {
		refused := s.send(t, c.loginWith("nobody@people.example", "wrong password"))
		for _, tt := range []struct {
			name   string
			edit   func(*request)
			status int // 0: as without the change
		}{
			{"URL of 8 KiB", func(r *request) { r.line = "POST " + padTo(c.login, 8<<10) }, 0},
			{"longer URL", func(r *request) { r.line = "POST " + padTo(c.login, 8<<10+1) }, 414},
			{"headers of 16 KiB", func(r *request) { fillHeaders(r, 16<<10) }, 0},
			{"headers of 17 KiB", func(r *request) { fillHeaders(r, 17<<10) }, 431},
			{"one header of 64 KiB", func(r *request) { r.headers = append(r.headers, "X-Long: "+strings.Repeat("a", 64<<10)) }, 431},
			{"bearer token of 64 KiB", func(r *request) { *r = c.present(strings.Repeat("a", 64<<10)) }, 431},
		} {
			r := c.loginWith("nobody@people.example", "wrong password")
			tt.edit(&r)
			want := tt.status
			if want == 0 {
				want = refused.status
			}
			if got := s.send(t, r); got.status != want {
				t.Errorf("%s, %s: %s, want %d", c.dialect, tt.name, got, want)
			}
		}
	}
}

func padTo(path string, size int) string {
	return path + "?" + strings.Repeat("a", size-len(path)-1)
}

// fillHeaders adds short headers until the request's head has size bytes.
func fillHeaders(r *request, size int) {
	for n := 0; ; n++ {
		head := len(r.text()) - len(r.body)
		if size-head < 100 {
			if size > head {
				r.headers = append(r.headers, "X: "+strings.Repeat("a", max(0, size-head-5)))
			}
			return
		}
		r.headers = append(r.headers, fmt.Sprintf("X-Field-%d: %s", n, strings.Repeat("a", 60)))
	}
}

// TestTimeLimits proves S56 with the server's own figures: 5 s for the headers and
// 10 s for the body; at full length also 60 s of rest and 15 s for a reply that
// nobody takes.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	head := strings.SplitAfter(kyc.loginWith("a", "b").text(), "\r\n\r\n")[0]
	head = strings.Replace(head, "Connection: close\r\n", "", 1)
	cases := []struct {
		name  string
		sent  string
		limit time.Duration
		long  bool
	}{
		{"headers", "POST /login HTTP/1.1\r\nHost: x\r\nX-Slow: ", 5 * time.Second, false},
		{"nothing", "", 5 * time.Second, false},
		{"body", head, 10 * time.Second, false},
		{"rest", "GET /nowhere HTTP/1.1\r\nHost: kyc.example\r\n\r\n", 60 * time.Second, true},
	}
	for _, tt := range cases {
		if tt.long && !long() {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, s.server.Addr())
			start := time.Now()
			if _, err := io.WriteString(conn, tt.sent); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(start.Add(tt.limit + 20*time.Second))
			_, err := io.Copy(io.Discard, conn)
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of the connection itself
				t.Fatalf("still open after %v", time.Since(start))
			}
			// A reply and the linger behind it take a second; a busy machine more.
			if took := time.Since(start); took < tt.limit-500*time.Millisecond || took > tt.limit+5*time.Second {
				t.Errorf("ended after %v, want %v", took, tt.limit)
			}
		})
	}
	if long() {
		t.Run("reply", func(t *testing.T) { t.Parallel(); unreadReplies(t, s) })
	}
}

// unreadReplies asks again and again and reads nothing.
func unreadReplies(t *testing.T, s *site) {
	conn := dial(t, s.server.Addr())
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Minute))
	last := time.Now()
	for {
		_, err := io.WriteString(conn, strings.Repeat("GET /nowhere HTTP/1.1\r\nHost: kyc.example\r\n\r\n", 50))
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of the connection itself
			t.Fatal("still open")
		}
		if err != nil {
			break
		}
		last = time.Now()
	}
	if stood := time.Since(last); stood < 13*time.Second || stood > 20*time.Second {
		t.Errorf("a reply that nobody takes was waited for for %v, want 15 s", stood)
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestEndlessBodiesCostLittleMemory proves R16 on the process itself: bodies of a
// GiB that are sent to every route at once are refused, and the memory that the
// system holds for the server grows by 16 MiB at most. It is 20 bodies in short
// and 100 at full length.
func TestEndlessBodiesCostLittleMemory(t *testing.T) {
	bodies := 20
	if long() {
		bodies = 100
	}
	people := seed(t, "")
	p := startProcess(t, people.dir, people.file)
	routes := []request{
		{kyc.host(), "POST " + kyc.login, []string{"Content-Type: application/x-www-form-urlencoded"}, ""},
		{instant.host(), "POST " + instant.login, []string{"Content-Type: multipart/form-data; boundary=x"}, ""},
		{data.host(), "POST " + data.login, []string{"Content-Type: application/json"}, ""},
		{pagfast.host(), "POST " + pagfast.login, []string{"Content-Type: application/json"}, ""},
		{instant.host(), "POST " + resetPath, []string{"Content-Type: application/json"}, ""},
		{instant.host(), "POST " + recoveryPath + "a@b.example", nil, ""},
		{instant.host(), instant.bearer, []string{"Authorization: Bearer x"}, ""},
		{kyc.host(), "PUT /nowhere", nil, ""},
	}
	// What first requests leave behind is not the bodies'. No password is hashed
	// before the count: the room that hashes leave would hide what bodies take.
	signIn := func(r request) {
		t.Helper()
		if got, err := exchange(p.address, r.text()); err != nil || got.status >= 300 {
			t.Fatalf("sign-in: %s, %v", got, err)
		}
	}
	for range 10 {
		signIn(pagfast.loginWith(people.key, people.secret))
		for _, r := range routes {
			if _, err := exchange(p.address, r.text()); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := p.memory(t, "VmRSS")
	// From here on the highest is counted anew.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.command.Process.Pid), []byte("5"), 0); err != nil {
		lacking(t, "the highest memory of a process cannot be counted anew: %v", err)
	}
	answers := make([]int, bodies)
	start := make(chan struct{})
	var senders sync.WaitGroup
	for n := range bodies {
		senders.Go(func() {
			<-start
			var err error
			if answers[n], err = sendEndless(p.address, routes[n%len(routes)], n/len(routes)%2 == 1); err != nil {
				t.Errorf("body %d: %v", n, err)
			}
		})
	}
	close(start)
	senders.Wait()
	grown := p.memory(t, "VmHWM") - before
	for n, status := range answers {
		switch r := routes[n%len(routes)]; {
		case status < 400 && !strings.Contains(r.line, recoveryPath), status >= 500:
			t.Errorf("%s: status %d, want a 4xx", r.line, status)
		}
	}
	if grown > 16<<20 {
		t.Errorf("%d bodies took %.1f MiB more, want at most 16", bodies, float64(grown)/(1<<20))
	}
	t.Logf("%d bodies: %.1f MiB more than %.1f MiB, answers %v", bodies, float64(grown)/(1<<20), float64(before)/(1<<20), answers)
	signIn(pagfast.loginWith(people.key, people.secret))
	signIn(kyc.loginWith(people.login, people.password))
	p.terminate(t)
}

// sendEndless sends a body of a GiB until it is stopped, and returns the status.
func sendEndless(address string, r request, chunked bool) (int, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	length := "Content-Length: 1073741824"
	piece := strings.Repeat("x", 8<<10)
	if chunked {
		length, piece = "Transfer-Encoding: chunked", "2000\r\n"+piece+"\r\n"
	}
	head := strings.Replace(r.text(), "Content-Length: 0", length, 1)
	go func() {
		_, err := io.WriteString(conn, head)
		for sent := 0; err == nil && sent < 1<<30; sent += len(piece) {
			_, err = io.WriteString(conn, piece)
		}
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Body.Close()
}
