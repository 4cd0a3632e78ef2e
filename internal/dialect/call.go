package dialect

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A Call is one request on its way through the dialect.
type Call struct {
	// RequestID is the fact request.id. The caller sets it.
	RequestID string

	dialect        *Dialect
	route          *route // nil for an unknown path and for protected resources
	replies        map[core.Kind]*reply
	issueTemplates map[string]node
	method         string
	allow          string
	redirect       string
	err            error

	held      map[string]string // the path's variables
	mediaType string
	form      form // how the body was read
	body      body.Value
	read      []reading // by input
}

// A reading is what a request holds for an input.
type reading struct {
	value   body.Value
	present bool
}

// Err is what [Dialect.Match] found: nil, NotFound or MethodNotAllowed.
func (c *Call) Err() error { return c.err }

// Redirect is the Location of a 307 with an empty body, or "" for none. It has
// no host of its own.
func (c *Call) Redirect() string { return c.redirect }

// Operation is what the route does; "" without a route.
func (c *Call) Operation() Operation {
	if c.route == nil {
		return ""
	}
	return c.route.operation.name
}

// Route is a label for metrics and logs: the route's path pattern, or "unknown".
func (c *Call) Route() string {
	if c.route == nil {
		return "unknown"
	}
	return c.route.path.text
}

// Inputs are a request's inputs by the roles that core knows.
type Inputs struct {
	Identifier string
	Secret     core.Secret
	NewSecret  core.Secret
	Ticket     core.Secret
	Policy     string             // the token policy that the route issues by
	As         []core.SubjectKind // whom the route takes, in order of trying
}

// Inputs are the inputs that a successful [Call.Decode] read.
func (c *Call) Inputs() Inputs {
	if c.route == nil {
		return Inputs{}
	}
	return Inputs{
		Identifier: c.role(roleIdentifier),
		Secret:     core.NewSecret(c.role(roleSecret)),
		NewSecret:  core.NewSecret(c.role(roleNewSecret)),
		Ticket:     core.NewSecret(c.role(roleTicket)),
		Policy:     c.route.policy,
		As:         c.route.as,
	}
}

func (c *Call) role(name string) string {
	in, ok := c.route.byName[name]
	if !ok || in.index >= len(c.read) {
		return ""
	}
	return c.read[in.index].value.Text()
}

// input is the fact input.NAME; what was not sent reads null.
func (c *Call) input(in *input) any {
	if in.index >= len(c.read) || !c.read[in.index].present {
		return nil
	}
	v := c.read[in.index].value
	if in.typ == "number" {
		f, _ := strconv.ParseFloat(v.Number(), 64)
		return f
	}
	if in.typ == "integer" {
		f, _ := strconv.ParseFloat(v.Number(), 64)
		if i, ok := native(v).(int64); ok {
			return i
		}
		return int64(f)
	}
	return native(v)
}

// A Result is what an operation gave: a token, an identity, or neither.
type Result struct {
	Token    *core.Token
	Identity *core.Identity
}

// Encode writes the reply of a success. When it returns an error it has written
// the reply for an internal error; the error is for the log alone.
func (c *Call) Encode(w http.ResponseWriter, result Result) error {
	err := c.encode(w, result)
	if err != nil {
		err = &core.Error{Kind: core.Internal, Err: err}
		c.Refuse(w, err)
	}
	return err
}

func (c *Call) encode(w http.ResponseWriter, result Result) error {
	if c.route == nil {
		return errors.New("a success without a route")
	}
	s := scope{dialect: c.dialect, call: c, now: c.dialect.now()}
	switch {
	case result.Token != nil:
		s.fill(&result.Token.Grant)
		s.tokenValue = result.Token.Value
	case result.Identity != nil:
		s.account, s.key = &result.Identity.Account, result.Identity.Key
		s.issuedAt, s.expiresAt = result.Identity.IssuedAt, result.Identity.ExpiresAt
	}
	if needs := c.route.operation.reply; needs == inToken && result.Token == nil || needs == inWhoami && s.account == nil {
		return fmt.Errorf("the result of %s is empty", c.route.operation.name)
	}
	return c.write(w, c.route.ok, &s)
}

// Refuse writes the reply for an error in the contract's words. What the dialect
// has no words for is worded as an internal error.
func (c *Call) Refuse(w http.ResponseWriter, err error) {
	kind := core.KindOf(err)
	rp := c.replies[kind]
	if rp == nil {
		rp = c.replies[core.Internal]
	}
	s := scope{dialect: c.dialect, call: c, now: c.dialect.now(), retryAfter: 1}
	if e, ok := errors.AsType[*core.Error](err); ok {
		s.retryAfter = max(1, int64((e.RetryAfter+time.Second-1)/time.Second))
		if s.issues = c.issuesOf(e); len(s.issues) > 0 {
			s.issue = &s.issues[0]
		}
	}
	if err := c.write(w, rp, &s); err != nil {
		if c.write(w, c.replies[core.Internal], &s) != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
}

// issuesOf are the issues of a refused request, at least one. A password that the
// core refused is an issue of the input that held it.
func (c *Call) issuesOf(e *core.Error) []issue {
	if found, ok := errors.AsType[*refusal](error(e)); ok {
		return found.issues
	}
	if !e.Kind.IsA(core.InvalidRequest) {
		return nil
	}
	if e.Kind == core.PasswordRefused && c.route != nil {
		if in, ok := c.route.byName[roleNewSecret]; ok && in.index < len(c.read) {
			i := in.issue(ruleRefused, c.read[in.index].value, true)
			i.reason, i.kind = e.Reason, core.PasswordRefused
			return []issue{i}
		}
	}
	return []issue{{rule: string(e.Kind), kind: e.Kind, target: wholeBody, reason: e.Reason}}
}

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 2<<10)
	return &b
}}

var (
	noStore = []string{"no-store"}
	noSniff = []string{"nosniff"}
)

// write renders a reply and sends it. After an error nothing has been sent.
func (c *Call) write(w http.ResponseWriter, rp *reply, s *scope) error {
	if rp == nil {
		return errors.New("no reply")
	}
	held := buffers.Get().(*[]byte)
	out, err := rp.render((*held)[:0], s)
	defer func() { release(held, out) }()
	if err != nil {
		return err
	}
	headers, err := rp.renderHeaders(s)
	if err != nil {
		return err
	}
	h := w.Header()
	for i, replyHeader := range rp.headers {
		h[replyHeader.name] = append(h[replyHeader.name], headers[i])
	}
	h["Cache-Control"], h["X-Content-Type-Options"] = noStore, noSniff
	if rp.contentType != "" {
		h["Content-Type"] = []string{rp.contentType}
	}
	switch rp.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h["Retry-After"] = []string{strconv.FormatInt(max(1, s.retryAfter), 10)}
	case http.StatusMethodNotAllowed:
		if c.allow != "" {
			h["Allow"] = []string{c.allow}
		}
	}
	if rp.status != http.StatusNoContent && rp.status != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.Itoa(len(out))}
	}
	w.WriteHeader(rp.status)
	if c.method != http.MethodHead && len(out) > 0 {
		_, _ = w.Write(out) // a client that has gone is not our failure
	}
	return nil
}

// release puts a buffer back without what it held: that may be a token or a password.
func release(held *[]byte, used []byte) {
	clear(used[:cap(used)])
	if *held = used[:0]; cap(used) <= 64<<10 {
		buffers.Put(held)
	}
}

// render appends the reply's body.
func (rp *reply) render(dst []byte, s *scope) ([]byte, error) {
	if rp.json != nil {
		dst, _, err := rp.json.append(dst, s)
		return dst, err
	}
	return rp.text.append(dst, s)
}

func (rp *reply) renderHeaders(s *scope) ([]string, error) {
	if len(rp.headers) == 0 {
		return nil, nil
	}
	values := make([]string, len(rp.headers))
	for i, h := range rp.headers {
		value, err := h.value.append(nil, s)
		if err != nil {
			return nil, err
		}
		if !plainText(string(value)) {
			return nil, fmt.Errorf("header %s would hold a control character", h.name)
		}
		values[i] = string(value)
	}
	return values, nil
}
