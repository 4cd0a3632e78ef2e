package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	policies []Policy // in the order of the dialect's file
	tracks   bool     // whether any of them tracks its tokens
	opaque   bool     // whether any of them makes opaque ones
	verdicts verdicts
	touching touching
	decoy    AccessKey
}

// NewAuthority returns an Authority that decides by terms.
func NewAuthority(deps Deps, terms Terms) (*Authority, error) {
	var err error
	if terms.TicketLifetimes, err = ticketLifetimes(terms.TicketLifetimes); err != nil {
		return nil, err
	}
	policies, err := orderedPolicies(terms)
	if err != nil {
		return nil, err
	}
	terms.Policies = make(map[string]Policy, len(policies))
	for _, policy := range policies {
		terms.Policies[policy.Name] = policy
	}
	if err := deps.serve(terms); err != nil {
		return nil, err
	}
	return &Authority{
		deps:     deps,
		terms:    terms,
		policies: policies,
		tracks:   slices.ContainsFunc(policies, func(p Policy) bool { return p.Tracked }),
		opaque:   slices.ContainsFunc(policies, func(p Policy) bool { return p.Format == FormatOpaque }),
		decoy:    AccessKey{SecretDigest: NewSecret(randomText()).Digest()},
	}, nil
}

// trackedKeys sets the keys of tracked tokens apart, in a form that no dialect's name
// has: by the signature alone an ended one would hold again, once a file that is
// served anew does not track its policy any more.
const trackedKeys = "/tracked"

// orderedPolicies are the policies of terms, each checked and complete: those that
// terms.Order leaves out come last, by name.
func orderedPolicies(terms Terms) ([]Policy, error) {
	var all []Policy
	for _, name := range slices.Concat(terms.Order, slices.Sorted(maps.Keys(terms.Policies))) {
		policy, ok := terms.Policies[name]
		if !ok {
			return nil, refuse(InvalidRequest, "token %s: it has an order, but no policy", name)
		}
		if slices.ContainsFunc(all, func(p Policy) bool { return p.Name == name }) {
			continue
		}
		policy.Name = name
		policy.Tracked = policy.Tracked || policy.Format == FormatOpaque || policy.Session > 0 || policy.Idle > 0 ||
			policy.Slot != "" || policy.Refresh != nil
		if err := policy.validate(); err != nil {
			return nil, refuse(InvalidRequest, "token %s: %w", name, err)
		}
		if policy.Tracked && !strings.HasSuffix(policy.Keys.Dialect, trackedKeys) {
			policy.Keys.Dialect += trackedKeys
		}
		all = append(all, policy)
	}
	return all, nil
}

// validate refuses a policy whose tokens could not be judged or ended: the
// dialect's mistake.
func (p Policy) validate() error {
	signed := p.Format != FormatOpaque
	switch {
	case signed && p.Endless:
		return errors.New("a signed token must end")
	case !p.Endless && !wholeSeconds(p.Lifetime):
		return fmt.Errorf("lifetime %v is not a positive number of whole seconds", p.Lifetime)
	case p.MostLifetime != 0 && (!wholeSeconds(p.LeastLifetime) || !wholeSeconds(p.MostLifetime) || p.LeastLifetime > p.MostLifetime):
		return fmt.Errorf("lifetimes from %v to %v can be asked for: want whole seconds, the least first", p.LeastLifetime, p.MostLifetime)
	case p.Session != 0 && !wholeSeconds(p.Session):
		return fmt.Errorf("a session of %v is not a positive number of whole seconds", p.Session)
	case p.Idle < 0:
		return fmt.Errorf("idle %v is less than nothing", p.Idle)
	case p.SlotBy != "" && p.Slot != SlotNewest:
		return fmt.Errorf("a session for each granted %s is of the slot rule %s alone", p.SlotBy, SlotNewest)
	case signed && p.AccountClaim == "" && p.KeyClaim == "":
		return errors.New("no claim says whom it is for")
	case p.Refresh != nil && !wholeSeconds(p.Refresh.Lifetime):
		return fmt.Errorf("refresh lifetime %v is not a positive number of whole seconds", p.Refresh.Lifetime)
	case p.Refresh != nil && (p.Refresh.Grace < 0 || p.Refresh.Grace > MaxGrace):
		return fmt.Errorf("refresh grace %v is not between 0 and %v", p.Refresh.Grace, MaxGrace)
	}
	if p.Refresh != nil {
		if err := p.Refresh.validate(); err != nil {
			return fmt.Errorf("refresh: %w", err)
		}
	}
	if signed {
		return nil
	}
	return p.Opaque.validate()
}

func wholeSeconds(d time.Duration) bool { return d >= time.Second && d%time.Second == 0 }

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

// KeySet is the JWK set by which others verify the dialect's signed tokens.
func (a *Authority) KeySet() ([]byte, error) {
	if a.deps.Publisher == nil {
		return nil, refuse(Internal, "dialect %s publishes its keys, but there is nothing to tell them", a.terms.Dialect)
	}
	var sets []KeySet
	for _, policy := range a.policies {
		if policy.Format != FormatOpaque && !slices.Contains(sets, policy.Keys) {
			sets = append(sets, policy.Keys)
		}
	}
	return a.deps.Publisher.KeySet(sets)
}

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
	// A tracked token can be ended alone, which another replica sees by then (S47).
	trackedVerdictLifetime = 2 * time.Second
	maxVerdicts            = 16_384
)

func (v *verdicts) find(token Digest, now time.Time) (bearer, bool) {
	v.mu.RLock()
	found, ok := v.held[token]
	v.mu.RUnlock()
	return found.bearer, ok && now.Before(found.until)
}

func (v *verdicts) add(token Digest, b bearer, now time.Time) {
	until := now.Add(verdictLifetime)
	if b.tracked != nil {
		until = now.Add(trackedVerdictLifetime)
	}
	if !b.expiresAt.IsZero() && b.expiresAt.Before(until) {
		until = b.expiresAt
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held == nil || len(v.held) >= maxVerdicts {
		v.held = make(map[Digest]verdict) // short-lived entries: starting over costs one check each
	}
	v.held[token] = verdict{b, until}
}

// drop forgets what is known of the tokens of a session.
func (v *verdicts) drop(session SessionID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.held, func(_ Digest, known verdict) bool {
		return known.tracked != nil && known.tracked.session == session
	})
}
