// Package schema writes the JSON Schema of dialect files, for editors. It is made
// from the same table by which the loader reads files ([dialect.Language]), so that
// the two never differ.
//
// A schema sees the form of a file alone: that an expression names what is there,
// or that every outcome has its words, the loader tells.
package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// Write is the schema, JSON Schema 2020-12, as indented JSON.
func Write() ([]byte, error) {
	shapes := dialect.Language()
	defs := object{"template": template, "setting": setting}
	for i := range shapes {
		defs[name(&shapes[i])] = with(shape(&shapes[i]), forms[shapes[i].Name])
	}
	// In two places more may stand than the kind of their slot says.
	property(defs, "loop", "$members", object{"type": "object", "additionalProperties": object{"$ref": ref("template")}})
	property(defs, "expect", "headers", object{"type": "object", "additionalProperties": object{"type": []string{"string", "array", "null"}, "items": object{"type": "string"}}})
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "A dialect of Chancery",
		"$ref":    ref(name(&shapes[0])),
		"$defs":   defs,
	})
	return b.Bytes(), err
}

// property replaces a member's schema.
func property(defs object, shape, member string, schema object) {
	of, _ := defs[shape].(object)
	properties, _ := of["properties"].(object)
	was, _ := properties[member].(object)
	schema["description"] = was["description"]
	properties[member] = schema
}

// An object is a JSON object; its members are written in the order of their names.
type object map[string]any

// name is a shape's name among the definitions.
func name(s *dialect.Shape) string {
	words := strings.TrimPrefix(strings.TrimPrefix(s.Name, "an "), "a ")
	return strings.NewReplacer(" ", "_", ".", "_").Replace(words)
}

func ref(name string) string { return "#/$defs/" + name }

// setting is what may stand in the place of every single value.
var setting = object{"type": "string", "pattern": `^\$\{setting\.[a-z][a-z0-9_]*\}$`}

// template is a tree with expressions in its leaves.
var template = object{
	"if":   object{"type": "object", "required": []string{"$for"}},
	"then": object{"$ref": ref("loop")},
	"else": object{
		"type":                 []string{"object", "array", "string", "number", "boolean", "null"},
		"items":                object{"$ref": ref("template")},
		"additionalProperties": object{"$ref": ref("template")},
		"properties":           object{"$echo": object{"enum": []string{"value", "body"}}},
		"propertyNames":        object{"pattern": `^(\$\$|[^$]|$)|^\$(echo|json)$`},
	},
}

// shape is the schema of a mapping.
func shape(s *dialect.Shape) object {
	made := object{"type": "object", "description": s.Doc, "additionalProperties": false}
	properties, required := object{}, []string{}
	for i := range s.Members {
		m := &s.Members[i]
		properties[m.Name] = described(m, forms[s.Name+" "+m.Name])
		if m.Need {
			required = append(required, m.Name)
		}
	}
	if len(properties) > 0 {
		made["properties"] = properties
	}
	if len(required) > 0 {
		made["required"] = required
	}
	if s.Own == nil {
		return made
	}
	made["additionalProperties"] = described(s.Own, forms[s.Name+" *"])
	switch {
	case len(s.Names) > 0:
		made["propertyNames"] = object{"enum": s.Names}
	case s.Pattern != "":
		made["propertyNames"] = object{"pattern": s.Pattern}
	}
	return made
}

// with is a schema that has to hold beside another.
func with(made, form object) object {
	joined := maps.Clone(made)
	for keyword := range form {
		if _, taken := made[keyword]; taken {
			joined["allOf"] = []any{form}
			return joined
		}
	}
	maps.Copy(joined, form)
	return joined
}

// described is the schema of a slot, with what people are told of it.
func described(s *dialect.Slot, form object) object {
	made := slot(s)
	if form != nil {
		if s.Is&dialect.KindList != 0 {
			form = object{"if": object{"type": "array"}, "then": object{"items": form}, "else": form}
		}
		made = with(made, form)
	}
	words := s.Doc
	if s.Default != "" {
		words += "; default: " + s.Default
	}
	if words != "" {
		made["description"] = words
	}
	return made
}

// slot is the schema of what may stand in a place.
func slot(s *dialect.Slot) object {
	if s.Is&dialect.KindAny != 0 {
		return object{}
	}
	var choices []any
	for _, kind := range kinds {
		if s.Is&kind != 0 {
			choices = append(choices, choice(s, kind)...)
		}
	}
	if s.Is&(dialect.KindText|dialect.KindTemplate|dialect.KindTextTemplate|dialect.KindExpression) == 0 && s.Is&single != 0 {
		choices = append(choices, object{"$ref": ref("setting")})
	}
	if len(choices) == 1 {
		only, _ := choices[0].(object)
		return only
	}
	return object{"anyOf": choices}
}

// single are the kinds of single values.
const single = dialect.KindText | dialect.KindWord | dialect.KindWhole | dialect.KindBool | dialect.KindDuration |
	dialect.KindTextTemplate | dialect.KindExpression | dialect.KindTemplate

var kinds = []dialect.Kind{
	dialect.KindText, dialect.KindWord, dialect.KindWhole, dialect.KindBool, dialect.KindDuration, dialect.KindList,
	dialect.KindShape, dialect.KindTemplate, dialect.KindTextTemplate, dialect.KindExpression,
}

// choice is the schema of one kind of value; a list of single values may be one alone.
func choice(s *dialect.Slot, kind dialect.Kind) []any {
	switch kind {
	case dialect.KindText:
		return one(object{"type": "string"})
	case dialect.KindWord:
		return one(object{"enum": slices.Clone(s.Words)})
	case dialect.KindWhole:
		return one(object{"type": "integer"})
	case dialect.KindBool:
		return one(object{"type": "boolean"})
	case dialect.KindDuration:
		return one(object{"type": "string", "pattern": `^([0-9]+d)?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))*$`, "minLength": 2})
	case dialect.KindList:
		items := slot(s.Item)
		list := object{"type": "array", "items": items}
		if s.Item.Is&(single|dialect.KindAny) != 0 {
			return []any{list, scalars(s.Item)}
		}
		return one(list)
	case dialect.KindShape:
		return one(object{"$ref": ref(name(s.Of))})
	case dialect.KindTemplate:
		return one(object{"$ref": ref("template")})
	case dialect.KindTextTemplate:
		return one(object{"type": []string{"string", "number", "boolean"}})
	default:
		return one(object{"type": "string", "pattern": `^\$\{`})
	}
}

func one(schema object) []any { return []any{schema} }

// scalars is the schema of an item that stands for a list of one: no mapping does.
func scalars(item *dialect.Slot) object {
	alone := *item
	alone.Is &= single | dialect.KindAny
	if alone.Is&dialect.KindAny != 0 {
		return object{"type": []string{"string", "number", "boolean"}}
	}
	return slot(&alone)
}
