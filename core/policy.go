package core

import (
	"net/netip"
	"time"
)

// A Policy says what a token of one dialect holds and how long it lives.
type Policy struct {
	Name     string        // the dialect's own name of it, such as "access"
	Keys     KeySet        // what signs it
	Lifetime time.Duration // whole seconds, at least one
	// Claims writes the token's payload, members in the contract's order.
	Claims func(Grant) ([]byte, error)
	// AccountClaim and KeyClaim name the claims that hold the account's id and,
	// for access keys, the key's; "" for none. At least one is given.
	AccountClaim string
	KeyClaim     string
	Audience     string // required of every token when not ""
}

// A KeySet names the signing keys of one dialect in one realm. It is a family of
// its own: no other realm's or dialect's token passes here (S39).
type KeySet struct {
	Realm     Realm
	Dialect   string
	Algorithm string // HS256, HS384, HS512, ES256, EdDSA or RS256
	WithKeyID bool   // whether tokens carry kid in their header
}

// A Grant is what policy allows: the facts from which a token's claims are made.
type Grant struct {
	Issuer    string
	Account   Account
	Key       *AccessKey // nil unless an access key signed in
	TokenID   string     // 128 random bits, for jti
	IssuedAt  time.Time  // whole seconds
	ExpiresAt time.Time  // whole seconds
}

// A Token is a bearer token with the grant that it stands for.
type Token struct {
	Value Secret
	Grant
}

// An Identity is who a verified bearer token speaks for.
type Identity struct {
	Account   Account
	Key       *AccessKey // nil unless the token was got with an access key
	IssuedAt  time.Time  // zero when the token does not say
	ExpiresAt time.Time
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
