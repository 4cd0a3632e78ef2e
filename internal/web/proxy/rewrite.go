package proxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/web"
)

// A passed is the context of a request that may pass, with the headers that say
// for whom.
type passed struct {
	context.Context
	identity http.Header
}

type passedKey struct{}

func (p *passed) Value(key any) any {
	if key == (passedKey{}) {
		return p.identity
	}
	return p.Context.Value(key)
}

// rewrite makes the upstream's request: whatever a client says of its identity is
// removed, and ours is set last (S64).
func (h *handler) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(h.Upstream)
	p.Out.URL.RawQuery = p.In.URL.RawQuery // nothing here judges by the query
	origin := web.Origin(p.In)
	header := p.Out.Header
	web.RemoveIdentity(header)
	if origin.Address.IsValid() {
		header.Set("X-Forwarded-For", origin.Address.String())
	}
	header.Set("X-Forwarded-Host", p.In.Host)
	header.Set("X-Forwarded-Proto", web.Scheme(p.In))
	header.Set("X-Request-Id", origin.RequestID)
	identity, _ := p.In.Context().Value(passedKey{}).(http.Header)
	maps.Copy(header, identity)
}

// dropCORS takes the upstream's word for browsers out: two of them would make one
// that they refuse.
func dropCORS(r *http.Response) error {
	maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Access-Control-") })
	return nil
}

// unreachable answers for an upstream that did not.
func (h *handler) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	h.refuse(w, r, &core.Error{Kind: core.Unavailable, Err: fmt.Errorf("upstream %s: %w", h.Upstream.Host, describe(err))})
}

// describe keeps to words that are the system's own: what an upstream sends back
// in place of a reply could repeat what a client sent.
func describe(err error) error {
	if failure, ok := errors.AsType[*net.OpError](err); ok {
		return failure
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ECONNRESET} {
		if errors.Is(err, known) {
			return known
		}
	}
	if failure, ok := errors.AsType[net.Error](err); ok && failure.Timeout() {
		return errors.New("no reply in time")
	}
	return fmt.Errorf("no reply that could be understood (%T)", err)
}

// newTransport has pools and limits of its own. Compression is the client's and
// the upstream's business, and no environment variable leads elsewhere.
func newTransport() *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    256,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

// buffers are what bodies are copied through.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }
