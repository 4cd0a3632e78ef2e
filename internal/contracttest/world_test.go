package contracttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	chancery "github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

// A contract is what every test must know of one of the four.
type contract struct {
	name        string
	dialect     string
	realm       core.Realm
	host        string // its mount's
	login       string // the path that mints
	resource    string // a path that takes the bearer token
	resourceBy  string // with this method
	mediaType   string // of its errors
	successType string // of its success bodies, where it differs
}

var (
	contractA = contract{
		name: "A", dialect: "instant-classification", realm: "instant-classification", host: "a.example",
		login: "/api/v1/login/access-token", resource: "/api/v1/login/test-token", resourceBy: "POST",
		mediaType: "application/json",
	}
	contractB = contract{
		name: "B", dialect: "kyc", realm: "kyc", host: "b.example",
		login: "/auth/jwt/login", resource: "/api/v1/resource", resourceBy: "GET",
		mediaType: "application/json",
	}
	contractC = contract{
		name: "C", dialect: "datafiniti", realm: "datafiniti", host: "c.example",
		login: "/v4/auth", resource: "/v4/data", resourceBy: "GET",
		mediaType: "application/json",
	}
	contractD = contract{
		name: "D", dialect: "pagfast", realm: "pagfast", host: "d.example",
		login: "/login", resource: "/partners", resourceBy: "GET",
		mediaType: "application/json; charset=utf-8", successType: "text/plain",
	}
	contracts = []contract{contractA, contractB, contractC, contractD}
)

const frontend = "https://app.example/classify" // where A's recovery link leads

// A world is one running server with the four contracts, an API behind it, and
// everything that it writes.
type world struct {
	dir      string
	config   chancery.Config
	server   *chancery.Server
	registry *core.Registry
	address  string // of the plain listener
	url      string
	logs     *buffer
	upstream *upstream
	next     atomic.Int64 // makes login names unique
}

// openWorld serves the four contracts, each for its own Host, on a SQLite
// database. Throttling is out of the way unless change puts it back.
func openWorld(t testing.TB, change ...func(*chancery.Config)) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), logs: &buffer{}, upstream: newUpstream(t)}
	w.config = chancery.Config{
		Database:      "sqlite:" + filepath.Join(w.dir, "t.db"),
		MasterKeyFile: filepath.Join(w.dir, "master-key.json"),
		Mail:          chancery.MailConfig{Folder: filepath.Join(w.dir, "mail"), From: "no-reply@app.example"},
		Throttle:      chancery.ThrottleConfig{Failures: 1_000_000, NetworkFailures: 1_000_000},
		Hashing:       chancery.HashingConfig{QueueTimeout: 20 * time.Second},
		LogLevel:      "debug",
		Listen:        "127.0.0.1:0",
		AdminListen:   "127.0.0.1:0",
		Drain:         time.Millisecond,
		Grace:         2 * time.Second,
	}
	for _, c := range contracts {
		mount := chancery.Mount{Dialect: c.dialect, Realm: string(c.realm), Host: c.host}
		if c.resourceBy == "GET" {
			mount.Protect = []chancery.Protect{{Path: c.resource, Upstream: w.upstream.URL}}
		}
		if c.name == "A" {
			mount.Settings = settingsA()
		}
		w.config.Serve = append(w.config.Serve, mount)
	}
	for _, f := range change {
		f(&w.config)
	}
	if w.config.Mail.Folder != "" {
		if err := os.MkdirAll(w.config.Mail.Folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.open(t)
	return w
}

// onOnePort serves the four contracts for every Host, as a customer would see
// any one of them.
func onOnePort(config *chancery.Config) {
	for i := range config.Serve {
		config.Serve[i].Host = ""
	}
}

// throttled leaves the limits on sign-ins as they are by default.
func throttled(config *chancery.Config) { config.Throttle = chancery.ThrottleConfig{} }

// usualQueue leaves the hash queue as it is by default.
func usualQueue(config *chancery.Config) { config.Hashing = chancery.HashingConfig{} }

// open runs the whole server on loopback addresses of its own.
func (w *world) open(t testing.TB) {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := chancery.Open(context.Background(), w.config.WithDefaults(), chancery.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, server.Close()); err != nil {
			t.Errorf("the server's end: %v", err)
		}
	})
	select {
	case <-server.Ready():
	case err := <-ended:
		ended <- err
		t.Fatalf("Run() = %v", err)
	}
	w.server, w.registry, w.address = server, server.Registry(), server.Addr()
	w.url = "http://" + w.address
	if w.config.TLS.CertFile != "" {
		w.url = "https://" + w.address
	}
	w.declareRealms(t)
}

// declareRealms gives D's realm the attributes that its claims are made of.
func (w *world) declareRealms(t testing.TB) {
	t.Helper()
	declared := map[string]core.AttributeType{}
	for _, name := range []string{"realm", "ca", "cid", "domain"} {
		declared[name] = core.StringAttribute
	}
	if _, err := w.registry.PutRealm(t.Context(), core.RealmInfo{Name: contractD.realm, Attributes: declared}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
}

// send writes a request of contract c and reads the reply.
func (w *world) send(t testing.TB, c contract, r request) reply {
	t.Helper()
	if r.host == "" {
		r.host = c.host
	}
	got, err := sendText(w.address, r.text(), r.method)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.target, err)
	}
	return got
}

// A call is a request at a contract.
type call struct {
	contract contract
	request  request
}

// sendAll sends calls at once and returns the replies in their order.
func (w *world) sendAll(t testing.TB, calls []call) []reply {
	t.Helper()
	replies := make([]reply, len(calls))
	var sent sync.WaitGroup
	for i, c := range calls {
		c.request.host = c.contract.host
		sent.Go(func() {
			var err error
			if replies[i], err = sendText(w.address, c.request.text(), c.request.method); err != nil {
				t.Errorf("%s %s: %v", c.contract.name, c.request.target, err)
			}
		})
	}
	sent.Wait()
	return replies
}

func post(target, mediaType, body string) request {
	r := request{method: "POST", target: target, body: body}
	if mediaType != "" {
		r = r.with("Content-Type: " + mediaType)
	}
	return r
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// loginWith is a sign-in at c as its customers send it.
func (c contract) loginWith(identifier, secret string) request {
	switch c.name {
	case "C":
		return post(c.login, jsonType, fmt.Sprintf(`{"email":%s,"password":%s}`, pyString(identifier), pyString(secret)))
	case "D":
		return post(c.login, jsonType, fmt.Sprintf(`{"accessKey":%s,"secret":%s}`, pyString(identifier), pyString(secret)))
	}
	return post(c.login, formType, "username="+url.QueryEscape(identifier)+"&password="+url.QueryEscape(secret))
}

// present is a call with a bearer token.
func (c contract) present(token string) request {
	return request{method: c.resourceBy, target: c.resource}.with("Authorization: Bearer " + token)
}

// refused is the one answer of c to credentials that do not hold.
func (c contract) refused() expected {
	switch c.name {
	case "A":
		return expected{status: 400, body: `{"detail":"Incorrect email or password"}`}
	case "B":
		return expected{status: 400, body: `{"detail":"LOGIN_BAD_CREDENTIALS"}`}
	case "C":
		return expected{status: 401, body: `{"error":"Unauthorized","message":"Invalid email or password","code":401}`}
	}
	return expected{status: 401, body: `{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"AuthenticationError","code":"AuthenticationError","details":{"reason":"AccessKeyUnauthorized"}}}`}
}

// invalid is c's answer to a bearer token that does not hold.
func (c contract) invalid() expected {
	switch c.name {
	case "A":
		return expected{status: 401, body: `{"detail":"Could not validate credentials"}`, challenge: "Bearer"}
	case "B":
		return expected{status: 401, body: `{"detail":"Unauthorized"}`}
	case "C":
		return expected{status: 401, body: `{"error":"Unauthorized","message":"Authentication required. Please provide a valid API token","code":401}`}
	}
	return expected{status: 401, body: `{"statusCode":"Error","error":{"name":"AuthenticationError","message":"The authorization token is invalid","details":{"reason":"AuthenticationTokenInvalid"}}}`}
}

// tokenIn takes the token out of a success body of c.
func (c contract) tokenIn(t testing.TB, got reply) string {
	t.Helper()
	if got.status >= 300 {
		t.Fatalf("%s: sign-in: %s", c.name, got)
	}
	switch c.name {
	case "C":
		return strings.TrimSuffix(strings.TrimPrefix(got.body, `{"token":"`), `"}`)
	case "D":
		return got.body
	}
	return strings.TrimSuffix(strings.TrimPrefix(got.body, `{"access_token":"`), `","token_type":"bearer"}`)
}

// token signs in.
func (w *world) token(t testing.TB, c contract, m member) string {
	t.Helper()
	return c.tokenIn(t, w.send(t, c, c.loginWith(m.identifier, m.secret)))
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// upstream is the API behind: it answers every request and remembers it.
type upstream struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // method and URI
}

func newUpstream(t testing.TB) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.seen = append(u.seen, r.Method+" "+r.RequestURI)
		u.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"resource":"served"}`)
	}))
	t.Cleanup(u.Close)
	return u
}

// took returns how many requests came through, and forgets them.
func (u *upstream) took() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := len(u.seen)
	u.seen = nil
	return n
}
