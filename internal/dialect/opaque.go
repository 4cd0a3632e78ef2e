package dialect

import (
	"fmt"
	"strings"

	"github.com/chancery-auth/chancery/core"
)

// maxOpaque bounds an opaque token, in bytes.
const maxOpaque = 512

// Random bits of an opaque token: those of a UUID, which a contract may fix, and
// those that Chancery wants (S14).
const (
	leastTokenBits = 122
	goodTokenBits  = 256
)

// opaqueToken reads what an opaque token looks like.
func (r *reader) opaqueToken(s section, p *core.Policy) {
	r.foreign(s, "an opaque token", string(core.FormatJWT), "algorithm", "key_id", "type", "audiences", "claims")
	p.Opaque = r.opaque(s, s.what)
}

// opaque reads form and value of a token that is known by its digest.
func (r *reader) opaque(s section, what string) core.Opaque {
	var o core.Opaque
	length := 43
	if n := s.get("form"); n != nil {
		o.Form = r.text(n, "form")
		bits, width, ok := o.Size()
		length = width
		switch {
		case o.Form == "":
		case !ok:
			r.fault(n, "one of base62, hex32, base64_32, base64url_32, base62_32, uuid", "form %q is not known", o.Form)
		case bits < leastTokenBits:
			r.fault(n, "at least 16 bytes, such as "+strings.TrimRight(o.Form, "0123456789")+"32", "%d random bits can be guessed", bits)
		case bits < goodTokenBits:
			r.warn(n, "leave form out, if the contract allows: base62 has 256", "%s has %d random bits alone", what, bits)
		}
	}
	n := s.get("value")
	if n == nil {
		return o
	}
	t := r.textTemplate(n, "value", &place{what: "the value of " + what, in: inValue})
	if !t.names("token.random") {
		if t != nil {
			r.fault(n, `such as value: "${token.id}|${token.random}"`, "the value of %s does not hold ${token.random} as it is", what)
		}
		return o
	}
	d := r.dialect
	o.Value = func(random core.Secret, g core.Grant) (core.Secret, error) {
		s := newScope(d, nil)
		defer s.release()
		s.random, s.tokenID = random, g.TokenID
		text, err := t.append(make([]byte, 0, 128), s)
		if err == nil {
			err = presentable(string(text))
		}
		return core.NewSecret(string(text)), err
	}
	if _, err := o.Value(core.NewSecret(strings.Repeat("x", length)), core.Grant{TokenID: strings.Repeat("x", 26)}); err != nil {
		r.fault(n, "visible ASCII characters but \" , ; and \\ pass everywhere", "the value of %s cannot be made: %v", what, err)
	}
	return o
}

// names reports whether a text holds a fact as it is.
func (t textTemplate) names(fact string) bool {
	for i := range t {
		if t[i].leaf != nil && t[i].leaf.fact == fact {
			return true
		}
	}
	return false
}

// presentable refuses what cannot be sent back as it is in headers and cookies.
func presentable(token string) error {
	if len(token) > maxOpaque {
		return fmt.Errorf("it has %d characters, more than %d", len(token), maxOpaque)
	}
	for _, c := range token {
		if c <= ' ' || c > '~' || strings.ContainsRune(`",;\`, c) {
			return fmt.Errorf("%q can stand in no header or cookie", c)
		}
	}
	return nil
}
