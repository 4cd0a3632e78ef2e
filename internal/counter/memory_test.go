package counter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func key(identity, address string) core.AttemptKey {
	origin := core.Origin{Address: netip.MustParseAddr(address)}
	return core.AttemptKey{Realm: "demo", Identity: identity, Network: origin.Network()}
}

func begin(t testing.TB, m *Memory, key core.AttemptKey) core.Attempt {
	t.Helper()
	attempt, err := m.Begin(t.Context(), key)
	if err != nil {
		t.Fatalf("Begin(%v): %v", key, err)
	}
	return attempt
}

func fail(t testing.TB, m *Memory, key core.AttemptKey, times int) {
	t.Helper()
	for range times {
		begin(t, m, key).Failed()
	}
}

// refused wants RateLimited with that RetryAfter.
func refused(t testing.TB, m *Memory, key core.AttemptKey, retry time.Duration) {
	t.Helper()
	_, err := m.Begin(t.Context(), key)
	refusal, ok := errors.AsType[*core.Error](err)
	if !ok || refusal.Kind != core.RateLimited || refusal.RetryAfter != retry {
		t.Fatalf("Begin(%v) = %v, want %s after %v", key, err, core.RateLimited, retry)
	}
}

// crowdedOut wants Unavailable: too many others are under way.
func crowdedOut(t testing.TB, m *Memory, key core.AttemptKey) {
	t.Helper()
	_, err := m.Begin(t.Context(), key)
	refusal, ok := errors.AsType[*core.Error](err)
	if !ok || refusal.Kind != core.Unavailable || refusal.RetryAfter != time.Second {
		t.Errorf("Begin(%v) = %v, want %s after a second", key, err, core.Unavailable)
	}
}

// Failures lapse by the clock of the options.
func TestClock(t *testing.T) {
	now := time.Now()
	m := New(Options{Failures: 2, Interval: time.Minute, Now: func() time.Time { return now }})
	ada := key("ada", "192.0.2.1")
	fail(t, m, ada, 2)
	refused(t, m, ada, time.Minute)
	now = now.Add(time.Minute)
	fail(t, m, ada, 1)
	refused(t, m, ada, time.Minute)
}

// A refusal tells the limit that was reached: the identity's or the network's.
func TestRefusalTellsTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, limits := New(Options{Failures: 2, NetworkFailures: 3}), []int{}
		for _, name := range []string{"ada", "ada", "ada", "bob", "bob"} {
			attempt, err := m.Begin(t.Context(), key(name, "192.0.2.1"))
			if refusal, ok := errors.AsType[*core.Error](err); ok {
				limits = append(limits, refusal.Limit)
				continue
			}
			attempt.Failed()
		}
		if want := []int{2, 3}; !slices.Equal(limits, want) {
			t.Errorf("limits = %v, want %v", limits, want)
		}
	})
}

func TestFiveFailuresAreFreeThenOnePerTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		fail(t, m, ada, 5)
		refused(t, m, ada, 10*time.Second)
		time.Sleep(1500 * time.Millisecond)
		refused(t, m, ada, 9*time.Second) // 8.5 s, in whole seconds
		time.Sleep(8500*time.Millisecond - 1)
		refused(t, m, ada, time.Second)
		time.Sleep(time.Nanosecond)
		fail(t, m, ada, 1)
		refused(t, m, ada, 10*time.Second)
		time.Sleep(50 * time.Second)
		fail(t, m, ada, 5)
		refused(t, m, ada, 10*time.Second)
	})
}

func TestCountsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{})
		ada := key("ada", "192.0.2.1")
		fail(t, m, ada, 5)
		refused(t, m, ada, 10*time.Second)
		other := ada
		other.Realm = "partners"
		for _, free := range []core.AttemptKey{other, key("bob", "192.0.2.1"), key("ada", "192.0.2.2"), key("ADA", "192.0.2.1")} {
			fail(t, m, free, 5)
		}
		// IPv6 counts by /64.
		fail(t, m, key("ada", "2001:db8::1"), 5)
		refused(t, m, key("ada", "2001:db8::ffff"), 10*time.Second)
		fail(t, m, key("ada", "2001:db8:0:1::1"), 1)
		// An address that is not known is a network of its own.
		unknown := core.AttemptKey{Realm: "demo", Identity: "ada"}
		fail(t, m, unknown, 5)
		refused(t, m, unknown, 10*time.Second)
	})
}

// S19: a second factor is not guessed from many networks either.
func TestCountsEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{})
		ada := core.AttemptKey{Realm: "demo", Identity: "ada", Everywhere: true}
		fail(t, m, ada, 60)
		begin(t, m, ada).Abandoned()
		fail(t, m, ada, 40)
		refused(t, m, ada, 10*time.Minute)
		bob := core.AttemptKey{Realm: "demo", Identity: "bob", Everywhere: true}
		fail(t, m, bob, 99)
		begin(t, m, bob).Succeeded()
		fail(t, m, bob, 100)
		refused(t, m, bob, 10*time.Minute)
		fail(t, m, key("ada", "192.0.2.1"), 5) // which is another count
		time.Sleep(10 * time.Minute)
		fail(t, m, ada, 1)
		refused(t, m, ada, 10*time.Minute)
	})
}

func TestSuccessForgetsTheIdentitysFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{NetworkFailures: 12}), key("ada", "192.0.2.1")
		fail(t, m, ada, 4)
		begin(t, m, ada).Succeeded()
		fail(t, m, ada, 4)
		begin(t, m, ada).Succeeded()
		fail(t, m, ada, 4)
		// The network's failures stay: an attacker's own account does not wipe them.
		refused(t, m, ada, time.Second)
	})
}

func TestAbandonedDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		fail(t, m, ada, 4)
		for range 100 {
			begin(t, m, ada).Abandoned()
		}
		fail(t, m, ada, 1)
		refused(t, m, ada, 10*time.Second)
	})
}

func TestSettlingTwiceChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		fail(t, m, ada, 4)
		attempt := begin(t, m, ada)
		attempt.Failed()
		attempt.Succeeded()
		attempt.Abandoned()
		refused(t, m, ada, 10*time.Second)
	})
}

func TestNetworkLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{})
		for i := range 100 {
			fail(t, m, key(fmt.Sprint("name", i), "192.0.2.1"), 1)
		}
		refused(t, m, key("ada", "192.0.2.1"), time.Second)
		fail(t, m, key("ada", "192.0.2.2"), 1)
		time.Sleep(3 * time.Second)
		fail(t, m, key("ada", "192.0.2.1"), 3)
		refused(t, m, key("bob", "192.0.2.1"), time.Second)
	})
}

func TestKeyWithoutIdentityCountsForTheNetworkAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{})
		fail(t, m, key("", "192.0.2.1"), 99)
		fail(t, m, key("ada", "192.0.2.1"), 1)
		refused(t, m, key("", "192.0.2.1"), time.Second)
		refused(t, m, key("ada", "192.0.2.1"), time.Second)
		if got := len(m.identities.entries); got != 1 {
			t.Errorf("%d identities remembered, want 1", got)
		}
	})
}

// S20: however many guess at once, no more are compared than may fail.
func TestParallelWrongGuessesNeverExceedTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		var compared, refusals atomic.Int64
		var group sync.WaitGroup
		start := time.Now()
		for range 200 {
			group.Go(func() {
				attempt, err := m.Begin(t.Context(), ada)
				if core.KindOf(err) == core.RateLimited {
					refusals.Add(1)
					return
				}
				compared.Add(1)
				time.Sleep(30 * time.Millisecond)
				attempt.Failed()
			})
		}
		group.Wait()
		if compared.Load() != 5 || refusals.Load() != 195 {
			t.Errorf("%d compared, %d refused, want 5 and 195", compared.Load(), refusals.Load())
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("refusals took %v", took)
		}
	})
}

// R18: as many as two workers get through in the time that a request has.
func TestParallelRightLoginsAllPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		fail(t, m, ada, 3)
		var underway, most, passed atomic.Int64
		var group sync.WaitGroup
		workers := make(chan struct{}, 2)
		start := time.Now()
		for range 200 {
			group.Go(func() {
				attempt, err := m.Begin(t.Context(), ada)
				if err != nil {
					t.Error(err)
					return
				}
				if now := underway.Add(1); now > most.Load() {
					most.Store(now)
				}
				workers <- struct{}{}
				time.Sleep(25 * time.Millisecond)
				<-workers
				underway.Add(-1)
				attempt.Succeeded()
				passed.Add(1)
			})
		}
		group.Wait()
		if took := time.Since(start); passed.Load() != 200 || took != 2500*time.Millisecond {
			t.Errorf("%d passed within %v, want 200 within 2.5s, with both workers busy all the time", passed.Load(), took)
		}
		if most.Load() > 5 {
			t.Errorf("%d under way at once, want 5 at most", most.Load())
		}
		time.Sleep(time.Minute) // the failures lapse
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, table := range []*table{m.identities, m.networks} {
			for _, e := range table.entries {
				if e.busy() {
					t.Errorf("an entry has %d under way and %d waiting after all ended", e.underway, len(e.queue))
				}
			}
		}
	})
}

// R18: however often others end in between, a wait has one deadline; and who came
// first is served first, before anybody who comes later.
func TestWaitersAreServedInOrderUntilTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{Failures: 1}), key("ada", "192.0.2.1")
		first := begin(t, m, ada)
		start := time.Now()
		var mu sync.Mutex
		var order []int
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				attempt, err := m.Begin(t.Context(), ada)
				if err != nil {
					if waited := time.Since(start); core.KindOf(err) != core.Unavailable || waited != 4*time.Second {
						t.Errorf("attempt %d: %v after %v, want %s after 4s", i, err, waited, core.Unavailable)
					}
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(750 * time.Millisecond)
				attempt.Succeeded()
			})
			synctest.Wait()
		}
		time.Sleep(750 * time.Millisecond)
		first.Succeeded()
		synctest.Wait()
		mu.Lock()
		if len(order) != 1 {
			t.Errorf("%d begun, want 1", len(order))
		}
		mu.Unlock()
		group.Wait()
		// They begin after 0.75, 1.5, 2.25, 3 and 3.75 seconds.
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(order, want) {
			t.Errorf("begun in the order %v, want %v", order, want)
		}
	})
}

// An attempt that has room with its identity and none with its network waits there in
// the order of its coming.
func TestWaitersKeepTheirTurnBetweenIdentityAndNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{Failures: 1, NetworkFailures: 2})
		ada, bob, eve := key("ada", "192.0.2.1"), key("bob", "192.0.2.1"), key("eve", "192.0.2.1")
		held := []core.Attempt{begin(t, m, ada), begin(t, m, bob)}
		begun := make(chan core.Attempt, 3)
		names := make(chan string, 3)
		for _, who := range []struct {
			name string
			key  core.AttemptKey
		}{{"ada again", ada}, {"eve", eve}, {"bob again", bob}} {
			go func() {
				attempt, err := m.Begin(t.Context(), who.key)
				if err != nil {
					t.Error(who.name, err)
				}
				names <- who.name
				begun <- attempt
			}()
			synctest.Wait()
		}
		for _, step := range []struct {
			end  core.Attempt
			want string
		}{{held[1], "eve"}, {held[0], "ada again"}} {
			step.end.Abandoned()
			synctest.Wait()
			if len(names) != 1 {
				t.Fatalf("%d begun, want 1", len(names))
			}
			if got := <-names; got != step.want {
				t.Errorf("%s begins, want %s", got, step.want)
			}
		}
		(<-begun).Abandoned()
		if got := <-names; got != "bob again" {
			t.Errorf("%s begins, want bob again", got)
		}
		(<-begun).Abandoned()
		(<-begun).Abandoned()
		if len(m.identities.entries) != 0 || len(m.networks.entries) != 0 {
			t.Errorf("%d identities and %d networks remembered, want none", len(m.identities.entries), len(m.networks.entries))
		}
	})
}

func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		var held []core.Attempt
		for range 5 {
			held = append(held, begin(t, m, ada))
		}
		start := time.Now()
		crowdedOut(t, m, ada)
		if waited := time.Since(start); waited != 4*time.Second {
			t.Errorf("refused after %v, want 4s", waited)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Begin(gone, ada); core.KindOf(err) != core.Unavailable {
			t.Errorf("Begin() of a client that went = %v, want %s", err, core.Unavailable)
		}
		for _, attempt := range held {
			attempt.Abandoned()
		}
		if len(m.identities.entries) != 0 || len(m.networks.entries) != 0 {
			t.Errorf("%d identities and %d networks remembered, want none", len(m.identities.entries), len(m.networks.entries))
		}
	})
}

func TestWaitersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ada := New(Options{}), key("ada", "192.0.2.1")
		for range 5 {
			begin(t, m, ada)
		}
		var group sync.WaitGroup
		for range maxWaiting {
			group.Go(func() { crowdedOut(t, m, ada) })
		}
		synctest.Wait()
		start := time.Now()
		crowdedOut(t, m, ada)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v though %d wait already", waited, maxWaiting)
		}
		group.Wait()
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{Identities: 100, Networks: 50})
		victim := key("victim", "192.0.2.1")
		fail(t, m, victim, 5)
		held := begin(t, m, key("held", "192.0.2.1"))
		for i := range 10000 {
			address := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			fail(t, m, key(fmt.Sprint("name", i), address.String()), 1)
		}
		if got := len(m.identities.entries); got > 100 || got != m.identities.used.Len() {
			t.Errorf("%d identities remembered (%d in order), want 100 at most", got, m.identities.used.Len())
		}
		if got := len(m.networks.entries); got > 50 || got != m.networks.used.Len() {
			t.Errorf("%d networks remembered (%d in order), want 50 at most", got, m.networks.used.Len())
		}
		refused(t, m, victim, 10*time.Second) // the flood of names with one failure did not free it
		held.Failed()                         // nor did it lose an attempt under way
	})
}

func TestOptionsDefaults(t *testing.T) {
	negative := Options{-1, -1, -1, -1, -1, -1, -1, -1, -1, nil}
	want := Options{5, 10 * time.Second, 100, time.Second, 100, 10 * time.Minute, 4 * time.Second, 65536, 65536, nil}
	for _, o := range []Options{{}, negative} {
		got := o.withDefaults()
		if got.Now == nil {
			t.Errorf("%+v with defaults has no clock", o)
		}
		if got.Now = nil; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v with defaults = %+v, want %+v", o, got, want)
		}
	}
	got := want.withDefaults()
	if got.Now = nil; !reflect.DeepEqual(got, want) {
		t.Errorf("what was set was changed to %+v", got)
	}
}

// Run with -race: many clients with mixed outcomes leave nothing under way.
func TestConcurrentUse(t *testing.T) {
	m := New(Options{Identities: 20, Networks: 5, Patience: 10 * time.Millisecond})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 300 {
				k := key(fmt.Sprint("name", (worker+i)%40), fmt.Sprintf("192.0.2.%d", i%10))
				attempt, err := m.Begin(t.Context(), k)
				switch {
				case err != nil:
				case i%3 == 0:
					attempt.Failed()
				case i%3 == 1:
					attempt.Succeeded()
				default:
					attempt.Abandoned()
				}
			}
		})
	}
	group.Wait()
	for _, table := range []*table{m.identities, m.networks} {
		for _, e := range table.entries {
			if e.busy() {
				t.Errorf("an entry has %d under way and %d waiting after all ended", e.underway, len(e.queue))
			}
		}
	}
}

func BenchmarkBeginSucceeded(b *testing.B) {
	m, ada := New(Options{}), key("ada@example.com", "192.0.2.1")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		attempt, err := m.Begin(ctx, ada)
		if err != nil {
			b.Fatal(err)
		}
		attempt.Succeeded()
	}
}
