package core

import (
	"context"
	"sync"
	"time"
)

// Deps are what the rules need from outside.
type Deps struct {
	Realms     Realms
	Accounts   Accounts
	AccessKeys AccessKeys
	Recent     Recent
	Tenants    Tenants  // needed where a dialect has tenants
	Sessions   Sessions // these two where a policy tracks its tokens
	Tokens     Tokens
	Factors    Factors // where a dialect asks for second factors
	Tickets    Tickets
	Outbox     Outbox
	Journal    Journal
	Passwords  Passwords
	Signer     Signer
	Sealer     Sealer    // where a policy gives the same token again, or second factors are asked for
	Publisher  Publisher // where a dialect publishes its keys
	Attempts   Attempts
	Now        func() time.Time
}

// An Authority decides for one dialect in one realm. It is safe for concurrent use.
type Authority struct {
	deps     Deps
	terms    Terms
	verdicts verdicts
	decoy    AccessKey
}

// NewAuthority returns an Authority that decides by terms.
func NewAuthority(deps Deps, terms Terms) (*Authority, error) {
	var err error
	if terms.TicketLifetimes, err = ticketLifetimes(terms.TicketLifetimes); err != nil {
		return nil, err
	}
	if err := deps.serve(terms); err != nil {
		return nil, err
	}
	for name, policy := range terms.Policies {
		if policy.Lifetime < time.Second || policy.Lifetime%time.Second != 0 {
			return nil, refuse(InvalidRequest, "token %s: lifetime %v is not a positive number of whole seconds", name, policy.Lifetime)
		}
		if policy.AccountClaim == "" && policy.KeyClaim == "" {
			return nil, refuse(InvalidRequest, "token %s: no claim says whom it is for", name)
		}
	}
	return &Authority{
		deps:  deps,
		terms: terms,
		decoy: AccessKey{SecretDigest: NewSecret(randomText()).Digest()},
	}, nil
}

// serve refuses terms that need what deps lack: the caller's mistake.
func (d Deps) serve(terms Terms) error {
	for name, policy := range terms.Policies {
		if policy.Tracked && (d.Sessions == nil || d.Tokens == nil) {
			return refuse(Internal, "token %s is tracked, but there is nothing to keep sessions and tokens", name)
		}
		if policy.Slot == SlotSame && d.Sealer == nil {
			return refuse(Internal, "token %s is given again, but there is nothing to seal it", name)
		}
	}
	if terms.AskSecondFactor && (d.Factors == nil || d.Sealer == nil) {
		return refuse(Internal, "second factors are asked for, but there is nothing to keep them")
	}
	return nil
}

// ticketLifetimes completes what terms say of the lives of tickets.
func ticketLifetimes(set map[Purpose]time.Duration) (map[Purpose]time.Duration, error) {
	all := make(map[Purpose]time.Duration)
	for _, purpose := range []Purpose{PurposeRecovery, PurposeVerification, PurposeChallenge} {
		least, usual, most := TicketBounds(purpose)
		switch lifetime := set[purpose]; {
		case lifetime == 0:
			all[purpose] = usual
		case lifetime < least || lifetime > most:
			return nil, refuse(InvalidRequest, "lifetime of %s tickets: %v is not between %v and %v", purpose, lifetime, least, most)
		default:
			all[purpose] = lifetime
		}
	}
	return all, nil
}

// Terms returns what the authority decides by.
func (a *Authority) Terms() Terms { return a.terms }

// Admit refuses a request that will need a password hash when the pool could not
// serve it in time. It is asked before the request's body is read.
func (a *Authority) Admit(ctx context.Context, origin Origin) error {
	return a.deps.Passwords.Admit(ctx, a.terms.Realm, origin.Network())
}

// event begins an audit record.
func (a *Authority) event(action Action, origin Origin) Event {
	return Event{
		At:        a.deps.Now(),
		Realm:     a.terms.Realm,
		Dialect:   a.terms.Dialect,
		Action:    action,
		Actor:     origin.Actor,
		Address:   origin.Address,
		RequestID: origin.RequestID,
	}
}

// verdicts remembers for a few seconds which bearer tokens verified, so that a
// client that calls often pays for one signature check. What can change about a
// token (its account, its key) is asked each time all the same.
type verdicts struct {
	mu   sync.RWMutex
	held map[Digest]verdict
}

type verdict struct {
	bearer
	until time.Time
}

// S49: a cached verdict is keyed by the whole token, lives at most 5 s and not
// past exp; as each Authority has its own, realm and dialect are part of the key.
const (
	verdictLifetime = 5 * time.Second
	maxVerdicts     = 16_384
)

func (v *verdicts) find(token Digest, now time.Time) (bearer, bool) {
	v.mu.RLock()
	found, ok := v.held[token]
	v.mu.RUnlock()
	return found.bearer, ok && now.Before(found.until)
}

func (v *verdicts) add(token Digest, b bearer, now time.Time) {
	until := now.Add(verdictLifetime)
	if b.expiresAt.Before(until) {
		until = b.expiresAt
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held == nil || len(v.held) >= maxVerdicts {
		v.held = make(map[Digest]verdict) // short-lived entries: starting over costs one check each
	}
	v.held[token] = verdict{b, until}
}
