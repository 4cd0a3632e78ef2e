package core

import "time"

// A Purpose is what a ticket opens. A ticket of one purpose opens nothing else (S28).
type Purpose string

// PurposeRecovery is the purpose of a password recovery ticket.
const PurposeRecovery Purpose = "recovery"

// A Ticket is a mailed, one-time right to act for an account, stored by the
// digest of its 256 random bits.
type Ticket struct {
	Digest    Digest
	Realm     Realm
	Account   AccountID
	Purpose   Purpose
	IssuedAt  time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not used
}

// Usable returns nil if t may be redeemed for account at now, and otherwise says why not.
func (t Ticket) Usable(account Account, now time.Time) error {
	switch {
	case !account.Active:
		return &Error{Kind: TicketInactive}
	case !t.UsedAt.IsZero(), !t.IssuedAt.After(account.TicketsFrom):
		return &Error{Kind: TicketUsed}
	case !now.Before(t.ExpiresAt):
		return &Error{Kind: TicketExpired}
	}
	return nil
}

// A Notice is a mail to be made and sent: somebody asked for a ticket for a
// login name, which may belong to nobody.
type Notice struct {
	ID        string
	Realm     Realm
	Dialect   string
	Purpose   Purpose
	Login     CanonicalLogin // "" when what was given has no canonical form
	RequestID string
	CreatedAt time.Time
	DueAt     time.Time
	Attempts  int // failed so far
}

// A Mail is a notice made out to its one recipient.
type Mail struct {
	To        string // the stored address (S31)
	Name      string // the account's name, "" when unset
	Subject   string
	Link      Secret // holds the ticket
	Lifetime  time.Duration
	ExpiresAt time.Time
}
