package core

import "context"

// A Revocation is a token whose session is to end.
type Revocation struct {
	Token  Secret
	Own    bool     // the token is the caller's own bearer token
	Of     []string // the policies whose tokens are taken; none for all
	Caller Caller
	Judge  Judge
	Origin Origin
}

// Revoke ends the session of a token, and with it all its tokens. The caller's own
// must hold, or it is refused as by [Authority.Whoami]. Of others the caller is
// refused first; that a token is unknown, over, of another policy or another client's
// is no error (S88, RFC 7009), and a store that fails is.
func (a *Authority) Revoke(ctx context.Context, revocation Revocation) error {
	event := a.event(ActionSessionEnded, revocation.Origin)
	if revocation.Own {
		identity, err := a.Whoami(ctx, revocation.Token, revocation.Of...)
		if err != nil || identity.Session == nil { // which has nothing to end
			return err
		}
		event.TokenID = identity.TokenID
		return a.endSession(ctx, *identity.Session, event)
	}
	caller, err := a.caller(ctx, revocation.Caller, revocation.Origin)
	switch {
	case KindOf(err) == BadClient:
		return a.onRecord(ctx, event, err)
	case err != nil:
		return err
	}
	token, session, err := a.storedToken(ctx, revocation.Token)
	switch {
	case KindOf(err) == NotFound:
		return nil
	case err != nil:
		return err
	case session.Dialect != a.terms.Dialect, !session.isOf(revocation.Of), session.Live(a.deps.Now()) != nil:
		return nil
	case revocation.Caller.ByClient && !session.isFor(clientOf(caller)):
		return nil
	}
	event.TokenID = token.ID
	if caller != nil {
		event.Actor = string(caller.Account.ID)
	}
	if revocation.Judge != nil {
		subject, err := a.describe(ctx, token, session)
		if err != nil {
			return err
		}
		if _, err := revocation.Judge(Judged{Identity: subject, Caller: caller}); err != nil {
			event.Account, event.Key, event.Session = session.Account, session.Key, session.ID
			return a.onRecord(ctx, event, err)
		}
	}
	return a.endSession(ctx, session, event)
}

// clientOf is the client that calls; nil when there is none.
func clientOf(caller *Identity) *AccessKey {
	if caller == nil {
		return nil
	}
	return caller.Client
}

// endSession ends a session as was asked for.
func (a *Authority) endSession(ctx context.Context, session Session, event Event) error {
	event.Account, event.Key, event.Session = session.Account, session.Key, session.ID
	err := a.deps.Sessions.EndSession(context.WithoutCancel(ctx), a.terms.Realm, session.ID, event.At, "", event)
	if KindOf(err) == NotFound {
		return nil // it is purged by now
	}
	return err
}

// describe tells whose a stored token is, whether or not it holds.
func (a *Authority) describe(ctx context.Context, token StoredToken, session Session) (Identity, error) {
	identity := Identity{
		Account: Account{ID: session.Account}, Session: &session, Granted: session.Granted, Methods: session.Methods,
		TokenID: token.ID, Policy: session.Policy, IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt,
	}
	account, err := a.deps.Recent.RecentAccount(ctx, a.terms.Realm, session.Account)
	switch {
	case KindOf(err) == NotFound:
		return identity, nil
	case err != nil:
		return Identity{}, err
	}
	identity.Account = account
	for _, part := range []struct {
		id   KeyID
		into **AccessKey
	}{{session.Key, &identity.Key}, {session.Client, &identity.Client}} {
		if part.id == "" {
			continue
		}
		key, err := a.deps.Recent.RecentAccessKey(ctx, a.terms.Realm, part.id)
		switch {
		case err == nil:
			*part.into = &key
		case KindOf(err) != NotFound:
			return Identity{}, err
		}
	}
	if account.Tenant != "" {
		identity.Tenant, err = a.tenantFor(ctx, account, Tenant{})
	}
	return identity, err
}

// RevokeAll ends every token of the bearer's account, its own included, whether or
// not they are tracked. With of it takes tokens of these policies alone, as
// [Authority.Whoami] does.
func (a *Authority) RevokeAll(ctx context.Context, token Secret, origin Origin, of ...string) error {
	identity, err := a.Whoami(ctx, token, of...)
	if err != nil {
		return err
	}
	event := a.event(ActionTokensEnded, origin)
	event.Account, event.TokenID = identity.Account.ID, identity.TokenID
	if identity.Session != nil {
		event.Session = identity.Session.ID
	}
	return a.deps.Accounts.UpdateAccount(context.WithoutCancel(ctx), a.terms.Realm, identity.Account.ID, func(account *Account) (Event, error) {
		account.endTokens(event.At)
		return event, nil
	})
}
