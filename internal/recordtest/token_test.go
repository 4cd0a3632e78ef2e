package recordtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// token compares what the record says of the token with the token at hand.
func (h *harness) token() {
	h.step = "token"
	token, s := h.record.get("token"), h.session
	token.looked = true
	for i, name := range token.names {
		item := token.items[i]
		if h.skips(item.pointer) {
			continue
		}
		if err := h.tokenMember(name, item, s); err != nil {
			h.fault(item.pointer, "%v", err)
			continue
		}
		h.report.token = append(h.report.token, name)
	}
}

func (h *harness) tokenMember(name string, want *node, s *session) error {
	header, payload, noJWT := readJWT(s.token)
	if !want.given() || want.text == "false" {
		want.look()
		return nil
	}
	switch name {
	case "format":
		switch want.word() {
		case "jwt":
			return noJWT
		case "opaque":
			if noJWT == nil {
				return errors.New("the token is a JWT")
			}
		case "paseto":
			if !strings.HasPrefix(s.token, "v") {
				return errors.New("the token is no PASETO")
			}
		}
	case "algorithm":
		if got := header.get("alg").raw(); got != want.word() {
			return fmt.Errorf("the algorithm is %q, want %q", got, want.text)
		}
	case "claims":
		return h.part(want, payload, s)
	case "header":
		return h.part(want, header, s)
	case "lifetime_seconds":
		want.look()
		if noJWT == nil && jwtLife(s.token) != h.seconds(name) {
			return fmt.Errorf("the token lives %s, want %s s", jwtLife(s.token), want.text)
		}
		life := h.seconds(name)
		return h.policy(func(p core.Policy) bool { return p.Lifetime == life }, "lives "+life.String())
	case "prefix":
		want.look() // the token is presented with it: see newSession
	case "client_chosen_lifetime":
		want.look()
		return h.chosenLifetime()
	case "reuses_existing_token", "single_active":
		want.look()
		return h.again(name == "single_active")
	case "sliding":
		want.look()
		return h.idle()
	case "never_expires":
		want.look()
		return h.policy(func(p core.Policy) bool { return p.Endless }, "lives for ever")
	case "refresh_lifetime_seconds":
		want.look()
		life := h.seconds(name)
		return h.policy(func(p core.Policy) bool { return p.Refresh != nil && p.Refresh.Lifetime == life }, "has a refresh token that lives "+life.String())
	default:
		return errors.New("nobody knows how to show it")
	}
	return nil
}

// part wants the members that the record names, in a token's header or payload.
func (h *harness) part(want, got *node, s *session) error {
	if got == nil {
		return errors.New("the token is no JWT")
	}
	c := comparison{facts: s.facts, skipped: h.skips, held: s.held}
	want.looked = true
	for i, name := range want.names {
		if have := got.get(name); have != nil {
			c.value(want.items[i], have)
		} else {
			c.fault(want.pointer, "there is no %q", name)
		}
	}
	if len(c.faults) > 0 {
		return errors.New(strings.Join(c.faults, "; "))
	}
	return nil
}

// policy holds the record to the dialect's terms, where the wire need not tell.
func (h *harness) policy(holds func(core.Policy) bool, what string) error {
	for _, policy := range h.world.mounts[""].dialect.Terms().Policies {
		if holds(policy) {
			return nil
		}
	}
	return errors.New("no token of the dialect " + what)
}

// chosenLifetime asks for another lifetime than usual.
func (h *harness) chosenLifetime() error {
	d := &h.allDoors[0]
	t, err := h.newTry(d, d.types[0], "", attempt{})
	if err != nil {
		return err
	}
	f := t.field("ttl_seconds")
	if f.node == nil {
		return errors.New("no field asks for it")
	}
	t.set(f, 900)
	held, ok := h.signsIn(t)
	if !ok {
		return nil // told
	}
	if s := h.newSession(t, held); jwtLife(s.token) != 0 && jwtLife(s.token) != 900*time.Second {
		return fmt.Errorf("the token lives %s, want the 900 s that were asked for", jwtLife(s.token))
	}
	return nil
}

// again signs in twice: the second token is the first one, or ends it.
func (h *harness) again(ends bool) error {
	first, second := h.signIn("", attempt{}), h.signIn("", attempt{})
	if first == nil || second == nil {
		return nil // told
	}
	if !ends {
		if first.token != second.token {
			return errors.New("the second sign-in gives another token")
		}
		return nil
	}
	if h.works(first) {
		return errors.New("the first token outlives the second sign-in")
	}
	if !h.works(second) {
		return errors.New("the second token does not hold")
	}
	return nil
}

// idle uses a token now and then, which keeps it alive, and then no more. The
// seed's case sliding has the settings, and twice the time after which it ends.
func (h *harness) idle() error {
	a, ok := h.seed.Cases["sliding"]
	if !ok {
		return errors.New("the seed's case sliding must say with which settings it ends, and when")
	}
	s := h.signIn("sliding", attempt{Sample: a.Sample})
	if s == nil {
		return nil // told
	}
	for range 3 {
		time.Sleep(a.Wait / 3)
		if !h.works(s) {
			return errors.New("it ends though it is used")
		}
	}
	time.Sleep(a.Wait)
	if h.works(s) {
		return errors.New("it goes on though nobody uses it")
	}
	return nil
}

// A presentation is a way in which later calls carry the token.
type presentation struct {
	node             *node
	in, name, scheme string
	with             []*node
}

func (h *harness) presentations() (all []presentation) {
	said := h.record.get("presentation").each()
	if len(said) == 0 { // nothing is known: as everybody does
		return []presentation{{node: &node{}, in: "header", name: "Authorization", scheme: "Bearer"}}
	}
	for _, n := range said {
		all = append(all, presentation{n, n.get("in").raw(), n.get("name").raw(), n.get("scheme").raw(), n.get("with").each()})
	}
	return all
}

// presented shows that every way carries the token, and that no other word before
// it does.
func (h *harness) presented() {
	for _, p := range h.presentations() {
		h.step = strings.TrimSpace(fmt.Sprintf("presentation by %s %s %s", p.in, p.name, p.scheme))
		if h.skips(p.node.pointer) {
			continue
		}
		got, err := h.probe("", h.session.token, p, nil)
		if err != nil || got.status != http.StatusOK || string(got.body) != string(h.session.facts.sample.account.ID) {
			h.fault(p.node.pointer, "the API behind was not reached for the account: %d %s %v", got.status, got.body, err)
			continue
		}
		if p.scheme != "" {
			other := p
			other.scheme = "Another"
			if got, err := h.probe("", h.session.token, other, nil); err != nil || got.status == http.StatusOK {
				h.fault(p.node.pointer, "another scheme does as well: %d %v", got.status, err)
			}
		}
		if len(p.with) > 0 {
			without := p
			without.with = nil
			if got, err := h.probe("", h.session.token, without, nil); err != nil || got.status == http.StatusOK {
				h.fault(p.node.pointer, "it does without %s: %d %v", p.node.get("with"), got.status, err)
			}
		}
		p.node.look()
		h.report.presentations++
	}
}

// works reports whether a session's token still holds.
func (h *harness) works(s *session) bool {
	got, err := h.probe(s.mount, s.token, h.presentations()[0], nil)
	if err != nil {
		h.fault("", "%v", err)
	}
	return err == nil && got.status == http.StatusOK
}

// probe asks the API behind, with a token or, for "", without.
func (h *harness) probe(mount, token string, p presentation, headers map[string]string) (reply, error) {
	r, err := http.NewRequest(http.MethodGet, h.world.url+probe, nil)
	if err != nil {
		return reply{}, err
	}
	if token != "" {
		if err := p.put(r, token); err != nil {
			return reply{}, err
		}
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return h.world.send(mount, r)
}

func (p *presentation) put(r *http.Request, token string) error {
	switch p.in {
	case "header":
		r.Header.Set(p.name, strings.TrimSpace(p.scheme+" "+token))
	case "cookie":
		r.AddCookie(&http.Cookie{Name: p.name, Value: token})
	case "query":
		r.URL.RawQuery = url.Values{p.name: {token}}.Encode()
	default:
		return fmt.Errorf("nobody knows how to present a token in the %s", p.in)
	}
	for _, name := range p.with {
		r.Header.Set(name.raw(), "x")
	}
	return nil
}
