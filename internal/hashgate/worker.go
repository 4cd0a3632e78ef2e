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

// A worker computes one job at a time. Its fields but gate and own are the gate's,
// under its lock, while the worker is not busy.
type worker struct {
	gate   *Gate
	kernel password.Kernel
	own    thread
	busy   bool
	keeps  bool // its kernel has the memory that it keeps
}

// work is one worker's life.
func (w *worker) work() {
	defer w.own.end()
	for {
		j := w.gate.next(w)
		if j == nil {
			return
		}
		started := time.Now()
		run := func() { j.failed = guarded(func() { j.work(w.kernel) }) }
		if w.kernel.OnThread(j.like) {
			w.own.run(run)
		} else {
			run()
		}
		w.gate.finish(w, j, time.Since(started))
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

// next waits for a job that w may run. It returns nil when the gate is closed and
// nothing waits any more.
func (g *Gate) next(w *worker) *job {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		j := g.queue.head()
		switch {
		case j != nil && g.fits(w, j):
			g.queue.take(j)
			g.begin(w, j)
			return j
		case j == nil && g.closed:
			return nil
		case j == nil:
			if j := g.nextLater(w); j != nil {
				g.begin(w, j)
				return j
			}
		}
		g.wake.Wait()
	}
}

// takes is how much of the free memory j needs when w runs it.
func (w *worker) takes(j *job) int64 {
	switch {
	case !w.kernel.InKept(j.like):
		return j.like.Cost()
	case w.keeps:
		return 0
	default:
		return w.kernel.Keeps
	}
}

// fits reports whether there is memory for w to run j. Workers that do nothing give
// up what they keep when there is not (S16).
func (g *Gate) fits(w *worker, j *job) bool {
	for _, other := range g.team {
		if g.free >= w.takes(j) {
			return true
		}
		if other.keeps && !other.busy {
			g.free += other.kernel.Keeps
			other.kernel, other.keeps = g.options.Kernel(), false
		}
	}
	return g.free >= w.takes(j)
}

func (g *Gate) begin(w *worker, j *job) {
	g.free -= w.takes(j)
	w.keeps = w.keeps || w.kernel.InKept(j.like)
	w.busy, j.taken = true, true
	g.running++
}

func (g *Gate) finish(w *worker, j *job, took time.Duration) {
	g.mu.Lock()
	w.busy = false
	g.running--
	if !w.kernel.InKept(j.like) {
		g.free += j.like.Cost()
	}
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
	j := &job{realm: realm, like: g.decoy, done: make(chan struct{})}
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

// nextLater returns the oldest job of Later that w may begin, or nil.
func (g *Gate) nextLater(w *worker) *job {
	for len(g.later) > 0 && !g.laterRuns {
		first := g.later[0]
		if !g.fits(w, first.job) {
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
