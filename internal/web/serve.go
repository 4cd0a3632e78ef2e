package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// maxHeader bounds a request's line and headers together, in bytes (S51): 16 KiB, of
// which net/http adds 4 by itself.
const maxHeader = 12 << 10

// Timeouts are the time limits of a connection. A zero field takes S56's value.
type Timeouts struct {
	Header time.Duration // for a request's headers, 5 s
	Body   time.Duration // for its body, 10 s
	Write  time.Duration // for the reply, 15 s
	Idle   time.Duration // between requests, 60 s
}

func (t Timeouts) orDefault() Timeouts {
	or := func(value, standard time.Duration) time.Duration {
		if value == 0 {
			return standard
		}
		return value
	}
	return Timeouts{
		Header: or(t.Header, 5*time.Second),
		Body:   or(t.Body, 10*time.Second),
		Write:  or(t.Write, 15*time.Second),
		Idle:   or(t.Idle, 60*time.Second),
	}
}

// ServeOptions say what to serve, where and for how long.
type ServeOptions struct {
	Listen   string       // TCP address, such as 127.0.0.1:8080
	Listener net.Listener // instead of Listen, from [Listen] or the service manager
	Handler  http.Handler
	CertFile string // PEM; with KeyFile it makes the server end TLS
	KeyFile  string
	Timeouts Timeouts
	// Drain is how long requests are still taken after the context has ended;
	// Grace is how long those under way then have to finish. Zero means not at all.
	Drain, Grace time.Duration
	OnDrain      func() // called at once when the context ends; nil for nothing
	Log          *slog.Logger
}

// Listen opens a TCP address. Its error says what to do.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program uses this address: stop it, or choose another address: %w", address, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: not permitted: choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE: %w", address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("listen on %s: this machine has no such address: choose one of its own, or 0.0.0.0: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: want an address such as 127.0.0.1:8080: %w", address, err)
	}
	return listener, nil
}

// Serve answers requests until ctx ends, and then drains (R20): OnDrain is called
// at once, for the time of Drain everything is still answered, with Connection:
// close, and after that requests under way have Grace to finish. It returns nil
// after a drain, and an error when it could not begin or go on.
func Serve(ctx context.Context, o ServeOptions) error {
	served := &served{timeouts: o.Timeouts.orDefault()}
	server, err := o.server(ctx, served)
	if err != nil {
		return err
	}
	listener := o.Listener
	if listener == nil {
		if listener, err = Listen(ctx, o.Listen); err != nil {
			return err
		}
	}
	failed := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	served.draining.Store(true)
	if o.OnDrain != nil {
		o.OnDrain()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-time.After(o.Drain):
	}
	return o.shutDown(ctx, server)
}

func (o ServeOptions) shutDown(ctx context.Context, server *http.Server) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Grace)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		o.Log.WarnContext(ctx, "requests were cut off at shutdown", slog.Duration("grace", o.Grace))
		return server.Close()
	}
	return err
}

func (o ServeOptions) server(ctx context.Context, served *served) (*http.Server, error) {
	t := served.timeouts
	base := context.WithValue(context.WithoutCancel(ctx), servedKey{}, served)
	server := &http.Server{
		Handler:           closing(o.Handler, served),
		ReadHeaderTimeout: t.Header,
		ReadTimeout:       t.Header + t.Body, // for handlers outside Wrap, which is stricter
		WriteTimeout:      t.Write,
		IdleTimeout:       t.Idle,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          ErrorLog(o.Log),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	if o.CertFile != "" {
		certificate, err := newCertificate(o.CertFile, o.KeyFile, o.Log)
		if err != nil {
			return nil, err
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.current}
	}
	return server, nil
}

// closing asks clients to leave while the server drains.
func closing(next http.Handler, served *served) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// served is what a listener tells of itself to the requests that it takes.
type served struct {
	timeouts Timeouts
	draining atomic.Bool
}

type servedKey struct{}

var servedByOthers = &served{timeouts: Timeouts{}.orDefault()}

// servedBy finds the listener of a request; a handler that is embedded in another
// server gets the standard limits.
func servedBy(ctx context.Context) *served {
	if s, ok := ctx.Value(servedKey{}).(*served); ok {
		return s
	}
	return servedByOthers
}
