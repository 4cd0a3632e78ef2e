package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateInterval is how often the files are looked at, at most.
const certificateInterval = time.Minute

// A certificate is read from files, and again when they have changed: a renewed
// one is taken up without a restart, and a broken one leaves the old in place.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu        sync.Mutex
	pair      *tls.Certificate
	changedAt time.Time // of the files that pair was read from
	checkedAt time.Time
}

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	c.changedAt, c.checkedAt = c.modified(), time.Now()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate %s with key %s: want a PEM pair that belong together: %w", certFile, keyFile, err)
	}
	c.pair = &pair
	return c, nil
}

// current is tls.Config.GetCertificate.
func (c *certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checkedAt) >= certificateInterval {
		c.checkedAt = now
		c.reload()
	}
	return c.pair, nil
}

func (c *certificate) reload() {
	changedAt := c.modified()
	if changedAt.IsZero() || changedAt.Equal(c.changedAt) {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.log.Warn("the changed TLS certificate cannot be used; the old one stays", slog.String("error", Cut(err.Error())))
		return
	}
	c.pair, c.changedAt = &pair, changedAt
	c.log.Info("a changed TLS certificate is in use")
}

// modified is the later of both files' times; zero when one is missing.
func (c *certificate) modified() time.Time {
	cert, err := os.Stat(c.certFile)
	if err != nil {
		return time.Time{}
	}
	key, err := os.Stat(c.keyFile)
	if err != nil {
		return time.Time{}
	}
	if key.ModTime().After(cert.ModTime()) {
		return key.ModTime()
	}
	return cert.ModTime()
}
