package store

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Record returns once the event is durable.
func (s *Store) Record(ctx context.Context, event core.Event) error { return s.record(ctx, event) }

// Events returns at most limit records of a realm, or of all, after a sequence.
// With PostgreSQL and several replicas, a record may become visible a moment
// after one with a later sequence.
func (s *Store) Events(ctx context.Context, realm core.Realm, after int64, limit int) ([]core.RecordedEvent, error) {
	if limit <= 0 {
		return nil, nil
	}
	if realm == "" {
		return list(ctx, s, readEvents, scanEvent, after, limit)
	}
	return list(ctx, s, readRealmEvents, scanEvent, string(realm), after, limit)
}

// FindEvents implements [core.Audit].
func (s *Store) FindEvents(ctx context.Context, filter core.EventFilter, after int64, limit int) ([]core.RecordedEvent, error) {
	if limit <= 0 {
		return nil, nil
	}
	return list(ctx, s, findEvents, scanEvent, append(append([]any{after}, filterArgs(filter)...), limit)...)
}

// LastEvents implements [core.Audit].
func (s *Store) LastEvents(ctx context.Context, filter core.EventFilter, limit int) ([]core.RecordedEvent, error) {
	if limit <= 0 {
		return nil, nil
	}
	found, err := list(ctx, s, lastEvents, scanEvent, append(filterArgs(filter), limit)...)
	slices.Reverse(found)
	return found, err
}

// filterArgs are the parameters of [eventFilter].
func filterArgs(f core.EventFilter) []any {
	var args []any
	for _, text := range []string{string(f.Realm), string(f.Account), string(f.Key), string(f.Action), string(f.Outcome), f.RequestID} {
		args = append(args, text, text)
	}
	to := int64(math.MaxInt64)
	if !f.To.IsZero() {
		to = micros(f.To)
	}
	return append(args, micros(f.From), to, f.Refused)
}

// JournalHead implements [core.Audit].
func (s *Store) JournalHead(ctx context.Context) (core.JournalHead, error) {
	return find(ctx, s, readHead, func(r row) (h core.JournalHead, err error) {
		var link, base []byte
		if err := r.Scan(&h.Sequence, &link, &h.Base, &base); err != nil {
			return h, err
		}
		h.Link, err = linkOf(link)
		if err != nil {
			return h, err
		}
		h.BaseLink, err = linkOf(base)
		return h, err
	})
}

// TrimEvents implements [core.Audit].
func (s *Store) TrimEvents(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = s.write(ctx, func(g *group) error {
		removed = 0
		base, link, count, err := g.oldest(before, limit)
		if err != nil || count == 0 {
			return err
		}
		if _, err := g.exec(trimEvents, base); err != nil {
			return err
		}
		removed = count
		return g.execOne(moveBase, base, link)
	})
	return removed, err
}

// oldest finds the last of the oldest records that come one after the other and
// were made before an instant, with its link, and counts them.
func (g *group) oldest(before time.Time, limit int) (sequence int64, link []byte, count int, err error) {
	rows, err := g.stmt(readOldest).QueryContext(g.ctx, limit)
	if err != nil {
		return 0, nil, 0, failure{err}
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var next, at int64
		var nextLink []byte
		if err := rows.Scan(&next, &nextLink, &at); err != nil {
			return 0, nil, 0, failure{err}
		}
		if at >= micros(before) {
			break
		}
		sequence, link = next, nextLink
		count++
	}
	if err := rows.Err(); err != nil {
		return 0, nil, 0, failure{err}
	}
	if len(link) == 0 { // from before there were links
		link = make([]byte, len(core.Link{}))
	}
	return sequence, link, count, nil
}

// EraseAddresses implements [core.Audit].
func (s *Store) EraseAddresses(ctx context.Context, realm core.Realm, account core.AccountID, event core.Event) (erased int, err error) {
	err = s.write(ctx, func(g *group) error {
		touched, err := g.exec(eraseAddresses, []byte{}, string(realm), string(account))
		if err != nil {
			return err
		}
		erased = int(touched)
		g.record(event)
		return nil
	})
	return erased, err
}

// UseChain has records linked by chain from now on. It is called before the first
// record is made; without it the chain has the empty key.
func (s *Store) UseChain(chain *core.Chain) { s.writer.chain.Store(chain) }

// record adds an event to the group: all of a group's events are inserted
// together, just before the commit.
func (g *group) record(event core.Event) {
	g.events = append(g.events, core.RecordedEvent{Event: event})
}

// eventBatches are the rows that one statement inserts, largest first.
var eventBatches = []struct {
	rows  int
	query query
}{{64, insertEvents64}, {16, insertEvents16}, {8, insertEvents8}, {4, insertEvents4}, {2, insertEvents2}, {1, insertEvents1}}

// insertEvents appends the group's events to the chain. Taking the head lets other
// transactions wait until this one has ended, so it comes last.
func (g *group) insertEvents(chain *core.Chain) error {
	if len(g.events) == 0 {
		return nil
	}
	if err := g.linkEvents(chain); err != nil {
		return err
	}
	rest := g.events
	for _, batch := range eventBatches {
		for len(rest) >= batch.rows {
			g.args = g.args[:0]
			for i := range batch.rows {
				g.args = appendEvent(g.args, &rest[i])
			}
			if _, err := g.stmt(batch.query).ExecContext(g.ctx, g.args...); err != nil {
				return err
			}
			rest = rest[batch.rows:]
		}
	}
	_, err := g.stmt(putHead).ExecContext(g.ctx, g.events[len(g.events)-1].Link[:])
	return err
}

func (g *group) linkEvents(chain *core.Chain) error {
	var newest int64
	var stored []byte
	if err := g.stmt(takeHead).QueryRowContext(g.ctx, len(g.events)).Scan(&newest, &stored); err != nil {
		return fmt.Errorf("the head of the journal: %w", err)
	}
	link, err := linkOf(stored)
	if err != nil {
		return err
	}
	for i := range g.events {
		e := &g.events[i]
		e.Sequence = newest - int64(len(g.events)-1-i)
		e.Event = kept(e.Event)
		chain.Append(link, e)
		link = e.Link
	}
	return nil
}

// kept is an event as it is read back.
func kept(e core.Event) core.Event {
	e.At = instant(micros(e.At))
	e.Realm, e.Dialect, e.Action, e.Outcome = core.Realm(plain(string(e.Realm))), plain(e.Dialect), core.Action(plain(string(e.Action))), core.Kind(plain(string(e.Outcome)))
	e.Actor, e.Account, e.Key = plain(e.Actor), core.AccountID(plain(string(e.Account))), core.KeyID(plain(string(e.Key)))
	e.TokenID, e.Session, e.RequestID = plain(e.TokenID), core.SessionID(plain(string(e.Session))), plain(e.RequestID)
	return e
}

func appendEvent(args []any, e *core.RecordedEvent) []any {
	address := ""
	if e.Address.IsValid() {
		address = e.Address.String()
	}
	return append(args, e.Sequence, micros(e.At), string(e.Realm), e.Dialect, string(e.Action), string(e.Outcome), e.Actor,
		string(e.Account), string(e.Key), e.TokenID, string(e.Session), address, e.RequestID, e.Link[:], e.Sealed[:], e.Salt)
}

func scanEvent(r row) (core.RecordedEvent, error) {
	var e core.RecordedEvent
	var at int64
	var address string
	var link, sealed []byte
	err := r.Scan(&e.Sequence, &at, &e.Realm, &e.Dialect, &e.Action, &e.Outcome, &e.Actor, &e.Account, &e.Key, &e.TokenID, &e.Session, &address, &e.RequestID,
		&link, &sealed, &e.Salt)
	if err != nil {
		return e, err
	}
	e.At = instant(at)
	copy(e.Link[:], link) // none, or one of another length, does not hold
	copy(e.Sealed[:], sealed)
	if parsed, err := netip.ParseAddr(address); err == nil {
		e.Address = parsed // one that was edited into what is none breaks its seal
	}
	return e, nil
}

// linkOf reads a link of the journal's head.
func linkOf(stored []byte) (link core.Link, err error) {
	if len(stored) != len(link) {
		return link, fmt.Errorf("%w: the head of the journal", errStored)
	}
	return core.Link(stored), nil
}
