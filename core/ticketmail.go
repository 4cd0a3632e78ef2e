package core

import (
	"context"
	"time"
)

// Mails to one account, and to one address, however many accounts have it (S33).
const (
	maxTicketsPerHour = 3
	maxTicketsPerDay  = 10
)

// requested are the actions of asking for a mail, by what it is for.
var requested = map[Purpose]Action{
	PurposeRecovery:     ActionRecoveryRequested,
	PurposeVerification: ActionVerificationRequested,
}

// RequestTicket asks for a mail with a ticket of a purpose to login. It does the
// same for every login name and tenant, known or not: one durable notice, which a
// worker makes out with [Authority.ComposeMail] after the answer (S24).
func (a *Authority) RequestTicket(ctx context.Context, purpose Purpose, login string, tenancy Tenancy, origin Origin) error {
	action, mailed := requested[purpose]
	if !mailed {
		return refuse(Internal, "tickets for %s are not mailed", purpose)
	}
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
	tenant, err := a.tenantOf(ctx, tenancy)
	if KindOf(err) == Unknown {
		canonical = ""
	} else if err != nil {
		return err
	}
	if tenancy.none() {
		tenant.ID = noTenant
	}
	event := a.event(action, origin)
	return a.deps.Outbox.Enqueue(ctx, a.notice(purpose, tenant.ID, canonical, event), event)
}

// notice is the one of a mail that event asks for.
func (a *Authority) notice(purpose Purpose, tenant TenantID, login CanonicalLogin, event Event) Notice {
	return Notice{
		ID:        newID(),
		Realm:     a.terms.Realm,
		Dialect:   a.terms.Dialect,
		Purpose:   purpose,
		Tenant:    tenant,
		Login:     login,
		RequestID: event.RequestID,
		CreatedAt: event.At,
		DueAt:     event.At,
	}
}

// ComposeMail makes a notice out: it issues the ticket, which ends the account's
// older ones, and words the mail. It is called again for each attempt to send,
// so that no ticket is kept in the clear. NotFound, Inactive, AlreadyVerified and
// RateLimited mean that there is nothing to send; that is then on record.
func (a *Authority) ComposeMail(ctx context.Context, notice Notice) (Mail, error) {
	now := a.deps.Now() // before the account is read: a change of address meanwhile ends the ticket
	account, err := a.recipient(ctx, notice)
	if err != nil {
		switch kind := KindOf(err); kind {
		case NotFound, Inactive, AlreadyVerified, RateLimited:
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
		MailedTo:  Recipient(account.Email),
	}
	if err := a.deps.Tickets.IssueTicket(ctx, ticket, event); err != nil {
		return Mail{}, err
	}
	return Mail{
		Purpose:   notice.Purpose,
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
	tenancy := Tenancy{ID: string(notice.Tenant), Given: notice.Tenant != ""}
	if notice.Tenant == noTenant {
		tenancy = Tenancy{Given: true, None: true}
	}
	account, _, err := a.accountOf(ctx, Credential{Identifier: string(notice.Login), Tenant: tenancy})
	switch {
	case err != nil:
		return Account{}, err
	case !account.Active:
		return account, &Error{Kind: Inactive}
	case notice.Purpose == PurposeVerification && account.Verified:
		return account, &Error{Kind: AlreadyVerified}
	case account.Email == "":
		return account, refuse(NotFound, "the account has no address")
	}
	if notice.Attempts > 0 {
		return account, nil // the same mail again
	}
	return account, a.fewMails(ctx, account, notice.Purpose)
}

// fewMails refuses, as RateLimited, one mail too many of a purpose.
func (a *Authority) fewMails(ctx context.Context, account Account, purpose Purpose) error {
	for _, bound := range []struct {
		within time.Duration
		most   int
	}{{time.Hour, maxTicketsPerHour}, {24 * time.Hour, maxTicketsPerDay}} {
		from := a.deps.Now().Add(-bound.within)
		issued, err := a.deps.Tickets.TicketsSince(ctx, a.terms.Realm, account.ID, Recipient(account.Email), purpose, from)
		if err != nil {
			return err
		}
		if issued >= bound.most {
			return &Error{Kind: RateLimited}
		}
	}
	return nil
}
