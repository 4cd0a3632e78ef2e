package hashgate

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slow is a kernel that takes a given time and no work, and keeps count.
type slow struct {
	takes   time.Duration
	calls   atomic.Int64
	memory  atomic.Int64 // of those that run
	mu      sync.Mutex
	highest int64
	order   []string // passwords, as they were begun
}

func (s *slow) kernel() password.Kernel {
	return password.Kernel{Argon2id: func(pw, _ []byte, _, memory uint32, _ uint8, size uint32) []byte {
		s.calls.Add(1)
		now := s.memory.Add(int64(memory) << 10)
		s.mu.Lock()
		s.highest = max(s.highest, now)
		s.order = append(s.order, string(pw))
		s.mu.Unlock()
		time.Sleep(s.takes)
		s.memory.Add(-int64(memory) << 10)
		tag := sha256.Sum256(pw)
		return tag[:size]
	}}
}

func (s *slow) begun() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

func open(t *testing.T, o Options) *Gate {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func hashOf(t testing.TB, k password.Kernel, pw string) core.PasswordHash {
	t.Helper()
	made, err := k.Hash(password.Default(), []byte(pw))
	if err != nil {
		t.Fatal(err)
	}
	return core.PasswordHash(made)
}

func TestVerify(t *testing.T) {
	g := open(t, Options{})
	current := hashOf(t, password.Kernel{}, "right")
	for _, tt := range []struct {
		name     string
		hash     core.PasswordHash
		secret   string
		match    bool
		outdated bool
	}{
		{"right", current, "right", true, false},
		{"wrong", current, "wrong", false, false},
		{"no password", "", "right", false, false},
		{"malformed", "!", "right", false, false},
		{"beyond the bounds", "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", false, false},
		{"bcrypt", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U", true, true},
		{"bcrypt, wrong", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U", false, false},
	} {
		match, outdated, err := g.Verify(t.Context(), "r", tt.hash, core.NewSecret(tt.secret))
		if err != nil || match != tt.match || outdated != tt.outdated {
			t.Errorf("%s: Verify() = %v, %v, %v, want %v, %v", tt.name, match, outdated, err, tt.match, tt.outdated)
		}
	}
	if got := g.Stats(); got.Hashes != 7 || got.Malformed != 2 || got.Waiting != 0 || got.Running != 0 {
		t.Errorf("Stats() = %+v, want 7 hashes, 2 malformed", got)
	}
}

func TestHash(t *testing.T) {
	g := open(t, Options{})
	made, err := g.Hash(t.Context(), "r", core.NewSecret(" pässword "))
	if err != nil {
		t.Fatal(err)
	}
	if match, outdated, err := g.Verify(t.Context(), "r", made, core.NewSecret(" pässword ")); !match || outdated || err != nil {
		t.Errorf("Verify() = %v, %v, %v, want true, false, nil", match, outdated, err)
	}
	_, err = g.Hash(t.Context(), "r", core.NewSecret(strings.Repeat("x", password.MaxPassword+1)))
	if got, want := core.KindOf(err), core.PasswordRefused; got != want {
		t.Errorf("KindOf(Hash(too long)) = %q, want %q", got, want)
	}
}

// S8, S16
func TestNewRefuses(t *testing.T) {
	weak := password.Default()
	weak.Memory = 4096
	for _, tt := range []struct {
		name    string
		options Options
		want    []string
	}{
		{"weak parameters", Options{Params: weak}, []string{"memory in KiB: 4096", "19456"}},
		{"over the budget", Options{Workers: 16, MemoryBudget: 256 << 20}, []string{"16 workers × 19 MiB", "304 MiB", "256 MiB", "raise the budget"}},
		{"no workers", Options{Workers: -1}, []string{"-1 workers"}},
	} {
		_, err := New(tt.options)
		if err == nil {
			t.Fatalf("%s: New() = nil, want an error", tt.name)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: New() = %q, want it to hold %q", tt.name, err, want)
			}
		}
	}
	g := open(t, Options{Workers: 64}) // the default budget grows with the workers
	if got, want := g.options.MemoryBudget, int64(64*19)<<20; got != want {
		t.Errorf("budget of 64 workers = %d, want %d", got, want)
	}
}

func TestQueueTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 5 * time.Second} // far beyond the estimate, so that the door lets it pass
		g := open(t, Options{Workers: 1, Kernel: s.kernel})
		go func() { _, _ = g.Hash(t.Context(), "r", core.NewSecret("first")) }()
		synctest.Wait()
		start := time.Now()
		_, _, err := g.Verify(t.Context(), "r", "", core.NewSecret("x"))
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("Verify() gives up after %v, want 2s", took)
		}
		checkUnavailable(t, err)
		g.Close()
		if got := s.calls.Load(); got != 1 {
			t.Errorf("%d hashes computed, want 1", got)
		}
		if got := g.Stats().Expired; got != 1 {
			t.Errorf("Expired = %d, want 1", got)
		}
	})
}

func checkUnavailable(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*core.Error](err)
	if !ok || e.Kind != core.Unavailable || e.RetryAfter < time.Second || e.RetryAfter > 30*time.Second {
		t.Errorf("error = %v, want Unavailable with RetryAfter of 1 to 30 s", err)
	}
}

func TestCallerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: time.Second}
		g := open(t, Options{Workers: 1, Kernel: s.kernel})
		go func() { _, _ = g.Hash(t.Context(), "r", core.NewSecret("stays")) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := g.Hash(ctx, "r", core.NewSecret("goes"))
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; core.KindOf(err) != core.Unavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("Hash() = %v, want Unavailable for %v", err, context.Canceled)
		}
		g.Close()
		if order := s.begun(); len(order) != 1 || order[0] != "stays" {
			t.Errorf("hashed %q, want only the one whose caller stayed", order)
		}
	})
}

// R19, S16: a flood of one realm leaves another's waits as short as they were.
func TestRealmsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 30 * time.Millisecond}
		g := open(t, Options{Workers: 2, Kernel: s.kernel})
		var refused atomic.Int64
		for range 1000 {
			go func() {
				if _, _, err := g.Verify(t.Context(), "flood", "", core.NewSecret("flood")); err != nil {
					checkUnavailable(t, err)
					refused.Add(1)
				}
			}()
		}
		synctest.Wait()
		if got := refused.Load(); got < 850 || got > 950 {
			t.Errorf("%d of 1000 refused at once, want about 900: 1.5 s hold 100", got)
		}
		for range 10 {
			start := time.Now()
			if err := g.Admit(t.Context(), "calm", netip.Prefix{}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := g.Verify(t.Context(), "calm", "", core.NewSecret("calm")); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 100*time.Millisecond {
				t.Errorf("the calm realm waits %v, want at most 100ms", took)
			}
		}
		g.Close()
		if got := g.Stats(); got.Hashes != uint64(1010-refused.Load()) || got.Expired != 0 {
			t.Errorf("Stats() = %+v: what was let in was not served", got)
		}
	})
}

func TestAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 30 * time.Millisecond}
		g := open(t, Options{Workers: 2, Kernel: s.kernel})
		one, two := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
		admit := func(network netip.Prefix) (let int) {
			for ; g.Admit(t.Context(), "r", network) == nil; let++ {
				go func() { _, _, _ = g.Verify(t.Context(), "r", "", core.NewSecret("x")) }()
				synctest.Wait()
			}
			return let
		}
		if let := admit(one); let < 90 || let > 110 {
			t.Errorf("a network that is alone is let in %d times, want about 100, the whole limit", let)
		}
		if let := admit(two); let != 0 {
			t.Errorf("another is let in %d times when the queue is full", let)
		}
		time.Sleep(600 * time.Millisecond)
		if let := admit(one); let != 0 {
			t.Errorf("the first is let in %d times more while another asks", let)
		}
		if let := admit(two); let < 30 || let > 50 {
			t.Errorf("the other is let in %d times once places are free, want about 40", let)
		}
		time.Sleep(2 * time.Second)
		if err := g.Admit(t.Context(), "r", one); err != nil {
			t.Errorf("Admit() when the queue is empty again = %v", err)
		}
	})
}

// Those who are turned off come back over half of the time that it takes to serve them.
func TestRetryAfterSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 30 * time.Millisecond}
		g := open(t, Options{Workers: 2, Kernel: s.kernel})
		for range 102 {
			go func() { _, _, _ = g.Verify(t.Context(), "r", "", core.NewSecret("x")) }()
		}
		synctest.Wait()
		var longest time.Duration
		for range 900 {
			err := g.Admit(t.Context(), "r", netip.Prefix{})
			checkUnavailable(t, err)
			if e, ok := errors.AsType[*core.Error](err); ok {
				longest = max(longest, e.RetryAfter)
			}
		}
		if longest < 6*time.Second || longest > 8*time.Second {
			t.Errorf("the longest Retry-After is %v, want about half of 900 × 30 ms / 2", longest)
		}
	})
}

// S17: an upgrade comes after what callers wait for, and not at all under load.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 30 * time.Millisecond}
		g := open(t, Options{Workers: 1, Kernel: s.kernel})
		var got []core.PasswordHash
		var mu sync.Mutex
		keep := func(h core.PasswordHash) { mu.Lock(); got = append(got, h); mu.Unlock() }
		go func() { _, _ = g.Hash(t.Context(), "r", core.NewSecret("1")) }()
		synctest.Wait()
		g.Later("r", core.NewSecret("later"), keep)
		go func() { _, _ = g.Hash(t.Context(), "r", core.NewSecret("2")) }()
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		if got, want := strings.Join(s.begun(), " "), "1 2 later"; got != want {
			t.Errorf("order is %q, want %q", got, want)
		}
		mu.Lock()
		made := got[0]
		mu.Unlock()
		if match, _, _ := g.Verify(t.Context(), "r", made, core.NewSecret("later")); !match {
			t.Error("the hash of Later does not match")
		}
		for range 20 {
			go func() { _, _ = g.Hash(t.Context(), "r", core.NewSecret("busy")) }()
		}
		synctest.Wait()
		g.Later("r", core.NewSecret("dropped"), keep)
		time.Sleep(2 * time.Second)
		for range 100 {
			g.Later("r", core.NewSecret("many"), keep)
		}
		time.Sleep(20 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		// The worker may have taken the first before the last came.
		if n := len(got) - 1; n != maxLater && n != maxLater+1 {
			t.Errorf("%d of 100 upgrades, want %d", n, maxLater)
		}
		if n := g.Stats().Dropped; n != uint64(1+100-(len(got)-1)) {
			t.Errorf("Dropped = %d with %d upgrades of 100, want the rest and the one under load", n, len(got)-1)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 100 * time.Millisecond}
		g := open(t, Options{Workers: 1, Kernel: s.kernel})
		var served atomic.Int64
		for range 5 {
			go func() {
				if _, err := g.Hash(t.Context(), "r", core.NewSecret("x")); err == nil {
					served.Add(1)
				}
			}()
		}
		synctest.Wait()
		g.Later("r", core.NewSecret("x"), func(core.PasswordHash) { t.Error("Later ran after Close") })
		g.Close()
		synctest.Wait()
		if got := served.Load(); got != 5 {
			t.Errorf("%d of 5 waiting jobs served, want all", got)
		}
		_, err := g.Hash(t.Context(), "r", core.NewSecret("x"))
		checkUnavailable(t, err)
		checkUnavailable(t, g.Admit(t.Context(), "r", netip.Prefix{}))
	})
}

// R24
func TestPanicIsOneFailedRequest(t *testing.T) {
	calls := 0
	g := open(t, Options{Workers: 1, Kernel: func() password.Kernel {
		return password.Kernel{OwnThread: true, Argon2id: func(_, _ []byte, _, _ uint32, _ uint8, size uint32) []byte {
			if calls++; calls == 1 {
				panic("broken")
			}
			return make([]byte, size)
		}}
	}})
	if _, err := g.Hash(t.Context(), "r", core.NewSecret("x")); core.KindOf(err) != core.Internal {
		t.Errorf("Hash() = %v, want Internal", err)
	}
	if _, err := g.Hash(t.Context(), "r", core.NewSecret("x")); err != nil {
		t.Errorf("the next Hash() = %v", err)
	}
}
