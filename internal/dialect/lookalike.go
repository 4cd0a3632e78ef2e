package dialect

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// lookalike is what other template languages write where this one has ${name}.
var lookalike = func() *regexp.Regexp {
	name := `([a-z_]+(?:\.[A-Za-z_][A-Za-z0-9_]*)*)`
	return regexp.MustCompile(`\{\{\s*` + name + `\s*\}\}|\{\s*` + name + `\s*\}|\$` + name)
}()

// lookalikes warns of what was meant as an expression and is none: it goes out letter
// for letter. What stands inside expressions, and behind the $ of $${, is left alone.
func (r *reader) lookalikes(n *yaml.Node, parts []textPart, p *place) {
	for _, at := range lookalike.FindAllStringSubmatchIndex(n.Value, -1) {
		offset := utf8.RuneCountInString(n.Value[:at[0]])
		inside := slices.ContainsFunc(parts, func(part textPart) bool {
			return part.expression && part.offset <= offset && offset <= part.offset+utf8.RuneCountInString(part.text)
		})
		name := n.Value[max(at[2], at[4], at[6]):max(at[3], at[5], at[7])]
		if !inside && !strings.HasSuffix(n.Value[:at[0]], "$") && p.mayName(name) {
			r.warnAt(n, offset, "write ${"+name+"}", "%s looks like an expression, and is sent as it stands", n.Value[at[0]:at[1]])
		}
	}
}

// mayName reports whether a name begins as those of facts do. The nil place has no loops.
func (p *place) mayName(name string) bool {
	first, _, dotted := strings.Cut(name, ".")
	switch {
	case name == "base_url" || name == "issuer":
		return true
	case !dotted: // an ordinary word
		return false
	case p != nil && slices.ContainsFunc(p.loops, func(l loop) bool { return l.name == first }):
		return true
	}
	return slices.Contains(factRoots, first) || slices.ContainsFunc(facts, func(f fact) bool { return strings.HasPrefix(f.name, first+".") })
}

// braced is the name in {name} or {{name}}, which YAML takes for a mapping whose one
// member has no value, or "".
func braced(n *yaml.Node, p *place) string {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || n.Content[1].Tag != "!!null" || n.Content[1].Value != "" {
		return ""
	}
	name := n.Content[0]
	if name.Kind == yaml.ScalarNode && p.mayName(name.Value) {
		return name.Value
	}
	return braced(name, p)
}
