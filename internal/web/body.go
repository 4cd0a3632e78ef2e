package web

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// maxDrain is how much of a body that nobody asked for is still read, so that the
// connection can be kept (S50).
const (
	maxDrain     = 4 << 10
	drainTimeout = 500 * time.Millisecond
)

// A body is a request's body under the time limit of S56. The limit begins with
// the first read: a handler that reads nothing waits for nothing. A surface that
// takes long uploads lifts it, see [Unhurried].
type body struct {
	source    io.ReadCloser // nil for none
	x         *exchange
	length    int64
	read      int64
	startedAt time.Time
	unasked   bool        // the client waits for 100-continue before it sends
	unhurried bool        // then it may be read while the reply begins, by another goroutine
	done      atomic.Bool // read to its end
	abandoned bool
}

func (b *body) Read(p []byte) (int, error) {
	b.setLimit()
	n, err := b.source.Read(p)
	b.read += int64(n)
	if err == io.EOF { //nolint:errorlint // readers return it bare
		b.end()
	}
	return n, err
}

// Close does not wait for what nobody wants.
func (b *body) Close() error {
	if !b.done.Load() {
		b.deadline(past)
	}
	return b.source.Close()
}

// setLimit gives the whole body 10 s from its first read on; an unhurried body
// gets as much for each read, so that only one that stands still is cut.
func (b *body) setLimit() {
	b.unasked = false
	if !b.startedAt.IsZero() && !b.unhurried {
		return
	}
	b.startedAt = time.Now()
	limit := b.x.served.timeouts.Body
	if b.unhurried {
		limit = stallTimeout
	}
	b.deadline(b.startedAt.Add(limit))
}

// end gives the work that follows a slow body its own time: net/http takes a read
// limit that passes for a client that has gone.
func (b *body) end() {
	b.done.Store(true)
	switch {
	case b.unhurried:
		b.deadline(time.Time{})
	case time.Since(b.startedAt) > time.Second:
		b.deadline(time.Now().Add(b.x.served.timeouts.Write))
	}
}

func (b *body) deadline(at time.Time) {
	_ = http.NewResponseController(b.x.w).SetReadDeadline(at) // an old or odd connection has none
}

// settle is called when the reply begins. Left to itself, net/http would read
// 256 KiB more of an unread body before it sends the reply; we read 4 KiB, and
// then close the connection after the reply.
func (b *body) settle(header http.Header) {
	if b.source == nil || b.done.Load() || !b.x.http1 || b.drained(header) {
		return
	}
	b.abandoned = true
	b.linger()
	header.Set("Connection", "close")
}

// linger makes net/http wait for half a second between the reply's end and the
// close: closed at once, with bytes of the body still coming, the connection
// would be reset, and the client would lose the reply. A reader whose limit is
// passed is net/http's own way of being told so.
func (b *body) linger() {
	var one [1]byte
	_, _ = http.MaxBytesReader(b.x.w, io.NopCloser(strings.NewReader("x")), 0).Read(one[:])
}

// drained reads the little that may be left and reports whether that was all.
func (b *body) drained(header http.Header) bool {
	if b.unhurried || b.unasked || b.length-b.read > maxDrain || header.Get("Connection") == "close" {
		return false
	}
	b.deadline(time.Now().Add(drainTimeout))
	n, err := io.CopyN(io.Discard, b.source, maxDrain)
	if err != io.EOF && (err != nil || b.read+n != b.length) { //nolint:errorlint // CopyN returns it bare
		return false
	}
	b.done.Store(true)
	b.deadline(time.Now().Add(b.x.served.timeouts.Write))
	return true
}

// abandon keeps net/http from reading on after the reply.
func (b *body) abandon() {
	if b.abandoned {
		b.deadline(past)
	}
}

// past is a deadline that has gone by.
var past = time.Unix(1, 0)

// stallTimeout is how long an unhurried body may stand still.
const stallTimeout = 30 * time.Second

// Unhurried lifts the limits on a request's whole duration, for what is passed
// on: an upload or a download may take as long as it moves. A body that stands
// still for 30 s is cut, and so is a reply that its client does not take for as
// long as the write limit. Call it only once the caller is known.
func Unhurried(r *http.Request) {
	x := exchangeOf(r)
	if x == nil {
		return
	}
	x.body.unhurried = true
	x.body.deadline(time.Time{})
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Time{})
}
