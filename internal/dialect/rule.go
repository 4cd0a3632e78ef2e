package dialect

import (
	"cmp"
	"errors"
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A rule is what a value must keep. The rules of an input are asked in one fixed
// order, and the first that is broken is told.
type rule struct {
	name    string
	node    *yaml.Node
	limit   int
	pattern *regexp.Regexp
	format  string
	domains domains
	values  []body.Value // of one_of and equals
	allowed []any        // the same, for the fact
	with    []*input     // of must_agree
}

var formats = map[string]func(string) bool{
	"email":     isEmail,
	"uuid":      func(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil },
	"uri":       isURI,
	"date_time": isDateTime,
}

// isEmail reports whether text is a bare address, as it would stand in a mail.
func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && a.Address == text
}

// emailReason says why text is no address, in the words of contracts that tell it.
func emailReason(text string) string {
	local, domain, ok := cutLast(text, "@")
	switch {
	case !ok:
		return "An email address must have an @-sign."
	case local == "":
		return "Nothing stands before the @-sign."
	case !isEmail("a@" + domain):
		return "The part after the @-sign is not valid."
	default:
		return "The part before the @-sign is not valid."
	}
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

var dateTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$`)

// isDateTime reports whether text is an instant of RFC 3339.
func isDateTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil && dateTime.MatchString(text)
}

func isURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}

func (r *reader) inputRules(s section, in *input) []rule {
	var rules []rule
	for _, name := range []string{ruleMin, ruleMax} {
		if n := s.get(name); n != nil {
			if !slices.Contains([]string{"string", "integer", "number", "list"}, in.typ) {
				r.fault(n, "leave it out, or write type: string, integer, number or list", "%s has no meaning for an input of type %s", name, in.typ)
			}
			rules = append(rules, rule{name: name, node: n, limit: r.integer(n, name, 0, noBound)})
		}
	}
	if n := s.get(rulePattern); n != nil && r.isText(n, in, rulePattern) {
		text := r.text(n, rulePattern)
		re, problem := compilePattern(text)
		if problem != "" {
			r.fault(n, "patterns are RE2; anchor them with ^ and $", "%q is not a pattern: %s", shorten(text, maxShown), problem)
		}
		rules = append(rules, rule{name: rulePattern, node: n, pattern: re})
	}
	if n := s.get(ruleFormat); n != nil && r.isText(n, in, ruleFormat) {
		rules = append(rules, rule{name: ruleFormat, node: n, format: s.word(ruleFormat)})
	}
	if n := s.get(ruleDomain); n != nil && r.isText(n, in, ruleDomain) {
		rules = append(rules, r.domainRule(n))
	}
	if n := s.get(ruleOneOf); n != nil {
		rules = append(rules, r.constantValues(n, in, rule{name: ruleOneOf, node: n}, r.items(n, ruleOneOf)))
	}
	if n := s.get(ruleEquals); n != nil {
		rules = append(rules, r.constantValues(n, in, rule{name: ruleEquals, node: n}, []*yaml.Node{n}))
	}
	if n := s.get(ruleMustAgree); n != nil {
		rules = append(rules, rule{name: ruleMustAgree, node: n})
	}
	return rules
}

// compilePattern compiles a regular expression, or says what is wrong with it.
func compilePattern(text string) (re *regexp.Regexp, problem string) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err == nil && patternSize(parsed) > maxPattern {
		return nil, "it is too large"
	}
	if err == nil {
		re, err = regexp.Compile(text)
	}
	if fault, ok := errors.AsType[*syntax.Error](err); ok {
		return nil, string(fault.Code)
	}
	return re, ""
}

// patternSize estimates the instructions that an expression compiles to, without
// writing out what is repeated.
func patternSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass {
		size = 1 + len(re.Rune)/8
	}
	for _, sub := range re.Sub {
		size = min(size+patternSize(sub), maxPattern+1)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return min(size, maxPattern+1)
}

func (r *reader) isText(n *yaml.Node, in *input, rule string) bool {
	if in.typ != "string" {
		r.fault(n, "leave it out, or leave type out", "%s has no meaning for an input of type %s", rule, in.typ)
		return false
	}
	return true
}

// constantValues reads the values of one_of and equals.
func (r *reader) constantValues(n *yaml.Node, in *input, made rule, items []*yaml.Node) rule {
	if len(items) == 0 && n.Kind == yaml.SequenceNode {
		r.fault(n, "list them, or leave it out", "%s has no values", made.name)
	}
	for _, item := range items {
		if v, ok := r.constantValue(item, in.typ); ok {
			made.values = append(made.values, v)
			made.allowed = append(made.allowed, native(v))
		}
	}
	return made
}

// agreement finds the inputs that an input must agree with.
func (r *reader) agreement(in *input, made *rule, all []*input, names []string) {
	if made.name != ruleMustAgree {
		return
	}
	for _, item := range r.items(made.node, ruleMustAgree) {
		name := r.text(item, ruleMustAgree)
		i := slices.Index(names, name)
		switch {
		case name == "":
		case i < 0:
			r.fault(item, didYouMean(name, names), "the route has no input %q", name)
		case i == in.index:
			r.fault(item, "name another input", "an input always agrees with itself")
		default:
			made.with = append(made.with, all[i])
		}
	}
}

// hasType reports whether a value is of an input's type.
func hasType(v body.Value, typ string) bool {
	switch typ {
	case "string":
		return v.Kind() == body.String && !v.LoneSurrogate()
	case "integer":
		f, err := strconv.ParseFloat(v.Number(), 64)
		return v.Kind() == body.Number && err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<63
	case "number":
		_, err := strconv.ParseFloat(v.Number(), 64)
		return v.Kind() == body.Number && err == nil
	case "boolean":
		return v.Kind() == body.Bool
	case "list":
		return v.Kind() == body.List
	case "object":
		return v.Kind() == body.Object
	}
	return true
}

// broken reports whether a value of the right type breaks the rule.
func (u *rule) broken(c *Call, v body.Value) bool {
	switch u.name {
	case ruleMin:
		return size(v) < float64(u.limit)
	case ruleMax:
		return size(v) > float64(u.limit)
	case rulePattern:
		return !u.pattern.MatchString(v.Text())
	case ruleFormat:
		return !formats[u.format](v.Text())
	case ruleDomain:
		return !u.domains.have(v.Text())
	case ruleOneOf, ruleEquals:
		return !slices.ContainsFunc(u.values, v.Equal)
	case ruleMustAgree:
		return slices.ContainsFunc(u.with, func(other *input) bool {
			read := &c.read[other.index]
			return read.present && !read.value.Equal(v)
		})
	}
	return false
}

// size is a text's length in code points, a list's in items, a number itself.
func size(v body.Value) float64 {
	switch v.Kind() {
	case body.String:
		return float64(utf8.RuneCountInString(v.Text()))
	case body.List:
		return float64(len(v.Items()))
	default:
		f, _ := strconv.ParseFloat(v.Number(), 64)
		return f
	}
}

// issue describes how a value breaks the rule.
func (u *rule) issue(in *input, v body.Value) issue {
	i := in.issue(u.name, v, true)
	switch u.name {
	case ruleMin, ruleMax:
		i.limit = &u.limit
	case rulePattern:
		i.pattern = u.pattern.String()
	case ruleFormat:
		if i.expected = u.format; u.format == "email" {
			i.reason = emailReason(v.Text())
		}
	case ruleDomain:
		i.allowed = u.allowed
	case ruleEquals:
		i.expected, _ = textOf(u.allowed[0])
		i.allowed = u.allowed
	case ruleOneOf:
		i.allowed = u.allowed
	}
	return i
}

// issue describes a broken rule of an input.
func (in *input) issue(rule string, v body.Value, sent bool) issue {
	return issue{rule: rule, kind: in.kind(rule), target: in.target, value: v, sent: sent, expected: in.typ}
}

// kind is what breaking a rule of the input means.
func (in *input) kind(rule string) core.Kind {
	return cmp.Or(in.elses[rule], in.otherwise, ruleKind(rule))
}

// inputElse reads what breaking the rules of an input means: one outcome for all, or
// by rule.
func (r *reader) inputElse(s section, in *input) {
	n := s.get("else")
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		in.otherwise = core.Kind(s.word("else"))
		return
	}
	in.elses = map[string]core.Kind{}
	for _, m := range r.members(n, "else") {
		name := m.name.Value
		if !slices.Contains(elseShape.Names, name) {
			r.fault(m.name, didYouMean(name, elseShape.Names), "an input has no rule %q", name)
			continue
		}
		in.elses[name] = core.Kind(r.word(m.value, "else", requestKindNames...))
	}
}

// native turns what was sent into a value for expressions.
func native(v body.Value) any {
	switch v.Kind() {
	case body.Bool:
		return v.Bool()
	case body.Number:
		if !strings.ContainsAny(v.Number(), ".eE") {
			if i, err := strconv.ParseInt(v.Number(), 10, 64); err == nil {
				return i
			}
		}
		if f, err := strconv.ParseFloat(v.Number(), 64); err == nil {
			return f
		}
		return v.Number() // beyond what a number can hold
	case body.String:
		return v.Text()
	case body.List:
		list := make([]any, len(v.Items()))
		for i, item := range v.Items() {
			list[i] = native(item)
		}
		return list
	case body.Object:
		m := make(map[string]any, len(v.Members()))
		for _, member := range v.Members() {
			m[member.Name()] = native(member.Value())
		}
		return m
	default:
		return nil
	}
}
