package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	connections     = 16
	manyConnections = 256
	logins          = 1_000 // of the storm
)

// A bench holds what scenarios share: the two servers, started when first wanted.
type bench struct {
	dir, database string
	duration      time.Duration
	profile       string // "" for none
	server, bare  *child
}

var scenarios = []struct {
	name, title string
	run         func(*bench) error
}{
	{"start", "Start, idle memory, binary", (*bench).start},
	{"bare", "Ceiling: a bare net/http handler", (*bench).ceilings},
	{"password", "Password login", (*bench).password},
	{"key", "Access key login, audit durable before the answer", (*bench).key},
	{"whoami", "Token test", (*bench).whoami},
	{"forward", "Forward check of a bearer", (*bench).forward},
	{"storm", "1,000 logins at once with bearer checks beside them", (*bench).storm},
}

func (b *bench) stop() {
	for _, c := range []*child{b.server, b.bare} {
		if c != nil {
			c.stop()
		}
	}
}

func (b *bench) chancery() (*child, error) {
	if b.server == nil {
		var err error
		if b.server, err = startChild("server", "-dir", b.dir, "-database", b.database, "-profile", b.profile); err != nil {
			return nil, err
		}
	}
	return b.server, nil
}

func (b *bench) bareServer() (*child, error) {
	if b.bare == nil {
		var err error
		if b.bare, err = startChild("bare"); err != nil {
			return nil, err
		}
	}
	return b.bare, nil
}

// A measure is a load run with what it cost the process that served it.
type measure struct {
	result
	cpu  time.Duration // per reply
	peak float64       // MiB
}

func take(c *child, connections int, duration time.Duration, want int, next func(connection, n int) request) (measure, error) {
	drive(c.Public, connections, duration/5, want, next) // warms caches and connections
	c.resetPeak()
	before := c.cpu()
	got := drive(c.Public, connections, duration, want, next)
	used := c.cpu() - before
	if len(got.replies) != 1 || got.replies[want] == 0 {
		return measure{}, fmt.Errorf("want status %d alone, got %v", want, got.replies)
	}
	_, peak := c.memory()
	return measure{got, used / time.Duration(got.replies[want]), peak}, nil
}

func (m measure) print(name string, status int) {
	fmt.Printf("| %s | %.0f/s | %s | %s | %s | %.0f MiB |\n", name, m.rate(status), round(m.percentile(0.5)), round(m.percentile(0.99)), round(m.cpu), m.peak)
}

func head() {
	fmt.Println("| | rate | p50 | p99 | CPU a request | peak memory |\n|---|---|---|---|---|---|")
}

func round(d time.Duration) string {
	switch {
	case d > 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d > 100*time.Microsecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

func target(name string, got float64, want string) { fmt.Printf("\n%s: %.2f (%s)\n", name, got, want) }

func (b *bench) takeBare(method string, connections int) (measure, error) {
	bare, err := b.bareServer()
	if err != nil {
		return measure{}, err
	}
	r := newRequest(http.MethodGet, "/", "", "")
	if method == http.MethodPost {
		r = newRequest(http.MethodPost, "/", "application/json", string(make([]byte, 110)))
	}
	return take(bare, connections, b.duration, http.StatusOK, func(int, int) request { return r })
}

func (b *bench) ceilings() error {
	head()
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		m, err := b.takeBare(method, connections)
		if err != nil {
			return err
		}
		m.print("bare "+method, http.StatusOK)
	}
	return nil
}

func passwordLogin(n int) request {
	form := url.Values{"username": {login(n)}, "password": {password}}.Encode()
	return newRequest(http.MethodPost, "/api/v1/login/access-token", "application/x-www-form-urlencoded", form)
}

func keyLogin(n int) request {
	body := fmt.Sprintf(`{"accessKey":%q,"secret":%q}`, accessKey(n), keySecret(n))
	return newRequest(http.MethodPost, "/login", "application/json", body)
}

func (b *bench) password() error {
	server, err := b.chancery()
	if err != nil {
		return err
	}
	raw := rawHashes(b.duration)
	m, err := take(server, connections, 2*b.duration, http.StatusOK, func(c, n int) request { return passwordLogin(c + n*connections) })
	if err != nil {
		return err
	}
	raw = (raw + rawHashes(b.duration)) / 2 // before and after: the machine's speed drifts
	head()
	m.print("password login", http.StatusOK)
	fmt.Printf("| raw argon2id, %d goroutines | %.0f/s | | | | |\n", runtime.NumCPU(), raw)
	target("logins over the raw rate of the same hash", m.rate(http.StatusOK)/raw, "must 0.95, aim 0.97")
	return nil
}

func (b *bench) key() error {
	server, err := b.chancery()
	if err != nil {
		return err
	}
	requests := make([]request, keys)
	for n := range requests {
		requests[n] = keyLogin(n)
	}
	next := func(c, n int) request { return requests[(c+n*7)%keys] }
	bare, err := b.takeBare(http.MethodPost, connections)
	if err != nil {
		return err
	}
	few, err := take(server, connections, b.duration, http.StatusCreated, next)
	if err != nil {
		return err
	}
	many, err := take(server, manyConnections, b.duration, http.StatusCreated, next)
	if err != nil {
		return err
	}
	bareMany, err := b.takeBare(http.MethodPost, manyConnections)
	if err != nil {
		return err
	}
	rows, err := rawRows(b.dir, b.duration)
	if err != nil {
		return err
	}
	head()
	few.print("key login, 16 connections", http.StatusCreated)
	many.print("key login, 256 connections", http.StatusCreated)
	bare.print("bare POST, 16 connections", http.StatusOK)
	bareMany.print("bare POST, 256 connections", http.StatusOK)
	fmt.Printf("| durable rows in groups of 128 | %.0f/s | | | | |\n", rows)
	target("CPU of the bare handler over ours", float64(bare.cpu)/float64(few.cpu), "must 0.2, aim 0.35")
	target("rate at 256 connections over the lower of rows and bare handler", many.rate(http.StatusCreated)/min(rows, bareMany.rate(http.StatusOK)), "must 0.15, aim 0.25")
	return nil
}

// bearer signs in and returns the token's header line.
func (b *bench) bearer(server *child) (string, error) {
	c := conn{address: server.Public}
	defer c.close()
	answer, err := c.do(passwordLogin(1))
	if err != nil || answer.status != http.StatusOK {
		return "", fmt.Errorf("login: status %d, %w", answer.status, err)
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	err = json.Unmarshal(answer.body, &body)
	return "Authorization: Bearer " + body.AccessToken, err
}

func (b *bench) whoami() error {
	server, err := b.chancery()
	if err != nil {
		return err
	}
	header, err := b.bearer(server)
	if err != nil {
		return err
	}
	return b.check("token test", server, newRequest(http.MethodPost, "/api/v1/login/test-token", "application/json", "", header), http.MethodPost, "")
}

const forwardPath = "/-/forward-auth/" + passwordRealm + "/instant-classification"

func (b *bench) forward() error {
	server, err := b.chancery()
	if err != nil {
		return err
	}
	header, err := b.bearer(server)
	if err != nil {
		return err
	}
	return b.check("forward check", server, newRequest(http.MethodGet, forwardPath, "", "", header), http.MethodGet, "must 0.65, aim 0.75")
}

func (b *bench) check(name string, server *child, r request, bareMethod, want string) error {
	bare, err := b.takeBare(bareMethod, connections)
	if err != nil {
		return err
	}
	m, err := take(server, connections, b.duration, http.StatusOK, func(int, int) request { return r })
	if err != nil {
		return err
	}
	head()
	m.print(name, http.StatusOK)
	bare.print("bare "+bareMethod, http.StatusOK)
	if want == "" {
		want = "no target"
	}
	target("CPU of the bare handler over ours", float64(bare.cpu)/float64(m.cpu), want)
	return nil
}

// storm signs 1,000 accounts in at once, each client waiting as it is told after
// a 503, and has other clients check a bearer meanwhile.
func (b *bench) storm() error {
	server, err := b.chancery()
	if err != nil {
		return err
	}
	header, err := b.bearer(server)
	if err != nil {
		return err
	}
	check := newRequest(http.MethodGet, forwardPath, "", "", header)
	for _, n := range []int{200, logins} {
		raw := rawHashes(b.duration)
		server.resetPeak()
		before := server.cpu()
		stop := make(chan struct{})
		checks := make(chan []time.Duration)
		go func() { checks <- checkUntil(server.Public, check, stop) }()
		got := stormLogins(server.Public, n)
		close(stop)
		times := <-checks
		used := server.cpu() - before
		_, peak := server.memory()
		raw = (raw + rawHashes(b.duration)) / 2
		slices.Sort(times)
		head()
		measure{got, used / time.Duration(max(1, got.replies[http.StatusOK])), peak}.print(fmt.Sprintf("%d logins at once", n), http.StatusOK)
		fmt.Printf("| bearer checks meanwhile, one every 2 ms | %d done | %s | %s | | |\n", len(times), round(result{times: times}.percentile(0.5)), round(result{times: times}.percentile(0.99)))
		fmt.Printf("\nanswers by status: %v\n", got.replies)
		target("goodput over the raw hash rate", got.rate(http.StatusOK)/raw, "must 0.9, aim 0.95")
		fmt.Println()
	}
	return nil
}

const stormEnd = 2 * time.Minute

func stormLogins(address string, n int) result {
	var (
		mu      sync.Mutex
		total   = result{replies: map[int]int{}}
		clients sync.WaitGroup
		start   = time.Now()
	)
	for i := range n {
		clients.Go(func() {
			c := &conn{address: address}
			defer c.close()
			r := passwordLogin(i)
			for time.Since(start) < stormEnd {
				begin := time.Now()
				answer, err := c.do(r)
				if err != nil {
					answer.status = 0
				}
				mu.Lock()
				total.replies[answer.status]++
				if answer.status == http.StatusOK {
					total.times = append(total.times, time.Since(begin))
				}
				mu.Unlock()
				if answer.status == http.StatusOK {
					return
				}
				time.Sleep(max(answer.retryAfter, time.Second))
			}
		})
	}
	clients.Wait()
	total.elapsed = time.Since(start)
	slices.Sort(total.times)
	return total
}

func checkUntil(address string, r request, stop <-chan struct{}) (times []time.Duration) {
	c := &conn{address: address}
	defer c.close()
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-stop:
			return times
		case <-pace.C:
		}
		begin := time.Now()
		if answer, err := c.do(r); err == nil && answer.status == http.StatusOK {
			times = append(times, time.Since(begin))
		} else {
			times = append(times, replyTimeout) // a failed check must show in the figures
		}
	}
}

// start measures a server of its own, as it comes up.
func (b *bench) start() error {
	var ready, token []time.Duration
	var idle float64
	for range 5 {
		server, err := startChild("server", "-dir", b.dir, "-database", b.database)
		if err != nil {
			return err
		}
		c := conn{address: server.Public}
		answer, err := c.do(keyLogin(1))
		token = append(token, time.Since(server.started))
		ready = append(ready, server.ready)
		c.close()
		if err != nil || answer.status != http.StatusCreated {
			server.stop()
			return fmt.Errorf("status %d: %w", answer.status, err)
		}
		time.Sleep(time.Second)
		idle, _ = server.memory()
		server.stop()
	}
	slices.Sort(ready)
	slices.Sort(token)
	fmt.Printf("from exec to ready %s, to the first key token %s (medians of 5; must 60ms, aim 20ms)\n", round(ready[2]), round(token[2]))
	fmt.Printf("idle memory a second later %.0f MiB (must 40, aim 20)\n", idle)
	if self, err := os.Executable(); err == nil {
		if info, err := os.Stat(self); err == nil {
			fmt.Printf("this program, with the whole server in it: %.0f MiB\n", float64(info.Size())/(1<<20))
		}
	}
	return nil
}
