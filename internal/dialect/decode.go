package dialect

import (
	"errors"
	"net/http"
	"slices"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// Decode chooses among the routes of the path and reads the request's inputs. It
// asks for size, media type, syntax, the routes' conditions, inputs and rules in this
// order, and refuses with the kinds below InvalidRequest.
func (c *Call) Decode(r *http.Request) error {
	if c.err != nil {
		return c.err
	}
	if c.route == nil {
		return &core.Error{Kind: core.NotFound}
	}
	if err := c.readBody(r); err != nil {
		c.traceRefused(err)
		return err
	}
	src := requestSource{call: c, r: r}
	c.traceBody()
	if err := c.choose(&src); err != nil {
		return err
	}
	c.read = make([]reading, len(c.route.inputs))
	issues, err := c.readInputs(&src)
	if err == nil && len(issues) == 0 {
		err = c.wish()
	}
	if err != nil {
		return &core.Error{Kind: core.KindOf(err), Err: err}
	}
	if len(issues) == 0 {
		if c.route.operation.reply&inPresented != 0 {
			c.presented = c.presentedToken(r)
		}
		c.traceOperation()
		return nil
	}
	c.traceIssues(issues)
	if c.dialect.firstOnly {
		issues = issues[:1]
	}
	return &core.Error{Kind: issues[0].kind, Err: &refusal{issues: issues}}
}

// readBody reads and parses the body by its media type.
func (c *Call) readBody(r *http.Request) error {
	as, typ, params := c.route.accept.form(r.Header.Get("Content-Type"))
	if as != formNone && c.route.accept.lets(r) {
		as, c.blank = formEmpty, true
	}
	c.mediaType, c.form = typ, as
	if as == formNone {
		return nil
	}
	limits := c.dialect.limits
	if r.ContentLength > limits.Bytes {
		return c.bodyError(&core.Error{Kind: core.TooLarge})
	}
	var err error
	switch as {
	case formRefuse:
		err = &core.Error{Kind: core.WrongContentType}
	case formEmpty:
	case formMultipart:
		c.body, err = body.ParseMultipart(r.Body, params["boundary"], limits)
	default:
		c.body, err = c.parse(r, as)
	}
	if err != nil {
		return c.bodyError(err)
	}
	if c.route.fromBody && (as == formJSON || as == formText) && c.body.Kind() != body.Object {
		return c.bodyError(&core.Error{Kind: core.BodyType})
	}
	return nil
}

func (c *Call) parse(r *http.Request, as form) (body.Value, error) {
	held := buffers.Get().(*[]byte)
	limits := c.dialect.limits
	data, err := body.ReadAll(r.Body, limits.Bytes, (*held)[:0])
	defer func() { release(held, data) }()
	if err != nil {
		return body.Value{}, err
	}
	switch as {
	case formURL:
		return body.ParseForm(data, limits)
	case formXML:
		return body.ParseXML(data, limits)
	case formText:
		if len(data) == 0 {
			return body.Value{}, &core.Error{Kind: core.BodyMissing}
		}
		return body.NewString(string(data)), nil
	default:
		v, err := body.ParseJSON(data, limits)
		if err == nil && v.Kind() == body.Null {
			return v, &core.Error{Kind: core.BodyMissing}
		}
		return v, err
	}
}

// bodyError makes trouble with the whole body an issue.
func (c *Call) bodyError(err error) error {
	kind := core.KindOf(err)
	if kind == core.Internal {
		kind = core.MalformedBody
	}
	i := issue{rule: string(kind), kind: kind, target: wholeBody, value: c.body, sent: kind == core.BodyType}
	if kind == core.BodyType {
		i.expected = "object"
	}
	if syntax, ok := errors.AsType[*body.SyntaxError](err); ok {
		i.offset, i.reason = &syntax.Offset, syntax.Reason
	}
	return &core.Error{Kind: kind, Err: &refusal{[]issue{i}, causeOf(err)}}
}

// causeOf is what is behind an error of core's.
func causeOf(err error) error {
	if e, ok := errors.AsType[*core.Error](err); ok {
		return e.Err
	}
	return err
}

// readInputs reads every input, then asks which must be there, then the rules. The
// issues are in the order in which the dialect reports them.
func (c *Call) readInputs(src *requestSource) ([]issue, error) {
	var issues []issue
	bad := make([]bool, len(c.read))
	for i, in := range c.route.inputs {
		got, found := in.find(src)
		c.read[i] = got
		if found != nil {
			issues, bad[i] = append(issues, *found), true
		}
	}
	for i, in := range c.route.inputs {
		if bad[i] {
			continue
		}
		found, err := c.presence(in)
		if err != nil {
			return nil, err
		}
		if found != nil {
			issues, bad[i] = append(issues, *found), true
		}
	}
	for i, in := range c.route.inputs {
		if !bad[i] && c.read[i].present {
			if found := in.ask(c); found != nil {
				issues = append(issues, *found)
			}
		}
	}
	issues = append(issues, c.unknownInputs()...)
	if len(issues) > 1 {
		c.sort(issues)
	}
	return issues, nil
}

// presence asks whether an input must be there, or must not.
func (c *Call) presence(in *input) (*issue, error) {
	got := &c.read[in.index]
	asked, rule := in.required, ruleRequired
	if got.sent {
		asked, rule = in.forbidden, ruleForbidden
	}
	holds, err := c.asks(asked)
	switch {
	case err != nil:
		return nil, err
	case holds:
		i := in.issue(rule, got.value, got.sent)
		return &i, nil
	case !got.present && in.fallback != nil:
		*got = reading{value: *in.fallback, present: true}
	}
	return nil, nil
}

// asks asks a condition of the request.
func (c *Call) asks(asked *condition) (bool, error) {
	if asked == nil || asked.leaf == nil {
		return asked.always(), nil
	}
	s := newScope(c.dialect, c)
	defer s.release()
	return asked.holds(s)
}

// sort puts issues into the dialect's order: that of the inputs, or required and
// unknown inputs before all other rules.
func (c *Call) sort(issues []issue) {
	rank := func(i *issue) int {
		position := len(c.route.inputs)
		for _, in := range c.route.inputs {
			if in.pointer == i.pointer && in.place == i.place {
				position = in.index
			}
		}
		if c.dialect.byRule {
			switch i.rule {
			case ruleRequired:
				position -= 2_000
			case ruleUnknownInput:
				position -= 1_000
			}
		}
		return position
	}
	slices.SortStableFunc(issues, func(a, b issue) int { return rank(&a) - rank(&b) })
}

// unknownInputs are the members of the body that no input reads.
func (c *Call) unknownInputs() []issue {
	if !c.dialect.refuseUnknown {
		return nil
	}
	var issues []issue
	for _, m := range c.body.Members() {
		if !slices.ContainsFunc(c.route.bodyNames, c.dialect.named(m.Name())) {
			t := newTarget("body", []string{m.Name()}, "")
			issues = append(issues, issue{rule: ruleUnknownInput, kind: core.InvalidField, target: t, value: m.Value(), sent: true})
		}
	}
	return issues
}

// named reports whether a name stands for that of a body's member.
func (d *Dialect) named(member string) func(name string) bool {
	if d.foldNames {
		return func(name string) bool { return body.EqualFold(name, member) }
	}
	return func(name string) bool { return name == member }
}

// find reads an input from the first of its sources that has it, and asks whether
// it is of its type. A default is taken at once unless it depends on other inputs
// whether there is one.
func (in *input) find(src *requestSource) (reading, *issue) {
	for _, s := range in.sources {
		v, n := src.read(s)
		if n == 0 {
			continue
		}
		if in.formDecoded && s.place == "basic" {
			v = body.NewString(body.UnescapeForm(v.Text()))
		}
		if src.textual(s) {
			v = fromText(v, in.typ)
		}
		v = in.take(v)
		if in.typ == "list" {
			v = src.asList(s, v)
		}
		if in.nothing(v) {
			continue
		}
		if n > 1 || !hasType(v, in.typ) {
			src.call.traceInput(in, &s, &v)
			i := in.issue(ruleType, v, true)
			return reading{v, true, true}, &i
		}
		src.call.traceInput(in, &s, &v)
		return reading{v, true, true}, nil
	}
	src.call.traceInput(in, nil, in.fallback)
	if in.fallback != nil && !in.required.ever() {
		return reading{value: *in.fallback, present: true}, nil
	}
	return reading{}, nil
}

// nothing reports whether a value counts as absent.
func (in *input) nothing(v body.Value) bool {
	return in.emptyMissing && v.Kind() == body.String && v.Text() == "" && !v.LoneSurrogate() ||
		in.nullMissing && v.Kind() == body.Null
}

// ask returns the first rule that the input's value breaks.
func (in *input) ask(c *Call) *issue {
	v := c.read[in.index].value
	for k := range in.rules {
		if in.rules[k].broken(c, v) {
			i := in.rules[k].issue(in, v)
			return &i
		}
	}
	return nil
}

// fromText reads a number or a boolean from a place that holds texts alone.
func fromText(v body.Value, typ string) body.Value {
	text := v.Text()
	switch typ {
	case "integer", "number":
		if !jsonNumber.MatchString(text) {
			return v
		}
	case "boolean":
		if text != "true" && text != "false" {
			return v
		}
	default:
		return v
	}
	parsed, err := body.ParseJSON([]byte(text), body.Limits{Bytes: maxFile, Depth: 1, Fields: 1, FieldBytes: maxFile})
	if err != nil {
		return v
	}
	return parsed
}
