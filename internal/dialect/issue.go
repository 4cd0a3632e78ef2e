package dialect

import (
	"cmp"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// The rules that an input can break. With the kinds below InvalidRequest, which
// speak of the whole body, they are the names of issue templates.
const (
	ruleRequired     = "required"
	ruleType         = "type"
	ruleMin          = "min"
	ruleMax          = "max"
	rulePattern      = "pattern"
	ruleFormat       = "format"
	ruleDomain       = "domain" // of an e-mail address
	ruleOneOf        = "one_of"
	ruleEquals       = "equals"
	ruleMustAgree    = "must_agree"
	ruleUnknownInput = "unknown_input"
	ruleForbidden    = "forbidden" // an input that must not be there
	ruleWhen         = "when"      // no route of the path takes such a request
	ruleRefused      = "refused"   // by the password policy; issue.reason says why
)

var ruleNames = []string{
	ruleRequired, ruleType, ruleMin, ruleMax, rulePattern, ruleFormat, ruleDomain,
	ruleOneOf, ruleEquals, ruleMustAgree, ruleForbidden, ruleWhen, ruleUnknownInput, ruleRefused,
}

// ruleKind is the kind of a request whose first issue breaks rule.
func ruleKind(rule string) core.Kind {
	switch rule {
	case ruleRequired:
		return core.MissingField
	case ruleRefused:
		return core.PasswordRefused
	case ruleWhen:
		return core.BadGrant
	}
	return core.InvalidField
}

// An issue is one thing that is wrong with a request.
type issue struct {
	rule   string // one of the rules, or the name of a kind below InvalidRequest
	kind   core.Kind
	target            // which input
	value  body.Value // what was sent, for $echo alone
	sent   bool

	expected string
	limit    *int
	pattern  string
	allowed  []any
	offset   *int
	reason   string
}

// A target says where an input is on the wire.
type target struct {
	field   string // the last part of its name
	label   string
	place   string
	path    []string // the place and all parts of its name
	pointer string   // JSON pointer
}

var wholeBody = target{place: "body", path: []string{"body"}}

func newTarget(place string, names []string, label string) target {
	t := target{place: place, label: label, path: append([]string{place}, names...)}
	if len(names) > 0 {
		t.field = names[len(names)-1]
	}
	if t.label == "" {
		t.label = t.field
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, name := range names {
		t.pointer += "/" + escape.Replace(name)
	}
	return t
}

// bodyReason says what is wrong with a body as a whole, for outcomes that tell that; ""
// for all others.
func bodyReason(kind core.Kind) string {
	if !kind.IsA(core.MalformedBody) && kind != core.WrongContentType && kind != core.TooLarge {
		return ""
	}
	cause := strings.TrimSuffix(outcomeDocs[kind].Cause, ".")
	return strings.ToLower(cause[:1]) + cause[1:]
}

// because is the fact issue.reason.
func (i *issue) because() any { return orNull(cmp.Or(i.reason, bodyReason(i.kind))) }

// bears reports whether an issue always has a fact where the place is about its rule
// or outcome.
func (p *place) bears(name string) bool {
	switch name {
	case "issue.reason":
		return p.about == ruleRefused || bodyReason(core.Kind(p.about)) != ""
	case "issue.limit":
		return p.about == ruleMin || p.about == ruleMax
	case "issue.pattern":
		return p.about == rulePattern
	case "issue.allowed":
		return p.about == ruleOneOf || p.about == ruleEquals || p.about == ruleDomain
	case "issue.expected":
		return slices.Contains([]string{ruleType, ruleMin, ruleMax, rulePattern, ruleFormat, ruleEquals, string(core.BodyType)}, p.about)
	}
	return false
}

func (i *issue) bound() any {
	if i.limit == nil {
		return nil
	}
	return int64(*i.limit)
}

func (i *issue) offsetOrNull() any {
	if i.offset == nil {
		return nil
	}
	return int64(*i.offset)
}

func (i *issue) allowedOrNull() any {
	if i.allowed == nil {
		return nil
	}
	return i.allowed
}

func (i *issue) valueType() string {
	if !i.sent {
		return "absent"
	}
	return i.value.Kind().String()
}

// An issueFact is a fact of an issue by its short name.
type issueFact struct {
	short string
	*fact
}

var issueFacts = func() []issueFact {
	var list []issueFact
	for i := range facts {
		if short, ok := strings.CutPrefix(facts[i].name, "issue."); ok {
			list = append(list, issueFact{short, &facts[i]})
		}
	}
	return list
}()

func issueFactNames() []string {
	names := make([]string, len(issueFacts))
	for i, f := range issueFacts {
		names[i] = f.short
	}
	return append(names, "text")
}

// A refusal is the cause of a request's error: its issues, with what was sent. Its
// words name rules and places only.
type refusal struct {
	issues []issue
	cause  error
}

func (r *refusal) Error() string {
	words := make([]string, 0, len(r.issues))
	for _, i := range r.issues {
		switch {
		case i.rule == ruleUnknownInput || i.field == "":
			words = append(words, i.place+": "+i.rule)
		default:
			words = append(words, i.place+"."+i.field+": "+i.rule)
		}
	}
	text := strings.Join(words, ", ")
	if r.cause != nil {
		text += ": " + r.cause.Error()
	}
	return text
}

func (r *refusal) Unwrap() error { return r.cause }

// issueTemplate finds the words for a rule: the rule's own, or those of its kind
// or of a kind above it.
func (c *Call) issueTemplate(rule string, kind core.Kind) node {
	return findIssueTemplate(c.issueTemplates, rule, kind)
}

func findIssueTemplate(templates map[string]node, rule string, kind core.Kind) node {
	if n, ok := templates[rule]; ok {
		return n
	}
	for ; kind != ""; kind = kind.Parent() {
		if n, ok := templates[string(kind)]; ok {
			return n
		}
	}
	return nil
}

// appendIssue writes an issue by its template.
func (s *scope) appendIssue(dst []byte, i *issue) ([]byte, error) {
	n := s.call.issueTemplate(i.rule, i.kind)
	if n == nil {
		return append(dst, "null"...), nil // the loader saw to it that there is one
	}
	held := s.issue
	s.issue = i
	dst, _, err := n.append(dst, s)
	s.issue = held
	return dst, err
}

// issueText is the current issue's template where that is a text, and null otherwise.
func (s *scope) issueText() any {
	n := s.call.issueTemplate(s.issue.rule, s.issue.kind)
	switch n := n.(type) {
	case jsonText:
		text, err := n.text.append(nil, s)
		if err == nil {
			return string(text)
		}
	case constantNode:
		if text, ok := n.value.(string); ok {
			return text
		}
	}
	return nil
}
