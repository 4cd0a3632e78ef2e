package draft

import (
	"cmp"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// shown is an example of a media type: its own, or one made from its schema.
func (d document) shown() body.Value {
	if v := d.at("example"); v.Kind() != body.Null {
		return v.Value
	}
	for _, m := range d.at("examples").Members() {
		if v := d.part(m.Value()).at("value"); v.Kind() != body.Null {
			return v.Value
		}
	}
	return d.at("schema").example("")
}

// example makes a value from a schema, or from a parameter that has one.
func (d document) example(name string) body.Value {
	text := d.appendExample(nil, name, 0)
	v, err := body.ParseJSON(text, limits)
	if err != nil {
		return body.NewString("")
	}
	return v
}

func (d document) appendExample(dst []byte, name string, depth int) []byte {
	if depth > 12 || d.left <= 0 || len(dst) > maxExample {
		return append(dst, "null"...)
	}
	if schema := d.at("schema"); schema.Kind() == body.Object {
		return schema.appendExample(dst, name, depth+1)
	}
	for _, member := range []string{"const", "example", "default"} {
		if v := d.at(member); v.Kind() != body.Null {
			return body.AppendJSON(dst, v.Value)
		}
	}
	for _, member := range []string{"examples", "enum"} {
		if items := d.at(member).Items(); len(items) > 0 {
			return body.AppendJSON(dst, items[0])
		}
	}
	for _, member := range []string{"oneOf", "anyOf"} {
		if items := d.at(member).items(); len(items) > 0 {
			return items[0].appendExample(dst, name, depth+1)
		}
	}
	properties := d.properties(nil, 0)
	if len(properties) > 0 {
		dst = append(dst, '{')
		for _, p := range properties {
			if p.again {
				continue
			}
			if dst[len(dst)-1] != '{' {
				dst = append(dst, ',')
			}
			dst = append(body.AppendJSON(dst, body.NewString(p.name)), ':')
			dst = p.appendExample(dst, p.name, depth+1)
		}
		return append(dst, '}')
	}
	if d.kind() == "array" {
		dst = append(dst, '[')
		if items := d.at("items"); !items.again {
			dst = items.appendExample(dst, "", depth+1)
		}
		return append(dst, ']')
	}
	return append(dst, d.sampleOf(name)...)
}

// maxExample bounds the examples that are made from schemas.
const maxExample = 64 << 10

// A property is the schema of a member of an object.
type property struct {
	name string
	document
}

// properties are those of an object, with those of allOf.
func (d document) properties(all []property, depth int) []property {
	if depth > 8 || d.left <= 0 {
		return all
	}
	for _, part := range d.at("allOf").items() {
		all = part.properties(all, depth+1)
	}
	members := d.at("properties")
	for _, m := range members.Members() {
		all = append(all, property{m.Name(), members.part(m.Value())})
	}
	return all
}

// kind is a schema's type.
func (d document) kind() string {
	kind := d.at("type").Text()
	for _, one := range d.at("type").Items() { // 3.1 lists null beside the type
		if one.Text() != "null" {
			kind = one.Text()
		}
	}
	return kind
}

// sampleOf is a value of the schema's type, as JSON, from which what the member
// means can be guessed.
func (d document) sampleOf(name string) string {
	kind := d.kind()
	switch f := folded(name); {
	case kind == "boolean":
		return "true"
	case kind == "integer" || kind == "number":
		if strings.Contains(f, "exp") {
			return "3600"
		}
		return cmp.Or(d.either("minimum").Number(), "1")
	case kind == "object":
		return "{}"
	case d.at("format").Text() == "date-time":
		return `"` + sampleInstant + `"`
	case d.at("format").Text() == "uuid":
		return `"` + sampleUUID + `"`
	case f == "tokentype":
		return `"Bearer"`
	case d.at("format").Text() == "email":
		return `"` + sampleEmail + `"`
	}
	if d.at("format").Text() == "uri" {
		return `"https://app.example.com"`
	}
	return `"` + sampleWord + `"`
}

// What stands for a text of which a schema tells its form at most.
const (
	sampleWord    = "string"
	sampleEmail   = "user@example.com"
	sampleUUID    = "00000000-0000-0000-0000-000000000000"
	sampleInstant = "2026-01-31T09:30:00Z"
)

var sampleTexts = []string{sampleWord, sampleEmail, sampleUUID, sampleInstant}
