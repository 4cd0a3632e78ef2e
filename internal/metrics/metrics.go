// Package metrics counts what the server does, for Prometheus.
//
// Its labels come from sets that the configuration fixes: whatever else it is given counts
// as "other", so that no client can make a series (S82). It does not know what a
// request is or which packages count: they hand it figures. Start at [New].
package metrics

import (
	"maps"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chancery-auth/chancery/core"
)

// Options name everything that may be a label, and where figures come from.
type Options struct {
	Version    string         // of the program
	Mounts     []Mount        // what is served
	Operations []string       // what requests are for
	Hashing    func() Hashing // of the pool of hash workers; nil for none
	Commits    func() Commits // of the store; nil for none
}

// A Mount is a dialect that is served for a realm.
type Mount struct {
	Realm   string
	Dialect string
}

// A Request is what is counted of one request once it is answered.
type Request struct {
	Mount
	Operation string
	Outcome   core.Kind // "" for success
	Status    int
	Duration  time.Duration
}

// other stands for every value that is in no set.
const other = "other"

// Metrics are the server's counters. Its methods may be called from many goroutines.
type Metrics struct {
	registry   *prometheus.Registry
	mounts     atomic.Pointer[map[Mount]bool] // replaced, never changed
	knowing    sync.Mutex
	operations map[string]bool
	outcomes   map[string]bool

	exchanges *prometheus.CounterVec
	durations *prometheus.HistogramVec
	checks    *prometheus.CounterVec
	requests  *prometheus.CounterVec
}

// New makes counters in a registry of their own, with the Go runtime's and the
// process's figures beside them.
func New(options Options) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		operations: set(options.Operations),
		outcomes:   set(outcomes()),
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chancery_exchanges_total", Help: "Credentials presented for a token, by outcome.",
		}, []string{"realm", "dialect", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chancery_exchange_seconds", Help: "Time from a credential to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"realm", "dialect"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chancery_checks_total", Help: "Bearer tokens checked, by outcome.",
		}, []string{"realm", "dialect", "outcome"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chancery_http_requests_total", Help: "HTTP requests answered, by operation and status.",
		}, []string{"operation", "status"}),
	}
	m.Know(options.Mounts...)
	info := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "chancery_build_info", Help: "Always 1; the labels tell what runs.",
		ConstLabels: prometheus.Labels{"version": options.Version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.exchanges, m.durations, m.checks, m.requests, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if options.Hashing != nil {
		m.registry.MustRegister(hashing(options.Hashing))
	}
	if options.Commits != nil {
		m.registry.MustRegister(commits(options.Commits))
	}
	return m
}

// Know makes labels of further mounts. Those of before stay: what they have counted
// does, and requests that they began with are still answered.
func (m *Metrics) Know(mounts ...Mount) {
	m.knowing.Lock()
	defer m.knowing.Unlock()
	known := set(mounts)
	if before := m.mounts.Load(); before != nil {
		maps.Copy(known, *before)
	}
	m.mounts.Store(&known)
}

func outcomes() []string {
	var all []string
	for _, kind := range append(core.Kinds(), core.Conflict) {
		all = append(all, string(kind))
	}
	return all
}

func set[T comparable](names []T) map[T]bool {
	known := make(map[T]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	return known
}

// label returns name if it is known, and otherwise other.
func label(known map[string]bool, name string) string {
	if known[name] {
		return name
	}
	return other
}

func (m *Metrics) outcome(kind string) string {
	if kind == "" {
		return "ok"
	}
	return label(m.outcomes, kind)
}

func (m *Metrics) mount(realm, dialect string) (string, string) {
	if (*m.mounts.Load())[Mount{realm, dialect}] {
		return realm, dialect
	}
	return other, other
}

// Exchange counts a credential that was presented for a token. outcome is a
// core.Kind, or "" for success.
func (m *Metrics) Exchange(realm, dialect, outcome string, seconds float64) {
	realm, dialect = m.mount(realm, dialect)
	m.exchanges.WithLabelValues(realm, dialect, m.outcome(outcome)).Inc()
	m.durations.WithLabelValues(realm, dialect).Observe(seconds)
}

// Check counts a bearer token that was checked. outcome is as in [Metrics.Exchange].
func (m *Metrics) Check(realm, dialect, outcome string) {
	realm, dialect = m.mount(realm, dialect)
	m.checks.WithLabelValues(realm, dialect, m.outcome(outcome)).Inc()
}

// HTTP counts an answered request.
func (m *Metrics) HTTP(operation string, status int) {
	code := other
	if http.StatusText(status) != "" {
		code = strconv.Itoa(status)
	}
	m.requests.WithLabelValues(label(m.operations, operation), code).Inc()
}

// Count counts a request as what its operation is, and among all HTTP requests.
func (m *Metrics) Count(r Request) {
	m.HTTP(r.Operation, r.Status)
	switch r.Operation {
	case "authenticate":
		m.Exchange(r.Realm, r.Dialect, string(r.Outcome), r.Duration.Seconds())
	case "whoami", "forward_auth", "proxy":
		m.Check(r.Realm, r.Dialect, string(r.Outcome))
	}
}

// Handler serves the figures in Prometheus's format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
