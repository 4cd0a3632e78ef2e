package dialect

import "github.com/chancery-auth/chancery/core"

// An Operation is what a route does.
type Operation string

// The operations.
const (
	Authenticate    Operation = "authenticate"     // identifier and secret give a token
	Whoami          Operation = "whoami"           // a bearer token gives an identity
	RequestRecovery Operation = "request_recovery" // identifier; a mail with a ticket goes out
	ResetPassword   Operation = "reset_password"   // ticket and new_secret
)

// An operation says what a route needs that does it, and what it can end in.
type operation struct {
	name     Operation
	roles    []string // the inputs that it takes, all needed
	reply    where    // what its reply knows
	issues   bool     // whether it issues a token by a policy
	outcomes []core.Kind
}

var operations = []operation{
	{Authenticate, []string{roleIdentifier, roleSecret}, inToken, true, []core.Kind{
		core.Unknown, core.BadSecret, core.Inactive, core.Unverified, core.KeyPending, core.KeyExpired, core.KeyRevoked}},
	{Whoami, nil, inWhoami, false, bearerOutcomes},
	{RequestRecovery, []string{roleIdentifier}, inDone, false, nil},
	{ResetPassword, []string{roleTicket, roleNewSecret}, inDone, false, []core.Kind{
		core.PasswordRefused, core.TicketUnknown, core.TicketUsed, core.TicketExpired, core.TicketInactive}},
}

var bearerOutcomes = []core.Kind{
	core.TokenMissing, core.TokenInvalid, core.TokenExpired, core.TokenRevoked, core.TokenForeign,
	core.AccountGone, core.AccountInactive, core.AccountUnverified,
}

// anyOutcomes are what every call can end in.
var anyOutcomes = []core.Kind{core.Internal, core.Unavailable, core.RateLimited, core.NotFound, core.MethodNotAllowed}

func findOperation(name string) (operation, bool) {
	for _, o := range operations {
		if string(o.name) == name {
			return o, true
		}
	}
	return operation{}, false
}

func operationNames() []string {
	names := make([]string, len(operations))
	for i, o := range operations {
		names[i] = string(o.name)
	}
	return names
}
