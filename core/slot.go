package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// newSession is the session that a sign-in begins.
func (a *Authority) newSession(m minting, issuedAt time.Time) *Session {
	session := &Session{
		ID:        SessionID(newID()),
		Realm:     a.terms.Realm,
		Dialect:   a.terms.Dialect,
		Policy:    m.Policy.Name,
		Account:   m.Identity.Account.ID,
		Key:       m.Identity.keyID(),
		Client:    m.Identity.clientID(),
		Tenant:    m.Identity.Account.Tenant,
		Methods:   m.Identity.Methods,
		Granted:   m.Identity.Granted,
		Idle:      m.Policy.Idle,
		CreatedAt: issuedAt,
		SeenAt:    a.deps.Now(),
	}
	if m.Policy.Slot != "" {
		session.Slot = session.slot(m.Policy, m.asked())
	}
	if m.Policy.Session > 0 {
		session.ExpiresAt = issuedAt.Add(m.Policy.Session)
	}
	return session
}

// slot names the place that only one session can have: that of one identity by one
// policy. Where the same token is given again, what it grants and the life that was
// asked for are part of the place, so that nobody gets what was granted for another
// request. Where the policy names a granted fact, such as a device, its value is part of
// it too.
func (s Session) slot(p Policy, asked time.Duration) string {
	parts := []any{s.Dialect, s.Policy, s.Account, s.Key, s.Client, s.Tenant}
	switch {
	case p.Slot == SlotSame:
		parts = append(parts, s.Methods, s.Granted)
		if asked != 0 {
			parts = append(parts, asked)
		}
	case p.SlotBy != "":
		parts = append(parts, p.SlotBy, s.Granted[p.SlotBy])
	}
	text, err := json.Marshal(parts)
	if err != nil {
		return s.slot(Policy{}, 0) // what cannot be written cannot be stored either
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// asked is the life that was asked for the token, as it is given; 0 for none.
func (m minting) asked() time.Duration {
	if m.Lifetime == 0 || m.Policy.MostLifetime == 0 {
		return 0
	}
	return m.Policy.lifetime(m.Lifetime)
}

// slotTries bound how often a sign-in gives way to another by the same identity.
const slotTries = 3

// mintInSlot mints where one identity has one session: the one before ends, or its
// token is given again.
func (a *Authority) mintInSlot(ctx context.Context, m minting, issuedAt time.Time) (Token, error) {
	for range slotTries {
		token, err := a.tryInSlot(ctx, m, issuedAt)
		if KindOf(err) != Conflict {
			return token, err
		}
	}
	return Token{}, refuse(Unavailable, "token %s: others signed in as the same %d times meanwhile", m.Policy.Name, slotTries)
}

func (a *Authority) tryInSlot(ctx context.Context, m minting, issuedAt time.Time) (Token, error) {
	opening := Opening{EndAny: m.Policy.Slot == SlotNewest}
	if m.Policy.Slot == SlotSame {
		session, stored, err := a.deps.Sessions.SlotSession(ctx, a.terms.Realm, a.newSession(m, issuedAt).Slot)
		switch {
		case err == nil && m.again(session, stored, a.deps.Now()):
			return a.giveAgain(ctx, m, session, stored, issuedAt)
		case err == nil:
			opening.EndID = session.ID
		case KindOf(err) != NotFound:
			return Token{}, err
		}
	}
	token, err := a.issue(ctx, m, issuedAt)
	if err != nil {
		return Token{}, err
	}
	opening.Session, opening.Event = *token.Session, a.tokenEvent(m.Action, m.Origin, token.Grant)
	if err := a.openSession(context.WithoutCancel(ctx), opening, m.Policy, token); err != nil {
		return Token{}, err
	}
	return token, nil
}

// again reports whether a token still holds and can be given again.
func (m minting) again(session Session, stored StoredToken, now time.Time) bool {
	return session.Live(now) == nil && stored.live(now) && len(stored.Sealed) > 0 &&
		!stored.IssuedAt.Before(m.Identity.tokensFrom())
}

// giveAgain gives the token of a session that goes on, with a refresh token of its
// own. It refuses with Conflict when the session has ended meanwhile.
func (a *Authority) giveAgain(ctx context.Context, m minting, session Session, stored StoredToken, issuedAt time.Time) (Token, error) {
	value, err := a.deps.Sealer.Open(tokenPurpose, a.tokenRow(stored.Digest), stored.Sealed)
	if err != nil {
		return Token{}, err
	}
	token := Token{Grant: Grant{
		Issuer:    a.terms.Issuer,
		Account:   m.Identity.Account,
		Key:       m.Identity.Key,
		Client:    m.Identity.Client,
		Tenant:    m.Identity.Tenant,
		Session:   &session,
		Granted:   session.Granted,
		Methods:   session.Methods,
		Policy:    m.Policy.Name,
		TokenID:   stored.ID,
		IssuedAt:  stored.IssuedAt,
		ExpiresAt: stored.ExpiresAt,
	}}
	if token.Refresh, err = m.refreshToken(token.Grant, issuedAt); err != nil {
		return Token{}, err
	}
	if err := a.addTokens(context.WithoutCancel(ctx), m, token, a.tokenEvent(ActionTokenReused, m.Origin, token.Grant)); err != nil {
		return Token{}, err
	}
	token.Value = value
	return token, nil
}
