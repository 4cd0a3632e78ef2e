// Package demo holds what `chancery demo` shows beside the server itself: an API
// to protect, and sample clients. Its identities are internal/seed's.
//
// It knows the wire only through the examples in dialect files, so that a new
// contract is shown without new code. internal/cli/demo.go puts it on the screen.
package demo

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Upstream is the API behind the demo: it answers every request with what it was
// told of the caller by the proxy in front of it.
func Upstream() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		groups := []string{}
		if list := r.Header.Get("X-Auth-Request-Groups"); list != "" {
			groups = strings.Split(list, ",")
		}
		_ = json.NewEncoder(w).Encode(struct { // an error here is the client's going away
			Resource string   `json:"resource"`
			User     string   `json:"user"`
			Email    string   `json:"email"`
			Groups   []string `json:"groups"`
		}{r.URL.Path, r.Header.Get("X-Auth-Request-User"), r.Header.Get("X-Auth-Request-Email"), groups})
	})
}
