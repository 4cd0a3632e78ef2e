package core

import (
	"net/netip"
	"time"
)

// A Policy says what a token of one dialect holds and how long it lives.
type Policy struct {
	Name     string        // the dialect's own name of it, such as "access"
	Format   TokenFormat   // FormatJWT unless it says otherwise
	Keys     KeySet        // what signs a JWT
	Lifetime time.Duration // whole seconds, at least one
	Endless  bool          // it has no lifetime; for opaque tokens alone
	// LeastLifetime and MostLifetime bound the lifetime that a request may ask for;
	// zero when none may.
	LeastLifetime, MostLifetime time.Duration
	// Claims writes a JWT's payload, members in the contract's order.
	Claims func(Grant) ([]byte, error)
	Opaque Opaque // how an opaque token is made
	// AccountClaim and KeyClaim name the claims that hold the account's id and,
	// for access keys, the key's; "" for none. At least one is given.
	AccountClaim string
	KeyClaim     string
	// Audiences are those that may be granted, or the one that every token names.
	// A token must name one of them, unless there are none.
	Audiences []string
	// Tracked keeps a session for each sign-in and a row for each token, so that
	// both can be ended. Opaque tokens are always tracked, as is whatever has one of
	// the fields below.
	Tracked bool
	Session time.Duration  // how long a session can go on; 0 for ever
	Idle    time.Duration  // a session unused that long is over; 0: never by that
	Slot    SlotRule       // whether there is but one session, and what a second sign-in does
	SlotBy  string         // of SlotNewest: the granted fact of which each value has a slot; "" for none
	Refresh *RefreshPolicy // nil for no refresh tokens
}

// A TokenFormat is what a token is made of.
type TokenFormat string

// The formats.
const (
	FormatJWT    TokenFormat = "jwt"
	FormatOpaque TokenFormat = "opaque" // random, and known by its digest
)

// Opaque says what an opaque token looks like.
type Opaque struct {
	// Form is that of what is random in it: "base62" (256 bits; also ""), "uuid", or
	// "hexN" and the others of [KeyForm].
	Form string
	// Value words the token around random.
	Value func(random Secret, g Grant) (Secret, error)
}

// A SlotRule says what becomes of a live session when the same identity signs in
// again by the same policy. "" leaves it alone.
type SlotRule string

// The slot rules.
const (
	SlotNewest SlotRule = "newest" // it ends
	SlotSame   SlotRule = "same"   // it goes on, and its token is given again
)

// A RefreshPolicy says what a refresh token looks like and how long it lives.
type RefreshPolicy struct {
	Opaque
	Lifetime time.Duration
	Keep     bool // it is not replaced by its use
	// Grace is how long after its first use it gives new tokens all the same, for
	// clients whose answer was lost; at most [MaxGrace], and 0 for not at all.
	Grace time.Duration
}

// MaxGrace bounds how long a refresh token that was used can be used again.
const MaxGrace = 5 * time.Minute

// A KeySet names the signing keys of one dialect in one realm. It is a family of
// its own: no other realm's or dialect's token passes here (S39).
type KeySet struct {
	Realm     Realm
	Dialect   string
	Algorithm string // HS256, HS384, HS512, ES256, EdDSA or RS256
	Type      string // typ in the header; "" is JWT
	WithKeyID bool   // whether tokens carry kid in their header
}

// A Grant is what policy allows: the facts from which a token's claims are made.
type Grant struct {
	Issuer    string
	Account   Account
	Key       *AccessKey // nil unless an access key signed in
	Client    *AccessKey // nil unless a client spoke for the account
	Tenant    *Tenant    // nil when the account has none
	Session   *Session   // nil unless the policy tracks its tokens
	Granted   Granted
	Methods   []string  // how it was signed in, such as password and totp
	Policy    string    // the policy's name
	TokenID   string    // 128 random bits, for jti
	IssuedAt  time.Time // whole seconds
	ExpiresAt time.Time // whole seconds; zero: never
}

// A Token is a bearer token with the grant that it stands for.
type Token struct {
	Value   Secret
	Refresh *RefreshToken // nil when there is none
	Grant
}

// An Identity is who a verified bearer token speaks for.
type Identity struct {
	Account   Account
	Key       *AccessKey // nil unless the token was got with an access key
	Client    *AccessKey // nil unless a client spoke for the account
	Tenant    *Tenant    // nil when the account has none
	Session   *Session   // nil unless the policy tracks its tokens
	Granted   Granted
	Methods   []string  // how it was signed in; empty when the token does not say
	TokenID   string    // "" unless the policy tracks its tokens
	Policy    string    // the name of the token's policy
	IssuedAt  time.Time // zero when the token does not say
	ExpiresAt time.Time // zero: never
}

// keyID is that of the access key that signed in; "" for none.
func (i *Identity) keyID() KeyID {
	if i.Key == nil {
		return ""
	}
	return i.Key.ID
}

// clientID is that of the client that spoke for the account; "" for none.
func (i *Identity) clientID() KeyID {
	if i.Client == nil {
		return ""
	}
	return i.Client.ID
}

// Origin is where a request comes from, for throttling and audit.
type Origin struct {
	Address   netip.Addr
	RequestID string
	Actor     string // who acts, for administration: "cli" or an administrator's id
}

// Network is the unit in which addresses are counted: IPv4 /32, IPv6 /64 (S19).
func (o Origin) Network() netip.Prefix {
	address := o.Address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	network, _ := address.Prefix(bits)
	return network
}
