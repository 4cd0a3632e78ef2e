package dialect

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A member is one member of a mapping.
type member struct{ name, value *yaml.Node }

// members returns the members of a mapping in their order, or reports that n is none.
func (r *reader) members(n *yaml.Node, what string) []member {
	if n == nil || r.full() {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, "write its members below it, as name: value", "%s must be a mapping, not %s", what, kindName(n))
		return nil
	}
	all := make([]member, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, member{n.Content[i], n.Content[i+1]})
	}
	return all
}

// items returns the items of a list. A single value stands for a list of one.
func (r *reader) items(n *yaml.Node, what string) []*yaml.Node {
	switch {
	case n == nil || r.full():
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return []*yaml.Node{n}
	}
	r.fault(n, "write [a, b], or a line - a for each", "%s must be a list, not %s", what, kindName(n))
	return nil
}

// A section is a mapping that has been read by its shape.
type section struct {
	r      *reader
	node   *yaml.Node
	what   string
	shape  *Shape
	values map[string]*yaml.Node
}

// section reads a mapping and reports members that its shape does not have. A nil
// or wrong node gives a section in which nothing is found.
func (r *reader) section(n *yaml.Node, shape *Shape) section { return r.named(n, shape, shape.Name) }

// named is section for a mapping that messages know by a name of its own. A member
// that is nearly one of the shape's is read as that, so that what it means is not
// missed, too.
func (r *reader) named(n *yaml.Node, shape *Shape, what string) section {
	s := section{r: r, node: n, what: what, shape: shape, values: map[string]*yaml.Node{}}
	for _, m := range r.members(n, what) {
		switch slot := shape.slot(m.name.Value); {
		case slot == nil:
			r.fault(m.name, didYouMean(m.name.Value, shape.known()), "%s has no member %q", what, m.name.Value)
			if near := nearest(m.name.Value, shape.known()); near != "" && memberOf(n, near) == nil {
				s.values[near] = m.value
			}
		case slot.later:
			r.fault(m.name, "leave it out", "%s: the member %s is not served yet", what, m.name.Value)
		default:
			s.values[m.name.Value] = m.value
		}
	}
	return s
}

// get returns a member's value, or nil.
func (s section) get(name string) *yaml.Node { return s.values[name] }

// need returns a member's value; its absence is a fault.
func (s section) need(name string) *yaml.Node {
	n := s.values[name]
	if n == nil && s.node != nil && s.node.Kind == yaml.MappingNode {
		s.r.fault(s.node, s.shape.slot(name).Hint, "%s lacks the member %s", s.what, name)
	}
	return n
}

// doc reads what people are told about the mapping.
func (s section) doc() string {
	if n := s.get("doc"); n != nil {
		return s.r.text(n, "doc")
	}
	return ""
}

// word reads a member that is one of its slot's words; "" when it is absent, or wrong.
func (s section) word(name string) string {
	n := s.values[name]
	if n == nil {
		return ""
	}
	return s.r.word(n, name, s.shape.slot(name).Words...)
}

// words reads a list of its slot's words, but for those that are wrong.
func (s section) words(name string) []string {
	var all []string
	for _, item := range s.r.items(s.values[name], name) {
		if word := s.r.word(item, name, s.shape.slot(name).Item.Words...); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// scalar returns n with a setting in place of ${setting.name}, or nil and a fault
// when it is no single value.
func (r *reader) scalar(n *yaml.Node, what string) *yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n, "write one text, number or boolean", "%s must be a single value, not %s", what, kindName(n))
		return nil
	}
	name, ok := settingName(n)
	if !ok {
		return n
	}
	s, known := r.settings[name]
	if !known {
		r.fault(n, didYouMean(name, r.settings.names()), "there is no setting %q", name)
		return nil
	}
	filled := *n
	filled.Value, filled.Tag = s.text(), s.tag()
	return &filled
}

// settingName recognizes ${setting.name}.
func settingName(n *yaml.Node) (string, bool) {
	rest, ok := strings.CutPrefix(n.Value, "${setting.")
	if !ok {
		return "", false
	}
	name, ok := strings.CutSuffix(rest, "}")
	return name, ok && settingPattern.MatchString(name)
}

// text reads a text that takes no expressions; numbers and booleans must be quoted
// to be one.
func (r *reader) text(n *yaml.Node, what string) string {
	r.asItStands(n, what)
	return r.letters(n, what)
}

// asItStands warns of ${ in a text where nothing fills it.
func (r *reader) asItStands(n *yaml.Node, what string) {
	if n == nil || n.Kind != yaml.ScalarNode {
		return
	}
	_, filled := settingName(n)
	if at := strings.Index(n.Value, "${"); at >= 0 && !filled {
		r.warnAt(n, utf8.RuneCountInString(n.Value[:at]), "write it out; ${setting.NAME} alone may stand there", "%s takes no expression, and keeps ${ as it stands", what)
	}
}

// letters is text for whoever reads on what stands in it.
func (r *reader) letters(n *yaml.Node, what string) string {
	v := r.scalar(n, what)
	if v == nil {
		return ""
	}
	if v.Tag != "!!str" && v.Tag != "!!timestamp" {
		r.fault(n, "quote it", "%s must be text, not %s", what, kindName(v))
		return ""
	}
	return v.Value
}

// word reads one of a closed list of words.
func (r *reader) word(n *yaml.Node, what string, words ...string) string {
	v := r.scalar(n, what)
	if v == nil {
		return ""
	}
	if !slices.Contains(words, v.Value) {
		r.fault(n, didYouMean(v.Value, words), "%s cannot be %q", what, v.Value)
		return ""
	}
	return v.Value
}

// integer reads a whole number within bounds.
func (r *reader) integer(n *yaml.Node, what string, least, most int) int {
	v := r.scalar(n, what)
	if v == nil {
		return 0
	}
	i, err := strconv.Atoi(v.Value)
	if err != nil || v.Tag != "!!int" || i < least || i > most {
		bounds := "from " + strconv.Itoa(least) + " to " + strconv.Itoa(most)
		if most == math.MaxInt {
			bounds = "of at least " + strconv.Itoa(least)
		}
		r.fault(n, "write it in digits, without quotes", "%s must be a whole number %s, not %s", what, bounds, v.Value)
		return 0
	}
	return i
}

// boolean reads true or false; an absent node is otherwise.
func (r *reader) boolean(n *yaml.Node, what string, otherwise bool) bool {
	if n == nil {
		return otherwise
	}
	v := r.scalar(n, what)
	if v == nil {
		return otherwise
	}
	if v.Tag != "!!bool" {
		meant := cmp.Or(truths[strings.ToLower(v.Value)], "true or false")
		r.fault(n, "write "+meant+", without quotes", "%s must be true or false, not %s", what, v.Value)
		return otherwise
	}
	return v.Value == "true"
}

// duration reads a length of time, such as 90s, 15m, 1h30m or 8d.
func (r *reader) duration(n *yaml.Node, what string) (d time.Duration, ok bool) {
	v := r.scalar(n, what)
	if v == nil {
		return 0, false
	}
	d, err := parseDuration(v.Value)
	if err != nil {
		r.fault(n, "write it as 90s, 15m, 1h30m or 8d", "%s: %q is not a length of time", what, v.Value)
	}
	return d, err == nil
}

func parseDuration(text string) (time.Duration, error) {
	var days time.Duration
	if count, rest, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(count, 10, 16)
		if err != nil {
			return 0, err
		}
		days, text = time.Duration(n)*24*time.Hour, rest
		if rest == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(text)
	return days + d, err
}

// kindName names what a node is, for messages.
func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "a boolean"
	}
	return "text"
}
