package memory

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Record implements [core.Journal].
func (s *Store) Record(ctx context.Context, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.record(event)
	return nil
}

// Events implements [core.Journal].
func (s *Store) Events(ctx context.Context, realm core.Realm, after int64, limit int) ([]core.RecordedEvent, error) {
	return s.FindEvents(ctx, core.EventFilter{Realm: realm}, after, limit)
}

// FindEvents implements [core.Audit].
func (s *Store) FindEvents(ctx context.Context, filter core.EventFilter, after int64, limit int) ([]core.RecordedEvent, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var found []core.RecordedEvent
	for _, e := range s.events {
		if len(found) < limit && e.Sequence > after && takes(filter, e.Event) {
			found = append(found, e)
		}
	}
	return found, nil
}

func takes(f core.EventFilter, e core.Event) bool {
	return (f.Realm == "" || f.Realm == e.Realm) && (f.Account == "" || f.Account == e.Account) && (f.Key == "" || f.Key == e.Key) &&
		(f.Action == "" || f.Action == e.Action) && (f.Outcome == "" || f.Outcome == e.Outcome) && (f.RequestID == "" || f.RequestID == e.RequestID) &&
		!e.At.Before(f.From) && (f.To.IsZero() || e.At.Before(f.To)) && (!f.Refused || e.Outcome != "")
}

// LastEvents implements [core.Audit].
func (s *Store) LastEvents(ctx context.Context, filter core.EventFilter, limit int) ([]core.RecordedEvent, error) {
	found, err := s.FindEvents(ctx, filter, 0, 1<<31)
	return found[max(0, len(found)-max(0, limit)):], err
}

// JournalHead implements [core.Audit].
func (s *Store) JournalHead(ctx context.Context) (core.JournalHead, error) {
	if err := s.enter(ctx); err != nil {
		return core.JournalHead{}, err
	}
	defer s.mu.Unlock()
	return s.head, nil
}

// TrimEvents implements [core.Audit].
func (s *Store) TrimEvents(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	for removed < min(limit, len(s.events)) && s.events[removed].At.Before(before) {
		s.head.Base, s.head.BaseLink = s.events[removed].Sequence, s.events[removed].Link
		removed++
	}
	s.events = slices.Delete(s.events, 0, removed)
	return removed, nil
}

// EraseAddresses implements [core.Audit].
func (s *Store) EraseAddresses(ctx context.Context, realm core.Realm, account core.AccountID, event core.Event) (erased int, err error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	for i := range s.events {
		if e := &s.events[i]; e.Realm == realm && e.Account == account && e.Address.IsValid() {
			e.Address, e.Salt = netip.Addr{}, nil
			erased++
		}
	}
	s.record(event)
	return erased, nil
}
