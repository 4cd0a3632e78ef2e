package dialect

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// maxPolicies bounds the tokens of a dialect.
const maxPolicies = 20

// longLifetime is what the loader warns beyond.
const longLifetime = 31 * 24 * time.Hour

// A tokenReading is a token that has been read, for what depends on the routes.
type tokenReading struct {
	section
	name     string
	ids      []string // the claims that are ${token.id}
	audience string   // the granted fact that is aud; "" for none
	per      string   // that by which there is one session each; "" for none
}

// policies reads the section tokens.
func (r *reader) policies(n *yaml.Node, d *Dialect) {
	d.policies, d.policyDocs = map[string]core.Policy{}, map[string]string{}
	members := r.members(n, "tokens")
	d.endless = slices.ContainsFunc(members, r.isEndless)
	for i, m := range members {
		name := m.name.Value
		switch {
		case !inputName.MatchString(name):
			r.fault(m.name, "use lower-case letters, digits and underscores", "%q cannot name a token", name)
			continue
		case i == maxPolicies:
			r.fault(m.name, "join those that differ in claims alone, by expressions", "there are more than %d tokens", maxPolicies)
			return
		}
		d.policyNames = append(d.policyNames, name)
		d.policies[name] = r.policy(name, m.value, d)
		d.policyDocs[name] = r.tokens[len(r.tokens)-1].doc()
	}
}

// isEndless reports whether a token never ends.
func (r *reader) isEndless(m member) bool {
	n := memberOf(m.value, "lifetime")
	return n != nil && r.isNever(n)
}

func (r *reader) isNever(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	v := r.scalar(n, "lifetime")
	return v != nil && v.Value == neverWord
}

func (r *reader) policy(name string, n *yaml.Node, d *Dialect) core.Policy {
	s := r.named(n, &tokenShape, "token "+name)
	t := &tokenReading{section: s, name: name}
	r.tokens = append(r.tokens, t)
	p := core.Policy{Name: name, Format: core.FormatJWT, Keys: core.KeySet{Realm: d.realm, Dialect: d.name}}
	if s.word("format") == string(core.FormatOpaque) {
		p.Format = core.FormatOpaque
	}
	r.tokenLifetime(s.need("lifetime"), &p)
	if p.Format == core.FormatOpaque {
		r.opaqueToken(s, &p)
	} else {
		r.jwt(t, &p, d)
	}
	r.tokenUse(s, &p)
	r.tokenPer(t, &p)
	r.refreshToken(s.get("refresh"), &p)
	r.tokenSession(s, &p)
	p.Tracked = p.Format == core.FormatOpaque || p.Idle > 0 || p.Slot != "" || p.Refresh != nil || s.get("session") != nil
	return p
}

// tokenLifetime reads how long a token lives: one length, a choice within bounds,
// or for ever.
func (r *reader) tokenLifetime(n *yaml.Node, p *core.Policy) {
	const steal = "is as good as one without end for who steals it"
	switch {
	case n == nil:
	case r.isNever(n):
		p.Endless = true
		if p.Format != core.FormatOpaque {
			r.fault(n, "such as lifetime: 1h, or format: opaque", "a JWT always ends: whoever checks it by its signature alone learns of no other end")
			return
		}
		r.warn(n, "such as lifetime: 14d, if the contract allows", "a token that never ends serves who steals it until somebody notices")
	case n.Kind == yaml.MappingNode:
		s := r.section(n, &lifetimeShape)
		p.Lifetime = r.span(s.need("default"), "default")
		p.LeastLifetime, p.MostLifetime = time.Second, r.span(s.need("max"), "max")
		if m := s.get("min"); m != nil {
			p.LeastLifetime = r.span(m, "min")
		}
		switch {
		case p.Lifetime == 0 || p.MostLifetime == 0 || p.LeastLifetime == 0:
		case p.LeastLifetime > p.Lifetime || p.Lifetime > p.MostLifetime:
			r.fault(n, "order them min, default, max", "the default %s is not within %s and %s", p.Lifetime, p.LeastLifetime, p.MostLifetime)
		case p.MostLifetime > longLifetime:
			r.warn(s.get("max"), "shorten max, if the contract allows", "a client may choose a token that lives %s, which "+steal, p.MostLifetime)
		}
	default:
		if p.Lifetime = r.span(n, "lifetime"); p.Lifetime > longLifetime {
			r.warn(n, "shorten it, if the contract allows", "a token that lives %s "+steal, p.Lifetime)
		}
	}
}

// span reads a length of time in whole seconds; 0 after a fault.
func (r *reader) span(n *yaml.Node, what string) time.Duration {
	if n == nil {
		return 0
	}
	d, ok := r.duration(n, what)
	if ok && (d < time.Second || d%time.Second != 0) {
		r.fault(n, "such as "+what+": 1h", "%s is at least one second, and whole seconds", what)
		return 0
	}
	return d
}

// tokenUse reads what ends a token beside its age.
func (r *reader) tokenUse(s section, p *core.Policy) {
	if n := s.get("idle"); n != nil {
		p.Idle = r.span(n, "idle")
		if longest := max(p.Lifetime, p.MostLifetime); p.Idle >= longest && longest > 0 {
			r.fault(n, "shorten it, or leave it out", "idle says nothing: the token ends after %s anyway", longest)
		}
		r.unseen(n, p, "is not used")
	}
	n := s.get("one")
	if n == nil {
		return
	}
	switch p.Slot = core.SlotRule(s.word("one")); {
	case p.Slot == core.SlotNewest:
		r.unseen(n, p, "is followed by another")
	case p.Slot == core.SlotSame && p.Format != core.FormatOpaque:
		r.fault(n, "write format: opaque, or one: newest", "a JWT cannot be given again: only its digest is kept")
	case p.Slot == core.SlotSame && s.get("refresh") != nil:
		r.fault(n, "leave refresh out", "a token that is given again has no refresh token: that is never given again")
	case p.Slot == core.SlotSame:
		r.warn(n, "one: newest, if the contract allows", "the token itself is kept, sealed under the master key: who has both can sign in as anybody")
	}
}

// tokenPer reads by which granted fact there is one session each.
func (r *reader) tokenPer(t *tokenReading, p *core.Policy) {
	n := t.get("per")
	if n == nil {
		return
	}
	const hint = "such as per: ${granted.device}, and with: {device: ${input.device_id}} in the routes that issue it"
	if strings.Contains(n.Value, "${input.") {
		r.fault(n, hint, "per names an input, which is its route's own")
		return
	}
	l := r.soleExpression(n, "per", &place{what: "per of " + t.what, in: inClaims})
	switch {
	case l == nil:
	case !strings.HasPrefix(l.fact, grantedFact+"."):
		r.fault(n, hint, "per is what a route granted, as it is")
	case p.Slot != core.SlotNewest:
		r.fault(n, "write one: newest too", "per says of what there is one session each, and there is any number, or the same")
	default:
		t.per = strings.TrimPrefix(l.fact, grantedFact+".")
		p.SlotBy = t.per
	}
}

// unseen warns that who checks a JWT by its signature does not learn that it has ended.
func (r *reader) unseen(n *yaml.Node, p *core.Policy, when string) {
	if p.Format == core.FormatJWT {
		r.warn(n, "ask the server about each token, or shorten lifetime", "a JWT that %s has ended for this server alone: its signature still holds", when)
	}
}

// refreshToken reads the refresh token that goes with a token.
func (r *reader) refreshToken(n *yaml.Node, p *core.Policy) {
	if n == nil {
		return
	}
	s := r.section(n, &refreshShape)
	refresh := &core.RefreshPolicy{Opaque: r.opaque(s, "the refresh token"), Lifetime: r.span(s.need("lifetime"), "lifetime")}
	refresh.Keep = !r.boolean(s.get("rotate"), "rotate", true)
	p.Refresh = refresh
	if refresh.Keep {
		r.warn(s.get("rotate"), "leave rotate out, if the contract allows", "a refresh token that is used again and again cannot be told from a stolen one")
	}
	if n := s.get("grace"); n != nil {
		r.grace(n, refresh)
	}
	if p.Endless {
		r.fault(n, "leave it out, or give the token a lifetime", "a token that never ends has no use for a refresh token")
	}
}

// grace reads how long a used refresh token may be used again.
func (r *reader) grace(n *yaml.Node, p *core.RefreshPolicy) {
	p.Grace = r.span(n, "grace")
	switch {
	case p.Keep:
		r.fault(n, "leave it out", "a refresh token that is not replaced has no use for grace")
	case p.Grace > core.MaxGrace:
		r.fault(n, "such as grace: 30s", "grace is at most %s", core.MaxGrace)
	case p.Grace > 0:
		r.warn(n, "leave grace out, if clients do not lose answers", "who steals a refresh token within %s of its use goes on with it, and nobody notices", p.Grace)
	}
}

// tokenSession reads how long a session may go on: as long as its longest token
// unless the file says otherwise.
func (r *reader) tokenSession(s section, p *core.Policy) {
	longest := max(p.Lifetime, p.MostLifetime)
	if p.Refresh != nil {
		longest = max(longest, p.Refresh.Lifetime)
	}
	n := s.get("session")
	switch {
	case n == nil:
		p.Session = longest
	case r.isNever(n):
		r.warn(n, "such as session: 90d, if the contract allows", "a session without end goes on for as long as somebody has its tokens, whoever that is")
	case p.Endless:
		r.fault(n, "give the token that lifetime", "a token that never ends would end with its session")
	default:
		if p.Session = r.span(n, "session"); p.Session > 0 && p.Session < max(p.Lifetime, p.MostLifetime) {
			r.fault(n, "at least as long as lifetime", "the session ends before its token does")
		}
	}
	if p.Refresh != nil && p.Session > 0 && p.Session <= max(p.Lifetime, p.MostLifetime) {
		at := n
		if at == nil {
			at = s.get("refresh")
		}
		r.fault(at, "such as session: 30d", "the session ends with its first token: there would be nothing to refresh")
	}
}

// tracking settles which tokens are kept, once the routes are known: all where a
// route ends tokens, tells of them or tells them apart, unless the file says otherwise.
func (r *reader) tracking(d *Dialect) {
	asks := slices.IndexFunc(d.routes, func(rt *route) bool {
		return !rt.disabled && (len(rt.of) > 0 || slices.Contains([]Operation{Extend, Revoke, Introspect}, rt.operation.name))
	})
	for _, t := range r.tokens {
		p, n := d.policies[t.name], t.get("track")
		switch {
		case n == nil:
			p.Tracked = p.Tracked || asks >= 0
		case r.boolean(n, "track", true):
			p.Tracked = true
		case p.Tracked:
			r.fault(n, "leave it out", "the token %s must be kept: it is opaque, or has session, idle, one or refresh", t.name)
		case asks >= 0:
			r.warn(n, "leave track out", "%s cannot end tokens that are not kept, tell of them, or tell them apart", d.routes[asks].name())
		}
		if p.Tracked && p.Format == core.FormatJWT && t.get("claims") != nil && len(t.ids) == 0 {
			r.fault(t.get("claims"), "add jti: ${token.id}", "the token %s is kept, as %s, and no claim is ${token.id} alone: two that are made in one second would be the same, and who ends one ends both",
				t.name, t.keptFor(asks, d))
		}
		if !p.Tracked {
			p.Session = 0 // there is none
			if p.KeyClaim == "" && slices.Contains(d.subject, core.SubjectKey) && t.get("claims") != nil {
				r.warn(t.get("claims"), "add a claim that is ${key.id}", "no claim holds ${key.id}: to revoke an access key does not end its tokens")
			}
		}
		d.policies[t.name] = p
		r.grants(t, "aud", t.audience, d)
		r.grants(t, "per", t.per, d)
	}
}

// keptFor says why the token is kept: for what it has, or for the route of an index.
func (t *tokenReading) keptFor(asks int, d *Dialect) string {
	for _, name := range []string{"refresh", "session", "idle", "one"} {
		if t.get(name) != nil {
			return "it has the member " + name
		}
	}
	if t.get("track") != nil || asks < 0 {
		return "track says"
	}
	return d.routes[asks].name() + " ends tokens, tells of them or tells them apart"
}

// grants checks that who mints a token grants a fact that a member of it is; "" is none.
func (r *reader) grants(t *tokenReading, member, fact string, d *Dialect) {
	for _, rt := range d.routes {
		if fact != "" && rt.policy == t.name && !slices.Contains(rt.granted, fact) {
			r.fault(rt.node, "add "+fact+" to with", "%s issues the token %s, whose %s is granted.%s, and does not grant it", rt.name(), t.name, member, fact)
		}
	}
}

// foreign refuses the members that a token of another format has.
func (r *reader) foreign(s section, what, format string, names ...string) {
	for _, name := range names {
		if n := s.get(name); n != nil {
			r.fault(n, "leave it out, or write format: "+format, "%s has no member %s", what, strings.TrimSpace(name))
		}
	}
}
