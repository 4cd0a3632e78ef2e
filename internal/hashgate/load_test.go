package hashgate

import (
	"cmp"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"net/netip"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// Memory is workers × cost, never callers × cost, and used again for each hash.
func TestMemoryOf200Verifications(t *testing.T) {
	g := open(t, Options{Workers: 2, QueueTimeout: time.Minute})
	hash := hashOf(t, password.Kernel{}, "right")
	runtime.GC()
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() { peak <- peakHeap(stop) }()
	var all sync.WaitGroup
	var matches atomic.Int64
	for range 200 {
		all.Go(func() {
			match, _, err := g.Verify(t.Context(), "r", hash, core.NewSecret("right"))
			if err != nil {
				t.Error(err)
			}
			if match {
				matches.Add(1)
			}
		})
	}
	all.Wait()
	close(stop)
	if got := matches.Load(); got != 200 {
		t.Errorf("%d of 200 matched", got)
	}
	// Two that run, and a few of everything else: 39 as measured. With memory of its
	// own for each hash it was 140, and without the gate it would be 3,800.
	if got := <-peak; got > 60<<20 {
		t.Errorf("heap reached %d MiB, want at most 60", got>>20)
	}
}

func peakHeap(stop <-chan struct{}) uint64 {
	var highest uint64
	var m runtime.MemStats
	for {
		runtime.ReadMemStats(&m)
		highest = max(highest, m.HeapInuse)
		select {
		case <-stop:
			return highest
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A refusal at the door costs microseconds while hundreds wait.
func TestRefusalIsCheap(t *testing.T) {
	g := open(t, Options{Workers: 1, Kernel: (&slow{takes: 300 * time.Millisecond}).kernel})
	var all sync.WaitGroup
	defer all.Wait()
	for i := range 200 {
		realm := core.Realm("realm" + strconv.Itoa(i))
		all.Go(func() { _, _, _ = g.Verify(t.Context(), realm, "", core.NewSecret("x")) })
	}
	for g.Stats().Waiting < 40 {
		time.Sleep(time.Millisecond)
	}
	const calls = 1000
	start := time.Now()
	for range calls {
		if g.Admit(t.Context(), "realm1", netip.Prefix{}) == nil {
			t.Fatal("Admit() = nil while the queue is full")
		}
	}
	if each := time.Since(start) / calls; each > 50*time.Microsecond {
		t.Errorf("a refusal takes %v, want a few µs", each)
	}
}

// S1, S2: an account that is not there takes as long as a wrong password. The
// whole test is CHANCERY_SAMPLES=1000.
func TestDecoyTakesAsLong(t *testing.T) {
	samples := 20
	if n, err := strconv.Atoi(os.Getenv("CHANCERY_SAMPLES")); err == nil {
		samples = n
	}
	// The standard error of the area is about 0.29 times the root of 2 / samples.
	tolerance := 0.05
	if samples < 1000 {
		tolerance = 0.3
	}
	g := open(t, Options{Workers: 1, QueueTimeout: time.Minute})
	stored := hashOf(t, password.Kernel{}, "right")
	for _, size := range []int{1, 73, 10_000} {
		secret := core.NewSecret(strings.Repeat("x", size))
		var known, unknown []time.Duration
		timed := func(hash core.PasswordHash) time.Duration {
			start := time.Now()
			if match, _, err := g.Verify(t.Context(), "r", hash, secret); match || err != nil {
				t.Fatalf("Verify() = %v, %v", match, err)
			}
			return time.Since(start)
		}
		for range samples {
			known = append(known, timed(stored))
			unknown = append(unknown, timed(""))
		}
		got := area(known, unknown)
		t.Logf("%d bytes: area %.3f over %d samples", size, got, samples)
		if got < 0.5-tolerance || got > 0.5+tolerance {
			t.Errorf("%d bytes: area under the curve = %.3f, want 0.5 ± %.2f", size, got, tolerance)
		}
	}
}

// area is the area under the ROC curve: how often one of b takes longer than one of a.
func area(a, b []time.Duration) float64 {
	slices.SortFunc(a, cmp.Compare)
	above := 0
	for _, d := range b {
		n, _ := slices.BinarySearch(a, d)
		above += n
	}
	return float64(above) / float64(len(a)*len(b))
}
