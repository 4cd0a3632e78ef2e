// Package metrics counts what the server does, for Prometheus.
//
// Its labels come from fixed sets, named at start: whatever else it is given counts
// as "other", so that no client can make a series (S82). It does not know what a
// request is or which packages count: they hand it figures. Start at [New].
package metrics

import (
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chancery-auth/chancery/core"
)

// Options name everything that may be a label, and where figures come from.
type Options struct {
	Version  string // of the program
	Realms   []core.Realm
	Dialects []string
	Routes   []string
	Hashing  func() Hashing // of the pool of hash workers; nil for none
	Commits  func() Commits // of the store; nil for none
}

// A Request is what is counted of one request once it is answered.
type Request struct {
	Realm     core.Realm
	Dialect   string
	Operation string
	Route     string
	Outcome   core.Kind // "" for success
	Status    int
	Duration  time.Duration
}

// other stands for every value that is in no set.
const other = "other"

// Metrics are the server's counters. Its methods may be called from many goroutines.
type Metrics struct {
	registry *prometheus.Registry
	realms   map[string]string
	dialects map[string]string
	routes   map[string]string
	outcomes map[string]string

	exchanges *prometheus.CounterVec
	durations *prometheus.HistogramVec
	checks    *prometheus.CounterVec
	requests  *prometheus.CounterVec
}

// New makes counters in a registry of their own, with the Go runtime's and the
// process's figures beside them.
func New(options Options) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		realms:   set(options.Realms),
		dialects: set(options.Dialects),
		routes:   set(options.Routes),
		outcomes: set(append(core.Kinds(), core.Conflict)),
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
			Name: "chancery_http_requests_total", Help: "HTTP requests answered, by route and status.",
		}, []string{"route", "status"}),
	}
	m.outcomes[""] = "ok"
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

func set[T ~string](names []T) map[string]string {
	known := make(map[string]string, len(names))
	for _, name := range names {
		known[string(name)] = string(name)
	}
	return known
}

// label returns name if it is known, and otherwise other.
func label(known map[string]string, name string) string {
	if name, ok := known[name]; ok {
		return name
	}
	return other
}

// Exchange counts a credential that was presented for a token. outcome is a
// core.Kind, or "" for success.
func (m *Metrics) Exchange(realm, dialect, outcome string, seconds float64) {
	realm, dialect = label(m.realms, realm), label(m.dialects, dialect)
	m.exchanges.WithLabelValues(realm, dialect, label(m.outcomes, outcome)).Inc()
	m.durations.WithLabelValues(realm, dialect).Observe(seconds)
}

// Check counts a bearer token that was checked. outcome is as in [Metrics.Exchange].
func (m *Metrics) Check(realm, dialect, outcome string) {
	m.checks.WithLabelValues(label(m.realms, realm), label(m.dialects, dialect), label(m.outcomes, outcome)).Inc()
}

// HTTP counts an answered request.
func (m *Metrics) HTTP(route string, status int) {
	code := other
	if http.StatusText(status) != "" {
		code = strconv.Itoa(status)
	}
	m.requests.WithLabelValues(label(m.routes, route), code).Inc()
}

// checking are the operations that check a bearer token.
var checking = []string{"whoami", "forward_auth", "proxy"}

// Observe counts a request as what its operation is, and among all HTTP requests.
func (m *Metrics) Observe(r Request) {
	m.HTTP(r.Route, r.Status)
	switch {
	case r.Operation == "authenticate":
		m.Exchange(string(r.Realm), r.Dialect, string(r.Outcome), r.Duration.Seconds())
	case slices.Contains(checking, r.Operation):
		m.Check(string(r.Realm), r.Dialect, string(r.Outcome))
	}
}

// Handler serves the figures in Prometheus's format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
