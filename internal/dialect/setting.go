package dialect

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

var settingPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// A setting is what an operator may choose: a string, int64, float64 or bool.
type setting struct{ value any }

// settings are the file's settings with the operator's choices, by name.
type settings map[string]setting

func (s settings) names() []string { return slices.Sorted(maps.Keys(s)) }

// text is the value as a file would spell it.
func (s setting) text() string {
	switch v := s.value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(s.value)
}

// tag is the value's YAML type.
func (s setting) tag() string {
	switch s.value.(type) {
	case int64:
		return "!!int"
	case float64:
		return "!!float"
	case bool:
		return "!!bool"
	}
	return "!!str"
}

func (s setting) factType() factType {
	switch s.value.(type) {
	case int64:
		return integerType
	case float64:
		return numberType
	case bool:
		return booleanType
	}
	return textType
}

// readSettings reads the defaults and lays the operator's choices over them.
func (r *reader) readSettings(n *yaml.Node, chosen map[string]any) settings {
	all := settings{}
	for i, m := range r.members(n, "settings") {
		name := m.name.Value
		if i == maxSettings {
			r.fault(m.name, "write the value where it is used", "there are more than %d settings", maxSettings)
			break
		}
		if !settingPattern.MatchString(name) {
			r.fault(m.name, "use lower-case letters, digits and underscores", "%q cannot name a setting", name)
			continue
		}
		value, ok := scalarValue(m.value)
		if !ok {
			r.fault(m.value, "such as '' for text that has to be given", "the default of setting %s must be text, a number or a boolean, not %s", name, kindName(m.value))
			continue
		}
		switch value { // what no file can know
		case "${base_url}":
			value = r.dialect.baseURL
		case "${issuer}":
			value = r.dialect.issuer
		default:
			r.noSetting(m.value, name)
		}
		all[name] = setting{value}
		choice, given := chosen[name]
		if !given {
			continue
		}
		if value, ok = likeDefault(value, choice); !ok {
			r.fault(m.name, "give a value of the default's type", "setting %s is given as %s, but its default is %s", name, setting{choice}.kind(), all[name].kind())
			continue
		}
		all[name] = setting{value}
	}
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		if _, known := all[name]; known {
			continue
		}
		place := n
		if place == nil {
			place = &yaml.Node{Line: 1, Column: 1}
		}
		r.fault(place, didYouMean(name, all.names()), "setting %q is given, but the dialect has no such setting", name)
	}
	return all
}

// noSetting warns of ${ in a default: nothing else of what a server knows is filled in.
func (r *reader) noSetting(n *yaml.Node, name string) {
	if strings.Contains(n.Value, "${") {
		r.warn(n, "such as ${base_url} or ${issuer}, alone; put the rest around ${setting."+name+"} where it is used", "the default of setting %s takes no other expression, and keeps ${ as it stands", name)
	}
}

func (s setting) kind() string {
	switch s.value.(type) {
	case string:
		return "text"
	case int64, int, uint64:
		return "a whole number"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	}
	return fmt.Sprintf("a %T", s.value)
}

// scalarValue reads a scalar's own type.
func scalarValue(n *yaml.Node) (any, bool) {
	if n.Kind != yaml.ScalarNode {
		return nil, false
	}
	switch n.Tag {
	case "!!str", "!!timestamp":
		return n.Value, true
	case "!!int":
		i, err := strconv.ParseInt(n.Value, 10, 64)
		return i, err == nil
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
	case "!!bool":
		return n.Value == "true", n.Value == "true" || n.Value == "false"
	}
	return nil, false
}

// likeDefault turns the operator's choice into the default's type.
func likeDefault(value, choice any) (any, bool) {
	switch value.(type) {
	case string:
		text, ok := choice.(string)
		return text, ok
	case bool:
		b, ok := choice.(bool)
		return b, ok
	case int64:
		return wholeNumber(choice)
	case float64:
		if i, ok := wholeNumber(choice); ok {
			return float64(i), true
		}
		f, ok := choice.(float64)
		return f, ok
	}
	return nil, false
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	}
	return 0, false
}
