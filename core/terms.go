package core

import "time"

// Terms are what one dialect lays down for one realm: the part of its file that
// the core acts on. They can add to the core's rules, never loosen them.
type Terms struct {
	Realm    Realm
	Dialect  string
	Issuer   string
	Policies map[string]Policy // by the dialect's own names of them
	// AdmitUnverified lets accounts in that have not been verified.
	AdmitUnverified bool
	// RecoveryLifetime is how long a recovery ticket lives: 1 h unless set, 24 h at most (S25).
	RecoveryLifetime time.Duration
	// RecoveryMail words the recovery mail; nil when the dialect has no recovery.
	RecoveryMail func(account Account, ticket Secret) (subject string, link Secret, err error)
}

// A SubjectKind is a kind of credential.
type SubjectKind string

// The kinds of credential.
const (
	SubjectAccount SubjectKind = "account" // a login name and a password
	SubjectKey     SubjectKind = "key"     // an access key and its secret
)

// Bounds of recovery tickets (S25).
const (
	defaultRecoveryLifetime = time.Hour
	maxRecoveryLifetime     = 24 * time.Hour
)
