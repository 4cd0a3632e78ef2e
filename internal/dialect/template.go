package dialect

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The words of the template language. A member's name that begins with $ is
// written with two.
const (
	forWord     = "$for"
	yieldWord   = "$yield"
	membersWord = "$members"
	echoWord    = "$echo"
	jsonWord    = "$json"
)

// maxLoops bounds how deep loops are nested.
const maxLoops = 2

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// A node is a compiled template. append writes its JSON; present is false when
// the node has no value, which drops a member whose name ends in a question mark.
type node interface {
	append(dst []byte, s *scope) (out []byte, present bool, err error)
}

// template compiles the tree below n. What cannot be compiled is a fault, and null.
func (r *reader) template(n *yaml.Node, p *place) node {
	switch n.Kind {
	case yaml.MappingNode:
		return r.mappingTemplate(n, p)
	case yaml.SequenceNode:
		return r.listTemplate(n, p)
	}
	switch n.Tag {
	case "!!null":
		return literal("null")
	case "!!bool":
		return literal(n.Value)
	case "!!int", "!!float":
		if !jsonNumber.MatchString(n.Value) {
			r.fault(n, "write the number as JSON does, or quote it for text", "%s is not a number in JSON", n.Value)
		}
		return literal(n.Value)
	}
	return r.textLeaf(n, p)
}

// textLeaf compiles a text: one expression alone keeps its type.
func (r *reader) textLeaf(n *yaml.Node, p *place) node {
	parts, ok := r.split(n)
	if !ok {
		return literal("null")
	}
	if len(parts) == 1 && parts[0].expression {
		return r.soleLeaf(n, parts[0], p)
	}
	t := r.textParts(n, parts, p)
	if text, ok := t.constant(); ok {
		return constantNode{appendString(nil, text), text}
	}
	return jsonText{t}
}

// soleLeaf compiles ${expression} alone.
func (r *reader) soleLeaf(n *yaml.Node, part textPart, p *place) node {
	name := strings.TrimSpace(part.text)
	if i, ok := p.issueLoop(name); ok {
		r.listed = true
		return issueNode{i}
	}
	if name == "issues" && p.in&inError != 0 && !p.shadows(name) {
		r.listed = true
		return issuesNode{}
	}
	l := r.expression(n, part.text, part.offset, p)
	if l == nil {
		return literal("null")
	}
	if l.typ == issuesType || l.typ == instantType && !p.numeric {
		hint := "write iso(" + name + ", 6), epoch(" + name + ") or epoch_ms(" + name + ")"
		if l.typ == issuesType {
			hint = "write ${issues} alone, or one of an issue's facts"
		}
		r.faultAt(n, part.offset, hint, "%s has no form of its own here", name)
	}
	r.remember(n, l)
	if l.constant {
		value, _ := l.get(r.constants())
		if dst, err := appendValue(nil, value); err == nil {
			return constantNode{literal(dst), value}
		}
	}
	return leafNode{l}
}

// listTemplate compiles a list; a loop among its items adds as many as it makes.
func (r *reader) listTemplate(n *yaml.Node, p *place) node {
	items := make([]node, len(n.Content))
	parts := make([]node, 0, 2*len(items)+1)
	for i, child := range n.Content {
		items[i] = r.template(child, p)
		if i > 0 {
			parts = append(parts, literal(","))
		}
		parts = append(parts, items[i])
	}
	if slices.ContainsFunc(items, func(item node) bool { f, ok := item.(forNode); return ok && f.items }) {
		return listNode{items}
	}
	return join(slices.Concat([]node{literal("[")}, parts, []node{literal("]")}))
}

// mappingTemplate compiles an object, a loop or an echo.
func (r *reader) mappingTemplate(n *yaml.Node, p *place) node {
	members := r.members(n, "a template")
	if name := braced(n, p); name != "" {
		r.warn(n, "write ${"+name+"}", "{%s} looks like an expression, and is an object whose one member is null", name)
	}
	for _, m := range members {
		switch m.name.Value {
		case forWord, yieldWord, membersWord:
			return r.forTemplate(n, p)
		case echoWord:
			return r.echoTemplate(n, members, p)
		case jsonWord:
			return r.jsonTemplate(n, members, p)
		}
	}
	object := make([]objectMember, 0, len(members))
	optional := false
	for _, m := range members {
		om := objectMember{value: r.template(m.value, p)}
		name := r.memberName(m.name)
		name, om.optional = optionalName(name)
		optional = optional || om.optional
		om.name = literal(append(appendString(nil, name), ':'))
		object = append(object, om)
	}
	if optional {
		return objectNode{object}
	}
	parts := []node{literal("{")}
	for i, m := range object {
		if i > 0 {
			parts = append(parts, literal(","))
		}
		parts = append(parts, m.name, m.value)
	}
	return join(append(parts, literal("}")))
}

// memberName reads a member's name as it stands in the file.
func (r *reader) memberName(n *yaml.Node) string {
	name := n.Value
	if strings.Contains(name, "${") {
		r.fault(n, "names made by an expression stand in $members of a $for loop", "a member's name cannot hold an expression here")
		return name
	}
	if rest, ok := strings.CutPrefix(name, "$"); ok {
		if !strings.HasPrefix(rest, "$") {
			r.fault(n, "known are $for with $yield or $members, $json and $echo; write $$ for a name that begins with $", "there is no %s", name)
		}
		return rest
	}
	return name
}

// optionalName takes the question mark off: two of them are one that belongs to the name.
func optionalName(name string) (string, bool) {
	rest, ok := strings.CutSuffix(name, "?")
	if !ok || rest == "" {
		return name, false
	}
	return rest, !strings.HasSuffix(rest, "?")
}

func (r *reader) echoTemplate(n *yaml.Node, members []member, p *place) node {
	if len(members) != 1 {
		r.fault(n, "move the other members around it", "$echo stands alone in its mapping")
	}
	for _, m := range members {
		if m.name.Value != echoWord {
			continue
		}
		if p.in != inIssue {
			r.fault(m.name, "name an input, as in ${input.name}", "$echo is known in issues alone, not in %s", p.what)
			continue
		}
		r.warn(m.name, "such bodies must not be kept by clients or proxies", "the reply repeats what the client sent, a new password included")
		if r.word(m.value, "$echo", "value", "body") == "body" {
			return echoNode{whole: true}
		}
	}
	return echoNode{}
}

// jsonTemplate compiles {$json: tree}: the tree's JSON as a text.
func (r *reader) jsonTemplate(n *yaml.Node, members []member, p *place) jsonNode {
	if len(members) != 1 {
		r.fault(n, "move the other members into it, or around it", "$json stands alone in its mapping")
	}
	if p.inJSON {
		r.fault(n, "write the tree out", "$json cannot stand inside $json")
		return jsonNode{literal("null")}
	}
	inner := *p
	inner.inJSON = true
	return jsonNode{r.template(memberOf(n, jsonWord), &inner)}
}

// factRoots are the names that facts begin with; no loop's variable may hide them.
var factRoots = []string{
	"setting", "input", "sent", "account", "key", "client", "tenant", "granted", "token", "session", "refresh",
	"challenge", "caller", "message", "presented",
}

var loopPattern = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s+in\s+(.+?)\s*$`)

// forTemplate compiles {$for: i in issues, $yield: …} into the items of a list,
// and with $members in place of $yield into an object.
func (r *reader) forTemplate(n *yaml.Node, p *place) node {
	s := r.section(n, &loopShape)
	head := s.need(forWord)
	yield, members := s.get(yieldWord), s.get(membersWord)
	if (yield == nil) == (members == nil) {
		r.fault(n, "$yield makes a list's items, $members an object's members", "a loop has one of $yield and $members")
		return literal("null")
	}
	if head == nil {
		return literal("null")
	}
	inner, over, ok := r.loopHead(head, p)
	if !ok {
		return literal("null")
	}
	if len(inner.loops) > maxLoops {
		r.fault(n, "join the innermost list, as in account.roles.join(' ')", "loops cannot be nested deeper than two")
		return literal("null")
	}
	f := forNode{over: over, items: yield != nil}
	if yield != nil {
		f.yield = r.template(yield, inner)
		return f
	}
	for _, m := range r.members(members, membersWord) {
		parts, ok := r.split(m.name)
		if !ok {
			continue
		}
		f.members = append(f.members, loopMember{r.textParts(m.name, parts, inner), r.template(m.value, inner)})
	}
	return f
}

// loopHead reads "name in list".
func (r *reader) loopHead(n *yaml.Node, p *place) (inner *place, over *leaf, ok bool) {
	text := r.text(n, forWord)
	m := loopPattern.FindStringSubmatchIndex(text)
	if m == nil {
		if text != "" {
			r.fault(n, "write $for: i in issues", "%q does not say what to loop over", text)
		}
		return nil, nil, false
	}
	l := loop{name: text[m[2]:m[3]]}
	expression := text[m[4]:m[5]]
	offset := len([]rune(text[:m[4]]))
	if slices.Contains(factRoots, l.name) || slices.Contains(keywords, l.name) {
		r.fault(n, "choose another name, such as item", "%s cannot name a loop's variable", l.name)
		return nil, nil, false
	}
	if expression == "issues" && p.in&inError != 0 && !p.shadows("issues") {
		l.ofIssues = true
		return p.within(l), nil, true
	}
	if over = r.expression(n, expression, offset, p); over == nil {
		return nil, nil, false
	}
	l.asked = over.asked
	switch over.typ {
	case listType:
		l.typ = textType
	case anyType:
		l.typ = anyType
	default:
		r.faultAt(n, offset, "loop over a list such as account.roles, or leave the loop out", "%s is no list, but %s", expression, over.typ)
		return nil, nil, false
	}
	return p.within(l), over, true
}

// issueLoop reports whether name is the variable of a loop over issues.
func (p *place) issueLoop(name string) (int, bool) {
	for i, l := range slices.Backward(p.loops) {
		if l.name == name {
			return i, l.ofIssues
		}
	}
	return 0, false
}

func (p *place) shadows(name string) bool {
	return slices.ContainsFunc(p.loops, func(l loop) bool { return l.name == name })
}

// join merges literals that follow one another.
func join(parts []node) node {
	var out sequence
	for _, part := range parts {
		inner, ok := part.(sequence)
		if !ok {
			inner = sequence{part}
		}
		for _, n := range inner {
			if c, ok := n.(constantNode); ok {
				n = c.literal
			}
			text, ok := n.(literal)
			if last := len(out) - 1; ok && last >= 0 {
				if before, ok := out[last].(literal); ok {
					out[last] = literal(slices.Concat(before, text))
					continue
				}
			}
			out = append(out, n)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}
