package dialect

import (
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// An Operation is what a route does.
type Operation string

// The operations.
const (
	Authenticate        Operation = "authenticate"
	Resume              Operation = "resume"
	Refresh             Operation = "refresh"
	Extend              Operation = "extend"
	Revoke              Operation = "revoke"
	RevokeAll           Operation = "revoke_all"
	Introspect          Operation = "introspect"
	Whoami              Operation = "whoami"
	Register            Operation = "register"
	RequestRecovery     Operation = "request_recovery"
	RequestVerification Operation = "request_verification"
	ResetPassword       Operation = "reset_password"
	Verify              Operation = "verify"
	KeySet              Operation = "keyset"
	Fixed               Operation = "fixed"
)

// The roles that operations give to inputs, by the inputs' names.
const (
	roleIdentifier   = "identifier"
	roleAccountID    = "account_id"
	roleSecret       = "secret"
	roleNewSecret    = "new_secret"
	roleTicket       = "ticket"
	roleTenant       = "tenant"
	roleTenantName   = "tenant_name"
	roleClient       = "client"
	roleClientSecret = "client_secret"
	roleOTP          = "otp"
	roleRecoveryCode = "recovery_code"
	roleChallenge    = "challenge"
	roleRefresh      = "refresh"
	roleToken        = "token"
	roleEmail        = "email"
	roleName         = "name"
)

// secretRoles are those that no expression may name.
var secretRoles = []string{
	roleSecret, roleNewSecret, roleTicket, roleClientSecret, roleOTP, roleRecoveryCode, roleChallenge, roleRefresh, roleToken,
}

// A minting says by which policy an operation makes a token.
type minting int

const (
	mintsNothing  minting = iota
	mintsByPolicy         // the one that issue names
	mintsIfNamed          // that one, if issue names one
	mintsAsBefore         // that of the session at hand
)

// An operation says what a route needs that does it, and what it can end in.
type operation struct {
	name     Operation
	doc      string
	need     []string // the inputs that it needs
	oneOf    []string // inputs of which it needs one
	may      []string // inputs that it takes beside them
	members  []string // of do, beside operation
	reply    where    // what its reply knows
	mints    minting
	bearer   bool        // whether the request brings a token of its own
	outcomes []core.Kind // beside those of every call, of who asks, and of its inputs
}

var (
	tenantRoles = []string{roleTenant, roleTenantName}
	clientRoles = []string{roleClient, roleClientSecret}
)

var operations = []operation{
	{
		name: Authenticate, doc: "a credential gives a token",
		need: []string{roleSecret}, oneOf: []string{roleIdentifier, roleAccountID},
		may:     []string{roleTenant, roleTenantName, roleClient, roleClientSecret, roleOTP, roleRecoveryCode},
		members: []string{"issue", "as", "client", "with", "allow", "else", "lifetime", "refresh", "second_factor"},
		reply:   inToken, mints: mintsByPolicy,
		outcomes: []core.Kind{
			core.Unknown, core.BadSecret, core.Inactive, core.Unverified, core.Locked, core.MustChangeSecret,
			core.KeyPending, core.KeyExpired, core.KeyRevoked, core.MFARequired, core.BadOTP,
		},
	},
	{
		name: Resume, doc: "a challenge and a second factor give the token that the password alone did not",
		need: []string{roleChallenge}, oneOf: []string{roleOTP, roleRecoveryCode},
		reply: inToken, mints: mintsAsBefore,
		outcomes: []core.Kind{
			core.TicketUnknown, core.TicketUsed, core.TicketExpired, core.TicketInactive, core.BadOTP,
			core.Inactive, core.Unverified, core.Locked, core.MustChangeSecret,
		},
	},
	{
		name: Refresh, doc: "a refresh token gives the next token",
		need: []string{roleRefresh}, may: clientRoles, members: []string{"of", "client"}, reply: inToken | inPresented, mints: mintsAsBefore,
		outcomes: []core.Kind{
			core.RefreshUnknown, core.RefreshReused, core.RefreshExpired, core.RefreshRevoked,
			core.AccountGone, core.AccountInactive, core.AccountUnverified,
		},
	},
	{
		name: Extend, doc: "a bearer token gives the next one of its session, or lives longer itself", bearer: true, members: []string{"of", "same", "lifetime", "old"},
		reply: inToken | inPresented, mints: mintsAsBefore, outcomes: []core.Kind{core.SessionOver},
	},
	{
		name: Revoke, doc: "a token's session ends: the bearer's own, or that of another token",
		may: []string{roleToken, roleClient, roleClientSecret}, members: []string{"of", "caller", "client", "allow", "else"},
		bearer: true, reply: inDone,
	},
	{
		name: RevokeAll, doc: "all tokens of the bearer's account end", members: []string{"of"}, bearer: true, reply: inDone,
	},
	{
		name: Introspect, doc: "a caller asks whom a token speaks for",
		need: []string{roleToken}, may: clientRoles, members: []string{"of", "caller", "allow", "else"},
		bearer: true, reply: inWhoami | inPresented | inCaller, outcomes: []core.Kind{core.SubjectInvalid},
	},
	{
		name: Whoami, doc: "a bearer token gives an identity", members: []string{"of"}, bearer: true, reply: inWhoami | inPresented,
	},
	{
		name: Register, doc: "somebody makes an account of their own",
		need: []string{roleIdentifier, roleNewSecret}, may: []string{roleEmail, roleName, roleTenant, roleTenantName},
		members: []string{"issue", "with", "allow", "else", "set"}, reply: inAccount, mints: mintsIfNamed,
		outcomes: []core.Kind{core.AccountExists, core.PasswordRefused, core.InvalidRequest, core.InvalidField},
	},
	{
		name: RequestRecovery, doc: "a mail with a ticket for a new password goes out",
		need: []string{roleIdentifier}, may: tenantRoles, reply: inDone,
	},
	{
		name: RequestVerification, doc: "a mail with a ticket that verifies an account goes out",
		need: []string{roleIdentifier}, may: tenantRoles, reply: inDone,
	},
	{
		name: ResetPassword, doc: "a ticket sets a new password",
		need: []string{roleTicket, roleNewSecret}, reply: inDone,
		outcomes: []core.Kind{core.PasswordRefused, core.TicketUnknown, core.TicketUsed, core.TicketExpired, core.TicketInactive},
	},
	{
		name: Verify, doc: "a ticket verifies an account",
		need: []string{roleTicket}, reply: inAccount,
		outcomes: []core.Kind{core.TicketUnknown, core.TicketUsed, core.TicketExpired, core.TicketInactive, core.AlreadyVerified},
	},
	{
		name: KeySet, doc: "the public keys of the dialect's tokens", reply: inKeySet,
	},
	{
		name: Fixed, doc: "a reply that depends on nothing but the request", members: []string{"outcome"}, reply: inDone,
	},
}

var bearerOutcomes = []core.Kind{
	core.TokenMissing, core.TokenInvalid, core.TokenExpired, core.TokenRevoked, core.TokenForeign,
	core.AccountGone, core.AccountInactive, core.AccountUnverified,
}

// anyOutcomes are what every call can end in.
var anyOutcomes = []core.Kind{core.Internal, core.Unavailable, core.RateLimited, core.NotFound, core.MethodNotAllowed}

// Doc says what the operation does.
func (o Operation) Doc() string {
	op, _ := findOperation(string(o))
	return op.doc
}

// Operations lists every operation.
func Operations() []Operation {
	all := make([]Operation, len(operations))
	for i := range operations {
		all[i] = operations[i].name
	}
	return all
}

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
	for i := range operations {
		names[i] = string(operations[i].name)
	}
	return names
}

// takes reports whether the operation knows an input of that name.
func (o *operation) takes(role string) bool {
	return slices.Contains(o.need, role) || slices.Contains(o.oneOf, role) || slices.Contains(o.may, role)
}

// takers are the operations whose do has a member.
func takers(member string) []string {
	var names []string
	for i := range operations {
		if slices.Contains(operations[i].members, member) {
			names = append(names, string(operations[i].name))
		}
	}
	return names
}
