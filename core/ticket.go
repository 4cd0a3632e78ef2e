package core

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

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

// root is the purpose without the place that the ticket takes among the account's.
func (p Purpose) root() Purpose {
	root, _, _ := strings.Cut(string(p), "/")
	return Purpose(root)
}

// A Ticket is a one-time right to act for an account, stored by the
// digest of its 256 random bits.
type Ticket struct {
	Digest    Digest
	Realm     Realm
	Account   AccountID
	Purpose   Purpose
	Payload   string // what it carries for whoever redeems it, no secret; "" for nothing
	IssuedAt  time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not used
	// MailedTo has the ticket counted for its [Recipient] when it is issued; it is not
	// stored. The zero Digest is that of a ticket that is not mailed.
	MailedTo Digest
}

// Usable returns nil if t may be redeemed for account at now, and otherwise says why
// not. One that would verify what has been verified is AlreadyVerified, also by itself.
func (t Ticket) Usable(account Account, now time.Time) error {
	switch {
	case !account.Active:
		return &Error{Kind: TicketInactive}
	case t.Purpose == PurposeVerification && account.Verified && now.Before(t.ExpiresAt):
		return &Error{Kind: AlreadyVerified}
	case !t.UsedAt.IsZero(), !t.IssuedAt.After(account.TicketsFrom):
		return &Error{Kind: TicketUsed}
	case !now.Before(t.ExpiresAt):
		return &Error{Kind: TicketExpired}
	}
	return nil
}

// Recipient is what mails to an address are counted by. Addresses that differ in
// ASCII case are one.
func Recipient(address string) Digest {
	if folded, err := Canonical(address); err == nil {
		address = string(folded)
	}
	return NewSecret(address).Digest()
}

// noTenant stands in notices where there is no tenant: none can have it as its id.
const noTenant TenantID = nobody

// A Notice is a mail to be made and sent: somebody asked for a ticket for a
// login name, which may belong to nobody.
type Notice struct {
	ID        string
	Realm     Realm
	Dialect   string
	Purpose   Purpose
	Tenant    TenantID       // "" when none was given, noTenant when it is for an account without one
	Login     CanonicalLogin // "" when what was given has no canonical form
	RequestID string
	CreatedAt time.Time
	DueAt     time.Time
	Attempts  int // failed so far
}

// A Mail is a notice made out to its one recipient.
type Mail struct {
	Purpose   Purpose
	To        string // the stored address (S31)
	Name      string // the account's name, "" when unset
	Subject   string
	Link      Secret // holds the ticket
	Lifetime  time.Duration
	ExpiresAt time.Time
}

// A redemption is one try to use a ticket of a purpose.
type redemption struct {
	purpose Purpose
	ticket  Secret
	action  Action
	origin  Origin
}

// redeem has use redeem a ticket that holds, as one counted try. A ticket that is
// refused is on record; wrong guesses count against the network, as nobody knows
// whose ticket it would have been.
func (a *Authority) redeem(ctx context.Context, r redemption, use func(Ticket, Account, Event) error) error {
	event := a.event(r.action, r.origin)
	err := a.counted(ctx, AttemptKey{Realm: a.terms.Realm, Network: r.origin.Network()}, func() error {
		ticket, account, err := a.ticket(ctx, r.ticket, r.purpose)
		event.Account = ticket.Account
		if err == nil {
			err = use(ticket, account, event)
		}
		if KindOf(err) == NotFound {
			err = errors.Join(&Error{Kind: TicketUnknown}, err)
		}
		return err
	})
	if kind := KindOf(err); kind.IsA(BadTicket) || kind == AlreadyVerified {
		return a.onRecord(ctx, event, err)
	}
	return err
}

// ticket reads a ticket with its account and asks whether it holds for a purpose,
// before any hash is paid for.
func (a *Authority) ticket(ctx context.Context, secret Secret, purpose Purpose) (Ticket, Account, error) {
	ticket, err := a.deps.Tickets.Ticket(ctx, a.terms.Realm, secret.Digest())
	if err != nil {
		if KindOf(err) == NotFound {
			err = &Error{Kind: TicketUnknown}
		}
		return Ticket{}, Account{}, err
	}
	if ticket.Purpose.root() != purpose {
		return ticket, Account{}, refuse(TicketUnknown, "a ticket for %s", ticket.Purpose)
	}
	account, err := a.deps.Accounts.Account(ctx, a.terms.Realm, ticket.Account)
	if err != nil {
		if KindOf(err) == NotFound {
			err = refuse(TicketUnknown, "its account is gone")
		}
		return ticket, Account{}, err
	}
	return ticket, account, told(ticket.Usable(account, a.deps.Now()), Identity{Account: account})
}

// newID makes a UUID that sorts by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newTicketText makes 256 random bits as letters and digits: safe in a URL.
func newTicketText() string { return randomText() + randomText() }
