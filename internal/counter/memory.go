package counter

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Options say how many failures are free. A field that is not positive takes its default.
type Options struct {
	Failures int           // of an identity from a network, before it must wait; default 5
	Interval time.Duration // after which it may fail once more; default 10 s

	NetworkFailures int           // of a network, whatever the identity; default 100
	NetworkInterval time.Duration // after which it may fail once more; default 1 s

	// Patience is how long an attempt waits while as many are under way as may still
	// fail and none of them ends; default 2 s.
	Patience time.Duration

	Identities int // remembered at most; default 65,536
	Networks   int // remembered at most; default 65,536
}

func (o Options) withDefaults() Options {
	setDefault(&o.Failures, 5)
	setDefault(&o.Interval, 10*time.Second)
	setDefault(&o.NetworkFailures, 100)
	setDefault(&o.NetworkInterval, time.Second)
	setDefault(&o.Patience, 2*time.Second)
	setDefault(&o.Identities, 1<<16)
	setDefault(&o.Networks, 1<<16)
	return o
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Memory counts in this process's memory: what it knows ends with the process. It
// holds hashes of identities, never their text.
type Memory struct {
	patience time.Duration
	seed     maphash.Seed

	mu         sync.Mutex // guards the tables and their entries
	identities *table
	networks   *table
}

var _ core.Attempts = (*Memory)(nil)

// New makes a counter.
func New(options Options) *Memory {
	o := options.withDefaults()
	return &Memory{
		patience:   o.Patience,
		seed:       maphash.MakeSeed(),
		identities: newTable(o.Failures, o.Interval, o.Identities),
		networks:   newTable(o.NetworkFailures, o.NetworkInterval, o.Networks),
	}
}

// Begin reserves an attempt of an identity and its network; a key without an identity
// counts for the network alone. Once the failures of either reach the limit it refuses
// with RateLimited. While failures and attempts under way together reach it, Begin
// waits: only when none of them ends for the time of Options.Patience, or too many
// wait already, does it refuse. It is Unavailable if ctx ends first.
func (m *Memory) Begin(ctx context.Context, key core.AttemptKey) (core.Attempt, error) {
	network, identity := maphash.Comparable(m.seed, key.Network), maphash.Comparable(m.seed, key)
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		entries := []*entry{m.networks.entry(network)}
		if key.Identity != "" {
			entries = append(entries, m.identities.entry(identity))
		}
		full, retry := reserve(entries)
		switch {
		case retry > 0:
			return nil, refusal(retry)
		case full == nil:
			return &attempt{memory: m, entries: entries}, nil
		}
		if err := m.wait(ctx, full); err != nil {
			return nil, err
		}
	}
}

// reserve counts one more attempt under way in each of the entries, or in none: it
// returns how long the failures forbid one, or the entry that has no room for one
// until another of its attempts ends.
func reserve(entries []*entry) (full *entry, retry time.Duration) {
	for _, e := range entries {
		room, wait := e.room()
		if room <= e.underway {
			full = e
		}
		retry = max(retry, wait)
	}
	for _, e := range entries {
		if full == nil && retry <= 0 {
			e.underway++
		}
		e.dropIdle()
	}
	return full, retry
}

// maxWaiting bounds the attempts that wait for one entry.
const maxWaiting = 256

// wait returns once an attempt of full has ended. The lock is released meanwhile.
func (m *Memory) wait(ctx context.Context, full *entry) error {
	if full.waiting >= maxWaiting {
		return refusal(time.Second)
	}
	ended := full.nextEnd()
	full.waiting++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		full.waiting--
		full.dropIdle()
	}()
	timer := time.NewTimer(m.patience)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
		return refusal(time.Second)
	case <-ctx.Done():
		return &core.Error{Kind: core.Unavailable, RetryAfter: time.Second, Err: fmt.Errorf("waiting for other attempts: %w", context.Cause(ctx))}
	}
}

// refusal tells whole seconds, at least one.
func refusal(retry time.Duration) error {
	seconds := max((retry+time.Second-1)/time.Second, 1)
	return &core.Error{Kind: core.RateLimited, RetryAfter: seconds * time.Second}
}

// An attempt is under way in its entries until it is settled, once.
type attempt struct {
	memory  *Memory
	entries []*entry // its network and, if it has one, its identity
}

func (a *attempt) Succeeded() {
	a.settle(func(entries []*entry) {
		if len(entries) > 1 {
			entries[1].forget()
		}
	})
}

func (a *attempt) Failed() {
	a.settle(func(entries []*entry) {
		for _, e := range entries {
			e.fail()
		}
	})
}

func (a *attempt) Abandoned() { a.settle(func([]*entry) {}) }

func (a *attempt) settle(count func([]*entry)) {
	a.memory.mu.Lock()
	defer a.memory.mu.Unlock()
	count(a.entries)
	for _, e := range a.entries {
		e.end()
	}
	a.entries = nil // settled again, it changes nothing
}
