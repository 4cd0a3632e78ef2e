package dialect

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// A Schema describes a value on the wire, in the words of JSON Schema.
type Schema struct {
	Type    []string // several where it may be null; none for whatever it is
	Format  string   // date-time, where it is that
	Const   []byte   // JSON; nil unless it is always the same
	Doc     string
	Members []Property // of an object, in their order
	Others  *Schema    // of an object whose names differ each time
	Items   *Schema    // of a list
	AnyOf   []*Schema  // it is one of these

	// Fact is the one fact that the value is, or that stands in the text between
	// Before and After; "" for none, or several.
	Fact          string
	Before, After string
}

// A Property is a member of an object.
type Property struct {
	Name     string
	Optional bool
	Schema   *Schema
}

// Find returns the names that lead to the value that is a fact, or false. Items of
// lists are named "0".
func (s *Schema) Find(fact string) (path []string, found *Schema, ok bool) {
	switch {
	case s == nil:
		return nil, nil, false
	case s.Fact == fact:
		return nil, s, true
	}
	for _, m := range s.Members {
		if rest, found, ok := m.Schema.Find(fact); ok {
			return append([]string{m.Name}, rest...), found, true
		}
	}
	if rest, found, ok := s.Items.Find(fact); ok {
		return append([]string{"0"}, rest...), found, true
	}
	return nil, nil, false
}

// below is the member that names lead to, or nil.
func below(n *yaml.Node, names ...string) *yaml.Node {
	for _, name := range names {
		if n == nil {
			return nil
		}
		n = memberOf(n, name)
	}
	return n
}

// remember keeps an expression that stands alone, for descriptions.
func (r *reader) remember(n *yaml.Node, l *leaf) {
	if r.dialect.leaves == nil {
		r.dialect.leaves = map[*yaml.Node]*leaf{}
	}
	r.dialect.leaves[n] = l
}

// schema describes what a template writes. The template has been compiled, so that
// nothing can be wrong with it.
func (x *describer) schema(n *yaml.Node) *Schema {
	switch n.Kind {
	case yaml.MappingNode:
		return x.object(n)
	case yaml.SequenceNode:
		return x.list(n)
	}
	switch n.Tag {
	case "!!null":
		return &Schema{Type: []string{"null"}, Const: []byte("null")}
	case "!!bool":
		return &Schema{Type: []string{"boolean"}, Const: []byte(n.Value)}
	case "!!int":
		return &Schema{Type: []string{"integer"}, Const: []byte(n.Value)}
	case "!!float":
		return &Schema{Type: []string{"number"}, Const: []byte(n.Value)}
	}
	return x.text(n)
}

// text describes a text: an expression alone has the type of its result.
func (x *describer) text(n *yaml.Node) *Schema {
	parts, _ := new(reader).split(n)
	if len(parts) != 1 || !parts[0].expression {
		return x.textSchema(parts)
	}
	name := strings.TrimSpace(parts[0].text)
	switch {
	case slices.Contains(x.loops, name):
		return oneOf(x.issueSchemas())
	case name == "issues" && x.d.leaves[n] == nil:
		return &Schema{Type: []string{"array"}, Items: oneOf(x.issueSchemas()), Doc: "what is wrong with the request"}
	}
	l := x.d.leaves[n]
	if l == nil {
		return &Schema{}
	}
	return x.result(l, name)
}

// result describes the result of an expression alone.
func (x *describer) result(l *leaf, text string) *Schema {
	s := &Schema{Fact: l.fact, Doc: x.docOf(text)}
	nullable := l.nullable && !slices.Contains(x.certain, l.fact)
	if l.constant {
		value, _ := l.get(&scope{dialect: x.d, now: probeTime})
		s.Const, _ = appendValue(nil, value)
	}
	switch l.typ {
	case textType:
		s.Type = []string{"string"}
		if strings.HasPrefix(text, "iso(") || strings.HasPrefix(text, "iso_full(") {
			s.Format = "date-time"
		}
	case integerType, instantType: // a bare instant is a NumericDate, in claims
		s.Type = []string{"integer"}
	case numberType:
		s.Type = []string{"number"}
	case booleanType:
		s.Type = []string{"boolean"}
	case listType:
		s.Type, s.Items = []string{"array"}, &Schema{Type: []string{"string"}}
	case rawType:
		s.Type = []string{"object"}
	case anyType, issuesType: // whatever it is
	}
	if nullable && len(s.Type) > 0 {
		s.Type = append(s.Type, "null")
	}
	return s
}

// textSchema describes a text with expressions in it.
func (x *describer) textSchema(parts []textPart) *Schema {
	s := &Schema{Type: []string{"string"}}
	expressions := 0
	for _, part := range parts {
		switch {
		case part.expression:
			expressions++
			name := strings.TrimSpace(part.text)
			s.Doc = x.docOf(name)
			if factPath.MatchString(name) {
				s.Fact = name
			}
		case expressions == 0:
			s.Before += part.text
		default:
			s.After += part.text
		}
	}
	switch {
	case expressions == 0:
		s.Const, s.Before = appendString(nil, s.Before), ""
	case expressions > 1:
		return &Schema{Type: s.Type}
	}
	return s
}

// template describes a header or a text body.
func (x *describer) template(t textTemplate) *Schema {
	if text, ok := t.constant(); ok {
		return &Schema{Type: []string{"string"}, Const: appendString(nil, text)}
	}
	s := &Schema{Type: []string{"string"}}
	for i, segment := range t {
		switch {
		case segment.leaf == nil && i == 0:
			s.Before = segment.literal
		case segment.leaf == nil && i == len(t)-1:
			s.After = segment.literal
		case segment.leaf == nil || s.Fact != "":
			return &Schema{Type: s.Type}
		default:
			s.Fact = segment.leaf.fact
			s.Doc = x.docOf(s.Fact)
		}
	}
	return s
}

// object describes an object, a loop or an echo.
func (x *describer) object(n *yaml.Node) *Schema {
	if memberOf(n, echoWord) != nil {
		return &Schema{Doc: "what was sent"}
	}
	if memberOf(n, jsonWord) != nil {
		return &Schema{Type: []string{"string"}, Doc: "JSON inside a text"}
	}
	if head := memberOf(n, forWord); head != nil {
		return x.loop(n, head.Value)
	}
	s := &Schema{Type: []string{"object"}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, optional := optionalName(strings.TrimPrefix(n.Content[i].Value, "$"))
		s.Members = append(s.Members, Property{name, optional, x.schema(n.Content[i+1])})
	}
	return s
}

func (x *describer) loop(n *yaml.Node, head string) *Schema {
	m := loopPattern.FindStringSubmatch(head)
	if m != nil && m[2] == "issues" {
		x.loops = append(x.loops, m[1])
		defer func() { x.loops = x.loops[:len(x.loops)-1] }()
	}
	if yield := memberOf(n, yieldWord); yield != nil {
		return &Schema{Type: []string{"array"}, Items: x.schema(yield)}
	}
	var values []*Schema
	if members := memberOf(n, membersWord); members != nil {
		for i := 0; i+1 < len(members.Content); i += 2 {
			values = append(values, x.schema(members.Content[i+1]))
		}
	}
	return &Schema{Type: []string{"object"}, Others: oneOf(values)}
}

func (x *describer) list(n *yaml.Node) *Schema {
	items := make([]*Schema, 0, len(n.Content))
	for _, item := range n.Content {
		s := x.schema(item)
		if memberOf(item, forWord) != nil && memberOf(item, yieldWord) != nil {
			s = s.Items // its items are the list's own
		}
		items = append(items, s)
	}
	return &Schema{Type: []string{"array"}, Items: oneOf(items)}
}

// oneOf is one of several schemas, those that are the same taken together.
func oneOf(all []*Schema) *Schema {
	var kept []*Schema
	var seen []string
	for _, s := range all {
		if s == nil {
			continue
		}
		if text := s.key(); !slices.Contains(seen, text) {
			seen, kept = append(seen, text), append(kept, s)
		}
	}
	switch len(kept) {
	case 0:
		return &Schema{}
	case 1:
		return kept[0]
	}
	return &Schema{AnyOf: kept}
}

// key is a text that is the same for schemas that are the same.
func (s *Schema) key() string {
	if s == nil {
		return "-"
	}
	var b strings.Builder
	b.WriteString(strings.Join(s.Type, "|") + ";" + s.Format + ";" + string(s.Const) + ";" + s.Fact + ";" + s.Before + ";" + s.After + "{")
	for _, m := range s.Members {
		b.WriteString(m.Name)
		if m.Optional {
			b.WriteByte('?')
		}
		b.WriteString(m.Schema.key() + ",")
	}
	b.WriteString("}" + s.Items.key() + s.Others.key())
	for _, one := range s.AnyOf {
		b.WriteString("/" + one.key())
	}
	return b.String()
}

// An issueWords is a template for issues as the file has it.
type issueWords struct {
	node *yaml.Node
	rule string
}

// issueWords are the templates of the issues that a request to the route can have.
func (d *Dialect) issueWords(rt *route) []issueWords {
	var all []issueWords
	for _, i := range rt.possibleIssues(d) {
		n := d.issueNode(rt, i.rule, i.kind)
		if n != nil && !slices.ContainsFunc(all, func(w issueWords) bool { return w.node == n }) {
			all = append(all, issueWords{n, i.rule})
		}
	}
	return all
}

// issueNode is the template of an issue as the file has it, or nil.
func (d *Dialect) issueNode(rt *route, rule string, kind core.Kind) *yaml.Node {
	find := func(name string) *yaml.Node {
		return cmp.Or(below(rt.node, "issues", name), below(d.root, "issues", name))
	}
	n := find(rule)
	for ; n == nil && kind != ""; kind = kind.Parent() {
		n = find(string(kind))
	}
	return n
}

func (x *describer) issueSchemas() []*Schema {
	loops := x.loops
	x.loops = nil
	defer func() { x.loops = loops }()
	all := make([]*Schema, len(x.issues))
	for i, words := range x.issues {
		all[i] = x.schema(words.node)
	}
	return all
}

var namedFact = regexp.MustCompile(`\b[a-z_]+(?:\.[A-Za-z_][A-Za-z0-9_]*)+`)

// plainFact is a fact alone, or in one of an instant's forms.
var plainFact = regexp.MustCompile(`^(?:(?:iso|iso_full|epoch|epoch_ms)\( *)?[A-Za-z_.]+(?: *(?:, *[0-9] *)?\))?$`)

// docOf tells what an expression is about that names but one fact, or "".
func (x *describer) docOf(expression string) string {
	doc := ""
	for _, name := range namedFact.FindAllString(expression, -1) {
		about := x.docOfName(name)
		if about != "" && doc != "" && doc != about {
			return ""
		}
		doc = cmp.Or(about, doc)
	}
	if doc != "" && !plainFact.MatchString(expression) {
		if strings.HasPrefix(doc, "whether ") {
			return "tells " + doc
		}
		return "made from " + doc
	}
	return doc
}

// docOfName tells what a fact is, "" for what is none.
func (x *describer) docOfName(name string) string {
	owner, member, _ := strings.Cut(name, ".")
	switch f := factsByName[name]; {
	case f != nil:
		doc, _, _ := strings.Cut(f.doc, ";") // what follows is for who writes files
		return doc
	case owner == "input":
		if in := x.inputs[member]; in != nil {
			member = in.wire()
		}
		return "what was sent as " + member
	case owner == grantedFact:
		return "what was granted as " + member
	case openFact(name) != nil:
		_, attribute, _ := strings.Cut(member, ".")
		return "the " + owner + "'s attribute " + attribute
	}
	return ""
}
