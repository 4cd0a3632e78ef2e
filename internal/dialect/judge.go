package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// Bounds of what a route grants.
const (
	maxGranted     = 8
	maxGrantedSize = 4 << 10 // bytes of JSON
)

// A judgement is what a route grants and forbids whoever has been proved, and what
// it asks of the token.
type judgement struct {
	with      []grant
	granted   []string // the names of with
	allow     *condition
	otherwise core.Kind  // where allow does not hold
	lifetime  *leaf      // in seconds; nil for the policy's own
	refresh   *condition // nil: as the policy says
}

// A grant is a fact granted.NAME in the making.
type grant struct {
	name string
	line int // of the file
	leaf *leaf
}

// judgement reads with, allow, lifetime and refresh.
func (r *reader) judgement(s section, rt *route, d *Dialect) {
	p := &place{what: "with and allow of " + rt.name(), in: inGrant | inRequest, keys: slices.Contains(rt.as, core.SubjectKey), inputs: rt.byName, decoded: true}
	r.with(s.get("with"), rt, p)
	rt.otherwise = core.Forbidden
	if n := s.get("else"); n != nil {
		rt.otherwise = core.Kind(s.word("else"))
		if s.get("allow") == nil {
			r.fault(n, "say when, as in allow: ${'admin' in account.roles}", "else without allow never comes about")
		}
	}
	if n := s.get("allow"); n != nil {
		at := *p
		if rt.caller == CallerBearer || rt.caller == CallerClient {
			at.in |= inCaller
		}
		if rt.allow = r.condition(n, "allow", &at); rt.allow.anyway() {
			r.fault(n, "leave it out", "allow always holds")
		}
	}
	p = &place{what: "lifetime and refresh of " + rt.name(), in: inRequest, inputs: rt.byName, decoded: true}
	r.chosenLifetime(s.get("lifetime"), rt, d, p)
	if n := s.get("refresh"); n != nil {
		rt.refresh = r.condition(n, "refresh", p)
		if policy, ok := d.policies[rt.policy]; ok && policy.Refresh == nil {
			r.fault(n, "leave it out, or give the token a refresh", "there is no refresh token beside %s", rt.policy)
		}
	}
}

func (r *reader) with(n *yaml.Node, rt *route, p *place) {
	if n != nil && rt.policy == "" && rt.operation.mints == mintsIfNamed {
		r.fault(n, "name a token with issue, or leave it out", "there is no token to grant anything to")
	}
	for _, m := range r.members(n, "with") {
		name := m.name.Value
		switch {
		case !inputName.MatchString(name):
			r.fault(m.name, "use lower-case letters, digits and underscores", "%q cannot name what is granted", name)
			continue
		case len(rt.with) == maxGranted:
			r.fault(m.name, "join some, as in ${input.a + ' ' + input.b}", "with grants more than %d things", maxGranted)
			return
		}
		l := r.soleExpression(m.value, "granted."+name, p)
		switch {
		case l == nil:
			l = &leaf{get: func(*scope) (any, error) { return nil, nil }} // its name is known all the same
		case l.typ == instantType:
			text := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(m.value.Value, "${"), "}"))
			r.fault(m.value, "write iso("+text+", 6) or epoch("+text+")", "an instant has no form in a session")
		}
		rt.with, rt.granted = append(rt.with, grant{name, m.name.Line, l}), append(rt.granted, name)
	}
}

// chosenLifetime reads the expression for a token's life.
func (r *reader) chosenLifetime(n *yaml.Node, rt *route, d *Dialect, p *place) {
	if n == nil {
		return
	}
	rt.lifetime = r.soleExpression(n, "lifetime", p)
	if l := rt.lifetime; l != nil && (l.typ != integerType || l.nullable) {
		r.fault(n, "such as lifetime: ${input.minutes == null ? 3600 : input.minutes * 60}", "lifetime must always be a whole number of seconds")
	}
	for _, policy := range d.taken(rt) {
		if (rt.policy == policy.Name || rt.operation.mints == mintsAsBefore) && policy.MostLifetime == 0 {
			r.fault(n, "such as lifetime: {default: 1h, min: 5m, max: 24h} in tokens."+policy.Name, "token %s has no bounds for a lifetime that requests choose", policy.Name)
		}
	}
}

// judge is what core asks about whoever has been proved; nil where there is
// nothing to ask.
func (c *Call) judge() core.Judge {
	rt := c.route
	if len(rt.with) == 0 && rt.allow == nil {
		return nil
	}
	return func(judged core.Judged) (core.Granted, error) {
		s := newScope(c.dialect, c)
		defer s.release()
		s.identify(&judged.Identity)
		s.caller = judged.Caller
		if len(rt.with) > 0 {
			if err := rt.grant(s); err != nil {
				return nil, err
			}
		}
		holds, err := rt.allow.holds(s)
		c.traceJudgement(s.granted, holds)
		switch {
		case err != nil:
			return nil, &core.Error{Kind: core.KindOf(err), Err: err}
		case rt.allow != nil && !holds:
			return nil, &core.Error{Kind: rt.otherwise, Err: errors.New("allow does not hold")}
		}
		return s.granted, nil
	}
}

// grant puts what with says into the scope; what is null is not granted.
func (j *judgement) grant(s *scope) error {
	s.granted = make(core.Granted, len(j.with))
	for _, g := range j.with {
		v, err := g.leaf.get(s)
		if err != nil {
			return &core.Error{Kind: core.KindOf(err), Err: err}
		}
		if v != nil {
			s.granted[g.name] = v
		}
	}
	text, err := json.Marshal(s.granted)
	switch {
	case err != nil:
		return &core.Error{Kind: core.Internal, Err: fmt.Errorf("with: %w", err)}
	case len(text) > maxGrantedSize:
		return &core.Error{Kind: core.FieldTooLarge, Err: fmt.Errorf("%d bytes would be granted", len(text))}
	}
	return nil
}

// wish asks what the request wishes of the token, beside its inputs.
func (c *Call) wish() error {
	rt := c.route
	if rt.lifetime == nil && rt.refresh == nil {
		return nil
	}
	s := newScope(c.dialect, c)
	defer s.release()
	if rt.refresh != nil {
		holds, err := rt.refresh.holds(s)
		if err != nil {
			return err
		}
		c.withoutRefresh = !holds
	}
	if rt.lifetime != nil {
		v, err := rt.lifetime.get(s)
		if err != nil {
			return err
		}
		seconds, ok := v.(int64)
		if !ok {
			return fmt.Errorf("lifetime is a %T", v)
		}
		// The policy's bounds are core's to keep: 0 would ask for nothing.
		c.lifetime = time.Duration(min(max(seconds, 1), math.MaxInt64/int64(time.Second))) * time.Second
	}
	return nil
}

// A mention is a name in an expression whose declaration is yet to be read.
type mention struct {
	node   *yaml.Node
	name   string
	offset int
}

// namesGranted notes that an expression names granted.NAME.
func (r *reader) namesGranted(n *yaml.Node, name string, offset int) {
	r.granted = append(r.granted, mention{n, name, offset})
}

// grantedNames checks that some route grants what expressions read.
func (r *reader) grantedNames(d *Dialect) {
	var known []string
	for _, rt := range d.routes {
		known = append(known, rt.granted...)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, m := range r.granted {
		if !slices.Contains(known, m.name) {
			r.faultAt(m.node, m.offset, didYouMean(m.name, known), "no route grants %s", m.name)
		}
	}
}
