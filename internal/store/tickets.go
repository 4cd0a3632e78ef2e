package store

import (
	"context"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// IssueTicket stores a ticket in place of the account's older one of the same
// purpose. An account that does not exist is NotFound.
func (s *Store) IssueTicket(ctx context.Context, ticket core.Ticket, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		t := &ticket
		_, err := g.exec(putTicket, string(t.Realm), string(t.Account), string(t.Purpose), t.Digest[:], t.Payload,
			micros(t.IssuedAt), micros(t.ExpiresAt), micros(t.UsedAt))
		if err != nil || t.MailedTo == (core.Digest{}) {
			return err
		}
		_, err = g.exec(insertIssue, string(t.Realm), string(t.Account), string(t.Purpose), micros(t.IssuedAt), t.MailedTo[:])
		return err
	})
}

// Ticket returns the ticket, or an error of kind NotFound.
func (s *Store) Ticket(ctx context.Context, realm core.Realm, digest core.Digest) (core.Ticket, error) {
	return find(ctx, s, readTicket, scanTicket, string(realm), digest[:])
}

// TicketsSince counts the tickets mailed to an account or a recipient from an instant
// on, replaced ones included.
func (s *Store) TicketsSince(ctx context.Context, realm core.Realm, account core.AccountID, recipient core.Digest, purpose core.Purpose, from time.Time) (int, error) {
	count := func(r row) (n int, err error) { return n, r.Scan(&n) }
	return find(ctx, s, countTickets, count, string(realm), string(account), recipient[:], string(purpose), micros(from))
}

// RedeemTicket uses the ticket up and changes its account. A ticket that is not
// there is TicketUnknown; one that has been used is TicketUsed.
func (s *Store) RedeemTicket(ctx context.Context, realm core.Realm, digest core.Digest, now time.Time, change func(core.Ticket, *core.Account) (core.Event, error)) error {
	return s.write(ctx, func(g *group) error {
		return retryLost(func() (bool, error) {
			ticket, err := loadTicket(g, realm, digest)
			if err != nil {
				return false, err
			}
			account, err := load(g, readAccount, scanAccount, string(realm), string(ticket.Account))
			if err != nil {
				return false, err
			}
			version := account.Version
			event, err := change(ticket, &account)
			if err != nil {
				return false, err
			}
			// The account first: while nothing is written, a lost race costs nothing.
			saved, err := s.saveAccount(g, realm, ticket.Account, version, &account)
			if !saved || err != nil {
				return false, err
			}
			g.record(event)
			used, err := g.exec(useTicket, string(realm), digest[:], micros(now))
			if err == nil && used == 0 { // by another replica, since it was loaded
				err = spent(g, realm, digest)
			}
			return true, err
		})
	})
}

// loadTicket returns a ticket that may still be used.
func loadTicket(g *group, realm core.Realm, digest core.Digest) (core.Ticket, error) {
	ticket, err := load(g, readTicket, scanTicket, string(realm), digest[:])
	switch {
	case isMissing(err):
		return ticket, &core.Error{Kind: core.TicketUnknown}
	case err == nil && !ticket.UsedAt.IsZero():
		return ticket, &core.Error{Kind: core.TicketUsed}
	}
	return ticket, err
}

// spent says why a ticket cannot be used any more.
func spent(g *group, realm core.Realm, digest core.Digest) error {
	if _, err := loadTicket(g, realm, digest); err != nil {
		return err
	}
	return &core.Error{Kind: core.Conflict}
}

func scanTicket(r row) (core.Ticket, error) {
	var t core.Ticket
	var digest []byte
	var issued, expires, used int64
	if err := r.Scan(&t.Realm, &t.Account, &t.Purpose, &digest, &t.Payload, &issued, &expires, &used); err != nil {
		return t, err
	}
	copy(t.Digest[:], digest)
	t.IssuedAt, t.ExpiresAt, t.UsedAt = instant(issued), instant(expires), instant(used)
	return t, nil
}
