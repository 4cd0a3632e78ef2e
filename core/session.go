package core

import (
	"slices"
	"time"
)

// SessionID is a session's UUID.
type SessionID string

// A Session is what the tokens of one sign-in have in common, where their policy
// tracks them: to end it ends them all.
type Session struct {
	ID              SessionID
	Realm           Realm
	Dialect, Policy string
	Account         AccountID
	Key             KeyID // "" unless an access key signed in
	Client          KeyID // "" unless a client spoke for the account
	Tenant          TenantID
	Methods         []string // how it was signed in, such as password and totp
	Granted         Granted
	// Slot is held by at most one live session; "" unless the policy's Slot says
	// that there is but one.
	Slot      string
	Idle      time.Duration // it ends when unused that long; 0: never by that
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time // zero: never
	EndedAt   time.Time // zero: it has not been ended
	EndReason Kind      // "" when it ended as asked for
}

// Live returns nil if s goes on at now, and otherwise says why not.
func (s Session) Live(now time.Time) error {
	switch {
	case !s.EndedAt.IsZero():
		return refuse(TokenRevoked, "its session has ended")
	case !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt):
		return refuse(TokenExpired, "its session is over")
	case s.Idle > 0 && !now.Before(s.SeenAt.Add(s.Idle)):
		return refuse(TokenExpired, "its session was not used for %v", s.Idle)
	}
	return nil
}

// isOf reports whether the session is of one of these policies, or there are none to
// choose by.
func (s Session) isOf(of []string) bool { return len(of) == 0 || slices.Contains(of, s.Policy) }

// Granted are the facts that were settled at sign-in beside the identity, such as
// scopes or a device's name: JSON values. They are read-only.
type Granted map[string]any

// A TokenUse is what a token is for. One of one use never passes for another (S28).
type TokenUse string

// The uses of stored tokens.
const (
	UseAccess  TokenUse = "access"
	UseRefresh TokenUse = "refresh"
)

// A StoredToken is a token at rest: its digest, never its value (S14).
type StoredToken struct {
	Digest     Digest
	Session    SessionID
	Use        TokenUse
	ID         string // what a claim or a reply may tell of it
	IssuedAt   time.Time
	ExpiresAt  time.Time // zero: never
	ReplacedAt time.Time // of a refresh token that was used up; zero: it was not
	// Sealed is the value, sealed under the master key, where a policy gives the
	// same token again (S45); empty otherwise.
	Sealed []byte
}

// live reports whether t holds at now, as far as it is for itself to say.
func (t StoredToken) live(now time.Time) bool { return t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt) }

// An Opening is a session with its first tokens, and what it takes the place of.
type Opening struct {
	Session Session
	Tokens  []StoredToken
	EndAny  bool      // ends whichever session holds the slot
	EndID   SessionID // ends that one; "" none
	Event   Event
}

// A RefreshToken is got beside a token, to get the next one by.
type RefreshToken struct {
	Value     Secret
	IssuedAt  time.Time
	ExpiresAt time.Time
}
