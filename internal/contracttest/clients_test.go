package contracttest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chancery "github.com/chancery-auth/chancery"
)

// A client is a program of a customer, in clients/.
type client struct {
	contract contract
	name     string
	command  []string // in clients/
	asks     []string // succeeds where the client can run
	plainly  bool     // whether it also runs without TLS
}

var (
	hasCurl     = []string{"curl", "--version"}
	hasRequests = []string{"python3", "-c", "import requests"}
	hasFetch    = []string{"node", "-e", "if (!globalThis.fetch) process.exit(1)"}
	hasRuby     = []string{"ruby", "-e", "require 'net/http'; require 'openssl'; require 'json'"}
)

var clients = []client{
	{contractA, "curl", []string{"./a_curl.sh"}, hasCurl, true},
	{contractB, "curl", []string{"./b_curl.sh"}, hasCurl, true},
	{contractB, "requests", []string{"python3", "b_requests.py"}, hasRequests, true},
	{contractB, "fetch", []string{"node", "b_fetch.mjs"}, hasFetch, true},
	{contractC, "curl", []string{"./c_curl.sh"}, hasCurl, true},
	{contractC, "requests", []string{"python3", "c_requests.py"}, hasRequests, true},
	{contractC, "fetch", []string{"node", "c_fetch.mjs"}, hasFetch, true},
	{contractC, "go", []string{"CUSTOMER", "c"}, nil, true},
	{contractC, "ruby", []string{"ruby", "c_http.rb"}, hasRuby, false},
	{contractD, "curl", []string{"./d_curl.sh"}, hasCurl, true},
	{contractD, "requests", []string{"python3", "d_requests.py"}, hasRequests, true},
	{contractD, "fetch", []string{"node", "d_fetch.mjs"}, hasFetch, true},
	{contractD, "go", []string{"CUSTOMER", "d"}, nil, true},
}

// TestClients runs every client against a server that serves all four contracts
// on one port, plainly and over TLS with a CA that the client is told of in its
// usual variable.
func TestClients(t *testing.T) {
	remember(t)
	t.Parallel()
	plain := openWorld(t, onOnePort)
	caFile, certFile, keyFile := testCA(t)
	secure := openWorld(t, onOnePort, func(config *chancery.Config) {
		config.TLS = chancery.TLSConfig{CertFile: certFile, KeyFile: keyFile}
	})
	customer := filepath.Join(t.TempDir(), "customer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", customer, ".")
	build.Dir, build.Env = filepath.Join("clients", "go"), append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, c := range clients {
		if c.command[0] == "CUSTOMER" {
			c.command = append([]string{customer}, c.command[1:]...)
		}
		sub(t, c.contract.name+"/"+c.name, func(t *testing.T) {
			if c.asks != nil {
				if err := exec.CommandContext(t.Context(), c.asks[0], c.asks[1:]...).Run(); err != nil {
					lacking(t, "%s cannot run this client: %q: %v", c.asks[0], c.asks, err)
				}
			}
			if c.plainly {
				c.run(t, plain, "")
			}
			c.run(t, secure, caFile)
		})
	}
}

// run lets the client sign in and make its call, and looks at what it prints.
func (c client) run(t *testing.T, w *world, caFile string) {
	t.Helper()
	// A password without characters that a shell line pasted into a form would break.
	m := w.member(t, c.contract)
	if c.contract.name != "D" {
		m = w.account(t, c.contract, having("correct-horse.battery_staple"))
	}
	command := exec.CommandContext(t.Context(), c.command[0], c.command[1:]...)
	command.Dir = "clients"
	command.Env = append(os.Environ(), "BASE_URL="+w.url, "IDENTIFIER="+m.identifier, "SECRET="+m.secret, "NO_PROXY=*", "no_proxy=*")
	if caFile != "" {
		for _, variable := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"} {
			command.Env = append(command.Env, variable+"="+caFile)
		}
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	w.upstream.took()
	if err := command.Run(); err != nil {
		t.Errorf("%s: %v\n%s%s", w.url, err, stdout.Bytes(), stderr.Bytes())
	}
	want := `{"resource":"served"}`
	if c.contract.name == "A" {
		want = profile(m, `"Ada"`, "user", false)
	}
	if got := strings.TrimSpace(stdout.String()); got != want {
		t.Errorf("%s: printed %q, want %q\n%s", w.url, got, want, stderr.Bytes())
	}
	if n := w.upstream.took(); c.contract.name != "A" && n == 0 {
		t.Errorf("%s: the API behind saw no request", w.url)
	}
}

// testCA makes a certificate authority and a certificate of it for loopback.
func testCA(t *testing.T) (caFile, certFile, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	caKey, serverKey := newKey(t), newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	caFile, certFile, keyFile = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, caFile, "CERTIFICATE", certify(t, ca, ca, caKey, caKey))
	writePEM(t, certFile, "CERTIFICATE", certify(t, leaf, ca, serverKey, caKey))
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, keyFile, "PRIVATE KEY", der)
	return caFile, certFile, keyFile
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certify(t *testing.T, certificate, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, certificate, by, key.Public(), byKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
