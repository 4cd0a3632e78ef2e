package recordtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
)

// parseXML reads a document as a tree: an element is an object of its attributes
// (@name) and its elements, in their order, or the text that is all it holds.
func parseXML(data []byte) (*node, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	document := &node{is: object}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return document, nil
		}
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := document.element(decoder, start); err != nil {
				return nil, err
			}
		}
	}
}

// element reads an element into the object that holds it.
func (n *node) element(decoder *xml.Decoder, start xml.StartElement) error {
	inner := &node{is: object}
	for _, attribute := range start.Attr {
		inner.add("@"+name(attribute.Name), &node{is: text, text: attribute.Value})
	}
	var words strings.Builder
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := inner.element(decoder, token); err != nil {
				return err
			}
		case xml.CharData:
			words.Write(token)
		case xml.EndElement:
			said := strings.TrimSpace(words.String())
			if len(inner.items) == 0 {
				inner = &node{is: text, text: said}
			} else if said != "" {
				inner.add("#text", &node{is: text, text: said})
			}
			n.add(name(start.Name), inner)
			return nil
		}
	}
}

func name(of xml.Name) string { return strings.TrimPrefix(of.Space+":"+of.Local, ":") }

func (n *node) add(name string, item *node) {
	n.names, n.items = append(n.names, name), append(n.items, item)
}

// inBraces is a placeholder as records write it in XML, where < is markup.
var inBraces = regexp.MustCompile(`\{([a-z][A-Za-z0-9_.]*(?:\|[a-z_]+)?)\}`)

// angled gives every text of a record's XML the usual placeholders.
func (n *node) angled() {
	n.text = inBraces.ReplaceAllString(n.text, "<$1>")
	for _, item := range n.items {
		item.angled()
	}
}

// xml compares a document with the record's, which is a text there.
func (c *comparison) xml(want *node, got []byte) {
	wanted, err := parseXML([]byte(want.text))
	if err != nil {
		c.fault(want.pointer, "the record: %v", err)
		return
	}
	wanted.angled()
	have, err := parseXML(got)
	if err != nil {
		c.fault(want.pointer, "the body is no XML: %v", err)
		return
	}
	want.looked, c.loose = true, true
	c.elements(wanted, have, want.pointer)
	c.loose = false
}

// elements compares by position, as an element may come more than once.
func (c *comparison) elements(want, got *node, path string) {
	for i, name := range want.names {
		if i >= len(got.names) || got.names[i] != name {
			c.fault(path, "the elements are %q, want %q", got.names, want.names)
			return
		}
		want.items[i].pointer = path + "/" + name
		if want.items[i].is == object && got.items[i].is == object {
			c.elements(want.items[i], got.items[i], want.items[i].pointer)
		} else {
			c.value(want.items[i], got.items[i])
		}
	}
	if len(got.names) > len(want.names) {
		c.fault(path, "the elements are %q, want %q", got.names, want.names)
	}
}
