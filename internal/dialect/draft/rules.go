package draft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A rule is what a description of an API demands of a field's values, as inputs name it.
type rule struct {
	name   string // min, max, format or one_of
	bound  int
	format string
	values []body.Value
}

// formats are those that inputs know, as JSON Schema calls them.
var formats = map[string]string{"email": "email", "uuid": "uuid", "uri": "uri", "date-time": "date_time"}

// bounds are the members of JSON Schema that say how much there may be of a type.
var bounds = map[string][2]string{
	"": {"minLength", "maxLength"}, "integer": {"minimum", "maximum"}, "number": {"minimum", "maximum"}, "list": {"minItems", "maxItems"},
}

// maxChoices bounds the values of one_of: a list of all currencies is no rule of a sign-in.
const maxChoices = 50

// rules are those that inputs of a type can keep; what cannot be said is told to left.
func (d document) rules(typ string, left func(what string)) []rule {
	var all []rule
	members, counted := bounds[typ]
	for i, name := range []string{"min", "max"} {
		is := d.either(members[i])
		if !counted || is.Kind() != body.Number {
			continue
		}
		if n, err := strconv.Atoi(is.Number()); err == nil && n >= 0 {
			all = append(all, rule{name: name, bound: n})
		} else {
			left(members[i])
		}
	}
	if format := d.either("format").Text(); typ == "" && formats[format] != "" {
		all = append(all, rule{name: "format", format: formats[format]})
	}
	choices := slices.DeleteFunc(slices.Clone(d.either("enum").Items()), func(v body.Value) bool { return v.Kind() == body.Null })
	switch another := func(v body.Value) bool { return typeOf(v) != typ }; {
	case len(choices) < 2 || typ == "list" || !counted: // none, or a constant
	case len(choices) > maxChoices || slices.ContainsFunc(choices, another):
		left("enum")
	default:
		all = append(all, rule{name: "one_of", values: choices})
	}
	return all
}

// lengthen makes a text of which nothing is known as long as the rules want it.
func (f *Field) lengthen() {
	for _, r := range f.Rules {
		if is := f.Value.Text(); r.name == "min" && is == sampleWord && r.bound <= maxShown {
			f.Value = body.NewString(is + strings.Repeat("s", max(0, r.bound-len(is))))
		}
	}
}

// node is the rule as the file has it.
func (r rule) node() *yaml.Node {
	switch r.name {
	case "format":
		return text(r.format)
	case "one_of":
		all := flatList()
		for _, v := range r.values {
			all.Content = append(all.Content, value(v))
		}
		return all
	}
	return plain(strconv.Itoa(r.bound))
}

// keeps reports whether what an example sends keeps the rule.
func (r rule) keeps(typ string, sent *yaml.Node) bool {
	switch r.name {
	case "one_of":
		return slices.ContainsFunc(r.values, func(v body.Value) bool { return value(v).Value == sent.Value })
	case "format":
		return r.format == "email" && strings.Contains(sent.Value, "@") ||
			r.format == "uuid" && uuidText.MatchString(sent.Value) ||
			r.format == "uri" && strings.Contains(sent.Value, "://") ||
			r.format == "date_time" && isoText.MatchString(sent.Value)
	}
	is := float64(utf8.RuneCountInString(sent.Value))
	switch typ {
	case "list":
		is = float64(len(sent.Content))
	case "integer", "number":
		is, _ = strconv.ParseFloat(sent.Value, 64)
	}
	return r.name == "min" && is >= float64(r.bound) || r.name == "max" && is <= float64(r.bound)
}

// keepRules leaves out the rules that the values of the examples would break: a sample is
// no value of the API's own.
func (d *Draft) keepRules(s sample) {
	for i := range d.Request.Fields {
		f := &d.Request.Fields[i]
		f.Rules = slices.DeleteFunc(f.Rules, func(r rule) bool {
			for _, c := range s.changes(&d.Request) {
				if !r.keeps(f.Type, f.shown(s, c)) {
					d.Notes = append(d.Notes, fmt.Sprintf("The rule %s of the field %s, which the values of the examples would break.", r.name, f.last()))
					return true
				}
			}
			return false
		})
	}
}
