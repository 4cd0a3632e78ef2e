package oauth2test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	chancery "github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/seed"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// A world is a running server with the dialect oauth2 and an API behind it.
type world struct {
	base     string // where the dialect is mounted: the issuer of its tokens
	api      string // a path of the API behind, which says for whom it was asked
	registry *core.Registry
	dialect  *dialect.Dialect
	database string // the file of SQLite
	logs     *logs
}

// logs keeps what the server logs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

const realm = "apps"

// open serves the dialect under a prefix, with its samples.
func open(t testing.TB, prefix string, change ...func(*chancery.Config)) *world {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Auth-Request-User"))
	}))
	t.Cleanup(behind.Close)
	front := httptest.NewUnstartedServer(nil) // its address is known before it serves
	root := "http://" + front.Listener.Addr().String()
	dir := t.TempDir()
	w := &world{base: root + prefix, api: root + prefix + "/api", database: filepath.Join(dir, "t.db"), logs: &logs{}}
	config := chancery.Config{
		Issuer: root, Database: "sqlite:" + w.database, MasterKeyFile: filepath.Join(dir, "master-key.json"),
		Throttle: chancery.ThrottleConfig{Failures: 1000, NetworkFailures: 1000},
		Hashing:  chancery.HashingConfig{QueueTimeout: 20 * time.Second},
		Serve: []chancery.Mount{{
			Dialect: "oauth2", Realm: realm, Prefix: prefix, Protect: []chancery.Protect{{Path: "/api", Upstream: behind.URL}},
		}},
	}
	for _, f := range change {
		f(&config)
	}
	server, err := chancery.Open(t.Context(), config, chancery.Options{Log: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = server.Handler()
	front.Start()
	t.Cleanup(func() {
		front.Close()
		if err := server.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	w.registry, w.dialect = server.Registry(), server.Dialects()[0]
	if err := seed.Identities(t.Context(), w.registry, w.dialect); err != nil {
		t.Fatal(err)
	}
	return w
}

// engines are the stores that refresh tokens are shown on.
var engines = []struct {
	name string
	use  func(testing.TB) func(*chancery.Config)
}{
	{"SQLite", func(testing.TB) func(*chancery.Config) { return func(*chancery.Config) {} }},
	{"PostgreSQL", func(t testing.TB) func(*chancery.Config) {
		url := pgtest.URL(t)
		return func(config *chancery.Config) { config.Database = url }
	}},
}

// lock keeps the server from writing to its database until release is called.
func (w *world) lock(t testing.TB) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.database+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := func(query string) {
		if _, err := conn.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	run("begin immediate")
	return func() {
		run("rollback")
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// A person is a sample account.
type person struct {
	id              core.AccountID
	login, password string
}

func (w *world) person(t testing.TB, sample string) person {
	t.Helper()
	all := w.dialect.Samples().Accounts
	i := slices.IndexFunc(all, func(a dialect.SampleAccount) bool { return a.Sample == sample })
	if i < 0 {
		t.Fatalf("the dialect has no sample account %q", sample)
	}
	return person{all[i].Account.ID, all[i].Account.Login, all[i].Password.Reveal()}
}

// An app is a client of OAuth.
type app struct{ id, secret string }

// app is the sample client.
func (w *world) app() app {
	key := w.dialect.Samples().Keys[0]
	return app{key.Key.Identifier, key.Secret.Reveal()}
}

// newApp makes a client of the sample account shop.
func (w *world) newApp(t testing.TB, id, secret, scopes string) app {
	t.Helper()
	spec := core.AccessKeySpec{
		Realm: realm, Owner: w.person(t, "shop").login, Identifier: id, Secret: core.NewSecret(secret),
		Attributes: core.Attributes{"scopes": scopes}, State: core.KeyStateActive,
	}
	if _, _, err := w.registry.CreateAccessKey(t.Context(), spec, core.Origin{Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	return app{id, secret}
}

// An answer is a reply to a request with its JSON body, if it has one.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// text is a member of the body that is text.
func (a answer) text(name string) string {
	text, _ := a.json[name].(string)
	return text
}

// post sends a form, with the client in the header unless its id is empty.
func (w *world) post(t testing.TB, path string, client app, form url.Values) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client.id != "" {
		r.SetBasicAuth(url.QueryEscape(client.id), url.QueryEscape(client.secret))
	}
	return send(t, r)
}

func send(t testing.TB, r *http.Request) answer {
	t.Helper()
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: reply.StatusCode, header: reply.Header, body: string(text)}
	if strings.HasSuffix(reply.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &a.json); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return a
}

// asked calls the API behind with a token and says for whom it was asked; "" where
// it was refused.
func (w *world) asked(t testing.TB, token string) core.AccountID {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.api, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a := send(t, r)
	switch {
	case a.status == http.StatusOK:
		return core.AccountID(a.body)
	case a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != `Bearer error="invalid_token"`:
		t.Errorf("GET /api = %d %q, want 200, or 401 with invalid_token", a.status, a.header)
	}
	return ""
}

// lacking skips a test for want of something outside Go, or fails it where
// everything must be there.
func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CHANCERY_TEST_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
