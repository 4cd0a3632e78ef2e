package core

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A Credential is what somebody presents to get a token.
type Credential struct {
	// As lists the kinds that it may be, in the order of trying.
	As           []SubjectKind
	Identifier   string    // login name or access key, exactly as sent
	AccountID    AccountID // in place of a login name; "" for none
	Secret       Secret
	Tenant       Tenancy
	Client       *Client // nil when the request brings none
	OTP          Secret  // a one-time code
	RecoveryCode Secret
	Policy       string        // which of the terms' policies is asked for
	Lifetime     time.Duration // of the token, within the policy's bounds; 0 takes the policy's own
	// WithoutRefresh asks for no refresh token, whatever the policy gives.
	WithoutRefresh bool
	Judge          Judge
	Origin         Origin
}

// A Judge says what an identity that has been proved is granted beyond the policy,
// or refuses it. The nil Judge grants nothing more.
type Judge func(Judged) (Granted, error)

// Judged is who a [Judge] decides on, and who asks when that is somebody else.
type Judged struct {
	Identity
	Caller *Identity // nil unless a token is asked about or ended
}

// Exchange gives a token for a credential.
//
// Its refusals are of the kinds below BadCredentials, which tell the exact
// reason (a dialect words most of them alike), RateLimited and Unavailable. For
// an unknown identity it does the work of a wrong secret (S2, S3).
func (a *Authority) Exchange(ctx context.Context, credential Credential) (Token, error) {
	policy, ok := a.terms.Policies[credential.Policy]
	if !ok {
		return Token{}, refuse(Internal, "dialect %s has no token policy %q", a.terms.Dialect, credential.Policy)
	}
	// A token is as old as what was read for it: a change that comes while the
	// password is being compared ends it (S46).
	begun := a.deps.Now()
	identity, err := a.attempt(ctx, credential)
	if err == nil {
		err = a.unchanged(ctx, identity.Account)
	}
	if err != nil {
		return Token{}, a.recordRefusal(ctx, credential.Origin, identity, err)
	}
	return a.mint(ctx, minting{Policy: policy, Identity: identity, Origin: credential.Origin, Begun: begun, Action: ActionExchange})
}

// attempt authenticates as one counted try.
func (a *Authority) attempt(ctx context.Context, credential Credential) (identity Identity, err error) {
	attempt, err := a.deps.Attempts.Begin(ctx, a.attemptKey(credential))
	if err != nil {
		return Identity{}, err
	}
	settled := false
	defer func() {
		if !settled { // a panic is on its way up
			attempt.Abandoned()
		}
	}()
	identity, err = a.authenticate(ctx, credential)
	settled = true
	settle(attempt, err)
	return identity, err
}

// unchanged refuses when the account was disabled, or its password changed, while
// it signed in.
func (a *Authority) unchanged(ctx context.Context, account Account) error {
	current, err := a.deps.Recent.RecentAccount(ctx, a.terms.Realm, account.ID)
	switch {
	case KindOf(err) == NotFound:
		return &Error{Kind: Unknown}
	case err != nil:
		return err
	case current.TokensFrom.After(account.TokensFrom):
		return refuse(BadSecret, "the account changed meanwhile")
	}
	return nil
}

// attemptKey counts all spellings of a login name as one.
func (a *Authority) attemptKey(credential Credential) AttemptKey {
	identity := credential.Identifier
	if slices.Contains(credential.As, SubjectAccount) {
		if login, err := Canonical(identity); err == nil {
			identity = string(login)
		}
	}
	return AttemptKey{Realm: a.terms.Realm, Identity: identity, Network: credential.Origin.Network()}
}

// settle tells the counter how the attempt went. A state such as Inactive is told
// only to who knew the secret, so it is no wrong guess.
func settle(attempt Attempt, err error) {
	switch KindOf(err) {
	case "":
		attempt.Succeeded()
	case Unknown, BadSecret, BadOTP:
		attempt.Failed()
	default:
		attempt.Abandoned()
	}
}

// recordRefusal makes refusal durable in the journal before it is told.
func (a *Authority) recordRefusal(ctx context.Context, origin Origin, identity Identity, refusal error) error {
	event := a.event(ActionExchange, origin)
	event.Outcome = KindOf(refusal)
	event.Account = identity.Account.ID
	if identity.Key != nil {
		event.Key = identity.Key.ID
	}
	switch event.Outcome {
	case Unavailable:
		return refusal // nothing was decided, and the journal may be what is away
	case RateLimited:
		return refusal // the failures that led to it are on record; a flood must not fill the disk
	}
	if err := a.deps.Journal.Record(context.WithoutCancel(ctx), event); err != nil {
		return err
	}
	return refusal
}

// authenticate finds whose credential this is. The identity that comes with a
// refusal is for the audit record alone.
func (a *Authority) authenticate(ctx context.Context, credential Credential) (Identity, error) {
	var identity Identity
	err := error(&Error{Kind: Unknown})
	for _, kind := range credential.As {
		switch kind {
		case SubjectKey:
			identity, err = a.authenticateKey(ctx, credential)
		case SubjectAccount:
			identity, err = a.authenticatePassword(ctx, credential)
		}
		if kind := KindOf(err); kind != Unknown && kind != BadSecret {
			break // a wrong secret of one kind goes on, so that no kind is told by its time
		}
	}
	return identity, err
}

// authenticatePassword does one lookup and one hash whatever the outcome.
func (a *Authority) authenticatePassword(ctx context.Context, credential Credential) (Identity, error) {
	account, err := a.accountByLogin(ctx, credential.Identifier)
	if err != nil && KindOf(err) != NotFound {
		return Identity{}, err
	}
	known := err == nil
	match, outdated, err := a.deps.Passwords.Verify(ctx, a.terms.Realm, account.PasswordHash, credential.Secret)
	identity := Identity{Account: account}
	switch {
	case err != nil:
		return Identity{}, err
	case !known:
		return Identity{}, &Error{Kind: Unknown}
	case !match:
		return identity, &Error{Kind: BadSecret}
	}
	if err := a.admitted(account); err != nil {
		return identity, err
	}
	if outdated {
		a.upgradePassword(account, credential.Secret, credential.Origin)
	}
	return identity, nil
}

// accountByLogin reads the account of a login name as it was sent; a name without
// a canonical form belongs to nobody, at the cost of a look-up (S7), and so does one
// that several tenants have.
func (a *Authority) accountByLogin(ctx context.Context, login string) (Account, error) {
	canonical, err := Canonical(login)
	if err != nil {
		canonical = "" // nobody's
	}
	account, err := a.deps.Accounts.AccountByLogin(ctx, a.terms.Realm, canonical)
	if KindOf(err) == Conflict {
		err = &Error{Kind: NotFound, Err: err}
	}
	return account, err
}

// admitted says which state keeps an account out, inactive before unverified.
func (a *Authority) admitted(account Account) error {
	switch {
	case !account.Active:
		return &Error{Kind: Inactive}
	case !account.Verified && !a.terms.AdmitUnverified:
		return &Error{Kind: Unverified}
	}
	return nil
}

// authenticateKey accepts what memory holds; it refuses only on a fresh read, so
// that every refusal costs the same one look-up.
func (a *Authority) authenticateKey(ctx context.Context, credential Credential) (Identity, error) {
	digest, identifier := credential.Secret.Digest(), credential.Identifier
	if _, err := Canonical(identifier); err != nil {
		identifier = "" // nobody's
	}
	if key, err := a.deps.Recent.HeldAccessKey(a.terms.Realm, identifier); err == nil &&
		key.SecretDigest.Equal(digest) && key.Usable(a.deps.Now()) == nil {
		if owner, err := a.deps.Recent.RecentAccount(ctx, a.terms.Realm, key.Account); err == nil && a.admitted(owner) == nil {
			return Identity{Account: owner, Key: &key}, nil
		}
	}
	key, err := a.deps.AccessKeys.AccessKeyByIdentifier(ctx, a.terms.Realm, identifier)
	if err != nil && KindOf(err) != NotFound {
		return Identity{}, err
	}
	known := err == nil
	if !known {
		key = a.decoy
	}
	match := key.SecretDigest.Equal(digest)
	identity := Identity{Account: Account{ID: key.Account}, Key: &key}
	switch {
	case !known:
		return Identity{}, &Error{Kind: Unknown}
	case !match:
		return identity, &Error{Kind: BadSecret}
	}
	if err := key.Usable(a.deps.Now()); err != nil {
		return identity, err
	}
	owner, err := a.deps.Accounts.Account(ctx, a.terms.Realm, key.Account)
	if err != nil {
		if KindOf(err) == NotFound {
			err = &Error{Kind: KeyRevoked, Err: errors.New("the key's account is gone")}
		}
		return identity, err
	}
	identity.Account = owner
	if err := a.admitted(owner); err != nil {
		return identity, err
	}
	// Only what was accepted is held, so that no refusal takes longer than another.
	_ = a.deps.Recent.HoldAccessKey(ctx, a.terms.Realm, identifier) // or the next exchange reads it again
	return identity, nil
}

// upgradePassword replaces a hash weaker than today's after the answer; the login
// does not depend on it (S17). A password changed meanwhile is left alone.
func (a *Authority) upgradePassword(account Account, secret Secret, origin Origin) {
	event := a.event(ActionPasswordRehashed, origin)
	event.Account = account.ID
	a.deps.Passwords.Later(a.terms.Realm, secret, func(hash PasswordHash) {
		// A lost upgrade is made good at the next login.
		_ = a.deps.Accounts.UpdateAccount(context.Background(), a.terms.Realm, account.ID, func(current *Account) (Event, error) {
			if current.PasswordHash != account.PasswordHash {
				return Event{}, &Error{Kind: Conflict}
			}
			current.PasswordHash = hash
			return event, nil
		})
	})
}
