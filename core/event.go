package core

import (
	"net/netip"
	"slices"
	"time"
)

// An Action is what an audit record tells of.
type Action string

// The actions.
const (
	ActionExchange          Action = "exchange" // a credential for a token, granted or not
	ActionRecoveryRequested Action = "recovery_requested"
	ActionTicketIssued      Action = "ticket_issued"
	ActionTicketWithheld    Action = "ticket_withheld" // asked for, but no mail goes out; Outcome says why
	ActionPasswordReset     Action = "password_reset"
	ActionPasswordRehashed  Action = "password_rehashed"
	ActionMailExpired       Action = "mail_expired"
	ActionRealmChanged      Action = "realm_changed"
	ActionAccountCreated    Action = "account_created"
	ActionAccountChanged    Action = "account_changed"
	ActionAccountDisabled   Action = "account_disabled"
	ActionKeyCreated        Action = "access_key_created"
	ActionKeyChanged        Action = "access_key_changed"
	ActionKeyApproved       Action = "access_key_approved"
	ActionKeyRevoked        Action = "access_key_revoked"

	ActionChallengeIssued       Action = "challenge_issued" // the password was right, the second factor is to come
	ActionChallengeRedeemed     Action = "challenge_redeemed"
	ActionTokenRefreshed        Action = "token_refreshed"
	ActionRefreshReused         Action = "refresh_reused" // a refresh token came a second time, and its session was ended
	ActionTokenExtended         Action = "token_extended"
	ActionTokenReused           Action = "token_reused" // the same token was given again
	ActionSessionEnded          Action = "session_ended"
	ActionTokensEnded           Action = "tokens_ended" // all of an account
	ActionAccountRegistered     Action = "account_registered"
	ActionVerificationRequested Action = "verification_requested"
	ActionAccountVerified       Action = "account_verified"
	ActionFactorEnrolled        Action = "factor_enrolled"
	ActionFactorRemoved         Action = "factor_removed"
	ActionFactorUsed            Action = "factor_used"
	ActionTenantChanged         Action = "tenant_changed"
	ActionAuditTrimmed          Action = "audit_trimmed"    // the oldest records were removed
	ActionAddressesErased       Action = "addresses_erased" // from an account's records
)

// actions are all of them, in the order above.
var actions = []Action{
	ActionExchange, ActionRecoveryRequested, ActionTicketIssued, ActionTicketWithheld,
	ActionPasswordReset, ActionPasswordRehashed, ActionMailExpired, ActionRealmChanged,
	ActionAccountCreated, ActionAccountChanged, ActionAccountDisabled, ActionKeyCreated,
	ActionKeyChanged, ActionKeyApproved, ActionKeyRevoked, ActionChallengeIssued,
	ActionChallengeRedeemed, ActionTokenRefreshed, ActionRefreshReused, ActionTokenExtended,
	ActionTokenReused, ActionSessionEnded, ActionTokensEnded, ActionAccountRegistered,
	ActionVerificationRequested, ActionAccountVerified, ActionFactorEnrolled, ActionFactorRemoved,
	ActionFactorUsed, ActionTenantChanged, ActionAuditTrimmed, ActionAddressesErased,
}

// Actions returns every action.
func Actions() []Action { return slices.Clone(actions) }

// An Event is one audit record. It says exactly why something was refused,
// though the wire does not (S79), and never holds a secret.
type Event struct {
	At        time.Time
	Realm     Realm
	Dialect   string
	Action    Action
	Outcome   Kind // "" when it succeeded
	Actor     string
	Account   AccountID
	Key       KeyID
	TokenID   string
	Session   SessionID
	Address   netip.Addr
	RequestID string
}
