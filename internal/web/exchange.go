package web

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// An exchange is one request under way, and the ResponseWriter of its handler.
// All that [Wrap] needs for a request is in this one allocation.
type exchange struct {
	w        http.ResponseWriter
	wrapper  *wrapper
	served   *served
	start    time.Time
	scope    scope
	body     body
	record   Record
	http1    bool
	trusted  bool // the socket's other end is a trusted proxy
	hijacked bool
}

func (x *exchange) Header() http.Header { return x.w.Header() }

func (x *exchange) WriteHeader(status int) {
	if x.record.Status == 0 && status >= http.StatusOK { // 1xx are not yet the reply
		x.begin(status)
	}
	x.w.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.record.Status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if x.body.unhurried {
		_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.served.timeouts.Write))
	}
	n, err := x.w.Write(p)
	x.record.Bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// Hijack implements [http.Hijacker], for upgraded connections.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(x.w).Hijack()
	if err == nil {
		x.hijacked = true
		x.record.Status = http.StatusSwitchingProtocols
	}
	return conn, buffered, err
}

// begin is the last moment to decide what becomes of the connection.
func (x *exchange) begin(status int) {
	x.record.Status = status
	if x.wrapper.options.EchoRequestID {
		x.Header().Set("X-Request-Id", x.record.Origin.RequestID)
	}
	if x.served.draining.Load() {
		x.Header().Set("Connection", "close")
	}
	x.body.settle(x.Header())
	if time.Since(x.start) > time.Second { // the server's write limit began with the request
		_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.served.timeouts.Write))
	}
}

// finish is deferred: it ends the exchange, whether the handler returned or panicked.
func (x *exchange) finish() {
	reason := recover()
	if reason != nil && reason != http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
		x.logPanic(reason)
		if x.record.Status == 0 {
			Reply(x, http.StatusInternalServerError, "internal error")
			reason = nil
		}
	}
	if x.record.Status == 0 && reason == nil && !x.hijacked {
		x.begin(http.StatusOK)
	}
	x.body.abandon()
	x.record.Duration = time.Since(x.start)
	x.logAccess()
	if observe := x.wrapper.options.Observe; observe != nil {
		observe(x.record)
	}
	if reason != nil {
		panic(http.ErrAbortHandler) // the reply had begun: the client must see that it is not whole
	}
}

// Recover is deferred by a surface, so that a panic ends as an Internal error in
// its own words. It calls reply unless the reply has already begun, which then
// breaks off. Outside [Wrap] it leaves the panic alone.
func Recover(r *http.Request, reply func(error)) {
	reason := recover()
	if reason == nil {
		return
	}
	x := exchangeOf(r)
	if x == nil || reason == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
		panic(reason)
	}
	x.logPanic(reason)
	if x.record.Status != 0 {
		panic(http.ErrAbortHandler)
	}
	clear(x.Header())
	reply(&core.Error{Kind: core.Internal})
}

// logPanic tells where it happened. The value of a panic may hold what a request
// said, so that only the runtime's own errors are told in words (S76).
func (x *exchange) logPanic(reason any) {
	x.record.Outcome = core.Internal
	x.wrapper.options.Log.LogAttrs(x.scope.Context, slog.LevelError, "panic",
		slog.String("request_id", x.record.Origin.RequestID),
		slog.String("route", x.record.Route),
		slog.String("panic", describePanic(reason)),
		slog.String("stack", string(debug.Stack())))
}

// logAccess writes the request's one line. It goes to the handler directly: the
// Logger would look up the place in the source, which nobody reads here.
func (x *exchange) logAccess() {
	to, level, record := x.wrapper.options.Log.Handler(), slog.LevelInfo, &x.record
	if record.Routine && record.Outcome == "" {
		level = slog.LevelDebug
	}
	if !to.Enabled(x.scope.Context, level) {
		return
	}
	if record.Route == "" {
		record.Route = "unknown"
	}
	line := slog.NewRecord(x.start.Add(record.Duration), level, "request", 0)
	line.AddAttrs(
		slog.String("method", record.Method),
		slog.String("dialect", record.Dialect),
		slog.String("realm", string(record.Realm)),
		slog.String("route", Cut(record.Route)),
		slog.Int("status", record.Status),
		slog.String("outcome", string(record.Outcome)),
		slog.Int64("bytes", record.Bytes),
		slog.Int64("microseconds", record.Duration.Microseconds()),
		slog.String("address", record.Origin.Address.String()),
		slog.String("request_id", record.Origin.RequestID))
	_ = to.Handle(x.scope.Context, line) // as slog.Logger does: there is nowhere to report it
}
