package dialect

import (
	"slices"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A newcomer is what register gives to a new account beside its inputs.
type newcomer struct {
	attributes []newAttribute
	roles      []string
	verified   bool
}

// A newAttribute is an attribute from an input, or the current instant.
type newAttribute struct {
	name string
	from *input // nil: now
}

// newcomer reads set.
func (r *reader) newcomer(s section, rt *route, d *Dialect) {
	if rt.operation.name != Register {
		return
	}
	if n := s.get("set"); n != nil {
		set := r.section(n, &setShape)
		for _, m := range r.members(set.get("attributes"), "set.attributes") {
			r.newAttribute(m, rt, d)
		}
		for _, item := range r.items(set.get("roles"), "roles") {
			if role := r.text(item, "a role"); role != "" {
				rt.newcomer.roles = append(rt.newcomer.roles, role)
			}
		}
		if v := set.get("verified"); v != nil {
			if rt.newcomer.verified = r.boolean(v, "verified", false); rt.newcomer.verified {
				r.warn(v, "leave it out, and have the address verified by a mail", "an account counts as verified though nobody proved its address")
			}
		}
	}
	if issue := s.get("issue"); issue != nil && !rt.newcomer.verified && !d.admitUnverified {
		r.fault(issue, "write admit: unverified, or set: {verified: true}, or leave issue out", "a new account is not verified, and gets no token")
	}
}

// tellsTaken warns of routes that tell which accounts there are, and which tenants.
func (r *reader) tellsTaken(d *Dialect) {
	for _, rt := range d.served() {
		if rt.operation.name != Register {
			continue
		}
		names := slices.ContainsFunc(tenantRoles, func(role string) bool { return rt.roles[role] != nil })
		if names && !rt.ok.same(rt.replies[core.InvalidField]) {
			r.warn(rt.node, "reply to invalid_field as to a success, if the contract allows, or leave the tenant out", "register tells which tenants there are: invalid_field")
		}
		if !rt.ok.same(rt.replies[core.AccountExists]) {
			r.warn(rt.node, "reply to account_exists as to a success, if the contract allows, or leave the route out", "register tells which login names are taken: account_exists")
		}
	}
}

func (r *reader) newAttribute(m member, rt *route, d *Dialect) {
	text := r.text(m.value, "attribute "+m.name.Value)
	name, ok := strings.CutPrefix(text, "input.")
	a := newAttribute{name: m.name.Value, from: rt.byName[name]}
	switch {
	case text == "":
		return
	case text == "now":
		a.from = nil
	case !ok:
		r.fault(m.value, "write input.NAME, or now", "an attribute comes from an input or the clock, not from %q", text)
		return
	case a.from == nil:
		r.fault(m.value, didYouMean(name, inputNames(rt)), "the route has no input %q", name)
		return
	case a.from.secret:
		r.fault(m.value, "read what is no secret from an input of its own", "input %s is a secret, and attributes are none", name)
	case a.from.typ == "any" || a.from.typ == "object":
		r.fault(m.value, "attributes are texts, numbers, booleans or lists of texts", "input %s is of type %s", name, a.from.typ)
	}
	rt.newcomer.attributes = append(rt.newcomer.attributes, a)
	if !slices.Contains(d.attributes, a.name) {
		d.attributes = append(d.attributes, a.name)
	}
}

func inputNames(rt *route) []string {
	names := make([]string, len(rt.inputs))
	for i, in := range rt.inputs {
		names[i] = in.name
	}
	return names
}

// newAttributes are those of the account that a request asks for; what it did not
// send stays unset.
func (c *Call) newAttributes() core.Attributes {
	if len(c.route.newcomer.attributes) == 0 {
		return nil
	}
	all := make(core.Attributes, len(c.route.newcomer.attributes))
	for _, a := range c.route.newcomer.attributes {
		if a.from == nil {
			all[a.name] = c.dialect.now().UTC().Format(time.RFC3339)
		} else if read := c.read[a.from.index]; read.present {
			all[a.name] = attributeOf(read.value)
		}
	}
	return all
}

// attributeOf is a value as core keeps attributes.
func attributeOf(v body.Value) any {
	if v.Kind() == body.Number {
		return size(v)
	}
	return native(v)
}

// signsInAlone reports whether the route signs accounts in by a login name without
// naming a tenant, at least sometimes.
func (rt *route) signsInAlone() bool {
	if rt.operation.name != Authenticate || !slices.Contains(rt.as, core.SubjectAccount) || rt.roles[roleIdentifier] == nil {
		return false
	}
	return !slices.ContainsFunc(tenantRoles, func(role string) bool {
		in := rt.roles[role]
		return in != nil && (in.required.always() || in.fallback != nil)
	})
}
