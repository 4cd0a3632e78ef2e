package dialect

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// algorithms are the ones that core knows; the first three have one shared secret.
var algorithms = []string{"HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256"}

// longLifetime is what the loader warns beyond.
const longLifetime = 31 * 24 * time.Hour

// policies reads the section tokens.
func (r *reader) policies(n *yaml.Node, d *Dialect) {
	d.policies = map[string]core.Policy{}
	for _, m := range r.members(n, "tokens") {
		name := m.name.Value
		if !inputName.MatchString(name) {
			r.fault(m.name, "use lower-case letters, digits and underscores", "%q cannot name a token", name)
			continue
		}
		d.policyNames = append(d.policyNames, name)
		d.policies[name] = r.policy(name, m.value, d)
	}
}

func (r *reader) policy(name string, n *yaml.Node, d *Dialect) core.Policy {
	s := r.named(n, &tokenShape, "token "+name)
	p := core.Policy{Name: name, Keys: core.KeySet{Realm: d.realm, Dialect: d.name}}
	s.word("format")
	s.need("algorithm")
	p.Keys.Algorithm = s.word("algorithm")
	p.Keys.WithKeyID = r.boolean(s.get("key_id"), "key_id", p.Keys.Algorithm != "" && !strings.HasPrefix(p.Keys.Algorithm, "HS"))
	if l := s.need("lifetime"); l != nil {
		lifetime, ok := r.duration(l, "lifetime")
		p.Lifetime = lifetime
		switch {
		case ok && (lifetime < time.Second || lifetime%time.Second != 0):
			r.fault(l, "such as lifetime: 1h", "a lifetime is at least one second, and whole seconds")
		case lifetime > longLifetime:
			r.warn(l, "shorten it, if the contract allows", "a token that lives %s is as good as one without end for who steals it", lifetime)
		}
	}
	claims := s.need("claims")
	if claims == nil {
		return p
	}
	keys := slices.Contains(d.subject, core.SubjectKey)
	template := r.template(claims, &place{what: "a token's claims", in: inClaims, keys: keys, numeric: true})
	p.Claims = func(g core.Grant) ([]byte, error) {
		s := newScope(d, nil)
		defer s.release()
		s.fill(&g)
		out, _, err := template.append(make([]byte, 0, 256), s)
		return out, err
	}
	r.claims(claims, &p, d)
	return p
}

// claims finds the claims that the core must know, and insists on those without
// which a token could not be judged or ended (S37, S38, S40).
func (r *reader) claims(n *yaml.Node, p *core.Policy, d *Dialect) {
	found := map[string][]string{} // claims by the fact that alone makes them
	for _, m := range r.members(n, "claims") {
		name := strings.TrimSuffix(m.name.Value, "?")
		if fact, ok := soleFact(m.value); ok {
			found[fact] = append(found[fact], name)
		}
		switch name {
		case "exp":
			r.mustBe(m, "token.expires_at")
		case "iat":
			r.mustBe(m, "token.issued_at")
		case "aud":
			p.Audiences = []string{r.audience(m.value)}
		}
	}
	for _, need := range []struct{ claim, fact, why string }{
		{"exp", "token.expires_at", "a token without it would never end"},
		{"iat", "token.issued_at", "a token without it could not be ended before its time"},
	} {
		if n.Kind == yaml.MappingNode && !slices.Contains(found[need.fact], need.claim) && !hasMember(n, need.claim) {
			r.fault(n, "add "+need.claim+": ${"+need.fact+"}", "the claim %s is missing: %s", need.claim, need.why)
		}
	}
	r.subjectClaims(n, p, d, found)
}

func (r *reader) subjectClaims(n *yaml.Node, p *core.Policy, d *Dialect, found map[string][]string) {
	accounts, keys := found["account.id"], found["key.id"]
	for _, fact := range []string{"account.id", "key.id"} {
		if len(found[fact]) > 1 {
			r.fault(n, "leave one of them out", "the claims %s all hold ${%s}; the one that tells whom the token is for must be clear", strings.Join(found[fact], " and "), fact)
		}
	}
	if len(accounts) > 0 {
		p.AccountClaim = accounts[0]
	}
	if len(keys) > 0 {
		p.KeyClaim = keys[0]
	}
	onlyKeys := slices.Equal(d.subject, []core.SubjectKind{core.SubjectKey})
	switch {
	case n.Kind != yaml.MappingNode:
	case len(accounts) == 0 && !onlyKeys:
		r.fault(n, "add sub: ${account.id}", "no claim tells whom the token is for: one must be ${account.id} alone")
	case len(accounts) == 0 && len(keys) == 0:
		r.fault(n, "add sub: ${key.id} or sub: ${account.id}", "no claim tells whom the token is for: one must be ${key.id} or ${account.id} alone")
	case len(keys) == 0 && slices.Contains(d.subject, core.SubjectKey):
		r.warn(n, "add a claim that is ${key.id}", "no claim holds ${key.id}: to revoke an access key does not end its tokens")
	case len(keys) > 0 && !onlyKeys:
		r.fault(n, "leave it out, or issue tokens for keys by a policy of their own", "the claim %s is empty for accounts that sign in by password", keys[0])
	}
}

// mustBe checks that a claim is one fact alone.
func (r *reader) mustBe(m member, fact string) {
	if found, _ := soleFact(m.value); found != fact || strings.HasSuffix(m.name.Value, "?") {
		r.fault(m.value, "write "+strings.TrimSuffix(m.name.Value, "?")+": ${"+fact+"}", "the claim %s must be ${%s} alone", m.name.Value, fact)
	}
}

// audience reads a constant audience: text, or a list of one.
func (r *reader) audience(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n, "such as aud: [my-api]", "the audience must be one text, or a list of one")
		return ""
	}
	t := r.textTemplate(n, "the audience", &place{what: "a token's claims", in: inClaims})
	text, ok := t.constant()
	if !ok || text == "" {
		r.fault(n, "write it out, or take it from a setting", "the audience must be known when the file is loaded")
	}
	return text
}

// soleFact recognizes ${fact} alone.
func soleFact(n *yaml.Node) (string, bool) {
	rest, ok := strings.CutPrefix(n.Value, "${")
	if n.Kind != yaml.ScalarNode || !ok {
		return "", false
	}
	name, ok := strings.CutSuffix(rest, "}")
	name = strings.TrimSpace(name)
	return name, ok && factPath.MatchString(name)
}

func hasMember(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.TrimSuffix(n.Content[i].Value, "?") == name {
			return true
		}
	}
	return false
}
