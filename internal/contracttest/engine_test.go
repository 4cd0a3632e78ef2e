package contracttest

import (
	"testing"

	chancery "github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// onEngines runs f on a world of each store.
func onEngines(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { f(t, openWorld(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, openWorld(t, onPostgreSQL(t))) })
}

// onPostgreSQL gives a world a database of its own there.
func onPostgreSQL(t *testing.T) func(*chancery.Config) {
	t.Helper()
	url := pgtest.URL(t)
	return func(config *chancery.Config) { config.Database = url }
}

// TestPostgreSQL proves the contracts again, on the other store.
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	w := openWorld(t, onPostgreSQL(t), withB3)
	for _, section := range sections {
		t.Run(section.name, func(t *testing.T) { section.run(t, w) })
	}
}
