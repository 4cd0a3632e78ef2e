package store

import (
	"context"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// OpenSession stores a session with its first tokens, and ends what the opening
// says before. A slot that is still held then is Conflict, as is an id or a digest
// that is taken; an account that does not exist is NotFound.
func (s *Store) OpenSession(ctx context.Context, opening core.Opening) error {
	o := &opening
	methods, err := encode(o.Session.Methods)
	if err != nil {
		return err
	}
	granted, err := encode(o.Session.Granted)
	if err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		g.record(o.Event)
		err := retryLost(func() (opened bool, err error) {
			if err := s.makeWay(g, o); err != nil {
				return false, err
			}
			n := &o.Session
			inserted, err := g.exec(insertSession, string(n.Realm), string(n.ID), n.Dialect, n.Policy, string(n.Account), string(n.Key),
				string(n.Client), string(n.Tenant), methods, granted, n.Slot, n.Idle.Microseconds(),
				micros(n.CreatedAt), micros(n.SeenAt), micros(n.ExpiresAt), micros(n.EndedAt), string(n.EndReason))
			if err == nil && inserted == 0 && !o.EndAny {
				return false, &core.Error{Kind: core.Conflict, Reason: "another session holds the slot"}
			}
			return inserted == 1, err // or another replica's session came in between
		})
		if err != nil {
			return err
		}
		return g.insertTokens(o.Session.Realm, o.Session.ID, o.Tokens)
	})
}

// makeWay ends the sessions that an opening takes the place of.
func (s *Store) makeWay(g *group, o *core.Opening) error {
	at, realm := o.Session.CreatedAt, o.Session.Realm
	if o.EndID != "" {
		if _, err := s.endSession(g, realm, o.EndID, at, ""); err != nil {
			return err
		}
	}
	if !o.EndAny || o.Session.Slot == "" {
		return nil
	}
	rows, err := g.stmt(endSlot).QueryContext(g.ctx, micros(at), string(realm), o.Session.Slot)
	if err != nil {
		return failure{err}
	}
	ended, err := collect(rows, func(r row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return failure{err}
	}
	for _, id := range ended {
		g.hold(s.recentSessions.hold(realm, id))
	}
	return nil
}

// Session returns the session, or an error of kind NotFound.
func (s *Store) Session(ctx context.Context, realm core.Realm, id core.SessionID) (core.Session, error) {
	return find(ctx, s, readSession, scanSession, string(realm), string(id))
}

// SlotSession returns the session that holds the slot, with the newest of its
// access tokens, or the zero token when none is left.
func (s *Store) SlotSession(ctx context.Context, realm core.Realm, slot string) (core.Session, core.StoredToken, error) {
	found, err := find(ctx, s, readSlot, scanBoth, string(realm), slot)
	return found.session, found.token, err
}

// EndSession ends a session, unless it has been ended, and records the event. One
// that is not there is NotFound.
func (s *Store) EndSession(ctx context.Context, realm core.Realm, id core.SessionID, now time.Time, reason core.Kind, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		ended, err := s.endSession(g, realm, id, now, reason)
		if err == nil && !ended {
			_, err = load(g, readSession, scanSession, string(realm), string(id))
		}
		return err
	})
}

func (s *Store) endSession(g *group, realm core.Realm, id core.SessionID, now time.Time, reason core.Kind) (ended bool, err error) {
	g.hold(s.recentSessions.hold(realm, string(id)))
	touched, err := g.exec(endSession, micros(now), string(reason), string(realm), string(id))
	return touched == 1, err
}

// TouchSession moves a session's SeenAt forward. One that has been ended, or is not
// there, is Conflict.
func (s *Store) TouchSession(ctx context.Context, realm core.Realm, id core.SessionID, seenAt time.Time) error {
	return s.write(ctx, func(g *group) error { return s.touch(g, realm, id, seenAt) })
}

// touch also keeps the session from being ended until the group is committed.
func (s *Store) touch(g *group, realm core.Realm, id core.SessionID, seenAt time.Time) error {
	g.hold(s.recentSessions.hold(realm, string(id)))
	touched, err := g.exec(touchSession, micros(seenAt), micros(seenAt), string(realm), string(id))
	if err == nil && touched == 0 {
		return &core.Error{Kind: core.Conflict, Reason: "the session has ended"}
	}
	return err
}

// PurgeSessions removes at most limit rows that were over before an instant:
// sessions, whose tokens go with them, and tokens of sessions that go on.
func (s *Store) PurgeSessions(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = s.write(ctx, func(g *group) error {
		removed = 0 // the step may run again
		for _, q := range []query{purgeEnded, purgeOver, purgeUnused, purgeTokens} {
			if removed >= limit {
				break
			}
			gone, err := g.exec(q, micros(before), limit-removed)
			if err != nil {
				return err
			}
			removed += int(gone)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

func scanSession(r row) (core.Session, error) {
	var n core.Session
	var t sessionText
	if err := r.Scan(t.into(&n)...); err != nil {
		return n, err
	}
	return n, t.decode(&n)
}

// sessionText is what a session's row has in another form.
type sessionText struct {
	methods, granted                    string
	idle, created, seen, expires, ended int64
}

func (t *sessionText) into(n *core.Session) []any {
	return []any{&n.Realm, &n.ID, &n.Dialect, &n.Policy, &n.Account, &n.Key, &n.Client, &n.Tenant, &t.methods, &t.granted, &n.Slot,
		&t.idle, &t.created, &t.seen, &t.expires, &t.ended, &n.EndReason}
}

func (t *sessionText) decode(n *core.Session) error {
	n.Idle = time.Duration(t.idle) * time.Microsecond
	n.CreatedAt, n.SeenAt, n.ExpiresAt, n.EndedAt = instant(t.created), instant(t.seen), instant(t.expires), instant(t.ended)
	if err := decode(t.methods, &n.Methods); err != nil {
		return err
	}
	return decode(t.granted, &n.Granted)
}
