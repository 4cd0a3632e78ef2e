package docs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/seed"
)

// A site is a server with every dialect that comes with Chancery, each under a
// prefix of its name, and an API behind it.
type site struct {
	url    string
	server *chancery.Server
	mails  chan core.Mail
	count  int // of accounts that were made for one call
}

const behind = "/behind/resource" // wants a token

func openSite(t *testing.T, serve map[string][]byte) *site {
	t.Helper()
	dir := t.TempDir()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "well done") }))
	t.Cleanup(upstream.Close)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	config := chancery.Config{
		Issuer: "http://" + address, Listen: address, AdminListen: "127.0.0.1:0", Dialects: filepath.Join(dir, "dialects"),
		Database: "sqlite:" + filepath.Join(dir, "t.db"), MasterKeyFile: filepath.Join(dir, "key"), Drain: time.Nanosecond,
		Mail:     chancery.MailConfig{Folder: filepath.Join(dir, "mails"), From: "no-reply@app.example"},
		Throttle: chancery.ThrottleConfig{Failures: 1 << 20, NetworkFailures: 1 << 20},
	}
	if err := os.Mkdir(config.Dialects, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(serve)) {
		if err := os.WriteFile(filepath.Join(config.Dialects, name+".yaml"), serve[name], 0o600); err != nil {
			t.Fatal(err)
		}
		m := chancery.Mount{Dialect: name, Prefix: "/" + name, Protect: []chancery.Protect{{Path: behind, Upstream: upstream.URL}}}
		if strings.Contains(string(serve[name]), "frontend_url:") {
			m.Settings = map[string]any{"frontend_url": "https://app.example.com"}
		}
		config.Serve = append(config.Serve, m)
	}
	for i := range config.Serve { // all that a setting can switch on
		d, err := chancery.LoadDialect(config.WithDefaults(), config.WithDefaults().Serve[i])
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range d.Settings() {
			if value == false {
				if config.Serve[i].Settings == nil {
					config.Serve[i].Settings = map[string]any{}
				}
				config.Serve[i].Settings[name] = true
			}
		}
	}
	s := &site{url: config.Issuer, mails: make(chan core.Mail, 1000)}
	s.server, err = chancery.Open(t.Context(), config.WithDefaults(), chancery.Options{ShowMail: func(m core.Mail) { s.mails <- m }})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.server.Dialects() {
		if err := seed.Identities(t.Context(), s.server.Registry(), d); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { err = s.server.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := errors.Join(err, s.server.Close()); err != nil {
			t.Error(err)
		}
	})
	<-s.server.Ready()
	return s
}

const totpSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// withSecrets fills in the secret of the sample that values speak of, and of a client.
func (s *site) withSecrets(d *dialect.Dialect, values map[string]string) {
	samples := d.Samples()
	for _, a := range samples.Accounts {
		if a.Account.Login == values["identifier"] || string(a.Account.ID) == values["account_id"] {
			values["secret"] = a.Password.Reveal()
		}
	}
	for _, k := range samples.Keys {
		if k.Key.Identifier == values["identifier"] {
			values["secret"] = k.Secret.Reveal()
		}
		if k.Key.Identifier == values["client"] {
			values["client_secret"] = k.Secret.Reveal()
		}
	}
}

// sample is the login name of an account that can sign in.
func (s *site) sample(t *testing.T, d *dialect.Dialect) string {
	t.Helper()
	for _, a := range d.Samples().Accounts {
		if a.Account.Active && a.Account.Verified && a.Account.Hold == "" && a.TOTP.Reveal() == "" && a.Password.Reveal() != "" {
			return a.Account.Login
		}
	}
	t.Fatalf("%s has no sample that can sign in", d.Name())
	return ""
}

const freshPassword = "a password for one call alone"

// fresh makes an account like the first sample, for one call.
func (s *site) fresh(t *testing.T, d *dialect.Dialect, change func(*core.AccountSpec)) string {
	t.Helper()
	s.count++
	spec := core.AccountSpec{
		Realm: d.Realm(), Login: fmt.Sprintf("fresh%d@example.com", s.count), Active: true, Verified: true, Password: core.NewSecret(freshPassword),
	}
	for _, a := range d.Samples().Accounts {
		if a.Account.Login == s.sample(t, d) {
			spec.Roles, spec.Attributes, spec.Tenant = a.Account.Roles, a.Account.Attributes, a.Account.Tenant
		}
	}
	change(&spec)
	if _, err := s.server.Registry().CreateAccount(t.Context(), spec, core.Origin{Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	return spec.Login
}

// ticket asks for a mail and takes the ticket out of its link.
func (s *site) ticket(t *testing.T, d *dialect.Dialect, by dialect.Operation, login string) string {
	t.Helper()
	i := slices.IndexFunc(d.Describe().Routes, func(r dialect.RouteInfo) bool { return r.Operation == by && r.Enabled })
	if i < 0 {
		t.Fatalf("%s has no %s", d.Name(), by)
	}
	values := d.SampleValues(i)
	values["identifier"] = login
	s.call(t, d, i, values)
	for {
		mail := s.mail(t)
		if mail.To != login {
			continue // asked for by a sample
		}
		link, err := url.Parse(mail.Link.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		for _, all := range link.Query() {
			return all[0]
		}
		return path.Base(link.Path)
	}
}

func (s *site) mail(t *testing.T) core.Mail {
	t.Helper()
	select {
	case mail := <-s.mails:
		return mail
	case <-time.After(30 * time.Second):
		t.Fatal("no mail came")
		return core.Mail{}
	}
}

// wanted is what a sign-in is for, beside the token.
type wanted struct {
	fact, login string
	sent        map[string]string // what it was got with
}

// signIn signs in by the first route that gives a token, and returns the token or
// what else is wanted.
func (s *site) signIn(t *testing.T, d *dialect.Dialect, want *wanted) string {
	t.Helper()
	fact := "token.value"
	if want != nil {
		fact = want.fact
	}
	for i, route := range d.Describe().Routes {
		if route.Operation != dialect.Authenticate || !route.Enabled {
			continue
		}
		replies := route.OK
		for _, o := range route.Outcomes {
			replies = append(replies, o.Replies...)
		}
		values := d.SampleValues(i)
		maps.Copy(values, d.ExampleValues(i))
		s.withSecrets(d, values)
		if want != nil && want.login != "" {
			values["identifier"], values["secret"] = want.login, freshPassword
		}
		header, body := s.call(t, d, i, values)
		for _, r := range replies {
			if value, ok := find(r, header, body, fact); ok {
				if want != nil {
					want.sent = values
				}
				return value
			}
		}
	}
	t.Fatalf("%s: no sign-in gives %s", d.Name(), fact)
	return ""
}

func (s *site) call(t *testing.T, d *dialect.Dialect, i int, values map[string]string) (http.Header, []byte) {
	t.Helper()
	composed, err := d.Compose(i, values)
	if err != nil {
		t.Fatal(err)
	}
	r, err := composed.HTTP(t.Context(), s.url+"/"+d.Name())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Header, body
}

// find takes what a fact is out of a reply.
func find(r dialect.ReplyInfo, header http.Header, body []byte, fact string) (string, bool) {
	for _, h := range r.Headers {
		if h.Schema.Fact == fact && h.Name != "Set-Cookie" && header.Get(h.Name) != "" {
			return strings.TrimPrefix(header.Get(h.Name), h.Schema.Before), true
		}
	}
	names, at, ok := r.Schema.Find(fact)
	switch {
	case !ok:
		return "", false
	case r.Body == dialect.BodyText:
		return strings.TrimPrefix(string(body), at.Before), true
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return "", false
	}
	for _, name := range names {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			value = v[0]
		}
	}
	text, ok := value.(string)
	return text, ok
}

func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CHANCERY_TEST_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
