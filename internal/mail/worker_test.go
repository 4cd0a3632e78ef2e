package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// A post is a worker that runs against a real server, with a clock that can be moved.
type post struct {
	t       *testing.T
	store   *memory.Store
	server  *server
	worker  *Worker
	ahead   atomic.Int64 // nanoseconds that the clock is ahead
	compose atomic.Pointer[func(core.Notice) (core.Mail, error)]
	log     logBuffer
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func openPost(t *testing.T) *post {
	p := &post{t: t, store: memory.New(), server: serve(t, 0, nil)}
	p.composes(func(core.Notice) (core.Mail, error) { return sample(), nil })
	p.worker = p.newWorker(plainSMTP(t, p.server))
	return p
}

func (p *post) newWorker(sender Sender) *Worker {
	return New(Options{
		Outbox: p.store,
		Compose: func(_ context.Context, notice core.Notice) (core.Mail, error) {
			return (*p.compose.Load())(notice)
		},
		Sender:   sender,
		Log:      slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:      p.now,
		Interval: 5 * time.Millisecond,
	})
}

func (p *post) composes(compose func(core.Notice) (core.Mail, error)) { p.compose.Store(&compose) }

func (p *post) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

func (p *post) skip(d time.Duration) { p.ahead.Add(int64(d)) }

// run runs worker until the function that it returns is called, at the test's end at the latest.
func (p *post) run(worker *Worker) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		worker.Run(ctx)
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	p.t.Cleanup(func() {
		stop()
		for _, secret := range []string{"ada@", "lovelace", ticket, "app.example"} {
			if strings.Contains(strings.ToLower(p.log.String()), strings.ToLower(secret)) {
				p.t.Errorf("the log tells %q:\n%s", secret, p.log.String())
			}
		}
	})
	return stop
}

func (p *post) enqueue(ids ...string) {
	p.t.Helper()
	for _, id := range ids {
		notice := core.Notice{ID: id, Realm: "demo", Dialect: "a", Purpose: core.PurposeRecovery, Login: "ada@example.com",
			RequestID: "request-" + id, CreatedAt: p.now(), DueAt: p.now()}
		if err := p.store.Enqueue(p.t.Context(), notice, core.Event{}); err != nil {
			p.t.Fatal(err)
		}
	}
}

// waiting counts the notices that there still are, leased or not.
func (p *post) waiting() int {
	p.t.Helper()
	far := p.now().Add(1000 * time.Hour)
	notices, err := p.store.LeaseNotices(p.t.Context(), far, far, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	return len(notices)
}

// expired returns the audit records of mails that were given up.
func (p *post) expired() (events []core.Event) {
	p.t.Helper()
	all, err := p.store.Events(p.t.Context(), "", 0, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range all {
		if e.Action == core.ActionMailExpired {
			events = append(events, e.Event)
		}
	}
	return events
}

func (p *post) eventually(what string, is func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("not in five seconds: %s\n%s", what, p.log.String())
		}
	}
}

func (p *post) logs(words string) func() bool {
	return func() bool { return strings.Contains(p.log.String(), words) }
}

func (p *post) delivered(n int) func() bool {
	return func() bool { return len(p.server.envelopes()) == n }
}

func TestWorkerDelivers(t *testing.T) {
	p := openPost(t)
	var ids []string
	for i := range 11 {
		ids = append(ids, fmt.Sprint("notice", i))
	}
	p.enqueue(ids...)
	stop := p.run(p.worker)
	p.eventually("11 mails", p.delivered(11))
	// The server counts a mail before the worker has its answer.
	p.eventually("the end of each", func() bool { return strings.Count(p.log.String(), "mail sent") == 11 })
	stop()
	if got := p.waiting(); got != 0 {
		t.Errorf("%d notices wait after delivery", got)
	}
	if got := p.expired(); len(got) != 0 {
		t.Errorf("given up: %v", got)
	}
	if !strings.Contains(p.log.String(), "a***@example.com") {
		t.Errorf("the log does not tell to whom:\n%s", p.log.String())
	}
}

func TestWorkerWakes(t *testing.T) {
	p := openPost(t)
	p.worker.options.Interval = time.Hour
	p.run(p.worker)
	time.Sleep(20 * time.Millisecond) // it has looked
	p.enqueue("n")
	p.worker.Wake()
	p.eventually("the mail", p.delivered(1))
}

func TestWorkerTriesAgainAfter4xx(t *testing.T) {
	p := openPost(t)
	p.server.answer(func() error { return greylisted }, nil)
	p.enqueue("n")
	stop := p.run(p.worker)
	p.eventually("a failure", p.logs("again_in"))
	p.server.answer(nil, nil)
	time.Sleep(50 * time.Millisecond)
	if got := len(p.server.envelopes()); got != 0 {
		t.Fatalf("%d mails before the pause is over", got)
	}
	p.skip(13 * time.Second) // ten, and a quarter
	p.eventually("the mail", p.delivered(1))
	p.eventually("its end", p.logs("mail sent"))
	stop()
	if got := p.waiting(); got != 0 {
		t.Errorf("%d notices wait after delivery", got)
	}
}

func TestWorkerGivesUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		rcpt func() error
		data func() error
		to   string
	}{
		{"after 5xx to the recipient", func() error { return noMailbox }, nil, "ada@example.com"},
		{"after 5xx to the mail", nil, func() error { return noMailbox }, "ada@example.com"},
		{"an address that is none", nil, nil, "ada@example.com, evil@attacker.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := openPost(t)
			p.server.answer(tt.rcpt, tt.data)
			p.composes(func(core.Notice) (core.Mail, error) {
				m := sample()
				m.To = tt.to
				return m, nil
			})
			p.enqueue("n")
			stop := p.run(p.worker)
			p.eventually("a record", func() bool { return len(p.expired()) == 1 })
			stop()
			if got := p.waiting(); got != 0 {
				t.Errorf("%d notices wait", got)
			}
			got := p.expired()[0]
			if got.Outcome != core.NotFound || got.Realm != "demo" || got.Dialect != "a" || got.RequestID != "request-n" || got.At.IsZero() {
				t.Errorf("recorded %+v", got)
			}
		})
	}
}

func TestWorkerGivesUpAfterADay(t *testing.T) {
	p := openPost(t)
	p.server.answer(func() error { return greylisted }, nil)
	p.enqueue("n")
	stop := p.run(p.worker)
	attempts := func() int { return strings.Count(p.log.String(), "again_in") }
	for n := 1; n <= 20; n++ {
		p.eventually("a failure", func() bool { return attempts() >= n })
		p.skip(75 * time.Minute) // more than the longest pause; 19 of them are less than a day
		if n == 19 {
			if got := p.expired(); len(got) != 0 {
				t.Fatalf("given up before a day is over: %v", got)
			}
			break
		}
	}
	p.eventually("the last failure", func() bool { return attempts() >= 20 })
	p.skip(75 * time.Minute)
	p.eventually("a record", func() bool { return len(p.expired()) == 1 })
	stop()
	if got := p.expired()[0].Outcome; got != core.Unavailable {
		t.Errorf("outcome %q, want %q", got, core.Unavailable)
	}
	if got := p.waiting(); got != 0 {
		t.Errorf("%d notices wait", got)
	}
}

func TestWorkerDropsWhatIsNotToBeSent(t *testing.T) {
	for _, kind := range []core.Kind{core.NotFound, core.Inactive, core.AlreadyVerified, core.RateLimited} {
		t.Run(string(kind), func(t *testing.T) {
			p := openPost(t)
			var asked atomic.Int64
			p.composes(func(core.Notice) (core.Mail, error) {
				asked.Add(1)
				return core.Mail{}, &core.Error{Kind: kind}
			})
			p.enqueue("n")
			stop := p.run(p.worker)
			p.eventually("the question", func() bool { return asked.Load() == 1 })
			time.Sleep(20 * time.Millisecond)
			stop()
			if asked.Load() != 1 || p.waiting() != 0 || len(p.server.envelopes()) != 0 || len(p.expired()) != 0 {
				t.Errorf("asked %d times; waiting, sent and given up: %d, %d, %v", asked.Load(), p.waiting(), len(p.server.envelopes()), p.expired())
			}
		})
	}
}

func TestWorkerWaitsForTheStore(t *testing.T) {
	p := openPost(t)
	p.composes(func(core.Notice) (core.Mail, error) {
		return core.Mail{}, &core.Error{Kind: core.Unavailable, Err: errors.New("database is away")}
	})
	p.enqueue("n")
	p.run(p.worker)
	p.eventually("a failure", p.logs("database is away"))
	p.composes(func(core.Notice) (core.Mail, error) { return sample(), nil })
	p.skip(13 * time.Second)
	p.eventually("the mail", p.delivered(1))
}

func TestServerAwayThenBack(t *testing.T) {
	p := openPost(t)
	port := p.server.port
	p.server.stop()
	p.enqueue("n")
	stop := p.run(p.worker)
	p.eventually("a failure", p.logs("connection refused"))
	p.server = serve(t, port, nil)
	p.skip(13 * time.Second)
	p.eventually("the mail", p.delivered(1))
	p.eventually("its end", p.logs("mail sent"))
	stop()
	if got := p.waiting(); got != 0 {
		t.Errorf("%d notices wait after delivery", got)
	}
}

// A worker that dies while it sends leaves a lease behind, and the mail to the next.
func TestWorkerKilledMidway(t *testing.T) {
	p := openPost(t)
	reached := make(chan struct{}, 1)
	hung := make(chan struct{})
	defer close(hung)
	p.server.answer(nil, func() error { reached <- struct{}{}; <-hung; return greylisted })
	p.enqueue("n")
	kill := p.run(p.worker)
	<-reached
	start := time.Now()
	kill()
	if took := time.Since(start); took > time.Second {
		t.Errorf("the worker took %v to end", took)
	}
	p.server.answer(nil, nil)
	p.run(p.newWorker(plainSMTP(t, p.server)))
	time.Sleep(50 * time.Millisecond)
	if got := len(p.server.envelopes()); got != 0 {
		t.Fatalf("%d mails while the lease holds", got)
	}
	p.skip(lease)
	p.eventually("the mail", p.delivered(1))
}

// Two workers on one outbox send each mail once.
func TestTwoWorkers(t *testing.T) {
	p := openPost(t)
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprint("notice", i))
	}
	first, second := p.run(p.worker), p.run(p.newWorker(plainSMTP(t, p.server)))
	p.enqueue(ids...)
	p.eventually("20 ends", func() bool { return strings.Count(p.log.String(), "mail sent") == 20 })
	first()
	second()
	if got := len(p.server.envelopes()); got != 20 {
		t.Errorf("%d mails, want 20", got)
	}
}

// S24: a server that takes five seconds holds up neither who asks nor other mails.
func TestSlowServer(t *testing.T) {
	p := openPost(t)
	slow := make(chan struct{})
	var first atomic.Bool
	p.server.answer(func() error {
		if first.CompareAndSwap(false, true) {
			<-slow
		}
		return nil
	}, nil)
	timer := time.AfterFunc(5*time.Second, func() { close(slow) })
	defer timer.Stop()
	p.enqueue("slow", "b", "c", "d")
	p.run(p.worker)
	start := time.Now()
	p.eventually("the mails beside the slow one", p.delivered(3))
	for i := range 100 {
		p.enqueue(fmt.Sprint("more", i))
		p.worker.Wake()
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Enqueue and Wake took %v beside a slow server", took)
	}
	p.eventually("all but the slow one", p.delivered(103))
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the others took %v beside a slow server", took)
	}
	p.eventually("the slow one", p.delivered(104))
}

// A server that never answers is left before the lease ends.
func TestDeadServer(t *testing.T) {
	p := openPost(t)
	dead := make(chan struct{})
	defer close(dead)
	p.server.answer(func() error { <-dead; return nil }, nil)
	sender := openSMTP(t, SMTPOptions{Host: "127.0.0.1", Port: p.server.port, TLS: "none", From: "a@b.example", Timeout: 50 * time.Millisecond})
	p.enqueue("n")
	p.run(p.newWorker(sender))
	p.eventually("a failure", p.logs("again_in"))
	if attempt >= lease {
		t.Errorf("an attempt may take %v, longer than the lease of %v", attempt, lease)
	}
}

// S77: what a hostile server says does not fill the log, nor break its lines.
func TestServersWordsAreCut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			const line = "554-forged\" level=ERROR \x1b[31m \xff€€€\r\n"
			_, _ = io.WriteString(conn, strings.Repeat(line, 1000)+"554 end\r\n")
			_ = conn.Close()
		}
	}()
	p := openPost(t)
	p.composes(func(core.Notice) (core.Mail, error) { return sample(), nil })
	var log logBuffer
	sender, err := SMTP(SMTPOptions{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: "none", From: "no-reply@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	worker := p.newWorker(sender)
	worker.options.Log = slog.New(slog.NewJSONHandler(&log, nil))
	p.run(worker)
	p.enqueue("1")
	p.eventually("the mail is put off", func() bool { return strings.Contains(log.String(), "mail not sent yet") })
	first, rest, _ := strings.Cut(log.String(), "\n")
	var told struct{ Error string }
	if err := json.Unmarshal([]byte(first), &told); err != nil || rest != "" {
		t.Fatalf("want one line of JSON (%v), got %s", err, log.String())
	}
	if got := len(told.Error); got > 1<<10 || got < 1<<10-4 || !strings.Contains(told.Error, "forged") || !utf8.ValidString(told.Error) {
		t.Errorf("error of %d bytes: %q, want the first KiB", got, told.Error)
	}
}

func TestPauses(t *testing.T) {
	for failures, want := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second,
		160 * time.Second, 320 * time.Second, 640 * time.Second, 1280 * time.Second, 2560 * time.Second, time.Hour, time.Hour} {
		seen := map[time.Duration]bool{}
		for range 100 {
			got := pauseAfter(failures)
			if got < want*3/4 || got > want*5/4 {
				t.Fatalf("pauseAfter(%d) = %v, want %v, a quarter up or down", failures, got, want)
			}
			seen[got] = true
		}
		if len(seen) < 50 {
			t.Errorf("pauseAfter(%d) has %d values in 100 calls", failures, len(seen))
		}
	}
	if got := pauseAfter(1000); got > maxPause*5/4 || got <= 0 {
		t.Errorf("pauseAfter(1000) = %v", got)
	}
}
