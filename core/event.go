package core

import (
	"net/netip"
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
)

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
	Address   netip.Addr
	RequestID string
}
