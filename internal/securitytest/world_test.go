package securitytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/keyring"
	"github.com/chancery-auth/chancery/internal/store"
)

// long reports whether statistical and heavy tests run at full length.
func long() bool { return os.Getenv("CHANCERY_TEST_LONG") == "1" }

// A contract is what these tests must know of one of the built-in dialects. It is
// served for the realm and the host of its own name.
type contract struct {
	dialect    string
	login      string // path
	bearer     string // method and path that take a token
	identifier string // the name of the field that says who
	secret     string // the name of the field that proves it
	form       bool   // or else JSON
	keys       bool   // signs access keys in
	algorithm  string
}

var (
	instant = contract{"instant-classification", "/api/v1/login/access-token", "POST /api/v1/login/test-token", "username", "password", true, false, "HS256"}
	kyc     = contract{"kyc", "/auth/jwt/login", "GET /api/v1/resource", "username", "password", true, false, "HS256"}
	data    = contract{"datafiniti", "/v4/auth", "GET /v4/data", "email", "password", false, false, "HS256"}
	pagfast = contract{"pagfast", "/login", "GET /partners", "accessKey", "secret", false, true, "HS384"}
	all     = []contract{instant, kyc, data, pagfast}
)

func (c contract) realm() core.Realm { return core.Realm(c.dialect) }
func (c contract) host() string      { return c.dialect + ".example" }

const (
	password     = "correct horse battery staple"
	frontend     = "https://app.example/classify"
	recoveryPath = "/api/v1/password-recovery/"
	resetPath    = "/api/v1/reset-password/"
)

// A site is one running server with the four contracts and an API behind it.
type site struct {
	dir    string
	config chancery.Config
	server *chancery.Server
	mails  chan core.Mail

	mu     sync.Mutex
	hashes map[string]core.PasswordHash // of passwords that accounts have had
	made   int                          // makes login names unique
}

func siteConfig(dir, upstream string) chancery.Config {
	config := chancery.Config{
		Listen:        "127.0.0.1:0",
		AdminListen:   "127.0.0.1:0",
		Issuer:        "http://127.0.0.1:8080",
		Database:      "sqlite:" + filepath.Join(dir, "chancery.db"),
		MasterKeyFile: filepath.Join(dir, "master-key.json"),
		Mail:          chancery.MailConfig{Folder: filepath.Join(dir, "mail"), From: "no-reply@app.example"},
		Throttle:      chancery.ThrottleConfig{Failures: 1_000_000, NetworkFailures: 1_000_000},
		Hashing:       chancery.HashingConfig{QueueTimeout: 20 * time.Second},
		Drain:         time.Millisecond,
		Grace:         5 * time.Second,
	}
	for _, c := range all {
		mount := chancery.Mount{Dialect: c.dialect, Realm: c.dialect, Host: c.host()}
		if method, path, _ := strings.Cut(c.bearer, " "); method == http.MethodGet {
			mount.Protect = []chancery.Protect{{Path: path, Upstream: upstream}}
		} else {
			mount.Settings = map[string]any{"frontend_url": frontend}
		}
		config.Serve = append(config.Serve, mount)
	}
	return config
}

// openSite serves the four contracts on a SQLite database. Throttling is out of
// the way unless change puts it back.
func openSite(t *testing.T, change ...func(*chancery.Config)) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	s.config = siteConfig(s.dir, upstream(t))
	for _, f := range change {
		f(&s.config)
	}
	s.open(t)
	return s
}

// replica opens a second server on the first one's database.
func (s *site) replica(t *testing.T) *site {
	t.Helper()
	second := &site{dir: s.dir, config: s.config}
	second.open(t)
	return second
}

func (s *site) open(t *testing.T) {
	t.Helper()
	s.mails, s.hashes = make(chan core.Mail, 1000), map[string]core.PasswordHash{}
	server, err := chancery.Open(context.Background(), s.config, chancery.Options{ShowMail: func(m core.Mail) { s.mails <- m }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, server.Close()); err != nil {
			t.Errorf("the server's end: %v", err)
		}
	})
	select {
	case <-server.Ready():
	case err := <-ended:
		ended <- err
		t.Fatalf("Run() = %v", err)
	}
	s.server = server
}

// upstream is the API behind, which answers everything.
func upstream(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// account creates an active and verified account unless edit says otherwise.
func (s *site) account(t *testing.T, c contract, edit ...func(*core.AccountSpec)) core.Account {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	spec := core.AccountSpec{
		Realm: c.realm(), Login: fmt.Sprintf("m%d@people.example", s.made), Name: "Ada", Active: true, Verified: true, Password: core.NewSecret(password),
	}
	if c.keys {
		spec.Roles = []string{"Partner"}
		spec.Attributes = core.Attributes{"realm": "Partner", "ca": "x", "cid": "x", "domain": "/partners-int"}
	}
	for _, f := range edit {
		f(&spec)
	}
	text := spec.Password.Reveal()
	if spec.PasswordHash == "" {
		spec.PasswordHash = s.hashes[text] // so that no second hash is paid for
	}
	account, err := s.server.Registry().CreateAccount(t.Context(), spec, core.Origin{Actor: "test"})
	if err != nil {
		t.Fatalf("account %q: %v", spec.Login, err)
	}
	s.hashes[text] = account.PasswordHash
	return account
}

// accessKey creates an active key with an account of its own.
func (s *site) accessKey(t *testing.T, edit ...func(*core.AccessKeySpec)) (core.AccessKey, core.Secret) {
	t.Helper()
	spec := core.AccessKeySpec{Realm: pagfast.realm(), Owner: s.account(t, pagfast).Login, State: core.KeyStateActive}
	for _, f := range edit {
		f(&spec)
	}
	key, secret, err := s.server.Registry().CreateAccessKey(t.Context(), spec, core.Origin{Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

// credential creates somebody who can sign in at c.
func (s *site) credential(t *testing.T, c contract) (identifier, secret string) {
	t.Helper()
	if c.keys {
		key, secret := s.accessKey(t)
		return key.Identifier, secret.Reveal()
	}
	return s.account(t, c).Login, password
}

// A request is written to the socket as it stands.
type request struct {
	host    string
	line    string // method and target
	headers []string
	body    string
}

func (r request) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.line, r.host)
	for _, header := range r.headers {
		b.WriteString(header + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	return b.String()
}

// loginWith is a sign-in as the contract's customers send it.
func (c contract) loginWith(identifier, secret string) request {
	if c.form {
		form := url.Values{c.identifier: {identifier}, c.secret: {secret}}
		return request{c.host(), "POST " + c.login, []string{"Content-Type: application/x-www-form-urlencoded"}, form.Encode()}
	}
	return c.json("POST "+c.login, c.identifier, identifier, c.secret, secret)
}

// json sends an object of texts, which must need no escapes but %q's.
func (c contract) json(line string, pairs ...string) request {
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, fmt.Sprintf("%q:%q", pairs[i], pairs[i+1]))
	}
	return request{c.host(), line, []string{"Content-Type: application/json"}, "{" + strings.Join(members, ",") + "}"}
}

func (c contract) present(token string) request {
	return request{c.host(), c.bearer, []string{"Authorization: Bearer " + token}, ""}
}

func recovery(login string) request {
	return request{instant.host(), "POST " + recoveryPath + url.PathEscape(login), nil, ""}
}

func reset(ticket, next string) request {
	return instant.json("POST "+resetPath, "token", ticket, "new_password", next)
}

// A reply is one answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// String is the reply without what differs between any two.
func (r reply) String() string {
	header := r.header.Clone()
	header.Del("Date")
	return fmt.Sprintf("%d %v %s", r.status, header, r.body)
}

const patience = 30 * time.Second // for one reply; the machine may be busy

func (s *site) send(t *testing.T, r request) reply {
	t.Helper()
	return s.sendText(t, r.text())
}

func (s *site) sendText(t *testing.T, text string) reply {
	t.Helper()
	got, err := exchange(s.server.Addr(), text)
	if err != nil {
		line, _, _ := strings.Cut(text, "\r\n")
		t.Fatalf("%.200s: %v", line, err)
	}
	return got
}

func exchange(address, text string) (reply, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return reply{}, err
	}
	go func() { _, _ = io.WriteString(conn, text) }() // the server may answer before it has read all
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(body)}, errors.Join(err, response.Body.Close())
}

// token signs in.
func (s *site) token(t *testing.T, c contract, identifier, secret string) string {
	t.Helper()
	return c.tokenIn(t, s.send(t, c.loginWith(identifier, secret)))
}

func (c contract) tokenIn(t *testing.T, got reply) string {
	t.Helper()
	if got.status >= 300 {
		t.Fatalf("%s: sign-in: %s", c.dialect, got)
	}
	for text := range strings.FieldsFuncSeq(got.body, func(r rune) bool { return strings.ContainsRune("\"{}: ,", r) }) {
		if strings.HasPrefix(text, "eyJ") {
			return text
		}
	}
	t.Fatalf("%s: no token in %s", c.dialect, got)
	return ""
}

// collect waits for one mail to each of the addresses; others are dropped. Mails
// come about a second after they were asked for: ask for all, then collect.
func (s *site) collect(t *testing.T, addresses ...string) map[string]core.Mail {
	t.Helper()
	found := map[string]core.Mail{}
	for len(found) < len(addresses) {
		select {
		case m := <-s.mails:
			if slices.Contains(addresses, m.To) {
				found[m.To] = m
			}
		case <-time.After(patience):
			t.Fatalf("%d mails of %d", len(found), len(addresses))
		}
	}
	return found
}

// tickets asks for a recovery mail for each account and takes the tickets out, by address.
func (s *site) tickets(t *testing.T, accounts ...core.Account) map[string]string {
	t.Helper()
	var addresses []string
	for _, account := range accounts {
		if got := s.send(t, recovery(account.Login)); got.status != 200 {
			t.Fatalf("recovery: %s", got)
		}
		addresses = append(addresses, account.Email)
	}
	found := map[string]string{}
	for address, mail := range s.collect(t, addresses...) {
		found[address] = ticketOf(t, mail)
	}
	return found
}

func (s *site) ticket(t *testing.T, account core.Account) string {
	t.Helper()
	return s.tickets(t, account)[account.Email]
}

func ticketOf(t *testing.T, mail core.Mail) string {
	t.Helper()
	link, err := url.Parse(mail.Link.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return link.Query().Get("token")
}

// signingSecrets unseals the secrets that sign for a realm and dialect, by algorithm.
func (s *site) signingSecrets(t *testing.T, realm core.Realm, dialect string) map[string][]byte {
	t.Helper()
	opened, err := store.Open(t.Context(), s.config.Database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	master, err := keyring.OpenMasterKey(s.config.MasterKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := opened.SigningKeys(t.Context(), realm, dialect)
	if err != nil || len(keys) == 0 {
		t.Fatalf("%d signing keys: %v", len(keys), err)
	}
	secrets := map[string][]byte{}
	for _, key := range keys {
		secret, err := master.Open("signing_keys.sealed", fmt.Sprintf("%q %q %q %q", key.ID, key.Realm, key.Dialect, key.Algorithm), key.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		secrets[key.Algorithm] = secret
	}
	return secrets
}
