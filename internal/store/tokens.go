package store

import (
	"context"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Token returns the token with its session, or an error of kind NotFound.
func (s *Store) Token(ctx context.Context, realm core.Realm, digest core.Digest) (core.StoredToken, core.Session, error) {
	found, err := find(ctx, s, readToken, scanBoth, string(realm), digest[:])
	return found.token, found.session, err
}

// AddTokens adds tokens to a session; its older access tokens, the newest keep apart,
// expire at now. A session that has been ended, or is not there, is Conflict.
func (s *Store) AddTokens(ctx context.Context, realm core.Realm, id core.SessionID, now time.Time, tokens []core.StoredToken, keep int, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		if err := s.touch(g, realm, id, now); err != nil {
			return err
		}
		if _, err := g.exec(expireTokens, micros(now), string(realm), string(id), micros(now), keep); err != nil {
			return err
		}
		return g.insertTokens(realm, id, tokens)
	})
}

// ProlongToken gives an access token another end. One that does not hold at now, or
// whose session has been ended, is Conflict.
func (s *Store) ProlongToken(ctx context.Context, realm core.Realm, token core.StoredToken, now time.Time, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		if err := s.touch(g, realm, token.Session, now); err != nil {
			return err
		}
		prolonged, err := g.exec(prolongToken, micros(token.ExpiresAt), string(realm), token.Digest[:], micros(now))
		if err == nil && prolonged == 0 {
			err = &core.Error{Kind: core.Conflict, Reason: "the token does not hold any more"}
		}
		return err
	})
}

// RotateToken replaces a refresh token by others, once. One that was replaced
// before, or whose session has been ended, is Conflict; one that is not there is
// NotFound.
func (s *Store) RotateToken(ctx context.Context, realm core.Realm, old core.Digest, now time.Time, tokens []core.StoredToken, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		found, err := load(g, readToken, scanBoth, string(realm), old[:])
		if err != nil {
			return err
		}
		// The session first, as everywhere: two that wait for each other would undo one.
		if err := s.touch(g, realm, found.session.ID, now); err != nil {
			return err
		}
		replaced, err := g.exec(replaceToken, micros(now), string(realm), old[:])
		switch {
		case err != nil:
			return err
		case replaced == 0:
			return &core.Error{Kind: core.Conflict, Reason: "the token has been replaced"}
		}
		return g.insertTokens(realm, found.session.ID, tokens)
	})
}

func (g *group) insertTokens(realm core.Realm, session core.SessionID, tokens []core.StoredToken) error {
	for i := range tokens {
		t := &tokens[i]
		_, err := g.exec(insertToken, string(realm), t.Digest[:], string(session), string(t.Use), t.ID,
			micros(t.IssuedAt), micros(t.ExpiresAt), micros(t.ReplacedAt), blob(t.Sealed))
		if err != nil {
			return err
		}
	}
	return nil
}

// A tokenSession is a token with its session.
type tokenSession struct {
	token   core.StoredToken
	session core.Session
}

func scanBoth(r row) (tokenSession, error) {
	var both tokenSession
	var text sessionText
	var digest []byte
	var issued, expires, replaced int64
	t := &both.token
	columns := append([]any{&digest, &t.Session, &t.Use, &t.ID, &issued, &expires, &replaced, &t.Sealed}, text.into(&both.session)...)
	if err := r.Scan(columns...); err != nil {
		return both, err
	}
	copy(t.Digest[:], digest)
	t.IssuedAt, t.ExpiresAt, t.ReplacedAt = instant(issued), instant(expires), instant(replaced)
	return both, text.decode(&both.session)
}
