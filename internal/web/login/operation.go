package login

import (
	"context"
	"errors"
	"net/http"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// A task is a decoded request on its way to core.
type task struct {
	ctx    context.Context
	r      *http.Request
	mount  *Mount
	inputs dialect.Inputs
	origin core.Origin
}

// do asks core for the operation of a decoded call.
func (t *task) do(operation dialect.Operation) (dialect.Result, error) {
	authority := t.mount.Authority
	switch operation {
	case dialect.Authenticate:
		return t.authenticate()
	case dialect.Resume:
		return token(authority.Resume(t.ctx, core.Resumption{
			Challenge: t.inputs.Challenge, OTP: t.inputs.OTP, RecoveryCode: t.inputs.RecoveryCode, Origin: t.origin,
		}))
	case dialect.Refresh:
		return token(authority.Refresh(t.ctx, core.Renewal{Refresh: t.inputs.Refresh, Of: t.inputs.Of, Client: t.inputs.Client, Origin: t.origin}))
	case dialect.Extend:
		return t.extend()
	case dialect.Revoke:
		return dialect.Result{}, t.revoke()
	case dialect.RevokeAll:
		return dialect.Result{}, t.revokeAll()
	case dialect.Introspect:
		return t.introspect()
	case dialect.Whoami:
		return t.whoami()
	case dialect.Register:
		return t.register()
	case dialect.RequestRecovery:
		return dialect.Result{}, t.requestTicket(core.PurposeRecovery)
	case dialect.RequestVerification:
		return dialect.Result{}, t.requestTicket(core.PurposeVerification)
	case dialect.ResetPassword:
		return dialect.Result{}, authority.ResetPassword(t.ctx, core.PasswordReset{
			Ticket: t.inputs.Ticket, Password: t.inputs.NewSecret, Origin: t.origin,
		})
	case dialect.Verify:
		account, err := authority.Verify(t.ctx, t.inputs.Ticket, t.origin)
		return dialect.Result{Account: &account}, err
	case dialect.KeySet:
		keys, err := authority.KeySet()
		return dialect.Result{KeySet: keys}, err
	case dialect.Fixed:
		return t.fixed()
	default:
		return dialect.Result{}, errors.New("no code for operation " + string(operation))
	}
}

func token(token core.Token, err error) (dialect.Result, error) {
	return dialect.Result{Token: &token}, err
}

func (t *task) authenticate() (dialect.Result, error) {
	in := &t.inputs
	return token(t.mount.Authority.Exchange(t.ctx, core.Credential{
		As:             in.As,
		Identifier:     in.Identifier,
		AccountID:      in.AccountID,
		Secret:         in.Secret,
		Tenant:         in.Tenant,
		Client:         in.Client,
		OTP:            in.OTP,
		RecoveryCode:   in.RecoveryCode,
		Policy:         in.Policy,
		Lifetime:       in.Lifetime,
		WithoutRefresh: in.WithoutRefresh,
		Judge:          in.Judge,
		Origin:         t.origin,
	}))
}

func (t *task) extend() (dialect.Result, error) {
	bearer, err := t.mount.Dialect.Bearer(t.r)
	if err != nil {
		return dialect.Result{}, err
	}
	in := &t.inputs
	return token(t.mount.Authority.Extend(t.ctx, core.Extension{
		Token: bearer, Of: in.Of, Same: in.Same, Lifetime: in.Lifetime, EndOld: in.EndOld, Origin: t.origin,
	}))
}

// caller is who asks about another's token, or ends it.
func (t *task) caller() (core.Caller, error) {
	switch t.inputs.Caller {
	case dialect.CallerClient:
		return core.Caller{Client: t.inputs.Client, ByClient: true}, nil
	case dialect.CallerNone:
		return core.Caller{}, nil
	default:
		bearer, err := t.mount.Dialect.Bearer(t.r)
		return core.Caller{Bearer: &bearer}, err
	}
}

func (t *task) revoke() error {
	revocation := core.Revocation{Token: t.inputs.Token, Of: t.inputs.Of, Judge: t.inputs.Judge, Origin: t.origin}
	var err error
	if revocation.Own = t.inputs.Caller == ""; revocation.Own {
		revocation.Token, err = t.mount.Dialect.Bearer(t.r)
	} else {
		revocation.Caller, err = t.caller()
	}
	if err != nil {
		return err
	}
	return t.mount.Authority.Revoke(t.ctx, revocation)
}

func (t *task) revokeAll() error {
	bearer, err := t.mount.Dialect.Bearer(t.r)
	if err != nil {
		return err
	}
	return t.mount.Authority.RevokeAll(t.ctx, bearer, t.origin, t.inputs.Of...)
}

func (t *task) introspect() (dialect.Result, error) {
	caller, err := t.caller()
	if err != nil {
		return dialect.Result{}, err
	}
	subject, asking, err := t.mount.Authority.Introspect(t.ctx, core.Inquiry{
		Token: t.inputs.Token, Of: t.inputs.Of, Caller: caller, Judge: t.inputs.Judge, Origin: t.origin,
	})
	return dialect.Result{Identity: &subject, Caller: &asking}, err
}

func (t *task) whoami() (dialect.Result, error) {
	bearer, err := t.mount.Dialect.Bearer(t.r)
	if err != nil {
		return dialect.Result{}, err
	}
	identity, err := t.mount.Authority.Whoami(t.ctx, bearer, t.inputs.Of...)
	return dialect.Result{Identity: &identity}, err
}

func (t *task) register() (dialect.Result, error) {
	in := &t.inputs
	account, token, err := t.mount.Authority.Register(t.ctx, core.Registration{
		Login:      in.Identifier,
		Email:      in.Email,
		Name:       in.Name,
		Password:   in.NewSecret,
		Tenant:     in.Tenant,
		Attributes: in.Attributes,
		Roles:      in.Roles,
		Verified:   in.Verified,
		Policy:     in.Policy,
		Judge:      in.Judge,
		Origin:     t.origin,
	})
	return dialect.Result{Account: &account, Token: token}, err
}

func (t *task) requestTicket(purpose core.Purpose) error {
	return t.mount.Authority.RequestTicket(t.ctx, purpose, t.inputs.Identifier, t.inputs.Tenant, t.origin)
}

func (t *task) fixed() (dialect.Result, error) {
	if t.inputs.Outcome != "" {
		return dialect.Result{}, &core.Error{Kind: t.inputs.Outcome}
	}
	return dialect.Result{}, nil
}
