package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

const (
	postgresOldest      = 150000 // server_version_num
	postgresConnections = 20
	// migrationLock is the advisory lock that a migrating process holds.
	migrationLock = 0x6368616e63657279 // "chancery"
)

func postgresEngine() *engine {
	return &engine{
		dialect:      goose.DialectPostgres,
		migrations:   "migrations/postgres",
		readTimeout:  2 * time.Second,
		writeTimeout: 5 * time.Second,
		classify:     classifyPostgres,
		lock:         lockPostgres,
	}
}

func openPostgres(ctx context.Context, source string, opts Options) (*Store, error) {
	config, err := postgresConfig(source)
	if err != nil {
		return nil, err
	}
	e := postgresEngine()
	reads := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(boundTransactions))
	keepOpen(reads, postgresConnections-1)
	reads.SetConnMaxLifetime(30 * time.Minute)
	if err := checkPostgres(ctx, e, reads); err != nil {
		return nil, errors.Join(err, reads.Close())
	}
	writes := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(boundTransactions))
	keepOpen(writes, 1)
	writes.SetConnMaxLifetime(30 * time.Minute)
	return start(ctx, e, reads, writes, opts)
}

func postgresConfig(source string) (*pgx.ConnConfig, error) {
	config, err := parsePostgresURL(source)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 2 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "chancery"
	}
	if several(config) && !names(source, "target_session_attrs") {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return config, nil
}

// several reports whether more than one server is named: then the one that
// takes writes is the one that is meant. (A fallback may also be the same
// server without TLS.)
func several(config *pgx.ConnConfig) bool {
	for _, f := range config.Fallbacks {
		if f.Host != config.Host || f.Port != config.Port {
			return true
		}
	}
	return false
}

func names(source, parameter string) bool {
	u, err := url.Parse(source)
	return err == nil && u.Query().Has(parameter)
}

// boundTransactions ends, on the server, the transaction of a process that is
// gone without a word, so that its row locks do not stop the other replicas.
func boundTransactions(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "set idle_in_transaction_session_timeout = '10s'")
	return err
}

// checkPostgres refuses a server that is too old, or that answers a commit
// before it is on disk.
func checkPostgres(ctx context.Context, e *engine, db *sql.DB) error {
	var version int
	var commit string
	const settings = "select cast(current_setting('server_version_num') as integer), current_setting('synchronous_commit')"
	if err := db.QueryRowContext(ctx, settings).Scan(&version, &commit); err != nil {
		return e.fault(err)
	}
	if version < postgresOldest {
		return fmt.Errorf("store: PostgreSQL %d is too old: use %d or later", version/10000, postgresOldest/10000)
	}
	if commit == "off" {
		return errors.New("store: PostgreSQL has synchronous_commit off, so commits are not durable: set it to on for this database")
	}
	return nil
}

func lockPostgres(ctx context.Context, db *sql.DB) (func(), error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "select pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", int64(migrationLock))
		_ = conn.Close()
	}, nil
}

// classifyPostgres goes by SQLSTATE: PostgreSQL's manual, appendix A.
func classifyPostgres(err error) class {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || len(e.Code) != 5 {
		return classUnavailable
	}
	switch e.Code {
	case "23505":
		return classTaken
	case "23503":
		return classMissing
	case "40001", "40P01":
		return classAgain
	case "25006":
		return classStale
	case "42501": // a privilege that is lacking: the operator grants it, no change of ours helps
		return classUnavailable
	}
	switch e.Code[:2] {
	case "0A", "22", "23", "25", "3B", "42": // the server is well, the statement is not
		return classFaulty
	}
	return classUnavailable
}
