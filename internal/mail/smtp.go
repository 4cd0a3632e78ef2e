package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/chancery-auth/chancery/core"
)

// SMTPOptions say which server takes the mails.
type SMTPOptions struct {
	Host string // required
	Port int    // default 587, or 465 with TLS "tls"
	// TLS is "starttls" (default), which refuses a server without it, "tls" from the
	// first byte on, or "none", to a loopback address only.
	TLS      string
	User     string // "" to send without signing in
	Password core.Secret
	From     string         // the sender's address, with or without a name; required
	HELO     string         // default: this machine's name
	Timeout  time.Duration  // for one mail, from dialling to the end; default 30 s
	RootCAs  *x509.CertPool // default: the system's
}

type relay struct {
	options SMTPOptions
	from    *netmail.Address
	tls     *tls.Config
}

// SMTP sends mails through a server, each over a connection of its own.
func SMTP(options SMTPOptions) (Sender, error) {
	o := options
	switch o.TLS {
	case "":
		o.TLS = "starttls"
	case "starttls", "tls":
	case "none":
		if !loopback(o.Host) {
			return nil, fmt.Errorf("mail: tls: none would send mails in the clear to %s: use starttls or tls", o.Host)
		}
	default:
		return nil, fmt.Errorf("mail: tls: %q is none of starttls, tls, none", o.TLS)
	}
	if o.Host == "" {
		return nil, errors.New("mail: host: give the mail server's name")
	}
	if o.Port == 0 {
		o.Port = 587
		if o.TLS == "tls" {
			o.Port = 465
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	from, err := parseFrom(o.From)
	if err != nil {
		return nil, err
	}
	s := &relay{options: o, from: from, tls: &tls.Config{ServerName: o.Host, RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}}
	if _, err = s.client(s.dial); err != nil { // it checks the options
		return nil, err
	}
	return s, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// client makes a client for one mail. dial opens its connection.
func (s *relay) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	o := s.options
	policy := gomail.NoTLS // with "tls", the connection brings it along
	if o.TLS == "starttls" {
		policy = gomail.TLSMandatory
	}
	settings := []gomail.Option{
		gomail.WithPort(o.Port), gomail.WithTimeout(o.Timeout), gomail.WithTLSPolicy(policy),
		gomail.WithTLSConfig(s.tls), gomail.WithDialContextFunc(dial), gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	if o.HELO != "" {
		settings = append(settings, gomail.WithHELO(o.HELO))
	}
	if o.User != "" {
		settings = append(settings, gomail.WithUsername(o.User), gomail.WithPassword(o.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	client, err := gomail.NewClient(o.Host, settings...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return client, nil
}

// Send delivers m. The connection ends with ctx, or with Send.
func (s *relay) Send(ctx context.Context, m core.Mail) error {
	msg, err := message(m, s.from)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	client, err := s.client(func(dialCtx context.Context, network, address string) (net.Conn, error) {
		conn, err := s.dial(dialCtx, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	})
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	err = client.SendWithSMTPClient(session, msg)
	if msg.IsDelivered() {
		_ = session.Quit() // it has the mail, whatever it says now
		return nil
	}
	return refusal(err)
}

// dial makes its own address of the options: the library's is wrong for IPv6.
func (s *relay) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	address := net.JoinHostPort(s.options.Host, strconv.Itoa(s.options.Port))
	if s.options.TLS == "tls" {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// refusal keeps of the library's error what tells no address. Only a 5xx to this
// recipient or this mail is for good; one to the sender or the sign-in is for the
// operator to mend.
func refusal(err error) error {
	fault, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return errors.New("mail server: the mail was not taken")
	}
	final := fault.Reason == gomail.ErrSMTPRcptTo || fault.Reason == gomail.ErrSMTPData || fault.Reason == gomail.ErrSMTPDataClose
	return &SendError{
		Permanent: final && fault.ErrorCode() >= 500,
		Code:      fault.ErrorCode(),
		Err:       errors.New(fault.Reason.String()),
	}
}
