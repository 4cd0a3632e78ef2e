package metrics

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func open() *Metrics {
	return New(Options{
		Version:    "1.2.3",
		Mounts:     []Mount{{"demo", "pagfast"}, {"partners", "thedatacity"}},
		Operations: []string{"authenticate", "whoami", "forward_auth", "proxy", "reset_password"},
		Hashing: func() Hashing {
			return Hashing{Waiting: 1, Running: 2, Mean: 30 * time.Millisecond, Hashes: 4, Refused: 5, Expired: 6, Abandoned: 7, Malformed: 8, Dropped: 9}
		},
		Commits: func() Commits { return Commits{Groups: 10, Writes: 110} },
	})
}

// scrape returns the samples, each under its name with labels.
func scrape(t testing.TB, m *Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("GET /metrics = %d %s\n%s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	samples := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			samples[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			samples[name] = value
		}
	}
	return samples
}

func want(t *testing.T, samples map[string]string, wanted map[string]string) {
	t.Helper()
	for name, value := range wanted {
		if got := samples[name]; got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
}

func TestCounts(t *testing.T) {
	m := open()
	m.Exchange("demo", "pagfast", "", 0.02)
	m.Exchange("demo", "pagfast", "", 0.04)
	m.Exchange("demo", "pagfast", string(core.BadSecret), 0.03)
	m.Check("partners", "thedatacity", "")
	m.Check("partners", "thedatacity", string(core.TokenExpired))
	m.HTTP("authenticate", 200)
	m.HTTP("authenticate", 401)
	want(t, scrape(t, m), map[string]string{
		`chancery_exchanges_total{dialect="pagfast",outcome="ok",realm="demo"}`:                 "2",
		`chancery_exchanges_total{dialect="pagfast",outcome="bad_secret",realm="demo"}`:         "1",
		`chancery_exchange_seconds_count{dialect="pagfast",realm="demo"}`:                       "3",
		`chancery_exchange_seconds_bucket{dialect="pagfast",realm="demo",le="0.025"}`:           "1",
		`chancery_checks_total{dialect="thedatacity",outcome="ok",realm="partners"}`:            "1",
		`chancery_checks_total{dialect="thedatacity",outcome="token_expired",realm="partners"}`: "1",
		`chancery_http_requests_total{operation="authenticate",status="200"}`:                   "1",
		`chancery_http_requests_total{operation="authenticate",status="401"}`:                   "1",
	})
}

func TestFigures(t *testing.T) {
	samples := scrape(t, open())
	want(t, samples, map[string]string{
		"chancery_hash_waiting": "1", "chancery_hash_running": "2", "chancery_hash_mean_seconds": "0.03",
		"chancery_hashes_total": "4", "chancery_hash_refused_total": "5", "chancery_hash_expired_total": "6",
		"chancery_hash_abandoned_total": "7", "chancery_hash_malformed_total": "8", "chancery_hash_dropped_total": "9",
		"chancery_store_commits_total": "10", "chancery_store_writes_total": "110",
	})
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if samples[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	found := false
	for name, value := range samples {
		found = found || strings.HasPrefix(name, "chancery_build_info{") && strings.Contains(name, `version="1.2.3"`) && value == "1"
	}
	if !found {
		t.Error("no chancery_build_info with the version")
	}
	if got := scrape(t, New(Options{}))["chancery_hash_waiting"]; got != "" {
		t.Errorf("chancery_hash_waiting = %s without a pool", got)
	}
}

func TestCountByOperation(t *testing.T) {
	m := open()
	for _, operation := range []string{"authenticate", "whoami", "forward_auth", "proxy", "reset_password", "", "made_up"} {
		m.Count(Request{Mount: Mount{"demo", "pagfast"}, Operation: operation, Status: 429, Outcome: core.RateLimited, Duration: time.Second})
	}
	samples := scrape(t, m)
	want(t, samples, map[string]string{
		`chancery_exchanges_total{dialect="pagfast",outcome="rate_limited",realm="demo"}`: "1",
		`chancery_exchange_seconds_sum{dialect="pagfast",realm="demo"}`:                   "1",
		`chancery_checks_total{dialect="pagfast",outcome="rate_limited",realm="demo"}`:    "3",
		`chancery_http_requests_total{operation="authenticate",status="429"}`:             "1",
		`chancery_http_requests_total{operation="proxy",status="429"}`:                    "1",
		`chancery_http_requests_total{operation="other",status="429"}`:                    "2",
	})
}

// S82: whatever a client makes up, there is no series for it.
func TestRandomNamesMakeNoSeries(t *testing.T) {
	m := open()
	random := func() string { return fmt.Sprintf("/n%x\xff\n\"", rand.Uint64()) }
	m.Exchange(random(), random(), random(), 1)
	m.Check(random(), random(), random())
	m.HTTP(random(), 999)
	m.Count(Request{Operation: "authenticate", Mount: Mount{"demo", "thedatacity"}, Status: -1}) // each is known, the pair is not
	before := scrape(t, m)
	for i := range 100_000 {
		m.Exchange(random(), random(), random(), 1)
		m.Check(random(), random(), random())
		m.HTTP(random(), 1000+i)
		m.Count(Request{Mount: Mount{random(), random()}, Operation: random(), Outcome: core.Kind(random()), Status: -i})
	}
	after := scrape(t, m)
	for name := range after {
		if _, known := before[name]; !known && strings.HasPrefix(name, "chancery_") {
			t.Errorf("a new series %s", name)
		}
	}
	want(t, after, map[string]string{
		`chancery_exchanges_total{dialect="other",outcome="other",realm="other"}`: "100001",
		`chancery_checks_total{dialect="other",outcome="other",realm="other"}`:    "100001",
		`chancery_http_requests_total{operation="other",status="other"}`:          "200001",
	})
}

// Every kind that can be an outcome has a label of its own.
func TestOutcomesAreKinds(t *testing.T) {
	m := open()
	for _, kind := range core.Kinds() {
		m.Check("demo", "pagfast", string(kind))
	}
	samples := scrape(t, m)
	for _, kind := range core.Kinds() {
		want(t, samples, map[string]string{`chancery_checks_total{dialect="pagfast",outcome="` + string(kind) + `",realm="demo"}`: "1"})
	}
}

func TestConcurrentUse(t *testing.T) {
	m := open()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 500 {
				m.Count(Request{Mount: Mount{"demo", "pagfast"}, Operation: "authenticate", Status: 200})
			}
		})
	}
	scrape(t, m)
	group.Wait()
	want(t, scrape(t, m), map[string]string{`chancery_http_requests_total{operation="authenticate",status="200"}`: "4000"})
}

func BenchmarkCount(b *testing.B) {
	m := open()
	r := Request{Mount: Mount{"demo", "pagfast"}, Operation: "authenticate", Status: 200, Duration: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		m.Count(r)
	}
}
