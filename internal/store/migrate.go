package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

// ErrNewer is returned by [Open] for a database whose schema this program does
// not know: a later version of it has migrated it.
var ErrNewer = errors.New("database is newer than this binary")

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. Several processes may do so at once.
func migrate(ctx context.Context, e *engine, reads, writes *sql.DB) error {
	unlock, err := e.lock(ctx, reads)
	if err != nil {
		return e.fault(fmt.Errorf("lock for migration: %w", err))
	}
	defer unlock()
	folder, err := fs.Sub(migrations, e.migrations)
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	provider, err := goose.NewProvider(e.dialect, writes, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	// Without a lock to hold, as with SQLite, another process may get in between:
	// its work is then done, and ours begins anew.
	const attempts = 5
	for attempt := range attempts {
		if err = upgrade(ctx, provider); err == nil || errors.Is(err, ErrNewer) || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Duration(attempt) * 20 * time.Millisecond)
	}
	if errors.Is(err, ErrNewer) {
		return err
	}
	if err != nil {
		return e.fault(fmt.Errorf("migrate: %w", err))
	}
	return nil
}

func upgrade(ctx context.Context, provider *goose.Provider) error {
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > newest {
		return fmt.Errorf("%w: it has schema %d, and %d is the newest known here; use a later version, or restore a backup", ErrNewer, current, newest)
	}
	if current == newest {
		return nil
	}
	_, err = provider.Up(ctx)
	return err
}
