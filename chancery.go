// Package chancery is a server that turns credentials into bearer tokens, in the
// words of the API that it serves.
//
// [Open] gives a [Server]: an http.Handler to embed, or [Server.Run] to serve on
// addresses of its own. What it serves is said by [Config]; the rules are in
// package core, the wire contracts in the files of dialects/. wire.go joins the
// parts that last, serving.go those that [Server.Reload] replaces.
package chancery

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/web"
	"github.com/chancery-auth/chancery/internal/web/status"
)

// Options are what a program gives to a server beside its configuration.
type Options struct {
	Log      *slog.Logger       // default: none
	Version  string             // for metrics
	ShowMail func(core.Mail)    // called for each mail that Config.Mail.Folder keeps; it sees the link
	Explain  func(dialect.Step) // called for each step of each call; it may be called by many at once
	// Now is the time by which tokens, tickets, codes and waits begin and end, and which
	// replies tell; default time.Now. It may be called by many at once, and never goes back.
	Now func() time.Time
}

// A Server is an open Chancery. Close it when it is no longer needed.
type Server struct {
	config   Config
	log      *slog.Logger
	showMail func(core.Mail)
	explain  func(dialect.Step)
	now      func() time.Time
	parts    parts
	serving  atomic.Pointer[serving] // what a reload replaces
	public   http.Handler
	admin    http.Handler
	status   *status.Handler

	changing sync.Mutex     // held by whoever changes what follows
	closers  []func() error // run last to first
	mailing  bool           // a worker sends mails
	closed   bool

	ready     chan struct{}
	addr      net.Addr
	adminAddr net.Addr
}

// Handler serves clients.
func (s *Server) Handler() http.Handler { return s.public }

// AdminHandler serves /healthz, /readyz and /metrics.
func (s *Server) AdminHandler() http.Handler { return s.admin }

// Registry administers realms, accounts and access keys. Ask for it again after a
// reload: the forms of access keys are the dialects'.
func (s *Server) Registry() *core.Registry { return s.serving.Load().registry }

// Dialects are those that are served, as they are mounted.
func (s *Server) Dialects() []*dialect.Dialect { return s.serving.Load().dialects }

// Ready is closed once Run accepts connections; Addr and AdminAddr then tell where.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the address for clients.
func (s *Server) Addr() string { return s.addr.String() }

// AdminAddr is the address of the admin listener.
func (s *Server) AdminAddr() string { return s.adminAddr.String() }

// Run listens on both addresses and serves until ctx ends. It then reports
// itself unready, goes on serving for Config.Drain, and gives the requests under
// way Config.Grace to finish (R20).
func (s *Server) Run(ctx context.Context) error {
	public, err := web.Listen(ctx, s.config.Listen)
	if err != nil {
		return err
	}
	admin, err := web.Listen(ctx, s.config.AdminListen)
	if err != nil {
		return errors.Join(err, public.Close())
	}
	s.addr, s.adminAddr = public.Addr(), admin.Addr()
	close(s.ready)
	s.log.InfoContext(ctx, "serving", "address", s.Addr(), "admin_address", s.AdminAddr())

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	var (
		running sync.WaitGroup
		failed  = make(chan error, 2)
	)
	running.Go(func() {
		defer stopAdmin() // readiness is asked until the last request is done
		failed <- web.Serve(ctx, web.ServeOptions{
			Listener: public,
			Handler:  s.public,
			CertFile: s.config.TLS.CertFile,
			KeyFile:  s.config.TLS.KeyFile,
			Drain:    s.config.Drain,
			Grace:    s.config.Grace,
			OnDrain:  s.status.Drain,
			Log:      s.log,
		})
	})
	running.Go(func() {
		defer stop()
		failed <- web.Serve(adminCtx, web.ServeOptions{Listener: admin, Handler: s.admin, Log: s.log})
	})
	running.Wait()
	s.log.InfoContext(ctx, "stopped")
	return errors.Join(<-failed, <-failed)
}

// Close ends the background work and closes the store.
func (s *Server) Close() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.closed = true
	var failures []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		failures = append(failures, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(failures...)
}
