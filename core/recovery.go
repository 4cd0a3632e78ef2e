package core

import "context"

// A PasswordReset is a new password with the ticket that permits it.
type PasswordReset struct {
	Ticket   Secret
	Password Secret
	Origin   Origin
}

// ResetPassword sets a new password once for a ticket. It ends the account's
// older tickets and tokens (S27, S46). It refuses with PasswordRefused, which
// leaves the ticket usable, and the kinds below BadTicket.
func (a *Authority) ResetPassword(ctx context.Context, reset PasswordReset) error {
	if err := CheckPassword(reset.Password); err != nil {
		return err
	}
	return a.redeem(ctx, redemption{PurposeRecovery, reset.Ticket, ActionPasswordReset, reset.Origin}, func(ticket Ticket, account Account, event Event) error {
		if err := CheckPassword(reset.Password, account.ownWords()...); err != nil {
			return err
		}
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
