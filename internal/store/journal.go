package store

import (
	"context"
	"net/netip"

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

// record adds an event to the group: all of a group's events are inserted
// together, just before the commit.
func (g *group) record(event core.Event) { g.events = append(g.events, event) }

// eventBatches are the rows that one statement inserts, largest first.
var eventBatches = []struct {
	rows  int
	query query
}{{64, insertEvents64}, {16, insertEvents16}, {8, insertEvents8}, {4, insertEvents4}, {2, insertEvents2}, {1, insertEvents1}}

func (g *group) insertEvents() error {
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
	return nil
}

func appendEvent(args []any, e *core.Event) []any {
	address := ""
	if e.Address.IsValid() {
		address = e.Address.String()
	}
	return append(args, micros(e.At), plain(string(e.Realm)), plain(e.Dialect), plain(string(e.Action)), plain(string(e.Outcome)),
		plain(e.Actor), plain(string(e.Account)), plain(string(e.Key)), plain(e.TokenID), plain(string(e.Session)), plain(address), plain(e.RequestID))
}

func scanEvent(r row) (core.RecordedEvent, error) {
	var e core.RecordedEvent
	var at int64
	var address string
	err := r.Scan(&e.Sequence, &at, &e.Realm, &e.Dialect, &e.Action, &e.Outcome, &e.Actor, &e.Account, &e.Key, &e.TokenID, &e.Session, &address, &e.RequestID)
	if err != nil {
		return e, err
	}
	e.At = instant(at)
	if address != "" {
		e.Address, err = netip.ParseAddr(address)
	}
	return e, err
}
