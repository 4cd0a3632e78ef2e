package mail

import (
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	netmail "net/mail"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/chancery-auth/chancery/core"
)

//go:embed templates
var templates embed.FS

// The templates are named by the purpose of their mail.
var (
	textTemplates = texttemplate.Must(texttemplate.ParseFS(templates, "templates/*.txt"))
	htmlTemplates = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/*.html"))
)

// A page is what the templates show.
type page struct {
	Subject  string
	Name     string // "" when unset
	Account  string
	Link     string
	Lifetime string
}

// message renders m as a mail from from to its one recipient (S31).
func message(m core.Mail, from *netmail.Address) (*gomail.Msg, error) {
	to, err := recipient(m)
	if err != nil {
		return nil, err
	}
	text, html := textTemplates.Lookup(string(m.Purpose)+".txt"), htmlTemplates.Lookup(string(m.Purpose)+".html")
	if text == nil || html == nil {
		return nil, fmt.Errorf("there is no template for mails of purpose %q", m.Purpose)
	}
	p := page{
		Subject:  oneLine(m.Subject, maxSubject),
		Name:     to.Name,
		Account:  m.To,
		Link:     m.Link.Reveal(),
		Lifetime: inWords(m.Lifetime),
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	msg.Subject(p.Subject)
	_, domain, _ := strings.Cut(from.Address, "@")
	msg.SetMessageIDWithValue(rand.Text() + "@" + domain)
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office replies
	if err := msg.SetBodyTextTemplate(text, p); err != nil {
		return nil, fmt.Errorf("mail's text: %w", err)
	}
	if err := msg.AddAlternativeHTMLTemplate(html, p); err != nil {
		return nil, fmt.Errorf("mail's HTML: %w", err)
	}
	return msg, nil
}

const (
	maxAddress = 254 // RFC 5321
	maxName    = 80  // code points
	maxSubject = 200 // code points
)

// errAddress does not quote the address: it goes to logs.
var errAddress = errors.New("the stored address is not one bare address that mail can be sent to")

// recipient takes the stored address only as it stands: what parses to anything else
// (a name, a comment, a list, a group, quotes) is refused for good.
func recipient(m core.Mail) (*netmail.Address, error) {
	parsed, err := netmail.ParseAddress(m.To)
	if err != nil || parsed.Name != "" || parsed.Address != m.To || len(m.To) > maxAddress {
		return nil, &SendError{Permanent: true, Err: errAddress}
	}
	at := strings.LastIndexByte(m.To, '@')
	if at < 0 || strings.ContainsFunc(m.To, notInAddress) {
		return nil, &SendError{Permanent: true, Err: errAddress}
	}
	domain := m.To[at+1:]
	if !isASCII(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return nil, &SendError{Permanent: true, Err: errAddress}
		}
	}
	return &netmail.Address{Name: oneLine(m.Name, maxName), Address: m.To[:at+1] + domain}, nil
}

// notInAddress tells what has no place in a bare address even where a parser lets it pass.
func notInAddress(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || strings.ContainsRune("<>(),;:\\\"[]", r)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// oneLine makes foreign text fit for a header: no control or format characters, no
// beginning of an encoded word, at most so many code points.
func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "=?", "= ?")), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}

// inWords rounds down: a mail does not promise more than there is.
func inWords(lifetime time.Duration) string {
	if hours := int(lifetime / time.Hour); hours >= 2 {
		return fmt.Sprintf("%d hours", hours)
	}
	if minutes := int(lifetime / time.Minute); minutes != 1 {
		return fmt.Sprintf("%d minutes", minutes)
	}
	return "1 minute"
}

// Mask shows of an address its first letter and its domain, for logs.
func Mask(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" {
		return "***"
	}
	first, size := utf8.DecodeRuneInString(local)
	if first == utf8.RuneError {
		return "***@" + domain
	}
	return local[:size] + "***@" + domain
}

// parseFrom reads the sender's address, which may have a name.
func parseFrom(text string) (*netmail.Address, error) {
	from, err := netmail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(from.Address, notInAddress) {
		return nil, fmt.Errorf("mail: from %q: give one address, such as no-reply@example.com", text)
	}
	return from, nil
}
