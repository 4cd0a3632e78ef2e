package web_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/internal/web"
)

// R20 in short: unready at once; while it drains everything is answered, with
// Connection: close; what is under way finishes.
func TestDrain(t *testing.T) {
	begun, release, unready := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-release
		}
		web.Reply(w, http.StatusOK, "done")
	}), web.Options{}, web.ServeOptions{Drain: 500 * time.Millisecond, Grace: 5 * time.Second, OnDrain: func() { close(unready) }})

	slow, kept := s.dial(t), s.dial(t)
	_, _ = io.WriteString(slow, get("/slow"))
	<-begun
	fromKept := bufio.NewReader(kept)
	_, _ = io.WriteString(kept, get("/"))
	if got := readReply(t, fromKept, "GET"); got.Close {
		t.Error("Connection: close before the drain")
	}
	start := time.Now()
	s.stop()
	select {
	case <-unready:
	case <-time.After(250 * time.Millisecond):
		t.Error("OnDrain was not called at once")
	}
	_, _ = io.WriteString(kept, get("/"))
	if got := readReply(t, fromKept, "GET"); got.StatusCode != http.StatusOK || !got.Close {
		t.Errorf("on a kept connection: %d, Connection: close %v", got.StatusCode, got.Close)
	}
	if got := s.ask(t, get("/")); got.StatusCode != http.StatusOK || !got.Close {
		t.Errorf("on a new connection: %d, Connection: close %v", got.StatusCode, got.Close)
	}
	eventually(t, "the listener is closed after the drain", func() bool {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if took := time.Since(start); took < 500*time.Millisecond {
		t.Errorf("the listener closed after %v of drain", took)
	}
	select {
	case err := <-s.ended:
		t.Fatalf("Serve returned %v while a request was under way", err)
	default:
	}
	close(release)
	if got := readReply(t, bufio.NewReader(slow), "GET"); got.StatusCode != http.StatusOK || !got.Close {
		t.Errorf("the request under way got %d, Connection: close %v", got.StatusCode, got.Close)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve() = %v", err)
	}
}

func TestGraceEnds(t *testing.T) {
	begun := make(chan struct{})
	s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(begun); <-r.Context().Done() }),
		web.Options{}, web.ServeOptions{Grace: 100 * time.Millisecond})
	conn := s.dial(t)
	_, _ = io.WriteString(conn, get("/"))
	<-begun
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil || !strings.Contains(s.String(), "cut off") {
			t.Errorf("Serve() = %v, log %s", err, s)
		}
	case <-time.After(3 * time.Second):
		t.Fatal("Serve waits past its grace")
	}
}

func TestListenSaysWhatToDo(t *testing.T) {
	taken, err := web.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, tt := range []struct{ address, want string }{
		{taken.Addr().String(), "another program uses this address: stop it, or choose another"},
		{"192.0.2.1:0", "this machine has no such address"},
		{"nonsense", "want an address such as 127.0.0.1:8080"},
	} {
		err := web.Serve(t.Context(), web.ServeOptions{Listen: tt.address, Handler: tellOrigin, Log: new(journal).logger()})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.address) {
			t.Errorf("Serve on %s = %v, want it to say %q", tt.address, err, tt.want)
		}
	}
}

func TestServeNeedsAWholeCertificate(t *testing.T) {
	err := web.Serve(t.Context(), web.ServeOptions{Listen: "127.0.0.1:0", Handler: tellOrigin, CertFile: "/nowhere/cert.pem", KeyFile: "/nowhere/key.pem", Log: new(journal).logger()})
	if err == nil || !strings.Contains(err.Error(), "/nowhere/cert.pem") {
		t.Errorf("Serve() = %v, want it to name the file", err)
	}
}

// S58: TLS 1.2 at least; HTTP/2 is spoken, and drains too.
func TestTLS(t *testing.T) {
	certFile, keyFile, roots := newCertificate(t)
	var drained atomic.Bool
	s := serve(t, tellOrigin, web.Options{}, web.ServeOptions{
		CertFile: certFile, KeyFile: keyFile, Drain: 300 * time.Millisecond, Grace: time.Second, OnDrain: func() { drained.Store(true) },
	})
	ask := func(config *tls.Config) (*http.Response, string, error) {
		config.RootCAs = roots
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return nil, "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return response, string(body), err
	}
	if response, body, err := ask(&tls.Config{MinVersion: tls.VersionTLS12}); err != nil || response.ProtoMajor != 2 || !strings.Contains(body, " https ") {
		t.Errorf("HTTP/2: %v, %q, %v", response, body, err)
	}
	if response, _, err := ask(&tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}); err != nil || response.TLS.Version != tls.VersionTLS12 {
		t.Errorf("TLS 1.2: %v, %v", response, err)
	}
	if _, _, err := ask(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil { //nolint:gosec // that it is refused is the test
		t.Error("TLS 1.1 is spoken")
	}
	s.stop()
	eventually(t, "OnDrain", drained.Load)
	if response, _, err := ask(&tls.Config{MinVersion: tls.VersionTLS12}); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("HTTP/2 during the drain: %v, %v", response, err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve() = %v", err)
	}
	if strings.Contains(s.String(), "offered only unsupported versions") {
		t.Errorf("the log repeats a handshake's words:\n%s", s)
	}
}

// newCertificate writes a pair for 127.0.0.1.
func newCertificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return certFile, keyFile, roots
}
