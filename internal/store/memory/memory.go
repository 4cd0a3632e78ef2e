// Package memory is a store without a database: the fake that tests of the rules
// use. core/storetest holds it to what internal/store does, concurrency included.
//
// Nothing of it is durable and every look-up under one lock; it serves no server.
package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A Store keeps everything in maps. Its methods may be called concurrently; the
// change functions that it is given must not call it.
type Store struct {
	mu       sync.Mutex
	realms   map[core.Realm]core.RealmInfo
	accounts map[accountKey]core.Account
	tenants  map[tenantKey]core.Tenant
	keys     map[keyKey]core.AccessKey
	sessions map[sessionKey]core.Session
	tokens   map[tokenKey]core.StoredToken
	factors  map[accountKey]core.Factor
	tickets  map[ticketKey]core.Ticket
	issues   []core.Ticket
	notices  map[string]leasedNotice
	events   []core.RecordedEvent
	head     core.JournalHead
	chain    *core.Chain
	signing  []core.SigningKey
}

type (
	accountKey struct {
		realm core.Realm
		id    core.AccountID
	}
	tenantKey struct {
		realm core.Realm
		id    core.TenantID
	}
	keyKey struct {
		realm core.Realm
		id    core.KeyID
	}
	sessionKey struct {
		realm core.Realm
		id    core.SessionID
	}
	tokenKey struct {
		realm  core.Realm
		digest core.Digest
	}
	ticketKey struct {
		realm   core.Realm
		account core.AccountID
		purpose core.Purpose
	}
	leasedNotice struct {
		core.Notice
		until time.Time
	}
)

// New returns an empty store.
func New() *Store {
	return &Store{
		realms:   map[core.Realm]core.RealmInfo{},
		accounts: map[accountKey]core.Account{},
		tenants:  map[tenantKey]core.Tenant{},
		keys:     map[keyKey]core.AccessKey{},
		sessions: map[sessionKey]core.Session{},
		tokens:   map[tokenKey]core.StoredToken{},
		factors:  map[accountKey]core.Factor{},
		tickets:  map[ticketKey]core.Ticket{},
		notices:  map[string]leasedNotice{},
		chain:    core.NewChain(core.Secret{}),
	}
}

// enter takes the lock, unless ctx is done.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &core.Error{Kind: core.Unavailable, RetryAfter: time.Second, Err: err}
	}
	s.mu.Lock()
	return nil
}

func refusal(kind core.Kind) error { return &core.Error{Kind: kind} }

// record keeps an event; the lock is held.
func (s *Store) record(e core.Event) {
	e.At = stored(e.At)
	s.head.Sequence++
	recorded := core.RecordedEvent{Sequence: s.head.Sequence, Event: e}
	s.chain.Append(s.head.Link, &recorded)
	s.head.Link = recorded.Link
	s.events = append(s.events, recorded)
}

// stored is an instant as a database gives it back: UTC, whole microseconds.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// copied goes through JSON, as a database does: what the caller keeps is not ours.
func copied[T ~map[string]any](attributes T) (T, error) {
	if len(attributes) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return nil, err
	}
	var again T
	return again, json.Unmarshal(text, &again)
}

// Ping returns nil.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.mu.Unlock()
	return nil
}

// Close does nothing.
func (s *Store) Close() error { return nil }

// Realm implements [core.Realms].
func (s *Store) Realm(ctx context.Context, name core.Realm) (core.RealmInfo, error) {
	if err := s.enter(ctx); err != nil {
		return core.RealmInfo{}, err
	}
	defer s.mu.Unlock()
	realm, ok := s.realms[name]
	if !ok {
		return core.RealmInfo{}, refusal(core.NotFound)
	}
	realm.Attributes = maps.Clone(realm.Attributes)
	return realm, nil
}

// Realms implements [core.Realms].
func (s *Store) Realms(ctx context.Context) ([]core.RealmInfo, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var all []core.RealmInfo
	for _, name := range slices.Sorted(maps.Keys(s.realms)) {
		realm := s.realms[name]
		realm.Attributes = maps.Clone(realm.Attributes)
		all = append(all, realm)
	}
	return all, nil
}

// PutRealm implements [core.Realms].
func (s *Store) PutRealm(ctx context.Context, realm core.RealmInfo, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	realm.CreatedAt = stored(realm.CreatedAt)
	if old, ok := s.realms[realm.Name]; ok {
		realm.CreatedAt = old.CreatedAt
	}
	realm.Attributes = maps.Clone(realm.Attributes)
	s.realms[realm.Name] = realm
	s.record(event)
	return nil
}

// SigningKeys implements [core.SigningKeys].
func (s *Store) SigningKeys(ctx context.Context, realm core.Realm, dialect string) ([]core.SigningKey, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var found []core.SigningKey
	for _, key := range slices.Backward(s.signing) {
		if key.Realm == realm && key.Dialect == dialect {
			key.Sealed = slices.Clone(key.Sealed)
			found = append(found, key)
		}
	}
	slices.SortStableFunc(found, func(a, b core.SigningKey) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found, nil
}

// AnySigningKey implements [core.SigningKeys].
func (s *Store) AnySigningKey(ctx context.Context) (core.SigningKey, error) {
	if err := s.enter(ctx); err != nil {
		return core.SigningKey{}, err
	}
	defer s.mu.Unlock()
	if len(s.signing) == 0 {
		return core.SigningKey{}, refusal(core.NotFound)
	}
	key := slices.MaxFunc(s.signing, func(a, b core.SigningKey) int { return a.CreatedAt.Compare(b.CreatedAt) })
	key.Sealed = slices.Clone(key.Sealed)
	return key, nil
}

// AddFirstSigningKey implements [core.SigningKeys].
func (s *Store) AddFirstSigningKey(ctx context.Context, key core.SigningKey) (core.SigningKey, error) {
	if err := s.enter(ctx); err != nil {
		return core.SigningKey{}, err
	}
	defer s.mu.Unlock()
	for _, old := range s.signing {
		if old.Realm == key.Realm && old.Dialect == key.Dialect && old.Algorithm == key.Algorithm {
			old.Sealed = slices.Clone(old.Sealed)
			return old, nil
		}
	}
	if slices.ContainsFunc(s.signing, func(old core.SigningKey) bool { return old.ID == key.ID }) {
		return core.SigningKey{}, refusal(core.Conflict)
	}
	key.Sealed = slices.Clone(key.Sealed)
	key.CreatedAt = stored(key.CreatedAt)
	s.signing = append(s.signing, key)
	key.Sealed = slices.Clone(key.Sealed)
	return key, nil
}

// Enqueue implements [core.Outbox].
func (s *Store) Enqueue(ctx context.Context, notice core.Notice, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, taken := s.notices[notice.ID]; taken {
		return refusal(core.Conflict)
	}
	s.enqueue(notice)
	s.record(event)
	return nil
}

func (s *Store) enqueue(notice core.Notice) {
	notice.CreatedAt, notice.DueAt = stored(notice.CreatedAt), stored(notice.DueAt)
	s.notices[notice.ID] = leasedNotice{Notice: notice}
}

// LeaseNotices implements [core.Outbox].
func (s *Store) LeaseNotices(ctx context.Context, now, leaseEnd time.Time, limit int) ([]core.Notice, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var due []core.Notice
	for _, n := range s.notices {
		if !n.DueAt.After(stored(now)) && !n.until.After(stored(now)) {
			due = append(due, n.Notice)
		}
	}
	slices.SortFunc(due, func(a, b core.Notice) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	due = due[:min(len(due), max(0, limit))]
	for _, n := range due {
		s.notices[n.ID] = leasedNotice{n, stored(leaseEnd)}
	}
	return due, nil
}

// PostponeNotice implements [core.Outbox].
func (s *Store) PostponeNotice(ctx context.Context, id string, dueAt time.Time) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	n, ok := s.notices[id]
	if !ok {
		return refusal(core.NotFound)
	}
	n.Attempts++
	n.DueAt, n.until = stored(dueAt), time.Time{}
	s.notices[id] = n
	return nil
}

// RemoveNotice implements [core.Outbox].
func (s *Store) RemoveNotice(ctx context.Context, id string, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.notices[id]; !ok {
		return refusal(core.NotFound)
	}
	delete(s.notices, id)
	if event.Action != "" {
		s.record(event)
	}
	return nil
}
