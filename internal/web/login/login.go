// Package login serves the routes of the dialects: all operations of theirs, from
// sign-ins to recovery. It finds the dialect of a request, has it decode the request, asks core,
// and has the dialect word the answer.
//
// It knows no rule and no contract. [New] is the way in; internal/web goes round it.
package login

import (
	"log/slog"
	"net/http"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/web"
)

// Options say what is served.
type Options struct {
	Mounts []Mount // at least one; see [CheckCollisions]
	Log    *slog.Logger
}

// A Mount is a dialect at its place.
type Mount struct {
	Host      string // the host that it answers to; "" for any
	Prefix    string // what comes before its paths, such as /partners
	Dialect   *dialect.Dialect
	Authority *core.Authority
	Protected []Protected
	Origins   []string // whose scripts may call it, such as https://app.example.com; all mounts of a place have the same
}

// A Protected path is handed to a handler of its own, with all below it. The
// handler sees the path without the mount's prefix; it is asked only where no
// dialect of the mount has a route, and never for an ambiguous path (S62).
type Protected struct {
	Path    string // such as /api/v1/, under the mount's prefix
	Handler http.Handler
}

// A Handler serves mounts. It is made by [New].
type Handler struct {
	groups groups
	log    *slog.Logger
	hold   hold
}

// New returns the handler of all mounts. Where mounts collide it is undefined
// which of them answers: ask [CheckCollisions] first.
func New(options Options) *Handler {
	return &Handler{groups: group(options.Mounts), log: options.Log, hold: hold{time: holdTime, most: maxHeld}}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	group, r := h.groups.find(r)
	if group == nil {
		w.Header().Set("Cache-Control", "no-store")
		web.Note(r).Outcome = core.NotFound
		web.Reply(w, http.StatusNotFound, "not found")
		return
	}
	if group.cors == nil {
		h.serveGroup(w, r, group)
		return
	}
	group.cors.ServeHTTP(w, r, func(w http.ResponseWriter, r *http.Request) { h.serveGroup(w, r, group) })
}

func (h *Handler) serveGroup(w http.ResponseWriter, r *http.Request, group *mountGroup) {
	mount, call := group.match(r)
	if call == nil {
		h.serveRest(w, r, group)
		return
	}
	h.serve(w, r, group, mount, call)
}

// serveRest answers where no dialect of a group has a route: a protected path's
// handler, or the first dialect's words for what is not found.
func (h *Handler) serveRest(w http.ResponseWriter, r *http.Request, group *mountGroup) {
	if handler := group.protected(r); handler != nil {
		handler.ServeHTTP(w, r)
		return
	}
	first := group.mounts[0].Dialect
	note := web.Note(r)
	note.Dialect, note.Realm, note.Route = first.Name(), first.Realm(), "unknown"
	call := first.Match(r)
	call.RequestID = web.Origin(r).RequestID
	defer web.Recover(r, func(err error) { call.Refuse(w, err) })
	h.refuse(w, r, call, &core.Error{Kind: core.NotFound})
}

// serve takes a request with a route through its steps; whatever ends it early
// meets the wire in refuse.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, group *mountGroup, mount *Mount, call *dialect.Call) {
	note := web.Note(r)
	note.Dialect, note.Realm = mount.Dialect.Name(), mount.Dialect.Realm()
	note.Route = call.Route()
	label(note, call)
	origin := web.Origin(r)
	call.RequestID = origin.RequestID
	defer web.Recover(r, func(err error) { call.Refuse(w, err) })

	if location := call.Redirect(); location != "" { // whatever the method
		w.Header().Set("Location", group.prefix+location)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if err := call.Err(); err != nil {
		h.refuse(w, r, call, err)
		return
	}
	result, err := h.perform(r, mount, call, origin)
	if err != nil {
		h.refuse(w, r, call, err)
		return
	}
	if err := call.Encode(w, result); err != nil { // it has worded the failure
		web.Report(r, h.log, err)
	}
}

// label says what a call does, for log and metrics.
func label(note *web.Record, call *dialect.Call) {
	note.Operation = string(call.Operation())
	note.Routine = call.Operation() == dialect.Whoami || call.Operation() == dialect.Introspect
}

// perform runs the route's operation. What costs a hash passes admission before
// its body is read, so that a refusal under load costs next to nothing.
func (h *Handler) perform(r *http.Request, mount *Mount, call *dialect.Call, origin core.Origin) (dialect.Result, error) {
	ctx := r.Context()
	if call.MayHash() {
		if err := mount.Authority.Admit(ctx, origin); err != nil {
			h.hold.wait(ctx)
			return dialect.Result{}, err
		}
	}
	err := call.Decode(r)
	label(web.Note(r), call) // which of a path's routes it is, Decode has found out
	if err != nil {
		return dialect.Result{}, err
	}
	t := task{ctx: ctx, r: r, mount: mount, inputs: call.Inputs(), origin: origin}
	return t.do(call.Operation())
}

// refuse is where an error meets the wire.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, call *dialect.Call, err error) {
	web.Report(r, h.log, err)
	call.Refuse(w, web.WithRetry(err))
}
