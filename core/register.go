package core

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
