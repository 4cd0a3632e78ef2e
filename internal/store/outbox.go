package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Enqueue stores a notice with its event. An id that is taken is Conflict.
func (s *Store) Enqueue(ctx context.Context, notice core.Notice, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		return g.enqueue(&notice)
	})
}

func (g *group) enqueue(n *core.Notice) error {
	_, err := g.exec(insertNotice, n.ID, string(n.Realm), n.Dialect, string(n.Purpose), string(n.Tenant), string(n.Login),
		plain(n.RequestID), micros(n.CreatedAt), micros(n.DueAt), n.Attempts, int64(0))
	return err
}

// LeaseNotices returns at most limit notices that are due, those due longest
// first, and hides them from other callers until leaseEnd.
func (s *Store) LeaseNotices(ctx context.Context, now, leaseEnd time.Time, limit int) ([]core.Notice, error) {
	if limit <= 0 {
		return nil, nil
	}
	var leased []core.Notice
	err := s.write(ctx, func(g *group) error {
		rows, err := g.stmt(leaseNotices).QueryContext(g.ctx, micros(now), micros(leaseEnd), limit)
		if err != nil {
			return failure{err}
		}
		if leased, err = collect(rows, scanNotice); err != nil {
			return failure{err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(leased, func(a, b core.Notice) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	return leased, nil
}

// PostponeNotice counts a failed attempt, ends the lease and makes the notice
// due again at dueAt.
func (s *Store) PostponeNotice(ctx context.Context, id string, dueAt time.Time) error {
	return s.write(ctx, func(g *group) error {
		return g.execOne(postponeNotice, id, micros(dueAt))
	})
}

// RemoveNotice ends a notice; an event with no Action is not recorded.
func (s *Store) RemoveNotice(ctx context.Context, id string, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		if event.Action != "" {
			g.record(event)
		}
		return g.execOne(deleteNotice, id)
	})
}

func scanNotice(r row) (core.Notice, error) {
	var n core.Notice
	var created, due int64
	err := r.Scan(&n.ID, &n.Realm, &n.Dialect, &n.Purpose, &n.Tenant, &n.Login, &n.RequestID, &created, &due, &n.Attempts)
	n.CreatedAt, n.DueAt = instant(created), instant(due)
	return n, err
}
