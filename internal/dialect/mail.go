package dialect

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// Bounds of a recovery ticket's life (S25).
const (
	minTicketLifetime = time.Minute
	maxTicketLifetime = 24 * time.Hour
)

func (r *reader) tickets(n *yaml.Node, d *Dialect) {
	if n == nil {
		return
	}
	s := r.section(n, &ticketsShape)
	recovery := s.get("recovery")
	if recovery == nil {
		return
	}
	l := r.named(recovery, &ticketShape, "tickets.recovery").need("lifetime")
	if l == nil {
		return
	}
	lifetime, ok := r.duration(l, "lifetime")
	d.ticketLifetime = lifetime
	if ok && (d.ticketLifetime < minTicketLifetime || d.ticketLifetime > maxTicketLifetime) {
		r.fault(l, "such as lifetime: 1h", "a ticket lives from 1m to 24h, not %s", d.ticketLifetime)
	}
}

// A mailTemplate words a mail; its body is the server's own.
type mailTemplate struct{ subject, link textTemplate }

func (r *reader) mails(n *yaml.Node, d *Dialect) {
	if n == nil {
		return
	}
	recovery := r.section(n, &mailsShape).get("recovery")
	if recovery == nil {
		return
	}
	s := r.named(recovery, &mailShape, "mails.recovery")
	subject, link := s.need("subject"), s.need("link")
	if subject == nil || link == nil {
		return
	}
	m := &mailTemplate{
		subject: r.textTemplate(subject, "subject", &place{what: "a mail's subject", in: inSubject}),
		link:    r.textTemplate(link, "link", &place{what: "a mail's link", in: inLink}),
	}
	for _, segment := range m.subject {
		if !plainText(segment.literal) {
			r.fault(subject, "", "the subject holds a line break or another control character")
		}
	}
	r.checkLink(link, m.link)
	d.recoveryMail = m
}

// neededMails insists on the mails that routes send.
func (r *reader) neededMails(s section, d *Dialect) {
	if d.recoveryMail == nil && slices.ContainsFunc(d.routes, func(rt *route) bool { return rt.operation.name == RequestRecovery }) {
		r.fault(s.node, "add mails: {recovery: {subject: …, link: …}}", "a route asks for recovery, but no mail is declared")
	}
}

// checkLink proves the link by making one: tickets travel over https, or to this
// machine (S30), and every link has its ticket.
func (r *reader) checkLink(n *yaml.Node, link textTemplate) {
	const proof = "TICKETPROOF"
	text, err := link.append(nil, &scope{dialect: r.dialect, now: probeTime, ticket: core.NewSecret(proof)})
	if err != nil {
		r.fault(n, "", "the link cannot be made: %v", err)
		return
	}
	hint := "its beginning is written out in the file"
	if name, _, ok := strings.Cut(strings.TrimPrefix(n.Value, "${"), "}"); ok && strings.HasPrefix(n.Value, "${") {
		hint = "set " + strings.TrimPrefix(strings.TrimSpace(name), "setting.") + " to an address such as https://app.example.com"
	}
	u, err := url.Parse(string(text))
	switch {
	case !strings.Contains(string(text), proof):
		r.fault(n, "such as …?token=${ticket.value}", "the link lacks ${ticket.value}")
	case err != nil || u.Host == "" || u.User != nil || strings.Contains(u.Host, proof):
		r.fault(n, hint, "the link has no address to lead to")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		r.fault(n, hint, "the link is not https, and would show its ticket on the way")
	}
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// words is what core's terms know of the mail.
func (m *mailTemplate) words(d *Dialect) func(core.Account, core.Secret) (string, core.Secret, error) {
	return func(account core.Account, ticket core.Secret) (string, core.Secret, error) {
		s := scope{dialect: d, now: d.now(), account: &account, ticket: ticket}
		subject, err := m.subject.append(nil, &s)
		if err != nil {
			return "", core.Secret{}, err
		}
		link, err := m.link.append(nil, &s)
		return string(subject), core.NewSecret(string(link)), err
	}
}
