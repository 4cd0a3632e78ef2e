package dialect

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A Result is what an operation gave: a token, an identity, an account, keys, or
// nothing.
type Result struct {
	Token    *core.Token
	Identity *core.Identity // whom a token speaks for
	Caller   *core.Identity // who asked for it, where that is somebody else
	Account  *core.Account
	KeySet   []byte
}

// Encode writes the reply of a success. When it returns an error it has written
// the reply for that: an internal error, unless it is inputs that the reply cannot
// hold. The error is for the log alone.
func (c *Call) Encode(w http.ResponseWriter, result Result) error {
	err := c.encode(w, result)
	if err != nil {
		err = &core.Error{Kind: core.KindOf(err), Err: err}
		c.Refuse(w, err)
	}
	return err
}

func (c *Call) encode(w http.ResponseWriter, result Result) error {
	if c.route == nil {
		return errors.New("a success without a route")
	}
	s := newScope(c.dialect, c)
	defer s.release()
	s.caller, s.keySet, s.presented = result.Caller, result.KeySet, c.presented
	switch {
	case result.Token != nil:
		s.fill(&result.Token.Grant)
		s.tokenValue, s.refresh = result.Token.Value, result.Token.Refresh
	case result.Identity != nil:
		s.identify(result.Identity)
	case result.Account != nil:
		s.account = result.Account
	}
	needs := c.route.operation.reply
	if needs&inToken != 0 && result.Token == nil || needs&inWhoami != 0 && result.Identity == nil ||
		needs&inAccount != 0 && s.account == nil || needs&inKeySet != 0 && s.keySet == nil {
		return fmt.Errorf("the result of %s is empty", c.route.operation.name)
	}
	c.traceOutcome("", c.route.ok, nil)
	return c.write(w, c.route.ok, s)
}

// Refuse writes the reply for an error in the contract's words. What the dialect
// has no words for is worded as an internal error.
func (c *Call) Refuse(w http.ResponseWriter, err error) {
	s := newScope(c.dialect, c)
	defer s.release()
	s.retryAfter = 1
	if e, ok := errors.AsType[*core.Error](err); ok {
		s.retryAfter, s.limit = max(1, int64((e.RetryAfter+time.Second-1)/time.Second)), e.Limit
		if e.Identity != nil {
			s.account, s.key, s.tenant = &e.Identity.Account, e.Identity.Key, e.Identity.Tenant
		}
		s.challenge = e.Challenge
		if s.issues = c.issuesOf(e); len(s.issues) > 0 {
			s.issue = &s.issues[0]
		}
	}
	kind := core.KindOf(err)
	a := c.replies[kind]
	if a == nil || a.stated && (s.account == nil || kind == core.MFARequired && s.challenge == nil) {
		a = c.replies[core.Internal]
	}
	c.traceOutcome(kind, a, err)
	err = c.write(w, a, s)
	switch {
	case err == nil:
	case core.KindOf(err) == core.InvalidField && !kind.IsA(core.InvalidRequest):
		c.Refuse(w, &core.Error{Kind: core.InvalidField, Err: err})
	case core.KindOf(err) == core.InvalidField:
		c.wordless(w, a)
	case c.write(w, c.replies[core.Internal], s) != nil:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// wordless answers by the status alone: the words of a wrong request are made of what
// it holds, and cannot be made of this (S54).
func (c *Call) wordless(w http.ResponseWriter, a *answer) {
	h := w.Header()
	h["Cache-Control"], h["X-Content-Type-Options"] = noStore, noSniff
	w.WriteHeader(a.variants[len(a.variants)-1].status)
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
		if in, ok := c.route.roles[roleNewSecret]; ok && in.index < len(c.read) {
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

// write renders an answer and sends it. After an error nothing has been sent.
func (c *Call) write(w http.ResponseWriter, a *answer, s *scope) error {
	if a == nil {
		return errors.New("no reply")
	}
	rp, err := a.pick(s)
	if err != nil {
		return err
	}
	c.traceReply(rp)
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
	cookies, err := rp.renderCookies(s)
	if err != nil {
		return err
	}
	h := w.Header()
	for i, replyHeader := range rp.headers {
		h[replyHeader.name] = append(h[replyHeader.name], headers[i])
	}
	if len(cookies) > 0 {
		h["Set-Cookie"] = append(h["Set-Cookie"], cookies...)
	}
	if m := c.dialect.messages; m != nil {
		m.announced(h, rp, s)
	}
	if a.varies {
		h["Vary"] = append(h["Vary"], "Accept")
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
	switch {
	case rp.json != nil:
		dst, _, err := rp.json.append(dst, s)
		return dst, err
	case rp.xml != nil:
		return rp.xml.appendXML(dst, s)
	}
	return rp.text.append(dst, s)
}

// oneLine is text as it can stand in a header: with a blank for each control
// character (RFC 9110 section 5.5).
func oneLine(text string) string {
	if plainText(text) {
		return text
	}
	return strings.Map(func(c rune) rune {
		if plainText(string(c)) {
			return c
		}
		return ' '
	}, text)
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
		values[i] = oneLine(string(value))
	}
	return values, nil
}
