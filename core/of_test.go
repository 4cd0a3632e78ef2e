package core_test

import (
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// newPair is a world whose dialect has tokens of two policies, access and session.
func newPair(t *testing.T, change func(*core.Policy)) *world {
	t.Helper()
	w := newWorld(t, func(terms *core.Terms) {
		tracked(change)(terms)
		other := terms.Policies["access"]
		other.Name = "session"
		terms.Policies["session"] = other
	})
	w.account(t, "ada@example.com", nil)
	return w
}

// by signs in for a token of a policy.
func (w *world) by(t *testing.T, policy string) core.Token {
	t.Helper()
	token, err := w.Exchange(t.Context(), password("ada@example.com", "right password", func(c *core.Credential) { c.Policy = policy }))
	want(t, "Exchange", err, "")
	return token
}

// What is asked of the tokens of one policy is refused to those of another, and
// nothing has been done by then.
func TestOnlyOf(t *testing.T) {
	of := []string{"session"}
	for name, change := range map[string]func(*core.Policy){"opaque": nil, "signed": signed} {
		t.Run(name, func(t *testing.T) {
			w := newPair(t, change)
			access, session := w.by(t, "access"), w.by(t, "session")
			caller := core.Caller{Bearer: &access.Value}
			for _, tt := range []struct {
				name string
				kind core.Kind
				ask  func(core.Token) error
			}{
				{"Whoami", core.TokenForeign, func(token core.Token) error { _, err := w.Whoami(t.Context(), token.Value, of...); return err }},
				{"Extend", core.TokenForeign, func(token core.Token) error {
					_, err := w.Extend(t.Context(), core.Extension{Token: token.Value, Of: of, Origin: origin})
					return err
				}},
				{"Introspect", core.SubjectInvalid, func(token core.Token) error {
					_, _, err := w.Introspect(t.Context(), core.Inquiry{Token: token.Value, Of: of, Caller: caller})
					return err
				}},
				{"Refresh", core.RefreshUnknown, func(token core.Token) error {
					_, err := w.Refresh(t.Context(), core.Renewal{Refresh: token.Refresh.Value, Of: of, Origin: origin})
					return err
				}},
				{"Revoke of another's", "", func(token core.Token) error {
					return w.Revoke(t.Context(), core.Revocation{Token: token.Value, Of: of, Caller: caller})
				}},
				{"Revoke of one's own", core.TokenForeign, func(token core.Token) error {
					return w.Revoke(t.Context(), core.Revocation{Token: token.Value, Own: true, Of: of})
				}},
				{"RevokeAll", core.TokenForeign, func(token core.Token) error { return w.RevokeAll(t.Context(), token.Value, origin, of...) }},
			} {
				want(t, tt.name+" of access", tt.ask(access), tt.kind)
				w.whoami(t, "the access token after "+tt.name, access.Value, "")
				want(t, tt.name+" of session", tt.ask(session), "")
				if w.Revoke(t.Context(), core.Revocation{Token: session.Value, Own: true}) != nil { // it did what was asked
					access = w.by(t, "access")
				}
				session = w.by(t, "session")
				caller.Bearer = &access.Value
			}
		})
	}
}

// Tokens that look alike count as one of the policies asked for only where any of
// them would do.
func TestOnlyOfAlike(t *testing.T) {
	w := newPair(t, func(p *core.Policy) { signed(p); p.Session, p.Refresh = 0, nil })
	for _, policy := range []string{"access", "session"} {
		token := w.by(t, policy)
		for _, tt := range []struct {
			of   []string
			kind core.Kind
		}{{nil, ""}, {[]string{"access"}, core.TokenForeign}, {[]string{"session"}, core.TokenForeign}, {[]string{"session", "access"}, ""}} {
			_, err := w.Whoami(t.Context(), token.Value, tt.of...)
			want(t, "Whoami", err, tt.kind)
		}
	}
}
