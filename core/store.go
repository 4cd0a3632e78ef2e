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
	// AccountByLogin is the one account of a login name, whatever its tenant. Several
	// are Conflict; with it comes the one of them that has no tenant, if there is one.
	AccountByLogin(ctx context.Context, realm Realm, login CanonicalLogin) (Account, error)
	// AccountList returns at most limit accounts in order of canonical login and id,
	// from after the cursor on.
	AccountList(ctx context.Context, realm Realm, after AccountCursor, limit int) ([]Account, error)
	// CreateAccount stores an account, and the notices of mails to it.
	CreateAccount(ctx context.Context, account Account, event Event, notices ...Notice) error
	// UpdateAccount loads, lets change edit, and saves, in one transaction. change
	// may run more than once; its error undoes the update and is returned as it is.
	UpdateAccount(ctx context.Context, realm Realm, id AccountID, change func(*Account) (Event, error)) error
}

// An AccountCursor is a place in the list of accounts; the zero value comes
// before the first. Two tenants may have the same login name.
type AccountCursor struct {
	Login CanonicalLogin
	ID    AccountID
}

// Tenants keeps tenants.
type Tenants interface {
	Tenant(ctx context.Context, realm Realm, id TenantID) (Tenant, error)
	// TenantByName finds a tenant by its name, which folds as login names do.
	TenantByName(ctx context.Context, realm Realm, name CanonicalLogin) (Tenant, error)
	// TenantList returns at most limit tenants in order of id, from after it on; ""
	// starts at the first.
	TenantList(ctx context.Context, realm Realm, after TenantID, limit int) ([]Tenant, error)
	// PutTenant creates the tenant, or replaces it but for the instant of its
	// creation, and counts the change. A name that another one has is Conflict.
	PutTenant(ctx context.Context, tenant Tenant, event Event) error
	// AccountByTenantLogin is the account of a login name within a tenant; the
	// tenant "" is that of accounts without one.
	AccountByTenantLogin(ctx context.Context, realm Realm, tenant TenantID, login CanonicalLogin) (Account, error)
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
	RecentSession(ctx context.Context, realm Realm, id SessionID) (Session, error)
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
	// TicketsSince counts the tickets mailed to an account or to a recipient,
	// whosever they were, from an instant on. Those deleted by newer ones are included.
	TicketsSince(ctx context.Context, realm Realm, account AccountID, recipient Digest, purpose Purpose, from time.Time) (int, error)
	// RedeemTicket marks the ticket as used and changes its account, in one
	// transaction. Of any number of concurrent calls one succeeds; a ticket that
	// has been used, replaced or never issued gives TicketUsed or TicketUnknown.
	// The error of change undoes everything and is returned as it is.
	RedeemTicket(ctx context.Context, realm Realm, digest Digest, now time.Time, change func(Ticket, *Account) (Event, error)) error
}

// Sessions keeps what tracked tokens belong to.
type Sessions interface {
	// OpenSession stores a session with its first tokens. It ends what the opening
	// says in the same step; a slot that is held after that is Conflict, and nothing
	// is done.
	OpenSession(ctx context.Context, opening Opening) error
	Session(ctx context.Context, realm Realm, id SessionID) (Session, error)
	// SlotSession is the session that holds the slot, with the newest of its access
	// tokens: the zero token if none is left. It has not been ended; whether it is
	// over is the caller's to judge.
	SlotSession(ctx context.Context, realm Realm, slot string) (Session, StoredToken, error)
	// EndSession ends a session and with it all its tokens. One that has been ended
	// stays as it is, which is no error; the event is recorded all the same.
	EndSession(ctx context.Context, realm Realm, id SessionID, now time.Time, reason Kind, event Event) error
	// TouchSession moves a session's SeenAt forward, never back; Conflict if it has
	// been ended or is not there.
	TouchSession(ctx context.Context, realm Realm, id SessionID, seenAt time.Time) error
}

// Tokens keeps the tokens of sessions, by digest.
type Tokens interface {
	// Token is the token with its session, whatever state they are in.
	Token(ctx context.Context, realm Realm, digest Digest) (StoredToken, Session, error)
	// AddTokens adds tokens to a session; Conflict if it has been ended. Of the access
	// tokens that it has the newest ones go on, at most keep of them; the others expire
	// at now.
	AddTokens(ctx context.Context, realm Realm, id SessionID, now time.Time, tokens []StoredToken, keep int, event Event) error
	// ProlongToken gives an access token another ExpiresAt; Conflict if it does not hold
	// at now, or its session has been ended.
	ProlongToken(ctx context.Context, realm Realm, token StoredToken, now time.Time, event Event) error
	// RotateToken replaces a refresh token by others, once: of any number of
	// concurrent calls one succeeds, the others are Conflict, as is a session that
	// has been ended.
	RotateToken(ctx context.Context, realm Realm, old Digest, now time.Time, tokens []StoredToken, event Event) error
	// PurgeSessions removes sessions that were over before an instant, with their
	// tokens, and tokens that expired before it: at most limit of both together.
	// Fewer than limit means that none are left.
	PurgeSessions(ctx context.Context, before time.Time, limit int) (removed int, err error)
}

// Factors keeps second factors, at most one of an account.
type Factors interface {
	Factor(ctx context.Context, realm Realm, account AccountID) (Factor, error)
	// PutFactor stores a factor in place of the account's older one.
	PutFactor(ctx context.Context, factor Factor, event Event) error
	// UpdateFactor is as UpdateAccount.
	UpdateFactor(ctx context.Context, realm Realm, account AccountID, change func(*Factor) (Event, error)) error
	DeleteFactor(ctx context.Context, realm Realm, account AccountID, event Event) error
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
