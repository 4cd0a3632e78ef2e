package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/chancery-auth/chancery/core"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// Every query is understood by both engines, wherever it is used.
func TestQueries(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := openTest(t, url)
		for q := range queryCount {
			if queries[q] == "" {
				t.Errorf("query %d has no text", q)
				continue
			}
			stmt, err := s.writer.prepared.db.PrepareContext(t.Context(), queries[q])
			if err != nil {
				t.Errorf("%s: %v", queries[q], err)
				continue
			}
			_ = stmt.Close()
			if s.reads.prepared[q] == nil && s.writer.prepared.prepared[q] == nil {
				t.Errorf("%s: prepared by neither handle", queries[q])
			}
		}
	})
}

// Replicas that start at once on an empty database all come up.
func TestOpenAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				s, err := Open(t.Context(), url, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := errors.Join(s.Record(t.Context(), exchange(1)), s.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		events, err := openTest(t, url).Events(t.Context(), "", 0, 100)
		if err != nil || len(events) != 6 {
			t.Errorf("%d events, %v; want 6", len(events), err)
		}
	})
}

// A database of the first version keeps what it holds: its accounts have no tenant,
// and nothing holds them.
func TestUpgrade(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		first(t, url,
			"insert into realms values ('demo', '', 1)",
			"insert into accounts values ('demo', '1', 'alice', 'Alice', '', '', '', '', true, true, '', 1, 2, 3, 4, 5)",
			"insert into notices values ('n', 'demo', 'd', 'recovery', 'alice', 'r', 1, 2, 0, 0)")
		s := openTest(t, url)
		account, err := s.AccountByTenantLogin(t.Context(), "demo", "", "alice")
		if err != nil || account.Login != "Alice" || account.Tenant != "" || account.Hold != "" || account.Version != 5 {
			t.Errorf("AccountByTenantLogin() = %+v, %v", account, err)
		}
		notices, err := s.LeaseNotices(t.Context(), time.Now(), time.Now(), 1)
		if err != nil || len(notices) != 1 || notices[0].Tenant != "" || notices[0].Login != "alice" {
			t.Errorf("LeaseNotices() = %+v, %v", notices, err)
		}
		err = s.CreateAccount(t.Context(), core.Account{ID: "2", Realm: "demo", Tenant: "t", Login: "Alice"}, exchange(1))
		if err != nil {
			t.Errorf("CreateAccount(the same name, in a tenant) = %v", err)
		}
	})
}

// first makes a database as the first version left it, and runs statements on it.
func first(t *testing.T, url string, statements ...string) {
	t.Helper()
	e, driver, source := postgresEngine(), "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		e, driver, source = sqliteEngine(), "sqlite", sqliteSource(path, sqlitePragmas)
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(migrations, e.migrations)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(e.dialect, db, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A database that a later version has migrated is refused, and told so.
func TestNewer(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s, err := Open(t.Context(), url, Options{})
		if err != nil {
			t.Fatal(err)
		}
		const later = "insert into goose_db_version (version_id, is_applied) values (9999, $1)"
		if _, err := s.writer.prepared.db.ExecContext(t.Context(), later, true); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), url, Options{})
		if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "database is newer than this binary") {
			t.Errorf("Open() = %v, want ErrNewer", err)
		}
	})
}

// The file and its log are for their owner alone, whatever the path holds.
func TestSQLiteFile(t *testing.T) {
	for _, name := range []string{"plain.db", "a b.db", "a?b=c&d.db", "a#b.db", "a%20b.db", "ü.db", "a;b'c.db"} {
		dir := t.TempDir()
		s := openTest(t, "sqlite:"+filepath.Join(dir, name))
		if err := s.Record(t.Context(), exchange(1)); err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(dir, name); s.Path() != want {
			t.Errorf("Path() = %q, want %q", s.Path(), want)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(filepath.Join(dir, name+suffix))
			if err != nil {
				t.Error(err)
			} else if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, want 0600", info.Name(), info.Mode().Perm())
			}
		}
	}
}

// What cannot be opened is told with what to do about it.
func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, url, want string }{
		{"no scheme", "chancery.db", `want "sqlite:PATH" or "postgres://`},
		{"another scheme", "mysql://user:hunter2@host/db", `want "sqlite:PATH" or "postgres://`},
		{"no path", "sqlite:", "give the file's path"},
		{"a folder that is not there", "sqlite:" + filepath.Join(dir, "no", "x.db"), "does not exist: create it"},
		{"a folder", "sqlite:" + dir, "is a folder: name a file in it"},
		{"another file", "sqlite:" + text, "not a database"},
		{"a url that is none", "postgres://user:hunter2@host:notaport/db", "database url"},
	} {
		s, err := Open(t.Context(), tt.url, Options{})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: Open() succeeded", tt.name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: Open() = %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A folder or file that may not be written is told with what to do about it.
func TestOpenReadOnly(t *testing.T) {
	dir, err := os.MkdirTemp("", "readonly")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, "old.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(filepath.Join(dir, "old.db"), 0o444), os.Chmod(dir, 0o555)); err != nil { //nolint:gosec // nothing in it is secret
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(dir, 0o700) }() //nolint:gosec // to remove it
	for _, name := range []string{"new.db", "old.db"} {
		err := asNobody(func() error {
			s, err := Open(t.Context(), "sqlite:"+filepath.Join(dir, name), Options{})
			if err == nil {
				_ = s.Close()
			}
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "writable for the user that chancery runs as") {
			t.Errorf("Open(%s) = %v, want what to do", name, err)
		}
	}
}

// asNobody runs f on a thread that has no right to other users' files, not even
// if the tests run as root.
func asNobody(f func() error) error {
	outcome := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				outcome <- err
				return
			}
		}
		outcome <- f()
	}()
	return <-outcome
}

// A database that would not keep what it acknowledges is refused (R2).
func TestSQLiteDurability(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pragmas []string
		refused bool
	}{
		{"as opened", append(sqlitePragmas, "journal_mode(WAL)"), false},
		{"synchronous=NORMAL", []string{"journal_mode(WAL)", "synchronous(NORMAL)"}, true},
		{"synchronous=OFF", []string{"journal_mode(WAL)", "synchronous(OFF)"}, true},
		{"a rollback journal", []string{"journal_mode(DELETE)", "synchronous(FULL)"}, true},
		{"in memory", []string{"journal_mode(MEMORY)", "synchronous(FULL)"}, true},
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		db, err := sql.Open("sqlite", sqliteSource(path, tt.pragmas))
		if err != nil {
			t.Fatal(err)
		}
		err = checkSQLite(t.Context(), db, path)
		if (err != nil) != tt.refused {
			t.Errorf("%s: checkSQLite() = %v, want refused %v", tt.name, err, tt.refused)
		}
		_ = db.Close()
	}
	s := openTest(t, sqliteURL(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := s.writer.prepared.db.QueryRowContext(t.Context(), "pragma "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
}

// While another process holds SQLite's write lock, reads go on; writes wait, and
// then are Unavailable.
func TestSQLiteBusy(t *testing.T) {
	s := openTest(t, sqliteURL(t))
	if _, err := s.writer.prepared.db.ExecContext(t.Context(), "pragma busy_timeout = 50"); err != nil {
		t.Fatal(err)
	}
	rival, err := sql.Open("sqlite", sqliteSource(s.Path(), sqlitePragmas, "_txlock=immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rival.Close() }()
	tx, err := rival.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Record(t.Context(), exchange(1))
	if e, ok := errors.AsType[*core.Error](err); !ok || e.Kind != core.Unavailable || e.RetryAfter < time.Second || e.RetryAfter > 30*time.Second {
		t.Errorf("Record() = %v, want Unavailable with RetryAfter", err)
	}
	if _, err := s.Realms(t.Context()); err != nil {
		t.Errorf("Realms() = %v while another writes", err)
	}
	if err := s.Ping(t.Context()); core.KindOf(err) != core.Unavailable {
		t.Errorf("Ping() = %v, want Unavailable", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping() = %v when the lock is free", err)
	}
	if err := s.Record(t.Context(), exchange(2)); err != nil {
		t.Error(err)
	}
}

// A disk that is full fails writes, not reads, and nothing of a failed write stays (R5).
func TestSQLiteFull(t *testing.T) {
	s := openTest(t, sqliteURL(t))
	db := s.writer.prepared.db
	var pages int
	if err := db.QueryRowContext(t.Context(), "pragma page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		var got int
		if err := db.QueryRowContext(t.Context(), "pragma max_page_count = "+strconv.Itoa(pages)).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	recorded := 0
	var err error
	for recorded < 10_000 {
		if err = s.Record(t.Context(), exchange(recorded)); err != nil {
			break
		}
		recorded++
	}
	if core.KindOf(err) != core.Unavailable {
		t.Errorf("Record() on a full disk = %v, want Unavailable", err)
	}
	if err := s.Ping(t.Context()); err != nil && core.KindOf(err) != core.Unavailable {
		t.Errorf("Ping() = %v", err)
	}
	events, err := s.Events(t.Context(), "", 0, 100_000)
	if err != nil || len(events) != recorded {
		t.Errorf("%d events, %v; want %d", len(events), err, recorded)
	}
	limit(1 << 20)
	if err := errors.Join(s.Record(t.Context(), exchange(0)), s.Ping(t.Context())); err != nil {
		t.Errorf("with space again: %v", err)
	}
}
