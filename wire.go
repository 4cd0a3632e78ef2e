package chancery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/counter"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/hashgate"
	"github.com/chancery-auth/chancery/internal/keyring"
	"github.com/chancery-auth/chancery/internal/mail"
	"github.com/chancery-auth/chancery/internal/metrics"
	"github.com/chancery-auth/chancery/internal/password"
	"github.com/chancery-auth/chancery/internal/store"
	"github.com/chancery-auth/chancery/internal/web"
	"github.com/chancery-auth/chancery/internal/web/status"
)

// Open checks the configuration, opens the store, brings its schema up to date,
// loads dialects and signing keys, and begins to send the mails that wait. It
// tells everything that is wrong with the configuration and the dialects at once.
func Open(ctx context.Context, config Config, options Options) (_ *Server, err error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	mounted, err := loadMounts(config, dialect.Options{Trace: options.Explain, Now: options.Now})
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, log: options.Log, showMail: options.ShowMail, explain: options.Explain, now: options.Now, ready: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.openParts(ctx, options); err != nil {
		return nil, err
	}
	if err := s.change(ctx, mounted); err != nil {
		return nil, err
	}
	s.background(func(ctx context.Context) { purge(ctx, s.parts.store, s.log) })
	s.background(func(ctx context.Context) { keepJournal(ctx, s.parts.store, config.Audit.Retention, s.log) })
	return s, s.buildHandlers()
}

// parts are what every dialect's authority stands on. They last as long as the server.
type parts struct {
	store    *store.Store
	gate     *hashgate.Gate
	keys     *keyring.Ring
	attempts core.Attempts
	counts   *metrics.Metrics
}

func (s *Server) openParts(ctx context.Context, options Options) error {
	p := &s.parts
	var err error
	if p.store, p.keys, err = openStore(ctx, s.config, s.log); err != nil {
		return err
	}
	s.closers = append(s.closers, p.store.Close)
	if p.gate, err = openGate(s.config.Hashing); err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { p.gate.Close(); return nil })
	p.attempts = counter.New(counter.Options{
		Failures:        s.config.Throttle.Failures,
		Interval:        s.config.Throttle.Interval,
		NetworkFailures: s.config.Throttle.NetworkFailures,
		Now:             s.now,
	})
	p.counts = newMetrics(options.Version, p.gate)
	return nil
}

// openKeyring opens the master key; at the very first start, when nothing is
// sealed yet, it makes one.
func openKeyring(ctx context.Context, file string, keys core.SigningKeys, log *slog.Logger) (*keyring.Ring, error) {
	master, err := keyring.OpenMasterKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		_, sealed := keys.AnySigningKey(ctx)
		switch {
		case core.KindOf(sealed) == core.NotFound:
			log.InfoContext(ctx, "made a master key: keep a copy of it apart from the database's backups", "file", file)
			master, err = keyring.CreateMasterKey(file)
		case sealed != nil:
			err = sealed
		}
	}
	if err != nil {
		return nil, err
	}
	ring := keyring.New(keys, master)
	return ring, ring.Prove(ctx)
}

func openGate(c HashingConfig) (*hashgate.Gate, error) {
	params := password.Default()
	params.Memory, params.Passes = uint32(c.Argon2MiB)<<10, uint32(c.Argon2Passes) //nolint:gosec // Validate bounds both
	return hashgate.New(hashgate.Options{
		Params:       params,
		Workers:      c.Workers,
		MemoryBudget: int64(c.MemoryMiB) << 20,
		QueueTimeout: c.QueueTimeout,
	})
}

func newRegistry(s *store.Store, passwords core.Passwords, sealer core.Sealer, forms map[core.Realm]core.KeyForm, now func() time.Time) *core.Registry {
	return &core.Registry{
		Realms: s, Tenants: s, Accounts: s, Factors: s, Sealer: sealer, AccessKeys: s,
		Passwords: passwords, Forms: forms, Now: now,
	}
}

// OpenRegistry opens the store for administration alone. The server may run
// meanwhile; it sees changes within two seconds (S47).
func OpenRegistry(ctx context.Context, config Config, options Options) (*core.Registry, io.Closer, error) {
	config = config.WithDefaults()
	forms := map[core.Realm]core.KeyForm{}
	if len(config.Serve) > 0 {
		mounted, err := loadMounts(config, dialect.Options{})
		if err != nil {
			return nil, nil, err
		}
		forms = keyForms(mounted)
	}
	opened, keys, err := openStore(ctx, config, options.Log)
	if err != nil {
		return nil, nil, err
	}
	gate, err := openGate(config.Hashing)
	if err != nil {
		return nil, nil, errors.Join(err, opened.Close())
	}
	return newRegistry(opened, gate, keys, forms, time.Now), closer(func() error { gate.Close(); return opened.Close() }), nil
}

// openStore opens the store and the key ring, which links the records of the one.
func openStore(ctx context.Context, config Config, log *slog.Logger) (_ *store.Store, _ *keyring.Ring, err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	opened, err := store.Open(ctx, config.Database, store.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	keys, err := openKeyring(ctx, config.MasterKeyFile, opened, log)
	if err != nil {
		return nil, nil, err
	}
	key, err := keys.AuditKey(ctx)
	if err != nil {
		return nil, nil, err
	}
	opened.UseChain(core.NewChain(key))
	return opened, keys, nil
}

type closer func() error

func (c closer) Close() error { return c() }

// A mount is a Mount with its dialect loaded.
type mount struct {
	Mount
	dialect *dialect.Dialect
}

// loadMounts loads every mount's dialect and tells all that is wrong at once.
func loadMounts(config Config, options dialect.Options) ([]mount, error) {
	var mounted []mount
	var faults []error
	for i, m := range config.Serve {
		loaded, err := loadDialect(config, m, options)
		if err != nil {
			faults = append(faults, fmt.Errorf("serve[%d]: %w", i, err))
			continue
		}
		mounted = append(mounted, mount{m, loaded})
	}
	return mounted, errors.Join(faults...)
}

func keyForms(mounted []mount) map[core.Realm]core.KeyForm {
	forms := map[core.Realm]core.KeyForm{}
	for _, m := range mounted {
		if form := m.dialect.KeyForm(); form != (core.KeyForm{}) {
			forms[m.dialect.Realm()] = form
		}
	}
	return forms
}

// startMail begins to send what waits in the outbox.
func (s *Server) startMail(sender mail.Sender) {
	worker := mail.New(mail.Options{
		Outbox: s.parts.store,
		Compose: func(ctx context.Context, notice core.Notice) (core.Mail, error) {
			authority := s.serving.Load().composers[[2]string{string(notice.Realm), notice.Dialect}]
			if authority == nil {
				return core.Mail{}, &core.Error{Kind: core.NotFound, Err: errors.New("its dialect is served no more")}
			}
			return authority.ComposeMail(ctx, notice)
		},
		Sender: sender,
		Log:    s.log,
		Now:    s.now,
	})
	s.background(worker.Run)
}

// background does work until the server is closed.
func (s *Server) background(work func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(ctx)
	}()
	s.closers = append(s.closers, func() error { stop(); <-done; return nil })
}

func (c MailConfig) sender(show func(core.Mail)) (mail.Sender, error) {
	switch {
	case c.Folder != "":
		return mail.Folder(c.Folder, c.From, show)
	case c.Host != "":
		return mail.SMTP(mail.SMTPOptions{Host: c.Host, Port: c.Port, TLS: c.TLS, User: c.User, Password: c.Password, From: c.From})
	}
	return nil, errors.New("mail: a dialect that is served sends recovery mails: set mail.host and mail.from, or mail.folder to keep mails as files")
}

// buildHandlers puts what lasts around what is served at the moment. A request is
// answered by one serving from its start to its end.
func (s *Server) buildHandlers() error {
	proxies, err := parseNetworks(s.config.TrustedProxies)
	if err != nil {
		return err
	}
	current := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serving.Load().handler.ServeHTTP(w, r) })
	s.public = web.Wrap(current, web.Options{TrustedProxies: proxies, WarnOfProxy: true, Log: s.log, Observe: observe(s.parts.counts)})
	s.status = status.New(status.Options{Ready: s.parts.store.Ping, Metrics: s.parts.counts.Handler(), Log: s.log})
	s.admin = web.Wrap(s.status, web.Options{Log: s.log})
	return nil
}

func newMetrics(version string, gate *hashgate.Gate) *metrics.Metrics {
	options := metrics.Options{
		Version:    version,
		Operations: []string{"forward_auth", "proxy"},
		Hashing: func() metrics.Hashing {
			now := gate.Stats()
			return metrics.Hashing{Waiting: now.Waiting, Running: now.Running, Mean: now.Mean, Hashes: now.Hashes, Refused: now.Refused + now.Expired}
		},
	}
	for _, operation := range dialect.Operations() {
		options.Operations = append(options.Operations, string(operation))
	}
	return metrics.New(options)
}

func observe(counts *metrics.Metrics) func(web.Record) {
	return func(r web.Record) {
		counts.Count(metrics.Request{
			Mount:     metrics.Mount{Realm: string(r.Realm), Dialect: r.Dialect},
			Operation: r.Operation, Outcome: r.Outcome, Status: r.Status, Duration: r.Duration,
		})
	}
}

func parseNetworks(texts []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range texts {
		network, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}
