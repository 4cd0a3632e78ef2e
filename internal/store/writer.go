package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-auth/chancery/core"
)

// A step is one caller's part of a group.
type step struct {
	run   func(*group) error // nil when there is but an event to record
	event core.Event         // recorded beside what run does, if run is nil
	state atomic.Int32       // queued, begun or dropped
	done  chan struct{}      // one value, when the outcome is known

	err      error
	again    bool // the engine undid it: try it alone
	panicked any
	held     []func() // ends what run holds of the recent rows
}

const (
	stepQueued int32 = iota
	stepBegun
	stepDropped
)

var steps = sync.Pool{New: func() any { return &step{done: make(chan struct{}, 1)} }}

// A writer commits the steps of many callers together: a sync of the disk costs
// the same for one as for a hundred.
type writer struct {
	store    *Store
	prepared *statements
	queue    chan *step
	limit    int // steps in a group
	events   []core.RecordedEvent
	chain    atomic.Pointer[core.Chain]
	args     []any

	mu      sync.RWMutex // held for reading while something is put into queue
	closed  bool
	stopped chan struct{}
}

func startWriter(s *Store, prepared *statements, opts Options) *writer {
	w := &writer{
		store:    s,
		prepared: prepared,
		queue:    make(chan *step, opts.QueueLength),
		limit:    opts.GroupSize,
		stopped:  make(chan struct{}),
	}
	w.chain.Store(core.NewChain(core.Secret{}))
	go w.loop()
	return w
}

// close commits what is queued and ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
}

// write runs a step in the next group and returns when it is durable, or undone.
func (s *Store) write(ctx context.Context, run func(*group) error) error {
	st := steps.Get().(*step)
	st.run = run
	return s.await(ctx, st)
}

// record makes an event durable.
func (s *Store) record(ctx context.Context, event core.Event) error {
	st := steps.Get().(*step)
	st.event = event
	return s.await(ctx, st)
}

// await queues st and waits. A step whose context ends before its group begins
// is dropped; after that the outcome is waited for, as it may be a success.
func (s *Store) await(ctx context.Context, st *step) error {
	if err := s.writer.put(ctx, st); err != nil {
		return s.engine.fault(err)
	}
	select {
	case <-st.done:
	case <-ctx.Done():
		if st.state.CompareAndSwap(stepQueued, stepDropped) {
			return s.engine.fault(ctx.Err()) // the writer lets go of st
		}
		<-st.done
	}
	for _, release := range st.held {
		release()
	}
	err, panicked := st.err, st.panicked
	done := st.done
	*st = step{done: done}
	steps.Put(st)
	if panicked != nil {
		panic(panicked)
	}
	return err
}

var (
	errClosed = errors.New("the store is closed")
	errFull   = errors.New("too many writes are waiting")
)

// queueTimeout is how long a caller without a deadline waits for a place.
const queueTimeout = 5 * time.Second

func (w *writer) put(ctx context.Context, st *step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- st:
		return nil
	default:
	}
	timeout := time.NewTimer(queueTimeout)
	defer timeout.Stop()
	select {
	case w.queue <- st:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return errFull
	}
}

func (w *writer) loop() {
	defer close(w.stopped)
	steps := make([]*step, 0, w.limit)
	for first := range w.queue {
		steps = begin(steps[:0], first)
		// Callers that the last commit set free get to queue their next step, so
		// that the group is theirs too: as long as one comes with each turn that the
		// writer gives to others. Nothing is waited for.
		for grown := true; grown && len(steps) < w.limit; {
			runtime.Gosched()
			before := len(steps)
			steps = w.gather(steps)
			grown = len(steps) > before
		}
		if len(steps) > 0 {
			w.commit(steps)
		}
		clear(steps)
	}
}

// gather takes what is queued into the group.
func (w *writer) gather(steps []*step) []*step {
	for len(steps) < w.limit {
		select {
		case st, ok := <-w.queue:
			if !ok {
				return steps
			}
			steps = begin(steps, st)
		default:
			return steps
		}
	}
	return steps
}

// begin adds st to the group unless its caller has gone.
func begin(steps []*step, st *step) []*step {
	if st.state.CompareAndSwap(stepQueued, stepBegun) {
		return append(steps, st)
	}
	return steps
}

// commit brings every step to its outcome and tells the callers.
func (w *writer) commit(steps []*step) {
	err := w.attempt(steps)
	together := err == nil
	for _, st := range steps {
		switch {
		case together && !st.again:
		case together || w.separable(err):
			w.alone(st)
		default:
			st.err = w.store.engine.fault(err)
		}
	}
	for _, st := range steps {
		st.done <- struct{}{}
	}
}

// alone gives st a transaction of its own, so that a step which breaks its
// group fails alone.
func (w *writer) alone(st *step) {
	const attempts = 5
	for range attempts {
		err := w.attempt([]*step{st})
		if err == nil && !st.again {
			return
		}
		if err != nil {
			st.err = w.store.engine.fault(err)
			if w.store.engine.class(err) != classAgain || isCommit(err) {
				return
			}
		}
	}
}

// separable reports whether a group's error may be the fault of one of its
// steps. When the database is what fails, trying each would only take longer;
// and after a commit without an answer, nothing may be done again.
func (w *writer) separable(err error) bool {
	class := w.store.engine.class(err)
	return !isCommit(err) && class != classUnavailable && class != classStale
}

// A commitError is the error of a commit that may have taken effect.
type commitError struct{ err error }

func (e commitError) Error() string { return "commit: " + e.err.Error() }
func (e commitError) Unwrap() error { return e.err }

func isCommit(err error) bool {
	_, ok := errors.AsType[commitError](err)
	return ok
}

// attempt runs steps in one transaction. Its error is that of the group, of
// which nothing was done (or, for a commitError, nobody knows); the outcome of
// each step is in the step.
func (w *writer) attempt(steps []*step) (err error) {
	ctx := context.Background()
	if timeout := w.store.engine.writeTimeout; timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	defer func() { w.note(err) }()
	tx, err := w.prepared.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	g := &group{ctx: ctx, tx: tx, prepared: w.prepared, events: w.events[:0], args: w.args}
	err = g.runAll(steps, w.store.engine)
	if err == nil {
		err = g.insertEvents(w.chain.Load())
	}
	w.events, w.args = g.events[:0], g.args[:0]
	clear(g.events)
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	err = tx.Commit()
	if err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) { // which is the server's word that nothing was done
		return commitError{err}
	}
	return err
}

// note keeps whether the database takes writes, and lets go of connections to a
// server that takes none any more: after a failover it is the wrong one.
func (w *writer) note(err error) {
	if err == nil {
		w.store.writing.Store(true)
		return
	}
	switch w.store.engine.class(err) {
	case classStale:
		w.store.writing.Store(false)
		w.prepared.drop(1)
		w.store.reads.drop(postgresConnections - 1)
	case classUnavailable:
		w.store.writing.Store(false)
	case classTaken, classMissing, classAgain, classFaulty: // the database is well
	}
}

// drop closes idle connections, and lets keep idle ones be kept again.
func (s *statements) drop(keep int) {
	s.db.SetMaxIdleConns(-1)
	s.db.SetMaxIdleConns(keep)
}
