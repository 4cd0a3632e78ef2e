package core

import "context"

// Extend gives another token of the bearer's session, as long as the session goes
// on beyond the token it has. With endOld the session's other access tokens end.
//
// It refuses as [Authority.Whoami] does, and with SessionOver when nothing is left
// of the session.
func (a *Authority) Extend(ctx context.Context, token Secret, endOld bool, origin Origin) (Token, error) {
	begun := a.deps.Now()
	identity, err := a.Whoami(ctx, token)
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
		Origin: origin, Begun: begun, Action: ActionTokenExtended, endOthers: endOld,
	})
	if KindOf(err) == Conflict {
		err = refuse(TokenRevoked, "its session has ended")
	}
	if err == nil && endOld {
		a.verdicts.drop(session.ID)
	}
	return extended, err
}
