package chancery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/metrics"
	"github.com/chancery-auth/chancery/internal/web/forwardauth"
	"github.com/chancery-auth/chancery/internal/web/login"
	"github.com/chancery-auth/chancery/internal/web/proxy"
)

// A serving is all that follows from the dialects and from Config.Serve. It is made
// whole, never changed, and replaced whole.
type serving struct {
	registry  *core.Registry
	dialects  []*dialect.Dialect
	composers map[[2]string]*core.Authority // of mails, by realm and dialect
	handler   http.Handler
}

// Reload serves the dialects that config names, with their files as they are now,
// in place of those that were served. Requests under way are answered by what they
// began with, and none fails (R22). Where config or a file is faulty, all of it is
// told and nothing changes.
//
// It takes Config.Dialects and Config.Serve alone; the log tells which other
// settings have changed, for these wait until the next start.
func (s *Server) Reload(ctx context.Context, config Config) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.closed {
		return errors.New("the server is closed")
	}
	wanted := s.config
	wanted.Dialects, wanted.Serve = config.Dialects, config.Serve
	wanted = wanted.WithDefaults()
	if err := wanted.Validate(); err != nil {
		return err
	}
	mounted, err := loadMounts(wanted, dialect.Options{Trace: s.explain, Now: s.now})
	if err != nil {
		return err
	}
	if err := checkMounts(mounted, wanted.Mail); err != nil {
		return err
	}
	if err := s.change(ctx, mounted); err != nil {
		return err
	}
	if waiting := changedSettings(s.config, config.WithDefaults()); len(waiting) > 0 {
		s.log.WarnContext(ctx, "settings have changed that wait for the next start", "settings", waiting)
	}
	s.log.InfoContext(ctx, "reloaded", "mounts", len(mounted))
	return nil
}

// changedSettings names the settings, but those that a reload takes, in which
// wanted is not current. [Tune] has chosen the hash workers that nobody has set.
func changedSettings(current, wanted Config) (names []string) {
	setDefault(&wanted.Hashing.Workers, current.Hashing.Workers)
	was, is := reflect.ValueOf(current), reflect.ValueOf(wanted)
	for field, value := range was.Fields() {
		name := field.Tag.Get("yaml")
		if name == "dialects" || name == "serve" {
			continue
		}
		if !reflect.DeepEqual(value.Interface(), is.FieldByIndex(field.Index).Interface()) {
			names = append(names, name)
		}
	}
	return names
}

// change makes a serving of mounted and puts it in the place of the one before.
func (s *Server) change(ctx context.Context, mounted []mount) error {
	next := &serving{
		registry:  newRegistry(s.parts.store, s.parts.gate, s.parts.keys, keyForms(mounted), s.now),
		composers: map[[2]string]*core.Authority{},
	}
	authorities, err := s.authorities(ctx, next.registry, mounted)
	if err != nil {
		return err
	}
	for i, m := range mounted {
		next.dialects = append(next.dialects, m.dialect)
		if terms := authorities[i].Terms(); len(terms.Mails) > 0 {
			next.composers[[2]string{string(terms.Realm), terms.Dialect}] = authorities[i]
		}
	}
	if next.handler, err = s.surfaces(mounted, authorities); err != nil {
		return err
	}
	mails := len(next.composers) > 0 && !s.mailing
	if !mails {
		s.begin(next)
		return nil
	}
	sender, err := s.config.Mail.sender(s.showMail)
	if err != nil {
		return err
	}
	s.begin(next)
	s.startMail(sender)
	s.mailing = true
	return nil
}

// begin serves next from the next request on.
func (s *Server) begin(next *serving) {
	var mounts []metrics.Mount
	for _, d := range next.dialects {
		mounts = append(mounts, metrics.Mount{Realm: string(d.Realm()), Dialect: d.Name()})
		for _, warning := range d.Warnings() {
			s.log.Warn("the contract lowers safety", "dialect", d.Name(), "where", warning.String())
		}
	}
	s.parts.counts.Know(mounts...)
	s.serving.Store(next)
}

// authorities makes one authority for each mount, its realm and signing keys
// included.
func (s *Server) authorities(ctx context.Context, registry *core.Registry, mounted []mount) ([]*core.Authority, error) {
	p := &s.parts
	deps := core.Deps{
		Realms: p.store, Accounts: p.store, AccessKeys: p.store, Recent: p.store,
		Tenants: p.store, Sessions: p.store, Tokens: p.store, Factors: p.store,
		Tickets: p.store, Outbox: p.store, Journal: p.store,
		Passwords: p.gate, Signer: p.keys, Sealer: p.keys, Publisher: p.keys, Attempts: p.attempts, Now: s.now,
	}
	var authorities []*core.Authority
	for _, m := range mounted {
		authority, err := core.NewAuthority(deps, m.dialect.Terms())
		if err != nil {
			return nil, fmt.Errorf("dialect %s: %w", m.dialect.Name(), err)
		}
		authorities = append(authorities, authority)
	}
	for i, m := range mounted { // nothing is made where one of them is refused
		if err := ensureRealm(ctx, registry, m.dialect); err != nil {
			return nil, err
		}
		for _, policy := range authorities[i].Terms().Policies {
			if policy.Format == core.FormatOpaque {
				continue // nothing signs it
			}
			if err := p.keys.Prepare(ctx, policy.Keys); err != nil {
				return nil, err
			}
		}
	}
	return authorities, nil
}

// ensureRealm makes the realm of a mount at its first start, with the attributes
// that the dialect speaks of as texts.
func ensureRealm(ctx context.Context, registry *core.Registry, d *dialect.Dialect) error {
	_, err := registry.Realms.Realm(ctx, d.Realm())
	if core.KindOf(err) != core.NotFound {
		return err
	}
	attributes := map[string]core.AttributeType{}
	for _, name := range d.Attributes() {
		attributes[name] = core.StringAttribute
	}
	_, err = registry.PutRealm(ctx, core.RealmInfo{Name: d.Realm(), Attributes: attributes}, core.Origin{Actor: "server"})
	return err
}

const forwardAuthPath = "/-/forward-auth/"

// surfaces joins what is served to clients.
func (s *Server) surfaces(mounted []mount, authorities []*core.Authority) (http.Handler, error) {
	var mounts []login.Mount
	checks := map[string]http.Handler{}
	for i, m := range mounted {
		protected, err := m.protected(authorities[i], s.log)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, login.Mount{Host: m.Host, Prefix: m.Prefix, Dialect: m.dialect, Authority: authorities[i], Protected: protected, Origins: m.Origins})
		checks[string(m.dialect.Realm())+"/"+m.dialect.Name()] = forwardauth.New(forwardauth.Options{Dialect: m.dialect, Authority: authorities[i], Log: s.log})
	}
	if err := login.CheckCollisions(mounts); err != nil {
		return nil, err
	}
	s.document(mounts, mounted)
	return route(checks, login.New(login.Options{Mounts: mounts, Log: s.log})), nil
}

// route sends /-/forward-auth/REALM/DIALECT, and all below it, to its check and
// everything else to logins. It is no ServeMux, which would redirect paths such as
// //login that contracts answer themselves.
func route(checks map[string]http.Handler, logins http.Handler) http.Handler {
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
			Handler: proxy.New(proxy.Options{Upstream: upstream, Dialect: m.dialect, Authority: authority, CORS: len(m.Origins) > 0, Log: log}),
		})
	}
	return protected, nil
}
