package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/seed"
)

// A testServer serves one dialect on a free port, with a database of its own and the
// sample identities of its file. It is gone without a trace once it is closed.
type testServer struct {
	base    string // its address, without a slash at the end
	dialect *dialect.Dialect
	client  *http.Client // follows no redirects
	mails   mailbox
	told    lastOutcome
	clock   clock
	bench   bench

	server *chancery.Server
	folder string
	stop   func()
	ended  chan error // has one error whenever it does not run
}

// A mailbox keeps the mails that a server makes out.
type mailbox struct {
	mu  sync.Mutex
	all []core.Mail
}

func (m *mailbox) put(mail core.Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, mail)
}

func (m *mailbox) list() []core.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

// A lastOutcome is that of the call that a server answered last, with what led to it.
type lastOutcome struct {
	mu   sync.Mutex
	kind core.Kind
	why  []dialect.Step // the rules that were broken, the cause, the outcome
}

// follow takes notice of a step.
func (o *lastOutcome) follow(step dialect.Step) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch step.Name {
	case dialect.MatchStep:
		o.kind, o.why = "", nil
	case dialect.OutcomeStep:
		o.kind, o.why = step.Outcome, append(o.why, step)
	case "issue":
		o.why = append(o.why, step)
	case "cause":
		if len(o.why) == 0 { // or it says the issues once more
			o.why = append(o.why, step)
		}
	}
}

func (o *lastOutcome) get() core.Kind {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kind
}

// take returns why the last call ended as it did, once.
func (o *lastOutcome) take() []dialect.Step {
	o.mu.Lock()
	defer o.mu.Unlock()
	why := o.why
	o.why = nil
	return why
}

// A clock goes with the machine's, as far ahead of it as it was moved.
type clock struct{ ahead atomic.Int64 } // nanoseconds

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

// A bench is what examples have in common that one server is enough for: the
// settings that they want, and whether failing sign-ins are counted, as they are for
// those that are repeated. All others fail as often as they want.
type bench struct {
	settings map[string]any
	repeated bool
	example  string // the first that wants it
}

func benchOf(e *dialect.Example) bench { return bench{e.Settings, e.Repeat > 1, e.Name} }

// fault is the error for a dialect that cannot be served on the bench: it names the
// example whose settings are to blame, as the file by itself is right.
func (b bench) fault(err error) error {
	faults, ok := errors.AsType[dialect.Faults](err)
	if !ok || len(b.settings) == 0 {
		return openFault(err)
	}
	return configFault(fmt.Errorf("example %q cannot be served with its settings:\n%w", b.example, faults),
		"correct the settings of the example, or what the file makes of them: by itself it is right")
}

func (b bench) serves(e dialect.Example) bool {
	return maps.Equal(e.Settings, b.settings) && e.Repeat > 1 == b.repeated
}

// serveForTests serves the dialect on a bench; explain is told what it does, if it is
// not nil.
func (c *chosenDialect) serveForTests(ctx context.Context, on bench, explain func(dialect.Step)) (_ *testServer, err error) {
	if _, err := c.load(); err != nil {
		return nil, openFault(err)
	}
	mount := c.mount
	if len(on.settings) > 0 {
		mount.Settings = maps.Clone(mount.Settings)
		if mount.Settings == nil {
			mount.Settings = map[string]any{}
		}
		maps.Copy(mount.Settings, on.settings)
	}
	s := &testServer{bench: on, stop: func() {}, ended: make(chan error, 1)}
	if s.folder, err = os.MkdirTemp("", "chancery-dialect-"); err != nil {
		return nil, err
	}
	s.ended <- nil
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	listen, err := claim(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config := demoConfig(listen, s.folder, "")
	config.Dialects = c.config.Dialects
	config.Serve = []chancery.Mount{mount}
	config.Throttle.NetworkFailures = 1 << 20 // examples fail on purpose
	if !on.repeated {
		config.Throttle.Failures = 1 << 20
	}
	options := chancery.Options{Version: version(), ShowMail: s.mails.put, Now: s.clock.now, Explain: func(step dialect.Step) {
		s.told.follow(step)
		if explain != nil {
			explain(step)
		}
	}}
	if s.server, err = chancery.Open(ctx, config, options); err != nil {
		return nil, on.fault(err)
	}
	s.base, s.dialect = config.Issuer, s.server.Dialects()[0]
	if err := seed.Identities(ctx, s.server.Registry(), s.dialect); err != nil {
		return nil, err
	}
	s.client = &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, s.run(ctx)
}

// run serves until close.
func (s *testServer) run(ctx context.Context) error {
	running, stop := context.WithCancel(ctx)
	s.stop = stop
	if err := <-s.ended; err != nil {
		return err
	}
	go func() { s.ended <- s.server.Run(running) }()
	select {
	case <-s.server.Ready():
		return nil
	case err := <-s.ended:
		s.ended <- nil // for close
		return err
	}
}

// close ends the server and waits until all that it does is done.
func (s *testServer) close() error {
	s.stop()
	err := <-s.ended
	s.ended <- nil
	if s.server != nil {
		err = errors.Join(err, s.server.Close())
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// trial sends the bench's examples to the server.
func (s *testServer) trial(client dialect.Doer) *dialect.Trial {
	return &dialect.Trial{
		Dialect: s.dialect, Client: client, BaseURL: s.base, Mails: s.mails.list, Outcome: s.told.get,
		Now: s.clock.now, Advance: s.clock.advance,
		Settings: s.bench.settings, Skip: func(e dialect.Example) bool { return !s.bench.serves(e) },
	}
}
