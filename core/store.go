package core

import (
	"context"
	"time"
)

// The interfaces below are met by internal/store for SQLite and PostgreSQL and,
// for tests, by internal/store/memory; core/storetest says what each must do.
//
// A method is one atomic step. What it is given together (a change, its audit
// record, its mail) becomes durable together before it returns, or not at all.
// A row that is not there is an error of kind NotFound, a name that is taken or
// a lost race is Conflict, and a store that cannot be reached is Unavailable.

// Realms keeps realms.
type Realms interface {
	Realm(ctx context.Context, name Realm) (RealmInfo, error)
	Realms(ctx context.Context) ([]RealmInfo, error) // by name
	// PutRealm creates the realm, or replaces what it declares.
	PutRealm(ctx context.Context, realm RealmInfo, event Event) error
}

// Accounts keeps accounts.
type Accounts interface {
	Account(ctx context.Context, realm Realm, id AccountID) (Account, error)
	AccountByLogin(ctx context.Context, realm Realm, login CanonicalLogin) (Account, error)
	// AccountList returns at most limit accounts in order of canonical login, from
	// after it on; "" starts at the first.
	AccountList(ctx context.Context, realm Realm, after CanonicalLogin, limit int) ([]Account, error)
	CreateAccount(ctx context.Context, account Account, event Event) error
	// UpdateAccount loads, lets change edit, and saves, in one transaction. change
	// may run more than once; its error undoes the update and is returned as it is.
	UpdateAccount(ctx context.Context, realm Realm, id AccountID, change func(*Account) (Event, error)) error
}

// AccessKeys keeps access keys.
type AccessKeys interface {
	AccessKey(ctx context.Context, realm Realm, id KeyID) (AccessKey, error)
	AccessKeyByIdentifier(ctx context.Context, realm Realm, identifier string) (AccessKey, error)
	// AccessKeyList returns at most limit keys in order of identifier, from after
	// it on; "" starts at the first.
	AccessKeyList(ctx context.Context, realm Realm, after string, limit int) ([]AccessKey, error)
	CreateAccessKey(ctx context.Context, key AccessKey, event Event) error
	// UpdateAccessKey is as UpdateAccount.
	UpdateAccessKey(ctx context.Context, realm Realm, id KeyID, change func(*AccessKey) (Event, error)) error
}

// Recent reads for the hot path, from memory where it can. What it returns is
// never older than a change made by this process, and at most two seconds older
// than one made by another (S47). An acceptance may rest on it; a refusal is
// decided on a fresh read.
type Recent interface {
	RecentAccount(ctx context.Context, realm Realm, id AccountID) (Account, error)
	RecentAccessKey(ctx context.Context, realm Realm, id KeyID) (AccessKey, error)
	// HeldAccessKey is the key that memory holds, or NotFound without a look
	// anywhere else; HoldAccessKey reads a key into memory.
	HeldAccessKey(realm Realm, identifier string) (AccessKey, error)
	HoldAccessKey(ctx context.Context, realm Realm, identifier string) error
}

// Tickets keeps one-time tickets, by digest.
type Tickets interface {
	// IssueTicket stores a ticket and deletes the account's older ones of the same purpose.
	IssueTicket(ctx context.Context, ticket Ticket, event Event) error
	Ticket(ctx context.Context, realm Realm, digest Digest) (Ticket, error)
	// TicketsSince counts the tickets issued to an account from an instant on,
	// those deleted by newer ones included.
	TicketsSince(ctx context.Context, realm Realm, account AccountID, purpose Purpose, from time.Time) (int, error)
	// RedeemTicket marks the ticket as used and changes its account, in one
	// transaction. Of any number of concurrent calls one succeeds; a ticket that
	// has been used, replaced or never issued gives TicketUsed or TicketUnknown.
	// The error of change undoes everything and is returned as it is.
	RedeemTicket(ctx context.Context, realm Realm, digest Digest, now time.Time, change func(Ticket, *Account) (Event, error)) error
}

// Outbox keeps mails to be sent, as notices: what is to be told to whom. The
// mail itself, with its ticket, is made when it is sent, so that no ticket is
// ever stored in the clear.
type Outbox interface {
	Enqueue(ctx context.Context, notice Notice, event Event) error
	// LeaseNotices returns at most limit notices that are due at now, and hides
	// them from other callers until the lease ends.
	LeaseNotices(ctx context.Context, now, leaseEnd time.Time, limit int) ([]Notice, error)
	// PostponeNotice counts a failed attempt and makes the notice due again at dueAt.
	PostponeNotice(ctx context.Context, id string, dueAt time.Time) error
	// RemoveNotice ends a notice; an event with no Action is not recorded.
	RemoveNotice(ctx context.Context, id string, event Event) error
}

// Journal keeps audit records.
type Journal interface {
	// Record returns once the event is durable.
	Record(ctx context.Context, event Event) error
	// Events returns at most limit records of a realm ("" for all) in order of
	// sequence, from after it on.
	Events(ctx context.Context, realm Realm, after int64, limit int) ([]RecordedEvent, error)
}

// A RecordedEvent is an event with its place in the journal.
type RecordedEvent struct {
	Sequence int64
	Event
}
