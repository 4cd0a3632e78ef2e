package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// MaxURL is the longest request target that is looked at, in bytes (S51).
const MaxURL = 8 << 10

// Options say how requests are taken in.
type Options struct {
	// TrustedProxies are the networks whose X-Forwarded-For, X-Forwarded-Proto and
	// X-Request-Id are believed; none by default (S60).
	TrustedProxies []netip.Prefix
	// WarnOfProxy has a warning logged, once, when a request seems to come through a
	// proxy that is not among TrustedProxies: all clients then count as one.
	WarnOfProxy bool
	// EchoRequestID sends the request's id back as X-Request-Id. It is off by
	// default: a contract's replies have no such header.
	EchoRequestID bool
	Log           *slog.Logger // required
	// Observe is told of every request once it is answered; nil for nobody. It
	// must not block.
	Observe func(Record)
}

// A Record is what is known of a request once it has been answered: the access
// log's line and the metrics' labels. It holds nothing that a client chose but
// its address, and the id that a trusted proxy gave.
type Record struct {
	Dialect   string
	Realm     core.Realm
	Operation string
	Route     string    // a label of the handler's; never the path, which may hold an address
	Outcome   core.Kind // "" for success
	Routine   bool      // a bearer check, one of very many: when it succeeds, the access log has it at debug
	Method    string    // one of the known methods, or "other"
	Status    int
	Bytes     int64 // of the reply's body
	Duration  time.Duration
	Origin    core.Origin
}

// Wrap returns next with everything round it that all surfaces need. Inside,
// [Origin], [Scheme] and [Note] tell of the request.
func Wrap(next http.Handler, options Options) http.Handler {
	return &wrapper{next: next, options: options, ids: newIDs()}
}

type wrapper struct {
	next    http.Handler
	options Options
	ids     *ids
	warned  atomic.Bool // of a proxy that is not trusted
}

func (h *wrapper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, wrapper: h, start: time.Now(), served: servedBy(r.Context()), http1: r.ProtoMajor == 1}
	x.record.Method = methodLabel(r.Method)
	x.trusted = trusts(h.options.TrustedProxies, socketAddress(r))
	if h.options.WarnOfProxy && !x.trusted {
		h.warnOfProxy(r)
	}
	x.record.Origin = core.Origin{Address: h.clientAddress(r, x.trusted), RequestID: h.requestID(r, x.trusted)}
	x.scope = scope{r.Context(), x}
	x.body.x = x
	r = r.WithContext(&x.scope)
	if r.Body != nil && r.Body != http.NoBody {
		x.body = body{source: r.Body, x: x, length: r.ContentLength, unasked: r.Header.Get("Expect") != ""}
		r.Body = &x.body
	}
	defer x.finish()
	if len(r.RequestURI) > MaxURL {
		x.record.Route, x.record.Outcome = "unknown", core.TooLarge
		Reply(x, http.StatusRequestURITooLong, "the URL is too long")
		return
	}
	h.next.ServeHTTP(x, r)
}

// A scope is the request's context; it leads to the exchange without a map or a
// further allocation.
type scope struct {
	context.Context
	x *exchange
}

type exchangeKey struct{}

func (s *scope) Value(key any) any {
	if key == (exchangeKey{}) {
		return s.x
	}
	return s.Context.Value(key)
}

func exchangeOf(r *http.Request) *exchange {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// Note returns the record of a request for its handler to fill in. Outside
// [Wrap] nobody reads what is noted.
func Note(r *http.Request) *Record {
	if x := exchangeOf(r); x != nil {
		return &x.record
	}
	return new(Record)
}

// methodLabel keeps what a client made up out of logs and metrics.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}
