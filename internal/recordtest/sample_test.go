package recordtest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// A sample is somebody whom the dialect's file declares: an account, or an access
// key with the account that owns it.
type sample struct {
	name       string
	identifier string
	secret     string
	account    core.Account
	key        *core.AccessKey
	tenant     core.Tenant // of the account; zero for none
	totp       string      // the secret of the account's second factor; "" for none
	recovery   []string    // its recovery codes
}

func samplesOf(d *dialect.Dialect) (all []sample) {
	declared := d.Samples()
	tenants := map[core.TenantID]core.Tenant{}
	for _, t := range declared.Tenants {
		tenants[t.Tenant.ID] = t.Tenant
	}
	owners := map[core.AccountID]core.Account{}
	for _, a := range declared.Accounts {
		owners[a.Account.ID] = a.Account
		s := sample{
			name: a.Sample, identifier: a.Account.Login, secret: a.Password.Reveal(),
			account: a.Account, tenant: tenants[a.Account.Tenant], totp: a.TOTP.Reveal(),
		}
		for _, code := range a.RecoveryCodes {
			s.recovery = append(s.recovery, code.Reveal())
		}
		all = append(all, s)
	}
	for _, k := range declared.Keys {
		owner := owners[k.Key.Account]
		all = append(all, sample{
			name: k.Sample, identifier: k.Key.Identifier, secret: k.Secret.Reveal(),
			account: owner, key: &k.Key, tenant: tenants[owner.Tenant],
		})
	}
	return all
}

// ordinary reports whether nothing keeps the sample from signing in.
func (s *sample) ordinary() bool { return s.secret != "" && s.state() == "" }

// state is the failure case that the sample's state stands for.
func (s *sample) state() string {
	switch {
	case s.key != nil && s.key.State == core.KeyStatePending:
		return "pending_key"
	case s.key != nil && s.key.State == core.KeyStateRevoked:
		return "revoked_key"
	case s.key != nil && !s.key.ExpiresAt.IsZero() && s.key.ExpiresAt.Before(time.Now()):
		return "expired_key"
	case !s.account.Active:
		return "inactive"
	case !s.account.Verified:
		return "unverified"
	case s.account.Hold != "":
		return string(s.account.Hold)
	case s.totp != "":
		return "mfa_required"
	}
	return ""
}

// sample finds a sample by its name, or else the first that will do.
func (m *mount) sample(name string, will func(*sample) bool) (sample, error) {
	i := slices.IndexFunc(m.samples, func(s sample) bool {
		if name != "" {
			return s.name == name
		}
		return will(&s)
	})
	if i < 0 && name != "" {
		return sample{}, fmt.Errorf("the dialect's file has no sample %q", name)
	}
	if i < 0 {
		return sample{}, fmt.Errorf("the dialect's file has no sample for it")
	}
	return m.samples[i], nil
}

// userFact is what <user.NAME> stands for.
func (s *sample) userFact(name string) (any, bool) {
	a := s.account
	switch name {
	case "id":
		return string(a.ID), true
	case "username", "login", "identifier":
		return a.Login, true
	case "email":
		if a.Email == "" {
			return a.Login, true
		}
		return a.Email, true
	case "name", "full_name", "display_name":
		return a.Name, true
	case "roles":
		return a.Roles, true
	case "role":
		return strings.Join(a.Roles, ","), len(a.Roles) == 1
	case "active", "enabled":
		return a.Active, true
	case "verified":
		return a.Verified, true
	case "password":
		return s.secret, true
	}
	value, ok := a.Attributes[name]
	return value, ok
}

// tenantFact is what <tenant.NAME> stands for.
func (s *sample) tenantFact(name string) (any, bool) {
	switch name {
	case "id":
		return string(s.tenant.ID), s.tenant.ID != ""
	case "name":
		return s.tenant.Name, s.tenant.ID != ""
	}
	value, ok := s.tenant.Attributes[name]
	return value, ok
}

// factorFact is what <otp> and <recovery_code> stand for in a request.
func (s *sample) factorFact(name string) (any, bool) {
	if name == "recovery_code" {
		return strings.Join(s.recovery[:min(1, len(s.recovery))], ""), len(s.recovery) > 0
	}
	code, err := totp(s.totp, time.Now())
	return code, s.totp != "" && err == nil
}

// totp is the code of RFC 6238 for a secret in base32 at an instant: six digits,
// SHA-1, 30 seconds.
func totp(secret string, at time.Time) (string, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(secret), "="))
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30) // a hash takes everything
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[offset:])&0x7fffffff%1_000_000), nil
}
