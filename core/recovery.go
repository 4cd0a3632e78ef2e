package core

import (
	"context"
	"unicode/utf8"
)

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
	return a.redeem(ctx, redemption{PurposeRecovery, reset.Ticket, ActionPasswordReset, reset.Origin}, func(ticket Ticket, event Event) error {
		hash, err := a.deps.Passwords.Hash(ctx, a.terms.Realm, reset.Password)
		if err != nil {
			return err
		}
		now := a.deps.Now()
		return a.deps.Tickets.RedeemTicket(ctx, a.terms.Realm, ticket.Digest, now, func(ticket Ticket, account *Account) (Event, error) {
			if err := ticket.Usable(*account, now); err != nil {
				return Event{}, err
			}
			account.setPassword(hash, now)
			return event, nil
		})
	})
}
