package hashgate

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// admission estimates waits, and remembers for one window of time who was let in.
type admission struct {
	workers   int
	limit     time.Duration // longest estimated wait that is let in
	length    time.Duration // of a window
	mean      time.Duration // of a hash
	refused   uint64
	since     time.Time            // start of the window
	admitted  int                  // in the window
	turnedOff int                  // refused in the window
	networks  map[netip.Prefix]int // who asked in the window, and how many were let in
}

const (
	usualHash   = 30 * time.Millisecond // of the default parameters, until there is a measured mean
	maxNetworks = 4096
	minRetry    = time.Second
	maxRetry    = 30 * time.Second
)

func newAdmission(o Options) admission {
	usual := password.Default()
	work := float64(o.Params.Memory) * float64(o.Params.Passes) / (float64(usual.Memory) * float64(usual.Passes))
	return admission{
		workers:  o.Workers,
		limit:    o.QueueTimeout * 3 / 4, // the estimate is a mean: leave room for the rest
		length:   o.QueueTimeout,
		mean:     time.Duration(work * float64(usualHash)),
		networks: map[netip.Prefix]int{},
	}
}

// measured moves the mean towards the duration of one more hash.
func (a *admission) measured(took time.Duration) { a.mean += (took - a.mean) / 16 }

func (a *admission) wait(ahead int) time.Duration {
	return time.Duration(ahead) * a.mean / time.Duration(a.workers)
}

// turn starts a new window when the last one is over.
func (a *admission) turn(now time.Time) {
	if now.Sub(a.since) >= a.length {
		a.since, a.admitted, a.turnedOff = now, 0, 0
		clear(a.networks)
	}
}

// greedy reports whether network has more than half of what was let in lately
// while others ask too. One that is alone takes nothing from anybody.
func (a *admission) greedy(network netip.Prefix) bool {
	return len(a.networks) > 1 && a.admitted >= 4*a.workers && 2*a.networks[network] > a.admitted
}

// asked remembers that network wants a place.
func (a *admission) asked(network netip.Prefix) {
	if _, known := a.networks[network]; !known && len(a.networks) < maxNetworks {
		a.networks[network] = 0
	}
}

func (a *admission) count(network netip.Prefix) {
	a.admitted++
	if _, known := a.networks[network]; known {
		a.networks[network]++
	}
}

// retryAfter spreads those who were turned off lately over half of the time
// that it takes to serve them: some come in vain, which costs microseconds, but
// the queue does not run dry before the last have come back.
func (a *admission) retryAfter() time.Duration {
	spread := min(a.wait(a.turnedOff)/2, maxRetry-minRetry)
	return minRetry + time.Duration(rand.Int64N(int64(spread)+1)).Truncate(time.Second) //nolint:gosec // jitter, not a secret
}

var (
	errBacklog = errors.New("too many password checks are waiting")
	errShare   = errors.New("too many password checks of this network are waiting")
	errClosed  = errors.New("password hashing is shutting down")
)

// Admit implements [core.Passwords]. It refuses when a job of realm would have to
// wait too long. A realm's line counts against its own wait only, as realms take
// turns; and when the wait passes half of the limit and several networks ask, one
// that has had more than half of the latest places gets no more for now.
func (g *Gate) Admit(_ context.Context, realm core.Realm, network netip.Prefix) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admission.turn(time.Now())
	g.admission.asked(network)
	if err := g.admissible(realm); err != nil {
		return g.refuse(err)
	}
	if g.wait(realm) > g.admission.limit/2 && g.admission.greedy(network) {
		return g.refuse(errShare)
	}
	g.admission.count(network)
	return nil
}

func (g *Gate) wait(realm core.Realm) time.Duration {
	return g.admission.wait(g.queue.ahead(realm) + g.running)
}

// admissible refuses what would wait too long. One job for each worker is always let in.
func (g *Gate) admissible(realm core.Realm) error {
	switch {
	case g.closed:
		return errClosed
	case g.queue.length >= g.options.Workers && g.wait(realm) > g.admission.limit:
		return errBacklog
	}
	return nil
}

// refuse counts a refusal at the door and words it.
func (g *Gate) refuse(cause error) error {
	g.admission.refused++
	g.admission.turnedOff++
	return &core.Error{Kind: core.Unavailable, RetryAfter: g.admission.retryAfter(), Err: cause}
}

// refusal words a refusal that is no longer at the door.
func (g *Gate) refusal(cause error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &core.Error{Kind: core.Unavailable, RetryAfter: g.admission.retryAfter(), Err: cause}
}
