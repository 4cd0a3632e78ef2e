package dialect

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// spreadSecrecy makes secrets of the inputs that read what is one, whatever their
// names: where another input that is a secret reads, or a token may come.
func (r *reader) spreadSecrecy(all []*input) {
	for changed := true; changed; { // one may read at two places, and spread from one to the other
		changed = false
		for _, in := range all {
			if in.secret {
				continue
			}
			if in.secretAs = r.readsSecret(in, all); in.secretAs != "" {
				in.secret, changed = true, true
			}
		}
	}
	for _, in := range all {
		if secretName(in.name) && !in.secret {
			r.warn(in.node, "write secret: true", "input %s is no secret to the file: replies can show it", in.name)
		}
	}
}

// readsSecret says which secret an input reads too, or "".
func (r *reader) readsSecret(in *input, all []*input) string {
	for _, src := range in.sources {
		if src.credential() {
			return src.text() + " brings a credential, whatever the route makes of it"
		}
		if what := r.bringsToken(&src); what != "" {
			return fmt.Sprintf("%s brings %s, which is presented.value in replies to whoever presents it", src.text(), what)
		}
		for _, other := range all {
			if other.secret && slices.ContainsFunc(other.sources, func(s source) bool { return r.overlap(&src, &s) }) {
				return fmt.Sprintf("it reads %s, as the secret %s does", src.text(), other.name)
			}
		}
	}
	return ""
}

// credential reports whether a place is for credentials, also where nothing reads it
// as one.
func (s *source) credential() bool {
	if s.place == "header" {
		name := http.CanonicalHeaderKey(s.name)
		return name == "Authorization" || name == "Proxy-Authorization"
	}
	return s.place == "basic" && s.name == "password"
}

// secretPath reports whether a secret of the route comes in the path.
func (p *place) secretPath() bool {
	for _, in := range p.inputs {
		if in.secret && slices.ContainsFunc(in.sources, func(s source) bool { return s.place == "path" }) {
			return true
		}
	}
	return false
}

// bringsToken says what a source brings where that is a bearer token, or "".
func (r *reader) bringsToken(src *source) string {
	if src.place == "bearer" {
		return "the bearer token"
	}
	for i := range r.dialect.carriers {
		c := &r.dialect.carriers[i]
		if r.overlap(src, &source{place: c.in, name: c.name}) {
			return "the token of a carrier"
		}
	}
	return ""
}

// overlap reports whether what one source holds is, or is in, what another holds.
func (r *reader) overlap(a, b *source) bool {
	switch {
	case a.place == b.place && a.place == "body":
		same := func(x, y string) bool { return x == y || r.dialect.foldNames && body.EqualFold(x, y) }
		from, to := withoutFirst(a.path), withoutFirst(b.path)
		short := min(len(from), len(to))
		return slices.EqualFunc(from[:short], to[:short], same)
	case a.place == b.place:
		return a.name == b.name
	}
	return a.carries(b) || b.carries(a)
}

// carries reports whether a header holds another source: Authorization what is read of
// it, Cookie all cookies.
func (s *source) carries(other *source) bool {
	if s.place != "header" {
		return false
	}
	switch http.CanonicalHeaderKey(s.name) {
	case "Authorization":
		return other.place == "basic" && other.name == "password" || other.place == "bearer"
	case "Cookie":
		return other.place == "cookie"
	}
	return false
}

// presentedToken is the token that the request is about: that of an input, or else the
// bearer's. It is known to replies that go back to its sender.
func (c *Call) presentedToken(r *http.Request) core.Secret {
	for _, role := range []string{roleToken, roleRefresh} {
		if in := c.route.roles[role]; in != nil && c.read[in.index].present {
			return core.NewSecret(c.read[in.index].value.Text())
		}
	}
	token, _, _ := c.dialect.bearer(r)
	return token
}

// why says why an input is a secret, for hints.
func (in *input) why() string {
	if in.secretAs == "" {
		return "only $echo in an issue's template sends a secret back to its sender"
	}
	return in.secretAs
}
