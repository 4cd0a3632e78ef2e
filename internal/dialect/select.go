package dialect

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// maxGroup bounds the routes of one method and path.
const maxGroup = 10

// typeWord stands for the request's media type among the sources of when.
const typeWord = "type"

// A match is what one place of a request must hold for a route to be taken.
type match struct {
	node    *yaml.Node
	text    string // the place, as the file writes it
	source  source // unless the place is the media type
	target  target
	types   []acceptType
	values  []body.Value
	allowed []any
	present *bool // asks only whether it is there
}

// when reads the conditions of a route, in the file's order.
func (r *reader) when(n *yaml.Node) []match {
	var all []match
	for _, m := range r.members(n, "when") {
		cond := match{node: m.name, text: m.name.Value}
		if cond.text != typeWord {
			src, ok := r.source(m.name, cond.text)
			if !ok {
				continue
			}
			cond.source, cond.target = src, src.target("")
		}
		if r.wanted(m.value, &cond) {
			all = append(all, cond)
		}
	}
	if n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fault(n, "leave it out", "when says nothing")
	}
	return all
}

// place is the same for all spellings of a place.
func (m *match) place() string {
	if m.text == typeWord || m.source.place == "body" {
		return m.text
	}
	return m.source.place + "." + m.source.name
}

// wanted reads what a place must hold: a value, or one of equals, one_of and present.
func (r *reader) wanted(n *yaml.Node, m *match) bool {
	values := []*yaml.Node{n}
	if n.Kind == yaml.MappingNode {
		s := r.section(n, &whenConditionShape)
		if len(n.Content) != 2 {
			r.fault(n, "keep one of equals, one_of, present", "a condition has one member, not %d", len(n.Content)/2)
			return false
		}
		switch {
		case s.get("present") != nil:
			is := r.boolean(s.get("present"), "present", true)
			m.present = &is
			return true
		case s.get("equals") != nil:
			values = []*yaml.Node{s.get("equals")}
		default:
			values = r.items(s.get("one_of"), "one_of")
		}
	} else if n.Kind == yaml.SequenceNode {
		r.fault(n, "write {equals: […]} or {one_of: […]}", "a list may be one value, or several")
		return false
	}
	for _, item := range values {
		if m.text == typeWord {
			m.types = append(m.types, r.acceptType(item)...)
			m.allowed = append(m.allowed, item.Value)
			continue
		}
		if v, ok := r.constantValue(item, "any"); ok {
			m.values, m.allowed = append(m.values, v), append(m.allowed, native(v))
		}
	}
	return true
}

// holds reports whether a request holds what the match wants.
func (m *match) holds(src *requestSource) bool {
	if m.text == typeWord {
		typ := src.call.mediaType
		if m.present != nil {
			return (typ != "") == *m.present
		}
		return slices.ContainsFunc(m.types, func(t acceptType) bool { return t.matches(typ) })
	}
	v, count := src.read(m.source)
	if m.present != nil {
		return (count > 0) == *m.present
	}
	return count == 1 && slices.ContainsFunc(m.values, func(want body.Value) bool {
		if want.Kind() == body.List {
			return src.asList(m.source, v).Equal(want)
		}
		return v.Equal(want) || src.textual(m.source) && fromText(v, typeOf(want)).Equal(want)
	})
}

// typeOf is the type of input that could hold a value.
func typeOf(v body.Value) string {
	switch v.Kind() {
	case body.Number:
		return "number"
	case body.Bool:
		return "boolean"
	default:
		return "string"
	}
}

// choose takes the first route of the group whose conditions the request holds.
func (c *Call) choose(src *requestSource) error {
	for _, rt := range c.group {
		if slices.ContainsFunc(rt.when, func(m match) bool { return !m.holds(src) }) {
			continue
		}
		if rt != c.route {
			c.take(rt)
		}
		if c.trace != nil && len(rt.when)+len(c.group) > 1 {
			c.step("when", rt.node.Line, "%s", rt.name())
		}
		return nil
	}
	i := c.unmatched(src)
	c.traceIssues([]issue{i})
	return &core.Error{Kind: i.kind, Err: &refusal{issues: []issue{i}}}
}

// unmatched is the issue of a request that no route of its path takes: what the
// first condition asks about is absent, or something else.
func (c *Call) unmatched(src *requestSource) issue {
	first := &c.group[0].when[0]
	i := issue{rule: ruleWhen, kind: ruleKind(ruleWhen), target: first.target}
	if first.text == typeWord {
		i.target = newTarget("header", []string{"Content-Type"}, "")
	} else {
		v, count := src.read(first.source)
		if count == 0 {
			i.rule, i.kind = ruleRequired, ruleKind(ruleRequired)
			return i
		}
		i.value, i.sent = v, true
	}
	for _, rt := range c.group {
		for k := range rt.when {
			if rt.when[k].place() == first.place() {
				i.allowed = append(i.allowed, rt.when[k].allowed...)
			}
		}
	}
	return i
}

// unmatchedIssues are the issues that [Call.unmatched] can find in requests to a group.
func unmatchedIssues(group []*route) []issue {
	if slices.ContainsFunc(group, func(rt *route) bool { return len(rt.when) == 0 }) {
		return nil // which takes the rest
	}
	issues := []issue{{rule: ruleWhen, kind: ruleKind(ruleWhen)}}
	if group[0].when[0].text != typeWord {
		issues = append(issues, issue{rule: ruleRequired, kind: ruleKind(ruleRequired)})
	}
	return issues
}

// first is the earliest route of the dialect that shares a method and the path with
// rt, or nil. One that is switched off is none to a route that is served.
func (d *Dialect) first(rt *route) *route {
	i := slices.IndexFunc(d.routes, func(other *route) bool { return other.shares(rt) && (rt.disabled || !other.disabled) })
	if i < 0 {
		return nil
	}
	return d.routes[i]
}

func (rt *route) shares(other *route) bool {
	return rt.path.text == other.path.text &&
		slices.ContainsFunc(rt.methods, func(method string) bool { return slices.Contains(other.methods, method) })
}

// conditions is the same text for two routes that the same requests match.
func (rt *route) conditions() string {
	texts := make([]string, len(rt.when))
	for i := range rt.when {
		m := &rt.when[i]
		text := m.place()
		if m.present != nil {
			text += " present"
			if !*m.present {
				text += " not"
			}
		}
		for _, t := range m.types {
			text += " " + t.typ + "*" + t.suffix
		}
		for _, v := range m.values {
			text += " " + string(body.AppendJSON(nil, v))
		}
		texts[i] = text
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// holdable checks that what a route's conditions want can be in their places.
func (r *reader) holdable(rt *route) {
	for i := range rt.when {
		m := &rt.when[i]
		texts := m.source.place != "body" || !rt.accept.reads(formJSON, formXML)
		if m.text == typeWord || !texts {
			continue
		}
		for _, v := range m.values {
			if v.Kind() == body.List || v.Kind() == body.Object {
				r.fault(m.node, "compare it with a text or a number", "%s holds text alone, and never %s", m.text, body.AppendJSON(nil, v))
			}
		}
	}
}
