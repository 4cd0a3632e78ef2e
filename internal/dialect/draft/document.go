package draft

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A document is an OpenAPI 3 document, or a part of one. Missing members read as
// an empty part.
type document struct {
	*source
	body.Value
	within []string // the references that led here
	again  bool     // whether it would be a part of itself, which reads as nothing
}

// A source is what the parts of one document share.
type source struct {
	root  body.Value
	left  int                   // of maxWork; at 0 everything reads as nothing
	found map[string]body.Value // what references name
}

const (
	// maxWork bounds the steps through a document, whose parts can lead to each other in
	// more ways than anybody can follow.
	maxWork = 500_000
	// maxMarks bounds the commas and ends of lines of YAML, which is slow to read.
	maxMarks = 100_000
)

const cutDown = "cut it down to the sign-in's path and the components that this names"

// readDocument reads JSON or YAML into values that keep their order.
func readDocument(content []byte) (body.Value, error) {
	v, err := body.ParseJSON(content, limits)
	if err == nil {
		return v, nil
	}
	if json.Valid(content) {
		return v, &Problem{"the document cannot be taken: " + reason(err), cutDown}
	}
	if bytes.Count(content, []byte{','})+bytes.Count(content, []byte{'\n'}) > maxMarks {
		return v, &Problem{"the document has too many members", cutDown}
	}
	var n yaml.Node
	if err := yaml.Load(content, &n); err != nil || len(n.Content) == 0 {
		return body.Value{}, &Problem{"the document is neither JSON nor YAML", "give the file as the API publishes it"}
	}
	text, err := appendYAML(nil, n.Content[0], 0)
	if err != nil {
		return body.Value{}, err
	}
	if v, err = body.ParseJSON(text, limits); err != nil {
		return v, &Problem{"the document cannot be taken: " + reason(err), cutDown}
	}
	return v, nil
}

// appendYAML writes a tree of YAML as JSON.
func appendYAML(dst []byte, n *yaml.Node, depth int) ([]byte, error) {
	var err error
	switch {
	case depth > limits.Depth || len(dst) > int(limits.Bytes):
		return nil, &Problem{"the document is nested too deep, or too large", cutDown}
	case n.Kind == yaml.AliasNode:
		return appendYAML(dst, n.Alias, depth+1)
	case n.Kind == yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(body.AppendJSON(dst, body.NewString(n.Content[i].Value)), ':')
			if dst, err = appendYAML(dst, n.Content[i+1], depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case n.Kind == yaml.SequenceNode:
		dst = append(dst, '[')
		for i, child := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendYAML(dst, child, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	}
	switch n.Tag {
	case "!!null":
		return append(dst, "null"...), nil
	case "!!bool", "!!int", "!!float":
		if _, err := body.ParseJSON([]byte(n.Value), limits); err == nil {
			return append(dst, n.Value...), nil
		}
	}
	return body.AppendJSON(dst, body.NewString(n.Value)), nil
}

// at follows names and references.
func (d document) at(names ...string) document {
	for _, name := range names {
		d = d.part(d.member(name))
	}
	return d
}

// member is a member's value, if there is work left to look for it.
func (d document) member(name string) body.Value {
	if d.left -= 1 + len(d.Members())/64; d.left <= 0 {
		return body.Value{}
	}
	v, _ := d.Member(name)
	return v
}

// whole is the document that d is a part of, and nothing an empty part of it.
func (d document) whole() document   { return document{source: d.source, Value: d.root} }
func (d document) nothing() document { return document{source: d.source} }

// part is a value within d, or what it refers to.
func (d document) part(v body.Value) document {
	d.Value = v
	for {
		reference, refers := d.Member("$ref")
		pointer := reference.Text()
		switch {
		case !refers:
			return d
		case !strings.HasPrefix(pointer, "#/") || len(d.within) > limits.Depth:
			return d.nothing()
		case slices.Contains(d.within, pointer):
			d = d.nothing()
			d.again = true
			return d
		}
		d.within = append(slices.Clip(d.within), pointer)
		d.Value = d.lookUp(pointer)
	}
}

// lookUp is what a local reference names.
func (d document) lookUp(pointer string) body.Value {
	if v, known := d.found[pointer]; known {
		d.left--
		return v
	}
	at := d.whole()
	for name := range strings.SplitSeq(pointer[2:], "/") {
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
		at.Value = at.member(strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
	}
	d.found[pointer] = at.Value
	return at.Value
}

// items are the parts of a list, but for those that would be a part of themselves.
func (d document) items() []document {
	var all []document
	for _, item := range d.Items() {
		if d.left--; d.left <= 0 {
			return nil
		}
		if part := d.part(item); !part.again {
			all = append(all, part)
		}
	}
	return all
}
