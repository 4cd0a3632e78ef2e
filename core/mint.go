package core

import (
	"context"
	"encoding/hex"
	"time"
)

// A minting is what a token is made from.
type minting struct {
	Policy         Policy
	Identity       Identity      // whom it is for, with what was granted and how they signed in
	Lifetime       time.Duration // within the policy's bounds; 0 takes the policy's own
	WithoutRefresh bool
	Origin         Origin
	Begun          time.Time // when what it rests on was read: a change after that ends it
	Action         Action    // how the audit record tells of it

	// A token of a session that goes on, which is then Identity.Session, may end others:
	replaces  *Digest // of the refresh token that it uses up
	endOthers bool    // the session's other access tokens
}

// mint makes a token for what was true when m began, after its audit record is
// durable (R4). Every token is made here (S22). That of a tracked policy begins a
// session, unless it is for one that goes on.
//
// It refuses with Conflict when the refresh token was used up by another, or its
// session has ended.
func (a *Authority) mint(ctx context.Context, m minting) (Token, error) {
	issuedAt, err := a.issuedAt(ctx, m)
	if err != nil {
		return Token{}, err
	}
	if m.Policy.Slot != "" && m.Identity.Session == nil {
		return a.mintInSlot(ctx, m, issuedAt)
	}
	token, err := a.issue(ctx, m, issuedAt)
	if err != nil {
		return Token{}, err
	}
	ctx, event := context.WithoutCancel(ctx), a.tokenEvent(m.Action, m.Origin, token.Grant)
	switch {
	case token.Session == nil:
		err = a.deps.Journal.Record(ctx, event)
	case m.Identity.Session != nil:
		err = a.addTokens(ctx, m, token, event)
	default:
		err = a.openSession(ctx, Opening{Session: *token.Session, Event: event}, m.Policy, token)
		if KindOf(err) == Conflict {
			err = refuse(Internal, "token %s: the same one was made already: it must tell its id", m.Policy.Name)
		}
	}
	if err != nil {
		return Token{}, err
	}
	return token, nil
}

// tokensFrom is the whole second from which tokens of the identity hold.
func (i *Identity) tokensFrom() time.Time {
	from := i.Account.TokensFrom
	for _, key := range []*AccessKey{i.Key, i.Client} {
		if key != nil && key.TokensFrom.After(from) {
			from = key.TokensFrom
		}
	}
	return from
}

// issuedAt is what the token will say. Where the identity's tokens were ended within
// the current second it waits for the next one: iat has whole seconds (S46). On a
// replica whose clock is behind, iat is then ahead of it, within the skew that
// verifiers allow.
func (a *Authority) issuedAt(ctx context.Context, m minting) (time.Time, error) {
	ended := m.Identity.tokensFrom()
	if wait := ended.Sub(a.deps.Now()); wait > 0 {
		select {
		case <-time.After(min(wait, time.Second)):
		case <-ctx.Done():
			return time.Time{}, &Error{Kind: Unavailable, Err: ctx.Err()}
		}
	}
	issuedAt := m.Begun.UTC().Truncate(time.Second)
	if ended.After(issuedAt) {
		issuedAt = ended.UTC()
	}
	return issuedAt, nil
}

// issue makes a token, and the refresh token beside it. Neither counts until it is
// on record.
func (a *Authority) issue(ctx context.Context, m minting, issuedAt time.Time) (Token, error) {
	token := Token{Grant: a.grant(m, randomText(), issuedAt)}
	var err error
	if m.Policy.Format == FormatOpaque {
		token.Value, err = m.Policy.Opaque.make(token.Grant)
	} else {
		var payload []byte
		if payload, err = m.Policy.Claims(token.Grant); err == nil {
			token.Value, err = a.deps.Signer.Sign(ctx, m.Policy.Keys, payload)
		}
	}
	switch {
	case err != nil && KindOf(err) == Internal:
		return Token{}, refuse(Internal, "token %s: %w", m.Policy.Name, err)
	case err != nil:
		return Token{}, err
	case len(token.Value.Reveal()) > maxToken:
		return Token{}, refuse(Internal, "token %s: %d bytes long, and at most %d pass", m.Policy.Name, len(token.Value.Reveal()), maxToken)
	}
	token.Refresh, err = m.refreshToken(token.Grant, issuedAt)
	return token, err
}

// grant is what a token of m stands for, with the session that it begins where none
// goes on.
func (a *Authority) grant(m minting, id string, issuedAt time.Time) Grant {
	g := Grant{
		Issuer:   a.terms.Issuer,
		Account:  m.Identity.Account,
		Key:      m.Identity.Key,
		Client:   m.Identity.Client,
		Tenant:   m.Identity.Tenant,
		Session:  m.Identity.Session,
		Granted:  m.Identity.Granted,
		Methods:  m.Identity.Methods,
		Policy:   m.Policy.Name,
		TokenID:  id,
		IssuedAt: issuedAt,
	}
	if m.Policy.Tracked && g.Session == nil {
		g.Session = a.newSession(m, issuedAt)
	}
	if !m.Policy.Endless {
		g.ExpiresAt = issuedAt.Add(m.Policy.lifetime(m.Lifetime))
	}
	if g.Session != nil {
		g.ExpiresAt = earlier(g.ExpiresAt, g.Session.ExpiresAt)
	}
	return g
}

// refreshToken makes the refresh token beside g, if there is to be one.
func (m minting) refreshToken(g Grant, issuedAt time.Time) (*RefreshToken, error) {
	if m.Policy.Refresh == nil || m.WithoutRefresh {
		return nil, nil
	}
	value, err := m.Policy.Refresh.make(g)
	if err != nil {
		return nil, refuse(Internal, "refresh token of %s: %w", m.Policy.Name, err)
	}
	return &RefreshToken{
		Value:     value,
		IssuedAt:  issuedAt,
		ExpiresAt: earlier(issuedAt.Add(m.Policy.Refresh.Lifetime), g.Session.ExpiresAt),
	}, nil
}

// earlier is the earlier of two ends; zero is no end.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// lifetime is that of a token for which asked was asked: 0 when nothing was.
func (p Policy) lifetime(asked time.Duration) time.Duration {
	if asked == 0 || p.MostLifetime == 0 {
		return p.Lifetime
	}
	return min(max(asked.Truncate(time.Second), p.LeastLifetime), p.MostLifetime)
}

// maxAccessTokens are the access tokens of one session that hold at the same time:
// nothing else bounds how often a token is extended, or refreshed by a refresh token
// that is kept.
const maxAccessTokens = 20

// addTokens stores a token of a session that goes on.
func (a *Authority) addTokens(ctx context.Context, m minting, token Token, event Event) error {
	stored, err := a.storedTokens(m.Policy, token)
	if err != nil {
		return err
	}
	now := a.deps.Now()
	if m.replaces != nil {
		return a.deps.Tokens.RotateToken(ctx, a.terms.Realm, *m.replaces, now, stored, event)
	}
	keep := maxAccessTokens - 1
	if m.endOthers {
		keep = 0
	}
	return a.deps.Tokens.AddTokens(ctx, a.terms.Realm, token.Session.ID, now, stored, keep, event)
}

// openSession stores a token with its session.
func (a *Authority) openSession(ctx context.Context, opening Opening, policy Policy, token Token) (err error) {
	if opening.Tokens, err = a.storedTokens(policy, token); err != nil {
		return err
	}
	return a.deps.Sessions.OpenSession(ctx, opening)
}

// storedTokens are a token and its refresh token as they are kept.
func (a *Authority) storedTokens(policy Policy, token Token) ([]StoredToken, error) {
	var stored []StoredToken
	if token.Value != (Secret{}) {
		access := StoredToken{
			Digest: token.Value.Digest(), Session: token.Session.ID, Use: UseAccess, ID: token.TokenID,
			IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt,
		}
		if policy.Slot == SlotSame {
			var err error
			if access.Sealed, err = a.deps.Sealer.Seal(tokenPurpose, a.tokenRow(access.Digest), token.Value); err != nil {
				return nil, err
			}
		}
		stored = append(stored, access)
	}
	if refresh := token.Refresh; refresh != nil {
		stored = append(stored, StoredToken{
			Digest: refresh.Value.Digest(), Session: token.Session.ID, Use: UseRefresh, ID: token.TokenID,
			IssuedAt: refresh.IssuedAt, ExpiresAt: refresh.ExpiresAt,
		})
	}
	return stored, nil
}

// tokenEvent begins the record of a token.
func (a *Authority) tokenEvent(action Action, origin Origin, grant Grant) Event {
	event := a.event(action, origin)
	event.Account, event.TokenID = grant.Account.ID, grant.TokenID
	if grant.Key != nil {
		event.Key = grant.Key.ID
	}
	if grant.Session != nil {
		event.Session = grant.Session.ID
	}
	return event
}

const tokenPurpose = "tokens.sealed"

// tokenRow binds a sealed token to its row (S45).
func (a *Authority) tokenRow(digest Digest) string {
	return string(a.terms.Realm) + "/" + hex.EncodeToString(digest[:])
}
