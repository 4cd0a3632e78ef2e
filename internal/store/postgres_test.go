package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// A cutter passes a connection to PostgreSQL on, until it is told to cut it at a
// commit: before the server hears of it, or before the client hears of its answer.
type cutter struct {
	network, server string
	mode            atomic.Int32
	cuts            atomic.Int32
}

const (
	passOn int32 = iota
	cutBefore
	cutAfter
)

// cut starts a cutter for the database at source, and returns its own URL.
func cut(t *testing.T, source string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "cut") // short, as a socket's path must be
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{network: "unix", server: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	if u.Query().Get("host") == "" {
		c.network, c.server = "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "5432"))
	}
	u.Host = ""
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
		_ = os.RemoveAll(dir)
	})
	q := u.Query()
	q.Set("host", dir)
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	return c, u.String()
}

func (c *cutter) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial(c.network, c.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var silent atomic.Bool
	go func() {
		defer func() { _ = client.Close() }()
		answer := make([]byte, 1<<16)
		for {
			n, err := server.Read(answer)
			if err != nil || silent.Load() {
				return
			}
			if _, err := client.Write(answer[:n]); err != nil {
				return
			}
		}
	}()
	request := make([]byte, 1<<16)
	for {
		n, err := client.Read(request)
		if err != nil {
			return
		}
		if mode := c.mode.Load(); mode != passOn && bytes.Contains(request[:n], []byte("commit\x00")) {
			c.cuts.Add(1)
			silent.Store(true)
			if mode == cutAfter {
				_, _ = server.Write(request[:n])
				time.Sleep(5 * time.Millisecond) // let it be done
			}
			return
		}
		if _, err := server.Write(request[:n]); err != nil {
			return
		}
	}
}

// A connection that is cut during COMMIT gives no false success, and nothing is
// done twice (R10).
func TestPostgresCutAtCommit(t *testing.T) {
	source := pgtest.URL(t)
	c, through := cut(t, source)
	s := openTest(t, through)
	succeeded := map[string]bool{}
	n := 0
	for round := range rounds(t) * 8 {
		c.mode.Store([]int32{cutBefore, cutAfter, passOn, passOn}[round%4])
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 5 {
			e := exchange(n)
			n++
			wg.Go(func() {
				err := s.Record(t.Context(), e)
				if err != nil && core.KindOf(err) != core.Unavailable {
					t.Errorf("Record() = %v, want Unavailable", err)
				}
				mu.Lock()
				defer mu.Unlock()
				succeeded[e.TokenID] = err == nil
			})
		}
		wg.Wait()
	}
	c.mode.Store(passOn)
	times := map[string]int{}
	events, err := openTest(t, source).Events(t.Context(), "", 0, n+1)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if times[e.TokenID]++; times[e.TokenID] > 1 {
			t.Errorf("%s was done twice", e.TokenID)
		}
	}
	good := 0
	for id, ok := range succeeded {
		if ok && times[id] == 0 {
			t.Errorf("%s is a false success", id)
		}
		if ok {
			good++
		}
	}
	t.Logf("%d events, %d cuts, %d succeeded, %d are there", n, c.cuts.Load(), good, len(events))
	if c.cuts.Load() == 0 || good == 0 || good == n {
		t.Error("the test cut nothing, or everything")
	}
}

// A server that drops every connection costs the calls of that moment, no more.
func TestPostgresConnectionsLost(t *testing.T) {
	source := pgtest.URL(t)
	s := openTest(t, source)
	other := openTest(t, source)
	for range 3 {
		const end = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
		if _, err := other.reads.db.ExecContext(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for {
			err := errors.Join(s.Record(t.Context(), exchange(1)), s.Ping(t.Context()))
			if err == nil {
				break
			}
			if core.KindOf(err) != core.Unavailable {
				t.Errorf("got %v", err)
			}
			if time.Since(begun) > 5*time.Second {
				t.Fatalf("still %v after 5 s", err)
			}
		}
	}
}

// A server that has become read-only fails writes and is not held on to.
func TestPostgresReadOnly(t *testing.T) {
	source := pgtest.URL(t)
	s := openTest(t, source)
	other := openTest(t, source)
	set := func(value string) {
		t.Helper()
		u, err := url.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		statement := fmt.Sprintf("alter database %s set default_transaction_read_only = %s", u.Path[1:], value)
		db := other.writer.prepared.db
		if _, err := db.ExecContext(t.Context(), "set default_transaction_read_only = off"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	set("on")
	s.writer.prepared.drop(1) // as the failover would
	err := s.Record(t.Context(), exchange(1))
	if core.KindOf(err) != core.Unavailable {
		t.Errorf("Record() = %v, want Unavailable", err)
	}
	if err := s.Ping(t.Context()); core.KindOf(err) != core.Unavailable {
		t.Errorf("Ping() = %v, want Unavailable", err)
	}
	if _, err := s.Realms(t.Context()); err != nil {
		t.Errorf("Realms() = %v on a server that can be read", err)
	}
	set("off")
	// The connection to the read-only server was dropped with the error, so that
	// the next one is made anew.
	if err := errors.Join(s.Ping(t.Context()), s.Record(t.Context(), exchange(2))); err != nil {
		t.Errorf("when it takes writes again: %v", err)
	}
}

// A server whose commits are not durable is refused.
func TestPostgresDurability(t *testing.T) {
	source := pgtest.URL(t)
	u, err := url.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	s, err := Open(t.Context(), u.String(), Options{})
	if err == nil {
		_ = s.Close()
		t.Fatal("Open() with synchronous_commit off succeeded")
	}
}

// A server that is not there is Unavailable, soon, and the password is not told.
func TestPostgresAbsent(t *testing.T) {
	for _, source := range []string{"postgres://u:hunter2@127.0.0.1:1/db", "postgres://u:hunter2@/db?host=/nowhere"} {
		begun := time.Now()
		_, err := Open(t.Context(), source, Options{})
		if core.KindOf(err) != core.Unavailable || bytes.Contains([]byte(err.Error()), []byte("hunter2")) {
			t.Errorf("Open(%s) = %v, want Unavailable", source, err)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

func TestPostgresConfig(t *testing.T) {
	for _, tt := range []struct {
		source    string
		readWrite bool
	}{
		{"postgres://u@one/db", false},
		{"postgres://u@one/db?sslmode=prefer", false},
		{"postgres://u@one,two/db", true},
		{"postgres://u@one,two/db?target_session_attrs=any", false},
	} {
		config, err := postgresConfig(tt.source)
		if err != nil {
			t.Fatal(err)
		}
		if got := config.ValidateConnect != nil; got != tt.readWrite {
			t.Errorf("%s: asks for a server that takes writes: %v, want %v", tt.source, got, tt.readWrite)
		}
		if config.ConnectTimeout != 2*time.Second || config.RuntimeParams["application_name"] != "chancery" {
			t.Errorf("%s: timeout %v, name %q", tt.source, config.ConnectTimeout, config.RuntimeParams["application_name"])
		}
	}
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want class
	}{
		{&pgconn.PgError{Code: "23505"}, classTaken},
		{&pgconn.PgError{Code: "23503"}, classMissing},
		{&pgconn.PgError{Code: "23514"}, classFaulty},
		{&pgconn.PgError{Code: "22021"}, classFaulty},
		{&pgconn.PgError{Code: "42P01"}, classFaulty},
		{&pgconn.PgError{Code: "42501"}, classUnavailable},
		{&pgconn.PgError{Code: "25P02"}, classFaulty},
		{&pgconn.PgError{Code: "25006"}, classStale},
		{&pgconn.PgError{Code: "40001"}, classAgain},
		{&pgconn.PgError{Code: "40P01"}, classAgain},
		{&pgconn.PgError{Code: "53100"}, classUnavailable}, // disk full
		{&pgconn.PgError{Code: "53300"}, classUnavailable}, // too many connections
		{&pgconn.PgError{Code: "57P01"}, classUnavailable}, // shutting down
		{&pgconn.PgError{Code: "57P03"}, classUnavailable}, // starting up
		{&pgconn.PgError{Code: "08006"}, classUnavailable},
		{&pgconn.PgError{Code: "28P01"}, classUnavailable},
		{io.ErrUnexpectedEOF, classUnavailable},
		{fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: "23505"}), classTaken},
	} {
		if got := postgresEngine().class(tt.err); got != tt.want {
			t.Errorf("class(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}
