package metrics

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.String()
}

func open() *Metrics {
	return New(Options{
		Version: "1.2.3", Mounts: []Mount{{"partners", "pagfast"}}, Operations: []string{"authenticate"},
		Hashing: func() Hashing {
			return Hashing{Waiting: 3, Running: 2, Mean: 25 * time.Millisecond, Hashes: 7, Refused: 1}
		},
	})
}

func TestCount(t *testing.T) {
	m := open()
	m.Count(Request{Mount: Mount{"partners", "pagfast"}, Operation: "authenticate", Status: 201, Duration: 3 * time.Millisecond})
	m.Count(Request{Mount: Mount{"partners", "pagfast"}, Operation: "authenticate", Outcome: core.BadSecret, Status: 401})
	page := scrape(t, m)
	for _, line := range []string{
		`chancery_requests_total{dialect="pagfast",operation="authenticate",outcome="success",realm="partners",status="201"} 1`,
		`chancery_requests_total{dialect="pagfast",operation="authenticate",outcome="bad_secret",realm="partners",status="401"} 1`,
		`chancery_request_seconds_count{operation="authenticate"} 2`,
		`chancery_build_info{version="1.2.3"} 1`,
		`chancery_hashing_waiting 3`, `chancery_hashing_running 2`, `chancery_hashing_mean_seconds 0.025`,
		`chancery_hashing_hashes_total 7`, `chancery_hashing_refused_total 1`,
		`go_goroutines`, `process_cpu_seconds_total`,
	} {
		if !strings.Contains(page, line) {
			t.Errorf("the page lacks %s", line)
		}
	}
}

// S82: 100,000 random names make no new series.
func TestNoNewSeries(t *testing.T) {
	m := open()
	m.Count(Request{Mount: Mount{"x", "y"}, Operation: "z", Outcome: "o", Status: 999})
	before := strings.Count(scrape(t, m), "\n")
	for n := range 100_000 {
		name := fmt.Sprintf("name-%d", n)
		m.Count(Request{Mount: Mount{name, name}, Operation: name, Outcome: core.Kind(name), Status: 1000 + n})
	}
	if after := strings.Count(scrape(t, m), "\n"); after != before {
		t.Errorf("%d lines, then %d", before, after)
	}
}

func BenchmarkCount(b *testing.B) {
	m := open()
	for b.Loop() {
		m.Count(Request{Mount: Mount{"partners", "pagfast"}, Operation: "authenticate", Status: 201, Duration: time.Millisecond})
	}
}
