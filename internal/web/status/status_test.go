package status_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/internal/web"
	"github.com/chancery-auth/chancery/internal/web/status"
)

func start(t *testing.T, ready func(context.Context) error) (*status.Handler, string, *bytes.Buffer) {
	t.Helper()
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelInfo}))
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "up 1\n")
	})
	h := status.New(status.Options{Ready: ready, Metrics: metrics, Log: log})
	server := httptest.NewServer(web.Wrap(h, web.Options{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(server.Close)
	return h, server.URL, &logged
}

func ask(t *testing.T, method, url string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// R27, S57: liveness asks nobody, readiness tells no details, nothing else is there.
func TestEndpoints(t *testing.T) {
	failing := errors.New("postgres://user:c4n4ry@db is away")
	for _, tt := range []struct {
		name, method, path string
		ready              error
		status             int
		body               string
	}{
		{"alive", "GET", "/healthz", nil, 200, "alive\n"},
		{"alive without its database", "GET", "/healthz", failing, 200, "alive\n"},
		{"ready", "GET", "/readyz", nil, 200, "ready\n"},
		{"not ready", "GET", "/readyz", failing, 503, "not ready\n"},
		{"HEAD", "HEAD", "/readyz", failing, 503, ""},
		{"query is ignored", "GET", "/readyz?verbose=1", failing, 503, "not ready\n"},
		{"metrics", "GET", "/metrics", failing, 200, "up 1\n"},
		{"other method", "POST", "/readyz", nil, 405, "method not allowed\n"},
		{"root", "GET", "/", nil, 404, "not found\n"},
		{"profiling is not there (S74)", "GET", "/debug/pprof/", nil, 404, "not found\n"},
		{"below", "GET", "/healthz/x", nil, 404, "not found\n"},
		{"encoded", "GET", "/%68ealthz", nil, 404, "not found\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, url, _ := start(t, func(context.Context) error { return tt.ready })
			code, header, body := ask(t, tt.method, url+tt.path)
			if code != tt.status || body != tt.body {
				t.Errorf("got %d %q, want %d %q", code, body, tt.status, tt.body)
			}
			if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Type") == "" {
				t.Errorf("headers %v: want a type and nosniff", header)
			}
		})
	}
}

func TestDrain(t *testing.T) {
	h, url, _ := start(t, func(context.Context) error { return nil })
	h.Drain()
	if code, _, _ := ask(t, "GET", url+"/readyz"); code != 503 {
		t.Errorf("/readyz while draining: %d, want 503", code)
	}
	if code, _, _ := ask(t, "GET", url+"/healthz"); code != 200 {
		t.Errorf("/healthz while draining: %d, want 200", code)
	}
}

// A check that hangs costs a second, and one goroutine whoever asks how often.
func TestReadinessIsBounded(t *testing.T) {
	var running atomic.Int64
	release := make(chan struct{})
	_, url, _ := start(t, func(context.Context) error { running.Add(1); <-release; return nil })
	begin := time.Now()
	answers := make(chan int)
	for range 5 {
		go func() { code, _, _ := ask(t, "GET", url+"/readyz"); answers <- code }()
	}
	for range 5 {
		if code := <-answers; code != 503 {
			t.Errorf("got %d, want 503", code)
		}
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("answered after %v", took)
	}
	if n := running.Load(); n != 1 {
		t.Errorf("%d checks at once", n)
	}
	close(release)
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if code, _, _ := ask(t, "GET", url+"/readyz"); code == 200 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("never ready again")
		}
	}
}

func TestReadinessPanics(t *testing.T) {
	_, url, _ := start(t, func(context.Context) error { panic("no") })
	if code, _, _ := ask(t, "GET", url+"/readyz"); code != 503 {
		t.Errorf("got %d, want 503", code)
	}
}

// The reason is logged once when readiness is lost, and its return.
func TestReadinessIsLoggedWhenItChanges(t *testing.T) {
	var away atomic.Bool
	_, url, logged := start(t, func(context.Context) error {
		if away.Load() {
			return errors.New("the disk is gone")
		}
		return nil
	})
	for _, state := range []bool{false, true, true, true, false, false} {
		away.Store(state)
		ask(t, "GET", url+"/readyz")
	}
	if text := logged.String(); strings.Count(text, "the disk is gone") != 1 || strings.Count(text, "ready again") != 1 {
		t.Errorf("logged:\n%s", text)
	}
}
