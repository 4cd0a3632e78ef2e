package chancery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery"
)

// edition writes the PagFast contract so that an answer tells twice which edition
// of the file has worded it.
func edition(t *testing.T, config chancery.Config, number int) {
	t.Helper()
	_, source, err := chancery.ReadDialect(chancery.Config{}, "pagfast")
	if err != nil {
		t.Fatal(err)
	}
	const ok = "      text: ${token.value}\n"
	if !bytes.Contains(source, []byte(ok)) {
		t.Fatal("the dialect's answer is another one than this test changes")
	}
	text := strings.Replace(string(source), ok, fmt.Sprintf("      headers: {X-Edition: \"%d\"}\n      json: {edition: %d, token: \"${token.value}\"}\n", number, number), 1)
	place(t, config, text)
}

// place puts the dialect's file there whole, as an editor does.
func place(t *testing.T, config chancery.Config, text string) {
	t.Helper()
	draft := filepath.Join(t.TempDir(), "draft")
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(draft, filepath.Join(config.Dialects, "pagfast.yaml")); err != nil {
		t.Fatal(err)
	}
}

func openEditions(t *testing.T, log io.Writer) (*chancery.Server, chancery.Config) {
	t.Helper()
	dir := t.TempDir()
	config := crashConfig(dir)
	config.Dialects = filepath.Join(dir, "dialects")
	if err := os.Mkdir(config.Dialects, 0o700); err != nil {
		t.Fatal(err)
	}
	edition(t, config, 0)
	server, err := chancery.Open(t.Context(), config, chancery.Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	seedPartners(t, server, 4)
	return server, config
}

func signInAs(ctx context.Context, address string, key int, body io.Reader) (int, error) {
	if body == nil {
		body = strings.NewReader(fmt.Sprintf(`{"accessKey":%q,"secret":%q}`, writerKey(key), writerSecret(key)))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/login", body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var said struct {
		Edition int
		Token   string
	}
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil || response.StatusCode != http.StatusCreated || said.Token == "" {
		return 0, fmt.Errorf("status %d, edition %d, %w", response.StatusCode, said.Edition, err)
	}
	if header := response.Header.Get("X-Edition"); header != fmt.Sprint(said.Edition) {
		return 0, fmt.Errorf("mixed: edition %s in the header, %d in the body", header, said.Edition)
	}
	return said.Edition, nil
}

// R22 at small scale: 50 reloads under a steady load, every second one of a faulty
// file. No request fails, no answer is mixed, and each tells an edition that was in
// force while it was under way.
func TestReloadFailsNobody(t *testing.T) {
	server, config := openEditions(t, io.Discard)
	front := httptest.NewServer(server.Handler())
	defer front.Close()
	var (
		begun, ended atomic.Int64 // the latest edition that is being, and that has been, put in force
		answered     atomic.Int64
		clients      sync.WaitGroup
		stop         = make(chan struct{})
	)
	for n := range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := ended.Load()
				got, err := signInAs(t.Context(), front.URL, n, nil)
				if most := begun.Load(); err != nil || int64(got) < least || int64(got) > most {
					t.Errorf("edition %d, %v; want one of %d to %d", got, err, least, most)
					return
				}
				answered.Add(1)
			}
		})
	}
	for n := 1; n <= 50; n++ {
		before := answered.Load()
		if n%2 == 0 {
			place(t, config, "dialect: pagfast\nroutes: []\nnonsense: true\n")
			if err := server.Reload(t.Context(), config); err == nil || !strings.Contains(err.Error(), "pagfast.yaml:3:1: ") {
				t.Errorf("reload %d of a faulty file = %v, want its fault with its place", n, err)
			}
		} else {
			edition(t, config, n)
			begun.Store(int64(n))
			if err := server.Reload(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			ended.Store(int64(n))
		}
		for answered.Load() < before+8 && !t.Failed() { // some requests with each state
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	clients.Wait()
	t.Logf("%d sign-ins were answered", answered.Load())
}

// A request that is under way when the dialects are swapped is answered by what it
// began with.
func TestReloadLeavesRequestsUnderWayAlone(t *testing.T) {
	server, config := openEditions(t, io.Discard)
	arrived := make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = &announced{ReadCloser: r.Body, arrived: arrived}
		server.Handler().ServeHTTP(w, r)
	}))
	defer front.Close()
	body, rest := io.Pipe()
	got, failed := make(chan int, 1), make(chan error, 1)
	go func() {
		edition, err := signInAs(t.Context(), front.URL, 0, body)
		got <- edition
		failed <- err
	}()
	fmt.Fprintf(rest, `{"accessKey":%q,`, writerKey(0))
	<-arrived
	edition(t, config, 7)
	if err := server.Reload(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(rest, `"secret":%q}`, writerSecret(0))
	rest.Close()
	if edition, err := <-got, <-failed; err != nil || edition != 0 {
		t.Errorf("the request under way got edition %d, %v; want 0", edition, err)
	}
}

// announced tells when a body is first read: the request's dialect is chosen then.
type announced struct {
	io.ReadCloser
	once    sync.Once
	arrived chan struct{}
}

func (a *announced) Read(p []byte) (int, error) {
	a.once.Do(func() { close(a.arrived) })
	return a.ReadCloser.Read(p)
}

// What is wrong in any part of it keeps all of a reload out, and leaves no trace.
func TestReloadIsWholeOrNothing(t *testing.T) {
	server, config := openEditions(t, io.Discard)
	front := httptest.NewServer(server.Handler())
	defer front.Close()
	edition(t, config, 1)
	for _, tt := range []struct {
		name  string
		serve []chancery.Mount
		want  string
	}{
		{"nothing served", nil, "serve: name at least one dialect"},
		{"an unknown dialect", []chancery.Mount{{Dialect: "pagfast", Realm: "partners"}, {Dialect: "pagfst", Realm: "new"}}, `serve[1]: there is no dialect "pagfst"`},
		{"a collision", []chancery.Mount{{Dialect: "pagfast", Realm: "partners"}, {Dialect: "pagfast", Realm: "new"}}, "both answer POST /login"},
		{"mails without a way", []chancery.Mount{{Dialect: "pagfast", Realm: "partners"}, {Dialect: "instant-classification", Realm: "new", Settings: map[string]any{"frontend_url": "https://app.example"}}}, "mail: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wanted := config
			wanted.Serve = tt.serve
			if err := server.Reload(t.Context(), wanted); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Reload() = %v, want %q", err, tt.want)
			}
			if got, err := signInAs(t.Context(), front.URL, 0, nil); err != nil || got != 0 {
				t.Errorf("edition %d, %v; want 0, as before", got, err)
			}
			if _, err := server.Registry().Realms.Realm(t.Context(), "new"); err == nil {
				t.Error("the refused reload has made a realm")
			}
		})
	}
}

// A reload serves further dialects, whose keys, realm, forward-auth and metrics are
// made, and tells which settings it has not taken.
func TestReloadServesMore(t *testing.T) {
	var log bytes.Buffer
	server, config := openEditions(t, &log)
	wanted := config
	wanted.Serve = append([]chancery.Mount{{Dialect: "kyc", Realm: "customers"}}, wanted.Serve...)
	wanted.Throttle.Failures = 77
	if err := server.Reload(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, want string }{
		{http.MethodPost, "/auth/jwt/login", "LOGIN_BAD_CREDENTIALS"},
		{http.MethodGet, "/-/forward-auth/customers/kyc", "Unauthorized"},
	} {
		request := httptest.NewRequest(tt.method, tt.path, strings.NewReader("username=nobody%40example.com&password=wrong+horse+battery"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		got := httptest.NewRecorder()
		server.Handler().ServeHTTP(got, request)
		if !strings.Contains(got.Body.String(), tt.want) {
			t.Errorf("%s %s = %d %s, want %s", tt.method, tt.path, got.Code, got.Body, tt.want)
		}
	}
	scraped := httptest.NewRecorder()
	server.AdminHandler().ServeHTTP(scraped, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(scraped.Body.String(), `chancery_exchanges_total{dialect="kyc",`) {
		t.Errorf("/metrics does not count the new dialect:\n%s", scraped.Body)
	}
	if !strings.Contains(log.String(), `"settings":["throttle"]`) {
		t.Errorf("the log does not tell of the setting that waits for a restart:\n%s", log.String())
	}
	if got := len(server.Dialects()); got != 2 {
		t.Errorf("%d dialects are served, want 2", got)
	}
}

func TestReloadAfterClose(t *testing.T) {
	server, err := chancery.Open(t.Context(), crashConfig(t.TempDir()), chancery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Reload(t.Context(), crashConfig(t.TempDir())); err == nil {
		t.Error("a closed server reloads")
	}
}
