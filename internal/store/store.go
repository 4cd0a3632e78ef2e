// Package store keeps what core asks to be kept, in SQLite or PostgreSQL: one
// type, [Store], over database/sql, with one text of every query for both.
//
// It owns the schema (migrations/), the grouping of commits (writer.go), the
// memory that serves hot reads (recent.go) and the meaning of the engines'
// errors (errors.go). It knows no rule: what may change, and when, is decided by
// core. What a method must do is said by core's interfaces and proved by
// core/storetest, to which the fake in memory/ is held as well.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/chancery-auth/chancery/core"
)

// Options adjusts a store; the zero value is right for most.
type Options struct {
	RecentEntries int // bound of each map that serves hot reads; default 10,000
	GroupSize     int // most write steps in one commit; default 128
	QueueLength   int // write steps that may wait for their group; default 1,024
}

func (o *Options) fill() {
	for field, value := range map[*int]int{&o.RecentEntries: 10_000, &o.GroupSize: 128, &o.QueueLength: 1_024} {
		if *field <= 0 {
			*field = value
		}
	}
}

// A Store keeps realms, tenants, accounts, access keys, sessions and their tokens,
// second factors, tickets, notices, audit records and signing keys in one
// database. Its methods may be called concurrently.
//
// The change functions that it is given run on the one goroutine that writes:
// they must be quick, must not write to the store, and must return or panic (no
// t.Fatal in a test).
type Store struct {
	engine  *engine
	path    string
	reads   *statements
	writer  *writer
	writing atomic.Bool // whether the last write that was tried reached the database

	recentAccounts    *recent[core.Account]
	recentKeys        *recent[core.AccessKey]
	recentIdentifiers *recent[core.AccessKey]
	recentSessions    *recent[core.Session]
}

var (
	_ core.Realms      = (*Store)(nil)
	_ core.Accounts    = (*Store)(nil)
	_ core.Tenants     = (*Store)(nil)
	_ core.AccessKeys  = (*Store)(nil)
	_ core.Recent      = (*Store)(nil)
	_ core.Sessions    = (*Store)(nil)
	_ core.Tokens      = (*Store)(nil)
	_ core.Factors     = (*Store)(nil)
	_ core.Tickets     = (*Store)(nil)
	_ core.Outbox      = (*Store)(nil)
	_ core.Audit       = (*Store)(nil)
	_ core.SigningKeys = (*Store)(nil)
)

// Open opens the database at url, brings its schema up to date and starts the
// writer. url is "sqlite:PATH" or "postgres://…" ("postgresql://…").
//
// A database that cannot be reached now is an error of kind Unavailable: the
// caller may try again. One with a newer schema is [ErrNewer].
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	opts.fill()
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return openSQLite(ctx, path, opts)
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return openPostgres(ctx, url, opts)
	}
	return nil, errors.New(`store: database url: want "sqlite:PATH" or "postgres://USER@HOST/NAME"`)
}

// start makes a store of two open handles, and closes both when it fails.
func start(ctx context.Context, e *engine, reads, writes *sql.DB, opts Options) (_ *Store, err error) {
	defer func() {
		if err != nil {
			_ = reads.Close()
			_ = writes.Close()
		}
	}()
	if err := migrate(ctx, e, reads, writes); err != nil {
		return nil, err
	}
	s := &Store{
		engine:            e,
		recentAccounts:    newRecent[core.Account](opts.RecentEntries),
		recentKeys:        newRecent[core.AccessKey](opts.RecentEntries),
		recentIdentifiers: newRecent[core.AccessKey](opts.RecentEntries),
		recentSessions:    newRecent[core.Session](opts.RecentEntries),
	}
	if s.reads, err = prepare(ctx, e, reads, readQueries); err != nil {
		return nil, e.fault(err)
	}
	prepared, err := prepare(ctx, e, writes, writeQueries)
	if err != nil {
		return nil, e.fault(err)
	}
	s.writing.Store(true)
	s.writer = startWriter(s, prepared, opts)
	return s, nil
}

// Path returns the database's file, or "" when it is not one.
func (s *Store) Path() string { return s.path }

// Close finishes the writes that are queued and closes the database. Steps that
// come later are refused as Unavailable.
func (s *Store) Close() error {
	s.writer.close()
	return errors.Join(s.reads.db.Close(), s.writer.prepared.db.Close())
}

// Ping returns nil if the database can be read and written. It writes only when
// the last write failed: a store that works is asked nothing but a look-up.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel, err := s.readContext(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	var one int
	if err := s.reads.row(ctx, readOne).Scan(&one); err != nil {
		return s.engine.fault(err)
	}
	if s.writing.Load() {
		return nil
	}
	return s.write(ctx, func(g *group) error {
		_, err := g.exec(writeProbe, now())
		return err
	})
}

// readContext gives the context for a read. SQLite answers from the machine
// itself and pays microseconds for a context that can end, so there it is
// looked at once; PostgreSQL may be gone without a word, so there it has a limit.
func (s *Store) readContext(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, s.engine.fault(err)
	}
	if s.engine.readTimeout == 0 {
		return context.Background(), func() {}, nil
	}
	limited, cancel := context.WithTimeout(ctx, s.engine.readTimeout)
	return limited, cancel, nil
}

// find reads one row of a query.
func find[T any](ctx context.Context, s *Store, q query, scan func(row) (T, error), args ...any) (T, error) {
	var none T
	ctx, cancel, err := s.readContext(ctx)
	if err != nil {
		return none, err
	}
	defer cancel()
	found, err := scan(s.reads.row(ctx, q, args...))
	if err != nil {
		return none, s.engine.fault(err)
	}
	return found, nil
}

// list reads every row of a query.
func list[T any](ctx context.Context, s *Store, q query, scan func(row) (T, error), args ...any) ([]T, error) {
	ctx, cancel, err := s.readContext(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	rows, err := s.reads.rows(ctx, q, args...)
	if err != nil {
		return nil, s.engine.fault(err)
	}
	found, err := collect(rows, scan)
	if err != nil {
		return nil, s.engine.fault(err)
	}
	return found, nil
}

func collect[T any](rows *sql.Rows, scan func(row) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }()
	var found []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return found, nil
}
