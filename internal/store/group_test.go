package store

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// engines are what tests that know the store from inside run on.
var engines = []struct {
	name string
	url  func(testing.TB) string
}{{"sqlite", sqliteURL}, {"postgres", pgtest.URL}}

func onEngines(t *testing.T, test func(t *testing.T, url string)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.url(t)) })
	}
}

// exchange is an audit record as a login leaves it.
func exchange(n int) core.Event {
	return core.Event{
		At: time.Date(2030, 1, 1, 0, 0, 0, n*1000, time.UTC), Realm: "demo", Dialect: "oauth2", Action: core.ActionExchange,
		Account: "0190b5a2-7c1e-7000-8000-000000000001", Key: "0190b5a2-7c1e-7000-8000-000000000002",
		TokenID: fmt.Sprint("token-", n), Address: netip.MustParseAddr("192.0.2.1"), RequestID: "0190b5a2-7c1e-7000-8000-000000000003",
	}
}

// recordFor has writers record events for a while, and returns how many a second.
func recordFor(t testing.TB, s *Store, writers int, d time.Duration) float64 {
	t.Helper()
	begun := time.Now()
	counts := make([]int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for time.Since(begun) < d {
				if err := s.Record(t.Context(), exchange(counts[w])); err != nil {
					t.Error(err)
					return
				}
				counts[w]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begun).Seconds()
}

// Commits are grouped: 200 writers reach at least five times the rate of
// one-by-one durable commits (R3).
func TestGroupedCommits(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := openTest(t, url).Store
		best := 0.0
		for range 5 { // a machine that is busy with other things may spoil a round
			alone := recordFor(t, s, 1, 300*time.Millisecond)
			grouped := recordFor(t, s, 200, 300*time.Millisecond)
			t.Logf("alone %.0f/s, 200 writers %.0f/s: %.1f times", alone, grouped, grouped/alone)
			if best = max(best, grouped/alone); best >= 5 {
				return
			}
		}
		t.Errorf("200 writers reach %.1f times the rate of one, want 5", best)
	})
}

// A step that breaks its group's transaction fails alone.
func TestBrokenGroup(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := openTest(t, url).Store
		release := occupy(t, s)
		good := make(chan error, 10)
		bad := make(chan error, 1)
		for i := range cap(good) {
			go func() { good <- s.Record(t.Context(), exchange(i)) }()
		}
		go func() {
			bad <- s.write(t.Context(), func(g *group) error {
				// Takes the savepoint away, so that the group cannot go on.
				_, err := g.tx.ExecContext(g.ctx, "release savepoint step")
				return err
			})
		}()
		waitQueued(t, s, cap(good)+1)
		release()
		for range cap(good) {
			if err := <-good; err != nil {
				t.Errorf("Record() beside a step that breaks the group: %v", err)
			}
		}
		if err := <-bad; err == nil {
			t.Error("the step that breaks the group succeeded")
		}
		events, err := s.Events(t.Context(), "", 0, 100)
		if err != nil || len(events) != cap(good) {
			t.Errorf("%d events, %v; want %d", len(events), err, cap(good))
		}
	})
}

// A step that the engine undoes in favour of another transaction is tried alone.
func TestUndoneStep(t *testing.T) {
	s := openTest(t, sqliteURL(t)).Store
	inner := s.engine.classify
	undone := errors.New("deadlock")
	s.engine.classify = func(err error) class {
		if errors.Is(err, undone) {
			return classAgain
		}
		return inner(err)
	}
	runs := 0
	err := s.write(t.Context(), func(g *group) error {
		g.record(exchange(runs))
		if runs++; runs < 3 {
			return failure{undone}
		}
		return nil
	})
	if err != nil || runs != 3 {
		t.Errorf("write() = %v after %d runs, want success after 3", err, runs)
	}
	runs = -1_000_000
	err = s.write(t.Context(), func(*group) error { runs++; return failure{undone} })
	if core.KindOf(err) != core.Conflict || runs > -1_000_000+10 {
		t.Errorf("write() = %v after %d runs, want Conflict after a few", err, runs+1_000_000)
	}
	events, err := s.Events(t.Context(), "", 0, 10)
	if err != nil || len(events) != 1 {
		t.Errorf("%d events, %v; want 1", len(events), err)
	}
}

// occupy keeps the writer busy until release is called.
func occupy(t *testing.T, s *Store) (release func()) {
	t.Helper()
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.write(t.Context(), func(*group) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() {
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func waitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	for len(s.writer.queue) < n {
		time.Sleep(time.Millisecond)
		if t.Context().Err() != nil {
			t.Fatal("the steps were never queued")
		}
	}
}

// A caller that gives up while it is queued leaves nothing behind; a full queue
// refuses, and never drops in silence.
func TestQueue(t *testing.T) {
	s, err := Open(t.Context(), sqliteURL(t), Options{QueueLength: 2, GroupSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	release := occupy(t, s)
	ctx, cancel := contextWithCancel(t)
	outcomes := make(chan error, 3)
	go func() { outcomes <- s.Record(ctx, exchange(1)) }()
	go func() { outcomes <- s.Record(ctx, exchange(2)) }()
	waitQueued(t, s, 2)
	go func() { outcomes <- s.Record(ctx, exchange(3)) }() // finds no place
	cancel()
	for range cap(outcomes) {
		if err := <-outcomes; core.KindOf(err) != core.Unavailable {
			t.Errorf("Record() = %v, want Unavailable", err)
		}
	}
	release()
	if err := s.Record(t.Context(), exchange(4)); err != nil {
		t.Error(err)
	}
	events, err := s.Events(t.Context(), "", 0, 10)
	if err != nil || len(events) != 1 || events[0].TokenID != "token-4" {
		t.Errorf("events %v, %v; want token-4 alone", events, err)
	}
}

// Close commits what is queued and refuses what comes later.
func TestClose(t *testing.T) {
	url := sqliteURL(t)
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	release := occupy(t, s)
	outcomes := make(chan error, 100)
	for i := range cap(outcomes) {
		go func() { outcomes <- s.Record(t.Context(), exchange(i)) }()
	}
	waitQueued(t, s, cap(outcomes))
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	release()
	for range cap(outcomes) {
		if err := <-outcomes; err != nil {
			t.Errorf("Record() before Close: %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := s.Record(t.Context(), exchange(0)); core.KindOf(err) != core.Unavailable {
		t.Errorf("Record() after Close = %v, want Unavailable", err)
	}
	if _, err := s.Realms(t.Context()); core.KindOf(err) != core.Unavailable {
		t.Errorf("Realms() after Close = %v, want Unavailable", err)
	}
	events, err := openTest(t, url).Events(t.Context(), "", 0, 1_000)
	if err != nil || len(events) != cap(outcomes) {
		t.Errorf("%d events, %v; want %d", len(events), err, cap(outcomes))
	}
	if filepath.Ext(s.Path()) != ".db" {
		t.Errorf("Path() = %q", s.Path())
	}
}

// Foreign bytes that an engine refuses do not cost an audit record.
func TestHostileEvent(t *testing.T) {
	onEngines(t, func(t *testing.T, url string) {
		s := openTest(t, url)
		e := exchange(1)
		e.RequestID, e.Actor, e.Dialect = "a\xffb", "a\x00b", "\xed\xa0\x80"
		if err := s.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		events, err := s.Events(t.Context(), "", 0, 10)
		if err != nil || len(events) != 1 {
			t.Fatalf("%d events, %v; want 1", len(events), err)
		}
		if got := events[0]; got.RequestID != "a\uFFFDb" || got.Actor != "a\uFFFDb" || got.Dialect != "\uFFFD" {
			t.Errorf("got %q, %q, %q", got.RequestID, got.Actor, got.Dialect)
		}
	})
}
