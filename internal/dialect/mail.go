package dialect

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// purposes are the tickets of a dialect, by their names in the file.
var purposes = []core.Purpose{core.PurposeRecovery, core.PurposeVerification, core.PurposeChallenge}

func (r *reader) tickets(n *yaml.Node, d *Dialect) {
	d.ticketLifetimes = map[core.Purpose]time.Duration{}
	if n == nil {
		return
	}
	s := r.section(n, &ticketsShape)
	for _, purpose := range purposes {
		ticket := s.get(string(purpose))
		if ticket == nil {
			continue
		}
		l := r.named(ticket, &ticketShape, "tickets."+string(purpose)).need("lifetime")
		if l == nil {
			continue
		}
		least, usual, most := core.TicketBounds(purpose)
		lifetime, ok := r.duration(l, "lifetime")
		d.ticketLifetimes[purpose] = lifetime
		if ok && (lifetime < least || lifetime > most) {
			r.fault(l, "such as lifetime: "+short(usual), "a ticket lives from %s to %s, not %s", short(least), short(most), lifetime)
		}
	}
}

// short is a length of time as a file would write it: 1h, not 1h0m0s.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// A mailTemplate words a mail; its body is the server's own.
type mailTemplate struct {
	node          *yaml.Node // where the link stands
	faulty        bool       // the link cannot be made, which has been said
	subject, link textTemplate
}

func (r *reader) mails(n *yaml.Node, d *Dialect) {
	d.mails = map[core.Purpose]*mailTemplate{}
	if n == nil {
		return
	}
	all := r.section(n, &mailsShape)
	for _, purpose := range purposes {
		mail := all.get(string(purpose))
		if mail == nil {
			continue
		}
		s := r.named(mail, &mailShape, "mails."+string(purpose))
		subject, link := s.need("subject"), s.need("link")
		if subject == nil || link == nil {
			continue
		}
		m := &mailTemplate{node: link, subject: r.textTemplate(subject, "subject", &place{what: "a mail's subject", in: inSubject})}
		before := len(r.faults)
		m.link = r.textTemplate(link, "link", &place{what: "a mail's link", in: inLink})
		m.faulty = len(r.faults) > before
		for _, segment := range m.subject {
			if !plainText(segment.literal) {
				r.fault(subject, "write it on one line", "the subject holds a line break or another control character")
			}
		}
		d.mails[purpose] = m
	}
}

// neededMails insists on the mails that routes ask for, and forgets those whose
// routes are all switched off: their links need not lead anywhere. A verification
// mail goes with the routes that verify, or with registration where there are none.
func (r *reader) neededMails(s section, d *Dialect) {
	for _, need := range []struct {
		purpose core.Purpose
		asks    Operation
		or      []Operation // in the order in which they count
	}{
		{core.PurposeRecovery, RequestRecovery, nil},
		{core.PurposeVerification, RequestVerification, []Operation{Verify, Register}},
	} {
		m := d.mails[need.purpose]
		r.unsent(need.purpose, d)
		some, asked := d.does(need.asks)
		served := asked
		for _, other := range need.or {
			if !some {
				some, served = d.does(other)
			}
		}
		switch {
		case m != nil && some && !served:
			delete(d.mails, need.purpose)
		case m != nil && m.faulty:
		case m != nil:
			r.checkLink(m.node, m.link)
		case asked:
			r.fault(s.node, "add mails: {"+string(need.purpose)+": {subject: …, link: …}}", "a route asks for %s, but no mail is declared", need.purpose)
		}
	}
}

// senders are the operations that send the mails of a purpose.
var senders = map[core.Purpose][]Operation{
	core.PurposeRecovery:     {RequestRecovery},
	core.PurposeVerification: {RequestVerification, Register},
}

// unsent warns of a mail that no route sends, were it switched on.
func (r *reader) unsent(purpose core.Purpose, d *Dialect) {
	sends := slices.ContainsFunc(d.routes, func(rt *route) bool { return slices.Contains(senders[purpose], rt.operation.name) })
	if m := d.mails[purpose]; m != nil && !sends {
		r.warn(m.node, fmt.Sprintf("add a route that does %s, or leave the mail out", senders[purpose][0]), "no route sends the %s mail", purpose)
	}
}

// does reports whether a route does the operation, and whether one that is served does.
func (d *Dialect) does(operation Operation) (some, served bool) {
	for _, rt := range d.routes {
		if rt.operation.name == operation {
			some, served = true, served || !rt.disabled
		}
	}
	return some, served
}

// checkLink proves the link by making one: tickets travel over https, or to this
// machine (S30), and every link has its ticket.
func (r *reader) checkLink(n *yaml.Node, link textTemplate) {
	const proof = "TICKETPROOF"
	text, err := link.append(nil, &scope{dialect: r.dialect, now: probeTime, ticket: core.NewSecret(proof)})
	if err != nil {
		r.fault(n, "such as ${setting.frontend_url}/reset?token=${ticket.value}", "the link cannot be made: %v", err)
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
