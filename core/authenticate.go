package core

import (
	"context"
	"errors"
)

// How one can have signed in without a second factor. They are never written to.
var (
	byPassword = []string{MethodPassword}
	byKey      = []string{MethodKey}
)

// authenticate finds whose credential this is. The client's secret and the
// identity's are both compared before either is refused. The identity that comes
// with a refusal is for the audit record, and for who has proved to be it.
func (a *Authority) authenticate(ctx context.Context, credential Credential, who named) (Identity, error) {
	client, refusal := a.authenticateClient(ctx, credential.Client)
	if refusal != nil && KindOf(refusal) != BadClient {
		return Identity{}, refusal
	}
	identity, outdated, err := a.prove(ctx, credential, who)
	if refusal != nil && (err == nil || KindOf(err).IsA(BadCredentials)) {
		return identity, refusal
	}
	identity.Client = client
	if err != nil || identity.Key != nil {
		return identity, err
	}
	if err := a.admit(ctx, &identity, who.tenant); err != nil {
		return identity, err
	}
	if outdated {
		a.upgradePassword(identity.Account, credential.Secret, credential.Origin)
	}
	method, err := a.secondFactor(ctx, identity.Account, credential.OTP, credential.RecoveryCode, credential.Origin)
	if method != "" {
		identity.Methods = []string{MethodPassword, method}
	}
	return identity, err
}

// prove compares the secret: of each kind that the credential may be, until one
// matches. Of an account the state is not asked yet.
func (a *Authority) prove(ctx context.Context, credential Credential, who named) (identity Identity, outdated bool, err error) {
	err = &Error{Kind: Unknown}
	for _, kind := range credential.As {
		switch kind {
		case SubjectKey:
			identity, err = a.authenticateKey(ctx, credential)
			if credential.Tenant.Given {
				err = a.within(ctx, who.tenant, identity.Account.ID, err)
			}
		case SubjectAccount:
			identity, outdated, err = a.comparePassword(ctx, credential, who)
		}
		if kind := KindOf(err); kind != Unknown && kind != BadSecret {
			break // a wrong secret of one kind goes on, so that no kind is told by its time
		}
	}
	return identity, outdated, err
}

// within refuses, as unknown, what came of an access key whose owner is not of the
// tenant that was named.
func (a *Authority) within(ctx context.Context, tenant Tenant, owner AccountID, outcome error) error {
	account, err := a.deps.Accounts.Account(ctx, a.terms.Realm, owner)
	switch kind := KindOf(outcome); {
	case err != nil && KindOf(err) != NotFound:
		return err
	case kind != "" && !kind.IsA(BadCredentials), kind == Unknown, kind == BadSecret:
		return outcome
	case err != nil || account.Tenant != tenant.ID:
		return refuse(Unknown, "of another tenant")
	}
	return outcome
}

// comparePassword costs one hash whatever the outcome.
func (a *Authority) comparePassword(ctx context.Context, credential Credential, who named) (identity Identity, outdated bool, err error) {
	match, outdated, err := a.deps.Passwords.Verify(ctx, a.terms.Realm, who.account.PasswordHash, credential.Secret)
	switch {
	case err != nil:
		return Identity{}, false, err
	case who.several:
		return Identity{}, false, refuse(Unknown, "accounts of several tenants have the login name, and the request names no tenant")
	case !who.known:
		return Identity{}, false, &Error{Kind: Unknown}
	case !match:
		return Identity{Account: who.account}, false, &Error{Kind: BadSecret}
	}
	return Identity{Account: who.account, Methods: byPassword}, outdated, nil
}

// admit completes an identity that has been proved with its account's tenant, and
// says which state of either keeps it out. The tenant named has been read already.
func (a *Authority) admit(ctx context.Context, identity *Identity, named Tenant) (err error) {
	refusal := a.admitted(identity.Account)
	if identity.Account.Tenant == "" {
		return refusal
	}
	if identity.Tenant, err = a.tenantFor(ctx, identity.Account, named); err != nil {
		return err
	}
	if !identity.Tenant.Active {
		return refuse(Inactive, "its tenant is")
	}
	return refusal
}

// admitted says which state keeps an account out: inactive before locked, and that
// before unverified.
func (a *Authority) admitted(account Account) error {
	switch {
	case !account.Active:
		return &Error{Kind: Inactive}
	case account.Hold != "" && account.Hold != MustChangeSecret:
		return refuse(Locked, "on hold: %s", account.Hold)
	case !account.Verified && !a.terms.AdmitUnverified:
		return &Error{Kind: Unverified}
	case account.Hold != "":
		return &Error{Kind: MustChangeSecret}
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
		if owner, err := a.deps.Recent.RecentAccount(ctx, a.terms.Realm, key.Account); err == nil {
			identity := Identity{Account: owner, Key: &key, Methods: byKey}
			if a.admit(ctx, &identity, Tenant{}) == nil {
				return identity, nil
			}
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
	identity := Identity{Account: Account{ID: key.Account}, Key: &key, Methods: byKey}
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
	if err := a.admit(ctx, &identity, Tenant{}); err != nil {
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
