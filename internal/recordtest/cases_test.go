package recordtest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// failures provokes every failure case of the record and compares the answers.
func (h *harness) failures() {
	failures := h.record.get("failures")
	if failures == nil {
		return
	}
	failures.looked = true
	for _, name := range failures.names {
		want, ok := h.failure(name)
		if !ok {
			continue
		}
		h.step = name
		before := len(h.faults)
		provoked := 0
		for _, r := range h.provoke(name) {
			provoked++
			h.step = name + r.what
			r.facts.lifetime = 0 // it is the token's, and there is none
			for _, fault := range h.compare(r.facts, r.got, want).faults {
				h.fault("", "%s", fault)
			}
		}
		if provoked > 0 && len(h.faults) == before {
			h.report.cases = append(h.report.cases, name)
		}
	}
}

// A refusal is an answer that a case gave, with what is known of its request.
type refusal struct {
	what  string
	facts facts
	got   reply
}

// provoke brings a failure case about: as the seed says, or else as its name says.
func (h *harness) provoke(name string) []refusal {
	if a, ok := h.seed.Cases[name]; ok && (name != "rate_limited") {
		return h.asSeeded(name, a)
	}
	switch name {
	case "missing_field":
		return h.missingFields()
	case "malformed_body":
		return h.malformed()
	case "wrong_content_type":
		return h.logins(func(t *try) {
			raw := "x"
			t.mimeType, t.attempt.Raw = "text/plain", &raw
		})
	case "bad_credentials":
		return h.logins(func(t *try) { t.set(t.field(secretRoles...), wrong) })
	case "unknown_user":
		return h.logins(func(t *try) { t.set(t.field(identifierRoles...), wrong) })
	case "inactive", "unverified", "locked", "expired_key", "pending_key", "mfa_required":
		return h.ofState(name)
	case "rate_limited":
		return h.rateLimited(h.seed.Cases[name])
	case "unauthorized_token_missing":
		return h.calls("", "")
	case "unauthorized_token_invalid":
		return append(h.calls(" of nobody", wrong), h.calls(" that was altered", altered(h.session.token))...)
	}
	h.fault("/failures/"+name, "the seed must say how it comes about")
	return nil
}

var (
	secretRoles     = []string{"secret", "api_key", "api_token", "client_secret", "assertion", "otp"}
	identifierRoles = []string{"identifier", "access_key", "client_id"}
)

// field is the field of the first role that the door has.
func (t *try) field(roles ...string) field {
	for _, role := range roles {
		for _, v := range t.values {
			if v.field.mapsTo == role {
				return v.field
			}
		}
	}
	return field{}
}

// logins sends the usual request through every door and in every content type,
// changed.
func (h *harness) logins(change func(*try)) (all []refusal) {
	for i := range h.allDoors {
		d := &h.allDoors[i]
		for _, contentType := range d.types {
			t, err := h.newTry(d, contentType, "", h.own(d, attempt{}))
			if err == nil {
				change(t)
			}
			all = h.refusal(all, fmt.Sprintf(" at %s as %q", d.path, contentType.raw()), t, err)
		}
	}
	return all
}

// refusal sends a request and adds what came of it.
func (h *harness) refusal(all []refusal, what string, t *try, err error) []refusal {
	if err == nil {
		err = h.send(t)
	}
	if err != nil {
		h.fault("", "%s: %v", what, err)
		return all
	}
	return append(all, refusal{what, t.facts, t.got})
}

// missingFields leaves out each required field, and then all of them.
func (h *harness) missingFields() (all []refusal) {
	d := &h.allDoors[0]
	try := func(what string, out ...field) {
		t, err := h.newTry(d, d.types[0], "", attempt{})
		if err == nil {
			for _, f := range out {
				t.leaveOut(f)
			}
		}
		all = h.refusal(all, what, t, err)
	}
	var required []field
	for _, f := range d.fields {
		if f.required() && !h.skips(f.node.get("required").pointer) {
			required = append(required, f)
			try(" without "+f.name, f)
		}
	}
	if len(required) > 1 {
		try(" without any", required...)
	}
	return all
}

// malformed sends what is no body of the type that it claims to be.
func (h *harness) malformed() []refusal {
	return slices.DeleteFunc(h.logins(func(t *try) {
		var raw string
		switch bare, _, _ := strings.Cut(t.mimeType, ";"); {
		case bare == "application/x-www-form-urlencoded":
			raw = strings.Repeat("a=1&", 1001)
		case bare == "multipart/form-data":
			t.mimeType = "multipart/form-data; boundary=open"
			raw = "--open\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end"
		case strings.HasSuffix(bare, "xml"):
			raw = "<a>"
		case bare == "":
			return
		default:
			raw = `{"`
		}
		t.attempt.Raw = &raw
	}), func(r refusal) bool { return strings.HasSuffix(r.what, `as ""`) })
}

// ofState signs in as a sample whose state keeps it out.
func (h *harness) ofState(name string) []refusal {
	m := h.world.mounts[""]
	s, err := m.sample("", func(s *sample) bool { return s.state() == name && s.secret != "" })
	if err != nil {
		h.fault("/failures/"+name, "%v", err)
		return nil
	}
	return h.asSeeded(name, attempt{Sample: s.name})
}

// rateLimited fails as somebody who is not there until it is too often: whoever
// they are, it is the same.
func (h *harness) rateLimited(a attempt) []refusal {
	d := &h.allDoors[0]
	for i := range freeFailures + 4 {
		t, err := h.newTry(d, d.types[0], "", a)
		if err == nil {
			t.set(t.field(identifierRoles...), "somebody-in-a-hurry@example.com")
			err = h.send(t)
		}
		if err != nil {
			h.fault("", "%v", err)
			return nil
		}
		want, _ := h.failure("rate_limited")
		if i == freeFailures+3 || i >= freeFailures && len(h.compare(t.facts, t.got, want).faults) == 0 {
			return []refusal{{"", t.facts, t.got}}
		}
	}
	return nil
}

// calls presents a token to the API behind in the record's first way; "" is none.
func (h *harness) calls(what, token string) []refusal {
	got, err := h.probe("", token, h.presentations()[0], nil)
	if err != nil {
		h.fault("", "%v", err)
		return nil
	}
	f := h.session.facts
	f.path, f.began, f.ended = probe, got.began, got.ended
	return []refusal{{what, f, got}}
}

// altered is a token of which one letter is another.
func altered(token string) string {
	at := len(token) / 2
	for token[at] == '.' || token[at] == '-' || token[at] == '|' {
		at++
	}
	other := "x"
	if token[at] == 'x' {
		other = "y"
	}
	return token[:at] + other + token[at+1:]
}

// asSeeded does what a seed says: a sign-in, or a call with the token of one.
func (h *harness) asSeeded(name string, a attempt) []refusal {
	mount := ""
	if a.Settings != nil {
		mount = name
	}
	if a.At == "" && !strings.HasPrefix(name, "unauthorized") {
		d := &h.allDoors[0]
		t, err := h.newTry(d, d.types[0], mount, a)
		return h.refusal(nil, "", t, err)
	}
	s := h.signIn(mount, attempt{Sample: a.Sample, Client: a.Client})
	if s == nil {
		return nil
	}
	time.Sleep(a.Wait)
	if a.At == "" {
		got, err := h.probe(mount, s.token, h.presentations()[0], a.Headers)
		if err != nil {
			h.fault("", "%v", err)
			return nil
		}
		return []refusal{{"", s.facts, got}}
	}
	e := h.endpoint(a.At)
	if e == nil {
		h.fault("", "the record has no endpoint for %q", a.At)
		return nil
	}
	got, f, err := h.call(e, s, a)
	if err != nil {
		h.fault("", "%v", err)
		return nil
	}
	return []refusal{{" at " + a.At, f, got}}
}
