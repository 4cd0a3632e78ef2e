// Package hashgate is the one door to password hashing: a bounded queue before
// as many workers as there are cores. It meets [core.Passwords].
//
// It knows what a hash costs, how long one takes and who waits; it does not know
// accounts, or why a password is checked. The computing is internal/password's.
//
// The process around it should set GOMAXPROCS to at least one more than there are
// cores, after [New] or with Workers given, so that other requests find a processor
// while all workers compute: their p99 delay is under 1 ms instead of 11 to 18 then.
// A worker keeps the memory of one hash from its first on, so hashing leaves next
// to no garbage, except for stored hashes that take more than new ones.
package hashgate

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// Options say how a gate hashes. The zero value is the default.
type Options struct {
	Params       password.Params        // of new hashes; default [password.Default]
	Workers      int                    // hashes at once; default GOMAXPROCS, which follows cores and container limits
	MemoryBudget int64                  // bytes that hashes may take together; default 256 MiB, or more when the workers need it
	QueueTimeout time.Duration          // longest wait for a worker; default 2 s
	Niceness     int                    // of threads that hash; default 10, negative leaves it as it is; Linux only
	Kernel       func() password.Kernel // called for each worker, and again when its memory is wanted; default [password.NewKernel]
}

func (o Options) withDefaults() Options {
	if o.Params == (password.Params{}) {
		o.Params = password.Default()
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MemoryBudget == 0 {
		o.MemoryBudget = max(password.MaxCost, int64(o.Workers)*o.Params.Cost())
	}
	if o.QueueTimeout == 0 {
		o.QueueTimeout = 2 * time.Second
	}
	if o.Niceness == 0 {
		o.Niceness = 10
	}
	if o.Kernel == nil {
		o.Kernel = func() password.Kernel { return password.NewKernel(o.Params) }
	}
	return o
}

func (o Options) validate() error {
	if err := o.Params.Validate(); err != nil {
		return fmt.Errorf("password hashing: %w", err)
	}
	if o.Workers < 1 || o.QueueTimeout < 0 {
		return fmt.Errorf("password hashing: %d workers and a queue timeout of %v: want at least 1 and more than 0", o.Workers, o.QueueTimeout)
	}
	if need := int64(o.Workers) * o.Params.Cost(); need > o.MemoryBudget {
		return fmt.Errorf("password hashing: %d workers × %d MiB for each hash need %d MiB, more than the memory budget of %d MiB: raise the budget, or lower the workers or the memory of a hash",
			o.Workers, o.Params.Cost()>>20, need>>20, o.MemoryBudget>>20)
	}
	return nil
}

// A Gate hashes passwords for all realms. [New] makes it and [Gate.Close] ends it.
type Gate struct {
	options Options
	decoy   password.Hash
	workers sync.WaitGroup
	handing sync.WaitGroup // calls of the done functions of Later

	mu        sync.Mutex
	wake      sync.Cond // of workers that wait for a job or for memory
	team      []*worker
	queue     queue
	admission admission
	later     []later
	laterRuns bool
	free      int64 // of the memory budget: neither in use nor kept by a worker
	running   int
	closed    bool

	hashes, malformed, expired, abandoned, dropped atomic.Uint64
}

var _ core.Passwords = (*Gate)(nil)

// New starts the workers. It refuses parameters below S8, and workers whose
// hashes together exceed the memory budget (S16).
func New(options Options) (*Gate, error) {
	o := options.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	decoy, err := password.Decoy(o.Params)
	if err != nil {
		return nil, fmt.Errorf("password hashing: %w", err)
	}
	g := &Gate{options: o, decoy: decoy, free: o.MemoryBudget, queue: newQueue(), admission: newAdmission(o)}
	g.wake.L = &g.mu
	for range o.Workers {
		w := &worker{gate: g, kernel: o.Kernel(), own: thread{niceness: o.Niceness}}
		g.team = append(g.team, w)
		g.workers.Go(w.work)
	}
	return g, nil
}

// Close refuses what comes from now on, finishes what waits and returns when the
// workers have ended. What [Gate.Later] has not begun is dropped.
func (g *Gate) Close() {
	g.mu.Lock()
	g.closed = true
	g.dropped.Add(uint64(len(g.later)))
	g.later = nil
	g.wake.Broadcast()
	g.mu.Unlock()
	g.workers.Wait()
	g.handing.Wait()
}

// Verify implements [core.Passwords]. It waits for a worker until the queue's
// timeout or the end of ctx, then computes one hash whatever it was given: a
// hash that is "", malformed or beyond the bounds (S13) costs a decoy and matches
// nothing.
func (g *Gate) Verify(ctx context.Context, realm core.Realm, hash core.PasswordHash, secret core.Secret) (match, outdated bool, err error) {
	stored, known := g.stored(hash)
	j := &job{realm: realm, ctx: ctx, like: stored, done: make(chan struct{})}
	var same bool // not the result itself: a worker may write it after the caller has gone
	j.work = func(k password.Kernel) { same = k.Verify(stored, []byte(secret.Reveal())) }
	if err := g.do(j); err != nil {
		return false, false, err
	}
	match = same && known
	return match, match && stored.Outdated(g.options.Params), nil
}

// stored returns the hash to compare with, and whether it may match.
func (g *Gate) stored(hash core.PasswordHash) (password.Hash, bool) {
	if hash == "" {
		return g.decoy, false
	}
	stored, err := password.Parse(string(hash))
	if err != nil || stored.Cost() > g.options.MemoryBudget {
		g.malformed.Add(1)
		return g.decoy, false
	}
	return stored, true
}

// Supports implements [core.Passwords].
func (g *Gate) Supports(hash core.PasswordHash) error {
	stored, err := password.Parse(string(hash))
	if err == nil && stored.Cost() > g.options.MemoryBudget {
		err = fmt.Errorf("it takes %d MiB, more than the memory budget of %d MiB", stored.Cost()>>20, g.options.MemoryBudget>>20)
	}
	if err != nil {
		return &core.Error{Kind: core.InvalidRequest, Err: fmt.Errorf("password hash: %w", err)}
	}
	return nil
}

// Hash implements [core.Passwords]. A secret longer than [password.MaxPassword]
// is PasswordRefused.
func (g *Gate) Hash(ctx context.Context, realm core.Realm, secret core.Secret) (core.PasswordHash, error) {
	if len(secret.Reveal()) > password.MaxPassword {
		return "", &core.Error{Kind: core.PasswordRefused, Reason: fmt.Sprintf("Password should have at most %d bytes", password.MaxPassword)}
	}
	j := &job{realm: realm, ctx: ctx, like: g.decoy, done: make(chan struct{})}
	var made string
	var failed error
	j.work = func(k password.Kernel) { made, failed = k.Hash(g.options.Params, []byte(secret.Reveal())) }
	if err := g.do(j); err != nil {
		return "", err
	}
	return core.PasswordHash(made), failed
}

// do runs j on a worker and returns when it is done or will never be.
func (g *Gate) do(j *job) error {
	if err := g.enqueue(j); err != nil {
		return err
	}
	timer := time.NewTimer(g.options.QueueTimeout)
	defer timer.Stop()
	select {
	case <-j.done:
		return j.failed
	case <-timer.C:
		if g.withdraw(j) {
			g.expired.Add(1)
			return g.refusal(fmt.Errorf("no hash worker came free in %v", g.options.QueueTimeout))
		}
	case <-j.ctx.Done():
		if g.withdraw(j) {
			g.abandoned.Add(1)
			return &core.Error{Kind: core.Unavailable, RetryAfter: time.Second, Err: j.ctx.Err()}
		}
	}
	// It is being computed. Who leaves now learns nothing, but has had a guess: the
	// attempt lasts until the outcome is known.
	<-j.done
	return j.failed
}

// Stats are figures for metrics. Counters count from the start.
type Stats struct {
	Waiting, Running int
	Mean             time.Duration // of a hash, lately
	Hashes           uint64
	Refused          uint64 // at the door: the wait would have been too long
	Expired          uint64 // no worker came free in time
	Abandoned        uint64 // the caller went away while it waited
	Malformed        uint64 // stored hashes that are not supported or beyond the bounds
	Dropped          uint64 // of Later
}

// Stats returns how the gate does at this moment.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Stats{
		Waiting: g.queue.length, Running: g.running, Mean: g.admission.mean,
		Hashes: g.hashes.Load(), Refused: g.admission.refused, Expired: g.expired.Load(),
		Abandoned: g.abandoned.Load(), Malformed: g.malformed.Load(), Dropped: g.dropped.Load(),
	}
}
