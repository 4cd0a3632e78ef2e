package contracttest

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/chancery-auth/chancery/internal/keyring"
)

// What no door of the server leads to is done to its database: time that has
// passed for a ticket, an account that was deleted.

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// database opens the server's database beside it.
func (w *world) database(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "pgx", w.config.Database
	if path, ok := strings.CutPrefix(w.config.Database, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (w *world) change(t testing.TB, query string, args ...any) {
	t.Helper()
	result, err := w.database(t).ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 && strings.HasPrefix(query, "update") {
		t.Fatalf("%s changed %d rows: %v", query, n, err)
	}
}

// deleteAccount removes an account with its keys and tickets.
func (w *world) deleteAccount(t testing.TB, m member) {
	t.Helper()
	id := string(m.account.ID)
	w.change(t, `delete from tickets where account = $1`, id)
	w.change(t, `delete from access_keys where account = $1`, id)
	w.change(t, `delete from accounts where id = $1`, id)
}

// age makes an account's ticket older.
func (w *world) age(t testing.TB, m member, by time.Duration) {
	t.Helper()
	w.change(t, `update tickets set issued_at = issued_at - $1, expires_at = expires_at - $1 where account = $2`, by.Microseconds(), string(m.account.ID))
}

// ticketLifetime proves that a ticket holds for 60 minutes and no longer (S25).
func ticketLifetime(t *testing.T, w *world) {
	young, old := w.account(t, contractA), w.account(t, contractA)
	ticketYoung, ticketOld := w.ticket(t, young, 1), w.ticket(t, old, 1)
	w.age(t, young, 59*time.Minute)
	w.age(t, old, 60*time.Minute)
	contractA.expect(t, w.send(t, contractA, resetWith(ticketYoung, "long enough")), passwordUpdated)
	contractA.expect(t, w.send(t, contractA, resetWith(ticketOld, "long enough")), badTicket)
}

func expiredTicket(t *testing.T, w *world) {
	m := w.account(t, contractA)
	ticket := w.ticket(t, m, 1)
	w.age(t, m, 25*time.Hour)
	contractA.expect(t, w.send(t, contractA, resetWith(ticket, "long enough")), badTicket)
	contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, password)), granted)
}

// secret unseals the key that signs c's tokens.
func (w *world) secret(t testing.TB, c contract) []byte {
	t.Helper()
	var id, algorithm string
	var sealed []byte
	row := w.database(t).QueryRowContext(t.Context(), `select id, algorithm, sealed from signing_keys where realm = $1 and dialect = $2`, string(c.realm), c.dialect)
	if err := row.Scan(&id, &algorithm, &sealed); err != nil {
		t.Fatal(err)
	}
	master, err := keyring.OpenMasterKey(w.config.MasterKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := master.Open("signing_keys.sealed", fmt.Sprintf("%q %q %q %q", id, c.realm, c.dialect, algorithm), sealed)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// lock keeps the server from writing to its database until release is called.
func (w *world) lock(t testing.TB) (release func()) {
	t.Helper()
	conn, err := w.database(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := func(queries ...string) {
		for _, query := range queries {
			if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), query); err != nil {
				t.Fatal(err)
			}
		}
	}
	if strings.HasPrefix(w.config.Database, "sqlite:") {
		run("begin immediate")
	} else {
		run("begin", "lock table audit in exclusive mode")
	}
	return func() {
		run("rollback")
		_ = conn.Close()
	}
}
