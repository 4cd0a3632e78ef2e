package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/chancery-auth/chancery/core"
)

// An engine is what SQLite and PostgreSQL do not share.
type engine struct {
	dialect      goose.Dialect
	migrations   string // folder
	readTimeout  time.Duration
	writeTimeout time.Duration // of a whole group; 0 for none
	// lock keeps other processes from migrating until unlock is called.
	lock    func(ctx context.Context, db *sql.DB) (unlock func(), err error)
	unnamed bool // queries are written without the names of parameters
	// classify tells what an error of the driver means.
	classify func(error) class
}

// A class is the meaning of a driver's error.
type class int

const (
	classUnavailable class = iota // busy, full, read-only, not to be reached: whatever is not below
	classStale                    // the server takes no writes any more: another may
	classTaken                    // a unique index refused
	classMissing                  // a foreign key refused
	classAgain                    // undone by the engine in favour of another transaction
	classFaulty                   // the statement or a value in it is wrong
)

// class tells what err means: what the store itself found first, then the driver.
func (e *engine) class(err error) class {
	switch {
	case errors.Is(err, errStored):
		return classFaulty
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return classAgain
	}
	return e.classify(err)
}

// fault turns a driver's error into one of core's kinds. What is core's already
// stays as it is.
func (e *engine) fault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return &core.Error{Kind: core.NotFound}
	}
	switch e.class(err) {
	case classTaken, classAgain:
		return &core.Error{Kind: core.Conflict, Err: fmt.Errorf("store: %w", err)}
	case classMissing:
		return &core.Error{Kind: core.NotFound, Err: fmt.Errorf("store: %w", err)}
	case classFaulty:
		return fmt.Errorf("store: %w", err)
	default:
		return unavailable(err)
	}
}

// unavailable spreads the retries of those who are told it over some seconds.
func unavailable(err error) error {
	wait := time.Second + rand.N(4*time.Second) //nolint:gosec // spreads load, guards nothing
	return &core.Error{Kind: core.Unavailable, RetryAfter: wait, Err: fmt.Errorf("store: %w", err)}
}
