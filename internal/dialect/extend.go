package dialect

import (
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// extension reads how a route extends tokens, and checks that there is something that
// it can extend.
func (r *reader) extension(s section, rt *route, d *Dialect) {
	if rt.operation.name != Extend {
		return
	}
	taken := d.taken(rt)
	rt.endOld = s.word("old") == "end"
	rt.same = r.boolean(s.get("same"), "same", false)
	if rt.same {
		r.extendsSame(s, taken)
	}
	if !slices.ContainsFunc(taken, func(p core.Policy) bool { return extends(p, rt.same) }) {
		r.fault(s.node, "give a token more, such as session: 12h, or a shorter lifetime", "no token has a session that goes on beyond it: one as long as the token is too short")
	}
	if s.get("of") == nil {
		r.extendsRefreshed(rt, taken)
	}
}

// extendsRefreshed warns of a short token that goes on without its refresh token.
func (r *reader) extendsRefreshed(rt *route, taken []core.Policy) {
	for _, p := range taken {
		if p.Refresh == nil {
			continue
		}
		meant := p.Name
		if i := slices.IndexFunc(taken, func(p core.Policy) bool { return p.Refresh == nil }); i >= 0 {
			meant = taken[i].Name
		}
		r.warn(rt.node, "say whose it is, such as of: "+meant, "extend takes the token %s too, which has refresh: who steals it needs no refresh token to go on", p.Name)
	}
}

// extendsSame refuses what cannot be the same token again.
func (r *reader) extendsSame(s section, taken []core.Policy) {
	if n := s.get("old"); n != nil {
		r.fault(n, "leave it out", "the token at hand is the new one: there is no old one")
	}
	for _, p := range taken {
		if p.Format != core.FormatOpaque {
			r.fault(s.get("same"), "leave it out, or name opaque tokens in of", "the token %s cannot live longer: its end is signed with it", p.Name)
		}
	}
}

// extends reports whether some token of a policy can end before its session. The
// same token is given what is left of the session, however little that is.
func extends(p core.Policy, same bool) bool {
	shortest := p.Lifetime
	if p.MostLifetime > 0 {
		shortest = p.LeastLifetime
	}
	return !p.Endless && (same || p.Session == 0 || p.Session > shortest)
}
