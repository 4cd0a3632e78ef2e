package web

import (
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/chancery-auth/chancery/core"
)

// Origin tells where a request comes from: the client's address and the request's id.
func Origin(r *http.Request) core.Origin {
	if x := exchangeOf(r); x != nil {
		return x.record.Origin
	}
	return core.Origin{Address: socketAddress(r)}
}

// Scheme is http or https as the client sees it: the word of a trusted proxy, or
// whether we end TLS ourselves.
func Scheme(r *http.Request) string {
	if x := exchangeOf(r); x != nil && x.trusted {
		if said := r.Header["X-Forwarded-Proto"]; len(said) == 1 && (said[0] == "http" || said[0] == "https") {
			return said[0]
		}
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// socketAddress is the other end of the connection; the zero address when it has none.
func socketAddress(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr().Unmap()
}

func trusts(proxies []netip.Prefix, address netip.Addr) bool {
	address = address.WithZone("")
	for _, proxy := range proxies {
		if proxy.Contains(address) {
			return true
		}
	}
	return false
}

// clientAddress believes X-Forwarded-For as far as trusted proxies wrote it: from
// the right, up to the first address that is not one of theirs (S60). At an entry
// that is no address it stops, with the last one that was.
func (h *wrapper) clientAddress(r *http.Request, trusted bool) netip.Addr {
	address := socketAddress(r)
	if !trusted {
		return address
	}
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; ; {
			comma := strings.LastIndexByte(rest, ',')
			next, ok := parseForwarded(strings.Trim(rest[comma+1:], " \t"))
			if !ok {
				return address
			}
			address = next
			if !trusts(h.options.TrustedProxies, address) {
				return address
			}
			if comma < 0 {
				break
			}
			rest = rest[:comma]
		}
	}
	return address
}

// warnOfProxy logs once that a neighbour who is not trusted names clients:
// most likely the operator's own proxy, behind which all share one throttle. It tells
// nothing of what the headers say.
func (h *wrapper) warnOfProxy(r *http.Request) {
	if len(r.Header["X-Forwarded-For"]) == 0 && len(r.Header["Forwarded"]) == 0 || h.warned.Load() {
		return
	}
	peer := socketAddress(r)
	if !peer.IsLoopback() && !peer.IsPrivate() || h.warned.Swap(true) {
		return
	}
	h.options.Log.LogAttrs(r.Context(), slog.LevelWarn,
		"requests come through a proxy that is not trusted: all its clients share one throttle; name it in trusted_proxies",
		slog.String("proxy", peer.String()))
}

// parseForwarded takes an address, also with a port, as some proxies write it.
func parseForwarded(text string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(text); err == nil {
		return address.Unmap(), true
	}
	if address, err := netip.ParseAddrPort(text); err == nil {
		return address.Addr().Unmap(), true
	}
	if host, found := strings.CutPrefix(text, "["); found {
		if host, found = strings.CutSuffix(host, "]"); found {
			address, err := netip.ParseAddr(host)
			return address.Unmap(), err == nil
		}
	}
	return netip.Addr{}, false
}

const maxRequestID = 64

// requestID takes a trusted proxy's id when it is safe to log, and makes one otherwise.
func (h *wrapper) requestID(r *http.Request, trusted bool) string {
	if trusted {
		if said := r.Header["X-Request-Id"]; len(said) == 1 && safeID(said[0]) {
			return said[0]
		}
	}
	return h.ids.next()
}

func safeID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// ids makes request ids: 80 random bits of this process, then a count.
type ids struct {
	prefix string
	count  atomic.Uint64
}

func newIDs() *ids { return &ids{prefix: rand.Text()[:16] + "-"} }

func (i *ids) next() string {
	var text [40]byte
	return string(strconv.AppendUint(append(text[:0], i.prefix...), i.count.Add(1), 36))
}

// Host is the host that a request is for, in lower case and without a port.
func Host(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
