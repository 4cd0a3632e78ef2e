package dialect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// algorithms are the ones that core knows; the first three have one shared secret.
var algorithms = []string{"HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256"}

// maxPayload bounds a JWT's claims as they are without data of the realm, in bytes:
// the whole token must fit into a header.
const maxPayload = 4 << 10

var tokenType = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]{1,64}$`)

// jwt reads how a JWT is signed and what it claims.
func (r *reader) jwt(t *tokenReading, p *core.Policy, d *Dialect) {
	r.foreign(t.section, "a JWT", string(core.FormatOpaque), "form", "value")
	if t.need("algorithm") == nil && t.node.Kind != yaml.MappingNode {
		return
	}
	p.Keys.Algorithm = t.word("algorithm")
	p.Keys.WithKeyID = r.boolean(t.get("key_id"), "key_id", p.Keys.Algorithm != "" && !strings.HasPrefix(p.Keys.Algorithm, "HS"))
	if n := t.get("type"); n != nil {
		if p.Keys.Type = r.text(n, "type"); p.Keys.Type == "JWT" {
			p.Keys.Type = ""
		} else if p.Keys.Type != "" && !tokenType.MatchString(p.Keys.Type) {
			r.fault(n, "such as type: at+jwt, without application/", "%q cannot be a token's type", p.Keys.Type)
		}
	}
	for _, item := range r.items(t.get("audiences"), "audiences") {
		if text := r.audienceText(item); text != "" {
			p.Audiences = append(p.Audiences, text)
		}
	}
	n := t.need("claims")
	if n == nil {
		return
	}
	keys := slices.Contains(d.subject, core.SubjectKey)
	template := r.template(n, &place{what: "a token's claims", in: inClaims, keys: keys, numeric: true})
	r.claims(n, t, p, d)
	p.Claims = claimsOf(d, template, t.audience, p.Audiences)
	r.probeClaims(n, template, keys)
}

// claimsOf writes a token's claims. An audience that may not be granted is Forbidden,
// whatever a route allows.
func claimsOf(d *Dialect, template node, granted string, audiences []string) func(core.Grant) ([]byte, error) {
	return func(g core.Grant) ([]byte, error) {
		if granted != "" {
			if audience, ok := g.Granted[granted].(string); !ok || !slices.Contains(audiences, audience) {
				return nil, &core.Error{Kind: core.Forbidden, Err: fmt.Errorf("granted.%s is none of the token's audiences", granted)}
			}
		}
		s := newScope(d, nil)
		defer s.release()
		s.fill(&g)
		out, _, err := template.append(make([]byte, 0, 256), s)
		return out, err
	}
}

// probeClaims makes claims once, to see that they are not too large.
func (r *reader) probeClaims(n *yaml.Node, template node, keys bool) {
	s := probeScope(&place{in: inClaims, keys: keys})
	if out, _, err := template.append(nil, s); err == nil && len(out) > maxPayload {
		r.fault(n, "leave out what clients do not read", "the claims have %d bytes before any account's data: more than %d fit into no header", len(out), maxPayload)
	}
}

// claims finds the claims that the core must know, and insists on those without
// which a token could not be judged or ended (S37, S38, S40).
func (r *reader) claims(n *yaml.Node, t *tokenReading, p *core.Policy, d *Dialect) {
	found := map[string][]string{} // claims by the fact that alone makes them
	audience := false
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
			audience = true
			r.audience(m.value, t, p)
		}
	}
	t.ids = found["token.id"]
	if a := t.get("audiences"); a != nil && !audience && n.Kind == yaml.MappingNode {
		r.fault(a, "add aud: ${granted.audience}", "no claim names an audience")
	}
	for _, need := range []struct{ claim, fact, why string }{
		{"exp", "token.expires_at", "a token without it would never end"},
		{"iat", "token.issued_at", "a token without it could not be ended before its time"},
	} {
		if n.Kind == yaml.MappingNode && !slices.Contains(found[need.fact], need.claim) && memberOf(n, need.claim) == nil {
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

// audience reads the claim aud: a constant or what was granted, each also as a list
// of one.
func (r *reader) audience(n *yaml.Node, t *tokenReading, p *core.Policy) {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n, "such as aud: [my-api]", "the audience must be one text, or a list of one")
		return
	}
	list := t.get("audiences")
	if fact, ok := soleFact(n); ok && strings.HasPrefix(fact, grantedFact+".") {
		t.audience = strings.TrimPrefix(fact, grantedFact+".")
		if list == nil {
			r.fault(n, "such as audiences: [https://api.example.com]", "the token lacks the member audiences, which says what may be granted")
		}
		return
	}
	if list != nil {
		r.fault(list, "leave it out, or write aud: ${granted.audience}", "the audience is the same in every token")
		return
	}
	p.Audiences = []string{r.audienceText(n)}
}

// audienceText reads an audience that is known at load.
func (r *reader) audienceText(n *yaml.Node) string {
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

// memberOf is the member of a mapping by its name, with or without the question
// mark of those that may be dropped; nil for none.
func memberOf(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.TrimSuffix(n.Content[i].Value, "?") == name {
			return n.Content[i+1]
		}
	}
	return nil
}
