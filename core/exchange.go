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
// reason (a dialect words most of them alike), those of the credential's judge,
// RateLimited and Unavailable. A client that is wrong is told before a secret that
// is. For an unknown identity it does the work of a wrong secret (S2, S3).
func (a *Authority) Exchange(ctx context.Context, credential Credential) (Token, error) {
	policy, ok := a.terms.Policies[credential.Policy]
	if !ok {
		return Token{}, refuse(Internal, "dialect %s has no token policy %q", a.terms.Dialect, credential.Policy)
	}
	// A token is as old as what was read for it: a change that comes while the
	// password is being compared ends it (S46).
	begun := a.deps.Now()
	identity, err := a.attempt(ctx, credential)
	waits := KindOf(err) == MFARequired
	if err == nil || waits {
		identity.Policy = policy.Name
		err = a.unchanged(ctx, identity.Account)
	}
	if err == nil && credential.Judge != nil {
		identity.Granted, err = credential.Judge(Judged{Identity: identity})
	}
	if err == nil && waits {
		return Token{}, a.challenged(ctx, identity, credential, begun)
	}
	var token Token
	if err == nil {
		token, err = a.mint(ctx, minting{
			Policy: policy, Identity: identity, Lifetime: credential.Lifetime, WithoutRefresh: credential.WithoutRefresh,
			Origin: credential.Origin, Begun: begun, Action: ActionExchange,
		})
		if KindOf(err) != Forbidden { // what was granted is not in the policy
			return token, err
		}
	}
	return Token{}, told(a.recordRefusal(ctx, credential.Origin, identity, err), identity)
}

// challenged is the refusal of who is to come back with the second factor. Its
// record is that of the challenge.
func (a *Authority) challenged(ctx context.Context, identity Identity, credential Credential, begun time.Time) error {
	challenge, err := a.challenge(ctx, identity, pending{
		policy: credential.Policy, lifetime: credential.Lifetime, withoutRefresh: credential.WithoutRefresh,
		granted: identity.Granted, methods: identity.Methods, begun: begun,
	}, credential.Origin)
	if err != nil {
		return err
	}
	return &Error{Kind: MFARequired, Identity: &identity, Challenge: &challenge}
}

// told names who was refused, where the kind comes only after the proof.
func told(refusal error, identity Identity) error {
	switch KindOf(refusal) {
	case Inactive, Unverified, Locked, MustChangeSecret, KeyPending, KeyExpired, KeyRevoked, AlreadyVerified:
		return &Error{Kind: KindOf(refusal), Identity: &identity, Err: refusal}
	default:
		return refusal
	}
}

// attempt authenticates as one counted try. The account is looked up first, as it
// is what tries are counted by, however it was named (S20).
func (a *Authority) attempt(ctx context.Context, credential Credential) (identity Identity, err error) {
	who, err := a.named(ctx, credential)
	if err != nil {
		return Identity{}, err
	}
	err = a.counted(ctx, a.attemptKey(credential, who), func() (err error) {
		identity, err = a.authenticate(ctx, credential, who)
		return err
	})
	return identity, err
}

// counted counts one try, which must not have begun.
func (a *Authority) counted(ctx context.Context, key AttemptKey, try func() error) error {
	attempt, err := a.deps.Attempts.Begin(ctx, key)
	if err != nil {
		return err
	}
	settled := false
	defer func() {
		if !settled { // a panic is on its way up
			attempt.Abandoned()
		}
	}()
	err = try()
	settled = true
	settle(attempt, err)
	return err
}

// named is whom a credential names, before anything is proved.
type named struct {
	account Account
	known   bool   // whether there is such an account
	counted string // what its attempts count by, also when it is of another tenant; "" for nobody's
	several bool   // or there are such accounts of several tenants, and none was named
	tenant  Tenant // that the credential names; nobody's when there is none such
}

func (a *Authority) named(ctx context.Context, credential Credential) (who named, err error) {
	switch {
	case slices.Contains(credential.As, SubjectAccount):
		who.account, who.tenant, err = a.accountOf(ctx, credential)
		who.known, who.several = err == nil, KindOf(errors.Unwrap(err)) == Conflict
		if who.account.ID != "" {
			who.counted = countedAs(who.account)
		}
		if KindOf(err) == NotFound {
			who.account, err = Account{}, nil
		}
	case credential.Tenant.Given:
		if who.tenant, err = a.tenantOf(ctx, credential.Tenant); KindOf(err) == Unknown {
			who.tenant, err = Tenant{ID: nobody}, nil
		}
	}
	return who, err
}

// unchanged refuses when the account was disabled or put on hold, or its password
// changed, while it signed in.
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
	return a.admitted(current)
}

// attemptKey counts all names of an account as one. The tenant makes no difference:
// were it counted by, what one is throttled for without naming it would tell which
// tenant has the account.
func (a *Authority) attemptKey(credential Credential, who named) AttemptKey {
	identity := credential.Identifier
	if who.counted != "" {
		identity = who.counted
	} else if slices.Contains(credential.As, SubjectAccount) {
		if login, err := Canonical(identity); err == nil {
			identity = string(login)
		}
		if credential.AccountID != "" {
			identity = nobody + string(credential.AccountID)
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
	case Unknown, BadSecret, BadClient, BadOTP, RefreshUnknown, RefreshReused,
		TicketUnknown, TicketUsed, TicketExpired, TicketInactive:
		attempt.Failed()
	default:
		attempt.Abandoned()
	}
}

// recordRefusal makes the refusal of a sign-in durable in the journal before it is told.
func (a *Authority) recordRefusal(ctx context.Context, origin Origin, identity Identity, refusal error) error {
	event := a.event(ActionExchange, origin)
	event.Account = identity.Account.ID
	if identity.Key != nil {
		event.Key = identity.Key.ID
	}
	return a.onRecord(ctx, event, refusal)
}

// onRecord makes a refusal durable as event before it is told.
func (a *Authority) onRecord(ctx context.Context, event Event, refusal error) error {
	event.Outcome = KindOf(refusal)
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
