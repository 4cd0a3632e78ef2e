package dialect

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A path is a route's path pattern: literal segments, which are matched as they
// stand in the request, and {variables}, which take one segment each.
type path struct {
	text      string
	segments  []string // "" for a variable
	variables []string // "" for a literal
}

var (
	pathVariable = regexp.MustCompile(`^\{([a-z][a-z0-9_]*)\}$`)
	pathSegment  = regexp.MustCompile(`^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$`)
)

func (r *reader) path(n *yaml.Node) path {
	text := r.text(n, "path")
	p := path{text: text}
	if text == "" {
		return p
	}
	if !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
		r.fault(n, "write /login", "path %q does not begin with one slash", text)
		return p
	}
	for segment := range strings.SplitSeq(text[1:], "/") {
		name := ""
		if m := pathVariable.FindStringSubmatch(segment); m != nil {
			name, segment = m[1], ""
			if slices.Contains(p.variables, name) {
				r.fault(n, "give one of them another name", "path %q has the variable %s twice", text, name)
			}
		} else if plain, err := url.PathUnescape(segment); err != nil || !pathSegment.MatchString(segment) || plain == "." || plain == ".." {
			r.fault(n, "a variable takes a whole segment: /users/{name}", "path %q: %q cannot be a segment", text, segment)
		} else if name, ok := strings.CutPrefix(segment, ":"); ok && pathVariable.MatchString("{"+name+"}") {
			r.warn(n, "write {"+name+"} for any text", "path %q: the segment %s is matched letter for letter", text, segment)
		}
		p.segments = append(p.segments, segment)
		p.variables = append(p.variables, name)
	}
	return p
}

func (p *path) hasVariables() bool {
	return slices.ContainsFunc(p.variables, func(v string) bool { return v != "" })
}

// shape is the path with its variables' names left out: two routes of one shape collide.
func (p *path) shape() string {
	var b strings.Builder
	for i, segment := range p.segments {
		b.WriteByte('/')
		if p.variables[i] != "" {
			segment = "{}"
		}
		b.WriteString(segment)
	}
	return b.String()
}

// match compares an escaped path, and returns what its variables hold. A variable
// takes no empty segment and none with an encoded slash.
func (p *path) match(escaped string) (map[string]string, bool) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok || strings.Count(rest, "/")+1 != len(p.segments) {
		return nil, false
	}
	var held map[string]string
	for i, want := range p.segments {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if p.variables[i] == "" {
			if segment != want {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segment)
		if err != nil || value == "" || strings.Contains(value, "/") {
			return nil, false
		}
		if held == nil {
			held = make(map[string]string, 1)
		}
		held[p.variables[i]] = value
	}
	return held, true
}

// toggled is the path with a slash at its end taken off or put on, or "" for the root.
func toggled(escaped string) string {
	if rest, ok := strings.CutSuffix(escaped, "/"); ok {
		return rest
	}
	return escaped + "/"
}

// A table finds groups of routes by path.
type table struct {
	fixed    map[string]*pathGroups // by the path itself
	variable []*pathGroups
	all      []*pathGroups // in the file's order
}

// pathGroups are the routes of one path, grouped by method.
type pathGroups struct {
	path    *path
	methods []string // in the file's order
	groups  [][]*route
}

func newTable(routes []*route) table {
	t := table{fixed: make(map[string]*pathGroups, len(routes))}
	for _, rt := range routes {
		t.at(&rt.path).add(rt)
	}
	return t
}

// at finds the groups of a path, or makes them.
func (t *table) at(p *path) *pathGroups {
	if g := t.fixed[p.text]; g != nil {
		return g
	}
	if i := slices.IndexFunc(t.variable, func(g *pathGroups) bool { return g.path.text == p.text }); i >= 0 {
		return t.variable[i]
	}
	g := &pathGroups{path: p}
	t.all = append(t.all, g)
	if p.hasVariables() {
		t.variable = append(t.variable, g)
	} else {
		t.fixed[p.text] = g
	}
	return g
}

func (g *pathGroups) add(rt *route) {
	for _, method := range rt.methods {
		i := slices.Index(g.methods, method)
		if i < 0 {
			i = len(g.methods)
			g.methods, g.groups = append(g.methods, method), append(g.groups, nil)
		}
		g.groups[i] = append(g.groups[i], rt)
	}
}

// groups are all groups of routes, one by method and path, in the file's order.
func (t *table) groups() [][]*route {
	var all [][]*route
	for _, g := range t.all {
		all = append(all, g.groups...)
	}
	return all
}

// find returns the routes of a method and path, at least one, with the path's
// variables. Without any it returns the methods that the path has, none for an
// unknown path.
func (t *table) find(method, escaped string) (group []*route, held map[string]string, allow []string) {
	if g := t.fixed[escaped]; g != nil {
		if i := slices.Index(g.methods, method); i >= 0 {
			return g.groups[i], nil, nil
		}
		allow = append(allow, g.methods...)
	}
	for _, g := range t.variable {
		values, ok := g.path.match(escaped)
		if !ok {
			continue
		}
		if i := slices.Index(g.methods, method); i >= 0 {
			return g.groups[i], values, nil
		}
		allow = append(allow, g.methods...)
	}
	return nil, nil, allow
}
