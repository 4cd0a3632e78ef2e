package dialect

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// A route is one operation at one place.
type route struct {
	node      *yaml.Node
	disabled  bool   // it is checked, and not served
	title     string // what it does, for headings; "" for the operation's
	about     string // what people are told about it
	methods   []string
	path      path
	when      []match // what else its requests hold; empty for all
	accept    accept
	inputs    []*input // in the order of the file
	byName    map[string]*input
	roles     map[string]*input // those that the operation takes
	fromBody  bool              // whether any input is read from the body
	bodyNames []string
	doing

	ok             *answer
	errors         map[core.Kind]*answer
	replies        map[core.Kind]*answer // what answers each kind, the file's replies included
	issueTemplates map[string]node
}

// name is the route as messages know it.
func (rt *route) name() string { return strings.Join(rt.methods, ", ") + " " + rt.path.text }

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// route reads one route. The dialect has its settings, subject and policies by then.
func (r *reader) route(n *yaml.Node, d *Dialect) *route {
	s := r.section(n, &routeShape)
	rt := &route{node: n, disabled: !r.enabled(s.get("enabled")), about: s.doc()}
	rt.title = r.title(s.get("title"))
	warned := len(r.warnings)
	r.routeOn(s.need("on"), rt)
	rt.inputs = r.inputs(s.get("inputs"))
	rt.byName = readable(rt.inputs)
	rt.bodyNames = bodyNames(rt)
	rt.fromBody = len(rt.bodyNames) > 0
	r.routeAccept(s.get("accept"), rt, d.first(rt))
	r.holdable(rt)
	r.pathInputs(rt)
	r.routeDo(s.need("do"), rt, d)
	r.xmlPaths(rt)
	what := "the reply to " + rt.name()
	p := &place{what: what, in: rt.operation.reply, keys: slices.Contains(rt.as, core.SubjectKey), inputs: rt.byName, endless: rt.endless(d), unrenewed: !rt.renews(d)}
	switch ok := s.get("ok"); {
	case rt.outcome != "" && ok != nil:
		r.fault(ok, "leave it out", "a route that always ends in %s has no success", rt.outcome)
	case rt.outcome != "":
	case s.need("ok") != nil && rt.operation.name != "":
		rt.ok = r.answer(ok, what, http.StatusOK, p)
	}
	at := *p
	at.in = inError
	rt.errors = r.answers(s.get("errors"), &at)
	rt.issueTemplates = r.issueTemplates(s.get("issues"))
	if rt.disabled {
		r.warnings = r.warnings[:warned] // nothing of it costs anything
	}
	return rt
}

// enabled reads whether a route is served: true, false, or an expression that names
// settings alone, so that it is known at load.
func (r *reader) enabled(n *yaml.Node) bool {
	if n == nil {
		return true
	}
	before := len(r.faults)
	c := r.condition(n, "enabled", &place{what: "enabled, which names settings alone"})
	if c == nil || len(r.faults) > before {
		return true // so that the rest of the route is looked at
	}
	is, err := c.holds(r.constants())
	if err != nil {
		r.fault(n, "such as ${setting.a && !setting.b}", "enabled cannot be told: %v", lastOf(err))
	}
	return is
}

// maxTitle bounds a route's title, in characters: it is a heading, and a link.
const maxTitle = 60

func (r *reader) title(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	text := r.text(n, "title")
	switch length := utf8.RuneCountInString(text); {
	case length > maxTitle:
		r.fault(n, "tell the rest in doc", "the title has %d characters, more than %d", length, maxTitle)
	case strings.ContainsFunc(text, unicode.IsControl):
		r.fault(n, "write it on one line", "the title holds a line break or another control character")
	}
	return strings.TrimSpace(text)
}

func (r *reader) routeOn(n *yaml.Node, rt *route) {
	if n == nil {
		return
	}
	on := r.section(n, &onShape)
	on.need("method")
	rt.methods = on.words("method")
	if p := on.need("path"); p != nil {
		rt.path = r.path(p)
	}
	rt.when = r.when(on.get("when"))
}

// routeAccept reads the media types of a route, which are those of its path's first.
func (r *reader) routeAccept(n *yaml.Node, rt, first *route) {
	if first == nil || n != nil {
		rt.accept = r.accept(n, rt.fromBody, rt.node)
		return
	}
	rt.accept = first.accept
	if rt.fromBody && rt.accept.bodiless() {
		r.fault(rt.node, "declare accept there", "the route reads inputs from the body, but its path's first route, on line %d, accepts none", first.node.Line)
	}
}

// pathInputs checks that inputs from the path name variables of it.
func (r *reader) pathInputs(rt *route) {
	var known []string
	for _, v := range rt.path.variables {
		if v != "" {
			known = append(known, v)
		}
	}
	check := func(n *yaml.Node, src source) {
		if src.place == "path" && !slices.Contains(known, src.name) {
			r.fault(n, "write {"+src.name+"} as a segment of the path", "path %q has no variable %q", rt.path.text, src.name)
		}
	}
	for i := range rt.when {
		check(rt.when[i].node, rt.when[i].source)
	}
	for _, in := range rt.inputs {
		for _, src := range in.sources {
			check(in.node, src)
		}
	}
}

// subject reads whom a dialect or a route takes.
func (r *reader) subject(n *yaml.Node, what string) []core.SubjectKind {
	var kinds []core.SubjectKind
	for _, item := range r.items(n, what) {
		kind := core.SubjectKind(r.word(item, what, subjectSlot.Words...))
		switch {
		case kind == "":
		case slices.Contains(kinds, kind):
			r.fault(item, "remove one of the two", "%s is here twice", kind)
		default:
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// endless reports whether the route's token may have no end: the one that it issues,
// or any of the dialect's. What is refreshed always ends.
func (rt *route) endless(d *Dialect) bool {
	switch {
	case rt.policy != "":
		return d.policies[rt.policy].Endless
	case rt.operation.name == Refresh:
		return false
	default:
		return d.endless
	}
}

// renews reports whether a refresh token may go with the route's token: extend gives
// none, and others where a policy has one.
func (rt *route) renews(d *Dialect) bool {
	switch {
	case rt.operation.name == Extend:
		return false
	case rt.policy != "":
		return d.policies[rt.policy].Refresh != nil
	}
	return slices.ContainsFunc(d.taken(rt), func(p core.Policy) bool { return p.Refresh != nil })
}

// issueTemplates compiles the words for broken rules.
func (r *reader) issueTemplates(n *yaml.Node) map[string]node {
	all := map[string]node{}
	for _, m := range r.members(n, "issues") {
		name := m.name.Value
		if !slices.Contains(issueNames, name) {
			r.fault(m.name, didYouMean(name, issueNames), "there is no rule %q", name)
			if name = nearest(name, issueNames); name == "" || memberOf(n, name) != nil {
				continue
			}
		}
		all[name] = r.template(m.value, &place{what: "the issue " + name, in: inIssue, about: name})
	}
	return all
}
