package core

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"
)

// A Factor is the second factor of an account: a secret from which one-time codes
// are made (RFC 6238), with recovery codes in its stead.
type Factor struct {
	Realm      Realm
	Account    AccountID
	Sealed     []byte   // the secret, sealed under the master key (S45)
	LastStep   int64    // the time step of the code used last: none up to it passes again
	Recovery   []Digest // of the recovery codes that are left
	EnrolledAt time.Time
	Version    int64 // counts changes
}

// How a sign-in can have been done, as tokens and replies tell it.
const (
	MethodPassword     = "password"
	MethodKey          = "key"
	MethodTOTP         = "totp"
	MethodRecoveryCode = "recovery_code"
)

// secondFactor asks an account that has a second factor for it, once its password
// was right. It returns how the factor was proved, "" when there is none to prove,
// and refuses with MFARequired when nothing is given, with BadOTP what is wrong or
// was used before.
func (a *Authority) secondFactor(ctx context.Context, account Account, code, recoveryCode Secret, origin Origin) (method string, err error) {
	if !a.terms.AskSecondFactor {
		return "", nil
	}
	factor, err := a.deps.Factors.Factor(ctx, a.terms.Realm, account.ID)
	switch {
	case KindOf(err) == NotFound:
		return "", nil
	case err != nil:
		return "", err
	}
	var use func(*Factor) bool
	switch {
	case code.Reveal() != "":
		secret, err := a.deps.Sealer.Open(factorPurpose, factor.row(), factor.Sealed)
		if err != nil {
			return "", err
		}
		step, ok := matchStep(secret, code, a.deps.Now())
		method, use = MethodTOTP, func(f *Factor) bool { return ok && f.takeStep(step) }
	case recoveryCode.Reveal() != "":
		digest := recoveryDigest(recoveryCode)
		method, use = MethodRecoveryCode, func(f *Factor) bool { return f.takeRecoveryCode(digest) }
	default:
		return "", &Error{Kind: MFARequired}
	}
	if err := a.useFactor(ctx, factor, use, origin); err != nil {
		return "", err
	}
	return method, nil
}

// useFactor uses a code up, if it is right. A code has few digits, and networks are
// many: its guesses count against the account wherever they come from (S19).
func (a *Authority) useFactor(ctx context.Context, factor Factor, use func(*Factor) bool, origin Origin) error {
	event := a.event(ActionFactorUsed, origin)
	event.Account = factor.Account
	key := AttemptKey{Realm: a.terms.Realm, Identity: nobody + string(factor.Account), Everywhere: true}
	return a.counted(ctx, key, func() error {
		err := a.deps.Factors.UpdateFactor(ctx, a.terms.Realm, factor.Account, func(f *Factor) (Event, error) {
			if !f.EnrolledAt.Equal(factor.EnrolledAt) || !use(f) {
				return Event{}, &Error{Kind: BadOTP}
			}
			return event, nil
		})
		if KindOf(err) == NotFound {
			err = refuse(BadOTP, "the second factor was removed meanwhile")
		}
		return err
	})
}

const factorPurpose = "factors.sealed"

// row binds the sealed secret to its account (S45).
func (f Factor) row() string { return fmt.Sprintf("%q %q", f.Realm, f.Account) }

// takeStep uses a time step up: each gives one sign-in, and none before it any more.
func (f *Factor) takeStep(step int64) bool {
	if step <= f.LastStep {
		return false
	}
	f.LastStep = step
	return true
}

// takeRecoveryCode uses a recovery code up.
func (f *Factor) takeRecoveryCode(digest Digest) bool {
	var left []Digest
	for _, code := range f.Recovery { // all of them, in the same time
		if !code.Equal(digest) {
			left = append(left, code)
		}
	}
	found := len(left) < len(f.Recovery)
	f.Recovery = left
	return found
}

// RFC 6238 as all authenticator apps have it: six digits of HMAC-SHA-1 every 30 s,
// and clocks may be a step apart.
const (
	codeDigits = 6
	codeStep   = 30 * time.Second
	codeSkew   = 1
)

// matchStep finds the time step whose code this is. It compares with the codes of
// all steps that may be, in the same time.
func matchStep(secret, code Secret, now time.Time) (step int64, ok bool) {
	current := now.Unix() / int64(codeStep/time.Second)
	for candidate := current - codeSkew; candidate <= current+codeSkew; candidate++ {
		want, err := hotp.GenerateCode(secret.Reveal(), uint64(max(candidate, 0))) //nolint:gosec // never negative
		if err == nil && len(want) == codeDigits && subtle.ConstantTimeCompare([]byte(want), []byte(code.Reveal())) == 1 {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// recoveryDigest is that of a recovery code however it was typed.
func recoveryDigest(code Secret) Digest {
	return NewSecret(strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(code.Reveal()))).Digest()
}
