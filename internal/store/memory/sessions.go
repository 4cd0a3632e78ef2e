package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// OpenSession implements [core.Sessions].
func (s *Store) OpenSession(ctx context.Context, o core.Opening) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	n := o.Session
	place := sessionKey{n.Realm, n.ID}
	if _, ok := s.accounts[accountKey{n.Realm, n.Account}]; !ok {
		return refusal(core.NotFound)
	}
	_, taken := s.sessions[place]
	holder, held := s.holder(n.Realm, n.Slot)
	if taken || held && !o.EndAny && holder.ID != o.EndID || !s.free(n.Realm, o.Tokens) {
		return refusal(core.Conflict)
	}
	n, err := cloneSession(n)
	if err != nil {
		return err
	}
	s.end(n.Realm, o.EndID, n.CreatedAt, "")
	if held && o.EndAny {
		s.end(n.Realm, holder.ID, n.CreatedAt, "")
	}
	s.sessions[place] = n
	s.addTokens(n.Realm, n.ID, o.Tokens)
	s.record(o.Event)
	return nil
}

func cloneSession(n core.Session) (_ core.Session, err error) {
	n.Methods = append([]string(nil), n.Methods...)
	n.Granted, err = copied(n.Granted)
	n.Idle = n.Idle.Truncate(time.Microsecond)
	n.CreatedAt, n.SeenAt, n.ExpiresAt, n.EndedAt = stored(n.CreatedAt), stored(n.SeenAt), stored(n.ExpiresAt), stored(n.EndedAt)
	return n, err
}

// holder is the session that holds a slot.
func (s *Store) holder(realm core.Realm, slot string) (core.Session, bool) {
	for _, n := range s.sessions {
		if slot != "" && n.Realm == realm && n.Slot == slot {
			return n, true
		}
	}
	return core.Session{}, false
}

// end ends a session that goes on.
func (s *Store) end(realm core.Realm, id core.SessionID, now time.Time, reason core.Kind) {
	if n, ok := s.sessions[sessionKey{realm, id}]; ok && n.EndedAt.IsZero() {
		n.EndedAt, n.EndReason, n.Slot = stored(now), reason, ""
		s.sessions[sessionKey{realm, id}] = n
	}
}

// Session implements [core.Sessions].
func (s *Store) Session(ctx context.Context, realm core.Realm, id core.SessionID) (core.Session, error) {
	if err := s.enter(ctx); err != nil {
		return core.Session{}, err
	}
	defer s.mu.Unlock()
	n, ok := s.sessions[sessionKey{realm, id}]
	if !ok {
		return core.Session{}, refusal(core.NotFound)
	}
	return cloneSession(n)
}

// RecentSession implements [core.Recent].
func (s *Store) RecentSession(ctx context.Context, realm core.Realm, id core.SessionID) (core.Session, error) {
	return s.Session(ctx, realm, id)
}

// SlotSession implements [core.Sessions].
func (s *Store) SlotSession(ctx context.Context, realm core.Realm, slot string) (core.Session, core.StoredToken, error) {
	if err := s.enter(ctx); err != nil {
		return core.Session{}, core.StoredToken{}, err
	}
	defer s.mu.Unlock()
	n, ok := s.holder(realm, slot)
	if !ok {
		return core.Session{}, core.StoredToken{}, refusal(core.NotFound)
	}
	var newest core.StoredToken
	for place, t := range s.tokens {
		if place.realm == realm && t.Session == n.ID && t.Use == core.UseAccess &&
			(newest.Session == "" || cmp.Or(t.IssuedAt.Compare(newest.IssuedAt), t.ExpiresAt.Compare(newest.ExpiresAt)) > 0) {
			newest = t
		}
	}
	newest.Sealed = slices.Clone(newest.Sealed)
	n, err := cloneSession(n)
	return n, newest, err
}

// EndSession implements [core.Sessions].
func (s *Store) EndSession(ctx context.Context, realm core.Realm, id core.SessionID, now time.Time, reason core.Kind, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.sessions[sessionKey{realm, id}]; !ok {
		return refusal(core.NotFound)
	}
	s.end(realm, id, now, reason)
	s.record(event)
	return nil
}

// TouchSession implements [core.Sessions].
func (s *Store) TouchSession(ctx context.Context, realm core.Realm, id core.SessionID, seenAt time.Time) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	return s.touch(realm, id, seenAt)
}

func (s *Store) touch(realm core.Realm, id core.SessionID, seenAt time.Time) error {
	n, ok := s.sessions[sessionKey{realm, id}]
	if !ok || !n.EndedAt.IsZero() {
		return refusal(core.Conflict)
	}
	if seenAt = stored(seenAt); n.SeenAt.Before(seenAt) {
		n.SeenAt = seenAt
		s.sessions[sessionKey{realm, id}] = n
	}
	return nil
}

// Token implements [core.Tokens].
func (s *Store) Token(ctx context.Context, realm core.Realm, digest core.Digest) (core.StoredToken, core.Session, error) {
	if err := s.enter(ctx); err != nil {
		return core.StoredToken{}, core.Session{}, err
	}
	defer s.mu.Unlock()
	t, ok := s.tokens[tokenKey{realm, digest}]
	if !ok {
		return core.StoredToken{}, core.Session{}, refusal(core.NotFound)
	}
	t.Sealed = slices.Clone(t.Sealed)
	n, err := cloneSession(s.sessions[sessionKey{realm, t.Session}])
	return t, n, err
}

// free reports whether the digests of tokens are nobody's, nor twice among them.
func (s *Store) free(realm core.Realm, tokens []core.StoredToken) bool {
	seen := map[core.Digest]bool{}
	for _, t := range tokens {
		if _, taken := s.tokens[tokenKey{realm, t.Digest}]; taken || seen[t.Digest] {
			return false
		}
		seen[t.Digest] = true
	}
	return true
}

func (s *Store) addTokens(realm core.Realm, id core.SessionID, tokens []core.StoredToken) {
	for _, t := range tokens {
		t.Session, t.Sealed = id, slices.Clone(t.Sealed)
		t.IssuedAt, t.ExpiresAt, t.ReplacedAt = stored(t.IssuedAt), stored(t.ExpiresAt), stored(t.ReplacedAt)
		s.tokens[tokenKey{realm, t.Digest}] = t
	}
}

// AddTokens implements [core.Tokens].
func (s *Store) AddTokens(ctx context.Context, realm core.Realm, id core.SessionID, now time.Time, tokens []core.StoredToken, keep int, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if !s.free(realm, tokens) {
		return refusal(core.Conflict)
	}
	if err := s.touch(realm, id, now); err != nil {
		return err
	}
	s.expireTokens(realm, id, stored(now), keep)
	s.addTokens(realm, id, tokens)
	s.record(event)
	return nil
}

// expireTokens ends a session's access tokens at now, the newest keep apart.
func (s *Store) expireTokens(realm core.Realm, id core.SessionID, now time.Time, keep int) {
	var held []tokenKey
	for place, t := range s.tokens {
		if place.realm == realm && t.Session == id && t.Use == core.UseAccess && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(now)) {
			held = append(held, place)
		}
	}
	slices.SortFunc(held, func(a, b tokenKey) int {
		return cmp.Or(s.tokens[b].IssuedAt.Compare(s.tokens[a].IssuedAt), bytes.Compare(a.digest[:], b.digest[:]))
	})
	for _, place := range held[min(keep, len(held)):] {
		t := s.tokens[place]
		t.ExpiresAt = now
		s.tokens[place] = t
	}
}

// ProlongToken implements [core.Tokens].
func (s *Store) ProlongToken(ctx context.Context, realm core.Realm, token core.StoredToken, now time.Time, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	place := tokenKey{realm, token.Digest}
	t, ok := s.tokens[place]
	if !ok || t.Use != core.UseAccess || !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(stored(now)) {
		return refusal(core.Conflict)
	}
	if err := s.touch(realm, token.Session, now); err != nil {
		return err
	}
	t.ExpiresAt = stored(token.ExpiresAt)
	s.tokens[place] = t
	s.record(event)
	return nil
}

// RotateToken implements [core.Tokens].
func (s *Store) RotateToken(ctx context.Context, realm core.Realm, old core.Digest, now time.Time, tokens []core.StoredToken, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t, ok := s.tokens[tokenKey{realm, old}]
	switch {
	case !ok:
		return refusal(core.NotFound)
	case t.Use != core.UseRefresh, !t.ReplacedAt.IsZero(), !s.free(realm, tokens):
		return refusal(core.Conflict)
	}
	if err := s.touch(realm, t.Session, now); err != nil {
		return err
	}
	t.ReplacedAt = stored(now)
	s.tokens[tokenKey{realm, old}] = t
	s.addTokens(realm, t.Session, tokens)
	s.record(event)
	return nil
}

// PurgeSessions implements [core.Tokens].
func (s *Store) PurgeSessions(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	over := func(at time.Time) bool { return !at.IsZero() && at.Before(stored(before)) }
	for place, n := range s.sessions {
		if removed < limit && (over(n.EndedAt) || over(n.ExpiresAt) || n.Idle > 0 && n.SeenAt.Add(n.Idle).Before(stored(before))) {
			removed++
			delete(s.sessions, place)
			for of, t := range s.tokens {
				if of.realm == place.realm && t.Session == place.id {
					delete(s.tokens, of)
				}
			}
		}
	}
	for place, t := range s.tokens {
		if removed < limit && over(t.ExpiresAt) {
			removed++
			delete(s.tokens, place)
		}
	}
	return removed, nil
}
