package dialect

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// collisions refuses two routes that one request would reach.
func (r *reader) collisions() {
	d := r.dialect
	seen := map[string]*route{}
	for _, rt := range d.routes {
		if rt.path.text == "" {
			continue
		}
		shape := rt.path.shape()
		if d.trailingSlash == "accept" {
			shape = strings.TrimSuffix(shape, "/")
		}
		for _, method := range rt.methods {
			before, taken := seen[method+" "+shape]
			if taken {
				r.fault(rt.node, "", "%s %s is also the route on line %d", method, rt.path.text, before.node.Line)
				continue
			}
			seen[method+" "+shape] = rt
		}
	}
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
	for _, rt := range d.routes {
		if rt.operation.name == "" {
			continue
		}
		for _, kind := range slices.Concat(rt.operation.possible(), rt.bodyOutcomes()) {
			m.reply(kind, rt.replies, rt.name())
		}
		m.issues(rt, d)
	}
	for _, kind := range bearerOutcomes {
		m.reply(kind, d.protectedReplies, "a protected resource")
	}
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
	m.r.fault(m.at, "add "+string(root)+", or "+string(kind)+" alone", "%s can end in %s, which has no reply", who, kind)
}

// issues checks that what a route can have has templates where the reply lists issues.
func (m *missing) issues(rt *route, d *Dialect) {
	lacking := map[*answer][]string{}
	for _, i := range rt.possibleIssues(d) {
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
	if a.reads(formJSON, formText) {
		kinds = append(kinds, core.BadEncoding, core.BodyMissing)
		if rt.fromBody {
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
		if in.required {
			rules = append(rules, ruleRequired)
		}
		if rt.mayMistype(in) {
			rules = append(rules, ruleType)
		}
		for _, u := range in.rules {
			rules = append(rules, u.name)
		}
		for _, rule := range rules {
			kind := in.otherwise
			if kind == "" {
				kind = ruleKind(rule)
			}
			add(rule, kind)
		}
	}
	if d.refuseUnknown && rt.fromBody {
		add(ruleUnknownInput, core.InvalidField)
	}
	if slices.Contains(rt.operation.outcomes, core.PasswordRefused) {
		add(ruleRefused, core.PasswordRefused)
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
			return rt.accept.reads(formJSON)
		case "header", "cookie", "basic":
			return true
		}
		return false
	})
}
