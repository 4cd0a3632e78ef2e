package page

import (
	"encoding/json"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect"
)

// An input is what a request holds.
type input struct {
	Name, Where, Type, Need string
	About                   []phrase
}

// A phrase is some words, and what they are about as it stands in a request.
type phrase struct{ Text, Code string }

// heldInput is what a request must hold for its route, where no input reads it.
func heldInput(c dialect.ConditionInfo) input {
	made := input{Name: strings.Join(c.From.Path, "."), Where: placeNames[c.From.Place], Need: needs[dialect.Always], Type: typeNames["any"]}
	words := make([]string, len(c.Allowed))
	for i, value := range c.Allowed {
		text, isText := value.(string)
		if words[i] = text; !isText {
			written, _ := json.Marshal(value) // which was read from a file
			words[i] = string(written)
		}
		made.Type = typeNames[typeOf(value)]
	}
	switch len(words) {
	case 0:
	case 1:
		made.About = []phrase{{"always " + words[0], ""}}
	default:
		made.About = []phrase{{"one of " + strings.Join(words, ", "), ""}}
	}
	return made
}

// typeOf is the type of an input that could have a value.
func typeOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	default:
		return "number"
	}
}

func newInput(in dialect.InputInfo) input {
	made := input{Name: in.Label, Type: typeNames[in.Type], Need: needs[in.Need]}
	if len(in.From[0].Path) > 0 {
		made.Name = strings.Join(in.From[0].Path, ".")
	}
	var places []string
	for i, from := range in.From {
		place := placeNames[from.Place]
		if i > 0 && from.Place == in.From[0].Place && from.Place != "basic" {
			places = append(places, "as "+strings.Join(from.Path, "."))
			continue
		}
		if name := strings.Join(from.Path, "."); name != "" && name != made.Name && from.Place != "basic" {
			place += " as " + name
		}
		places = append(places, place)
	}
	made.Where = strings.Join(places, ", or ")
	say := func(text, code string) { made.About = append(made.About, phrase{text, code}) }
	if in.Label != "" && in.Label != last(in.From[0].Path) {
		say(in.Label, "")
	}
	if in.Doc != "" {
		say(in.Doc, "")
	}
	if in.Take != "" {
		say("of it, what is in the group counts: ", in.Take)
	}
	for _, rule := range in.Rules {
		if rule.Pattern != "" {
			say("matches ", rule.Pattern)
			continue
		}
		say(rule.Words, "")
	}
	if in.NeedWhy != "" {
		say("needed where "+in.NeedWhy, "")
	}
	if in.Default != nil {
		say("otherwise ", string(in.Default))
	}
	return made
}

var needs = map[dialect.Necessity]string{dialect.Always: "required", dialect.Sometimes: "sometimes", dialect.Never: "optional"}

var typeNames = map[string]string{
	"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "list": "list", "object": "object", "any": "anything",
}

var placeNames = map[string]string{
	"body": "body", "query": "query", "header": "header", "path": "path", "cookie": "cookie", "basic": "basic authentication", "bearer": "the token",
}
