package dialect

import (
	"net/http"
	"strings"

	"github.com/munnerz/goautoneg"
)

// maxAccept bounds what is looked at of an Accept header, in bytes: browsers send
// less than a tenth of it.
const maxAccept = 4 << 10

// negotiate chooses among replies what the client likes best (RFC 9110 section
// 12.5.1): rest where it does not say, likes that as well, or accepts none.
func negotiate(header http.Header, offered []*reply, rest *reply) *reply {
	accept := strings.ToLower(strings.Join(header["Accept"], ","))
	if len(offered) == 0 || accept == "" || len(accept) > maxAccept {
		return rest
	}
	clauses := goautoneg.ParseAccept(accept)
	best, most := rest, quality(clauses, rest.contentType)
	for _, rp := range offered {
		if q := quality(clauses, rp.accept); q > most {
			best, most = rp, q
		}
	}
	return best
}

// quality is how much clauses like a media type: what the most specific clause says
// that matches it, and 0 where none does.
func quality(clauses []goautoneg.Accept, contentType string) float64 {
	typ, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	family, sub, _ := strings.Cut(strings.TrimSpace(typ), "/")
	q, closest := 0.0, -1
	for i := range clauses {
		c, close := &clauses[i], -1
		switch {
		case c.Type == "*" && c.SubType == "*":
			close = 0
		case c.Type == family && c.SubType == "*":
			close = 1
		case c.Type == family && c.SubType == sub:
			close = 2
		}
		if close > closest {
			q, closest = c.Q, close
		}
	}
	return q
}
