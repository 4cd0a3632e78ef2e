package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Hashing is how the pool of hash workers does. Counters count from the start.
type Hashing struct {
	Waiting, Running int
	Mean             time.Duration // of a hash, lately
	Hashes           uint64
	Refused          uint64 // at the door: the wait would have been too long
	Expired          uint64 // no worker came free in time
	Abandoned        uint64 // the caller went away while it waited
	Malformed        uint64 // stored hashes that are not supported or beyond the bounds
	Dropped          uint64 // rehashes given up under load
}

// Commits counts the store's transactions from the start: Writes went into Groups of them.
type Commits struct {
	Groups, Writes uint64
}

// A figure is one metric of a snapshot T, without labels.
type figure[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(T) float64
}

func gauge[T any](name, help string, value func(T) float64) figure[T] {
	return figure[T]{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
}

func counter[T any](name, help string, value func(T) uint64) figure[T] {
	return figure[T]{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, func(t T) float64 { return float64(value(t)) }}
}

// A collector takes one snapshot for all of its figures, so that they agree.
type collector[T any] struct {
	snapshot func() T
	figures  []figure[T]
}

func (c collector[T]) Describe(descs chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		descs <- f.desc
	}
}

func (c collector[T]) Collect(metrics chan<- prometheus.Metric) {
	snapshot := c.snapshot()
	for _, f := range c.figures {
		metrics <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(snapshot))
	}
}

func hashing(snapshot func() Hashing) prometheus.Collector {
	return collector[Hashing]{snapshot, []figure[Hashing]{
		gauge("chancery_hash_waiting", "Password checks that wait for a worker.", func(h Hashing) float64 { return float64(h.Waiting) }),
		gauge("chancery_hash_running", "Password hashes under way.", func(h Hashing) float64 { return float64(h.Running) }),
		gauge("chancery_hash_mean_seconds", "Time of one password hash, lately.", func(h Hashing) float64 { return h.Mean.Seconds() }),
		counter("chancery_hashes_total", "Password hashes done.", func(h Hashing) uint64 { return h.Hashes }),
		counter("chancery_hash_refused_total", "Password checks refused, as the wait would have been too long.", func(h Hashing) uint64 { return h.Refused }),
		counter("chancery_hash_expired_total", "Password checks for which no worker came free in time.", func(h Hashing) uint64 { return h.Expired }),
		counter("chancery_hash_abandoned_total", "Password checks whose client went away while they waited.", func(h Hashing) uint64 { return h.Abandoned }),
		counter("chancery_hash_malformed_total", "Stored hashes that are not supported or beyond the bounds.", func(h Hashing) uint64 { return h.Malformed }),
		counter("chancery_hash_dropped_total", "Upgrades of stored hashes given up under load.", func(h Hashing) uint64 { return h.Dropped }),
	}}
}

func commits(snapshot func() Commits) prometheus.Collector {
	return collector[Commits]{snapshot, []figure[Commits]{
		counter("chancery_store_commits_total", "Transactions that the store committed.", func(c Commits) uint64 { return c.Groups }),
		counter("chancery_store_writes_total", "Writes in those transactions.", func(c Commits) uint64 { return c.Writes }),
	}}
}
