package counter

import (
	"container/list"
	"context"
	"time"

	"github.com/throttled/throttled/v2"
)

// A table remembers the entries of one limit, a bounded number of them. Its methods
// and those of its entries want the lock of Memory.
type table struct {
	limiter  *throttled.GCRARateLimiterCtx
	cell     cell
	failures int // that are free
	most     int
	now      func() time.Time
	entries  map[uint64]*entry
	used     *list.List // of *entry, the latest first
}

// An entry counts the attempts of one identity or network.
type entry struct {
	table    *table
	hash     uint64
	place    *list.Element
	arrival  int64 // GCRA's theoretical arrival time in Unix nanoseconds; 0: no failure
	underway int
	queue    []*waiter // those who wait for one of the attempts to end, by turn
}

func newTable(failures int, interval time.Duration, most int, now func() time.Time) *table {
	t := &table{failures: failures, most: most, now: now, entries: map[uint64]*entry{}, used: list.New()}
	quota := throttled.RateQuota{MaxRate: throttled.PerDuration(1, interval), MaxBurst: failures - 1} // it allows one more
	limiter, err := throttled.NewGCRARateLimiterCtx(&t.cell, quota)
	if err != nil {
		panic(err) // it refuses what is not positive, which Options does not let through
	}
	t.limiter = limiter
	return t
}

// entry returns the entry of hash, made if need be.
func (t *table) entry(hash uint64) *entry {
	if e, ok := t.entries[hash]; ok {
		t.used.MoveToFront(e.place)
		return e
	}
	t.makeRoom()
	e := &entry{table: t, hash: hash}
	e.place = t.used.PushFront(e)
	t.entries[hash] = e
	return e
}

const evictionSample = 16

// makeRoom forgets one of the entries that were used longest ago, the one whose
// failures lapse first, so that a flood of names with a failure each does not wash
// out those with many. Entries in use stay, over the bound if need be.
func (t *table) makeRoom() {
	if len(t.entries) < t.most {
		return
	}
	var victim *entry
	place := t.used.Back()
	for range evictionSample {
		if place == nil {
			break
		}
		e := place.Value.(*entry)
		if !e.busy() && (victim == nil || e.arrival < victim.arrival) {
			victim = e
		}
		place = place.Prev()
	}
	if victim != nil {
		victim.drop()
	}
}

func (e *entry) busy() bool { return e.underway > 0 || len(e.queue) > 0 }

func (e *entry) drop() {
	e.table.used.Remove(e.place)
	delete(e.table.entries, e.hash)
}

// dropIdle forgets e if it has nothing to remember. It may have been dropped before.
func (e *entry) dropIdle() {
	if !e.busy() && e.arrival <= e.table.now().UnixNano() && e.table.entries[e.hash] == e {
		e.drop()
	}
}

// room returns how many attempts may fail now, and if none how long until one may.
func (e *entry) room() (int, time.Duration) {
	result := e.rate(0)
	if result.Remaining > 0 {
		return result.Remaining, 0
	}
	return 0, max(result.RetryAfter, 1)
}

func (e *entry) fail() { e.rate(1) }

func (e *entry) forget() { e.arrival = 0 }

// rate has GCRA charge quantity failures, none to look only.
func (e *entry) rate(quantity int) throttled.RateLimitResult {
	e.table.cell.entry = e
	_, result, _ := e.table.limiter.RateLimitCtx(context.Background(), "", quantity) // a cell does not fail
	e.table.cell.entry = nil
	return result
}

// A cell is the store that throttled sees: the one entry in hand. The lock of Memory
// makes its operations atomic.
type cell struct{ entry *entry }

func (c *cell) GetWithTime(context.Context, string) (int64, time.Time, error) {
	if c.entry.arrival == 0 {
		return -1, c.entry.table.now(), nil
	}
	return c.entry.arrival, c.entry.table.now(), nil
}

func (c *cell) SetIfNotExistsWithTTL(_ context.Context, _ string, value int64, _ time.Duration) (bool, error) {
	c.entry.arrival = value
	return true, nil
}

func (c *cell) CompareAndSwapWithTTL(_ context.Context, _ string, _, value int64, _ time.Duration) (bool, error) {
	c.entry.arrival = value
	return true, nil
}
