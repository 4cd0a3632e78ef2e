package dialect

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// What sample calls and replies hold for what differs each time. The random parts
// are made up and stand for nothing.
const (
	sampleRequestID = "CYXJ7H3NBNU5EG2K-1"
	sampleRandom    = "x7Rk2mVtQ9wLpZ4sN8cYhB3fJ6dGaU1eTvXo5iKqWnM"
	sampleTokenID   = "9f2c4e8a1b7d4036a5c3e1f07b2d8496" //nolint:gosec // it names no token
	sampleCode      = "123456"
)

// Placeholders are what manuals write in the place of secrets, by the input's name.
var Placeholders = map[string]string{
	roleSecret: "your-password", roleNewSecret: "a-new-long-password", roleTicket: "the-ticket-from-the-mail",
	roleClientSecret: "your-client-secret", roleOTP: sampleCode, roleRecoveryCode: "one-of-your-recovery-codes",
	roleChallenge: "the-challenge-from-the-login", roleRefresh: "your-refresh-token", roleToken: "the-token-in-question",
}

// SampleValues are values for [Dialect.Compose] to show the route that
// [Description.Routes] has at index: those of an example of the file that the
// route answers with success, or else made up. Secrets are placeholders.
func (d *Dialect) SampleValues(index int) map[string]string {
	d = d.quiet()
	rt := d.routes[index]
	values := d.exampleValues(rt)
	for _, in := range rt.inputs {
		if _, has := values[in.name]; in.required.always() || has && in.secret {
			values[in.name] = d.sampleValue(in, rt, values)
		}
	}
	for range rt.inputs { // what is needed only where something else is there, or not
		lacking := d.lacking(index, values)
		if lacking == nil {
			break
		}
		values[lacking.name] = d.sampleValue(lacking, rt, values)
	}
	return values
}

// sampleValue is a value of an input: the one that it has, but for secrets, or else
// a made-up one.
func (d *Dialect) sampleValue(in *input, rt *route, values map[string]string) string {
	value, has := values[in.name]
	switch placeholder, known := Placeholders[in.name]; {
	case in.name == roleSecret && slices.Equal(rt.as, []core.SubjectKind{core.SubjectKey}):
		return "your-secret"
	case in.secret && known:
		return placeholder
	case in.secret:
		return "your-" + strings.ReplaceAll(in.name, "_", "-")
	case has:
		return value
	}
	return d.madeUp(in)
}

// lacking is an input without which a call of the route is refused, or nil.
func (d *Dialect) lacking(index int, values map[string]string) *input {
	call, err := d.decoded(index, values)
	found, ok := errors.AsType[*refusal](err)
	if call == nil || call.route != d.routes[index] || !ok || found.issues[0].rule != ruleRequired {
		return nil
	}
	for _, in := range call.route.inputs {
		if _, has := values[in.name]; !has && slices.Equal(in.path, found.issues[0].path) {
			return in
		}
	}
	return nil
}

// decoded takes a composed call through Match and Decode. Without a call it could
// not be made.
func (d *Dialect) decoded(index int, values map[string]string) (*Call, error) {
	request, err := d.Compose(index, values)
	if err != nil {
		return nil, err
	}
	made, err := request.HTTP(context.Background(), d.baseURL)
	if err != nil {
		return nil, err
	}
	if made.URL, err = url.ParseRequestURI(request.Target()); err != nil {
		return nil, err
	}
	call := d.Match(made)
	if err := call.Err(); err != nil || call.redirect != "" {
		return nil, err
	}
	return call, call.Decode(made)
}

// ExampleValues are the values of an example of the file that the route answers
// with success, secrets included: for tests, which sign in by them.
func (d *Dialect) ExampleValues(index int) map[string]string {
	d = d.quiet()
	return d.exampleValues(d.routes[index])
}

// exampleValues reads the inputs of an example that the route answers with success.
func (d *Dialect) exampleValues(rt *route) map[string]string {
	values := map[string]string{}
	for i := range d.examples {
		e := &d.examples[i]
		if e.Status/100 != 2 || e.Outcome != "" {
			continue
		}
		call, _ := d.replay(e)
		if call == nil || call.route != rt {
			continue
		}
		for _, in := range rt.inputs {
			if in.index >= len(call.read) || !call.read[in.index].sent {
				continue
			}
			value := writtenText(call.read[in.index].value)
			if len(e.references) == 0 || in.hasForm(value) {
				values[in.name] = value
			}
		}
		return values
	}
	return values
}

// hasForm reports whether a value has the form that the input must have, if any.
func (in *input) hasForm(value string) bool {
	return !slices.ContainsFunc(in.rules, func(u rule) bool { return u.name == ruleFormat && !formats[u.format](value) })
}

// replay takes an example through Match and Decode. It returns nil where no route
// answers it; with an error the call holds what could be read.
func (d *Dialect) replay(e *Example) (*Call, error) {
	filled := e.sampled()
	e = &filled
	u, err := url.ParseRequestURI(e.Path)
	if err != nil {
		return nil, err
	}
	r := (&http.Request{Method: e.Method, URL: u, Header: e.Header.Clone(), ContentLength: int64(len(e.Body))}).WithContext(context.Background())
	r.Body = io.NopCloser(strings.NewReader(string(e.Body)))
	call := d.Match(r)
	if call.err != nil || call.redirect != "" {
		return nil, call.err
	}
	return call, call.Decode(r)
}

// Refusal is the body of the reply to an example whose request is wrong, as the
// dialect itself words it; nil where the request is right, or no route takes it.
func (d *Dialect) Refusal(e Example) []byte {
	d = d.quiet()
	call, err := d.replay(&e)
	refused, ok := errors.AsType[*core.Error](err)
	if call == nil || !ok || call.replies[refused.Kind] == nil {
		return nil
	}
	call.RequestID = sampleRequestID
	s := d.sampleScope(call, call.route)
	defer s.release()
	if s.issues = call.issuesOf(refused); len(s.issues) > 0 {
		s.issue = &s.issues[0]
	}
	rp, err := call.replies[refused.Kind].pick(s)
	if err != nil {
		return nil
	}
	content, _ := rp.render(nil, s) // nil where it cannot be made
	return content
}

// Shown is the body that the example expects, as it could be: what differs each time
// is taken from like, the reply to which it belongs, or else nothing may; the secrets
// of samples are replaced. It returns false where that cannot be done, and where the
// example expects no body, or one of another form.
func (e *Example) Shown(like *ReplyInfo, samples Samples) ([]byte, bool) {
	filled := e.sampled()
	e = &filled
	var shown []byte
	switch {
	case e.ReplyText != nil && *e.ReplyText != "" && like.Body != BodyJSON:
		signs := placeholder
		if e.replyXML {
			signs = placeholderXML
		}
		shown = []byte(*e.ReplyText)
		if signs.Match(shown) {
			shown = like.Example
			if !sameBy(signs, *e.ReplyText, string(like.Example)) {
				return nil, false
			}
		}
	case e.ReplyJSON != nil && like.Body == BodyJSON:
		pattern, err := body.ParseJSON(e.ReplyJSON, body.DefaultLimits)
		have, other := body.ParseJSON(like.Example, body.DefaultLimits)
		if err != nil || other != nil && placeholder.Match(e.ReplyJSON) {
			return nil, false
		}
		if shown = fillPlaceholders(nil, pattern, have); placeholder.Match(shown) {
			return nil, false
		}
	default:
		return nil, false
	}
	text := string(shown)
	for _, secret := range samples.secrets() {
		text = strings.ReplaceAll(text, string(appendInside(nil, secret)), Placeholders[roleSecret])
	}
	return []byte(text), true
}

// secrets are those that samples sign in with.
func (s *Samples) secrets() []string {
	var all []string
	for i := range s.Accounts {
		all = append(all, s.Accounts[i].Password.Reveal())
	}
	for i := range s.Keys {
		all = append(all, s.Keys[i].Secret.Reveal())
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}

// routeOf finds the route that answers an example, or nil.
func (d *Dialect) routeOf(e *Example) *route {
	if call, _ := d.replay(e); call != nil {
		return call.route
	}
	return nil
}

// madeUp is a value that keeps the input's type, if not each of its rules.
func (d *Dialect) madeUp(in *input) string {
	if value, ok := in.constant(); ok {
		return value
	}
	account, key := d.sampleIdentity([]core.SubjectKind{core.SubjectAccount, core.SubjectKey})
	for i := range in.rules {
		switch u := &in.rules[i]; {
		case u.name == ruleFormat && madeUpForms[u.format] != "" && !formats[u.format](account.Login):
			return madeUpForms[u.format]
		case u.name == ruleMin && in.typ != "string" && in.typ != "list":
			return strconv.Itoa(u.limit)
		}
	}
	switch in.name {
	case roleIdentifier:
		return account.Login
	case roleAccountID:
		return string(account.ID)
	case roleClient:
		if key != nil {
			return key.Identifier
		}
		return "your-client-id"
	}
	switch in.typ {
	case "integer", "number":
		return "1"
	case "boolean":
		return "true"
	case "list":
		return "[]"
	case "object":
		return "{}"
	}
	return "your-" + strings.ReplaceAll(in.name, "_", "-")
}

var madeUpForms = map[string]string{
	"email": "ada@example.com", "uuid": "65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6", "uri": "https://app.example.com", "date_time": "2026-01-31T09:30:00Z",
}

// sampleIdentity is an account that can sign in, and an access key of it where one
// of kinds is key and comes first among what the file's samples have.
func (d *Dialect) sampleIdentity(kinds []core.SubjectKind) (core.Account, *core.AccessKey) {
	account := core.Account{
		ID: "65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6", Realm: d.realm, Login: "ada@example.com", Email: "ada@example.com", Name: "Ada",
		Active: true, Verified: true, CreatedAt: probeTime, UpdatedAt: probeTime,
	}
	able := func(a SampleAccount) bool { return a.Account.Active && a.Account.Verified }
	if i := slices.IndexFunc(d.samples.Accounts, able); i >= 0 {
		account = d.samples.Accounts[i].Account
	}
	if !slices.Contains(kinds, core.SubjectKey) {
		return account, nil
	}
	for i := range d.samples.Keys {
		k := d.samples.Keys[i].Key
		if k.Usable(probeTime) != nil {
			continue
		}
		for _, owner := range d.samples.Accounts {
			if owner.Account.ID == k.Account {
				account = owner.Account
			}
		}
		return account, &k
	}
	return account, &core.AccessKey{ID: "45771ea1-b012-4b80-8ba4-49891c5d8d47", Realm: d.realm, Account: account.ID, Identifier: "986d816705c05ae4bd2dbdcf0dd1f4b4f2c6b3a1", State: core.KeyStateActive}
}

// sampleCall is a call of a route with its sample values.
func (d *Dialect) sampleCall(index int) *Call {
	rt := d.routes[index]
	call := &Call{
		RequestID: sampleRequestID, dialect: d, group: []*route{rt}, method: rt.methods[0], path: rt.path.text, header: http.Header{},
	}
	call.take(rt)
	found, err := d.decoded(index, d.SampleValues(index))
	if err != nil || found == nil || found.route != rt {
		return call
	}
	found.RequestID = sampleRequestID
	return found
}
