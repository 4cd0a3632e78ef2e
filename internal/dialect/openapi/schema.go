package openapi

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// schema writes the schema of what a reply holds.
func (w *writer) schema(s *dialect.Schema) object {
	o := object{}
	if s == nil {
		return o
	}
	switch len(s.Type) {
	case 0:
	case 1:
		o.add("type", s.Type[0])
	default:
		o.add("type", s.Type)
	}
	o.add("format", s.Format)
	o.add("const", json.RawMessage(s.Const))
	o.add("description", s.Doc)
	var properties object
	var required []string
	for _, m := range s.Members {
		properties.set(m.Name, w.schema(m.Schema))
		if !m.Optional && !slices.Contains(required, m.Name) {
			required = append(required, m.Name)
		}
	}
	o.add("properties", properties)
	o.add("required", required)
	if s.Others != nil {
		o = append(o, member{"additionalProperties", w.schema(s.Others)})
	}
	if s.Items != nil {
		o = append(o, member{"items", w.schema(s.Items)})
	}
	var choices []any
	for _, one := range s.AnyOf {
		choices = append(choices, w.schema(one))
	}
	o.add("anyOf", choices)
	return o
}

// component puts a schema among the document's, once, and refers to it.
func (w *writer) component(called string, s *dialect.Schema) any {
	made := w.schema(s)
	if len(s.Members) == 0 {
		return made
	}
	text, err := encode(made)
	if err != nil {
		return made
	}
	known, ok := w.names[string(text)]
	if !ok {
		base := cmp.Or(w.shared[string(text)], called)
		known = base
		for n := 2; w.schemas.get(known) != nil; n++ {
			known = base + "_" + strconv.Itoa(n)
		}
		w.names[string(text)] = known
		w.schemas.add(known, made)
	}
	return object{{"$ref", "#/components/schemas/" + known}}
}

// share finds out what schemas are called that several outcomes have: by what these
// have in common.
func (w *writer) share() {
	w.names, w.shared = map[string]string{}, map[string]string{}
	for _, route := range w.info.Routes {
		if !route.Enabled {
			continue
		}
		for _, r := range w.replies(route) {
			text, err := encode(w.schema(r.Schema))
			if err != nil {
				continue
			}
			if before, known := w.shared[string(text)]; known && before != r.called {
				w.shared[string(text)] = common(before, r.called)
				continue
			}
			w.shared[string(text)] = r.called
		}
	}
}

// common is what two names have in common: the family of two outcomes, or else no
// more than that both are refusals, or replies.
func common(a, b string) string {
	kinds := core.Kinds()
	if !slices.Contains(kinds, core.Kind(a)) || !slices.Contains(kinds, core.Kind(b)) {
		refusal := func(name string) bool { return name == "error" || slices.Contains(kinds, core.Kind(name)) }
		if refusal(a) && refusal(b) {
			return "error"
		}
		return "reply"
	}
	for family := core.Kind(a); family != ""; family = family.Parent() {
		if core.Kind(b).IsA(family) {
			return string(family)
		}
	}
	return "error"
}

// anyOf is one of several schemas, those that are the same taken together.
func anyOf(schemas []any) any {
	var kept []any
	var seen []string
	for _, s := range schemas {
		text, _ := encode(s) // what cannot be written fails the whole document later
		if !slices.Contains(seen, string(text)) {
			seen, kept = append(seen, string(text)), append(kept, s)
		}
	}
	if len(kept) == 1 {
		return kept[0]
	}
	return object{{"anyOf", kept}}
}

// bodySchema is the schema of a body that a route reads, or nil.
func (w *writer) bodySchema(index int, form dialect.BodyForm) any {
	route := w.info.Routes[index]
	root := &shape{}
	for _, c := range route.Holds {
		if c.From.Place == "body" && c.Present {
			held := object{}
			held.add("enum", c.Allowed)
			root.at(c.From.Path, true).leaf = held
		}
	}
	for _, in := range route.Inputs {
		for _, from := range in.From {
			if from.Place == "body" {
				root.at(from.Path, in.Need == dialect.Always && len(in.From) == 1).leaf = w.inputSchema(in, index)
			}
		}
		if in.Need == dialect.Always {
			root.at(around(in.From), true) // whichever of them has it
		}
		root.depend(in, route.Inputs)
	}
	if len(root.names) == 0 {
		return nil
	}
	if form == dialect.BodyXML || form == dialect.BodyText {
		return object{{"type", "string"}}
	}
	return root.schema(w.info.RefuseUnknown)
}

// A shape is an object that is being put together, or a value of it.
type shape struct {
	leaf     any
	names    []string
	children []*shape
	needed   []string
	together object // the names that are needed with a name
}

func (s *shape) at(path []string, needed bool) *shape {
	if len(path) == 0 {
		return s
	}
	i := slices.Index(s.names, path[0])
	if i < 0 {
		i = len(s.names)
		s.names, s.children = append(s.names, path[0]), append(s.children, &shape{})
	}
	if needed && !slices.Contains(s.needed, path[0]) {
		s.needed = append(s.needed, path[0])
	}
	return s.children[i].at(path[1:], needed)
}

// depend notes that an input is needed with another one of the same object.
func (s *shape) depend(in dialect.InputInfo, inputs []dialect.InputInfo) {
	i := slices.IndexFunc(inputs, func(other dialect.InputInfo) bool { return other.Name == in.NeedWith })
	if i < 0 || in.From[0].Place != "body" || inputs[i].From[0].Place != "body" {
		return
	}
	own, other := in.From[0].Path, inputs[i].From[0].Path
	if n := len(own) - 1; len(other) == n+1 && slices.Equal(own[:n], other[:n]) {
		at := s.at(own[:n], false)
		names, _ := at.together.get(other[n]).([]string)
		at.together.set(other[n], append(names, own[n]))
	}
}

// around is the object that all of an input's sources are in; nil where some are
// elsewhere.
func around(sources []dialect.SourceInfo) []string {
	path := sources[0].Path
	for _, s := range sources {
		if s.Place != "body" {
			return nil
		}
		n := 0
		for n < min(len(path), len(s.Path)) && path[n] == s.Path[n] {
			n++
		}
		path = path[:n]
	}
	return path
}

func (s *shape) schema(closed bool) any {
	if s.leaf != nil {
		return s.leaf
	}
	if items, least, ok := s.list(); ok {
		o := object{{"type", "array"}, {"items", items}}
		if least > 0 {
			o.add("minItems", least)
		}
		return o
	}
	o := object{{"type", "object"}}
	var properties object
	for i, name := range s.names {
		properties.add(name, s.children[i].schema(false))
	}
	o.add("properties", properties)
	o.add("required", s.needed)
	o.add("dependentRequired", s.together)
	if closed {
		o.add("additionalProperties", false)
	}
	return o
}

// list is the schema of the items of a shape that is a list, and how many there must be.
func (s *shape) list() (items any, least int, ok bool) {
	var all []any
	for i, name := range s.names {
		at, ok := body.Index(name)
		if !ok {
			return nil, 0, false
		}
		if slices.Contains(s.needed, name) {
			least = max(least, at+1)
		}
		all = append(all, s.children[i].schema(false))
	}
	if len(all) == 0 {
		return nil, 0, false
	}
	return anyOf(all), least, true
}

var inputTypes = map[string]string{
	"string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "list": "array", "object": "object",
}

// inputSchema is the schema of an input's value. What a route's sample call holds
// is its example.
func (w *writer) inputSchema(in dialect.InputInfo, route int) object {
	o := object{}
	o.add("type", inputTypes[in.Type])
	var words []string
	if in.Doc != "" {
		words = append(words, in.Doc)
	}
	if in.Secret {
		o.add("format", "password")
	}
	if in.Take != "" {
		words = append(words, "what the group of "+in.Take+" matches counts")
	}
	for _, rule := range in.Rules {
		if in.Take != "" || !addRule(&o, in, rule) {
			words = append(words, rule.Words)
		}
	}
	if in.NeedWhy != "" {
		words = append(words, "needed where "+in.NeedWhy)
	}
	o.add("description", strings.Join(words, "; "))
	o.add("default", json.RawMessage(in.Default))
	if w.samples[route] == nil {
		w.samples[route] = w.d.SampleValues(route)
	}
	// A secret's is made up, and may break the rules that a real one keeps.
	if value, ok := w.samples[route][in.Name]; ok && in.Type == "string" && (!in.Secret || len(in.Rules) == 0) {
		o.add("examples", []any{value})
	}
	return o
}

// addRule writes a rule in the words of JSON Schema, or returns false where those
// do not know it.
func addRule(o *object, in dialect.InputInfo, rule dialect.RuleInfo) bool {
	bounds := map[string]string{"string": "Length", "list": "Items", "integer": "imum", "number": "imum"}
	switch rule.Rule {
	case "min", "max":
		o.set(rule.Rule+bounds[in.Type], *rule.Limit)
	case "pattern":
		if !portable(rule.Pattern) {
			return false
		}
		o.set("pattern", rule.Pattern)
	case "format":
		o.set("format", strings.ReplaceAll(rule.Format, "_", "-"))
	case "one_of":
		o.set("enum", rule.Allowed)
	case "equals":
		o.set("const", rule.Allowed[0])
	default:
		return false
	}
	return true
}

// ownSyntax is what RE2 has and ECMAScript's expressions have not, or read otherwise.
var ownSyntax = regexp.MustCompile(`\(\?[^:]|\\[AzQECpP]|\[\[:|\\x\{`)

func portable(pattern string) bool { return !ownSyntax.MatchString(pattern) }
