package login

import (
	"net/http"

	"github.com/rs/cors"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// corsMaxAge is how long a browser may keep the answer to a preflight, in seconds.
const corsMaxAge = 600

// corsFor lets scripts of some origins call what a group serves, with the headers and
// cookies that its dialects speak of (WHATWG Fetch, section 3.3). It is nil where no
// origin is named: browsers keep foreign scripts out then.
func corsFor(mounts []*Mount) *cors.Cors {
	options := cors.Options{
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type", "X-Requested-With"},
		ExposedHeaders: []string{"Retry-After", "Www-Authenticate"},
		MaxAge:         corsMaxAge,
	}
	for _, m := range mounts {
		if len(m.Origins) == 0 {
			continue
		}
		options.AllowedOrigins = append(options.AllowedOrigins, m.Origins...)
		h := headersOf(m.Dialect.Describe())
		options.AllowedHeaders = append(options.AllowedHeaders, h.read...)
		options.ExposedHeaders = append(options.ExposedHeaders, h.shown...)
		options.AllowCredentials = options.AllowCredentials || h.cookies
	}
	if len(options.AllowedOrigins) == 0 {
		return nil
	}
	return cors.New(options)
}

// headers are those that a contract speaks of.
type headers struct {
	read, shown []string // of requests and of replies; some are there twice
	cookies     bool
}

func headersOf(d dialect.Description) headers {
	var h headers
	for _, c := range d.Carriers {
		h.take(c.In, c.Name)
		h.read = append(h.read, c.With...)
	}
	h.told(d.Every)
	h.told(d.Protected)
	for _, route := range d.Routes {
		for _, in := range route.Inputs {
			for _, from := range in.From {
				if len(from.Path) > 0 {
					h.take(from.Place, from.Path[0])
				}
			}
		}
		h.replied(route.OK)
		h.told(route.Outcomes)
	}
	return h
}

// take notes a place from which something is read.
func (h *headers) take(place, name string) {
	switch place {
	case "header":
		h.read = append(h.read, name)
	case "cookie":
		h.cookies = true
	}
}

func (h *headers) told(outcomes []dialect.OutcomeInfo) {
	for _, o := range outcomes {
		h.replied(o.Replies)
	}
}

func (h *headers) replied(replies []dialect.ReplyInfo) {
	for _, reply := range replies {
		h.cookies = h.cookies || len(reply.Cookies) > 0
		for _, header := range reply.Headers {
			h.shown = append(h.shown, header.Name)
		}
	}
}
