package recordtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	chancery "github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	identities "github.com/chancery-auth/chancery/internal/seed"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

const (
	freeFailures = 15 // of one identity; what a test provokes beside is less
	issuer       = "https://login.example"
	probe        = "/probe" // a path of the API behind
)

// engines are the stores that everything is shown on.
var engines = []struct {
	name     string
	database func(t testing.TB, dir string) string
}{
	{"SQLite", sqlite},
	{"PostgreSQL", func(t testing.TB, _ string) string { return pgtest.URL(t) }},
}

func sqlite(_ testing.TB, dir string) string { return "sqlite:" + filepath.Join(dir, "t.db") }

// A world is a running server with one dialect, mounted once as its record wants
// it and once more for every case that wants settings of its own.
type world struct {
	url    string
	client *http.Client
	mounts map[string]mount // by the case that wanted it; "" is the record's own
	mails  chan core.Mail
	log    errorLog
}

// An errorLog keeps what the server logs of its errors.
type errorLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *errorLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type mount struct {
	host    string
	dialect *dialect.Dialect
	samples []sample
}

// openWorld serves the dialect. The error is that the file is bad.
func openWorld(t testing.TB, database, name string, source []byte, s seed) (*world, error) {
	t.Helper()
	w := &world{mounts: map[string]mount{}, mails: make(chan core.Mail, 100)}
	w.client = &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(w.client.CloseIdleConnections)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Auth-Request-User"))
	}))
	t.Cleanup(behind.Close)
	config, order := configure(dir, name, behind.URL, s)
	config.Database = database
	server, err := chancery.Open(context.Background(), config.WithDefaults(), chancery.Options{
		ShowMail: w.keepMail, Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	w.run(t, server)
	for i, d := range server.Dialects() {
		if err := identities.Identities(t.Context(), server.Registry(), d); err != nil {
			return nil, err
		}
		w.mounts[order[i]] = mount{host: config.Serve[i].Host, dialect: d, samples: samplesOf(d)}
	}
	return w, nil
}

// configure mounts the dialect for the record and for the cases with settings.
func configure(dir, name, upstream string, s seed) (config chancery.Config, order []string) {
	config = chancery.Config{
		Issuer:        issuer,
		Listen:        "127.0.0.1:0",
		AdminListen:   "127.0.0.1:0",
		MasterKeyFile: filepath.Join(dir, "master-key.json"),
		Dialects:      dir,
		Mail:          chancery.MailConfig{Folder: filepath.Join(dir, "mails"), From: "no-reply@app.example"},
		Throttle:      chancery.ThrottleConfig{Failures: freeFailures, NetworkFailures: 1_000_000},
		Hashing:       chancery.HashingConfig{QueueTimeout: 20 * time.Second},
		Drain:         time.Nanosecond,
	}
	order = []string{""}
	for name, c := range s.Cases {
		if c.Settings != nil {
			order = append(order, name)
		}
	}
	for i, of := range order {
		settings := map[string]any{}
		for name, value := range s.Settings {
			settings[name] = value
		}
		m := chancery.Mount{Dialect: name, Realm: fmt.Sprintf("%s-%d", name, i), Settings: settings,
			Protect: []chancery.Protect{{Path: probe, Upstream: upstream}}}
		if i > 0 {
			m.Host = fmt.Sprintf("case%d.example", i)
		}
		for name, value := range s.Cases[of].Settings {
			settings[name] = value
		}
		config.Serve = append(config.Serve, m)
	}
	return config, order
}

// run serves until the test ends.
func (w *world) run(t testing.TB, server *chancery.Server) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	var failed error
	ended.Go(func() { failed = server.Run(ctx) })
	t.Cleanup(func() {
		stop()
		ended.Wait()
		if err := errors.Join(failed, server.Close()); err != nil {
			t.Errorf("the server's end: %v", err)
		}
	})
	select {
	case <-server.Ready():
		w.url = "http://" + server.Addr()
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not begin to listen")
	}
}

func (w *world) keepMail(mail core.Mail) { w.mails <- mail }

// A reply is what came back, and when.
type reply struct {
	status       int
	header       http.Header
	body         []byte
	began, ended time.Time
}

// send sends a request to the mount of a case.
func (w *world) send(of string, r *http.Request) (reply, error) {
	r.Host = w.mounts[of].host
	got := reply{began: time.Now()}
	response, err := w.client.Do(r)
	if err != nil {
		return got, err
	}
	defer func() { _ = response.Body.Close() }()
	got.status, got.header = response.StatusCode, response.Header
	got.body, err = io.ReadAll(response.Body)
	got.ended = time.Now()
	return got, err
}
