package core

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// AccountID is an account's UUID: the subject of its tokens.
type AccountID string

// An Account is who a token is for.
type Account struct {
	ID         AccountID
	Realm      Realm
	Tenant     TenantID // "" for none
	Login      string   // as it was given; Canonical(Login) is unique in the tenant
	Email      string   // where its mail goes; "" for none
	Name       string   // "" when unset
	Roles      []string
	Attributes Attributes
	Active     bool
	Verified   bool
	// Hold keeps sign-ins out for now: [Locked] or [MustChangeSecret]; "" does not.
	Hold         Kind
	PasswordHash PasswordHash
	CreatedAt    time.Time
	UpdatedAt    time.Time
	// TokensFrom is the whole second from which this account's tokens hold: one
	// whose iat is earlier has been ended (S46). Zero ends none.
	TokensFrom time.Time
	// TicketsFrom ends every ticket issued up to it (S27).
	TicketsFrom time.Time
	Version     int64 // counts changes
}

// A CanonicalLogin is the one form of a login name by which it is stored, found
// and counted (S7).
type CanonicalLogin string

const maxLogin = 320 // bytes; the longest e-mail address of RFC 5321 is 254

// Canonical folds ASCII letters and keeps all else exact. A name that holds
// control characters, is empty, too long or not UTF-8 has no canonical form.
func Canonical(login string) (CanonicalLogin, error) {
	if login == "" || len(login) > maxLogin || !utf8.ValidString(login) {
		return "", refuse(InvalidRequest, "login name: give 1 to %d bytes of UTF-8", maxLogin)
	}
	folded := []byte(login)
	for _, r := range login {
		if unicode.IsControl(r) {
			return "", refuse(InvalidRequest, "login name: control character %U is not allowed", r)
		}
	}
	for i, b := range folded {
		if 'A' <= b && b <= 'Z' {
			folded[i] = b + ('a' - 'A')
		}
	}
	return CanonicalLogin(folded), nil
}

// endTokens ends every token issued up to now. Tokens count whole seconds, so
// the ending does too: see [Authority.Exchange] for the wait that this asks for.
func (a *Account) endTokens(now time.Time) {
	a.TokensFrom = tokensFrom(now)
}

// setPassword replaces the password and ends what hangs on the old one (S27, S46).
func (a *Account) setPassword(hash PasswordHash, now time.Time) {
	a.PasswordHash = hash
	a.TicketsFrom = now
	a.endTokens(now)
}

// disable shuts the account and ends its tickets for good.
func (a *Account) disable(now time.Time) {
	a.Active = false
	a.TicketsFrom = now
	a.endTokens(now)
}

// tokensFrom is the first whole second after now: iat has no finer one.
func tokensFrom(now time.Time) time.Time { return now.Truncate(time.Second).Add(time.Second) }
