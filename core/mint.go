package core

import (
	"context"
	"time"
)

// A minting is what a token is made from.
type minting struct {
	Policy         Policy
	Identity       Identity      // whom it is for, with what was granted and how they signed in
	Lifetime       time.Duration // within the policy's bounds; 0 takes the policy's own
	WithoutRefresh bool
	Origin         Origin
	Begun          time.Time // when what it rests on was read: a change after that ends it
	Action         Action    // how the audit record tells of it
}

// mint makes a token for what was true when m began. Every token is made here
// (S22), after its audit record is durable (R4).
//
// Where the account's tokens were ended within the current second it waits for the
// next one: iat has whole seconds (S46). On a replica whose clock is behind, iat is
// then ahead of it, within the skew that verifiers allow.
func (a *Authority) mint(ctx context.Context, m minting) (Token, error) {
	if wait := m.Identity.Account.TokensFrom.Sub(a.deps.Now()); wait > 0 {
		select {
		case <-time.After(min(wait, time.Second)):
		case <-ctx.Done():
			return Token{}, &Error{Kind: Unavailable, Err: ctx.Err()}
		}
	}
	issuedAt := m.Begun.UTC().Truncate(time.Second)
	if ended := m.Identity.Account.TokensFrom; ended.After(issuedAt) {
		issuedAt = ended.UTC()
	}
	grant := Grant{
		Issuer:    a.terms.Issuer,
		Account:   m.Identity.Account,
		Key:       m.Identity.Key,
		TokenID:   randomText(),
		IssuedAt:  issuedAt,
		ExpiresAt: issuedAt.Add(m.Policy.Lifetime),
	}
	payload, err := m.Policy.Claims(grant)
	if err != nil {
		return Token{}, refuse(Internal, "claims of token %s: %w", m.Policy.Name, err)
	}
	value, err := a.deps.Signer.Sign(ctx, m.Policy.Keys, payload)
	if err != nil {
		return Token{}, err
	}
	event := a.event(m.Action, m.Origin)
	event.Account, event.TokenID = grant.Account.ID, grant.TokenID
	if grant.Key != nil {
		event.Key = grant.Key.ID
	}
	if err := a.deps.Journal.Record(context.WithoutCancel(ctx), event); err != nil {
		return Token{}, err
	}
	return Token{Value: value, Grant: grant}, nil
}
