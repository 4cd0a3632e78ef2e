package core

import "time"

// Terms are what one dialect lays down for one realm: the part of its file that
// the core acts on. They can add to the core's rules, never loosen them.
type Terms struct {
	Realm    Realm
	Dialect  string
	Issuer   string
	Policies map[string]Policy // by the dialect's own names of them
	Order    []string          // of the policies in the file
	// AdmitUnverified lets accounts in that have not been verified.
	AdmitUnverified bool
	// LoginsAlone says that a route signs in by a login name without naming a tenant:
	// nobody may then register a name that an account has, of whichever tenant.
	LoginsAlone bool
	// AskSecondFactor asks accounts that have a second factor for it.
	AskSecondFactor bool
	// TicketLifetimes say how long tickets live, by their purpose (S25); what is not
	// set is as in [TicketBounds].
	TicketLifetimes map[Purpose]time.Duration
	// Mails word the mails of tickets, by their purpose; the dialect sends no others.
	Mails map[Purpose]MailWords
}

// MailWords words a mail with a ticket for account.
type MailWords func(account Account, ticket Secret) (subject string, link Secret, err error)

// A SubjectKind is a kind of credential.
type SubjectKind string

// The kinds of credential.
const (
	SubjectAccount SubjectKind = "account" // a login name and a password
	SubjectKey     SubjectKind = "key"     // an access key and its secret
)
