package securitytest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// TestRollingRestartsFailNobody proves R20 with the program itself: of two replicas
// on one database, behind a balancer that asks /readyz, one after the other gets
// SIGTERM and is started anew, and no request fails. In short it is 4 restarts at
// 100 requests a second and a short drain; at full length 20 at 300, until 100,000
// are answered, and the usual drain of 5 s.
func TestRollingRestartsFailNobody(t *testing.T) {
	restarts, rate, drain, least := 4, 100, "1s", int64(0)
	if long() {
		restarts, rate, drain, least = 20, 300, "5s", 100_000
	}
	people := seed(t, pgtest.URL(t))
	environment := "CHANCERY_DRAIN=" + drain
	b := newBalancer(startProcess(t, people.dir, people.file, environment), startProcess(t, people.dir, people.file, environment))
	defer b.close()
	load := b.load(t, people, rate)
	for n := range restarts {
		time.Sleep(500 * time.Millisecond)
		old := b.replica(n % 2)
		took := old.terminate(t)
		if want, _ := time.ParseDuration(drain); took < want || took > want+30*time.Second {
			t.Errorf("restart %d: ended after %v, want the drain of %s and 30 s more at most", n, took, drain)
		}
		b.replace(n%2, startProcess(t, people.dir, people.file, environment))
	}
	for load.answered.Load() < least {
		time.Sleep(time.Second)
	}
	load.end()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d of %d requests failed", failed, load.answered.Load()+failed)
	}
	for kind, count := range map[string]int64{"sign-ins by key": load.keys.Load(), "sign-ins by password": load.passwords.Load(), "bearer checks": load.checks.Load()} {
		if count == 0 {
			t.Errorf("there were no %s", kind)
		}
	}
	t.Logf("%d restarts, %d requests answered, %d failed", restarts, load.answered.Load(), load.failed.Load())
}

// A balancer sends requests to replicas that say they are ready.
type balancer struct {
	mu       sync.Mutex
	replicas []*process
	ready    []bool
	next     int
	client   *http.Client
	stop     chan struct{}
	stopped  sync.WaitGroup
}

func newBalancer(replicas ...*process) *balancer {
	b := &balancer{replicas: replicas, ready: []bool{true, true}, stop: make(chan struct{}), client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for n := range replicas {
		b.stopped.Go(func() { b.watch(n) })
	}
	return b
}

// watch asks a replica every tenth of a second whether it is ready.
func (b *balancer) watch(n int) {
	for {
		select {
		case <-b.stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
		replica := b.replica(n)
		ready := replica.ready()
		b.mu.Lock()
		if b.replicas[n] == replica {
			b.ready[n] = ready
		}
		b.mu.Unlock()
	}
}

func (b *balancer) replica(n int) *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replicas[n]
}

func (b *balancer) replace(n int, by *process) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas[n], b.ready[n] = by, true
}

// pick takes turns among those that are ready.
func (b *balancer) pick() (*process, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.replicas {
		b.next = (b.next + 1) % len(b.replicas)
		if b.ready[b.next] {
			return b.replicas[b.next], nil
		}
	}
	return nil, errors.New("no replica is ready")
}

func (b *balancer) close() {
	close(b.stop)
	b.stopped.Wait()
	b.client.CloseIdleConnections()
}

// send passes a request on, once: what fails, fails.
func (b *balancer) send(r request) (reply, error) {
	replica, err := b.pick()
	if err != nil {
		return reply{}, err
	}
	method, path, _ := strings.Cut(r.line, " ")
	request, err := http.NewRequest(method, "http://"+replica.address+path, strings.NewReader(r.body)) //nolint:noctx // the client has a limit
	if err != nil {
		return reply{}, err
	}
	request.Host = r.host
	request.GetBody = nil // so that the client does not try again by itself
	for _, header := range r.headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := b.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body)}, err
}

// A load counts what came of the requests of a test.
type load struct {
	answered, failed        atomic.Int64
	keys, passwords, checks atomic.Int64
	stop                    chan struct{}
	sending                 sync.WaitGroup
}

func (l *load) end() {
	close(l.stop)
	l.sending.Wait()
}

// load sends rate requests a second: sign-ins by key, bearer checks, and now and
// then a password, which costs a hash.
func (b *balancer) load(t *testing.T, people seeded, rate int) *load {
	t.Helper()
	first, err := b.send(pagfast.loginWith(people.key, people.secret))
	if err != nil {
		t.Fatal(err)
	}
	bearer := pagfast.tokenIn(t, first)
	l := &load{stop: make(chan struct{})}
	l.sending.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-l.stop:
				return
			case <-tick.C:
			}
			l.sending.Go(func() {
				r, want, count := pagfast.loginWith(people.key, people.secret), 201, &l.keys
				switch {
				case n%50 == 0:
					r, want, count = kyc.loginWith(people.login, people.password), 200, &l.passwords
				case n%2 == 0:
					r, want, count = request{pagfast.host(), "GET /-/forward-auth/pagfast/pagfast", []string{"Authorization: Bearer " + bearer}, ""}, 200, &l.checks
				}
				got, err := b.send(r)
				if err != nil || got.status != want {
					if l.failed.Add(1) < 10 {
						t.Errorf("%s: %s, %v, want %d", r.line, got, err, want)
					}
					return
				}
				l.answered.Add(1)
				count.Add(1)
			})
		}
	})
	return l
}

// TestDrainOfTheProgram proves R20 step by step: at SIGTERM the program is unready at
// once, and yet answers for the time of its drain, with Connection: close, what is
// under way and what still comes; then it ends by itself with success.
func TestDrainOfTheProgram(t *testing.T) {
	people := seed(t, "")
	p := startProcess(t, people.dir, people.file, "CHANCERY_DRAIN=2s")
	if !p.ready() {
		t.Fatal("not ready at first")
	}
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	ask := func() (*http.Response, error) {
		r := pagfast.loginWith(people.key, people.secret)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.address+pagfast.login, strings.NewReader(r.body))
		if err != nil {
			return nil, err
		}
		request.Host = r.host
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			err = errors.Join(err, response.Body.Close())
		}
		return response, err
	}
	if response, err := ask(); err != nil || response.StatusCode != 201 || response.Close {
		t.Fatalf("before: %v, %v", response, err)
	}
	p.signal(t)
	begin := p.signalledAt
	for p.ready() {
		if time.Since(begin) > time.Second {
			t.Fatal("still ready a second after SIGTERM")
		}
		time.Sleep(5 * time.Millisecond)
	}
	var seen []string
	for time.Since(begin) < 1500*time.Millisecond {
		response, err := ask()
		if err != nil {
			t.Fatalf("%v into the drain: %v", time.Since(begin), err)
		}
		if what := fmt.Sprint(response.StatusCode, " ", response.Close); !slices.Contains(seen, what) {
			seen = append(seen, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !slices.Equal(seen, []string{"201 true"}) {
		t.Errorf("while it drained, status and Connection: close were %q, want 201 true", seen)
	}
	if took := p.wait(t); took < 2*time.Second || took > 12*time.Second {
		t.Errorf("ended after %v, want 2 s and little more", took)
	}
}
