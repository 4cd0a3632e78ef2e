//go:build unix

package hashgate

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// BenchmarkGate holds the gate's rate against that of the bare hash, computed by
// as many goroutines as there are workers, in the same run, and both against
// golang.org/x/crypto's. Beside each runs what
// other requests feel: a goroutine that wants the processor every millisecond.
// GOMAXPROCS is cores + workers.
//
//	go test -run XXX -bench Gate -benchtime 200x ./internal/hashgate
func BenchmarkGate(b *testing.B) {
	cores := runtime.GOMAXPROCS(0)
	hashes := []struct{ name, text string }{
		{"argon2id", string(hashOf(b, password.Kernel{}, "right"))},
		{"bcrypt10", "$2b$10$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
	}
	for _, h := range hashes {
		stored, err := password.Parse(h.text)
		if err != nil {
			b.Fatal(err)
		}
		for name, kernel := range map[string]func() password.Kernel{
			"raw":      func() password.Kernel { return password.NewKernel(password.Default()) },
			"x/crypto": func() password.Kernel { return password.Kernel{} },
		} {
			b.Run(h.name+"/"+name, func(b *testing.B) {
				kernels := make(chan password.Kernel, cores)
				for range cores {
					kernels <- kernel()
				}
				measure(b, cores, func() {
					k := <-kernels
					k.Verify(stored, []byte("right"))
					kernels <- k
				})
			})
		}
		for _, callers := range []int{16, 1000} {
			b.Run(fmt.Sprintf("%s/gate-%d", h.name, callers), func(b *testing.B) {
				g, err := New(Options{Workers: cores, QueueTimeout: time.Hour})
				if err != nil {
					b.Fatal(err)
				}
				defer g.Close()
				measure(b, callers, func() {
					if _, _, err := g.Verify(b.Context(), "r", core.PasswordHash(h.text), core.NewSecret("right")); err != nil {
						b.Error(err)
					}
				})
			})
		}
	}
}

func measure(b *testing.B, callers int, call func()) {
	cores := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(2 * cores)
	defer runtime.GOMAXPROCS(cores)
	runtime.GC()
	resetPeak()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	stop := make(chan struct{})
	late := make(chan []time.Duration)
	go func() { late <- probe(stop) }()
	before := cpu()
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				call()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	close(stop)
	delays := <-late
	slices.SortFunc(delays, cmp.Compare)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hashes/s")
	b.ReportMetric((cpu()-before).Seconds()*1000/float64(b.N), "cpu-ms/hash")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds())/1000, "late-p99-ms")
	b.ReportMetric(float64(peakRSS())/1024, "peak-MiB")
}

func probe(stop <-chan struct{}) (late []time.Duration) {
	for {
		due := time.Now().Add(time.Millisecond)
		time.Sleep(time.Millisecond)
		late = append(late, time.Since(due))
		select {
		case <-stop:
			return late
		default:
		}
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak and peakRSS read 0 where there is no /proc.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func peakRSS() int {
	status, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
	return kib
}
