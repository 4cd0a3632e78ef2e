// Package metrics counts what the server does, for Prometheus.
//
// Every label value comes from a fixed set: what is in none counts as "other", so
// that no client can make series (S82). The package knows neither HTTP routes nor
// the parts that it reports on; wire.go feeds it.
package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chancery-auth/chancery/core"
)

// Options fix what labels can say.
type Options struct {
	Version    string   // of the program
	Mounts     []Mount  // what is served
	Operations []string // the operations that requests are counted by
	Hashing    func() Hashing
}

// A Mount is a dialect in a realm.
type Mount struct{ Realm, Dialect string }

// Hashing is how the pool of password hashes does at this moment; the totals count
// from the start.
type Hashing struct {
	Waiting, Running int
	Mean             time.Duration
	Hashes, Refused  uint64
}

// A Request is one answered request.
type Request struct {
	Mount
	Operation string
	Outcome   core.Kind // "" for success
	Status    int
	Duration  time.Duration
}

// Metrics counts requests. It is safe for concurrent use.
type Metrics struct {
	registry   *prometheus.Registry
	mounts     []Mount
	operations []string
	outcomes   map[core.Kind]string
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
}

const other = "other"

// New returns the metrics of one server.
func New(options Options) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		mounts:     options.Mounts,
		operations: options.Operations,
		outcomes:   map[core.Kind]string{"": "success"},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chancery_requests_total", Help: "Answered requests.",
		}, []string{"realm", "dialect", "operation", "outcome", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chancery_request_seconds", Help: "Time from a request's headers to its reply.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"operation"}),
	}
	for _, kind := range core.Kinds() {
		m.outcomes[kind] = string(kind)
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "chancery_build_info", Help: "1, labelled with the version.", ConstLabels: prometheus.Labels{"version": options.Version},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.durations, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if options.Hashing != nil {
		m.registry.MustRegister(hashing(options.Hashing))
	}
	return m
}

// Count adds an answered request.
func (m *Metrics) Count(r Request) {
	if !slices.Contains(m.mounts, r.Mount) {
		r.Mount = Mount{other, other}
	}
	if !slices.Contains(m.operations, r.Operation) {
		r.Operation = other
	}
	outcome, known := m.outcomes[r.Outcome]
	if !known {
		outcome = other
	}
	m.requests.WithLabelValues(r.Realm, r.Dialect, r.Operation, outcome, status(r.Status)).Inc()
	m.durations.WithLabelValues(r.Operation).Observe(r.Duration.Seconds())
}

// status is the text of an HTTP status; there are no others.
func status(code int) string {
	if code < 100 || code > 599 {
		return other
	}
	return strconv.Itoa(code)
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// hashing reads the pool when metrics are asked for.
type hashing func() Hashing

var (
	waiting = prometheus.NewDesc("chancery_hashing_waiting", "Password hashes that wait for a worker.", nil, nil)
	running = prometheus.NewDesc("chancery_hashing_running", "Password hashes under way.", nil, nil)
	mean    = prometheus.NewDesc("chancery_hashing_mean_seconds", "Time of one password hash, lately.", nil, nil)
	hashes  = prometheus.NewDesc("chancery_hashing_hashes_total", "Password hashes done.", nil, nil)
	refused = prometheus.NewDesc("chancery_hashing_refused_total", "Requests refused as the pool was full.", nil, nil)
)

func (h hashing) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{waiting, running, mean, hashes, refused} {
		ch <- d
	}
}

func (h hashing) Collect(ch chan<- prometheus.Metric) {
	now := h()
	ch <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(now.Waiting))
	ch <- prometheus.MustNewConstMetric(running, prometheus.GaugeValue, float64(now.Running))
	ch <- prometheus.MustNewConstMetric(mean, prometheus.GaugeValue, now.Mean.Seconds())
	ch <- prometheus.MustNewConstMetric(hashes, prometheus.CounterValue, float64(now.Hashes))
	ch <- prometheus.MustNewConstMetric(refused, prometheus.CounterValue, float64(now.Refused))
}
