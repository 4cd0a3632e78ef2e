package store

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// TestTamperedJournal edits, deletes and swaps records in the database, 1,000 times,
// each time in another way: verification finds each (S80).
func TestTamperedJournal(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testTampered(t, openTest(t, sqliteURL(t)).Store, 1000) })
	t.Run("PostgreSQL", func(t *testing.T) { testTampered(t, openTest(t, pgtest.URL(t)).Store, 100) })
}

const tamperedRecords = 60

func testTampered(t *testing.T, s *Store, rounds int) {
	key := core.NewSecret("a key that the database does not hold")
	s.UseChain(core.NewChain(key))
	for i := range tamperedRecords {
		event := core.Event{
			At: time.UnixMicro(int64(1+i) * 1e6), Realm: "demo", Dialect: "kyc", Action: core.ActionExchange, Actor: "actor", Account: core.AccountID(fmt.Sprint("account-", i)),
			Key: "key", TokenID: fmt.Sprint("token-", i), Session: "session", Address: netip.MustParseAddr("192.0.2.1"), RequestID: fmt.Sprint("request-", i),
		}
		if err := s.Record(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	db, random := s.writer.prepared.db, rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	faults := func() []core.AuditFault {
		t.Helper()
		report, err := core.VerifyJournal(t.Context(), s, core.NewChain(key), nil)
		if err != nil {
			t.Fatal(err)
		}
		return report.Faults
	}
	if found := faults(); len(found) > 0 {
		t.Fatalf("before anything was done: %v", found)
	}
	missed := 0
	for round := range rounds {
		what := tamper(t, db, random, round)
		if len(faults()) == 0 {
			missed++
			t.Errorf("round %d: not found: %s", round, what)
		}
		restore(t, db)
	}
	if found := faults(); len(found) > 0 {
		t.Errorf("after all was put back: %v", found)
	}
	t.Logf("found %d of %d", rounds-missed, rounds)
}

var tamperedColumns = []string{
	"at", "realm", "dialect", "action", "outcome", "actor", "account", "access_key", "token_id", "session", "address", "request_id", "link", "sealed", "salt", "sequence",
}

// tamper keeps a copy of the journal and then changes one thing of it.
func tamper(t *testing.T, db *sql.DB, random *rand.Rand, round int) string {
	t.Helper()
	for _, statement := range []string{
		`create table if not exists audit_copy as select * from audit where 1 = 0`, `delete from audit_copy`, `insert into audit_copy select * from audit`,
		`create table if not exists head_copy as select * from audit_head where 1 = 0`, `delete from head_copy`, `insert into head_copy select * from audit_head`,
	} {
		execute(t, db, statement)
	}
	one, other := 1+random.IntN(tamperedRecords), 1+random.IntN(tamperedRecords-1)
	if other >= one {
		other++
	}
	switch round % 10 {
	case 0:
		execute(t, db, `delete from audit where sequence >= $1`, one)
		return fmt.Sprint("records from ", one, " on deleted")
	case 1, 2, 3:
		execute(t, db, `delete from audit where sequence = $1`, one)
		return fmt.Sprint("record ", one, " deleted")
	case 4, 5:
		execute(t, db, `update audit set sequence = -1 where sequence = $1`, one)
		execute(t, db, `update audit set sequence = $1 where sequence = $2`, one, other)
		execute(t, db, `update audit set sequence = $1 where sequence = -1`, other)
		return fmt.Sprint("records ", one, " and ", other, " swapped")
	default:
		column := tamperedColumns[random.IntN(len(tamperedColumns))]
		switch column {
		case "at":
			execute(t, db, `update audit set at = at + 1 where sequence = $1`, one)
		case "sequence":
			execute(t, db, `update audit set sequence = sequence + 1000 where sequence = $1`, one)
		case "link", "sealed", "salt":
			execute(t, db, `update audit set `+column+` = $2 where sequence = $1`, one, []byte("0123456789abcdef0123456789abcdef"))
		default:
			execute(t, db, `update audit set `+column+` = `+column+` || 'x' where sequence = $1`, one)
		}
		return fmt.Sprint(column, " of record ", one, " edited")
	}
}

func restore(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, statement := range []string{
		`delete from audit`, `insert into audit select * from audit_copy`, `delete from audit_head`, `insert into audit_head select * from head_copy`,
	} {
		execute(t, db, statement)
	}
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
