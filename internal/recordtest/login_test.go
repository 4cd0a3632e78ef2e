package recordtest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A try is one request to a door and what came of it.
type try struct {
	door     *door
	method   string
	mimeType string
	mount    string // the case whose mount it goes to
	attempt  attempt
	values   []value
	facts    facts
	got      reply
}

// newTry prepares the usual request to a door, as the attempt has it.
func (h *harness) newTry(d *door, contentType *node, mount string, a attempt) (*try, error) {
	a = a.over(h.seed.Login)
	t := &try{door: d, method: d.methods[0].raw(), mimeType: contentType.raw(), mount: mount, attempt: a}
	m := h.world.mounts[mount]
	var err error
	if t.facts.sample, err = m.sample(a.Sample, (*sample).ordinary); err != nil {
		return nil, err
	}
	t.facts.client, _ = m.sample(a.Client, func(s *sample) bool { return s.key != nil && s.ordinary() && s.name != t.facts.sample.name })
	t.facts.known, t.facts.refreshLifetime = h.seed.Facts, h.seconds("refresh_lifetime_seconds")
	t.values, err = h.values(d, &t.facts, a, nil)
	if a.Type != "" {
		t.mimeType = a.Type
	}
	return t, err
}

// send sends the request and keeps what was sent for what the answer may repeat.
func (h *harness) send(t *try) error {
	t.facts.sent = map[string]any{}
	for _, v := range t.values {
		for _, name := range append(v.field.called(), v.field.mapsTo) {
			if _, taken := t.facts.sent[name]; !taken {
				t.facts.sent[name] = v.value
			}
		}
	}
	t.facts.path = t.door.path
	r, err := h.world.write(form{
		method: t.method, path: t.door.path, contentType: t.mimeType, values: slices.Clone(t.values),
		folded: t.door.folded, raw: t.attempt.Raw, headers: t.attempt.Headers,
	})
	if err != nil {
		return err
	}
	t.got, err = h.world.send(t.mount, r)
	t.facts.began, t.facts.ended = t.got.began, t.got.ended
	return err
}

// compare holds the answer to what the record says.
func (h *harness) compare(f facts, got reply, want answer) *comparison {
	c := &comparison{facts: f, skipped: h.skips, held: map[string]string{}}
	c.answer(want, got)
	return c
}

// signsIn sends the request, wants the door's success, and returns what stood for
// placeholders in it.
func (h *harness) signsIn(t *try) (held map[string]string, ok bool) {
	if err := h.send(t); err != nil {
		h.fault("", "%v", err)
		return nil, false
	}
	t.facts.lifetime = h.lifetime(t)
	c := h.compare(t.facts, t.got, t.door.success)
	for _, fault := range c.faults {
		h.fault("", "%s", fault)
	}
	return c.held, len(c.faults) == 0
}

// lifetime is what the record says of the token's, or the request, or the token
// itself; 0 where nothing does.
func (h *harness) lifetime(t *try) time.Duration {
	for _, v := range t.values {
		if seconds, err := strconv.Atoi(nodeOf(v.value).text); v.field.mapsTo == "ttl_seconds" && err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	if life := h.seconds("lifetime_seconds"); life != 0 {
		return life
	}
	return jwtLife(findJWT.FindString(string(t.got.body)))
}

var findJWT = regexp.MustCompile(jwtText)

func jwtLife(token string) time.Duration {
	_, payload, err := readJWT(token)
	if err != nil {
		return 0
	}
	var ends [2]int
	for i, name := range []string{"iat", "exp"} {
		if ends[i], err = strconv.Atoi(payload.get(name).raw()); err != nil {
			return 0
		}
	}
	return time.Duration(ends[1]-ends[0]) * time.Second
}

// seconds is a duration that the record states of the token.
func (h *harness) seconds(name string) time.Duration {
	i, err := strconv.Atoi(h.record.get("token").get(name).raw())
	if err != nil {
		return 0
	}
	return time.Duration(i) * time.Second
}

// successes signs in through every door, by every method and content type, and in
// every way that the seed knows.
func (h *harness) successes() {
	for i := range h.allDoors {
		d := &h.allDoors[i]
		ways := []attempt{{}}
		if i == 0 {
			ways = append(ways, h.seed.Ways...)
		}
		for k, way := range ways {
			for _, contentType := range d.types {
				for _, method := range d.methods {
					h.enter(d, contentType, method, fmt.Sprintf("way %d", k), h.own(d, way))
				}
			}
		}
	}
	h.variants()
}

// own is an attempt with what the seed says of the door as a variant.
func (h *harness) own(d *door, way attempt) attempt {
	if d == &h.allDoors[0] {
		return way
	}
	return way.over(h.seed.Variants[d.path])
}

// variants are the answers that something in the request chooses.
func (h *harness) variants() {
	for _, variant := range h.record.get("success").get("variants").each() {
		when := variant.get("when")
		a, ok := h.seed.Variants[when.raw()]
		if when.looked || !ok {
			continue // an alternative's, or one that the seed lacks
		}
		when.look()
		d := h.allDoors[0]
		d.success = d.success.but(variant)
		h.enter(&d, d.types[0], d.methods[0], "variant "+when.raw(), a)
	}
}

func (h *harness) enter(d *door, contentType, method *node, what string, way attempt) {
	h.step = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", method.raw(), d.path, contentType.raw(), what))
	t, err := h.newTry(d, contentType, "", way)
	if err != nil {
		h.fault("", "%v", err)
		return
	}
	t.method = method.raw()
	held, ok := h.signsIn(t)
	if !ok {
		return
	}
	h.report.successes++
	contentType.look()
	method.look()
	d.node.get("path").look()
	h.sentWith(t)
	if h.session == nil {
		h.session = h.newSession(t, held)
	}
}

// sentWith marks what a request that succeeded has shown of its fields.
func (h *harness) sentWith(t *try) {
	for _, f := range t.door.fields {
		i := slices.IndexFunc(t.values, func(v value) bool { return v.field.node == f.node })
		if i < 0 {
			if !f.required() {
				f.node.get("required").look()
			}
			f.node.get("default").look()
			continue
		}
		for _, name := range []string{"name", "in", "maps_to", "scheme", "transform", "repeatable"} {
			f.node.get(name).look()
		}
		for _, item := range f.node.get("enum").each() {
			if item.text == nodeOf(t.values[i].value).text {
				item.look()
			}
		}
	}
}

// identifying are the roles of fields that decide who may sign in: another value
// of such a field must not do.
var identifying = []string{
	"identifier", "secret", "client_id", "client_secret", "access_key", "api_key", "api_token", "assertion",
	"tenant", "merchant", "otp", "recovery_code", "app_key", "app_id", "app_bearer", "username_check", "captcha", "signature",
}

// inputs shows what the record says of each field: what is required cannot be left
// out, constants and choices have no other value, and who one is must be right.
func (h *harness) inputs() {
	for i := range h.allDoors {
		d := &h.allDoors[i]
		for _, f := range d.fields {
			h.input(d, f)
		}
	}
}

func (h *harness) input(d *door, f field) {
	base := h.own(d, attempt{})
	if required := f.node.get("required"); f.required() && !h.skips(required.pointer) {
		if h.refused(d, "without "+f.name, base, func(t *try) { t.leaveOut(f) }) {
			required.look()
		}
	}
	if constant := f.node.get("const"); constant != nil && !h.skips(constant.pointer) {
		if h.refused(d, "with another "+f.name, base, func(t *try) { t.set(f, another(constant)) }) {
			constant.look()
		}
	}
	if enum := f.node.get("enum"); enum != nil && !h.skips(enum.pointer) {
		h.refused(d, "with a "+f.name+" that is no choice", base, func(t *try) { t.set(f, another(enum.items[len(enum.items)-1])) })
	}
	if most := f.node.get("max"); most != nil && !h.skips(most.pointer) {
		n, _ := strconv.Atoi(most.raw())
		if h.refused(d, "with a "+f.name+" that is too long", base, func(t *try) { t.set(f, strings.Repeat("x", n+1)) }) {
			most.look()
		}
	}
	if slices.Contains(identifying, f.mapsTo) && !h.skips(f.node.get("maps_to").pointer) {
		h.refused(d, "with a wrong "+f.name, base, func(t *try) { t.set(f, wrong) })
	}
}

// wrong is nobody's identifier and nobody's secret. It has the form of both.
const wrong = "0000000000000000000000000000000000000bad"

// another is a value like n that is not n.
func another(n *node) *node {
	other := &node{is: n.is, text: n.text + "x", names: n.names}
	switch n.is {
	case number:
		other.text = "1" + n.text
	case boolean:
		other.text = strconv.FormatBool(n.text != "true")
	case list, object:
		for _, item := range n.items {
			other.items = append(other.items, another(item))
		}
	}
	return other
}

func (t *try) leaveOut(f field) {
	t.values = slices.DeleteFunc(t.values, func(v value) bool { return v.field.node == f.node })
	t.facts.missing = append(t.facts.missing, f)
}

// set changes a field that is sent.
func (t *try) set(f field, to any) {
	for i := range t.values {
		if t.values[i].field.node == f.node {
			t.values[i].value = to
		}
	}
}

// refused wants anything but success.
func (h *harness) refused(d *door, what string, a attempt, change func(*try)) bool {
	h.step = d.path + " " + what
	t, err := h.newTry(d, d.types[0], "", a)
	if err != nil {
		h.fault("", "%v", err)
		return false
	}
	before := fmt.Sprint(t.values)
	if change(t); fmt.Sprint(t.values) == before {
		return false // the field is not sent
	}
	if err := h.send(t); err != nil {
		h.fault("", "%v", err)
		return false
	}
	if c := h.compare(t.facts, t.got, d.success); len(c.faults) == 0 {
		h.fault("", "it succeeded: %s", clip(string(t.got.body)))
		return false
	}
	return true
}

// A session is what a sign-in gave.
type session struct {
	mount string
	try   *try
	facts facts
	held  map[string]string
	token string // as later calls carry it
}

// tokens are the placeholders that a bearer token may stand for.
var tokens = []string{"jwt", "token", "token_uuid", "paseto"}

func (h *harness) newSession(t *try, held map[string]string) *session {
	s := &session{mount: t.mount, try: t, facts: t.facts, held: maps.Clone(held)}
	for _, name := range tokens {
		if value, ok := held[name]; ok {
			s.token = value
		}
	}
	if prefix := h.record.get("token").get("prefix"); prefix.given() && !h.skips(prefix.pointer) {
		before, err := expand(prefix.word(), &t.facts, held)
		if err != nil {
			h.fault(prefix.pointer, "%v", err)
		}
		s.token = fmt.Sprint(before) + s.token
	}
	s.held["token"] = s.token
	if h.session != nil {
		s.held["other.token"] = h.session.token // somebody else's, for most
	}
	return s
}

// signIn makes a session of its own. Nil means that it has told why there is none.
func (h *harness) signIn(mount string, a attempt) *session {
	d := &h.allDoors[0]
	t, err := h.newTry(d, d.types[0], mount, a)
	if err != nil {
		h.fault("", "%v", err)
		return nil
	}
	if err := h.send(t); err != nil {
		h.fault("", "%v", err)
		return nil
	}
	t.facts.lifetime = h.lifetime(t)
	c := h.compare(t.facts, t.got, d.success)
	if len(c.faults) > 0 && mount == "" { // a mount of its own may have other lifetimes
		h.fault("", "cannot sign in: %s", strings.Join(c.faults, "; "))
		return nil
	}
	return h.newSession(t, c.held)
}
