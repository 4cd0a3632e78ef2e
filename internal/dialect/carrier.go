package dialect

import (
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A carrier is a place where requests bring the bearer token.
type carrier struct {
	in     string // header, query or cookie
	name   string
	scheme string   // the word before the token; "" for the bare token
	with   []string // headers that must be there too
	line   int      // of the file
}

var defaultCarriers = []carrier{{in: "header", name: "Authorization", scheme: "Bearer"}}

func (r *reader) carriers(n *yaml.Node) []carrier {
	if n == nil {
		return defaultCarriers
	}
	var all []carrier
	for _, item := range r.items(n, "carriers") {
		s := r.section(item, &carrierShape)
		where, name := s.need("in"), s.need("name")
		if where == nil || name == nil {
			continue
		}
		c := carrier{in: s.word("in"), name: r.text(name, "name"), line: item.Line}
		if scheme := s.get("scheme"); scheme != nil {
			c.scheme = r.text(scheme, "scheme")
			if c.in != "header" || !headerName.MatchString(c.scheme) {
				r.fault(scheme, "such as scheme: Bearer", "%q cannot be the scheme of a carrier in the %s", c.scheme, c.in)
			}
		}
		c.with = r.headerNames(s.get("with"), "with")
		switch {
		case c.in == "query":
			r.warn(item, "queries end up in the logs of proxies and in browsers' histories", "the token may come in the query")
		case c.in == "header" && !headerName.MatchString(c.name):
			r.fault(name, "such as name: X-Auth-Token", "%q cannot name a header", c.name)
		case c.in == "header":
			c.name = http.CanonicalHeaderKey(c.name)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		r.fault(n, "leave carriers out for Authorization: Bearer", "there is no carrier")
	}
	return all
}

func (r *reader) headerNames(n *yaml.Node, what string) []string {
	var names []string
	for _, item := range r.items(n, what) {
		name := r.text(item, what)
		if name != "" && !headerName.MatchString(name) {
			r.fault(item, "such as X-Api-Key", "%q cannot name a header", name)
		}
		names = append(names, http.CanonicalHeaderKey(name))
	}
	return names
}

// Bearer reads the token of a request by the dialect's carriers, in their order.
// It refuses with TokenMissing, and with TokenInvalid where a carrier is there
// but holds no token, or several.
func (d *Dialect) Bearer(r *http.Request) (core.Secret, error) {
	token, from, err := d.bearer(r)
	if err == nil {
		d.traceBearer(from)
	}
	return token, err
}

// bearer is Bearer for whoever looks once more, with the carrier that has the token.
func (d *Dialect) bearer(r *http.Request) (core.Secret, *carrier, error) {
	for i := range d.carriers {
		if slices.ContainsFunc(d.carriers[i].with, func(name string) bool { return len(r.Header[name]) == 0 }) {
			continue
		}
		token, found, err := d.carriers[i].read(r, d.limits)
		if err != nil {
			return core.Secret{}, nil, err
		}
		if found {
			return core.NewSecret(token), &d.carriers[i], nil
		}
	}
	return core.Secret{}, nil, &core.Error{Kind: core.TokenMissing}
}

func (c *carrier) read(r *http.Request, limits body.Limits) (token string, found bool, err error) {
	switch c.in {
	case "header":
		return c.readHeader(r.Header[c.name])
	case "cookie":
		cookies := r.CookiesNamed(c.name)
		if len(cookies) > 1 {
			return "", false, invalidToken()
		}
		if len(cookies) == 1 {
			token = cookies[0].Value
		}
	case "query":
		query, err := body.ParseForm([]byte(r.URL.RawQuery), limits)
		if err != nil {
			return "", false, invalidToken()
		}
		v, _ := query.Member(c.name)
		token = v.Text()
	}
	return token, token != "", nil
}

// readHeader splits at the first blank and compares the scheme without regard to
// case. A header that comes twice is no credential: proxies would disagree on it.
func (c *carrier) readHeader(values []string) (token string, found bool, err error) {
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", false, invalidToken()
	}
	if c.scheme == "" {
		token = strings.Trim(values[0], " \t")
		return token, token != "", nil
	}
	scheme, token, _ := strings.Cut(strings.Trim(values[0], " \t"), " ")
	if !strings.EqualFold(scheme, c.scheme) {
		return "", false, nil
	}
	if token = strings.Trim(token, " \t"); token == "" {
		return "", false, invalidToken()
	}
	return token, true, nil
}

func invalidToken() error { return &core.Error{Kind: core.TokenInvalid} }
