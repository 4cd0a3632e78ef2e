package recordtest

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"
)

// An endpoint is a further route of the record.
type endpoint struct {
	node          *node
	purpose       string
	method, path  string
	authenticated bool
}

func (h *harness) endpointList() (all []*endpoint) {
	for _, n := range h.record.get("endpoints").each() {
		auth := n.get("auth")
		all = append(all, &endpoint{n, n.get("purpose").raw(), n.get("method").raw(), n.get("path").raw(), auth != nil && auth.is != null})
	}
	return all
}

// endpoint finds the endpoint of a purpose; nil if there is none.
func (h *harness) endpoint(purpose string) *endpoint {
	for _, e := range h.endpointList() {
		if e.purpose == purpose {
			return e
		}
	}
	return nil
}

// endpoints calls every endpoint of the record, each with a session of its own,
// and shows that what its purpose says has happened.
func (h *harness) endpoints() {
	if list := h.record.get("endpoints"); list != nil {
		list.looked = true
	}
	held := map[string]string{} // what one endpoint leaves to the next, such as a ticket
	for _, e := range h.endpointList() {
		h.step = strings.TrimSpace(e.purpose + " " + e.method + " " + e.path)
		if h.skips(e.node.pointer) {
			continue
		}
		s := h.signIn("", h.seed.Endpoints[e.purpose].identity())
		if s == nil {
			continue
		}
		maps.Copy(s.held, held)
		before := len(h.faults)
		if err := h.visit(e, s, held); err != nil {
			h.fault(e.node.pointer, "%v", err)
		}
		if len(h.faults) == before {
			e.node.look()
			h.report.endpoints = append(h.report.endpoints, e.purpose)
		}
	}
}

// identity is the part of an attempt that says who.
func (a attempt) identity() attempt { return attempt{Sample: a.Sample, Client: a.Client} }

func (h *harness) visit(e *endpoint, s *session, held map[string]string) error {
	a := h.seed.Endpoints[e.purpose]
	if e.authenticated {
		nobody := *s
		nobody.token = ""
		if got, _, err := h.call(e, &nobody, a); err != nil || got.status/100 == 2 {
			return errors.Join(err, fmt.Errorf("without a token it answers %d", got.status))
		}
	}
	got, f, err := h.call(e, s, a)
	if err != nil {
		return err
	}
	response := e.node.get("response")
	want := answer{status: response.get("status"), headers: response.get("headers"), contentType: response.get("content_type")}
	if body := response.get("body"); body.given() {
		want.body = body
	}
	f.lifetime = h.session.facts.lifetime
	c := h.compare(f, got, want)
	if !want.status.given() && got.status/100 != 2 {
		c.fault("", "it answers %d %s", got.status, clip(string(got.body)))
	}
	for _, fault := range c.faults {
		h.fault("", "%s", fault)
	}
	if len(c.faults) > 0 {
		return nil
	}
	return h.afterwards(e, s, c.held, held)
}

// afterwards shows what an endpoint has done.
func (h *harness) afterwards(e *endpoint, s *session, answered, held map[string]string) error {
	switch e.purpose {
	case "logout", "revoke":
		if h.works(s) {
			return errors.New("the token still holds")
		}
	case "refresh", "extend", "mfa":
		return h.renewed(e, s, answered)
	case "password_reset_request":
		ticket, err := h.mailed()
		held["reset_token"] = ticket
		return err
	case "password_reset_confirm":
		return h.reset(s)
	default: // what it answers says it all
		if e.authenticated && !h.works(s) {
			return errors.New("the token holds no more")
		}
	}
	return nil
}

// renewed wants a new token that holds; a refresh token that gave way to another
// is worth nothing.
func (h *harness) renewed(e *endpoint, s *session, answered map[string]string) error {
	next := h.newSession(s.try, answered)
	switch {
	case next.token == "" || next.token == s.token:
		return errors.New("it gives no new token")
	case !h.works(next):
		return errors.New("the new token does not hold")
	}
	for _, name := range []string{"refresh_token", "refresh_token_uuid", "refresh_jwt"} {
		if answered[name] == "" || answered[name] == s.held[name] {
			continue
		}
		if got, _, err := h.call(e, s, h.seed.Endpoints[e.purpose]); err != nil || got.status/100 == 2 {
			return errors.Join(err, fmt.Errorf("a refresh token that was used is taken again: %d", got.status))
		}
	}
	return nil
}

// mailed waits for a mail and takes the ticket out of its link.
func (h *harness) mailed() (string, error) {
	select {
	case mail := <-h.world.mails:
		link, err := url.Parse(mail.Link.Reveal())
		if err != nil {
			return "", err
		}
		for _, values := range link.Query() {
			return values[0], nil
		}
		return "", fmt.Errorf("the link has no query")
	case <-time.After(20 * time.Second):
		return "", errors.New("no mail comes")
	}
}

// reset signs in with the new password; the old one must not do.
func (h *harness) reset(s *session) error {
	d := s.try.door
	for _, password := range []string{s.facts.sample.secret, newPassword} {
		t, err := h.newTry(d, d.types[0], "", s.try.attempt)
		if err != nil {
			return err
		}
		t.set(t.field("secret"), password)
		if err := h.send(t); err != nil {
			return err
		}
		t.facts.lifetime = h.lifetime(t)
		if ok := len(h.compare(t.facts, t.got, d.success).faults) == 0; ok != (password == newPassword) {
			return fmt.Errorf("after the reset, the new password is wanted and the old one is not: %d", t.got.status)
		}
	}
	return nil
}

// call calls an endpoint with a session's token.
func (h *harness) call(e *endpoint, s *session, a attempt) (reply, facts, error) {
	f := s.facts
	f.path, f.sent = e.path, map[string]any{}
	built := form{method: e.method, path: e.path, headers: map[string]string{}, raw: a.Raw}
	for name, words := range a.Headers {
		value, err := expand(words, &f, s.held)
		if err != nil {
			return reply{}, f, err
		}
		built.headers[name] = fmt.Sprint(value)
	}
	for name, said := range a.Fields {
		words, _ := said.(string)
		value, err := expand(words, &f, s.held)
		if err != nil {
			return reply{}, f, err
		}
		built.path = strings.ReplaceAll(built.path, "{"+name+"}", url.PathEscape(fmt.Sprint(value)))
	}
	if request := e.node.get("request"); request.given() {
		body, err := filled(request, &f, s.held)
		if err != nil {
			return reply{}, f, err
		}
		for i, name := range body.names {
			f.sent[name] = body.items[i]
			built.values = append(built.values, value{field{node: &node{}, name: name, in: "body"}, body.items[i]})
		}
		if built.contentType = a.Type; built.contentType == "" {
			built.contentType = "application/json"
		}
	}
	r, err := h.world.write(built)
	if err != nil {
		return reply{}, f, err
	}
	if e.authenticated && s.token != "" {
		p := h.presentations()[0]
		if err := p.put(r, s.token); err != nil {
			return reply{}, f, err
		}
	}
	got, err := h.world.send(s.mount, r)
	f.began, f.ended = got.began, got.ended
	return got, f, err
}

// filled is a request of the record with values in the place of placeholders.
func filled(n *node, f *facts, held map[string]string) (*node, error) {
	made := &node{is: n.is, text: n.text, names: n.names}
	if n.is == text {
		value, err := expand(n.text, f, held)
		return nodeOf(value), err
	}
	for _, item := range n.items {
		inner, err := filled(item, f, held)
		if err != nil {
			return nil, err
		}
		made.items = append(made.items, inner)
	}
	return made, nil
}
