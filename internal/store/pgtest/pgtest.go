// Package pgtest gives tests a real PostgreSQL: the server that the environment
// names in CHANCERY_TEST_POSTGRES, or else a private one, started from Debian's
// binaries once in a test process, on a unix socket, with fsync on.
//
// It is for tests alone and knows nothing of our schema.
package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Environment names the variable with the URL of a server whose user may create
// databases.
const Environment = "CHANCERY_TEST_POSTGRES"

// errAbsent means that this machine has no PostgreSQL.
var errAbsent = errors.New("no PostgreSQL here: install Debian's postgresql, or set " + Environment + " to the URL of a server")

// A running server lives while this process holds the pipe to its shell.
type running struct {
	url  string
	pipe io.Closer
}

var server = sync.OnceValues(func() (running, error) {
	if given := os.Getenv(Environment); given != "" {
		return running{url: given}, nil
	}
	return startServer()
})

// URL returns the URL of a new, empty database, which goes when the tests
// end. Without PostgreSQL the test is skipped, or fails if CHANCERY_TEST_REQUIRE is 1.
func URL(t testing.TB) string {
	t.Helper()
	running, err := server()
	if errors.Is(err, errAbsent) && os.Getenv("CHANCERY_TEST_REQUIRE") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	admin := running.url
	name := "chancery_" + strings.ToLower(rand.Text())
	if err := run(admin, "create database "+name); err != nil {
		t.Fatal(err)
	}
	if running.pipe == nil { // a private server goes as a whole
		t.Cleanup(func() {
			if err := run(admin, "drop database "+name+" with (force)"); err != nil {
				t.Error(err)
			}
		})
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// run runs one statement; the test's own context may be over by then.
func run(admin, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// script runs the server until its standard input ends, as it does when the test
// process is gone, however it went. Then it stops the server and removes it.
const script = `
dir=$1 bin=$2
"$bin/postgres" -D "$dir/data" -k "$dir" </dev/null >"$dir/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$dir"
`

const settings = `
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 300
shared_buffers = 32MB
fsync = on
synchronous_commit = on
`

// startServer starts a private server and that is reached by its first database.
func startServer() (running, error) {
	bin, err := binaries()
	if err != nil {
		return running{}, err
	}
	as, err := unprivileged()
	if err != nil {
		return running{}, err
	}
	dir, err := os.MkdirTemp("", "chancery-pg-")
	if err != nil {
		return running{}, err
	}
	pipe, err := start(dir, bin, as)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) //nolint:gosec // the folder is ours
		return running{}, errors.Join(fmt.Errorf("private PostgreSQL: %w: %s", err, log), os.RemoveAll(dir))
	}
	return running{socket(dir), pipe}, nil
}

// socket returns the URL of the server in dir.
func socket(dir string) string { return "postgres://postgres@/postgres?host=" + url.QueryEscape(dir) }

func start(dir, bin string, as *syscall.Credential) (io.Closer, error) {
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	// The collation is not that of bytes, so that tests show what relies on it.
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", //nolint:gosec,noctx // it ends by itself
		"--no-sync", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	config, err := os.OpenFile(filepath.Join(dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0) //nolint:gosec // the folder is ours
	if err != nil {
		return nil, err
	}
	if _, err := config.WriteString(settings); err != nil {
		return nil, err
	}
	if err := config.Close(); err != nil {
		return nil, err
	}
	shell := exec.Command("sh", "-c", script, "sh", dir, bin) //nolint:noctx // it outlives every test
	shell.Dir = dir
	shell.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	pipe, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	return pipe, ready(socket(dir))
}

func ready(admin string) error {
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = run(admin, "select 1"); err == nil {
			return nil
		}
	}
	return err
}

// binaries returns the folder of the newest PostgreSQL, 15 or later.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	major := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	found = slices.DeleteFunc(found, func(path string) bool { return major(path) < 15 })
	if len(found) == 0 {
		return "", errAbsent
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
	return filepath.Dir(newest), nil
}

// unprivileged returns whom to run the server as: PostgreSQL refuses to be root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("run tests as an ordinary user: PostgreSQL refuses root: %w", fs.ErrPermission)
}
