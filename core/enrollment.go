package core

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/pquerna/otp/totp"
)

// An Enrollment is a new second factor. It is shown once: what is kept of it is
// sealed, or a digest.
type Enrollment struct {
	Secret        Secret // in base32, for typing
	URL           Secret // otpauth://…, for the QR code
	RecoveryCodes []Secret
}

const (
	totpBytes     = 20 // as long as the hash (RFC 4226 section 4)
	leastTOTP     = 10 // bytes of an imported one: many apps make no longer ones
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits, four groups of four letters
)

var recoveryEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// EnrollFactor makes a second factor for an account, which is asked for from the
// next sign-in on. It refuses with Conflict when there is one already.
func (r *Registry) EnrollFactor(ctx context.Context, name AccountName, origin Origin) (Enrollment, error) {
	account, err := r.withoutFactor(ctx, name)
	if err != nil {
		return Enrollment{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: string(account.Realm), AccountName: account.Login, SecretSize: totpBytes})
	if err != nil {
		return Enrollment{}, refuse(Internal, "making a second factor: %w", err)
	}
	made := Enrollment{Secret: NewSecret(key.Secret()), URL: NewSecret(key.URL())}
	for range recoveryCodes {
		made.RecoveryCodes = append(made.RecoveryCodes, newRecoveryCode())
	}
	return made, r.putFactor(ctx, account, made.Secret, made.RecoveryCodes, origin)
}

// ImportFactor gives an account a second factor that comes from another system: its
// secret in base32, and recovery codes if there are any. It refuses with
// InvalidRequest, and with Conflict when there is one already.
func (r *Registry) ImportFactor(ctx context.Context, name AccountName, secret Secret, codes []Secret, origin Origin) error {
	if err := CheckTOTP(secret); err != nil {
		return err
	}
	account, err := r.withoutFactor(ctx, name)
	if err != nil {
		return err
	}
	return r.putFactor(ctx, account, secret, codes, origin)
}

// RemoveFactor takes an account's second factor away, and reports whether there was one.
func (r *Registry) RemoveFactor(ctx context.Context, name AccountName, origin Origin) (changed bool, err error) {
	account, err := r.Account(ctx, name)
	if err != nil {
		return false, err
	}
	event := r.event(ActionFactorRemoved, account.Realm, origin)
	event.Account = account.ID
	err = r.Factors.DeleteFactor(ctx, account.Realm, account.ID, event)
	if KindOf(err) == NotFound {
		return false, nil
	}
	return err == nil, err
}

func (r *Registry) withoutFactor(ctx context.Context, name AccountName) (Account, error) {
	account, err := r.Account(ctx, name)
	if err != nil {
		return Account{}, err
	}
	_, err = r.Factors.Factor(ctx, account.Realm, account.ID)
	switch KindOf(err) {
	case NotFound:
		return account, nil
	case "":
		return Account{}, refuse(Conflict, "account %q has a second factor already: remove it first", name.Login)
	}
	return Account{}, err
}

func (r *Registry) putFactor(ctx context.Context, account Account, secret Secret, codes []Secret, origin Origin) error {
	factor := Factor{Realm: account.Realm, Account: account.ID, EnrolledAt: r.Now(), Version: 1}
	var err error
	if factor.Sealed, err = r.Sealer.Seal(factorPurpose, factor.row(), secret); err != nil {
		return err
	}
	for _, code := range codes {
		factor.Recovery = append(factor.Recovery, recoveryDigest(code))
	}
	event := r.event(ActionFactorEnrolled, account.Realm, origin)
	event.Account = account.ID
	return r.Factors.PutFactor(ctx, factor, event)
}

// CheckTOTP refuses, with InvalidRequest, a secret that no authenticator app could
// have. Its words do not repeat it.
func CheckTOTP(secret Secret) error {
	text := strings.TrimRight(strings.ToUpper(strings.TrimSpace(secret.Reveal())), "=")
	if decoded, err := recoveryEncoding.DecodeString(text); err != nil || len(decoded) < leastTOTP {
		return refuse(InvalidRequest, "the secret of a second factor must be base32 of at least %d bytes, such as authenticator apps take", leastTOTP)
	}
	return nil
}

// newRecoveryCode makes a code that can be read out and typed.
func newRecoveryCode() Secret {
	random := make([]byte, recoveryBytes)
	_, _ = rand.Read(random) // never fails
	text := recoveryEncoding.EncodeToString(random)
	return NewSecret(strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-"))
}
