package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/chancery-auth/chancery/core"
)

// A group is one transaction, as its steps see it.
type group struct {
	ctx      context.Context //nolint:containedctx // lives as long as the transaction
	tx       *sql.Tx
	prepared *statements
	bound    [queryCount]*sql.Stmt
	events   []core.RecordedEvent
	args     []any
	step     *step
}

// runAll runs each step in a savepoint: one that fails is undone alone.
func (g *group) runAll(steps []*step, e *engine) error {
	for _, st := range steps {
		st.err, st.again, st.panicked = nil, false, nil
		for _, release := range st.held {
			release()
		}
		st.held = st.held[:0]
		if st.run == nil {
			g.record(st.event)
			continue
		}
		if err := g.runOne(st, e); err != nil {
			return err
		}
	}
	return nil
}

// runOne returns the error that ends the group; the step's own is in the step.
func (g *group) runOne(st *step, e *engine) error {
	if _, err := g.stmt(beginStep).ExecContext(g.ctx); err != nil {
		return err
	}
	recorded := len(g.events)
	g.step = st
	err := g.call(st)
	if err == nil && st.panicked == nil {
		_, err := g.stmt(endStep).ExecContext(g.ctx)
		return err
	}
	g.events = g.events[:recorded]
	if f, ok := errors.AsType[failure](err); ok {
		switch e.class(f.err) {
		case classUnavailable, classStale:
			if !errors.Is(f.err, sql.ErrNoRows) {
				return f.err
			}
		case classAgain:
			st.again = true
		case classTaken, classMissing, classFaulty: // the step's own affair
		}
		err = e.fault(f.err)
	}
	st.err = err
	if _, err := g.stmt(undoStep).ExecContext(g.ctx); err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	_, err = g.stmt(endStep).ExecContext(g.ctx)
	return err
}

// call runs a step's function; its panic belongs to the caller's goroutine.
func (g *group) call(st *step) error {
	defer func() { st.panicked = recover() }()
	return st.run(g)
}

// A failure is an error of the driver, told from those of change functions.
type failure struct{ err error }

func (f failure) Error() string { return f.err.Error() }

func (g *group) stmt(q query) *sql.Stmt {
	if g.bound[q] == nil {
		g.bound[q] = g.tx.StmtContext(g.ctx, g.prepared.prepared[q])
	}
	return g.bound[q]
}

// exec runs a query and returns how many rows it touched.
func (g *group) exec(q query, args ...any) (int64, error) {
	result, err := g.stmt(q).ExecContext(g.ctx, args...)
	if err != nil {
		return 0, failure{err}
	}
	touched, err := result.RowsAffected()
	if err != nil {
		return 0, failure{err}
	}
	return touched, nil
}

// load reads one row of a query.
func load[T any](g *group, q query, scan func(row) (T, error), args ...any) (T, error) {
	found, err := scan(g.stmt(q).QueryRowContext(g.ctx, args...))
	if err != nil {
		return found, failure{err}
	}
	return found, nil
}

// hold keeps a row out of the memory for hot reads until the step's outcome is
// known to its caller.
func (g *group) hold(release func()) { g.step.held = append(g.step.held, release) }

// execOne runs a query that is about one row; NotFound if it is not there.
func (g *group) execOne(q query, args ...any) error {
	touched, err := g.exec(q, args...)
	if err == nil && touched == 0 {
		return &core.Error{Kind: core.NotFound}
	}
	return err
}

func isMissing(err error) bool {
	f, ok := errors.AsType[failure](err)
	return ok && errors.Is(f.err, sql.ErrNoRows)
}
