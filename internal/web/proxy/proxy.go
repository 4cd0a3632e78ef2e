// Package proxy passes requests on to the API behind once their bearer token
// holds, with headers that say for whom. What it refuses is worded by the dialect.
//
// It decides nothing about paths: internal/web/login chooses what is passed on.
package proxy

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/web"
)

// Options say what is passed on, to whom.
type Options struct {
	Upstream  *url.URL // a path of it comes before the request's own
	Dialect   *dialect.Dialect
	Authority *core.Authority
	CORS      bool // whether browsers are told here which origins may call: what the upstream says of it is dropped
	Log       *slog.Logger
}

// New returns the handler of one upstream. It does not follow redirects, and
// leaves method, path, query, body and Authorization as they are.
func New(options Options) http.Handler {
	h := &handler{Options: options}
	h.proxy = &httputil.ReverseProxy{
		Rewrite:      h.rewrite,
		Transport:    newTransport(),
		ErrorHandler: h.unreachable,
		ErrorLog:     web.ErrorLog(options.Log),
		BufferPool:   new(buffers),
	}
	if options.CORS {
		h.proxy.ModifyResponse = dropCORS
	}
	return h
}

type handler struct {
	Options
	proxy *httputil.ReverseProxy
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note := web.Note(r)
	note.Dialect, note.Realm = h.Dialect.Name(), h.Dialect.Realm()
	note.Operation, note.Route, note.Routine = "proxy", "protected", true
	defer web.Recover(r, func(err error) { h.Dialect.Protected(r).Refuse(w, err) })
	identity, err := h.judge(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	headers := make(http.Header, 3)
	if err := web.SetIdentity(headers, identity.Account); err != nil {
		h.refuse(w, r, err)
		return
	}
	web.Unhurried(r)
	passed := &passed{Context: r.Context(), identity: headers}
	h.proxy.ServeHTTP(w, r.WithContext(passed))
}

func (h *handler) judge(r *http.Request) (core.Identity, error) {
	token, err := h.Dialect.Bearer(r)
	if err != nil {
		return core.Identity{}, err
	}
	return h.Authority.Whoami(r.Context(), token)
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	web.Report(r, h.Log, err)
	call := h.Dialect.Protected(r)
	call.RequestID = web.Origin(r).RequestID
	call.Refuse(w, web.WithRetry(err))
}
