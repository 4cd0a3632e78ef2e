package core

import "context"

// An Extension is a bearer token whose session is to go on.
type Extension struct {
	Token  Secret
	Of     []string // the policies whose tokens are taken; none for all
	EndOld bool     // the session's other access tokens end
	Origin Origin
}

// Extend gives another token of the bearer's session, as long as the session goes
// on beyond the token it has.
//
// It refuses as [Authority.Whoami] does, and with SessionOver when nothing is left
// of the session.
func (a *Authority) Extend(ctx context.Context, extension Extension) (Token, error) {
	begun := a.deps.Now()
	identity, err := a.Whoami(ctx, extension.Token, extension.Of...)
	if err == nil {
		err = a.unheld(identity)
	}
	if err != nil {
		return Token{}, err
	}
	session := identity.Session
	switch {
	case session == nil:
		return Token{}, refuse(SessionOver, "tokens of policy %q have no session", identity.Policy)
	case !session.ExpiresAt.IsZero() && !identity.ExpiresAt.IsZero() && !session.ExpiresAt.After(identity.ExpiresAt):
		return Token{}, &Error{Kind: SessionOver}
	}
	extended, err := a.mint(ctx, minting{
		Policy: a.terms.Policies[identity.Policy], Identity: identity, WithoutRefresh: true,
		Origin: extension.Origin, Begun: begun, Action: ActionTokenExtended, endOthers: extension.EndOld,
	})
	if KindOf(err) == Conflict {
		err = refuse(TokenRevoked, "its session has ended")
	}
	if err == nil && extension.EndOld {
		a.verdicts.drop(session.ID)
	}
	return extended, err
}
