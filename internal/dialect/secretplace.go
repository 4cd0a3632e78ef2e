package dialect

import (
	"slices"
	"strings"
)

// markSecrets makes secrets of the inputs that hold one by another name: they read a
// place where a token or a password comes, or where a secret of the route does.
func (r *reader) markSecrets(all []*input) {
	var secrets []source
	for _, in := range all {
		if in.secret {
			secrets = append(secrets, in.sources...)
		}
	}
	for _, in := range all {
		in.secret = in.secret || slices.ContainsFunc(in.sources, func(s source) bool {
			return r.credential(s) || slices.ContainsFunc(secrets, s.overlaps)
		})
	}
}

// credential reports whether a place is for tokens and passwords, whatever a route
// makes of it.
func (r *reader) credential(s source) bool {
	switch {
	case s.place == "bearer", s.place == "basic" && s.name == "password":
		return true
	case s.place == "header" && slices.Contains([]string{"Authorization", "Proxy-Authorization", "Cookie"}, s.name):
		return true
	}
	return slices.ContainsFunc(r.dialect.carriers, func(c carrier) bool { return c.in == s.place && c.name == s.name })
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

// overlaps reports whether two places are one, or one is inside the other. Names
// that differ in case alone may be one to the contract.
func (s source) overlaps(other source) bool {
	if s.place != other.place || s.place != "body" {
		return s.place == other.place && strings.EqualFold(s.name, other.name)
	}
	for i := range min(len(s.path), len(other.path)) {
		if !strings.EqualFold(s.path[i], other.path[i]) {
			return false
		}
	}
	return true
}
