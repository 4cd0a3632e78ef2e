package core

import (
	"context"
	"time"
)

// An Extension is a bearer token whose session is to go on.
type Extension struct {
	Token    Secret
	Of       []string      // the policies whose tokens are taken; none for all
	Same     bool          // the token itself lives longer; of opaque ones alone
	Lifetime time.Duration // from now on, within the policy's bounds; 0 takes the policy's own
	EndOld   bool          // the session's other access tokens end
	Origin   Origin
}

// Extend gives another token of the bearer's session, as long as the session goes
// on beyond the token it has; or the same one with a new end, which is never beyond
// the session's. A session has 20 access tokens that hold: one more ends the oldest.
//
// It refuses as [Authority.Whoami] does, and with SessionOver when nothing is left
// of the session; with TokenForeign when the same token is asked for, and its end is
// signed with it.
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
	m := minting{
		Policy: a.terms.Policies[identity.Policy], Identity: identity, Lifetime: extension.Lifetime, WithoutRefresh: true,
		Origin: extension.Origin, Begun: begun, Action: ActionTokenExtended, endOthers: extension.EndOld,
	}
	switch {
	case session == nil:
		return Token{}, refuse(SessionOver, "tokens of policy %q have no session", identity.Policy)
	case extension.Same:
		return a.prolong(ctx, m, extension.Token)
	case !session.ExpiresAt.IsZero() && !identity.ExpiresAt.IsZero() && !session.ExpiresAt.After(identity.ExpiresAt):
		return Token{}, &Error{Kind: SessionOver}
	}
	extended, err := a.mint(ctx, m)
	if KindOf(err) == Conflict {
		err = refuse(TokenRevoked, "its session has ended")
	}
	if err == nil {
		a.verdicts.drop(session.ID) // what has ended by it is told from the next call on
	}
	return extended, err
}

// prolong gives the bearer's token another end, and tells of it as of one that is
// issued now. Kept is when it was issued first: what ends all tokens that are older
// ends it, though that was not seen here yet.
func (a *Authority) prolong(ctx context.Context, m minting, value Secret) (Token, error) {
	if m.Policy.Format != FormatOpaque {
		return Token{}, refuse(TokenForeign, "the end of a token of policy %q is signed", m.Policy.Name)
	}
	issuedAt, err := a.issuedAt(ctx, m)
	if err != nil {
		return Token{}, err
	}
	token := Token{Value: value, Grant: a.grant(m, m.Identity.TokenID, issuedAt)}
	stored := StoredToken{Digest: value.Digest(), Session: token.Session.ID, ExpiresAt: token.ExpiresAt}
	event := a.tokenEvent(m.Action, m.Origin, token.Grant)
	err = a.deps.Tokens.ProlongToken(context.WithoutCancel(ctx), a.terms.Realm, stored, a.deps.Now(), event)
	switch {
	case KindOf(err) == Conflict:
		return Token{}, refuse(TokenRevoked, "it has ended meanwhile")
	case err != nil:
		return Token{}, err
	}
	a.verdicts.drop(token.Session.ID)
	return token, nil
}
