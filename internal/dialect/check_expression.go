package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// notCEL is what to do about an expression that is none.
const notCEL = "such as ${account.name}, ${size(account.roles)} or ${input.a == null ? 'none' : input.a}"

// celFaults reports what CEL found, each at its own place.
func (r *reader) celFaults(n *yaml.Node, text string, offset int, p *place, issues *cel.Issues) {
	for _, e := range issues.Errors() {
		from := lineOffset(text, e.Location.Line()) + max(0, e.Location.Column())
		at := offset + from
		message, hint := e.Message, notCEL
		if name, ok := undeclared(message); ok {
			if path := pathAt(text, from); name == path || strings.HasPrefix(path, name+".") {
				name = path // all of it, as setting.x where there is no such setting
			} else {
				at = offset + runeIndex(text, name)
			}
			v, problem, tip := p.resolve(r, name)
			switch {
			case problem != "":
				message, hint = problem, tip
			case v != nil:
				message = name + " cannot be used so"
			}
		}
		if strings.HasPrefix(message, "found no matching overload") {
			hint = overloadHint(message)
		}
		message, hint, broken := syntaxWords(message, hint)
		first, _, _ := strings.Cut(message, "\n")
		r.faultAt(n, at, hint, "%s", first)
		if broken {
			return // what the parser finds behind it comes of it
		}
	}
}

// syntaxWords words what is no expression at all, and reports whether a message is about that.
func syntaxWords(message, hint string) (words, todo string, broken bool) {
	if rest, ok := strings.CutPrefix(message, "Syntax error: "); ok {
		rest, _, _ = strings.Cut(rest, " expecting ")
		return "the expression is not complete, or not CEL: " + rest, hint, true
	}
	switch word, ok := strings.CutPrefix(message, "reserved identifier: "); {
	case !ok:
		return message, hint, false
	case word == "if":
		return "there is no if in expressions", "write a condition as input.a == null ? 'none' : input.a", true
	default:
		return word + " is no name in expressions: CEL keeps the word", hint, true
	}
}

var comparesWithNull = regexp.MustCompile(`'_[!=]=_' applied to '\((?:null, |[a-z]+, null\))`)

// overloadHint says what to do about types that do not fit.
func overloadHint(message string) string {
	switch {
	case strings.Contains(message, "'_?_:_'"):
		return "both sides have one type, and null is of none: wrap them, as in input.a == 'x' ? dyn(input.a) : dyn(null)"
	case comparesWithNull.MatchString(message):
		return "it is never null here: leave the comparison out"
	case strings.Contains(message, "'_+_' applied to '(timestamp"), strings.Contains(message, "'_-_' applied to '(timestamp"):
		return "make the seconds a duration, as in now + duration(string(limit.retry_after) + 's')"
	}
	return "make the types fit, as in 'for ' + string(token.lifetime)"
}

// undeclared finds the name in CEL's words for one that it does not know.
func undeclared(message string) (string, bool) {
	rest, ok := strings.CutPrefix(message, "undeclared reference to '")
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, "'")
	return name, ok
}

var (
	leadingPath  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*`)
	leadingPaths = regexp.MustCompile(strings.TrimPrefix(leadingPath.String(), "^"))
)

// pathAt is the dotted name that begins some characters into a text, or "".
func pathAt(text string, from int) string {
	runes := []rune(text)
	return leadingPath.FindString(string(runes[min(from, len(runes)):]))
}

// lineOffset is the number of characters before a line of text; lines count from 1.
func lineOffset(text string, line int) int {
	offset := 0
	for i, part := range strings.SplitAfter(text, "\n") {
		if i+1 >= line {
			break
		}
		offset += len([]rune(part))
	}
	return offset
}

// resultType is an expression's type as ours, or what is wrong with it.
func resultType(t *cel.Type) (typ factType, nullable bool, problem, hint string) {
	switch t.Kind() {
	case types.StringKind:
		return textType, t.IsAssignableType(cel.NullType), "", ""
	case types.IntKind, types.UintKind:
		return integerType, t.IsAssignableType(cel.NullType), "", ""
	case types.DoubleKind:
		return numberType, t.IsAssignableType(cel.NullType), "", ""
	case types.BoolKind:
		return booleanType, t.IsAssignableType(cel.NullType), "", ""
	case types.DynKind, types.AnyKind, types.NullTypeKind:
		return anyType, true, "", ""
	case types.TimestampKind:
		return instantType, true, "", ""
	case types.ListKind:
		return listResult(t)
	case types.MapKind, types.StructKind:
		return "", false, "an expression cannot make an object: its members would have no order", "build the object in the file, with expressions in its leaves"
	}
	return "", false, "a result of type " + cel.FormatCELType(t) + " has no form on the wire", "make it text, as in string(…)"
}

func listResult(t *cel.Type) (typ factType, nullable bool, problem, hint string) {
	if ps := t.Parameters(); len(ps) == 1 {
		inner, _, problem, hint := resultType(ps[0])
		switch {
		case problem != "":
			return "", false, problem, hint
		case inner == instantType:
			return "", false, "a list of instants has no form on the wire", "write them as iso(t, digits), epoch(t) or epoch_ms(t)"
		case inner == textType:
			return listType, false, "", ""
		}
	}
	return anyType, false, "", ""
}

// probe runs the leaf once where all that may be absent is absent, as a reply to
// a client is too late to find out.
func (l *leaf) probe(p *place) error {
	_, err := l.get(probeScope(p))
	return err
}

// failure says where an expression fails that the probe has found to: where the facts
// are absent that may be.
func (p *place) failure(text string, vars map[string]getter, err error) (problem, hint string) {
	s := probeScope(p)
	var absent []string
	for name, get := range vars {
		if get(s) == nil {
			absent = append(absent, name)
		}
	}
	for _, name := range leadingPaths.FindAllString(text, -1) {
		if openFact(name) != nil {
			absent = append(absent, name)
		}
	}
	slices.Sort(absent)
	absent = slices.Compact(absent)
	if len(absent) == 0 || !strings.Contains(err.Error(), "no such overload") {
		return fmt.Sprintf("the expression fails where a fact is absent: %v", lastOf(err)), "guard it with a condition"
	}
	return fmt.Sprintf("the expression fails where %s is absent: %v", strings.Join(absent, " or "), lastOf(err)),
		"guard it, as in " + p.guarded(absent[0])
}

// guarded is an expression for a fact that may be absent, for hints.
func (p *place) guarded(name string) string {
	instead := "'none'"
	if f := factsByName[name]; f != nil && f.typ == integerType {
		instead = "0"
	}
	if in := p.input(name); in != nil && in.factType() == integerType {
		instead = "0"
	}
	return name + " == null ? " + instead + " : " + name
}

var probeTime = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)

func probeScope(p *place) *scope {
	limits := body.DefaultLimits
	s := &scope{
		dialect: &Dialect{issuer: "https://issuer.example", baseURL: "https://api.example", limits: limits},
		call:    &Call{RequestID: "request"},
		now:     probeTime,
		account: &core.Account{ID: "00000000-0000-4000-8000-000000000000", Login: "login", CreatedAt: probeTime, UpdatedAt: probeTime},
		tokenID: "token", tokenValue: core.NewSecret("token"), issuedAt: probeTime, expiresAt: probeTime.Add(time.Hour),
		presented: core.NewSecret("presented"), random: core.NewSecret("random"), ticket: core.NewSecret("ticket"), keySet: json.RawMessage("{}"),
		challenge: &core.Challenge{Value: core.NewSecret("challenge"), ExpiresAt: probeTime.Add(time.Minute)},
		issue:     &issue{rule: ruleRequired}, language: 1,
	}
	if p.endless {
		s.expiresAt = time.Time{}
	}
	if p.issues {
		s.issues = []issue{*s.issue}
	}
	if p.keys {
		s.key = &core.AccessKey{ID: "00000000-0000-4000-8000-000000000001", Identifier: "key"}
	}
	if p.decoded {
		s.call.readSamples(p.inputs)
	}
	for _, l := range p.loops {
		switch {
		case l.ofIssues:
			s.loops = append(s.loops, s.issue)
		case l.typ == textType:
			s.loops = append(s.loops, "item")
		default:
			s.loops = append(s.loops, nil)
		}
	}
	return s
}

// lastOf is the innermost error, which holds CEL's words.
func lastOf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
