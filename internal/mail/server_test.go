package mail

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A server is a real SMTP server that keeps what it takes.
type server struct {
	port int
	stop func()

	mu       sync.Mutex
	received []envelope
	signedIn []string // users
	onRcpt   func() error
	onData   func() error
}

type envelope struct {
	helo, from string
	to         []string
	secure     bool
	data       []byte
}

// serve starts a server on a port of the loopback, 0 for any; configure may change it.
func serve(t testing.TB, port int, configure func(*smtp.Server)) *server {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{port: listener.Addr().(*net.TCPAddr).Port}
	backend := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	backend.Domain, backend.MaxRecipients, backend.MaxMessageBytes = "mx.example.com", 50, 1<<20
	backend.EnableSMTPUTF8 = true
	backend.ErrorLog = log.New(io.Discard, "", 0)
	var l net.Listener = listener
	if configure != nil {
		configure(backend)
		if backend.TLSConfig != nil && backend.Domain == implicitTLS {
			l = tls.NewListener(l, backend.TLSConfig)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = backend.Serve(l)
	}()
	s.stop = sync.OnceFunc(func() { _, _ = backend.Close(), l.Close(); <-done })
	t.Cleanup(s.stop)
	return s
}

const implicitTLS = "tls.example.com"

func (s *server) envelopes() []envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]envelope(nil), s.received...)
}

// answer has the server answer to RCPT and DATA; nil means yes.
func (s *server) answer(rcpt, data func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRcpt, s.onData = rcpt, data
}

func (s *server) hooks() (rcpt, data func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.onRcpt, s.onData
}

type session struct {
	server *server
	conn   *smtp.Conn
	envelope
}

func (s *session) Reset() { s.envelope = envelope{} }

func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if rcpt, _ := s.server.hooks(); rcpt != nil {
		if err := rcpt(); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var err error
	if s.data, err = io.ReadAll(r); err != nil {
		return err
	}
	if _, data := s.server.hooks(); data != nil {
		if err := data(); err != nil {
			return err
		}
	}
	_, s.secure = s.conn.TLSConnectionState()
	s.helo = s.conn.Hostname()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, s.envelope)
	return nil
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "relay-password" {
			return smtp.ErrAuthFailed
		}
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.signedIn = append(s.server.signedIn, user)
		return nil
	}), nil
}

var (
	greylisted = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "come back later, ada@example.com"}
	noMailbox  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no mailbox ada@example.com"}
)

// testCA makes a certificate for localhost and the pool that trusts it.
func testCA(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, pool
}

// A letter is a mail as a mail program reads it.
type letter struct {
	netmail.Header
	text, html string
}

func readLetter(t testing.TB, data []byte) letter {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q, %v, want multipart/alternative", kind, err)
	}
	l := letter{Header: m.Header}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct {
		kind string
		text *string
	}{{"text/plain", &l.text}, {"text/html", &l.html}} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || kind != want.kind || params["charset"] != "UTF-8" {
			t.Fatalf("part is %q %v, %v, want %q in UTF-8", kind, params, err, want.kind)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		*want.text = string(text)
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("a third part, or %v", err)
	}
	return l
}
