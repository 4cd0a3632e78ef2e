package core

import (
	"context"
	"slices"
	"time"
)

// maxSkew is how far ahead of our clock a token's iat and nbf may lie (S37).
const maxSkew = time.Minute

// A bearer is what a token said once it was known for ours.
type bearer struct {
	account   AccountID
	key       KeyID
	policy    string
	issuedAt  time.Time
	expiresAt time.Time // zero: never
	tracked   *tracked  // nil for a token that is not tracked
}

// tracked is what is kept of a token beside its claims.
type tracked struct {
	token   string
	session SessionID
}

// bearerOf is what a stored token says.
func bearerOf(token StoredToken, session Session) bearer {
	return bearer{
		account: session.Account, key: session.Key, policy: session.Policy, issuedAt: token.IssuedAt, expiresAt: token.ExpiresAt,
		tracked: &tracked{token: token.ID, session: session.ID},
	}
}

// Whoami tells whom a bearer token speaks for: the online check behind token
// tests, forward-auth and the proxy. It refuses with the kinds below Unauthorized.
// What has been disabled, revoked or changed is refused from the next call on (S47).
// It counts as a use of the token's session. With of, tokens of other policies than
// these are TokenForeign, whoever they speak for.
func (a *Authority) Whoami(ctx context.Context, token Secret, of ...string) (Identity, error) {
	if len(token.Reveal()) > maxToken {
		return Identity{}, refuse(TokenInvalid, "more than %d bytes", maxToken)
	}
	now := a.deps.Now()
	digest := token.Digest()
	held, ok := a.verdicts.find(digest, now)
	if !ok {
		var err error
		if held, err = a.verify(ctx, token, now); err != nil {
			return Identity{}, err
		}
		a.verdicts.add(digest, held, now)
	}
	if !a.isOf(held, of) {
		return Identity{}, refuse(TokenForeign, "of policy %q, where tokens of %q are taken", held.policy, of)
	}
	identity, err := a.identify(ctx, held, now)
	if err == nil {
		a.touch(ctx, identity.Session, now)
	}
	return identity, err
}

// isOf reports whether a bearer token is of one of these policies, or there are none
// to choose by. Those that are not tracked and have the same keys look alike: such a
// token counts only where it may be of any of them.
func (a *Authority) isOf(held bearer, of []string) bool {
	switch {
	case len(of) == 0:
		return true
	case held.tracked != nil:
		return slices.Contains(of, held.policy)
	}
	keys := a.terms.Policies[held.policy].Keys
	return !slices.ContainsFunc(a.policies, func(p Policy) bool {
		return p.Format != FormatOpaque && !p.Tracked && p.Keys == keys && !slices.Contains(of, p.Name)
	})
}

// verify tries the token with each policy's keys, in the order of the dialect's
// file; usually there is one. Where tokens are tracked, what is kept of this one
// decides, so that one that was ended passes by no other policy of the same keys.
func (a *Authority) verify(ctx context.Context, token Secret, now time.Time) (bearer, error) {
	refusal := error(&Error{Kind: TokenInvalid})
	var untracked bearer // what it is unless it is tracked
	var signed []string  // the tracked policies that it may be of
	for _, policy := range a.policies {
		if policy.Format == FormatOpaque {
			continue
		}
		claims, err := a.deps.Signer.Verify(ctx, policy.Keys, token)
		if err != nil {
			if KindOf(err) != TokenInvalid {
				return bearer{}, err
			}
			continue
		}
		held, err := policy.judge(claims, now)
		switch {
		case err != nil:
			refusal = err
		case policy.Tracked:
			signed = append(signed, policy.Name)
		case !a.tracks:
			return held, nil
		case untracked.policy == "":
			untracked = held
		}
	}
	if len(signed) > 0 || (a.opaque && untracked.policy == "") {
		held, err := a.recall(ctx, token, signed, now)
		if KindOf(err) != NotFound {
			return held, err
		}
	}
	switch {
	case untracked.policy != "":
		return untracked, nil
	case len(signed) > 0:
		return bearer{}, refuse(TokenRevoked, "nothing is kept of it")
	}
	return bearer{}, refusal
}

// recall finds what is kept of a token, or NotFound. A signed one counts only by
// the policies whose signature and claims held.
func (a *Authority) recall(ctx context.Context, secret Secret, signed []string, now time.Time) (bearer, error) {
	token, session, err := a.storedToken(ctx, secret)
	if err != nil {
		return bearer{}, err
	}
	policy, ok := a.terms.Policies[session.Policy]
	switch {
	case session.Dialect != a.terms.Dialect, !ok:
		return bearer{}, refuse(TokenForeign, "of policy %q of the dialect %q", session.Policy, session.Dialect)
	case token.Use != UseAccess:
		return bearer{}, refuse(TokenInvalid, "a token for %s", token.Use)
	case policy.Format != FormatOpaque && !slices.Contains(signed, policy.Name):
		return bearer{}, &Error{Kind: TokenInvalid}
	case !token.live(now):
		return bearer{}, &Error{Kind: TokenExpired}
	}
	return bearerOf(token, session), nil
}

// judge decides whether claims that are ours hold at now, and for whom.
func (p Policy) judge(claims Claims, now time.Time) (bearer, error) {
	switch {
	case claims.ExpiresAt.IsZero():
		return bearer{}, refuse(TokenInvalid, "no exp")
	case claims.NotBefore.After(now.Add(maxSkew)), claims.IssuedAt.After(now.Add(maxSkew)):
		return bearer{}, refuse(TokenInvalid, "not yet valid")
	case len(p.Audiences) > 0 && !slices.ContainsFunc(claims.Audience, func(a string) bool { return slices.Contains(p.Audiences, a) }):
		return bearer{}, refuse(TokenForeign, "of another audience")
	case !now.Before(claims.ExpiresAt):
		return bearer{}, &Error{Kind: TokenExpired}
	}
	held := bearer{policy: p.Name, issuedAt: claims.IssuedAt, expiresAt: claims.ExpiresAt}
	if p.AccountClaim != "" {
		held.account = AccountID(claims.Text(p.AccountClaim))
	}
	if p.KeyClaim != "" {
		held.key = KeyID(claims.Text(p.KeyClaim))
	}
	if (p.AccountClaim != "" && held.account == "") || (p.KeyClaim != "" && held.key == "") {
		return bearer{}, refuse(TokenInvalid, "no subject")
	}
	return held, nil
}

// identify reads the token's account, key and session and asks whether all still stand.
func (a *Authority) identify(ctx context.Context, held bearer, now time.Time) (Identity, error) {
	identity := Identity{Policy: held.policy, IssuedAt: held.issuedAt, ExpiresAt: held.expiresAt}
	owner := held.account
	if held.key != "" {
		key, err := a.usableKey(ctx, held.key, held.issuedAt, now)
		switch {
		case KindOf(err) == NotFound, err == nil && owner != "" && owner != key.Account:
			return Identity{}, refuse(AccountGone, "its access key is gone")
		case err != nil:
			return Identity{}, err
		}
		identity.Key, owner = key, key.Account
	}
	account, err := a.deps.Recent.RecentAccount(ctx, a.terms.Realm, owner)
	identity.Account = account
	switch {
	case KindOf(err) == NotFound:
		return Identity{}, &Error{Kind: AccountGone}
	case err != nil:
		return Identity{}, err
	case !account.Active:
		return Identity{}, refuseTo(identity, AccountInactive)
	case held.issuedAt.Before(account.TokensFrom):
		return Identity{}, &Error{Kind: TokenRevoked}
	}
	if account.Tenant != "" {
		if identity.Tenant, err = a.tenantFor(ctx, account, Tenant{}); err != nil {
			return Identity{}, err
		}
		if !identity.Tenant.Active {
			return Identity{}, refuseTo(identity, AccountInactive)
		}
	}
	if held.tracked != nil {
		if err := a.follow(ctx, held.tracked, &identity, now); err != nil {
			return Identity{}, err
		}
	}
	if !account.Verified && !a.terms.AdmitUnverified {
		return Identity{}, refuseTo(identity, AccountUnverified)
	}
	return identity, nil
}

// refuseTo names who was refused, as a token of theirs proved it.
func refuseTo(identity Identity, kind Kind) error { return &Error{Kind: kind, Identity: &identity} }

// usableKey is the access key of a token that was issued at an instant, if it may be
// used, or NotFound, or TokenRevoked.
func (a *Authority) usableKey(ctx context.Context, id KeyID, issuedAt, now time.Time) (*AccessKey, error) {
	key, err := a.deps.Recent.RecentAccessKey(ctx, a.terms.Realm, id)
	if err != nil {
		return nil, err
	}
	if err := key.Usable(now); err != nil {
		return nil, &Error{Kind: TokenRevoked, Err: err}
	}
	if issuedAt.Before(key.TokensFrom) {
		return nil, refuse(TokenRevoked, "its access key changed since")
	}
	return &key, nil
}

// follow completes identity with the token's session, which must go on.
func (a *Authority) follow(ctx context.Context, held *tracked, identity *Identity, now time.Time) error {
	session, err := a.deps.Recent.RecentSession(ctx, a.terms.Realm, held.session)
	if err == nil && session.EndedAt.IsZero() && session.Live(now) != nil {
		session, err = a.deps.Sessions.Session(ctx, a.terms.Realm, held.session) // another replica may have seen it in use
	}
	switch {
	case KindOf(err) == NotFound:
		return refuse(TokenRevoked, "its session is gone")
	case err != nil:
		return err
	case session.Tenant != identity.Account.Tenant:
		return refuse(TokenRevoked, "the account is of another tenant now")
	}
	if err := session.Live(now); err != nil {
		return err
	}
	if session.Client != "" {
		identity.Client, err = a.usableKey(ctx, session.Client, identity.IssuedAt, now)
		switch {
		case KindOf(err) == NotFound:
			return refuse(TokenRevoked, "its client is gone")
		case err != nil:
			return err
		}
	}
	identity.Session, identity.Granted, identity.Methods, identity.TokenID = &session, session.Granted, session.Methods, held.token
	return nil
}
