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
	Tickets    Tickets
	Outbox     Outbox
	Journal    Journal
	Passwords  Passwords
	Signer     Signer
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
	switch {
	case terms.RecoveryLifetime == 0:
		terms.RecoveryLifetime = defaultRecoveryLifetime
	case terms.RecoveryLifetime < time.Minute || terms.RecoveryLifetime > maxRecoveryLifetime:
		return nil, refuse(InvalidRequest, "lifetime of recovery tickets: %v is not between 1m and %v", terms.RecoveryLifetime, maxRecoveryLifetime)
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
