package dialect

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// A textPart is a piece of a text: literal, or what stands between ${ and }.
type textPart struct {
	text       string
	expression bool
	offset     int // in characters, of the first one, for faults
}

// split cuts a text at its expressions. $${ stands for ${.
func (r *reader) split(n *yaml.Node) ([]textPart, bool) {
	var parts []textPart
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, textPart{text: plain.String()})
			plain.Reset()
		}
	}
	text := []rune(n.Value)
	for i := 0; i < len(text); {
		switch {
		case hasRunes(text[i:], "$${"):
			plain.WriteString("${")
			i += 3
		case hasRunes(text[i:], "${"):
			end := closing(text, i+2)
			if end < 0 {
				r.faultAt(n, i, "write $${ for ${ itself", "${ without a closing brace")
				return nil, false
			}
			flush()
			parts = append(parts, textPart{text: string(text[i+2 : end]), expression: true, offset: i + 2})
			i = end + 1
		default:
			plain.WriteRune(text[i])
			i++
		}
	}
	flush()
	return parts, true
}

func hasRunes(text []rune, prefix string) bool {
	for i, c := range []rune(prefix) {
		if i >= len(text) || text[i] != c {
			return false
		}
	}
	return true
}

// closing finds the brace that ends an expression; braces inside it and in its
// texts do not.
func closing(text []rune, from int) int {
	depth, quote := 0, rune(0)
	for i := from; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// A textTemplate is a text with expressions in it.
type textTemplate []textSegment

// A textSegment is a literal, or a leaf when that is not nil.
type textSegment struct {
	literal string
	leaf    *leaf
}

// textTemplate compiles a text for a header, a text body or a mail.
func (r *reader) textTemplate(n *yaml.Node, what string, p *place) textTemplate {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		hint := "write one text, quoted where it holds : or #"
		if name := braced(n, p); name != "" {
			hint = "write ${" + name + "}"
		}
		r.fault(n, hint, "%s must be text, not %s", what, kindName(n))
		return nil
	}
	parts, ok := r.split(n)
	if !ok {
		return nil
	}
	return r.textParts(n, parts, p)
}

func (r *reader) textParts(n *yaml.Node, parts []textPart, p *place) textTemplate {
	r.lookalikes(n, parts, p)
	var t textTemplate
	for _, part := range parts {
		if !part.expression {
			t = t.add(part.text)
			continue
		}
		l := r.expression(n, part.text, part.offset, p)
		if l == nil {
			continue
		}
		if l.nullable && l.fact != "" && len(parts) > 1 && !p.holds(l.fact) {
			r.warnAt(n, part.offset, "say what stands there then, as in "+p.guarded(l.fact), "nothing stands in the text where %s is absent", l.fact)
		}
		switch {
		case l.typ == instantType:
			name := strings.TrimSpace(part.text)
			r.faultAt(n, part.offset, "write iso("+name+", 6), epoch("+name+") or epoch_ms("+name+")", "%s has no form of its own inside text", name)
		case l.typ == rawType:
			r.faultAt(n, part.offset, "write ${keyset} alone", "%s has no form inside text", strings.TrimSpace(part.text))
		case l.typ == listType || l.typ == issuesType:
			r.faultAt(n, part.offset, "join it, as in account.roles.join(' ')", "a list has no form inside text")
		case l.constant:
			value, _ := l.get(r.constants())
			text, _ := textOf(value)
			t = t.add(text)
		default:
			t = append(t, textSegment{leaf: l})
		}
	}
	return t
}

// holds reports whether a name is an input that every request has which gets a reply
// to a success.
func (p *place) holds(name string) bool {
	in := p.input(name)
	return in != nil && p.in&inReply != 0 && in.always()
}

// input is the input that a fact input.NAME is, or nil.
func (p *place) input(fact string) *input {
	name, ok := strings.CutPrefix(fact, "input.")
	if !ok {
		return nil
	}
	return p.inputs[name]
}

// add appends a literal, to the one before if there is one.
func (t textTemplate) add(text string) textTemplate {
	if last := len(t) - 1; last >= 0 && t[last].leaf == nil {
		t[last].literal += text
		return t
	}
	return append(t, textSegment{literal: text})
}

// constant returns the text of a template without facts of the request.
func (t textTemplate) constant() (string, bool) {
	switch {
	case len(t) == 0:
		return "", true
	case len(t) == 1 && t[0].leaf == nil:
		return t[0].literal, true
	}
	return "", false
}

// append appends the text as it is.
func (t textTemplate) append(dst []byte, s *scope) ([]byte, error) {
	for i := range t {
		if t[i].leaf == nil {
			dst = append(dst, t[i].literal...)
			continue
		}
		text, err := t[i].leaf.text(s)
		if err != nil {
			return dst, err
		}
		dst = append(dst, text...)
	}
	return dst, nil
}

func (l *leaf) text(s *scope) (string, error) {
	value, err := l.get(s)
	if err != nil {
		return "", err
	}
	text, err := textOf(value)
	return text, l.refuse(err)
}
