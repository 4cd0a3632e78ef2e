package core

import (
	"context"
	"time"
)

// A Renewal is a refresh token to be exchanged for new tokens.
type Renewal struct {
	Refresh Secret
	Of      []string // the policies whose refresh tokens are taken; none for all
	Client  *Client  // nil when the request brings none
	Origin  Origin
}

// Refresh gives new tokens for a refresh token, which is used up by it unless its
// policy keeps it. One that comes again after that was stolen from somebody: its
// session is ended before the refusal, RefreshReused.
//
// It refuses with the kinds below BadRefresh, to which the token of another
// client belongs, with BadClient a client that is wrong or missing, and with
// AccountInactive and AccountUnverified.
func (a *Authority) Refresh(ctx context.Context, renewal Renewal) (token Token, err error) {
	event := a.event(ActionTokenRefreshed, renewal.Origin)
	// A refresh token tells no identity to count by before it is known.
	err = a.counted(ctx, AttemptKey{Realm: a.terms.Realm, Network: renewal.Origin.Network()}, func() (err error) {
		token, err = a.refresh(ctx, renewal, &event)
		return err
	})
	if err != nil && KindOf(err) != RefreshReused { // which is on record already
		err = a.onRecord(ctx, event, err)
	}
	return token, err
}

// refresh does so as one counted try, and tells event whose token it was.
func (a *Authority) refresh(ctx context.Context, renewal Renewal, event *Event) (Token, error) {
	begun := a.deps.Now()
	client, refusal := a.authenticateClient(ctx, renewal.Client)
	if refusal != nil && KindOf(refusal) != BadClient {
		return Token{}, refusal
	}
	old, session, err := a.refreshToken(ctx, renewal.Refresh, renewal.Of)
	event.Account, event.Key, event.TokenID, event.Session = session.Account, session.Key, old.ID, session.ID
	switch {
	case refusal != nil:
		return Token{}, refusal
	case err != nil:
		return Token{}, err
	case !session.isFor(client) && client == nil:
		return Token{}, refuse(BadClient, "the session is a client's, and none is here")
	case !session.isFor(client):
		return Token{}, refuse(RefreshUnknown, "the session is not this client's") // nor is it told that there is one
	case !old.ReplacedAt.IsZero():
		return Token{}, a.reused(ctx, *event)
	case !old.live(begun):
		return Token{}, &Error{Kind: RefreshExpired}
	}
	identity, err := a.renewable(ctx, old, session, begun)
	if KindOf(err) == RefreshRevoked { // or used up since it was read: others came with it at once
		return Token{}, a.lost(ctx, old.Digest, *event, err)
	}
	if err != nil {
		return Token{}, err
	}
	policy := a.terms.Policies[session.Policy]
	m := minting{Policy: policy, Identity: identity, Origin: renewal.Origin, Begun: begun, Action: ActionTokenRefreshed}
	if policy.Refresh.Keep {
		m.WithoutRefresh = true
	} else {
		m.replaces = &old.Digest
	}
	token, err := a.mint(ctx, m)
	if KindOf(err) == Conflict {
		return Token{}, a.lost(ctx, old.Digest, *event, refuse(RefreshRevoked, "its session has ended"))
	}
	if err == nil && policy.Refresh.Keep {
		token.Refresh = &RefreshToken{Value: renewal.Refresh, IssuedAt: old.IssuedAt, ExpiresAt: old.ExpiresAt}
	}
	return token, err
}

// refreshToken finds a refresh token of this dialect and these policies. Whatever else
// it is given is RefreshUnknown (S28).
func (a *Authority) refreshToken(ctx context.Context, secret Secret, of []string) (StoredToken, Session, error) {
	token, session, err := a.storedToken(ctx, secret)
	switch {
	case KindOf(err) == NotFound:
		return StoredToken{}, Session{}, &Error{Kind: RefreshUnknown}
	case err != nil:
		return StoredToken{}, Session{}, err
	case token.Use != UseRefresh:
		return StoredToken{}, Session{}, refuse(RefreshUnknown, "a token for %s", token.Use)
	case session.Dialect != a.terms.Dialect:
		return StoredToken{}, Session{}, refuse(RefreshUnknown, "of the dialect %s", session.Dialect)
	case !session.isOf(of):
		return StoredToken{}, Session{}, refuse(RefreshUnknown, "of policy %q, where those of %q are taken", session.Policy, of)
	}
	return token, session, nil
}

// storedToken is a token that is tracked, with its session, or NotFound.
func (a *Authority) storedToken(ctx context.Context, secret Secret) (StoredToken, Session, error) {
	if a.deps.Tokens == nil || len(secret.Reveal()) > maxToken {
		return StoredToken{}, Session{}, &Error{Kind: NotFound}
	}
	return a.deps.Tokens.Token(ctx, a.terms.Realm, secret.Digest())
}

// isFor reports whether the session was begun by client: beside its user, or for
// itself; or by none when client is nil.
func (s Session) isFor(client *AccessKey) bool {
	if client == nil {
		return s.Client == ""
	}
	return s.Client == client.ID || s.Client == "" && s.Key == client.ID
}

// renewable asks whether the session of a refresh token goes on and whether its
// identity may sign in still.
func (a *Authority) renewable(ctx context.Context, old StoredToken, session Session, now time.Time) (Identity, error) {
	if policy, ok := a.terms.Policies[session.Policy]; !ok || policy.Refresh == nil {
		return Identity{}, refuse(RefreshRevoked, "there are no refresh tokens of policy %q any more", session.Policy)
	}
	identity, err := a.identify(ctx, bearerOf(old, session), now)
	switch KindOf(err) {
	case "":
		return identity, a.unheld(identity)
	case TokenExpired:
		return Identity{}, &Error{Kind: RefreshExpired, Err: err}
	case TokenRevoked, AccountGone:
		return Identity{}, &Error{Kind: RefreshRevoked, Err: err}
	default:
		return Identity{}, err
	}
}

// unheld refuses new tokens to an account on hold, whose tokens in hand go on.
func (a *Authority) unheld(identity Identity) error {
	if hold := identity.Account.Hold; hold != "" {
		return &Error{Kind: AccountInactive, Identity: &identity, Err: refuse(hold, "on hold")}
	}
	return nil
}

// lost tells why the refresh token could not be used up after all: it was by
// another, or it was revoked.
func (a *Authority) lost(ctx context.Context, digest Digest, event Event, revoked error) error {
	token, _, err := a.deps.Tokens.Token(ctx, a.terms.Realm, digest)
	switch {
	case KindOf(err) == NotFound, err == nil && token.ReplacedAt.IsZero():
		return revoked
	case err != nil:
		return err
	}
	return a.reused(ctx, event)
}

// reused ends the session of a refresh token that came again, before it is refused.
func (a *Authority) reused(ctx context.Context, event Event) error {
	event.Action, event.Outcome = ActionRefreshReused, RefreshReused
	ctx = context.WithoutCancel(ctx)
	err := a.deps.Sessions.EndSession(ctx, a.terms.Realm, event.Session, a.deps.Now(), RefreshReused, event)
	if KindOf(err) == NotFound { // it is purged by now
		err = a.deps.Journal.Record(ctx, event)
	}
	if err != nil {
		return err
	}
	return &Error{Kind: RefreshReused}
}
