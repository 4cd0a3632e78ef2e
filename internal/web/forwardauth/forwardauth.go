// Package forwardauth answers the question of a proxy in front of an API: may
// this request pass, and for whom? Yes is exactly 200 with the identity's
// headers; whatever else happens is a refusal (S65).
//
// It judges bearer tokens alone; what proxies do with the answer, and which paths
// they ask about, is theirs.
package forwardauth

import (
	"log/slog"
	"net/http"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/web"
)

// Options say whose tokens are judged.
type Options struct {
	Dialect   *dialect.Dialect
	Authority *core.Authority
	Log       *slog.Logger
}

// New returns the endpoint. It takes any method and any path, ignores the query
// unless the dialect carries tokens there, and never touches the body.
func New(options Options) http.Handler { return &handler{options} }

type handler struct{ Options }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note := web.Note(r)
	note.Dialect, note.Realm = h.Dialect.Name(), h.Dialect.Realm()
	note.Operation, note.Route, note.Routine = "forward_auth", "forward-auth", true
	if r.ContentLength != 0 && r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close") // nginx announces a body that it never sends
	}
	defer web.Recover(r, func(err error) { h.deny(w, r, err) })
	if err := h.judge(w.Header(), r); err != nil {
		web.Report(r, h.Log, err)
		h.deny(w, r, web.WithRetry(err))
		return
	}
	w.WriteHeader(http.StatusOK)
}

// judge fills header for a yes, or says why not.
func (h *handler) judge(header http.Header, r *http.Request) error {
	token, err := h.Dialect.Bearer(r)
	if err != nil {
		return err
	}
	identity, err := h.Authority.Whoami(r.Context(), token)
	if err != nil {
		return err
	}
	header["Cache-Control"] = noStore
	return web.SetIdentity(header, identity.Account)
}

var noStore = []string{"no-store"}

// deny refuses in the dialect's words. A proxy takes any 2xx for a yes and knows
// 401 and 403 alone as a no, so that a contract's other status for a client's
// fault becomes 401 here; only overload and failures keep theirs.
func (h *handler) deny(w http.ResponseWriter, r *http.Request, err error) {
	call := h.Dialect.Protected(r)
	call.RequestID = web.Origin(r).RequestID
	call.Refuse(&denial{ResponseWriter: w}, err)
}

// A denial is a ResponseWriter that cannot say yes.
type denial struct{ http.ResponseWriter }

func (d *denial) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *denial) WriteHeader(status int) {
	switch {
	case status == http.StatusForbidden, status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
	default:
		status = http.StatusUnauthorized
		if d.Header().Get("WWW-Authenticate") == "" {
			d.Header().Set("WWW-Authenticate", "Bearer")
		}
	}
	d.ResponseWriter.WriteHeader(status)
}
