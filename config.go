package chancery

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Config is everything that a server can be told. The zero value of a field
// stands for its default; [Config.Validate] says what is missing or wrong.
//
// Each field can also be given in the environment, as CHANCERY_ and its path in
// the file in capitals (CHANCERY_TLS_CERT_FILE). Secrets can be given as the name
// of a file that holds them (CHANCERY_MAIL_PASSWORD_FILE).
type Config struct {
	// Issuer is the server's own address as clients see it, and what tokens name
	// in "iss": https, but on loopback. Default: the address of Listen.
	Issuer string `yaml:"issuer" env:"ISSUER"`
	// Listen is the TCP address for clients. Default 127.0.0.1:8080. Plain HTTP
	// stays on loopback unless PlainHTTP or TrustedProxies says otherwise.
	Listen string `yaml:"listen" env:"LISTEN"`
	// AdminListen is the TCP address of /healthz, /readyz and /metrics. Default 127.0.0.1:8081.
	AdminListen string `yaml:"admin_listen" env:"ADMIN_LISTEN"`
	// TLS makes the server end TLS itself, 1.2 at least.
	TLS TLSConfig `yaml:"tls" envPrefix:"TLS_"`
	// PlainHTTP lets the server speak plain HTTP on an address that is not loopback.
	PlainHTTP bool `yaml:"plain_http" env:"PLAIN_HTTP"`
	// TrustedProxies are the networks (CIDR) whose X-Forwarded-For and
	// X-Forwarded-Proto are believed. Default: none.
	TrustedProxies []string `yaml:"trusted_proxies" env:"TRUSTED_PROXIES"`
	// Database is sqlite:PATH or a postgres:// URL. Default sqlite:chancery.db.
	Database string `yaml:"database" env:"DATABASE"`
	// MasterKeyFile seals signing keys in the database. It is made at the first
	// start, readable by its owner alone; keep a copy apart from the database's
	// backups. Default chancery-master-key.json.
	MasterKeyFile string `yaml:"master_key_file" env:"MASTER_KEY_FILE"`
	// Dialects is a folder of dialect files that are served beside the built-in
	// ones; a file there wins over a built-in one of the same name.
	Dialects string `yaml:"dialects" env:"DIALECTS"`
	// Serve lists the dialects that are served, each for one realm.
	Serve []Mount `yaml:"serve"`
	// Mail sends recovery mails. Without it, a dialect that has recovery does not start.
	Mail MailConfig `yaml:"mail" envPrefix:"MAIL_"`
	// Hashing bounds the work and memory of password hashes.
	Hashing HashingConfig `yaml:"hashing" envPrefix:"HASHING_"`
	// Throttle bounds failing sign-ins.
	Throttle ThrottleConfig `yaml:"throttle" envPrefix:"THROTTLE_"`
	// Drain is how long the server goes on serving after it has reported itself
	// unready at SIGTERM; Grace is how long requests then have to finish.
	// Defaults 5s and 30s.
	Drain time.Duration `yaml:"drain" env:"DRAIN"`
	Grace time.Duration `yaml:"grace" env:"GRACE"`
	// Audit is how long audit records are kept.
	Audit AuditConfig `yaml:"audit" envPrefix:"AUDIT_"`
	// LogLevel is debug, info, warn or error. Default info.
	LogLevel string `yaml:"log_level" env:"LOG_LEVEL"`
}

// TLSConfig names certificate and key, both PEM.
type TLSConfig struct {
	CertFile string `yaml:"cert_file" env:"CERT_FILE"`
	KeyFile  string `yaml:"key_file" env:"KEY_FILE"`
}

// A Mount serves one dialect for one realm.
type Mount struct {
	Dialect string `yaml:"dialect"` // its name
	Realm   string `yaml:"realm"`   // default: the dialect's name
	Host    string `yaml:"host"`    // the Host header that it answers to; default: any
	Prefix  string `yaml:"prefix"`  // what comes before its paths, such as /partners; default: nothing
	// Settings override the defaults of the dialect's settings.
	Settings map[string]any `yaml:"settings"`
	// Origins are those whose scripts may call it from a browser, such as
	// https://app.example.com, each with its scheme. Default: none.
	Origins []string `yaml:"origins"`
	// Docs is whether the dialect is documented at /docs under the prefix. Default true.
	Docs *bool `yaml:"docs"`
	// Protect passes paths on to the API behind once their bearer token holds.
	Protect []Protect `yaml:"protect"`
}

// Protect passes a path and all below it on to an upstream.
type Protect struct {
	Path     string `yaml:"path"`     // such as /api/v1/; under the mount's prefix
	Upstream string `yaml:"upstream"` // such as http://127.0.0.1:9000
}

// MailConfig is where mails go.
type MailConfig struct {
	Host string `yaml:"host" env:"HOST"` // SMTP server; "" for none
	Port int    `yaml:"port" env:"PORT"` // default 587, or 465 with tls: tls
	TLS  string `yaml:"tls" env:"TLS"`   // starttls (default), tls, or none, which is for loopback only
	User string `yaml:"user" env:"USER"`
	// Password is better kept in a file: CHANCERY_MAIL_PASSWORD_FILE.
	Password core.Secret `yaml:"password" env:"PASSWORD"`
	From     string      `yaml:"from" env:"FROM"` // the sender's address
	// Folder keeps mails as files instead of sending them, for trying things out.
	Folder string `yaml:"folder" env:"FOLDER"`
}

// HashingConfig bounds password hashing. Memory in use is Workers times the
// largest hash, never more.
type HashingConfig struct {
	Workers      int           `yaml:"workers" env:"WORKERS"`             // default: one per core
	QueueTimeout time.Duration `yaml:"queue_timeout" env:"QUEUE_TIMEOUT"` // default 2s
	MemoryMiB    int           `yaml:"memory_mib" env:"MEMORY_MIB"`       // budget; default 256, or more where the workers need it
	Argon2MiB    int           `yaml:"argon2_mib" env:"ARGON2_MIB"`       // of one new hash; default 19, the least
	Argon2Passes int           `yaml:"argon2_passes" env:"ARGON2_PASSES"` // default 2, the least
}

// ThrottleConfig bounds failing sign-ins (not successful ones).
type ThrottleConfig struct {
	// Failures of one identity from one network that are free. Default 5.
	Failures int `yaml:"failures" env:"FAILURES"`
	// Interval after which one more try is free. Default 10s.
	Interval time.Duration `yaml:"interval" env:"INTERVAL"`
	// NetworkFailures of all identities from one network that are free; then one
	// a second. Default 100.
	NetworkFailures int `yaml:"network_failures" env:"NETWORK_FAILURES"`
}

// AuditConfig keeps the audit journal.
type AuditConfig struct {
	// Retention is how long records are kept; the server prunes older ones once an
	// hour. Default 0: for good.
	Retention time.Duration `yaml:"retention" env:"RETENTION"`
}

// WithDefaults returns c with the default in each field that is not set.
func (c Config) WithDefaults() Config {
	setDefault(&c.Listen, "127.0.0.1:8080")
	setDefault(&c.AdminListen, "127.0.0.1:8081")
	setDefault(&c.Database, "sqlite:chancery.db")
	setDefault(&c.MasterKeyFile, "chancery-master-key.json")
	setDefault(&c.LogLevel, "info")
	setDefault(&c.Drain, 5*time.Second)
	setDefault(&c.Grace, 30*time.Second)
	setDefault(&c.Mail.TLS, "starttls")
	if c.Mail.TLS == "tls" {
		setDefault(&c.Mail.Port, 465)
	}
	setDefault(&c.Mail.Port, 587)
	setDefault(&c.Hashing.QueueTimeout, 2*time.Second)
	setDefault(&c.Hashing.Argon2MiB, 19)
	setDefault(&c.Hashing.Argon2Passes, 2)
	setDefault(&c.Throttle.Failures, 5)
	setDefault(&c.Throttle.Interval, 10*time.Second)
	setDefault(&c.Throttle.NetworkFailures, 100)
	if c.Issuer == "" {
		scheme := "http"
		if c.TLS.CertFile != "" {
			scheme = "https"
		}
		c.Issuer = scheme + "://" + c.Listen
	}
	c.Serve = append([]Mount(nil), c.Serve...)
	for i := range c.Serve {
		setDefault(&c.Serve[i].Realm, c.Serve[i].Dialect)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate tells everything that is wrong with c, which has its defaults, at
// once: one line each, beginning with the field's path in the file.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if err := checkURL(c.Issuer, true); err != nil {
		fault("issuer: %w", err)
	}
	for _, address := range []struct{ field, value string }{{"listen", c.Listen}, {"admin_listen", c.AdminListen}} {
		if _, _, err := net.SplitHostPort(address.value); err != nil {
			fault("%s: %q is not an address such as 127.0.0.1:8080", address.field, address.value)
		}
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		fault("tls: give both cert_file and key_file, or neither")
	}
	if c.TLS.CertFile == "" && !c.PlainHTTP && len(c.TrustedProxies) == 0 && !isLoopback(c.Listen) {
		fault("listen: %s would carry passwords over plain HTTP: set tls, name the proxy in front in trusted_proxies, or say plain_http: true", c.Listen)
	}
	for _, proxy := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(proxy); err != nil {
			fault("trusted_proxies: %q is not a network such as 10.0.0.0/8", proxy)
		}
	}
	if !strings.HasPrefix(c.Database, "sqlite:") && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		fault("database: want sqlite:PATH or a postgres:// URL")
	}
	if len(c.Serve) == 0 {
		fault("serve: name at least one dialect, such as `serve: [{dialect: kyc, realm: customers}]`")
	}
	for i, mount := range c.Serve {
		for _, err := range mount.faults() {
			fault("serve[%d].%w", i, err)
		}
		// Recovery mails and forward-auth know a mount by its realm and dialect.
		if place := slices.IndexFunc(c.Serve, mount.beside); !slices.Equal(c.Serve[place].Origins, mount.Origins) {
			fault("serve[%d].origins: serve[%d] is at the same place and names others: a browser asks about a place, so give both the same", i, place)
		}
		first := slices.IndexFunc(c.Serve, func(other Mount) bool { return other.Dialect == mount.Dialect && other.Realm == mount.Realm })
		if first < i && mount.Dialect != "" {
			fault("serve[%d].realm: dialect %s is served for realm %s already, by serve[%d]: name another realm, or leave one of them out", i, mount.Dialect, mount.Realm, first)
		}
	}
	for _, err := range c.Mail.faults() {
		fault("mail.%w", err)
	}
	for _, bound := range []struct {
		field      string
		got, least int
	}{
		{"hashing.argon2_mib", c.Hashing.Argon2MiB, 19},
		{"hashing.argon2_passes", c.Hashing.Argon2Passes, 2},
		{"throttle.failures", c.Throttle.Failures, 1},
		{"throttle.network_failures", c.Throttle.NetworkFailures, 1},
	} {
		if bound.got < bound.least {
			fault("%s: %d is under %d", bound.field, bound.got, bound.least)
		}
	}
	if budget := c.Hashing.MemoryMiB; budget != 0 && budget < c.Hashing.Argon2MiB {
		fault("hashing.memory_mib: %d is under the %d of one hash", budget, c.Hashing.Argon2MiB)
	}
	if c.Audit.Retention < 0 || c.Audit.Retention > 0 && c.Audit.Retention < 24*time.Hour {
		fault("audit.retention: %v is under a day; leave it out to keep records for good", c.Audit.Retention)
	}
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		fault("log_level: %q is none of debug, info, warn, error", c.LogLevel)
	}
	return errors.Join(faults...)
}

// beside reports whether another mount is at the same place.
func (m Mount) beside(other Mount) bool {
	return strings.EqualFold(m.Host, other.Host) && m.Prefix == other.Prefix
}

func (m Mount) faults() (faults []error) {
	if m.Dialect == "" {
		faults = append(faults, errors.New("dialect: name the dialect; `chancery dialect list` shows them"))
	}
	if m.Prefix != "" && (!strings.HasPrefix(m.Prefix, "/") || strings.HasSuffix(m.Prefix, "/")) {
		faults = append(faults, fmt.Errorf("prefix: %q must begin with a slash and not end with one, such as /partners", m.Prefix))
	}
	for i, origin := range m.Origins {
		if err := checkOrigin(origin); err != nil {
			faults = append(faults, fmt.Errorf("origins[%d]: %w", i, err))
		}
	}
	for i, protect := range m.Protect {
		if !strings.HasPrefix(protect.Path, "/") {
			faults = append(faults, fmt.Errorf("protect[%d].path: %q must begin with a slash", i, protect.Path))
		}
		if err := checkURL(protect.Upstream, false); err != nil {
			faults = append(faults, fmt.Errorf("protect[%d].upstream: %w", i, err))
		}
	}
	return faults
}

func (m MailConfig) faults() (faults []error) {
	switch m.TLS {
	case "starttls", "tls":
	case "none":
		if m.Host != "" && !isLoopback(net.JoinHostPort(m.Host, "0")) {
			faults = append(faults, fmt.Errorf("tls: none would send mail and password in the clear to %s: use starttls or tls", m.Host))
		}
	default:
		faults = append(faults, fmt.Errorf("tls: %q is none of starttls, tls, none", m.TLS))
	}
	if m.Host != "" && m.From == "" {
		faults = append(faults, errors.New("from: give the sender's address, such as no-reply@example.com"))
	}
	if m.Host != "" && m.Folder != "" {
		faults = append(faults, errors.New("folder: give a folder or a host, not both"))
	}
	return faults
}

// checkURL wants an absolute http or https URL without query or fragment; https
// where it says so, but on loopback.
func checkURL(text string, wantTLS bool) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		return fmt.Errorf("%q is not a URL such as https://login.example.com", text)
	case parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil:
		return fmt.Errorf("%q must have no user, query or fragment", text)
	case wantTLS && parsed.Scheme != "https" && !isLoopback(net.JoinHostPort(parsed.Hostname(), "0")):
		return fmt.Errorf("%q must begin with https://; plain http is for loopback alone", text)
	}
	return nil
}

// checkOrigin wants an origin as browsers send it (RFC 6454, section 6.2).
func checkOrigin(text string) error {
	if err := checkURL(text, true); err != nil {
		return err
	}
	parsed, err := url.Parse(text)
	if err != nil || text != parsed.Scheme+"://"+strings.ToLower(parsed.Host) {
		return fmt.Errorf("%q is no origin: give scheme, host in lower case and port alone, such as https://app.example.com", text)
	}
	return nil
}

func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && address.IsLoopback())
}
