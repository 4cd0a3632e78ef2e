package recordtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A node is a value of a JSON document that keeps the order of members and how
// numbers were written. Those of records remember whether they were looked at.
type node struct {
	pointer string // from the document's root, RFC 6901
	is      kind
	text    string   // of a text, a number, a boolean
	names   []string // of an object's members
	items   []*node  // of a list or an object
	looked  bool
}

type kind string

const (
	object  kind = "object"
	list    kind = "list"
	text    kind = "text"
	number  kind = "number"
	boolean kind = "boolean"
	null    kind = "null"
)

// parseTree reads one JSON document. Members that come twice are an error.
func parseTree(data []byte) (*node, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	n, err := parseNode(decoder, "")
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the document")
	}
	return n, nil
}

func parseNode(decoder *json.Decoder, pointer string) (*node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		return parseInner(decoder, pointer, token == '{')
	case string:
		return &node{pointer: pointer, is: text, text: token}, nil
	case json.Number:
		return &node{pointer: pointer, is: number, text: token.String()}, nil
	case bool:
		return &node{pointer: pointer, is: boolean, text: strconv.FormatBool(token)}, nil
	}
	return &node{pointer: pointer, is: null}, nil
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// parseInner reads the inside of an object or a list.
func parseInner(decoder *json.Decoder, pointer string, isObject bool) (*node, error) {
	n := &node{pointer: pointer, is: list}
	if isObject {
		n.is = object
	}
	for decoder.More() {
		name := strconv.Itoa(len(n.items))
		if isObject {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name = token.(string) //nolint:forcetypeassert // the decoder takes nothing else for a name
			if slices.Contains(n.names, name) {
				return nil, fmt.Errorf("%s: the member %q comes twice", pointer, name)
			}
			n.names = append(n.names, name)
		}
		item, err := parseNode(decoder, pointer+"/"+escapePointer.Replace(name))
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := decoder.Token() // the closing bracket
	return n, err
}

// get returns a member, or nil where there is none.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	if i := slices.Index(n.names, name); i >= 0 {
		return n.items[i]
	}
	return nil
}

// each returns the items of a list, one value as a list of it, and nothing for
// what is absent.
func (n *node) each() []*node {
	switch {
	case n == nil:
		return nil
	case n.is == list:
		return n.items
	}
	return []*node{n}
}

// word looks at a scalar and returns it as text; "" for null and what is absent.
func (n *node) word() string {
	if n == nil {
		return ""
	}
	n.looked = true
	return n.text
}

// true looks at a boolean.
func (n *node) true() bool { return n.word() == "true" }

// given reports whether there is a value other than null; null has then been looked at.
func (n *node) given() bool {
	if n == nil || n.is == null {
		n.look()
		return false
	}
	return true
}

// look marks n and all below it as looked at.
func (n *node) look() {
	if n == nil {
		return
	}
	n.looked = true
	for _, item := range n.items {
		item.look()
	}
}

// leaves calls f with every value that has none below it.
func (n *node) leaves(f func(*node)) {
	if len(n.items) == 0 {
		f(n)
	}
	for _, item := range n.items {
		item.leaves(f)
	}
}

// at returns the value that a pointer leads to, or nil.
func (n *node) at(pointer string) (found *node) {
	if n.pointer == pointer {
		return n
	}
	for _, item := range n.items {
		if found = item.at(pointer); found != nil {
			return found
		}
	}
	return nil
}

// String is the document as JSON, shortened for messages.
func (n *node) String() string {
	if n == nil {
		return "nothing"
	}
	return clip(string(n.json(nil)))
}

// json appends the document as JSON.
func (n *node) json(out []byte) []byte {
	switch n.is {
	case object:
		out = append(out, '{')
		for i, item := range n.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.json(append(append(out, quoted(n.names[i])...), ':'))
		}
		return append(out, '}')
	case list:
		out = append(out, '[')
		for i, item := range n.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.json(out)
		}
		return append(out, ']')
	case text:
		return append(out, quoted(n.text)...)
	case null:
		return append(out, "null"...)
	default:
		return append(out, n.text...)
	}
}

// quoted writes a text as JSON does, with < and > as they are.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // neither a string nor a builder fails
	return strings.TrimSuffix(b.String(), "\n")
}

func clip(text string) string {
	if len(text) > 400 {
		return text[:400] + "…"
	}
	return text
}
