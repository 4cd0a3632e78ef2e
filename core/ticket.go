package core

import "time"

// A Purpose is what a ticket opens. A ticket of one purpose opens nothing else (S28).
type Purpose string

// The purposes.
const (
	PurposeRecovery     Purpose = "recovery"     // mailed: sets a new password
	PurposeVerification Purpose = "verification" // mailed: proves the address
	PurposeChallenge    Purpose = "challenge"    // answered: goes on with a sign-in, given the second factor
)

// TicketBounds tell how long tickets of a purpose live at least and at most, and
// usually (S25).
func TicketBounds(purpose Purpose) (least, usual, most time.Duration) {
	switch purpose {
	case PurposeChallenge:
		return 30 * time.Second, 5 * time.Minute, 15 * time.Minute
	case PurposeVerification:
		return time.Minute, 24 * time.Hour, 24 * time.Hour
	default:
		return time.Minute, time.Hour, 24 * time.Hour
	}
}

// A Ticket is a one-time right to act for an account, stored by the
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
