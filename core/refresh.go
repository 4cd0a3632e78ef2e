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
// policy keeps it. One that comes again after that, and after the policy's grace, was
// stolen from somebody: its session is ended before the refusal, RefreshReused. Of
// any number that come at once each is told the same as if it came alone.
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
	case a.spent(old, session, begun):
		return Token{}, a.reused(ctx, *event)
	case !old.live(begun):
		return Token{}, &Error{Kind: RefreshExpired}
	}
	identity, err := a.renewable(ctx, old, session, begun)
	if err != nil {
		return Token{}, a.lost(ctx, old, session, begun, *event, err)
	}
	policy := a.terms.Policies[session.Policy]
	m := minting{Policy: policy, Identity: identity, Origin: renewal.Origin, Begun: begun, Action: ActionTokenRefreshed}
	token, err := a.renew(ctx, m, old)
	if err != nil {
		return Token{}, a.lost(ctx, old, session, begun, *event, err)
	}
	if policy.Refresh.Keep {
		token.Refresh = &RefreshToken{Value: renewal.Refresh, IssuedAt: old.IssuedAt, ExpiresAt: old.ExpiresAt}
	}
	return token, nil
}

// renew mints by a refresh token, which it uses up unless its policy keeps it, or it
// was used before and has its grace. It refuses with RefreshRevoked where another was
// first, or the session has ended.
func (a *Authority) renew(ctx context.Context, m minting, old StoredToken) (Token, error) {
	switch {
	case m.Policy.Refresh.Keep:
		m.WithoutRefresh = true
	case old.ReplacedAt.IsZero():
		m.replaces = &old.Digest
	}
	for {
		token, err := a.mint(ctx, m)
		switch {
		case KindOf(err) != Conflict:
			return token, err
		case m.replaces == nil || m.Policy.Refresh.Grace == 0:
			return Token{}, refuse(RefreshRevoked, "its session has ended")
		}
		m.replaces = nil // another has used it a moment ago, or its session has ended
	}
}

// spent reports whether a refresh token was used up, and its grace is over at now.
func (a *Authority) spent(token StoredToken, session Session, now time.Time) bool {
	if token.ReplacedAt.IsZero() {
		return false
	}
	grace := time.Duration(0)
	if policy := a.terms.Policies[session.Policy]; policy.Refresh != nil {
		grace = policy.Refresh.Grace
	}
	return grace == 0 || now.Sub(token.ReplacedAt) >= grace
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

// lost tells why a refresh token that was good when it was read gives no tokens after
// all: the refusal, unless it was used up meanwhile. Whether that was seen before or
// after its session was ended must make no difference.
func (a *Authority) lost(ctx context.Context, old StoredToken, session Session, begun time.Time, event Event, refusal error) error {
	if KindOf(refusal) != RefreshRevoked {
		return refusal
	}
	current, _, err := a.deps.Tokens.Token(ctx, a.terms.Realm, old.Digest)
	switch {
	case KindOf(err) == NotFound:
		return refusal
	case err != nil:
		return err
	case a.spent(current, session, begun):
		return a.reused(ctx, event)
	}
	return refusal
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
