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
	"net/url"
	"strings"
	"sync"
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
	"github.com/chancery-auth/chancery/internal/web/forwardauth"
	"github.com/chancery-auth/chancery/internal/web/login"
	"github.com/chancery-auth/chancery/internal/web/proxy"
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
	mounted, err := loadMounts(config, options.Explain)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, log: options.Log, ready: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	p, err := s.openParts(ctx, mounted)
	if err != nil {
		return nil, err
	}
	authorities, err := s.authorities(ctx, p, mounted)
	if err != nil {
		return nil, err
	}
	if err := s.startMail(p, authorities, options.ShowMail); err != nil {
		return nil, err
	}
	s.background(func(ctx context.Context) { purge(ctx, p.store, s.log) })
	return s, s.buildHandlers(p, mounted, authorities, options)
}

// parts are what every dialect's authority stands on.
type parts struct {
	store    *store.Store
	gate     *hashgate.Gate
	keys     *keyring.Ring
	attempts core.Attempts
}

func (s *Server) openParts(ctx context.Context, mounted []mount) (*parts, error) {
	p := &parts{}
	var err error
	if p.store, err = store.Open(ctx, s.config.Database, store.Options{}); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, p.store.Close)
	if p.keys, err = openKeyring(ctx, s.config.MasterKeyFile, p.store, s.log); err != nil {
		return nil, err
	}
	if p.gate, err = openGate(s.config.Hashing); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, func() error { p.gate.Close(); return nil })
	p.attempts = counter.New(counter.Options{
		Failures:        s.config.Throttle.Failures,
		Interval:        s.config.Throttle.Interval,
		NetworkFailures: s.config.Throttle.NetworkFailures,
	})
	s.registry = newRegistry(p.store, p.gate, p.keys, keyForms(mounted))
	return p, nil
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

func newRegistry(s *store.Store, passwords core.Passwords, sealer core.Sealer, forms map[core.Realm]core.KeyForm) *core.Registry {
	return &core.Registry{
		Realms: s, Tenants: s, Accounts: s, Factors: s, Sealer: sealer, AccessKeys: s,
		Passwords: passwords, Forms: forms, Now: time.Now,
	}
}

// A lateSealer opens the key ring when something is first sealed or opened: most of
// administration does neither, and works without the master key.
type lateSealer func() (*keyring.Ring, error)

func (open lateSealer) Seal(purpose, row string, secret core.Secret) ([]byte, error) {
	ring, err := open()
	if err != nil {
		return nil, err
	}
	return ring.Seal(purpose, row, secret)
}

func (open lateSealer) Open(purpose, row string, sealed []byte) (core.Secret, error) {
	ring, err := open()
	if err != nil {
		return core.Secret{}, err
	}
	return ring.Open(purpose, row, sealed)
}

// OpenRegistry opens the store for administration alone. The server may run
// meanwhile; it sees changes within two seconds (S47).
func OpenRegistry(ctx context.Context, config Config, options Options) (*core.Registry, io.Closer, error) {
	config = config.WithDefaults()
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	forms := map[core.Realm]core.KeyForm{}
	if len(config.Serve) > 0 {
		mounted, err := loadMounts(config, nil)
		if err != nil {
			return nil, nil, err
		}
		forms = keyForms(mounted)
	}
	opened, err := store.Open(ctx, config.Database, store.Options{})
	if err != nil {
		return nil, nil, err
	}
	gate, err := openGate(config.Hashing)
	if err != nil {
		return nil, nil, errors.Join(err, opened.Close())
	}
	sealer := lateSealer(sync.OnceValues(func() (*keyring.Ring, error) {
		return openKeyring(ctx, config.MasterKeyFile, opened, options.Log)
	}))
	return newRegistry(opened, gate, sealer, forms), closer(func() error { gate.Close(); return opened.Close() }), nil
}

type closer func() error

func (c closer) Close() error { return c() }

// A mount is a Mount with its dialect loaded.
type mount struct {
	Mount
	dialect *dialect.Dialect
}

// loadMounts loads every mount's dialect and tells all that is wrong at once.
func loadMounts(config Config, explain func(dialect.Step)) ([]mount, error) {
	var mounted []mount
	var faults []error
	for i, m := range config.Serve {
		loaded, err := loadDialect(config, m, explain)
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

// authorities makes one authority for each mount, its realm and signing keys
// included.
func (s *Server) authorities(ctx context.Context, p *parts, mounted []mount) ([]*core.Authority, error) {
	deps := core.Deps{
		Realms: p.store, Accounts: p.store, AccessKeys: p.store, Recent: p.store,
		Tenants: p.store, Sessions: p.store, Tokens: p.store, Factors: p.store,
		Tickets: p.store, Outbox: p.store, Journal: p.store,
		Passwords: p.gate, Signer: p.keys, Sealer: p.keys, Publisher: p.keys, Attempts: p.attempts, Now: time.Now,
	}
	var authorities []*core.Authority
	for _, m := range mounted {
		terms := m.dialect.Terms()
		if err := s.ensureRealm(ctx, m.dialect); err != nil {
			return nil, err
		}
		for _, policy := range terms.Policies {
			if policy.Format == core.FormatOpaque {
				continue // nothing signs it
			}
			if err := p.keys.Prepare(ctx, policy.Keys); err != nil {
				return nil, err
			}
		}
		authority, err := core.NewAuthority(deps, terms)
		if err != nil {
			return nil, fmt.Errorf("dialect %s: %w", terms.Dialect, err)
		}
		authorities = append(authorities, authority)
		s.dialects = append(s.dialects, m.dialect)
		for _, warning := range m.dialect.Warnings() {
			s.log.WarnContext(ctx, "the contract lowers safety", "dialect", terms.Dialect, "where", warning.String())
		}
	}
	return authorities, nil
}

// ensureRealm makes the realm of a mount at its first start, with the attributes
// that the dialect speaks of as texts.
func (s *Server) ensureRealm(ctx context.Context, d *dialect.Dialect) error {
	_, err := s.registry.Realms.Realm(ctx, d.Realm())
	if core.KindOf(err) != core.NotFound {
		return err
	}
	attributes := map[string]core.AttributeType{}
	for _, name := range d.Attributes() {
		attributes[name] = core.StringAttribute
	}
	_, err = s.registry.PutRealm(ctx, core.RealmInfo{Name: d.Realm(), Attributes: attributes}, core.Origin{Actor: "server"})
	return err
}

// startMail begins to send what waits in the outbox, if any dialect sends mail.
func (s *Server) startMail(p *parts, authorities []*core.Authority, show func(core.Mail)) error {
	composers := map[[2]string]*core.Authority{}
	for _, authority := range authorities {
		if terms := authority.Terms(); len(terms.Mails) > 0 {
			composers[[2]string{string(terms.Realm), terms.Dialect}] = authority
		}
	}
	if len(composers) == 0 {
		return nil
	}
	sender, err := s.config.Mail.sender(show)
	if err != nil {
		return err
	}
	worker := mail.New(mail.Options{
		Outbox: p.store,
		Compose: func(ctx context.Context, notice core.Notice) (core.Mail, error) {
			authority := composers[[2]string{string(notice.Realm), notice.Dialect}]
			if authority == nil {
				return core.Mail{}, &core.Error{Kind: core.NotFound, Err: errors.New("its dialect is served no more")}
			}
			return authority.ComposeMail(ctx, notice)
		},
		Sender: sender,
		Log:    s.log,
	})
	s.background(worker.Run)
	return nil
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

const forwardAuthPath = "/-/forward-auth/"

// buildHandlers joins the surfaces.
func (s *Server) buildHandlers(p *parts, mounted []mount, authorities []*core.Authority, options Options) error {
	counts := newMetrics(options.Version, mounted, p.gate)
	var mounts []login.Mount
	checks := map[string]http.Handler{}
	for i, m := range mounted {
		protected, err := m.protected(authorities[i], s.log)
		if err != nil {
			return err
		}
		mounts = append(mounts, login.Mount{Host: m.Host, Prefix: m.Prefix, Dialect: m.dialect, Authority: authorities[i], Protected: protected})
		checks[string(m.dialect.Realm())+"/"+m.dialect.Name()] = forwardauth.New(forwardauth.Options{Dialect: m.dialect, Authority: authorities[i], Log: s.log})
	}
	if err := login.CheckCollisions(mounts); err != nil {
		return err
	}
	s.document(mounts, mounted)
	logins := login.New(login.Options{Mounts: mounts, Log: s.log})
	proxies, err := parseNetworks(s.config.TrustedProxies)
	if err != nil {
		return err
	}
	s.public = web.Wrap(surfaces(checks, logins), web.Options{TrustedProxies: proxies, WarnOfProxy: true, Log: s.log, Observe: observe(counts)})
	s.status = status.New(status.Options{Ready: p.store.Ping, Metrics: counts.Handler(), Log: s.log})
	s.admin = web.Wrap(s.status, web.Options{Log: s.log})
	return nil
}

func newMetrics(version string, mounted []mount, gate *hashgate.Gate) *metrics.Metrics {
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
	for _, m := range mounted {
		options.Mounts = append(options.Mounts, metrics.Mount{Realm: m.Realm, Dialect: m.dialect.Name()})
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

// surfaces sends /-/forward-auth/REALM/DIALECT, and all below it, to its check and
// everything else to logins. It is no ServeMux, which would redirect paths such as
// //login that contracts answer themselves.
func surfaces(checks map[string]http.Handler, logins http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, forwardAuthPath); ok {
			realm, rest, _ := strings.Cut(rest, "/")
			name, _, _ := strings.Cut(rest, "/")
			if check := checks[realm+"/"+name]; check != nil {
				check.ServeHTTP(w, r)
				return
			}
		}
		logins.ServeHTTP(w, r)
	})
}

// protected makes the proxies to the API behind a mount.
func (m mount) protected(authority *core.Authority, log *slog.Logger) ([]login.Protected, error) {
	var protected []login.Protected
	for _, p := range m.Protect {
		upstream, err := url.Parse(p.Upstream)
		if err != nil {
			return nil, err
		}
		protected = append(protected, login.Protected{
			Path:    p.Path,
			Handler: proxy.New(proxy.Options{Upstream: upstream, Dialect: m.dialect, Authority: authority, Log: log}),
		})
	}
	return protected, nil
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
