package dialect

import (
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// onlyXML reports whether bodies are read as XML and as nothing else.
func (a *accept) onlyXML() bool {
	return a.reads(formXML) && !a.reads(formJSON, formURL, formMultipart, formText)
}

// xmlPaths checks that what a route reads from XML can be there: elements and
// attributes have their local names, and a document has one root.
func (r *reader) xmlPaths(rt *route) {
	if !rt.accept.onlyXML() {
		return
	}
	before := len(r.faults)
	for _, in := range rt.inputs {
		for i := range in.sources {
			r.localNames(in, &in.sources[i])
		}
	}
	if len(r.faults) == before {
		r.roots(rt)
	}
}

// roots checks that one document holds all that a success takes.
func (r *reader) roots(rt *route) {
	var first *input
	for _, in := range rt.inputs {
		switch {
		case !rt.must(in) || slices.ContainsFunc(in.sources, func(s source) bool { return s.place != "body" }):
		case first == nil:
			first = in
		case !r.oneRoot(first, in):
			r.fault(in.node, "begin both with the element around all", "%s and %s have different roots, %s and %s: no document has both",
				first.name, in.name, first.sources[0].path[0], in.sources[0].path[0])
		}
	}
}

// localNames refuses prefixes of namespaces, which documents choose as they like.
func (r *reader) localNames(in *input, src *source) {
	for _, name := range src.path {
		if _, local, ok := strings.Cut(strings.TrimPrefix(name, attributeSign), ":"); ok {
			if strings.HasPrefix(name, attributeSign) {
				local = attributeSign + local
			}
			r.fault(in.node, "write the local name, "+local, "input %s: %q has the prefix of a namespace, and never matches", in.name, name)
		}
	}
}

// must reports whether a success takes the input.
func (rt *route) must(in *input) bool {
	return len(in.sources) > 0 && (in.required.anyway() || slices.Contains(rt.operation.need, in.name))
}

// oneRoot reports whether one document can hold both.
func (r *reader) oneRoot(a, b *input) bool {
	return slices.ContainsFunc(a.sources, func(x source) bool {
		return slices.ContainsFunc(b.sources, func(y source) bool {
			return x.path[0] == y.path[0] || r.dialect.foldNames && body.EqualFold(x.path[0], y.path[0])
		})
	})
}
