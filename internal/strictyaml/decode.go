package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// A Document is a file that was read, with the place of everything in it.
type Document struct {
	File   string
	places map[string]place
}

type place struct{ line, column int }

// Place returns where path, such as "serve[0].prefix", stands in the file. For a
// path that the file does not hold it is the place of the nearest member around
// it; ok is false when there is none.
func (d Document) Place(path string) (line, column int, ok bool) {
	for path != "" {
		if at, ok := d.places[path]; ok {
			return at.line, at.column, true
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0, 0, false
}

// Decode reads source into the struct that out points to. Its error is [Faults].
// An empty file leaves out as it is.
func Decode(file string, source []byte, out any) (Document, error) {
	document := Document{File: file, places: map[string]place{}}
	var root yaml.Node
	if strings.TrimSpace(string(source)) == "" {
		return document, nil
	}
	if err := yaml.Load(source, &root); err != nil {
		if faults := syntaxFaults(file, err); faults[0].Message != "no documents in stream" {
			return document, faults
		}
	}
	if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
		return document, nil
	}
	w := walker{document: document}
	w.walk("", root.Content[0], reflect.TypeOf(out).Elem())
	if len(w.faults) == 0 {
		if err := yaml.Load(source, out); err != nil {
			w.faults = syntaxFaults(file, err) // what the walk let pass
		}
	}
	if len(w.faults) == 0 {
		return document, nil
	}
	w.faults.sort()
	return document, w.faults
}

func syntaxFaults(file string, err error) Faults {
	all, ok := errors.AsType[*yaml.LoadErrors](err)
	if !ok {
		if one, ok := errors.AsType[*yaml.LoadError](err); ok {
			all = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
		} else {
			return Faults{{File: file, Message: withoutValues(err.Error())}}
		}
	}
	var faults Faults
	for _, one := range all.Errors {
		fault := Fault{File: file, Line: one.Mark.Line, Column: one.Mark.Column, Message: withoutValues(strings.TrimPrefix(one.Message, "yaml: "))}
		if one.ContextMsg != "" {
			fault.Message = withoutValues(one.ContextMsg) + ": " + fault.Message
		}
		if strings.Contains(fault.Message, "cannot start any token") {
			fault.Hint = "indent with blanks, not tabs"
		}
		faults = append(faults, fault)
	}
	return faults
}

var (
	// punctuation is what the parser quotes of its own: did not find expected ',' or ']'.
	punctuation = regexp.MustCompile("^[^'\"`]*expected '[[:punct:]]'( or '[[:punct:]]')?[^'\"`]*$")
	// quoted reaches to the last quote: a value may hold quotes too.
	quoted = regexp.MustCompile("(?s)'.*'|`.*`|\".*\"")
	// tagged is what stands unquoted where a tag was made up: `password: !canary`.
	tagged = regexp.MustCompile(`(?s)^cannot construct .*( into | as a )`)
)

// withoutValues takes out of a parser's message what it quotes of the file: it may
// be a secret.
func withoutValues(message string) string {
	if punctuation.MatchString(message) {
		return message
	}
	return quoted.ReplaceAllString(tagged.ReplaceAllString(message, "cannot construct …$1"), "…")
}

// A walker compares a tree with the type that it is to fill.
type walker struct {
	document Document
	faults   Faults
}

func (w *walker) fault(node *yaml.Node, hint, format string, args ...any) {
	w.faults = append(w.faults, Fault{
		File: w.document.File, Line: node.Line, Column: node.Column,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	duration        = reflect.TypeFor[time.Duration]()
	instant         = reflect.TypeFor[time.Time]()
)

func (w *walker) walk(path string, node *yaml.Node, want reflect.Type) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if want.Kind() == reflect.Pointer {
		want = want.Elem()
	}
	switch {
	case node.Tag == "!!null" || want.Kind() == reflect.Interface:
		w.unique(path, node)
	case want == duration:
		if _, err := time.ParseDuration(node.Value); node.Kind != yaml.ScalarNode || err != nil {
			w.wrongType(path, node, "a duration such as 30s or 5m")
		}
	case want == instant:
		if node.Kind != yaml.ScalarNode || node.Decode(new(time.Time)) != nil {
			w.wrongType(path, node, "an instant such as 2027-01-31T09:30:00Z")
		}
	case want.Kind() == reflect.String || reflect.PointerTo(want).Implements(textUnmarshaler):
		if node.Kind != yaml.ScalarNode {
			w.wrongType(path, node, "text")
		}
	case want.Kind() == reflect.Struct:
		w.walkStruct(path, node, want)
	case want.Kind() == reflect.Map:
		w.walkMap(path, node, want)
	case want.Kind() == reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			w.wrongType(path, node, "a list")
			return
		}
		for i, item := range node.Content {
			item, path := item, fmt.Sprintf("%s[%d]", path, i)
			w.document.places[path] = place{item.Line, item.Column}
			w.walk(path, item, want.Elem())
		}
	default:
		if node.Kind != yaml.ScalarNode || node.Decode(reflect.New(want).Interface()) != nil {
			w.wrongType(path, node, scalarName(want.Kind()))
		}
	}
}

func (w *walker) walkStruct(path string, node *yaml.Node, want reflect.Type) {
	if node.Kind != yaml.MappingNode {
		w.wrongType(path, node, "members")
		return
	}
	fields := map[string]reflect.Type{}
	var names []string
	for field := range want.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			fields[name] = field.Type
			names = append(names, name)
		}
	}
	w.members(path, node, func(path string, name, value *yaml.Node) {
		field, ok := fields[name.Value]
		if !ok {
			w.fault(name, suggestion(name.Value, names), "%s: there is no such member", path)
			return
		}
		w.walk(path, value, field)
	})
}

func (w *walker) walkMap(path string, node *yaml.Node, want reflect.Type) {
	if node.Kind != yaml.MappingNode {
		w.wrongType(path, node, "members")
		return
	}
	w.members(path, node, func(path string, _, value *yaml.Node) { w.walk(path, value, want.Elem()) })
}

// unique looks for members that are given twice in a tree of any type.
func (w *walker) unique(path string, node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		w.members(path, node, func(path string, _, value *yaml.Node) { w.unique(path, value) })
	case yaml.SequenceNode:
		for i, item := range node.Content {
			w.unique(fmt.Sprintf("%s[%d]", path, i), item)
		}
	default: // an alias was looked at where it was anchored
	}
}

// members visits each member of a mapping and refuses those that come twice.
func (w *walker) members(path string, node *yaml.Node, visit func(path string, name, value *yaml.Node)) {
	seen := map[string]int{}
	for pair := range slices.Chunk(node.Content, 2) {
		name, value := pair[0], pair[1]
		member := name.Value
		if path != "" {
			member = path + "." + name.Value
		}
		if line, again := seen[name.Value]; again {
			w.fault(name, "", "%s: given twice, first in line %d", member, line)
			continue
		}
		seen[name.Value] = name.Line
		w.document.places[member] = place{name.Line, name.Column}
		visit(member, name, value)
	}
}

// wrongType does not repeat the value: it may be a secret.
func (w *walker) wrongType(path string, node *yaml.Node, want string) {
	got := "text"
	switch {
	case node.Kind == yaml.MappingNode:
		got = "members"
	case node.Kind == yaml.SequenceNode:
		got = "a list"
	case node.Tag == "!!int", node.Tag == "!!float":
		got = "a number"
	case node.Tag == "!!bool":
		got = "true or false"
	}
	if path == "" {
		path = "the file"
	}
	hint := ""
	if got == want || (got == "a number" && strings.HasPrefix(want, "a whole number")) {
		got = "something else"
	}
	w.fault(node, hint, "%s: want %s, got %s", path, want, got)
}

func scalarName(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

func suggestion(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "there are " + strings.Join(known, ", ")
}
