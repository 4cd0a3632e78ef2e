package dialect

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

func (in *input) describe(rt *route) InputInfo {
	info := InputInfo{
		Name: in.name, Type: in.typ, Label: in.label, Doc: in.doc(rt.operation.name, rt.as), Need: Never, Secret: in.secret, Line: in.node.Line,
	}
	switch {
	case in.required.always():
		info.Need = Always
	case in.required.ever():
		info.Need, info.NeedWhy = Sometimes, in.required.words(rt.byName)
		if found := sentAlone.FindStringSubmatch(in.required.node.Value); found != nil {
			info.NeedWith = found[1]
		}
	}
	if in.forbidden.ever() {
		words := "not always"
		if text := in.forbidden.words(rt.byName); text != "" {
			words = "not where " + text
		}
		info.Rules = append(info.Rules, RuleInfo{Rule: ruleForbidden, Words: words})
	}
	if in.part != nil {
		info.Take = in.part.String()
	}
	if in.fallback != nil {
		info.Default = body.AppendJSON(nil, *in.fallback)
	}
	for _, s := range in.sources {
		info.From = append(info.From, s.describe())
	}
	for i := range in.rules {
		info.Rules = append(info.Rules, in.rules[i].describe(in))
	}
	return info
}

// sentAlone is a condition that asks only whether one input is there.
var sentAlone = regexp.MustCompile(`^\$\{ *sent\.([a-z][a-z0-9_]*) *\}$`)

func (s *source) describe() SourceInfo {
	info := SourceInfo{Place: s.place, Path: s.path}
	if s.place != "body" && s.name != "" {
		info.Path = []string{s.name}
	}
	return info
}

// describe tells a rule in words.
func (u *rule) describe(in *input) RuleInfo {
	info := RuleInfo{Rule: u.name, Allowed: u.allowed, Format: u.format}
	unit := map[string]string{"string": " character", "list": " item"}[in.typ]
	if unit != "" && u.limit != 1 {
		unit += "s"
	}
	switch u.name {
	case ruleMin:
		info.Limit, info.Words = &u.limit, "at least "+strconv.Itoa(u.limit)+unit
	case ruleMax:
		info.Limit, info.Words = &u.limit, "at most "+strconv.Itoa(u.limit)+unit
	case rulePattern:
		info.Pattern = u.pattern.String()
		info.Words = "matches " + info.Pattern
	case ruleFormat:
		info.Words = map[string]string{"email": "an e-mail address", "uuid": "a UUID", "uri": "a URI with its host", "date_time": "an instant such as 2026-01-31T09:30:00Z"}[u.format]
	case ruleDomain:
		info.Words = u.domains.words()
	case ruleEquals:
		info.Words = "always " + u.listed()
	case ruleOneOf:
		info.Words = "one of " + u.listed()
		if len(u.values) == 1 {
			info.Words = "always " + u.listed()
		}
	case ruleMustAgree:
		names := make([]string, len(u.with))
		for i, other := range u.with {
			names[i] = other.field
		}
		info.Words = "the same as " + strings.Join(names, " and ")
	}
	return info
}

// listed are the values that the rule allows, as they are sent.
func (u *rule) listed() string {
	words := make([]string, len(u.values))
	for i, v := range u.values {
		words[i] = writtenText(v)
	}
	return strings.Join(words, ", ")
}

// inputDocs tell what the inputs are that operations know, by name.
var inputDocs = map[string]string{
	roleIdentifier:   "the login name",
	roleAccountID:    "the account's id, in place of the login name",
	roleSecret:       "the password",
	roleNewSecret:    "the new password",
	roleTicket:       "the one-time ticket from the mail's link",
	roleTenant:       "the id of the tenant that the account belongs to",
	roleTenantName:   "the name of the tenant that the account belongs to",
	roleClient:       "the client that asks",
	roleClientSecret: "the client's secret",
	roleOTP:          "the code that the authenticator shows",
	roleRecoveryCode: "one of the recovery codes, each of which holds once",
	roleChallenge:    "what the login gave when it asked for a second factor",
	roleRefresh:      "the refresh token",
	roleToken:        "the token in question",
	roleEmail:        "the address where mail goes",
	roleName:         "the readable name",
}

// doc is what people are told of an input of a route that does operation.
func (in *input) doc(operation Operation, as []core.SubjectKind) string {
	if in.about != "" {
		return in.about
	}
	words := inputDocs[in.name]
	keys, accounts := slices.Contains(as, core.SubjectKey), slices.Contains(as, core.SubjectAccount)
	switch {
	case operation == Authenticate && keys && in.name == roleIdentifier:
		words = "the access key"
	case operation == Authenticate && keys && in.name == roleSecret:
		words = "the access key's secret"
	default:
		return words
	}
	if accounts {
		words += ", or " + inputDocs[in.name]
	}
	return words
}

// whenWords tell what the route's requests hold, "" where all are taken.
func (rt *route) whenWords() string {
	words := make([]string, len(rt.when))
	for i := range rt.when {
		words[i] = rt.when[i].words()
	}
	return strings.Join(words, " and ")
}

func (m *match) words() string {
	name := strings.Join(m.source.path, ".")
	switch place := m.source.place; {
	case m.text == typeWord:
		name = "the media type"
	case place == "query":
		name = m.source.name + " in the query"
	case place != "body":
		name = "the " + place + " " + m.source.name
	}
	switch {
	case m.present != nil && *m.present:
		return name + " is sent"
	case m.present != nil:
		return name + " is not sent"
	}
	values := make([]string, len(m.allowed))
	for i, value := range m.allowed {
		values[i], _ = value.(string)
		if i < len(m.values) {
			values[i] = writtenText(m.values[i])
		}
	}
	return name + " is " + strings.Join(values, " or ")
}

var (
	conditionName  = regexp.MustCompile(`!?\b(?:sent|input)\.[a-z_0-9]+(?: *[!=]= *null\b)?`)
	conditionFact  = regexp.MustCompile(`\b(account|key|client|tenant|token|session|caller)\.(?:attributes\.)?([a-z_0-9]+)\b`)
	conditionHas   = regexp.MustCompile(`'([^'"]*)' in ([a-z’ ]*[a-z])`)
	conditionIssue = regexp.MustCompile(`issues\.exists\( *(\w+) *, *(\w+)\.(field|rule) *== *'([^'"]*)' *\)`)
	conditionWords = strings.NewReplacer(" == ", " is ", " != ", " is not ", " && ", " and ", " || ", " or ", "'", "")
	conditionShape = regexp.MustCompile(`^[\w .’·-]+$`)
	conditionText  = regexp.MustCompile(`'[^']*'`)
)

// brokenWords tell what it is that breaks a rule.
var brokenWords = map[string]string{
	ruleRequired: "something is missing", ruleType: "a type is wrong", ruleMin: "something is too little", ruleMax: "something is too much",
	rulePattern: "a pattern is not kept", ruleFormat: "a form is not kept", ruleDomain: "a domain is not allowed",
	ruleOneOf: "a value is not among those allowed", ruleEquals: "a value is not the one allowed", ruleMustAgree: "values do not agree",
	ruleForbidden: "something is there that must not be", ruleUnknownInput: "something is there that is not known",
}

// words tell the condition with the inputs' names on the wire; "" where it is known
// at load, or too much for words: an expression is nothing to those who call.
func (c *condition) words(inputs map[string]*input) string {
	if c.leaf == nil {
		return ""
	}
	text := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(c.node.Value), "${"), "}")
	text = conditionName.ReplaceAllStringFunc(text, func(name string) string { return inputWords(name, inputs) })
	text = conditionIssue.ReplaceAllStringFunc(text, issueCondition)
	text = conditionFact.ReplaceAllStringFunc(text, func(name string) string {
		parts := conditionFact.FindStringSubmatch(name)
		return "the " + parts[1] + "’s " + strings.ReplaceAll(parts[2], "_", " ")
	})
	text = conditionHas.ReplaceAllString(text, "$2 have $1")
	named := namedFact.MatchString(conditionText.ReplaceAllString(text, ""))
	if text = strings.TrimSpace(conditionWords.Replace(text)); named || !conditionShape.MatchString(text) {
		return ""
	}
	return strings.NewReplacer("’", "'", "·", ".").Replace(text)
}

// wire is the input's name on the wire, as manuals list it.
func (in *input) wire() string {
	if len(in.sources) > 0 && in.sources[0].place == "body" {
		return strings.Join(in.sources[0].path, ".")
	}
	return cmp.Or(in.field, in.name)
}

// inputWords tell what is asked of an input.
func inputWords(name string, inputs map[string]*input) string {
	rest, not := strings.CutPrefix(name, "!")
	rest, isNull, asksNull := strings.Cut(rest, " ")
	kind, name, _ := strings.Cut(rest, ".")
	if in := inputs[name]; in != nil {
		name = strings.ReplaceAll(in.wire(), ".", "·") // no fact's name
	}
	switch {
	case kind == "input" && !asksNull && not:
		return name + " is not true"
	case kind == "input" && !asksNull:
		return name
	case not || strings.HasPrefix(isNull, "="):
		return name + " is not sent"
	}
	return name + " is sent"
}

// issueCondition tells what is asked of what is wrong with a request.
func issueCondition(expression string) string {
	parts := conditionIssue.FindStringSubmatch(expression)
	words := brokenWords[parts[4]]
	switch {
	case parts[1] != parts[2]:
		return expression
	case parts[3] == "field":
		return parts[4] + " is wrong"
	case words == "":
		return expression
	}
	return words
}
