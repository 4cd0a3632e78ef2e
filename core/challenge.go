package core

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Challenge is what somebody gets whose password was right, to come back with
// the second factor.
type Challenge struct {
	Value     Secret
	ExpiresAt time.Time
}

// A Resumption is a challenge with the second factor that it asks for.
type Resumption struct {
	Challenge    Secret
	OTP          Secret // a one-time code
	RecoveryCode Secret
	Origin       Origin
}

// pending is what was settled at a sign-in before the second factor was asked for:
// all that is needed to go on with it.
type pending struct {
	policy         string
	lifetime       time.Duration
	withoutRefresh bool
	granted        Granted
	methods        []string
	begun          time.Time // when what is settled was read
}

// challengePayload is a pending sign-in at rest, in the payload of its ticket.
type challengePayload struct {
	Dialect        string        `json:"dialect"`
	Policy         string        `json:"policy"`
	Lifetime       time.Duration `json:"lifetime,omitempty"`
	WithoutRefresh bool          `json:"without_refresh,omitempty"`
	Granted        Granted       `json:"granted,omitempty"`
	Methods        []string      `json:"methods"`
	Client         KeyID         `json:"client,omitempty"`
	TokensFrom     time.Time     `json:"tokens_from"`
}

// challenge keeps a sign-in that waits for its second factor, and returns what to
// come back with. It ends the account's older challenge of the same place.
func (a *Authority) challenge(ctx context.Context, identity Identity, p pending, origin Origin) (Challenge, error) {
	if identity.Key != nil {
		return Challenge{}, refuse(Internal, "an access key is never asked for a second factor")
	}
	payload := challengePayload{
		Dialect: a.terms.Dialect, Policy: p.policy, Lifetime: p.lifetime, WithoutRefresh: p.withoutRefresh,
		Granted: p.granted, Methods: p.methods, TokensFrom: identity.Account.TokensFrom,
	}
	if identity.Client != nil {
		payload.Client = identity.Client.ID
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return Challenge{}, refuse(Internal, "challenge: %w", err)
	}
	secret := NewSecret(newTicketText())
	ticket := Ticket{
		Digest:    secret.Digest(),
		Realm:     a.terms.Realm,
		Account:   identity.Account.ID,
		Purpose:   challengeFrom(origin),
		Payload:   string(text),
		IssuedAt:  p.begun,
		ExpiresAt: p.begun.Add(a.terms.TicketLifetimes[PurposeChallenge]),
	}
	event := a.event(ActionChallengeIssued, origin)
	event.Account = identity.Account.ID
	if err := a.deps.Tickets.IssueTicket(context.WithoutCancel(ctx), ticket, event); err != nil {
		return Challenge{}, err
	}
	return Challenge{Value: secret, ExpiresAt: ticket.ExpiresAt}, nil
}

// challengeFrom is the purpose of a challenge by where it is asked for: 256 places, so
// that who has got hold of the password does not end the owner's challenge by asking
// for another one.
func challengeFrom(origin Origin) Purpose {
	place := NewSecret(origin.Network().String()).Digest()[0]
	return PurposeChallenge + Purpose(fmt.Sprintf("/%02x", place))
}

// Resume goes on with a sign-in that was asked for its second factor. It refuses
// with the kinds below BadTicket, BadOTP, and what has kept the account out since.
// Wrong codes count as wrong passwords of the account do.
func (a *Authority) Resume(ctx context.Context, r Resumption) (Token, error) {
	begun := a.deps.Now()
	ticket, account, err := a.ticket(ctx, r.Challenge, PurposeChallenge)
	if err != nil && !KindOf(err).IsA(BadTicket) {
		return Token{}, err
	}
	key := AttemptKey{Realm: a.terms.Realm, Network: r.Origin.Network()}
	if err == nil {
		key.Identity = countedAs(account)
	}
	m := minting{Identity: Identity{Account: account}, Origin: r.Origin, Begun: begun, Action: ActionExchange}
	err = a.counted(ctx, key, func() error {
		if err != nil {
			return err
		}
		return a.resume(ctx, ticket, r, &m)
	})
	var token Token
	if err == nil {
		if token, err = a.mint(ctx, m); KindOf(err) != Forbidden { // what was granted is not in the policy
			return token, err
		}
	}
	return Token{}, told(a.recordRefusal(ctx, r.Origin, m.Identity, err), m.Identity)
}

// resume completes what is to be minted. The code is used up before the challenge,
// so that a wrong one leaves the challenge as it is.
func (a *Authority) resume(ctx context.Context, ticket Ticket, r Resumption, m *minting) error {
	p, err := a.resumed(ctx, ticket, m)
	if err != nil {
		return err
	}
	method, err := a.secondFactor(ctx, m.Identity.Account, r.OTP, r.RecoveryCode, r.Origin)
	if KindOf(err) == MFARequired {
		return refuse(BadOTP, "neither a code nor a recovery code is given")
	}
	if err != nil {
		return err
	}
	m.Identity.Methods = p.Methods
	if method != "" { // it was removed meanwhile: the password is all that is asked for
		m.Identity.Methods = append(m.Identity.Methods, method)
	}
	event := a.event(ActionChallengeRedeemed, r.Origin)
	event.Account = ticket.Account
	now := a.deps.Now()
	return a.deps.Tickets.RedeemTicket(context.WithoutCancel(ctx), a.terms.Realm, ticket.Digest, now, func(ticket Ticket, account *Account) (Event, error) {
		if err := p.holds(ticket, *account, now); err != nil {
			return Event{}, err
		}
		m.Identity.Account = *account
		return event, nil
	})
}

// resumed reads what a challenge keeps, and asks whether all of it still stands.
func (a *Authority) resumed(ctx context.Context, ticket Ticket, m *minting) (challengePayload, error) {
	var p challengePayload
	if err := json.Unmarshal([]byte(ticket.Payload), &p); err != nil {
		return p, refuse(Internal, "challenge: %w", err)
	}
	policy, known := a.terms.Policies[p.Policy]
	if p.Dialect != a.terms.Dialect || !known {
		return p, refuse(TicketUnknown, "a challenge of dialect %s and token %s", p.Dialect, p.Policy)
	}
	account := m.Identity.Account
	if err := p.holds(ticket, account, a.deps.Now()); err != nil {
		return p, err
	}
	m.Policy, m.Lifetime, m.WithoutRefresh = policy, p.Lifetime, p.WithoutRefresh
	m.Identity.Granted, m.Identity.Policy = p.Granted, p.Policy
	if p.Client != "" {
		client, err := a.deps.Recent.RecentAccessKey(ctx, a.terms.Realm, p.Client)
		if err == nil {
			err = client.Usable(a.deps.Now())
		}
		if err == nil && ticket.IssuedAt.Before(client.TokensFrom) {
			err = refuse(KeyRevoked, "it changed since: what was granted to it may be too much")
		}
		if kind := KindOf(err); kind == NotFound || kind.IsA(BadCredentials) {
			return p, &Error{Kind: TicketUsed, Err: err} // it ended with its client
		} else if err != nil {
			return p, err
		}
		m.Identity.Client = &client
	}
	return p, a.admit(ctx, &m.Identity, Tenant{})
}

// holds says whether a challenge may still be redeemed: what ends the account's
// tokens ends the sign-ins that are under way.
func (p challengePayload) holds(ticket Ticket, account Account, now time.Time) error {
	if !account.TokensFrom.Equal(p.TokensFrom) {
		return refuse(TicketUsed, "the account's tokens were ended meanwhile")
	}
	return ticket.Usable(account, now)
}
