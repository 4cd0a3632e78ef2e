package dialect

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The names of an XML tree that are no elements.
const (
	attributeSign = "@"
	textWord      = "#text"
)

const xmlDeclaration = `<?xml version="1.0" encoding="UTF-8"?>`

var xmlName = regexp.MustCompile(`^(?:(\p{L}|_)[\p{L}\p{N}._-]*:)?(\p{L}|_)[\p{L}\p{N}._-]*$`)

// An xmlNode is a compiled piece of an XML body.
type xmlNode interface {
	appendXML(dst []byte, s *scope) ([]byte, error)
}

// xmlBody compiles an XML body: a mapping of one element, the root.
func (r *reader) xmlBody(n *yaml.Node, declared bool, p *place) xmlNode {
	members := r.members(n, "xml")
	if n.Kind == yaml.MappingNode && len(members) != 1 {
		r.fault(n, "write {root: {…}}", "an XML body has one root, not %d", len(members))
	}
	if len(members) != 1 {
		return nil
	}
	m := members[0]
	if m.value.Kind == yaml.SequenceNode || memberOf(m.value, forWord) != nil || strings.HasSuffix(m.name.Value, "?") {
		r.fault(m.name, "put it inside a root that is always there", "the root of an XML body is there once")
		return nil
	}
	root := r.xmlElements(m, []string{"xml"}, p)
	if declared {
		root = append([]xmlNode{xmlLiteral(xmlDeclaration)}, root...)
	}
	return xmlSequence(root)
}

// xmlElements compiles a member into its element, or as many as its list has.
// prefixes are those of namespaces that are known there.
func (r *reader) xmlElements(m member, prefixes []string, p *place) []xmlNode {
	name, optional := optionalName(m.name.Value)
	if !r.xmlName(m.name, name, "an element") {
		return nil
	}
	e := xmlElement{name: name, optional: optional}
	switch {
	case m.value.Kind == yaml.SequenceNode:
		var all []xmlNode
		for _, item := range m.value.Content {
			all = append(all, r.xmlElements(member{m.name, item}, prefixes, p)...)
		}
		return all
	case memberOf(m.value, forWord) != nil:
		return r.xmlLoop(m, prefixes, p)
	case m.value.Kind == yaml.MappingNode && memberOf(m.value, jsonWord) == nil:
		r.xmlContent(m.value, &e, prefixes, p)
	default:
		r.knownPrefix(m.name, name, prefixes)
		e.text, e.leaf = r.xmlValue(m.value, p)
		e.empty = m.value.Tag == "!!null"
	}
	return []xmlNode{e}
}

// xmlContent compiles the attributes and children of an element.
func (r *reader) xmlContent(n *yaml.Node, e *xmlElement, prefixes []string, p *place) {
	members := r.members(n, "an element")
	for _, m := range members {
		if prefix, ok := strings.CutPrefix(m.name.Value, attributeSign+"xmlns:"); ok {
			prefixes = append(slices.Clone(prefixes), prefix)
		}
	}
	for _, m := range members {
		switch name, attribute := strings.CutPrefix(m.name.Value, attributeSign); {
		case attribute:
			a := xmlAttribute{}
			a.name, a.optional = optionalName(name)
			if !r.xmlName(m.name, a.name, "an attribute") {
				continue
			}
			if !strings.HasPrefix(a.name, "xmlns:") {
				r.knownPrefix(m.name, a.name, prefixes)
			}
			if a.text, a.leaf = r.xmlValue(m.value, p); a.leaf != nil && a.leaf.typ == listType {
				r.fault(m.value, "join it, as in account.roles.join(' ')", "an attribute holds one text, and no list")
			}
			e.attributes = append(e.attributes, a)
		case m.name.Value == textWord:
			text, leaf := r.xmlValue(m.value, p)
			e.children = append(e.children, xmlText{text, leaf})
		default:
			e.children = append(e.children, r.xmlElements(m, prefixes, p)...)
		}
	}
	r.knownPrefix(n, e.name, prefixes)
	e.empty = len(e.children) == 0
}

// xmlLoop compiles a loop into elements of one name.
func (r *reader) xmlLoop(m member, prefixes []string, p *place) []xmlNode {
	s := r.section(m.value, &loopShape)
	if members := s.get(membersWord); members != nil {
		r.fault(members, "write $yield, which repeats the element", "$members has no form in XML: the names of elements are written out")
		return nil
	}
	head, yield := s.get(forWord), s.need(yieldWord)
	if yield == nil {
		return nil
	}
	inner, over, ok := r.loopHead(head, p)
	if !ok {
		return nil
	}
	if len(inner.loops) > maxLoops {
		r.fault(m.value, "join the innermost list, as in account.roles.join(' ')", "loops cannot be nested deeper than two")
		return nil
	}
	return []xmlNode{xmlFor{forNode{over: over}, xmlSequence(r.xmlElements(member{m.name, yield}, prefixes, inner))}}
}

// xmlValue compiles what is text: a template, or one expression alone.
func (r *reader) xmlValue(n *yaml.Node, p *place) (textTemplate, *leaf) {
	if n.Kind == yaml.MappingNode {
		if tree := memberOf(n, jsonWord); tree != nil {
			inner := r.jsonTemplate(n, r.members(n, "a template"), p)
			return nil, &leaf{typ: textType, get: func(s *scope) (any, error) {
				out, _, err := inner.tree.append(nil, s)
				return string(out), err
			}}
		}
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n, "write the text out, or one expression", "it must be text, not %s", kindName(n))
		return nil, nil
	}
	if n.Tag == "!!null" {
		return nil, nil
	}
	parts, ok := r.split(n)
	if !ok || len(parts) != 1 || !parts[0].expression {
		return r.textTemplate(n, "text", p), nil
	}
	name := strings.TrimSpace(parts[0].text)
	if _, ok := p.issueLoop(name); ok {
		r.listed = true
		return nil, r.expression(n, name+".text", parts[0].offset, p)
	}
	l := r.expression(n, parts[0].text, parts[0].offset, p)
	switch {
	case l == nil:
	case l.typ == issuesType:
		r.faultAt(n, parts[0].offset, "write {$for: i in issues, $yield: ${i}}", "%s has no form in XML", name)
	case l.typ == instantType:
		r.faultAt(n, parts[0].offset, "write iso("+name+", 6), epoch("+name+") or epoch_ms("+name+")", "%s has no form of its own in XML", name)
	case l.typ == rawType:
		r.faultAt(n, parts[0].offset, "write it in a JSON body", "%s has no form in XML", name)
	}
	return nil, l
}

func (r *reader) xmlName(n *yaml.Node, name, what string) bool {
	if strings.HasPrefix(name, "$") {
		r.fault(n, "known are $for with $yield, and $json", "there is no %s in XML", name)
		return false
	}
	if !xmlName.MatchString(name) {
		r.fault(n, "letters, digits, underscores, hyphens and full stops, at most one colon, and no digit first", "%q cannot name %s", name, what)
		return false
	}
	return true
}

// knownPrefix checks that a name's namespace is declared around it.
func (r *reader) knownPrefix(n *yaml.Node, name string, prefixes []string) {
	if prefix, _, ok := strings.Cut(name, ":"); ok && !slices.Contains(prefixes, prefix) {
		r.fault(n, `add "@xmlns:`+prefix+`": with the namespace, here or further out`, "the namespace of %s is not declared", name)
	}
}

// xmlLiteral is written as it is.
type xmlLiteral string

func (n xmlLiteral) appendXML(dst []byte, _ *scope) ([]byte, error) { return append(dst, n...), nil }

// xmlSequence writes one node after another.
type xmlSequence []xmlNode

func (n xmlSequence) appendXML(dst []byte, s *scope) ([]byte, error) {
	var err error
	for _, part := range n {
		if dst, err = part.appendXML(dst, s); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// xmlText is text, or an expression's value as text.
type xmlText struct {
	text textTemplate
	leaf *leaf
}

func (n xmlText) appendXML(dst []byte, s *scope) ([]byte, error) {
	values, err := xmlTexts(n.text, n.leaf, s)
	for _, value := range values {
		dst = appendEscaped(dst, value)
	}
	return dst, err
}

// xmlTexts are the texts of a value: none where it is absent, several of a list.
func xmlTexts(t textTemplate, l *leaf, s *scope) ([]string, error) {
	if l == nil {
		text, err := t.append(nil, s)
		return []string{string(text)}, err
	}
	value, err := l.get(s)
	if err != nil || value == nil {
		return nil, err
	}
	list, ok := value.([]any)
	if texts, isTexts := value.([]string); isTexts {
		return append([]string{}, texts...), nil // never nil: an empty list is not absent
	}
	if !ok {
		list = []any{value}
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], err = textOf(item); err != nil {
			return nil, l.refuse(err)
		}
	}
	return texts, nil
}

// appendEscaped appends text as it stands in an element or in quotes. What XML
// cannot hold becomes U+FFFD.
func appendEscaped(dst []byte, text string) []byte {
	b := bytes.NewBuffer(dst)
	_ = xml.EscapeText(b, []byte(text)) // a buffer takes all
	return b.Bytes()
}

// An xmlElement is an element; one whose value alone is a list is there for each item.
type xmlElement struct {
	name       string
	optional   bool // dropped where its value is absent
	attributes []xmlAttribute
	children   []xmlNode
	empty      bool // has no content by what the file says
	text       textTemplate
	leaf       *leaf // its value where that is an expression alone
}

type xmlAttribute struct {
	name     string
	optional bool
	text     textTemplate
	leaf     *leaf
}

func (n xmlElement) appendXML(dst []byte, s *scope) ([]byte, error) {
	if n.empty && n.optional && n.attributes == nil {
		return dst, nil
	}
	if n.leaf == nil {
		return n.appendElement(dst, s, xmlSequence(n.children), n.text)
	}
	texts, err := xmlTexts(nil, n.leaf, s)
	if err != nil {
		return dst, err
	}
	if texts == nil && !n.optional {
		n.empty = true
		return n.appendElement(dst, s, nil, nil)
	}
	for _, text := range texts {
		if dst, err = n.appendElement(dst, s, nil, textTemplate{{literal: text}}); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendElement writes the element once.
func (n xmlElement) appendElement(dst []byte, s *scope, children xmlSequence, text textTemplate) ([]byte, error) {
	dst = append(append(dst, '<'), n.name...)
	for _, a := range n.attributes {
		values, err := xmlTexts(a.text, a.leaf, s)
		if err != nil {
			return dst, err
		}
		if len(values) > 1 {
			return dst, a.leaf.refuse(fmt.Errorf("attribute %s of element %s would be a list", a.name, n.name))
		}
		if len(values) == 0 && a.optional {
			continue
		}
		dst = append(append(append(dst, ' '), a.name...), `="`...)
		dst = append(appendEscaped(dst, strings.Join(values, "")), '"')
	}
	if n.empty {
		return append(dst, "/>"...), nil
	}
	dst, err := children.appendXML(append(dst, '>'), s)
	if err == nil {
		dst, err = xmlText{text: text}.appendXML(dst, s)
	}
	return append(append(append(dst, "</"...), n.name...), '>'), err
}

// xmlFor repeats elements: over issues when its head has nothing to loop over.
type xmlFor struct {
	head  forNode
	yield xmlNode
}

func (n xmlFor) appendXML(dst []byte, s *scope) ([]byte, error) {
	err := n.head.each(s, func() (err error) {
		dst, err = n.yield.appendXML(dst, s)
		return err
	})
	return dst, err
}
