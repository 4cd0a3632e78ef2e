package store

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// recentLifetime bounds how long another process's change stays unseen (S47).
const recentLifetime = 2 * time.Second

// RecentAccount is Account from memory, where it can be.
func (s *Store) RecentAccount(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	if found := s.recentAccounts.get(realm, string(id)); found != nil {
		return *found, nil
	}
	return s.recentAccounts.load(realm, string(id), func() (core.Account, error) { return s.Account(ctx, realm, id) })
}

// RecentAccessKey is AccessKey from memory, where it can be.
func (s *Store) RecentAccessKey(ctx context.Context, realm core.Realm, id core.KeyID) (core.AccessKey, error) {
	if found := s.recentKeys.get(realm, string(id)); found != nil {
		return *found, nil
	}
	return s.recentKeys.load(realm, string(id), func() (core.AccessKey, error) { return s.AccessKey(ctx, realm, id) })
}

// HeldAccessKey implements [core.Recent].
func (s *Store) HeldAccessKey(realm core.Realm, identifier string) (core.AccessKey, error) {
	if found := s.recentIdentifiers.get(realm, identifier); found != nil {
		return *found, nil
	}
	return core.AccessKey{}, errNoKey
}

// HoldAccessKey implements [core.Recent].
func (s *Store) HoldAccessKey(ctx context.Context, realm core.Realm, identifier string) error {
	_, err := s.recentIdentifiers.load(realm, identifier, func() (core.AccessKey, error) {
		return s.AccessKeyByIdentifier(ctx, realm, identifier)
	})
	return err
}

// RecentSession is Session from memory, where it can be.
func (s *Store) RecentSession(ctx context.Context, realm core.Realm, id core.SessionID) (core.Session, error) {
	if found := s.recentSessions.get(realm, string(id)); found != nil {
		return *found, nil
	}
	return s.recentSessions.load(realm, string(id), func() (core.Session, error) { return s.Session(ctx, realm, id) })
}

// recent is a bounded map of rows that were read a short while ago. Absence is
// not kept.
type recent[V any] struct {
	seed   maphash.Seed
	limit  int // of each shard
	shards [32]recentShard[V]
}

type recentShard[V any] struct {
	mu         sync.RWMutex
	rows       map[recentKey]recentRow[V]
	held       int    // changes under way: nothing is put in
	generation uint64 // counts changes: what was read before one is not put in after it
	_          [64]byte
}

type recentKey struct {
	realm core.Realm
	name  string
}

type recentRow[V any] struct {
	value *V
	until time.Time
}

func newRecent[V any](limit int) *recent[V] {
	r := &recent[V]{seed: maphash.MakeSeed()}
	r.limit = max(1, limit/len(r.shards))
	for i := range r.shards {
		r.shards[i].rows = map[recentKey]recentRow[V]{}
	}
	return r
}

func (r *recent[V]) shard(realm core.Realm, name string) *recentShard[V] {
	return &r.shards[(maphash.String(r.seed, name)+uint64(len(realm)))%uint64(len(r.shards))]
}

// get returns a row that must not be written to, or nil.
func (r *recent[V]) get(realm core.Realm, name string) *V {
	s := r.shard(realm, name)
	s.mu.RLock()
	found, ok := s.rows[recentKey{realm, name}]
	s.mu.RUnlock()
	if !ok || !time.Now().Before(found.until) {
		return nil
	}
	return found.value
}

// load reads a row and keeps it, unless a change came in between.
func (r *recent[V]) load(realm core.Realm, name string, read func() (V, error)) (V, error) {
	s := r.shard(realm, name)
	s.mu.RLock()
	generation := s.generation
	s.mu.RUnlock()
	until := time.Now().Add(recentLifetime) // from before the read
	value, err := read()
	if err != nil {
		return value, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == 0 && s.generation == generation {
		s.makeRoom(r.limit)
		s.rows[recentKey{realm, name}] = recentRow[V]{&value, until}
	}
	return value, nil
}

// makeRoom removes rows while there are too many: ended ones that it meets, or else any.
func (s *recentShard[V]) makeRoom(limit int) {
	if len(s.rows) < limit {
		return
	}
	now, seen := time.Now(), 0
	for key, row := range s.rows {
		if seen++; seen > 8 {
			break
		}
		if !now.Before(row.until) {
			delete(s.rows, key)
		}
	}
	for key := range s.rows {
		if len(s.rows) < limit {
			return
		}
		delete(s.rows, key)
	}
}

// hold forgets a row and keeps it out until release is called, once the change
// to it is done: a reader that has seen the change must not see the old row again.
func (r *recent[V]) hold(realm core.Realm, name string) (release func()) {
	s := r.shard(realm, name)
	s.mu.Lock()
	delete(s.rows, recentKey{realm, name})
	s.held++
	s.generation++
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.held--
		s.generation++
		s.mu.Unlock()
	}
}
