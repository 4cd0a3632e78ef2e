package mail

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"mime"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/chancery-auth/chancery/core"
)

const ticket = "S3cretTicket0123456789"

func sample() core.Mail {
	return core.Mail{
		Purpose:  core.PurposeRecovery,
		To:       "ada@example.com",
		Name:     "Ada Lovelace",
		Subject:  "Demo - Password recovery for user ada@example.com",
		Link:     core.NewSecret("https://app.example/reset-password?token=" + ticket + "&lang=en"),
		Lifetime: time.Hour,
	}
}

// plainSMTP sends to s without TLS, which loopback allows.
func plainSMTP(t testing.TB, s *server) Sender {
	t.Helper()
	return openSMTP(t, SMTPOptions{Host: "127.0.0.1", Port: s.port, TLS: "none", From: "Demo <no-reply@demo.example>", HELO: "auth.demo.example"})
}

func openSMTP(t testing.TB, options SMTPOptions) Sender {
	t.Helper()
	sender, err := SMTP(options)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestDelivered(t *testing.T) {
	s := serve(t, 0, nil)
	if err := plainSMTP(t, s).Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	all := s.envelopes()
	if len(all) != 1 || all[0].from != "no-reply@demo.example" || !slices.Equal(all[0].to, []string{"ada@example.com"}) {
		t.Fatalf("envelopes %v", all)
	}
	if all[0].helo != "auth.demo.example" {
		t.Errorf("HELO %q, want auth.demo.example", all[0].helo)
	}
	l := readLetter(t, all[0].data)
	for name, want := range map[string]string{
		"To":             `"Ada Lovelace" <ada@example.com>`,
		"From":           `"Demo" <no-reply@demo.example>`,
		"Subject":        "Demo - Password recovery for user ada@example.com",
		"Auto-Submitted": "auto-generated",
		"Mime-Version":   "1.0",
	} {
		if got := l.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	if got := slices.Sorted(maps.Keys(l.Header)); !slices.Equal(got, want) {
		t.Errorf("headers %v, want %v and no name of the program", got, want)
	}
	if id := l.Get("Message-Id"); !strings.HasSuffix(id, "@demo.example>") || len(id) < 30 {
		t.Errorf("Message-ID: %s, want a random one of the sender's domain", id)
	}
	if date, err := l.Date(); err != nil || time.Since(date).Abs() > time.Minute {
		t.Errorf("Date: %v, %v", date, err)
	}
	wantText := strings.ReplaceAll(`Hello Ada Lovelace,

someone asked to reset the password for ada@example.com. To choose a new
password, open this link:

https://app.example/reset-password?token=S3cretTicket0123456789&lang=en

The link is valid for 60 minutes and works once.

If it was not you who asked, ignore this mail: the password stays as it is.
`, "\n", "\r\n")
	if strings.TrimRight(l.text, "\r\n") != strings.TrimRight(wantText, "\r\n") {
		t.Errorf("text\n%q\nwant\n%q", l.text, wantText)
	}
	for _, part := range []string{
		`<a href="https://app.example/reset-password?token=S3cretTicket0123456789&amp;lang=en"`,
		"<p>Hello Ada Lovelace,</p>", "60 minutes", "ada@example.com", "ignore this mail",
	} {
		if !strings.Contains(l.html, part) {
			t.Errorf("HTML lacks %q:\n%s", part, l.html)
		}
	}
}

// Each purpose has words of its own, which ask for what its ticket does.
func TestVerification(t *testing.T) {
	m := sample()
	m.Purpose, m.Lifetime = core.PurposeVerification, 24*time.Hour
	s := serve(t, 0, nil)
	if err := plainSMTP(t, s).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	l := readLetter(t, s.envelopes()[0].data)
	for _, body := range []string{l.text, l.html} {
		text := strings.Join(strings.Fields(body), " ")
		for _, part := range []string{"confirm that this address is yours", "24 hours", "token=" + ticket, "ada@example.com", "Hello Ada Lovelace,"} {
			if !strings.Contains(text, part) {
				t.Errorf("the mail lacks %q:\n%s", part, body)
			}
		}
		if strings.Contains(text, "password for") {
			t.Errorf("the mail is about passwords:\n%s", body)
		}
	}

	m.Purpose = core.PurposeChallenge
	if err := plainSMTP(t, s).Send(t.Context(), m); err == nil {
		t.Error("a challenge was mailed")
	}
}

func TestTemplatesEscape(t *testing.T) {
	for _, purpose := range []core.Purpose{core.PurposeRecovery, core.PurposeVerification} {
		m := sample()
		m.Purpose = purpose
		m.Name = `<script>alert("x")</script>`
		m.Link = core.NewSecret("javascript:alert(1)")
		s := serve(t, 0, nil)
		if err := plainSMTP(t, s).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		l := readLetter(t, s.envelopes()[0].data)
		if strings.Contains(l.html, "<script>") || strings.Contains(l.html, `href="javascript:`) {
			t.Errorf("HTML of %s is not escaped:\n%s", purpose, l.html)
		}
	}
}

func TestWithoutName(t *testing.T) {
	m := sample()
	m.Name = ""
	s := serve(t, 0, nil)
	if err := plainSMTP(t, s).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	l := readLetter(t, s.envelopes()[0].data)
	if got := l.Get("To"); got != "<ada@example.com>" {
		t.Errorf("To: %s", got)
	}
	if !strings.HasPrefix(l.text, "Hello,") || !strings.Contains(l.html, "<p>Hello,</p>") {
		t.Errorf("greeting in %q and %q, want Hello,", l.text, l.html)
	}
}

func TestLifetimeInWords(t *testing.T) {
	for lifetime, want := range map[time.Duration]string{
		time.Minute: "1 minute", 90 * time.Second: "1 minute", 15 * time.Minute: "15 minutes", time.Hour: "60 minutes",
		119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours", 24 * time.Hour: "24 hours",
	} {
		if got := inWords(lifetime); got != want {
			t.Errorf("inWords(%v) = %q, want %q", lifetime, got, want)
		}
	}
}

// S31: one recipient, the stored address, or none at all; and no header that is not ours.
func TestHostileAddresses(t *testing.T) {
	const evil = "evil@attacker.example"
	for _, tt := range []struct {
		name, to string
		sent     string // the recipient; "" when the mail is refused for good
	}{
		{"line break and header", "ada@example.com\r\nBcc: " + evil, ""},
		{"line feed", "ada@example.com\nBcc: " + evil, ""},
		{"carriage return", "ada@example.com\rBcc: " + evil, ""},
		{"break before", "\r\nada@example.com", ""},
		{"folding", "ada@example.com\r\n " + evil, ""},
		{"SMTP command", "ada@example.com>\r\nRCPT TO:<" + evil, ""},
		{"NUL", "ada@example.com\x00" + evil, ""},
		{"two with a comma", "ada@example.com," + evil, ""},
		{"two with a comma and a blank", "ada@example.com, " + evil, ""},
		{"two with a semicolon", "ada@example.com;" + evil, ""},
		{"two with a blank", "ada@example.com " + evil, ""},
		{"group", "g:ada@example.com," + evil + ";", ""},
		{"group of one", "g: " + evil + ";", ""},
		{"empty group", "undisclosed:;", ""},
		{"angle brackets", "<ada@example.com>", ""},
		{"named", "Ada <ada@example.com>", ""},
		{"name that is an address", "ada@example.com <" + evil + ">", ""},
		{"quoted name", `"ada@example.com" <` + evil + ">", ""},
		{"comment after", "ada@example.com (" + evil + ")", ""},
		{"comment before", "(" + evil + ") ada@example.com", ""},
		{"comment inside", "ada(x)@example.com", ""},
		{"quoted local part", `"ada,evil"@example.com`, ""},
		{"quoted address as local part", `"` + evil + `"@example.com`, ""},
		{"backslash", `ada\,x@example.com`, ""},
		{"source route", "@relay.example:ada@example.com", ""},
		{"bracket inside", "ada<x@example.com", ""},
		{"two at signs", "ada@example.com@attacker.example", ""},
		{"domain literal", "ada@[192.0.2.1]", ""},
		{"encoded word as a whole", "=?utf-8?q?ada=40example.com?=", ""},
		{"encoded word in the local part", "=?utf-8?q?ada=2C?=@example.com", "=?utf-8?q?ada=2C?=@example.com"},
		{"no at sign", "ada", ""},
		{"no local part", "@example.com", ""},
		{"no domain", "ada@", ""},
		{"nothing", "", ""},
		{"very long", strings.Repeat("a", 300) + "@example.com", ""},
		{"not UTF-8", "ada\xff@example.com", ""},
		{"full-width at sign", "ada＠example.com", ""},
		{"full-width comma in the domain", "ada@example.com，attacker.example", ""},
		{"right-to-left override", "ada\u202e@example.com", ""},
		{"line separator", "ada\u2028@example.com", ""},
		{"no-break space", "ada\u00a0x@example.com", ""},
		{"Unicode local part", "ädä@example.com", "ädä@example.com"},
		{"Unicode domain", "ada@bücher.example", "ada@xn--bcher-kva.example"},
		{"percent hack stays one address", "evil%attacker.example@example.com", "evil%attacker.example@example.com"},
		{"header injection in words", "ada+bcc:@example.com", ""},
		{"plus and dots", "a.d+a_x-y@example.com", "a.d+a_x-y@example.com"},
		{"apostrophe", "o'hara@example.com", "o'hara@example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, 0, nil)
			m := sample()
			m.To, m.Name = tt.to, ""
			err := plainSMTP(t, s).Send(t.Context(), m)
			if tt.sent == "" {
				if !permanent(err) || len(s.envelopes()) != 0 {
					t.Fatalf("Send() = %v with %d mails taken, want it refused for good", err, len(s.envelopes()))
				}
				if tt.to != "" && strings.Contains(err.Error(), tt.to) {
					t.Errorf("the error quotes the address: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			oneRecipient(t, s, tt.sent)
		})
	}
}

func TestHostileNamesAndSubjects(t *testing.T) {
	const evil = "evil@attacker.example"
	for _, text := range []string{
		"Ada\r\nBcc: " + evil,
		"Ada\nTo: " + evil,
		"Ada\rX-Evil: 1",
		"Ada\r\n\r\n<b>body</b>",
		"Ada\r\n Bcc: " + evil,
		"Ada\u0085Bcc: " + evil,
		"Ada\u2028Bcc: " + evil,
		"Ada\x00Bcc: " + evil,
		"Ada <" + evil + ">",
		"Ada\" <" + evil + ">, \"",
		"Ada, " + evil,
		"Ada; " + evil,
		evil + ",",
		"g: " + evil + ";",
		"(" + evil + ")",
		"Ada (", "Ada )", `Ada \`, `"`, `""`, `\"`,
		"=?utf-8?q?x?= <" + evil + ">",
		"=?utf-8?q?=0D=0ABcc:_evil=40attacker.example?=",
		"=?utf-8?b?DQpCY2M6IGV2aWxAYXR0YWNrZXIuZXhhbXBsZQ==?=",
		"Ädä Lövelace",
		"艾達",
		"😀\u200d😀",
		"\u202egnihtemos",
		"Ada\xff\xfe",
		"Ada\tLovelace",
		"   ",
		strings.Repeat("long ", 3000),
		strings.Repeat("x", 10000),
		strings.Repeat("ü", 5000),
		"Ada\r\n.\r\nMAIL FROM:<" + evil + ">",
		"--boundary\r\nContent-Type: text/html",
		"{{.Link}}",
		"%s%d%n",
		"<script>",
		"Ada\vLovelace\f",
	} {
		t.Run(fmt.Sprintf("%.30q", text), func(t *testing.T) {
			s := serve(t, 0, nil)
			m := sample()
			m.Name, m.Subject = text, "Recovery for "+text
			if err := plainSMTP(t, s).Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			l := oneRecipient(t, s, "ada@example.com")
			if name := l.Get("Subject"); strings.ContainsAny(name, "\r\n") || !strings.HasPrefix(decoded(t, name), "Recovery for") {
				t.Errorf("Subject: %q", name)
			}
		})
	}
}

func decoded(t *testing.T, text string) string {
	t.Helper()
	plain, err := new(mime.WordDecoder).DecodeHeader(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return plain
}

// oneRecipient checks the one mail taken: whom it went to, and which headers it has.
func oneRecipient(t *testing.T, s *server, want string) letter {
	t.Helper()
	all := s.envelopes()
	if len(all) != 1 || !slices.Equal(all[0].to, []string{want}) {
		t.Fatalf("%d mails, the first to %q, want one to %q", len(all), all[0].to, want)
	}
	if head, _, _ := bytes.Cut(all[0].data, []byte("\r\n\r\n")); slices.ContainsFunc(bytes.Split(head, []byte("\r\n")), func(line []byte) bool { return len(line) > 998 }) {
		t.Errorf("a header line is over 998 bytes")
	}
	l := readLetter(t, all[0].data)
	to, err := l.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != want {
		t.Errorf("To: %v, %v, want %s alone", to, err, want)
	}
	headers := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	if got := slices.Sorted(maps.Keys(l.Header)); !slices.Equal(got, headers) {
		t.Errorf("headers %v, want %v", got, headers)
	}
	for name, values := range l.Header {
		if len(values) != 1 {
			t.Errorf("%d headers %s: %q", len(values), name, values)
		}
	}
	if !strings.Contains(l.text, ticket) {
		t.Errorf("the text lacks the link: %q", l.text)
	}
	return l
}

func TestTLS(t *testing.T) {
	config, pool := testCA(t)
	from := "no-reply@demo.example"
	withSTARTTLS := func(s *smtp.Server) { s.TLSConfig = config }
	withTLS := func(s *smtp.Server) { s.TLSConfig, s.Domain = config, implicitTLS }
	user := func(o SMTPOptions, password string) SMTPOptions {
		o.User, o.Password = "relay", core.NewSecret(password)
		return o
	}
	starttls := SMTPOptions{Host: "localhost", TLS: "starttls", From: from, RootCAs: pool}
	implicit := SMTPOptions{Host: "localhost", TLS: "tls", From: from, RootCAs: pool}
	for _, tt := range []struct {
		name    string
		server  func(*smtp.Server)
		options SMTPOptions
		sent    bool
	}{
		{"STARTTLS", withSTARTTLS, starttls, true},
		{"STARTTLS is the default", withSTARTTLS, SMTPOptions{Host: "localhost", From: from, RootCAs: pool}, true},
		{"STARTTLS with a password", withSTARTTLS, user(starttls, "relay-password"), true},
		{"STARTTLS with a wrong password", withSTARTTLS, user(starttls, "wrong"), false},
		{"a server without STARTTLS", nil, starttls, false},
		{"a certificate that nobody vouches for", withSTARTTLS, SMTPOptions{Host: "localhost", From: from}, false},
		{"a certificate for another name", withSTARTTLS, SMTPOptions{Host: "ip6-localhost", From: from, RootCAs: pool}, false},
		{"TLS from the first byte", withTLS, implicit, true},
		{"TLS from the first byte with a password", withTLS, user(implicit, "relay-password"), true},
		{"TLS from the first byte, nobody vouches", withTLS, SMTPOptions{Host: "localhost", TLS: "tls", From: from}, false},
		{"TLS from the first byte, the server speaks first in the clear", nil, implicit, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, 0, tt.server)
			tt.options.Port, tt.options.Timeout = s.port, 2*time.Second
			err := openSMTP(t, tt.options).Send(t.Context(), sample())
			if permanent(err) || (err == nil) != tt.sent {
				t.Fatalf("Send() = %v, want sent %v and never a refusal for good", err, tt.sent)
			}
			if err != nil && (strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), ticket)) {
				t.Errorf("the error tells a secret: %v", err)
			}
			all := s.envelopes()
			if tt.sent && (len(all) != 1 || !all[0].secure) || !tt.sent && len(all) != 0 {
				t.Errorf("%d mails taken: %v", len(all), all)
			}
			if want := tt.sent && tt.options.User != ""; want != (len(s.signedIn) == 1) {
				t.Errorf("signed in as %q", s.signedIn)
			}
		})
	}
}

func TestPasswordInTheClearOnLoopbackOnly(t *testing.T) {
	s := serve(t, 0, func(s *smtp.Server) { s.AllowInsecureAuth = true })
	o := SMTPOptions{Host: "127.0.0.1", Port: s.port, TLS: "none", From: "a@b.example", User: "relay", Password: core.NewSecret("relay-password")}
	if err := openSMTP(t, o).Send(t.Context(), sample()); err != nil || len(s.signedIn) != 1 {
		t.Errorf("Send() = %v, signed in as %q", err, s.signedIn)
	}
}

func TestSMTPOptions(t *testing.T) {
	good := SMTPOptions{Host: "smtp.example.com", From: "no-reply@example.com"}
	for _, tt := range []struct {
		name string
		edit func(*SMTPOptions)
		want string
	}{
		{"defaults", func(*SMTPOptions) {}, ""},
		{"a named sender", func(o *SMTPOptions) { o.From = "Demo <no-reply@example.com>" }, ""},
		{"none to loopback", func(o *SMTPOptions) { o.TLS, o.Host = "none", "::1" }, ""},
		{"none to elsewhere", func(o *SMTPOptions) { o.TLS = "none" }, "mail: tls: none would send mails in the clear to smtp.example.com: use starttls or tls"},
		{"none to a look-alike", func(o *SMTPOptions) { o.TLS, o.Host = "none", "localhost.example.com" }, "mail: tls: none would send mails in the clear to localhost.example.com: use starttls or tls"},
		{"unknown TLS", func(o *SMTPOptions) { o.TLS = "ssl" }, `mail: tls: "ssl" is none of starttls, tls, none`},
		{"no host", func(o *SMTPOptions) { o.Host = "" }, "mail: host: give the mail server's name"},
		{"no sender", func(o *SMTPOptions) { o.From = "" }, `mail: from "": give one address, such as no-reply@example.com`},
		{"two senders", func(o *SMTPOptions) { o.From = "a@b.example, c@d.example" }, `mail: from "a@b.example, c@d.example": give one address, such as no-reply@example.com`},
		{"impossible port", func(o *SMTPOptions) { o.Port = 70000 }, "mail: failed to apply option: invalid port number"},
	} {
		o := good
		tt.edit(&o)
		sender, err := SMTP(o)
		if got := fmt.Sprint(err); got != tt.want && (tt.want != "" || err != nil) {
			t.Errorf("%s: SMTP() = %v, want %q", tt.name, err, tt.want)
		}
		if err == nil && sender == nil {
			t.Errorf("%s: no sender", tt.name)
		}
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mails")
	var shown []core.Mail
	sender, err := Folder(dir, "", func(m core.Mail) { shown = append(shown, m) })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sender.Send(context.Background(), sample()); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v, want two files", entries, err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.Mode() != 0o600 || filepath.Ext(entry.Name()) != ".eml" {
			t.Errorf("%s has mode %v, %v, want an .eml file of mode 0600", entry.Name(), info.Mode(), err)
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if l := readLetter(t, data); !strings.Contains(l.text, ticket) || l.Get("From") != "<chancery@localhost>" {
			t.Errorf("the mail is %v %q", l.Header, l.text)
		}
	}
	if len(shown) != 2 || shown[0].Link.Reveal() != sample().Link.Reveal() {
		t.Errorf("%d mails shown: %v", len(shown), shown)
	}
	m := sample()
	m.To = "ada@example.com, evil@attacker.example"
	if err := sender.Send(context.Background(), m); !permanent(err) {
		t.Errorf("Send() to two = %v, want it refused for good", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v, want 0700", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%d files, want nothing unfinished left", len(entries))
	}
	if _, err := Folder(filepath.Join(dir, entries[0].Name()), "", nil); err == nil {
		t.Error("Folder() takes a file")
	}
	if _, err := Folder(dir, "nobody", nil); err == nil {
		t.Error("Folder() takes a sender that is no address")
	}
}

func TestMask(t *testing.T) {
	for address, want := range map[string]string{
		"ada@example.com": "a***@example.com", "a@b": "a***@b", "äda@example.com": "ä***@example.com",
		"@example.com": "***", "ada": "***", "": "***", "\xffx@example.com": "***@example.com",
	} {
		if got := Mask(address); got != want {
			t.Errorf("Mask(%q) = %q, want %q", address, got, want)
		}
	}
	if _, err := netmail.ParseAddress(Mask("ada@example.com")); err != nil {
		t.Errorf("a mask still looks like an address: %v", err)
	}
}
