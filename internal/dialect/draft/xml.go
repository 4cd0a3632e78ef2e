package draft

import (
	"encoding/xml"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

func looksLikeXML(content string) bool { return strings.HasPrefix(strings.TrimSpace(content), "<") }

func isXML(typ string) bool {
	return typ == "application/xml" || typ == "text/xml" || strings.HasSuffix(typ, "+xml")
}

func (r *Request) readXML(typ, content string) error {
	value, err := body.ParseXML([]byte(content), limits)
	if err != nil {
		return &Problem{"the body is no XML document: " + reason(err), "give the command in single quotes, so that the shell leaves the body alone"}
	}
	r.Form, r.Body = XML, value
	if typ != "application/xml" {
		r.MediaType = typ
	}
	r.leaves(nil, value)
	return nil
}

// xmlText writes names in nested mappings as the elements and attributes that they are.
func xmlText(n *yaml.Node) string {
	var b strings.Builder
	for i := 0; i < len(n.Content); i += 2 {
		writeXML(&b, n.Content[i].Value, n.Content[i+1])
	}
	return b.String()
}

func writeXML(b *strings.Builder, name string, n *yaml.Node) {
	switch {
	case name == "#text":
		_ = xml.EscapeText(b, []byte(n.Value)) // a builder takes all
		return
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			writeXML(b, name, item)
		}
		return
	}
	b.WriteString("<" + name)
	for i := 0; i < len(n.Content); i += 2 {
		if attribute, ok := strings.CutPrefix(n.Content[i].Value, "@"); ok {
			b.WriteString(" " + attribute + `="`)
			_ = xml.EscapeText(b, []byte(n.Content[i+1].Value))
			b.WriteString(`"`)
		}
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(n.Value))
	for i := 0; i < len(n.Content); i += 2 {
		if !strings.HasPrefix(n.Content[i].Value, "@") {
			writeXML(b, n.Content[i].Value, n.Content[i+1])
		}
	}
	b.WriteString("</" + name + ">")
}
