package core

import (
	"context"
	"slices"
	"time"
)

// maxSkew is how far ahead of our clock a token's iat and nbf may lie (S37).
const maxSkew = time.Minute

// A bearer is what a token said once its signature and claims held.
type bearer struct {
	account   AccountID
	key       KeyID
	issuedAt  time.Time
	expiresAt time.Time
}

// Whoami tells whom a bearer token speaks for: the online check behind token
// tests, forward-auth and the proxy. It refuses with the kinds below Unauthorized.
// What has been disabled, revoked or changed is refused from the next call on (S47).
func (a *Authority) Whoami(ctx context.Context, token Secret) (Identity, error) {
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
	return a.identify(ctx, held, now)
}

// verify tries the token with each policy's keys; usually there is one.
func (a *Authority) verify(ctx context.Context, token Secret, now time.Time) (bearer, error) {
	refusal := error(&Error{Kind: TokenInvalid})
	for _, policy := range a.terms.Policies {
		claims, err := a.deps.Signer.Verify(ctx, policy.Keys, token)
		if err != nil {
			if KindOf(err) != TokenInvalid {
				return bearer{}, err
			}
			continue
		}
		held, err := policy.judge(claims, now)
		if err == nil {
			return held, nil
		}
		refusal = err
	}
	return bearer{}, refusal
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
	held := bearer{issuedAt: claims.IssuedAt, expiresAt: claims.ExpiresAt}
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

// identify reads the token's account and key and asks whether both still stand.
func (a *Authority) identify(ctx context.Context, held bearer, now time.Time) (Identity, error) {
	identity := Identity{IssuedAt: held.issuedAt, ExpiresAt: held.expiresAt}
	owner := held.account
	if held.key != "" {
		key, err := a.deps.Recent.RecentAccessKey(ctx, a.terms.Realm, held.key)
		switch {
		case KindOf(err) == NotFound, err == nil && owner != "" && owner != key.Account:
			return Identity{}, refuse(AccountGone, "its access key is gone")
		case err != nil:
			return Identity{}, err
		}
		if err := key.Usable(now); err != nil {
			return Identity{}, &Error{Kind: TokenRevoked, Err: err}
		}
		identity.Key, owner = &key, key.Account
	}
	account, err := a.deps.Recent.RecentAccount(ctx, a.terms.Realm, owner)
	switch {
	case KindOf(err) == NotFound:
		return Identity{}, &Error{Kind: AccountGone}
	case err != nil:
		return Identity{}, err
	case !account.Active:
		return Identity{}, &Error{Kind: AccountInactive}
	case held.issuedAt.Before(account.TokensFrom):
		return Identity{}, &Error{Kind: TokenRevoked}
	case !account.Verified && !a.terms.AdmitUnverified:
		return Identity{}, &Error{Kind: AccountUnverified}
	}
	identity.Account = account
	return identity, nil
}
