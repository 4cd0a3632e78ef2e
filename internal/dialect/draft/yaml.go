package draft

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// text is a text as it stands; literal one in which ${ must not begin an expression.
func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ToValidUTF8(value, "\uFFFD")}
}

func literal(value string) *yaml.Node { return text(strings.ReplaceAll(value, "${", "$${")) }

// plain is a number, a boolean or null, or a word that is text anyway.
func plain(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

// A tree is a mapping that is being made.
type tree struct{ *yaml.Node }

func mapping() tree { return tree{&yaml.Node{Kind: yaml.MappingNode}} }

// add appends a member; one without a value is left out.
func (t tree) add(name string, value *yaml.Node) tree {
	if value != nil {
		t.Content = append(t.Content, text(name), value)
	}
	return t
}

// get is the value of a member, or nil.
func (t tree) get(name string) *yaml.Node {
	for i := 0; i < len(t.Content); i += 2 {
		if t.Content[i].Value == name {
			return t.Content[i+1]
		}
	}
	return nil
}

// say appends a member that is a word.
func (t tree) say(name, value string) tree { return t.add(name, text(value)) }

// printable is a text as it may stand in a comment, on one line.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '\uFFFD'
	}, strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " "))
}

// remark puts a comment behind a value, or before the first member of a mapping.
func remark(n *yaml.Node, comment string) *yaml.Node {
	comment = printable(comment)
	switch {
	case comment == "":
	case n.Kind == yaml.ScalarNode:
		n.LineComment = "# " + comment
	case len(n.Content) > 0:
		n.Content[0].HeadComment = "# " + comment
	}
	return n
}

// flat writes a small tree on one line, unless it is commented.
func flat(t tree) *yaml.Node {
	if !commented(t.Node) {
		t.Style = yaml.FlowStyle
	}
	return t.Node
}

func commented(n *yaml.Node) bool {
	if n.LineComment != "" || n.HeadComment != "" {
		return true
	}
	for _, child := range n.Content {
		if commented(child) {
			return true
		}
	}
	return false
}

// value writes what a request or a reply held, as it was.
func value(v body.Value) *yaml.Node {
	switch v.Kind() {
	case body.Object:
		t := mapping()
		for _, m := range v.Members() {
			t.add(m.Name(), value(m.Value()))
		}
		return t.Node
	case body.List:
		l := list()
		for _, item := range v.Items() {
			l.Content = append(l.Content, value(item))
		}
		return l
	case body.String:
		return literal(v.Text())
	default:
		return plain(string(body.AppendJSON(nil, v)))
	}
}

// dump writes a section of the file, with what is said about it before it.
func dump(b *strings.Builder, comment, name string, n *yaml.Node) {
	if n == nil {
		return
	}
	b.WriteString("\n")
	for line := range strings.Lines(comment) {
		b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	out, err := yaml.Dump(mapping().add(name, n).Node, yaml.WithV4Defaults(), yaml.WithLineWidth(-1), yaml.WithCompactSeqIndent(false))
	if err != nil { // nodes of these kinds can all be written
		panic(err)
	}
	b.Write(out)
}
