package core

import (
	"cmp"
	"context"
	"encoding/json"
	"net/mail"
	"strings"
	"time"
)

// A Registration is an account that somebody makes for themselves.
type Registration struct {
	Login      string
	Email      string // "" takes Login when that is an address
	Name       string
	Password   Secret
	Tenant     Tenancy
	Attributes Attributes
	Roles      []string
	Verified   bool
	Policy     string // which token they get at once; "" for none
	Judge      Judge
	Origin     Origin
}

// Register makes an account for whoever asks, and a token for it when a policy is
// named. An address that is still to be verified gets a mail, if the dialect has
// words for it.
//
// It refuses with PasswordRefused, InvalidRequest and what is below it, AccountExists
// and what the Judge says. Every registration counts against its network: it tells
// whether an account exists, and it sends mail.
func (a *Authority) Register(ctx context.Context, r Registration) (Account, *Token, error) {
	policy, known := a.terms.Policies[r.Policy]
	switch {
	case r.Policy == "":
	case !known:
		return Account{}, nil, refuse(Internal, "dialect %s has no token policy %q", a.terms.Dialect, r.Policy)
	case !r.Verified && !a.terms.AdmitUnverified:
		return Account{}, nil, refuse(Internal, "a registration is to give a token, but accounts that are not verified get none")
	}
	said := AccountSpec{Realm: a.terms.Realm, Login: r.Login, Email: r.Email, Name: r.Name}
	if err := CheckPassword(r.Password, said.ownWords()...); err != nil {
		return Account{}, nil, err
	}
	spec, err := a.registrationSpec(ctx, r)
	if err != nil {
		return Account{}, nil, err
	}
	begun := a.deps.Now()
	attempt, err := a.deps.Attempts.Begin(ctx, AttemptKey{Realm: a.terms.Realm, Network: r.Origin.Network()})
	if err != nil {
		return Account{}, nil, err
	}
	attempt.Failed()
	identity, err := a.newcomer(ctx, spec, r, begun)
	if err == nil {
		err = a.enter(ctx, identity.Account, r.Origin)
	}
	if err != nil {
		return Account{}, nil, err
	}
	if r.Policy == "" {
		return identity.Account, nil, nil
	}
	token, err := a.mint(ctx, minting{Policy: policy, Identity: identity, Origin: r.Origin, Begun: begun, Action: ActionExchange})
	if err != nil {
		return Account{}, nil, err
	}
	return identity.Account, &token, nil
}

// registrationSpec checks what somebody says of their account. The domain of an
// address is folded; what is before it is its owner's.
func (a *Authority) registrationSpec(ctx context.Context, r Registration) (AccountSpec, error) {
	realm, err := a.deps.Realms.Realm(ctx, a.terms.Realm)
	if err != nil {
		return AccountSpec{}, err
	}
	spec := AccountSpec{
		Realm: a.terms.Realm, Login: foldDomain(r.Login), Email: foldDomain(r.Email), Name: r.Name,
		Roles: r.Roles, Attributes: r.Attributes, Active: true, Verified: r.Verified,
	}
	if text, err := json.Marshal(spec.Attributes); err != nil || len(text) > maxRegistered {
		return spec, refuse(InvalidField, "attributes of more than %d bytes of JSON", maxRegistered)
	}
	return spec, spec.complete(realm)
}

// maxRegistered bounds the attributes that somebody gives to their own account, so
// that a token that tells them all is not too long to pass.
const maxRegistered = 1 << 10

// foldDomain folds the domain of an address, and leaves alone what is none.
func foldDomain(text string) string {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return text
	}
	at := strings.LastIndexByte(text, '@') + 1
	domain, err := Canonical(text[at:])
	if err != nil {
		return text
	}
	return text[:at] + string(domain)
}

// newcomer is who registers, once the Judge has agreed. It does one hash for every
// registration that is so far in order (S17), whether there is such a tenant or not.
func (a *Authority) newcomer(ctx context.Context, spec AccountSpec, r Registration, now time.Time) (Identity, error) {
	tenant, err := a.tenantOf(ctx, r.Tenant)
	absent := KindOf(err) == Unknown || err == nil && tenant.ID != "" && !tenant.Active
	if err != nil && !absent {
		return Identity{}, err
	}
	hash, err := a.deps.Passwords.Hash(ctx, a.terms.Realm, r.Password)
	switch {
	case err != nil:
		return Identity{}, err
	case absent:
		return Identity{}, refuse(InvalidField, "no such tenant")
	}
	identity := Identity{
		Account: spec.account(AccountID(newID()), hash, now),
		Methods: []string{MethodPassword},
		Policy:  r.Policy,
	}
	if identity.Account.Tenant = tenant.ID; tenant.ID != "" {
		identity.Tenant = &tenant
	}
	if r.Judge != nil {
		identity.Granted, err = r.Judge(Judged{Identity: identity})
	}
	return identity, err
}

// enter stores an account that somebody registered, with the mail that verifies it.
func (a *Authority) enter(ctx context.Context, account Account, origin Origin) error {
	event := a.event(ActionAccountRegistered, origin)
	event.Account = account.ID
	var notices []Notice
	if a.terms.Mails[PurposeVerification] != nil && !account.Verified && account.Email != "" {
		login, err := Canonical(account.Login)
		if err != nil {
			return err
		}
		notices = append(notices, a.notice(PurposeVerification, cmp.Or(account.Tenant, noTenant), login, event))
	}
	err := a.loginFree(ctx, account)
	if err == nil {
		err = a.deps.Accounts.CreateAccount(context.WithoutCancel(ctx), account, event, notices...)
	}
	if KindOf(err) != Conflict {
		return err
	}
	event.Account, event.Outcome = "", AccountExists
	if err := a.deps.Journal.Record(context.WithoutCancel(ctx), event); err != nil {
		return err
	}
	return &Error{Kind: AccountExists, Err: err}
}

// loginFree refuses, as Conflict, the login name of an account that has it already,
// of whichever tenant, where a sign-in need not name one: who had the name first would
// else be shut out. Its own tenant's is told by the store.
func (a *Authority) loginFree(ctx context.Context, account Account) error {
	if !a.terms.LoginsAlone {
		return nil
	}
	login, err := Canonical(account.Login)
	if err != nil {
		return err
	}
	switch _, err := a.deps.Accounts.AccountByLogin(ctx, a.terms.Realm, login); KindOf(err) {
	case NotFound:
		return nil
	case "", Conflict:
		return refuse(Conflict, "an account has the login name, and a sign-in need not name its tenant")
	default:
		return err
	}
}

// Verify marks the account of a ticket as verified, once. It refuses with the kinds
// below BadTicket, and with AlreadyVerified.
func (a *Authority) Verify(ctx context.Context, ticket Secret, origin Origin) (Account, error) {
	var verified Account
	err := a.redeem(ctx, redemption{PurposeVerification, ticket, ActionAccountVerified, origin}, func(ticket Ticket, _ Account, event Event) error {
		now := a.deps.Now()
		return a.deps.Tickets.RedeemTicket(ctx, a.terms.Realm, ticket.Digest, now, func(ticket Ticket, account *Account) (Event, error) {
			if err := ticket.Usable(*account, now); err != nil {
				return Event{}, err
			}
			account.Verified, account.UpdatedAt = true, now
			verified = *account
			return event, nil
		})
	})
	if err != nil {
		return Account{}, err
	}
	return verified, nil
}
