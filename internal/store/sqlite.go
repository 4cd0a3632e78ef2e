package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// The result codes of SQLite that are told apart: https://sqlite.org/rescode.html.
const (
	sqliteError      = 1
	sqliteReadOnly   = 8
	sqliteCantOpen   = 14
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
	sqliteRange      = 25
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
)

// sqlitePragmas hold for every connection. synchronous=FULL syncs the log before
// a commit returns, which NORMAL, the usual companion of WAL, does not.
var sqlitePragmas = []string{"busy_timeout(5000)", "foreign_keys(1)", "synchronous(FULL)", "journal_size_limit(67108864)"}

func sqliteEngine() *engine {
	return &engine{
		dialect:    goose.DialectSQLite3,
		migrations: "migrations/sqlite",
		unnamed:    true,
		classify:   classifySQLite,
		// The file's own lock orders writers; migrate copes with losing the race.
		lock: func(context.Context, *sql.DB) (func(), error) { return func() {}, nil },
	}
}

var parameter = regexp.MustCompile(`\$\d+`)

// unnamed writes ? for parameters that stand in order, each once. To SQLite $1 is
// a name, and its driver looks the name of each parameter up in a list.
func unnamed(query string) string {
	for i, found := range parameter.FindAllString(query, -1) {
		if found != "$"+strconv.Itoa(i+1) {
			return query
		}
	}
	return parameter.ReplaceAllLiteralString(query, "?")
}

func openSQLite(ctx context.Context, path string, opts Options) (*Store, error) {
	path, err := createSQLite(path)
	if err != nil {
		return nil, err
	}
	writes, err := sql.Open("sqlite", sqliteSource(path, append(sqlitePragmas, "journal_mode(WAL)"), "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	keepOpen(writes, 1)
	if err := checkSQLite(ctx, writes, path); err != nil {
		return nil, errors.Join(err, writes.Close())
	}
	reads, err := sql.Open("sqlite", sqliteSource(path, append(sqlitePragmas, "query_only(1)")))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", path, err), writes.Close())
	}
	keepOpen(reads, min(max(4, 2*runtime.GOMAXPROCS(0)), 16))
	s, err := start(ctx, sqliteEngine(), reads, writes, opts)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	s.path = path
	return s, nil
}

// keepOpen bounds a pool, and keeps as many connections as it may open: each
// one holds prepared statements.
func keepOpen(db *sql.DB, connections int) {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
}

// sqliteSource escapes path, so that no character of it is read as an option.
func sqliteSource(path string, pragmas []string, more ...string) string {
	query := url.Values{"_pragma": pragmas}.Encode()
	for _, option := range more {
		query += "&" + option
	}
	source := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}
	return source.String()
}

// createSQLite makes the database's file readable for its owner alone; SQLite
// gives the log that it keeps beside it the same mode.
func createSQLite(path string) (string, error) {
	if path == "" {
		return "", errors.New("store: sqlite: give the file's path, such as sqlite:/var/lib/chancery/chancery.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("store: sqlite: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
	switch {
	case errors.Is(err, fs.ErrExist):
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return "", fmt.Errorf("store: %s is a folder: name a file in it, such as %s", path, filepath.Join(path, "chancery.db"))
		}
		return path, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("store: folder %s does not exist: create it, owned by the user that chancery runs as", filepath.Dir(path))
	case err != nil:
		return "", fmt.Errorf("store: cannot create the database in %s: make the folder writable for the user that chancery runs as: %w", filepath.Dir(path), err)
	}
	return path, file.Close()
}

// checkSQLite reads back what durability hangs on, and refuses a database that
// would not keep it (R2).
func checkSQLite(ctx context.Context, db *sql.DB, path string) error {
	var journal string
	var synchronous int
	err := db.QueryRowContext(ctx, "pragma journal_mode").Scan(&journal)
	if err == nil {
		err = db.QueryRowContext(ctx, "pragma synchronous").Scan(&synchronous)
	}
	if err != nil {
		if e, ok := errors.AsType[*sqlite.Error](err); ok && (e.Code()&0xff == sqliteReadOnly || e.Code()&0xff == sqliteCantOpen) {
			err = fmt.Errorf("make the file and its folder writable for the user that chancery runs as: %w", err)
		}
		return sqliteEngine().fault(fmt.Errorf("database %s: %w", path, err))
	}
	const full = 2
	if journal != "wal" || synchronous < full {
		return fmt.Errorf("store: database %s: journal_mode is %s and synchronous is %d, want wal and %d: commits would not be durable; keep the file on a local disk", path, journal, synchronous, full)
	}
	return nil
}

func classifySQLite(err error) class {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return classUnavailable
	}
	switch e.Code() {
	case sqliteUnique, sqlitePrimaryKey:
		return classTaken
	case sqliteForeignKey:
		return classMissing
	}
	switch e.Code() & 0xff {
	case sqliteError, sqliteTooBig, sqliteConstraint, sqliteMismatch, sqliteRange:
		return classFaulty
	}
	return classUnavailable
}
