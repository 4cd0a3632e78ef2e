package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// Steps of a call, for explanations. They are made only where somebody asked for
// them, and show no secret: of an input that is one, only whether it came, and of a
// header only that it is set.

// maxShown bounds the part of a value that a step shows, in characters.
const maxShown = 60

// The steps that others look for: the first of every call, and how it ended.
const (
	MatchStep   = "match"
	OutcomeStep = "outcome"
)

func (c *Call) step(name string, line int, format string, args ...any) {
	if c.trace != nil {
		c.trace(Step{Name: name, Text: fmt.Sprintf(format, args...), Line: line})
	}
}

// traceMatch tells what Match found.
func (c *Call) traceMatch() {
	switch {
	case c.trace == nil:
	case c.redirect != "":
		c.step(MatchStep, 0, "redirect to %s", c.redirect)
	case c.err != nil:
		text, line := c.unserved()
		c.step(MatchStep, line, "%s: %s", core.KindOf(c.err), text)
	default:
		c.step(MatchStep, c.route.node.Line, "%s", c.route.name())
	}
}

// traceBody tells how the body was read.
func (c *Call) traceBody() {
	if c.trace == nil {
		return
	}
	line := c.route.node.Line
	switch n := len(c.body.Members()); {
	case c.form == formNone:
		c.step("body", line, "none is read")
	case c.blank:
		c.step("body", line, "empty: no members")
	case c.form == formEmpty && c.mediaType == "":
		c.step("body", line, "not read: it has no media type")
	case c.form == formEmpty:
		c.step("body", line, "not read: %q is none of the media types, which are %s", c.mediaType, strings.Join(c.route.accept.names(), ", "))
	case n == 1:
		c.step("body", line, "%s, 1 member", c.form)
	default:
		c.step("body", line, "%s, %d members", c.form, n)
	}
}

// traceInput tells what an input holds, and where it came from: from is nil where
// it was not sent.
func (c *Call) traceInput(in *input, from *source, v *body.Value) {
	if c.trace == nil {
		return
	}
	shown := "absent"
	switch {
	case v == nil:
	case in.secret || secretName(in.name):
		shown = "a secret"
	default:
		shown = showValue(*v)
	}
	if meaning := c.tenantMeans(in, v); meaning != "" {
		shown += ", " + meaning
	}
	if from != nil {
		shown += " from " + from.text()
	} else if v != nil {
		shown += " by default"
	}
	c.step("input", in.node.Line, "%s: %s", in.name, shown)
}

// tenantMeans tells whose accounts are meant where a request names no tenant.
func (c *Call) tenantMeans(in *input, v *body.Value) string {
	switch {
	case !in.taken || !slices.Contains(tenantRoles, in.name):
		return ""
	case v == nil && c.route.operation.name != Register:
		return "which means whichever tenant alone has the login name"
	case v == nil, v.Text() == "" && in.meansNoTenant():
		return "which means accounts without a tenant"
	default:
		return ""
	}
}

func showValue(v body.Value) string {
	return shorten(string(body.AppendJSON(nil, v)), maxShown)
}

// shorten is the beginning of a text that has more than most characters.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// text is the source as a file writes it.
func (s *source) text() string {
	if s.place == "body" {
		return "body." + strings.Join(s.path, ".")
	}
	return strings.TrimSuffix(s.place+"."+s.name, ".")
}

// traceIssues tells the rules that the request breaks.
func (c *Call) traceIssues(issues []issue) {
	if c.trace == nil {
		return
	}
	for i := range issues {
		line := c.route.node.Line
		at := slices.IndexFunc(c.route.inputs, func(in *input) bool { return in.pointer == issues[i].pointer && in.place == issues[i].place })
		if at >= 0 {
			line = c.route.inputs[at].node.Line
		}
		c.step("issue", line, "%s", (&refusal{issues: issues[i : i+1]}).Error())
	}
}

// traceOperation tells what the route does with its inputs.
func (c *Call) traceOperation() {
	if c.trace == nil {
		return
	}
	text := string(c.route.operation.name)
	if c.route.policy != "" {
		text += ", issues " + c.route.policy
	}
	if c.lifetime > 0 {
		text += " for " + c.lifetime.String()
	}
	if c.withoutRefresh {
		text += ", no refresh token"
	}
	c.step("operation", c.route.node.Line, "%s", text)
}

// traceJudgement tells what with granted, and whether allow holds.
func (c *Call) traceJudgement(granted core.Granted, allowed bool) {
	if c.trace == nil {
		return
	}
	for _, g := range c.route.with {
		text, err := appendValue(nil, granted[g.name])
		if err == nil {
			c.step("with", g.line, "%s: %s", g.name, text)
		}
	}
	if c.route.allow != nil {
		c.step("allow", c.route.allow.node.Line, "%s", map[bool]string{true: "holds", false: "does not hold"}[allowed])
	}
}

// traceOutcome tells how the call ended, "" being a success, and whose words it has.
func (c *Call) traceOutcome(kind core.Kind, a *answer, cause error) {
	if c.trace == nil {
		return
	}
	text, line := "success", 0
	if kind != "" {
		text = string(kind)
		if worded := c.wordedBy(kind, a); worded != kind {
			text += ", in the words of " + string(worded)
		}
		if cause != nil && cause.Error() != string(kind) {
			c.step("cause", 0, "%v", cause)
		}
	}
	if a != nil {
		line = a.node.Line
	}
	c.trace(Step{Name: OutcomeStep, Text: text, Line: line, Outcome: kind})
}

// wordedBy is the outcome whose reply a was declared for.
func (c *Call) wordedBy(kind core.Kind, a *answer) core.Kind {
	if a == nil || c.replies[kind] != a {
		return core.Internal
	}
	for kind.Parent() != "" && c.replies[kind.Parent()] == a {
		kind = kind.Parent()
	}
	return kind
}

// traceReply tells what was sent.
func (c *Call) traceReply(rp *reply) {
	if c.trace == nil {
		return
	}
	text := strconv.Itoa(rp.status)
	if rp.contentType != "" {
		text += " " + rp.contentType
	}
	var names []string
	for _, h := range rp.headers {
		if !slices.Contains(names, h.name) {
			names = append(names, h.name)
		}
	}
	if len(names) > 0 {
		text += ", with " + strings.Join(names, ", ")
	}
	c.step("reply", rp.node.Line, "%s", text)
}

// traceBearer tells where the token of a request was found.
func (d *Dialect) traceBearer(c *carrier) {
	if d.trace == nil {
		return
	}
	text := c.in + " " + c.name
	if c.scheme != "" {
		text += " " + c.scheme
	}
	d.trace(Step{Name: "bearer", Text: text, Line: c.line})
}
