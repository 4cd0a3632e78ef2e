package dialect

import (
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// A route is one operation at one place.
type route struct {
	node      *yaml.Node
	methods   []string
	path      path
	accept    accept
	inputs    []*input // in the order of the file
	byName    map[string]*input
	roles     map[string]*input // those that the operation takes
	fromBody  bool              // whether any input is read from the body
	bodyNames []string
	operation operation
	policy    string
	as        []core.SubjectKind
	granted   []string // the names that with declares

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
	rt := &route{node: n}
	r.routeOn(s.need("on"), rt)
	rt.inputs = r.inputs(s.get("inputs"))
	rt.byName = readable(rt.inputs)
	rt.bodyNames = bodyNames(rt.inputs)
	rt.fromBody = len(rt.bodyNames) > 0
	rt.accept = r.accept(s.get("accept"), rt.fromBody, n)
	r.pathInputs(rt)
	r.routeDo(s.need("do"), rt, d)
	what := "the reply to " + rt.name()
	p := &place{what: what, in: rt.operation.reply, keys: slices.Contains(rt.as, core.SubjectKey), inputs: rt.byName}
	if ok := s.need("ok"); ok != nil && rt.operation.name != "" {
		rt.ok = r.answer(ok, what, http.StatusOK, p)
	}
	at := *p
	at.in = inError
	rt.errors = r.answers(s.get("errors"), &at)
	rt.issueTemplates = r.issueTemplates(s.get("issues"))
	return rt
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
}

// pathInputs checks that inputs from the path name variables of it.
func (r *reader) pathInputs(rt *route) {
	var known []string
	for _, v := range rt.path.variables {
		if v != "" {
			known = append(known, v)
		}
	}
	for _, in := range rt.inputs {
		for _, src := range in.sources {
			if src.place == "path" && !slices.Contains(known, src.name) {
				r.fault(in.node, "write {"+src.name+"} as a segment of the path", "path %q has no variable %q", rt.path.text, src.name)
			}
		}
	}
}

// routeDo reads what the route does, and checks that its inputs have the names
// that the operation knows.
func (r *reader) routeDo(n *yaml.Node, rt *route, d *Dialect) {
	if n == nil {
		return
	}
	name, issue, as := n, (*yaml.Node)(nil), (*yaml.Node)(nil)
	if n.Kind == yaml.MappingNode {
		s := r.section(n, &doShape)
		name, issue, as = s.need("operation"), s.get("issue"), s.get("as")
	}
	if name == nil {
		return
	}
	if op, ok := findOperation(name.Value); ok && op.later {
		r.fault(name, "", "the operation %s is not served yet", op.name)
		return
	}
	op, ok := findOperation(r.word(name, "the operation", operationNames()...))
	if !ok {
		return
	}
	rt.operation = op
	rt.as = d.subject
	if as != nil {
		rt.as = r.subject(as, "as")
		for _, kind := range rt.as {
			if !slices.Contains(d.subject, kind) {
				r.fault(as, "name it in the file's subject too", "%s is not among the dialect's subjects", kind)
			}
		}
	}
	r.routeIssue(n, issue, rt, d)
	r.roles(rt)
}

// roles checks that a route's inputs have the names that its operation knows.
func (r *reader) roles(rt *route) {
	op := &rt.operation
	has := func(role string) bool { return rt.byName[role] != nil }
	var needed []string // one role each, or several of which one will do
	if choice := slices.DeleteFunc(slices.Clone(op.oneOf), func(role string) bool { return !op.takes(role) }); len(choice) > 0 && !slices.ContainsFunc(choice, has) {
		needed = append(needed, strings.Join(choice, " or "))
	}
	for _, role := range op.need {
		if !has(role) {
			needed = append(needed, role)
		}
	}
	for _, role := range needed {
		r.fault(rt.node, "declare it under inputs, with from saying where it is read", "%s needs an input named %s", op.name, role)
	}
	rt.roles = make(map[string]*input, len(rt.inputs))
	for _, in := range rt.inputs {
		if op.takes(in.name) {
			rt.roles[in.name] = in
		}
		switch {
		case op.takes(in.name) && in.typ != "string":
			r.fault(in.node, "", "input %s must be of type string", in.name)
		case !op.takes(in.name) && slices.Contains(secretRoles, in.name):
			r.fault(in.node, "give it another name", "%s takes no input named %s", op.name, in.name)
		}
	}
}

func (r *reader) routeIssue(do, issue *yaml.Node, rt *route, d *Dialect) {
	switch mints := rt.operation.mints; {
	case issue != nil && mints != mintsByPolicy && mints != mintsIfNamed:
		r.fault(issue, "", "%s issues no token", rt.operation.name)
		return
	case issue == nil && mints != mintsByPolicy:
		return
	case issue == nil:
		r.fault(do, "such as do: {operation: authenticate, issue: access}", "%s does not say which token it issues", rt.operation.name)
		return
	}
	if rt.operation.mints == mintsIfNamed {
		rt.operation.reply = inToken
	}
	rt.policy = r.word(issue, "issue", d.policyNames...)
}

// subject reads whom a dialect or a route takes.
func (r *reader) subject(n *yaml.Node, what string) []core.SubjectKind {
	var kinds []core.SubjectKind
	for _, item := range r.items(n, what) {
		kind := core.SubjectKind(r.word(item, what, subjectSlot.Words...))
		switch {
		case kind == "":
		case slices.Contains(kinds, kind):
			r.fault(item, "", "%s is here twice", kind)
		default:
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// issueTemplates compiles the words for broken rules.
func (r *reader) issueTemplates(n *yaml.Node) map[string]node {
	all := map[string]node{}
	for _, m := range r.members(n, "issues") {
		name := m.name.Value
		if !slices.Contains(issueNames, name) {
			r.fault(m.name, didYouMean(name, issueNames), "there is no rule %q", name)
			continue
		}
		all[name] = r.template(m.value, &place{what: "the issue " + name, in: inIssue})
	}
	return all
}
