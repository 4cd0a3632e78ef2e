package dialect

import (
	"fmt"
	"slices"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// literal is JSON that is known at load.
type literal []byte

func (n literal) append(dst []byte, _ *scope) ([]byte, bool, error) {
	return append(dst, n...), string(n) != "null", nil
}

// constantNode is a text, a setting or another fact that is known at load.
type constantNode struct {
	literal
	value any
}

// leafNode is an expression alone; it keeps its type.
type leafNode struct{ leaf *leaf }

func (n leafNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	value, err := n.leaf.get(s)
	if err != nil {
		return dst, false, err
	}
	dst, err = appendValue(dst, value)
	return dst, value != nil, n.leaf.refuse(err)
}

// jsonText is a text with expressions in it.
type jsonText struct{ text textTemplate }

func (n jsonText) append(dst []byte, s *scope) ([]byte, bool, error) {
	dst = append(dst, '"')
	for i := range n.text {
		text := n.text[i].literal
		if l := n.text[i].leaf; l != nil {
			var err error
			if text, err = l.text(s); err != nil {
				return dst, false, err
			}
		}
		dst = appendInside(dst, text)
	}
	return append(dst, '"'), true, nil
}

// sequence writes one node after another.
type sequence []node

func (n sequence) append(dst []byte, s *scope) ([]byte, bool, error) {
	for _, part := range n {
		var err error
		if dst, _, err = part.append(dst, s); err != nil {
			return dst, false, err
		}
	}
	return dst, true, nil
}

// objectNode is an object with members that may be dropped.
type objectNode struct{ members []objectMember }

type objectMember struct {
	name     literal // with its quotes and colon
	optional bool
	value    node
}

func (n objectNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	dst = append(dst, '{')
	first := true
	for _, m := range n.members {
		before := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(dst, m.name...)
		out, present, err := m.value.append(dst, s)
		if err != nil {
			return dst, false, err
		}
		dst = out
		if m.optional && !present {
			dst = dst[:before]
			continue
		}
		first = false
	}
	return append(dst, '}'), true, nil
}

// listNode is a list with loops among its items.
type listNode struct{ items []node }

func (n listNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	dst = append(dst, '[')
	start := len(dst)
	for _, item := range n.items {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		before := len(dst)
		var err error
		if loop, ok := item.(forNode); ok && loop.items {
			dst, err = loop.appendItems(dst, s)
		} else {
			dst, _, err = item.append(dst, s)
		}
		if err != nil {
			return dst, false, err
		}
		if len(dst) == before && before > start {
			dst = dst[:before-1] // the loop made nothing: no comma before it
		}
	}
	return append(dst, ']'), true, nil
}

// forNode is a loop: over issues when over is nil. Without items it is absent.
type forNode struct {
	over    *leaf
	items   bool
	yield   node
	members []loopMember
}

type loopMember struct {
	name  textTemplate
	value node
}

// each calls body with each value of the loop in s.loops.
func (n forNode) each(s *scope, body func() error) error {
	var values []any
	if n.over == nil {
		values = make([]any, len(s.issues))
		for i := range s.issues {
			values[i] = &s.issues[i]
		}
	} else {
		list, err := n.over.get(s)
		if err != nil {
			return err
		}
		switch list := list.(type) {
		case nil:
		case []any:
			values = list
		case []string:
			for _, item := range list {
				values = append(values, item)
			}
		default:
			return n.over.refuse(fmt.Errorf("a loop over a %T", list))
		}
	}
	depth := len(s.loops)
	defer func() { s.loops = s.loops[:depth] }()
	for _, v := range values {
		s.loops = append(s.loops[:depth], v)
		if err := body(); err != nil {
			return err
		}
	}
	return nil
}

func (n forNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	if !n.items {
		return n.appendMembers(dst, s)
	}
	dst = append(dst, '[')
	start := len(dst)
	dst, err := n.appendItems(dst, s)
	return append(dst, ']'), len(dst) > start, err
}

func (n forNode) appendItems(dst []byte, s *scope) ([]byte, error) {
	start := len(dst)
	err := n.each(s, func() error {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		var err error
		dst, _, err = n.yield.append(dst, s)
		return err
	})
	return dst, err
}

// appendMembers writes an object; of members with the same name the first stays.
func (n forNode) appendMembers(dst []byte, s *scope) ([]byte, bool, error) {
	dst = append(dst, '{')
	var names []string
	err := n.each(s, func() error {
		for _, m := range n.members {
			name, err := m.name.append(nil, s)
			if err != nil {
				return err
			}
			if slices.Contains(names, string(name)) {
				continue
			}
			if len(names) > 0 {
				dst = append(dst, ',')
			}
			names = append(names, string(name))
			dst = append(appendString(dst, string(name)), ':')
			if dst, _, err = m.value.append(dst, s); err != nil {
				return err
			}
		}
		return nil
	})
	return append(dst, '}'), len(names) > 0, err
}

// issuesNode is the list of the issues' templates.
type issuesNode struct{}

func (issuesNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	dst = append(dst, '[')
	for i := range s.issues {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = s.appendIssue(dst, &s.issues[i]); err != nil {
			return dst, false, err
		}
	}
	return append(dst, ']'), len(s.issues) > 0, nil
}

// issueNode is the template of the issue that the i-th loop is at.
type issueNode struct{ loop int }

func (n issueNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	dst, err := s.appendIssue(dst, s.loops[n.loop].(*issue))
	return dst, true, err
}

// jsonNode is a tree's JSON as a text.
type jsonNode struct{ tree node }

func (n jsonNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	start := len(dst)
	dst, _, err := n.tree.append(dst, s)
	if err != nil {
		return dst, false, err
	}
	text := string(dst[start:])
	return appendString(dst[:start], text), true, nil
}

// echoNode writes what the client sent. Expressions never see it.
type echoNode struct{ whole bool }

func (n echoNode) append(dst []byte, s *scope) ([]byte, bool, error) {
	if n.whole {
		return body.AppendJSON(dst, s.call.body), true, nil
	}
	return body.AppendJSON(dst, s.issue.value), true, nil
}
