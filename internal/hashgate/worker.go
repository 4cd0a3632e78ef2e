package hashgate

import (
	"fmt"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// enqueue puts j in its realm's line. The estimate is made once more: many may
// have been admitted before the first of them came here.
func (g *Gate) enqueue(j *job) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admission.turn(time.Now())
	if err := g.admissible(j.realm); err != nil {
		return g.refuse(err)
	}
	g.queue.push(j)
	g.wake.Signal()
	return nil
}

// withdraw reports whether j was still waiting; it will not be computed then.
func (g *Gate) withdraw(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if j.taken {
		return false
	}
	g.queue.remove(j)
	g.wake.Broadcast() // it may have been the one that waited for memory
	return true
}

// work is one worker's life.
func (g *Gate) work() {
	kernel := g.options.Kernel()
	own := thread{niceness: g.options.Niceness}
	defer own.end()
	for {
		j := g.next()
		if j == nil {
			return
		}
		started := time.Now()
		run := func() { j.failed = guarded(func() { j.work(kernel) }) }
		if j.onThread(kernel) {
			own.run(run)
		} else {
			run()
		}
		g.finish(j, time.Since(started))
	}
}

// guarded turns a panic into an error: one failed request, not a failed process.
func guarded(work func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("password hashing: panic: %v", v)
		}
	}()
	work()
	return nil
}

// next waits for a job that may run. It returns nil when the gate is closed and
// nothing waits any more.
func (g *Gate) next() *job {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		j := g.queue.head()
		switch {
		case j != nil && j.memory <= g.free:
			g.queue.take(j)
			g.begin(j)
			return j
		case j == nil && g.closed:
			return nil
		case j == nil:
			if j := g.nextLater(); j != nil {
				g.begin(j)
				return j
			}
		}
		g.wake.Wait()
	}
}

func (g *Gate) begin(j *job) {
	j.taken = true
	g.running++
	g.free -= j.memory
}

func (g *Gate) finish(j *job, took time.Duration) {
	g.mu.Lock()
	g.running--
	g.free += j.memory
	g.admission.measured(took)
	g.hashes.Add(1)
	g.wake.Broadcast() // memory came free
	g.mu.Unlock()
	close(j.done)
}

// later is a hash that nobody waits for.
type later struct {
	job   *job
	until time.Time // dropped when it has not begun by then
}

const (
	maxLater      = 64
	laterLifetime = 30 * time.Second
)

// Later implements [core.Passwords]: it hashes secret when no caller waits for a
// worker, one at a time, and calls done on a goroutine of its own. It is dropped
// when the gate is busy, when 64 wait already or when it has not begun in 30 s.
func (g *Gate) Later(realm core.Realm, secret core.Secret, done func(core.PasswordHash)) {
	j := &job{realm: realm, memory: g.options.Params.Cost(), done: make(chan struct{})}
	j.onThread = func(k password.Kernel) bool { return k.OwnThread }
	j.work = func(k password.Kernel) {
		defer g.laterEnded()
		made, err := k.Hash(g.options.Params, []byte(secret.Reveal()))
		if err != nil {
			g.dropped.Add(1) // longer than what can be hashed
			return
		}
		g.handing.Go(func() { done(core.PasswordHash(made)) })
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || len(g.later) >= maxLater || g.queue.length > g.options.Workers {
		g.dropped.Add(1)
		return
	}
	g.later = append(g.later, later{j, time.Now().Add(laterLifetime)})
	g.wake.Signal()
}

// nextLater returns the oldest job of Later that may begin, or nil.
func (g *Gate) nextLater() *job {
	for len(g.later) > 0 && !g.laterRuns {
		first := g.later[0]
		if first.job.memory > g.free {
			return nil
		}
		g.later[0] = later{}
		g.later = g.later[1:]
		if time.Now().Before(first.until) {
			g.laterRuns = true
			return first.job
		}
		g.dropped.Add(1)
	}
	return nil
}

func (g *Gate) laterEnded() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.laterRuns = false
}
