package counter

import (
	"context"
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

	FactorFailures int           // of an identity whatever the network, for second factors; default 100
	FactorInterval time.Duration // after which it may fail once more; default 10 min

	// Patience is how long an attempt waits for its turn while as many are under way as
	// may still fail; default 4 s, as every request is answered within 5 s (R18).
	Patience time.Duration

	Identities int // remembered at most; default 65,536
	Networks   int // remembered at most; default 65,536

	Now func() time.Time // default time.Now
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.Failures, 5)
	setDefault(&o.Interval, 10*time.Second)
	setDefault(&o.NetworkFailures, 100)
	setDefault(&o.NetworkInterval, time.Second)
	setDefault(&o.FactorFailures, 100)
	setDefault(&o.FactorInterval, 10*time.Minute)
	setDefault(&o.Patience, 4*time.Second)
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
	factors    *table
	turns      uint64 // given to those who waited
}

var _ core.Attempts = (*Memory)(nil)

// New makes a counter.
func New(options Options) *Memory {
	o := options.withDefaults()
	return &Memory{
		patience:   o.Patience,
		seed:       maphash.MakeSeed(),
		identities: newTable(o.Failures, o.Interval, o.Identities, o.Now),
		networks:   newTable(o.NetworkFailures, o.NetworkInterval, o.Networks, o.Now),
		factors:    newTable(o.FactorFailures, o.FactorInterval, o.Identities, o.Now),
	}
}

// Begin reserves an attempt of an identity and its network; a key without an identity
// counts for the network alone, and one of everywhere for the identity alone. Once the failures of either reach the limit it refuses
// with RateLimited. While failures and attempts under way together reach it, Begin
// waits for its turn, first come, first served: only when that does not come within
// Options.Patience, or too many wait already, does it refuse. It is Unavailable if ctx
// ends first.
func (m *Memory) Begin(ctx context.Context, key core.AttemptKey) (core.Attempt, error) {
	c := claim{network: maphash.Comparable(m.seed, key.Network), everywhere: key.Everywhere}
	if key.Identity != "" {
		c.named, c.identity = true, maphash.Comparable(m.seed, key)
	}
	begun, w, err := m.begin(c)
	if w != nil {
		return m.await(ctx, w)
	}
	return begun, err
}

// A claim is what an attempt counts for, by hash.
type claim struct {
	network, identity uint64
	named             bool // it has an identity
	everywhere        bool // it counts for that alone
}

// begin does what can be done at once; otherwise it returns who has to wait.
func (m *Memory) begin(c claim) (core.Attempt, *waiter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := m.entries(c)
	full, retry := reserve(entries, true)
	switch {
	case retry.wait > 0:
		return nil, nil, retry.refusal()
	case full == nil:
		return &attempt{memory: m, entries: entries}, nil, nil
	case len(full.queue) >= maxWaiting:
		return nil, nil, crowded(errQueue)
	}
	m.turns++
	w := &waiter{claim: c, turn: m.turns, answer: make(chan answer, 1)}
	full.join(w)
	return nil, w, nil
}

// entries are those of a claim, made if need be: its network and, if it has one, its
// identity, or that alone.
func (m *Memory) entries(c claim) []*entry {
	if c.everywhere {
		return []*entry{m.factors.entry(c.identity)}
	}
	entries := []*entry{m.networks.entry(c.network)}
	if c.named {
		entries = append(entries, m.identities.entry(c.identity))
	}
	return entries
}

// reserve counts one more attempt under way in each of the entries, or in none: it
// returns how long the failures forbid one, or the entry that has no room for one
// until another of its attempts ends. Who comes new finds no room where others wait.
func reserve(entries []*entry, isNew bool) (full *entry, retry lapse) {
	for _, e := range entries {
		room, wait := e.room()
		if room <= e.underway || isNew && len(e.queue) > 0 {
			full = e
		}
		if wait > retry.wait {
			retry = lapse{wait, e.table.failures}
		}
	}
	for _, e := range entries {
		if full == nil && retry.wait <= 0 {
			e.underway++
		}
		e.dropIdle()
	}
	return full, retry
}

// A lapse is how long failures forbid an attempt, and how many of them are free.
type lapse struct {
	wait time.Duration
	free int
}

// refusal tells whole seconds, at least one.
func (l lapse) refusal() error {
	seconds := max((l.wait+time.Second-1)/time.Second, 1)
	return &core.Error{Kind: core.RateLimited, RetryAfter: seconds * time.Second, Limit: l.free}
}

// An attempt is under way in its entries until it is settled, once.
type attempt struct {
	memory  *Memory
	entries []*entry // its network and, if it has one, its identity, or that alone
}

func (a *attempt) Succeeded() {
	a.settle(func(entries []*entry) {
		for _, e := range entries {
			if e.table != a.memory.networks {
				e.forget()
			}
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
		e.underway--
	}
	a.memory.serve(a.entries)
	a.entries = nil // settled again, it changes nothing
}
