package core

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Mails of one account (S33).
const (
	maxTicketsPerHour = 3
	maxTicketsPerDay  = 10
)

// RequestRecovery asks for a recovery mail to login. It does the same for every
// login name, known or not: one durable notice, which a worker makes out with
// [Authority.ComposeMail] after the answer (S24).
func (a *Authority) RequestRecovery(ctx context.Context, login string, origin Origin) error {
	canonical, err := Canonical(login)
	if err != nil {
		canonical = "" // the notice comes to nothing, like that of an unknown name
	}
	// Requests count against the network alone, or the answer would tell one login
	// name from another.
	attempt, err := a.deps.Attempts.Begin(ctx, AttemptKey{Realm: a.terms.Realm, Network: origin.Network()})
	if err != nil {
		return err
	}
	attempt.Failed()
	event := a.event(ActionRecoveryRequested, origin)
	return a.deps.Outbox.Enqueue(ctx, Notice{
		ID:        newID(),
		Realm:     a.terms.Realm,
		Dialect:   a.terms.Dialect,
		Purpose:   PurposeRecovery,
		Login:     canonical,
		RequestID: origin.RequestID,
		CreatedAt: event.At,
		DueAt:     event.At,
	}, event)
}

// ComposeMail makes a notice out: it issues the ticket, which ends the account's
// older ones, and words the mail. It is called again for each attempt to send,
// so that no ticket is kept in the clear. NotFound, Inactive and RateLimited
// mean that there is nothing to send; that is then on record.
func (a *Authority) ComposeMail(ctx context.Context, notice Notice) (Mail, error) {
	now := a.deps.Now() // before the account is read: a change of address meanwhile ends the ticket
	account, err := a.recipient(ctx, notice)
	if err != nil {
		if kind := KindOf(err); kind == NotFound || kind == Inactive || kind == RateLimited {
			event := a.event(ActionTicketWithheld, Origin{RequestID: notice.RequestID})
			event.Outcome, event.Account = kind, account.ID
			if err := a.deps.Journal.Record(ctx, event); err != nil {
				return Mail{}, err
			}
		}
		return Mail{}, err
	}
	secret := NewSecret(newTicketText())
	subject, link, err := a.terms.Mails[notice.Purpose](account, secret)
	if err != nil {
		return Mail{}, refuse(Internal, "%s mail: %w", notice.Purpose, err)
	}
	lifetime := a.terms.TicketLifetimes[notice.Purpose]
	event := a.event(ActionTicketIssued, Origin{RequestID: notice.RequestID})
	event.Account = account.ID
	ticket := Ticket{
		Digest:    secret.Digest(),
		Realm:     a.terms.Realm,
		Account:   account.ID,
		Purpose:   notice.Purpose,
		IssuedAt:  now,
		ExpiresAt: now.Add(lifetime),
	}
	if err := a.deps.Tickets.IssueTicket(ctx, ticket, event); err != nil {
		return Mail{}, err
	}
	return Mail{
		To:        account.Email,
		Name:      account.Name,
		Subject:   subject,
		Link:      link,
		Lifetime:  lifetime,
		ExpiresAt: ticket.ExpiresAt,
	}, nil
}

// recipient finds the account that a notice is for, if it may have a mail.
func (a *Authority) recipient(ctx context.Context, notice Notice) (Account, error) {
	if a.terms.Mails[notice.Purpose] == nil || notice.Login == "" {
		return Account{}, &Error{Kind: NotFound}
	}
	account, err := a.deps.Accounts.AccountByLogin(ctx, a.terms.Realm, notice.Login)
	switch {
	case err != nil:
		return Account{}, err
	case !account.Active:
		return account, &Error{Kind: Inactive}
	case account.Email == "":
		return account, refuse(NotFound, "the account has no address")
	}
	if notice.Attempts > 0 {
		return account, nil // the same mail again
	}
	for _, bound := range []struct {
		within time.Duration
		most   int
	}{{time.Hour, maxTicketsPerHour}, {24 * time.Hour, maxTicketsPerDay}} {
		issued, err := a.deps.Tickets.TicketsSince(ctx, a.terms.Realm, account.ID, notice.Purpose, a.deps.Now().Add(-bound.within))
		if err != nil {
			return account, err
		}
		if issued >= bound.most {
			return account, &Error{Kind: RateLimited}
		}
	}
	return account, nil
}

// A PasswordReset is a new password with the ticket that permits it.
type PasswordReset struct {
	Ticket   Secret
	Password Secret
	Origin   Origin
}

// MinPassword is the least length of a password in code points, whatever a
// dialect says (S9); MaxPassword bounds the work of hashing, in bytes.
const (
	MinPassword = 8
	MaxPassword = 16 << 10
)

// CheckPassword refuses a new password with PasswordRefused and the reason.
func CheckPassword(password Secret) error {
	text := password.Reveal()
	switch {
	case utf8.RuneCountInString(text) < MinPassword:
		return &Error{Kind: PasswordRefused, Reason: "the password must have at least 8 characters"}
	case len(text) > MaxPassword:
		return &Error{Kind: PasswordRefused, Reason: "the password must have at most 16384 bytes"}
	}
	return nil
}

// ResetPassword sets a new password once for a ticket. It ends the account's
// older tickets and tokens (S27, S46). It refuses with PasswordRefused, which
// leaves the ticket usable, and the kinds below BadTicket.
func (a *Authority) ResetPassword(ctx context.Context, reset PasswordReset) error {
	if err := CheckPassword(reset.Password); err != nil {
		return err
	}
	attempt, err := a.deps.Attempts.Begin(ctx, AttemptKey{Realm: a.terms.Realm, Network: reset.Origin.Network()})
	if err != nil {
		return err
	}
	ticket, err := a.ticket(ctx, reset.Ticket)
	event := a.event(ActionPasswordReset, reset.Origin)
	event.Account = ticket.Account
	if err == nil {
		err = a.redeem(ctx, ticket, reset.Password, event)
	}
	if KindOf(err).IsA(BadTicket) {
		attempt.Failed()
	} else {
		attempt.Abandoned()
	}
	if kind := KindOf(err); kind.IsA(BadTicket) {
		event.Outcome = kind
		if err := a.deps.Journal.Record(context.WithoutCancel(ctx), event); err != nil {
			return err
		}
	}
	return err
}

// ticket reads a recovery ticket and asks whether it holds, before any hash is paid for.
func (a *Authority) ticket(ctx context.Context, secret Secret) (Ticket, error) {
	ticket, err := a.deps.Tickets.Ticket(ctx, a.terms.Realm, secret.Digest())
	if err != nil {
		if KindOf(err) == NotFound {
			err = &Error{Kind: TicketUnknown}
		}
		return Ticket{}, err
	}
	if ticket.Purpose != PurposeRecovery {
		return ticket, refuse(TicketUnknown, "a ticket for %s", ticket.Purpose)
	}
	account, err := a.deps.Accounts.Account(ctx, a.terms.Realm, ticket.Account)
	if err != nil {
		if KindOf(err) == NotFound {
			err = refuse(TicketUnknown, "its account is gone")
		}
		return ticket, err
	}
	return ticket, ticket.Usable(account, a.deps.Now())
}

func (a *Authority) redeem(ctx context.Context, ticket Ticket, password Secret, event Event) error {
	hash, err := a.deps.Passwords.Hash(ctx, a.terms.Realm, password)
	if err != nil {
		return err
	}
	now := a.deps.Now()
	err = a.deps.Tickets.RedeemTicket(ctx, a.terms.Realm, ticket.Digest, now, func(ticket Ticket, account *Account) (Event, error) {
		if err := ticket.Usable(*account, now); err != nil {
			return Event{}, err
		}
		account.setPassword(hash, now)
		return event, nil
	})
	if KindOf(err) == NotFound {
		return errors.Join(&Error{Kind: TicketUnknown}, err)
	}
	return err
}

// newID makes a UUID that sorts by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newTicketText makes 256 random bits as letters and digits: safe in a URL.
func newTicketText() string { return randomText() + randomText() }
