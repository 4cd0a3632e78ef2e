package cli

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync"
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

	server *chancery.Server
	mails  keptMails
	folder string
	stop   func()
	ended  chan error // has one error whenever it does not run
}

// serveForTests serves the dialect; explain is told what it does, if it is not nil.
func (c *chosenDialect) serveForTests(ctx context.Context, explain func(dialect.Step)) (*testServer, error) {
	return c.serveThrottled(ctx, false, explain)
}

// serveThrottled is serveForTests with a count of failing sign-ins, or without.
func (c *chosenDialect) serveThrottled(ctx context.Context, throttled bool, explain func(dialect.Step)) (_ *testServer, err error) {
	if _, err := c.load(); err != nil {
		return nil, openFault(err)
	}
	s := &testServer{stop: func() {}, ended: make(chan error, 1)}
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
	config.Serve = []chancery.Mount{c.mount}
	config.Throttle.NetworkFailures = 1 << 20 // examples fail on purpose
	if !throttled {
		config.Throttle.Failures = 1 << 20
	}
	if s.server, err = chancery.Open(ctx, config, chancery.Options{Version: version(), Explain: explain, ShowMail: s.mails.keep}); err != nil {
		return nil, openFault(err)
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

// token signs in as a sample.
func (s *testServer) token(ctx context.Context) func(sample string) (string, error) {
	trial := dialect.Trial{Dialect: s.dialect, Client: s.client, BaseURL: s.base}
	return func(sample string) (string, error) { return trial.SignIn(ctx, sample) }
}

// keptMails are the mails that a server has made out.
type keptMails struct {
	mutex sync.Mutex
	mails []core.Mail
}

func (k *keptMails) keep(m core.Mail) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.mails = append(k.mails, m)
}

func (k *keptMails) all() []core.Mail {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return slices.Clone(k.mails)
}
