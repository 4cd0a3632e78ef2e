// Package status answers what operators ask: /healthz, /readyz and /metrics, on
// the admin listener alone.
//
// It does not know what readiness means: that is a function it is given.
package status

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chancery-auth/chancery/internal/web"
)

// readyTimeout is how long readiness may take to tell (R27).
const readyTimeout = time.Second

// Options are what the endpoints report.
type Options struct {
	// Ready returns nil when the server can serve. Its error is for the log alone.
	Ready   func(context.Context) error
	Metrics http.Handler // nil for none
	Log     *slog.Logger
}

// A Handler serves the admin endpoints.
type Handler struct {
	options  Options
	draining atomic.Bool

	mu      sync.Mutex
	asking  chan struct{} // closed when the check under way has answered; nil for none
	answer  error
	unready bool // what was logged last
}

// New returns the admin endpoints.
func New(options Options) *Handler { return &Handler{options: options} }

// Drain makes the server unready for good; it is called when shutdown begins.
func (h *Handler) Drain() { h.draining.Store(true) }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note := web.Note(r)
	w.Header().Set("Cache-Control", "no-store")
	switch r.URL.EscapedPath() {
	case "/healthz", "/readyz", "/metrics":
		note.Route = r.URL.EscapedPath()
	default:
		web.Reply(w, http.StatusNotFound, "not found")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		web.Reply(w, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	switch note.Route {
	case "/healthz": // never asks the database: a restart would not bring it back (R27)
		web.Reply(w, http.StatusOK, "alive")
	case "/readyz":
		h.ready(w, r)
	case "/metrics":
		h.metrics(w, r)
	}
}

func (h *Handler) metrics(w http.ResponseWriter, r *http.Request) {
	if h.options.Metrics == nil {
		web.Reply(w, http.StatusNotFound, "not found")
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	h.options.Metrics.ServeHTTP(w, r)
}

func (h *Handler) ready(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() || !h.isReady(r.Context()) {
		web.Reply(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	web.Reply(w, http.StatusOK, "ready")
}

// isReady asks, for a second at most. While one check hangs no other is begun.
func (h *Handler) isReady(ctx context.Context) bool {
	limit := time.NewTimer(readyTimeout)
	defer limit.Stop()
	select {
	case <-h.ask():
	case <-limit.C:
		h.report(context.DeadlineExceeded)
		return false
	case <-ctx.Done():
		return false
	}
	h.mu.Lock()
	err := h.answer
	h.mu.Unlock()
	h.report(err)
	return err == nil
}

// ask joins the check that is under way or begins one; the channel is closed when
// its answer is there.
func (h *Handler) ask() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asking == nil {
		asking := make(chan struct{})
		h.asking = asking
		go func() {
			err := h.check()
			h.mu.Lock()
			h.answer, h.asking = err, nil
			h.mu.Unlock()
			close(asking)
		}()
	}
	return h.asking
}

func (h *Handler) check() (err error) {
	defer func() {
		if recover() != nil { // it runs in a goroutine of its own, where a panic would end the process
			err = errors.New("the readiness check panicked")
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	return h.options.Ready(ctx)
}

// report logs the reason when readiness is lost, and that it is back.
func (h *Handler) report(err error) {
	h.mu.Lock()
	changed := h.unready != (err != nil)
	h.unready = err != nil
	h.mu.Unlock()
	switch {
	case changed && err != nil:
		h.options.Log.Warn("not ready", slog.String("error", web.Cut(err.Error())))
	case changed:
		h.options.Log.Info("ready again")
	}
}
