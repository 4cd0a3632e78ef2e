package login_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Failures are told in the dialect's words without their details, which the log has.
func TestFailures(t *testing.T) {
	const detail = "the disk is gone"
	for _, tt := range []struct {
		name   string
		fault  func() error
		status int
		body   string
		level  string
		logged string
	}{
		{"internal", func() error { return errors.New(detail) }, 500, `{"detail":"Internal Server Error"}`, "ERROR", detail},
		{"unavailable", func() error { return &core.Error{Kind: core.Unavailable, Err: errors.New(detail)} }, 503, `{"detail":"Service Unavailable"}`, "WARN", detail},
		{"panic", func() error { panic(detail) }, 500, `{"detail":"Internal Server Error"}`, "ERROR", "a value of type string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := open(t, "instant-classification")
			a.Account(t, "ada", nil)
			token := a.Token(t, "ada")
			a.Fault.Store(&tt.fault)
			s := serve(t, mount(a))
			got := s.ask(t, "POST", "/api/v1/login/test-token", "", "Authorization: Bearer "+token)
			want(t, "test-token", got, tt.status, tt.body)
			if after := got.header.Get("Retry-After"); (tt.status == 503) != (after != "") {
				t.Errorf("Retry-After: %q", after)
			}
			a.Fault.Store(nil)
			if again := s.ask(t, "POST", "/api/v1/login/test-token", "", "Authorization: Bearer "+token); again.status != 200 {
				t.Errorf("afterwards: %d", again.status)
			}
			log := s.logged()
			found := 0
			for line := range strings.Lines(log) {
				var fields map[string]any
				if err := json.Unmarshal([]byte(line), &fields); err != nil {
					t.Errorf("%q: %v", line, err)
				}
				if fields["msg"] != "request" && fields["level"] == tt.level && strings.Contains(line, tt.logged) && fields["request_id"] != "" {
					found++
				}
			}
			if found != 1 || strings.Contains(log, token) {
				t.Errorf("%d lines tell of it, want 1; and none the token:\n%s", found, log)
			}
		})
	}
}

// S76: whatever goes wrong, at debug level, what a client sent is in no log.
func TestCanaries(t *testing.T) {
	const canary = "c4n4ry"
	a, d := open(t, "instant-classification"), open(t, "pagfast")
	s := serve(t, mount(a), mount(d))
	for _, path := range []string{"/api/v1/login/access-token", "/api/v1/login/test-token", "/api/v1/password-recovery/" + canary, "/api/v1/reset-password/", "/login", "/" + canary, "/" + canary + "/"} {
		for _, method := range []string{"POST", "GET", "HEAD", "PUT"} {
			for _, body := range []string{"", form("username", canary, "password", canary, "grant_type", canary), fmt.Sprintf(`{"accessKey":%[1]q,"secret":%[1]q,"token":%[1]q,"new_password":%[1]q}`, canary), "{" + canary, strings.Repeat(canary, 20_000)} {
				for _, mediaType := range []string{formType, jsonType, "Content-Type: multipart/form-data; boundary=" + canary, "Content-Type: " + canary} {
					s.ask(t, method, path+"?"+canary, body, mediaType, "Authorization: Bearer "+canary, "Cookie: "+canary+"="+canary, "User-Agent: "+canary, "X-Request-Id: "+canary, "X-Forwarded-For: "+canary)
				}
			}
		}
	}
	if log := s.logged(); strings.Contains(log, canary) || strings.Count(log, "\n") < 500 {
		at := strings.Index(log, canary)
		t.Errorf("the log of %d bytes holds what a client sent, at %d: %.300s", len(log), at, log[max(0, at-200):])
	}
}

func TestUnavailableWhenTheClientHasGone(t *testing.T) {
	b := open(t, "kyc")
	b.Busy.Store(true)
	s := serve(t, mount(b))
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "POST /auth/jwt/login HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	_ = conn.Close()
	start := time.Now()
	for !strings.Contains(func() string { s.mu.Lock(); defer s.mu.Unlock(); return s.log.String() }(), `"msg":"request"`) {
		if time.Since(start) > 3*time.Second {
			t.Fatal("the request never ends")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if log := s.logged(); strings.Contains(log, "WARN") {
		t.Errorf("a client that went away is told as a failure:\n%s", log)
	}
}
