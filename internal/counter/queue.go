package counter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// maxWaiting bounds the attempts that wait for one entry.
const maxWaiting = 256

// A waiter is an attempt that has not begun. It stands in the queue of an entry that
// is full, until it is answered or its Begin gives up.
type waiter struct {
	claim  claim
	turn   uint64 // its place among all who ever waited
	queue  *entry // nil once it is answered
	answer chan answer
}

type answer struct {
	attempt core.Attempt
	err     error
}

// join puts w into the queue of e by its turn: those who come from the queue of
// another entry may be earlier than those who stand here.
func (e *entry) join(w *waiter) {
	at, _ := slices.BinarySearchFunc(e.queue, w, func(a, b *waiter) int { return cmp.Compare(a.turn, b.turn) })
	e.queue = slices.Insert(e.queue, at, w)
	w.queue = e
}

func (e *entry) leave(w *waiter) {
	at := slices.Index(e.queue, w)
	e.queue = slices.Delete(e.queue, at, at+1)
	w.queue = nil
}

// serve answers those who wait for one of the entries, first come, first served, as
// far as there is room.
func (m *Memory) serve(entries []*entry) {
	var full []*entry
	for {
		var next *entry
		for _, e := range entries {
			if len(e.queue) > 0 && !slices.Contains(full, e) && (next == nil || e.queue[0].turn < next.queue[0].turn) {
				next = e
			}
		}
		if next == nil {
			break
		}
		if !m.serveFirst(next) {
			full = append(full, next)
		}
	}
	for _, e := range entries {
		e.dropIdle()
	}
}

// serveFirst lets the first of e's queue go on, unless e has no room for it.
func (m *Memory) serveFirst(e *entry) bool {
	w := e.queue[0]
	entries := m.entries(w.claim)
	full, retry := reserve(entries, false)
	if full == e && retry.wait <= 0 {
		return false
	}
	e.leave(w)
	switch {
	case retry.wait > 0:
		w.answer <- answer{err: retry.refusal()}
	case full == nil:
		w.answer <- answer{attempt: &attempt{memory: m, entries: entries}}
	case len(full.queue) >= maxWaiting:
		w.answer <- answer{err: crowded(errQueue)}
	default:
		full.join(w) // there is room for it here and none there
	}
	return true
}

// await returns w's answer. It gives up when the time of Options.Patience has passed
// or ctx ends.
func (m *Memory) await(ctx context.Context, w *waiter) (core.Attempt, error) {
	timer := time.NewTimer(m.patience)
	defer timer.Stop()
	var err error
	select {
	case got := <-w.answer:
		return got.attempt, got.err
	case <-timer.C:
		err = crowded(fmt.Errorf("no other attempt ended within %v", m.patience))
	case <-ctx.Done():
		err = crowded(context.Cause(ctx))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.queue == nil { // its turn came at the same moment
		got := <-w.answer
		return got.attempt, got.err
	}
	full := w.queue
	full.leave(w)
	full.dropIdle()
	return nil, err
}

var errQueue = errors.New("too many attempts wait already")

// crowded is for who has done nothing wrong but came with too many others: nothing
// is known of the attempts under way, so it is no refusal for failures.
func crowded(cause error) error {
	return &core.Error{Kind: core.Unavailable, RetryAfter: time.Second, Err: fmt.Errorf("waiting for other attempts: %w", cause)}
}
