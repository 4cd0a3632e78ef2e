package store

import (
	"path/filepath"
	"testing"

	"github.com/chancery-auth/chancery/core/storetest"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// A handle is a store that a test can open once more.
type handle struct {
	*Store
	url string
}

func (h handle) Reopen(t *testing.T) storetest.Store { return openTest(t, h.url) }

func openTest(t testing.TB, url string) handle {
	t.Helper()
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return handle{s, url}
}

func sqliteURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") }

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openTest(t, sqliteURL(t)) })
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openTest(t, pgtest.URL(t)) })
}
