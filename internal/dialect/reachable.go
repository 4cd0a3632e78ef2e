package dialect

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// collisions refuses two routes that one request would reach, where conditions do
// not tell which. Of two of which one is switched off, the other is reached.
func (r *reader) collisions() {
	d := r.dialect
	served := d.served()
	seen := map[string][]*route{}
	for _, rt := range served {
		if rt.path.text == "" {
			continue
		}
		shape := rt.path.shape()
		if d.trailingSlash == "accept" {
			shape = strings.TrimSuffix(shape, "/")
		}
		for _, method := range rt.methods {
			group := seen[method+" "+shape]
			if len(group) == maxGroup {
				r.fault(rt.node, "join some by one_of in when, or give them a path of their own", "%s %s has more than %d routes", method, rt.path.text, maxGroup)
			}
			if r.joins(rt, group, method) {
				seen[method+" "+shape] = append(group, rt)
			}
		}
	}
	for _, rt := range served { // the body is read before the route is known
		for _, other := range served {
			rt.fromBody = rt.fromBody || other.fromBody && other.shares(rt)
		}
	}
}

// joins reports whether a route can be one more of a method and path, and says why not.
func (r *reader) joins(rt *route, group []*route, method string) bool {
	for _, before := range group {
		line := before.node.Line
		switch {
		case before.path.text != rt.path.text, len(before.when) == 0 && len(rt.when) == 0:
			r.fault(rt.node, "remove one of them, or say in on.when which requests are whose", "%s %s is also the route on line %d", method, rt.path.text, line)
		case len(before.when) == 0:
			r.fault(rt.node, "put the route without when last", "%s %s is taken by the route on line %d, which has no when", method, rt.path.text, line)
		case before.conditions() == rt.conditions():
			r.fault(rt.node, "remove one of them", "%s %s is also the route on line %d, with the same when", method, rt.path.text, line)
		case !group[0].accept.equal(&rt.accept):
			r.fault(rt.node, "leave accept out here", "%s %s accepts other media types than its first route, on line %d", method, rt.path.text, group[0].node.Line)
		default:
			continue
		}
		return false
	}
	return true
}

// reachable checks that every outcome has its words: a reply, and a template for
// every issue that the reply would list.
func (r *reader) reachable(s section) {
	d := r.dialect
	m := missing{r: r, at: s.get("errors"), told: map[string]bool{}}
	if m.at == nil {
		return // said already
	}
	for _, kind := range anyOutcomes {
		m.reply(kind, d.replies, "every call")
	}
	for _, rt := range d.served() {
		if rt.operation.name == "" {
			continue
		}
		for _, kind := range slices.Concat(rt.outcomes(), rt.bodyOutcomes()) {
			m.reply(kind, rt.replies, rt.name())
		}
		if slices.ContainsFunc(r.tokens, func(t *tokenReading) bool { return t.audience != "" && t.name == rt.policy }) {
			m.reply(core.Forbidden, rt.replies, rt.name()) // of an audience that the token cannot have
		}
		if a := rt.replies[rt.outcome]; rt.outcome != "" && a != nil && a.stated {
			r.fault(rt.node, "give the route a reply of its own, under its errors", "%s always ends in %s, whose reply names an account or a key that there is not", rt.name(), rt.outcome)
		}
		m.issues(rt, rt.possibleIssues(d))
	}
	for _, group := range d.table.groups() {
		m.issues(group[0], unmatchedIssues(group))
	}
	for _, kind := range bearerOutcomes {
		m.reply(kind, d.protectedReplies, "a protected resource")
	}
}

// unsaid warns of a route's issues where none of its replies lists any: nothing says
// their words.
func (r *reader) unsaid(rt *route) {
	for kind, a := range rt.replies {
		if kind.IsA(core.InvalidRequest) && (a.lists() || mentions(a.node, ".text")) {
			return
		}
	}
	r.warn(cmp.Or(memberOf(rt.node, "issues"), rt.node), "write ${issues} where a reply is to list them, or leave issues out", "no reply of %s lists issues: nothing says these words", rt.name())
}

// mentions reports whether a part of a text stands anywhere below a node.
func mentions(n *yaml.Node, part string) bool {
	return strings.Contains(n.Value, part) || slices.ContainsFunc(n.Content, func(child *yaml.Node) bool { return mentions(child, part) })
}

// A missing reports what has no words, each root once.
type missing struct {
	r    *reader
	at   *yaml.Node
	told map[string]bool
}

func (m *missing) reply(kind core.Kind, replies map[core.Kind]*answer, who string) {
	if replies[kind] != nil {
		return
	}
	root := kind
	for root.Parent() != "" {
		root = root.Parent()
	}
	if m.told[string(root)] {
		return
	}
	m.told[string(root)] = true
	hint := "add " + string(root)
	if kind != root {
		hint += ", or " + string(kind) + " alone"
	}
	m.r.fault(m.at, hint, "%s can end in %s, which has no reply", who, kind)
}

// issues checks that what a route can have has templates where the reply lists issues.
func (m *missing) issues(rt *route, possible []issue) {
	lacking := map[*answer][]string{}
	for _, i := range possible {
		m.reply(i.kind, rt.replies, rt.name())
		a := rt.replies[i.kind]
		if a == nil || !a.lists() || findIssueTemplate(rt.issueTemplates, i.rule, i.kind) != nil || m.told["issue "+i.rule] {
			continue
		}
		m.told["issue "+i.rule] = true
		lacking[a] = append(lacking[a], i.rule)
	}
	for a, rules := range lacking {
		m.r.fault(a.node, "add templates to issues, invalid_request for whatever has none, or give such outcomes a reply of their own",
			"the reply lists issues, but %s can have these that have no template: %s", rt.name(), strings.Join(rules, ", "))
	}
}

// bodyOutcomes are the troubles that a route can have with the whole body.
func (rt *route) bodyOutcomes() []core.Kind {
	a := &rt.accept
	if len(a.types) == 0 {
		return nil
	}
	kinds := []core.Kind{core.TooLarge, core.TooManyFields, core.FieldTooLarge, core.MalformedBody}
	if a.reads(formRefuse) {
		kinds = append(kinds, core.WrongContentType)
	}
	if a.reads(formMultipart) {
		kinds = append(kinds, core.BoundaryMissing)
	}
	if a.reads(formJSON, formText, formXML) {
		kinds = append(kinds, core.BadEncoding, core.BodyMissing)
		if rt.fromBody && a.reads(formJSON, formText) {
			kinds = append(kinds, core.BodyType)
		}
	}
	return kinds
}

// possibleIssues are the issues that a request to the route can have, one of each
// rule and kind.
func (rt *route) possibleIssues(d *Dialect) []issue {
	var all []issue
	add := func(rule string, kind core.Kind) {
		if !slices.ContainsFunc(all, func(i issue) bool { return i.rule == rule && i.kind == kind }) {
			all = append(all, issue{rule: rule, kind: kind})
		}
	}
	for _, kind := range rt.bodyOutcomes() {
		add(string(kind), kind)
	}
	for _, in := range rt.inputs {
		rules := []string{}
		if in.required.ever() {
			rules = append(rules, ruleRequired)
		}
		if in.forbidden.ever() {
			rules = append(rules, ruleForbidden)
		}
		if rt.mayMistype(in) {
			rules = append(rules, ruleType)
		}
		for _, u := range in.rules {
			rules = append(rules, u.name)
		}
		for _, rule := range rules {
			add(rule, in.kind(rule))
		}
	}
	if d.refuseUnknown && rt.fromBody {
		add(ruleUnknownInput, core.InvalidField)
	}
	for _, kind := range rt.outcomes() {
		switch {
		case kind == core.PasswordRefused:
			add(ruleRefused, kind)
		case kind.IsA(core.InvalidRequest):
			add(string(kind), kind)
		}
	}
	return all
}

// mayMistype reports whether a value of another type can reach the input. A form
// holds texts alone; JSON, and headers and cookies that come twice, do not.
func (rt *route) mayMistype(in *input) bool {
	if in.typ == "any" {
		return false
	}
	return in.typ != "string" || slices.ContainsFunc(in.sources, func(s source) bool {
		switch s.place {
		case "body":
			return rt.accept.reads(formJSON, formXML)
		case "header", "cookie", "basic":
			return true
		}
		return false
	})
}
