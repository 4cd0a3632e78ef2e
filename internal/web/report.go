package web

import (
	"log/slog"
	"net/http"

	"github.com/chancery-auth/chancery/core"
)

// Report notes an error as the outcome of its request and logs it in full where
// an operator must know of it: an Internal one as an error, an Unavailable one as
// a warning. Other kinds are refusals, which the access log and the audit journal
// hold. When the client has gone, whatever failed on its account is no fault.
func Report(r *http.Request, log *slog.Logger, err error) {
	note := Note(r)
	note.Outcome = core.KindOf(err)
	level := slog.LevelError
	switch {
	case r.Context().Err() != nil:
		level = slog.LevelDebug
	case note.Outcome == core.Unavailable:
		level = slog.LevelWarn
	case note.Outcome != core.Internal:
		return
	}
	log.LogAttrs(r.Context(), level, "request failed",
		slog.String("request_id", Origin(r).RequestID),
		slog.String("dialect", note.Dialect),
		slog.String("realm", string(note.Realm)),
		slog.String("route", note.Route),
		slog.String("outcome", string(note.Outcome)),
		slog.String("error", Cut(err.Error())))
}
