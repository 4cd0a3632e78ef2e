package core

import "time"

// TenantID is what a tenant is known by, such as a UUID or a customer's number.
type TenantID string

// A Tenant is a part of a realm whose login names are its own.
type Tenant struct {
	ID         TenantID
	Realm      Realm
	Name       string // as it was given; Canonical(Name) is unique in the realm
	Attributes Attributes
	Active     bool
	CreatedAt  time.Time
	Version    int64 // counts changes
}

// A Tenancy is what a request says of its tenant: an id, a name, or both, which
// must then mean the same one.
type Tenancy struct {
	ID, Name string
	Given    bool // whether the request names a tenant at all
}
