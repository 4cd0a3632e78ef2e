package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// A query is one statement of the store. Each has one text, which both engines
// take: $1, on conflict, returning; no cast by ::, no for update, no arrays.
type query int

const (
	readOne query = iota
	readRealm
	readRealms
	readAccount
	readAccountsByLogin
	readAccountByTenantLogin
	readAccounts
	readTenant
	readTenantByName
	readTenants
	readAccessKey
	readAccessKeyByIdentifier
	readAccessKeys
	readSession
	readSlot
	readToken
	readFactor
	readTicket
	countTickets
	readEvents
	readRealmEvents
	findEvents
	lastEvents
	readHead
	readSigningKeys
	readAnySigningKey
	readSigningKeyOf

	writeProbe
	putRealm
	insertAccount
	updateAccount
	putTenant
	insertAccessKey
	updateAccessKey
	insertSession
	endSlot
	endSession
	touchSession
	insertToken
	replaceToken
	prolongToken
	expireTokens
	purgeEnded
	purgeOver
	purgeUnused
	purgeTokens
	putFactor
	updateFactor
	deleteFactor
	putTicket
	insertIssue
	useTicket
	insertNotice
	leaseNotices
	postponeNotice
	deleteNotice
	insertSigningKey
	takeHead
	putHead
	trimEvents
	moveBase
	readOldest
	eraseAddresses
	insertEvents1
	insertEvents2
	insertEvents4
	insertEvents8
	insertEvents16
	insertEvents64
	beginStep
	endStep
	undoStep

	queryCount
)

const (
	accountColumns   = `realm, id, tenant, login, email, name, roles, attributes, active, verified, hold, password_hash, created_at, updated_at, tokens_from, tickets_from, version`
	tenantColumns    = `realm, id, name, attributes, active, created_at, version`
	accessKeyColumns = `realm, id, account, identifier, secret_digest, name, attributes, state, created_at, updated_at, expires_at, tokens_from, version`
	sessionColumns   = `realm, id, dialect, policy, account, access_key, client, tenant, methods, granted, slot, idle, created_at, seen_at, expires_at, ended_at, end_reason`
	tokenColumns     = `digest, session, token_use, token_id, issued_at, expires_at, replaced_at, sealed`
	factorColumns    = `realm, account, sealed, last_step, recovery, enrolled_at, version`
	ticketColumns    = `realm, account, purpose, digest, payload, issued_at, expires_at, used_at`
	noticeColumns    = `id, realm, dialect, purpose, tenant, login, request_id, created_at, due_at, attempts`
	eventColumns     = `sequence, at, realm, dialect, action, outcome, actor, account, access_key, token_id, session, address, request_id, link, sealed, salt`
	signingColumns   = `id, realm, dialect, algorithm, sealed, created_at`
)

// selectKeyOrDecoy reads an access key by its identifier. Where there is none it
// takes as many look-ups, and gives a row as long as a key's with the id nobody: its
// time does not tell which (S3). $3 is a digest.
const selectKeyOrDecoy = `select coalesce(k.realm, $1), coalesce(k.id, '` + nobody + `'), coalesce(k.account, '` + nobody + `'),
	coalesce(k.identifier, $2), coalesce(k.secret_digest, $3), coalesce(k.name, ''), coalesce(k.attributes, '{"a":"b"}'),
	coalesce(k.state, 'revoked'), coalesce(k.created_at, 1), coalesce(k.updated_at, 1), coalesce(k.expires_at, 0), coalesce(k.tokens_from, 0), coalesce(k.version, 1)
	from (select coalesce((select id from access_keys where realm = $1 and identifier = $2), '` + nobody + `') as id) as named
	left join access_keys as k on k.realm = $1 and k.id = named.id`

// nobody is the id of no access key and no account.
const nobody = "00000000-0000-0000-0000-000000000000"

// ofSession are a session's columns beside those of a token.
const ofSession = `s.realm, s.id, s.dialect, s.policy, s.account, s.access_key, s.client, s.tenant, s.methods, s.granted, s.slot, s.idle, s.created_at, s.seen_at, s.expires_at, s.ended_at, s.end_reason`

// selectSlot reads the session of a slot with its newest access token; that may be
// gone, having expired.
const selectSlot = `select coalesce(t.digest, ''), coalesce(t.session, ''), coalesce(t.token_use, ''), coalesce(t.token_id, ''),
	coalesce(t.issued_at, 0), coalesce(t.expires_at, 0), coalesce(t.replaced_at, 0), coalesce(t.sealed, ''), ` + ofSession + `
	from sessions as s left join tokens as t on t.realm = s.realm and t.session = s.id and t.token_use = 'access'
	where s.realm = $1 and s.slot = $2 and s.slot <> '' order by t.issued_at desc, t.expires_at desc limit 1`

// Sessions are purged for each way in which they can be over.
const (
	purgeSessions = `delete from sessions where (realm, id) in (select realm, id from sessions where `
	purgeLimit    = ` limit $2)`
)

var queries = [queryCount]string{ //nolint:gosec // names such as insertToken are those of queries
	readOne:    `select 1`,
	readRealm:  `select name, attributes, created_at from realms where name = $1`,
	readRealms: `select name, attributes, created_at from realms order by name`,

	readAccount: `select ` + accountColumns + ` from accounts where realm = $1 and id = $2`,
	// A second one is all that has to be known of others. The order has the one without
	// a tenant come first, and makes SQLite take the index.
	readAccountsByLogin:      `select ` + accountColumns + ` from accounts where realm = $1 and canonical = $2 order by tenant limit 2`,
	readAccountByTenantLogin: `select ` + accountColumns + ` from accounts where realm = $1 and canonical = $2 and tenant = $3`,
	readAccounts:             `select ` + accountColumns + ` from accounts where realm = $1 and (canonical, id) > ($2, $3) order by canonical, id limit $4`,

	readTenant:       `select ` + tenantColumns + ` from tenants where realm = $1 and id = $2`,
	readTenantByName: `select ` + tenantColumns + ` from tenants where realm = $1 and canonical = $2`,
	readTenants:      `select ` + tenantColumns + ` from tenants where realm = $1 and id > $2 order by id limit $3`,

	readAccessKey:             `select ` + accessKeyColumns + ` from access_keys where realm = $1 and id = $2`,
	readAccessKeyByIdentifier: selectKeyOrDecoy,
	readAccessKeys:            `select ` + accessKeyColumns + ` from access_keys where realm = $1 and identifier > $2 order by identifier limit $3`,

	readSession: `select ` + sessionColumns + ` from sessions where realm = $1 and id = $2`,
	readSlot:    selectSlot,
	readToken: `select t.digest, t.session, t.token_use, t.token_id, t.issued_at, t.expires_at, t.replaced_at, t.sealed,
		` + ofSession + ` from tokens as t
		join sessions as s on s.realm = t.realm and s.id = t.session where t.realm = $1 and t.digest = $2`,

	readFactor: `select ` + factorColumns + ` from factors where realm = $1 and account = $2`,

	readTicket:   `select ` + ticketColumns + ` from tickets where realm = $1 and digest = $2`,
	countTickets: `select count(*) from ticket_issues where realm = $1 and (account = $2 or recipient = $3) and purpose = $4 and issued_at >= $5`,

	readEvents:      `select ` + eventColumns + ` from audit where sequence > $1 order by sequence limit $2`,
	readRealmEvents: `select ` + eventColumns + ` from audit where realm = $1 and sequence > $2 order by sequence limit $3`,
	findEvents:      `select ` + eventColumns + ` from audit where sequence > $1 and ` + eventFilter(2) + ` order by sequence limit $17`,
	lastEvents:      `select ` + eventColumns + ` from audit where ` + eventFilter(1) + ` order by sequence desc limit $16`,
	readHead:        `select sequence, link, base, base_link from audit_head where id = 1`,

	readSigningKeys:   `select ` + signingColumns + ` from signing_keys where realm = $1 and dialect = $2 order by created_at desc, ordinal desc, id`,
	readAnySigningKey: `select ` + signingColumns + ` from signing_keys order by created_at desc, id limit 1`,
	readSigningKeyOf:  `select ` + signingColumns + ` from signing_keys where realm = $1 and dialect = $2 and algorithm = $3 order by created_at desc, ordinal desc limit 1`,

	writeProbe: `insert into probe (id, at) values (1, $1) on conflict (id) do update set at = excluded.at`,
	putRealm:   `insert into realms (name, attributes, created_at) values ($1, $2, $3) on conflict (name) do update set attributes = excluded.attributes`,

	insertAccount: `insert into accounts (` + accountColumns + `, canonical) values ` + placeholders(1, 18),
	updateAccount: `update accounts set tenant = $4, login = $5, email = $6, name = $7, roles = $8, attributes = $9, active = $10, verified = $11,
		hold = $12, password_hash = $13, created_at = $14, updated_at = $15, tokens_from = $16, tickets_from = $17, canonical = $18, version = version + 1
		where realm = $1 and id = $2 and version = $3`,

	putTenant: `insert into tenants (` + tenantColumns + `, canonical) values ` + placeholders(1, 8) + `
		on conflict (realm, id) do update set name = excluded.name, attributes = excluded.attributes, active = excluded.active,
		canonical = excluded.canonical, version = tenants.version + 1`,

	insertAccessKey: `insert into access_keys (` + accessKeyColumns + `) values ` + placeholders(1, 13),
	updateAccessKey: `update access_keys set account = $4, identifier = $5, secret_digest = $6, name = $7, attributes = $8, state = $9,
		created_at = $10, updated_at = $11, expires_at = $12, tokens_from = $13, version = version + 1
		where realm = $1 and id = $2 and version = $3`,

	insertSession: `insert into sessions (` + sessionColumns + `) values ` + placeholders(1, 17) + `
		on conflict (realm, slot) where slot <> '' do nothing`,
	endSlot:      `update sessions set ended_at = $1, slot = '' where realm = $2 and slot = $3 and slot <> '' and ended_at = 0 returning id`,
	endSession:   `update sessions set ended_at = $1, end_reason = $2, slot = '' where realm = $3 and id = $4 and ended_at = 0`,
	touchSession: `update sessions set seen_at = case when seen_at < $1 then $2 else seen_at end where realm = $3 and id = $4 and ended_at = 0`,

	insertToken:  `insert into tokens (realm, ` + tokenColumns + `) values ` + placeholders(1, 9),
	replaceToken: `update tokens set replaced_at = $1 where realm = $2 and digest = $3 and token_use = 'refresh' and replaced_at = 0`,
	prolongToken: `update tokens set expires_at = $1 where realm = $2 and digest = $3 and token_use = 'access' and (expires_at = 0 or expires_at > $4)`,
	expireTokens: `update tokens set expires_at = $1 where realm = $2 and session = $3 and token_use = 'access' and (expires_at = 0 or expires_at > $4)
		and digest not in (select digest from tokens where realm = $2 and session = $3 and token_use = 'access' and (expires_at = 0 or expires_at > $4)
		order by issued_at desc, digest limit $5)`,

	purgeEnded:  purgeSessions + `ended_at <> 0 and ended_at < $1` + purgeLimit,
	purgeOver:   purgeSessions + `expires_at <> 0 and expires_at < $1` + purgeLimit,
	purgeUnused: purgeSessions + `idle > 0 and seen_at + idle < $1` + purgeLimit,
	purgeTokens: `delete from tokens where (realm, digest) in (select realm, digest from tokens where expires_at <> 0 and expires_at < $1 limit $2)`,

	putFactor: `insert into factors (` + factorColumns + `) values ` + placeholders(1, 7) + `
		on conflict (realm, account) do update set sealed = excluded.sealed, last_step = excluded.last_step, recovery = excluded.recovery,
		enrolled_at = excluded.enrolled_at, version = factors.version + 1`,
	updateFactor: `update factors set sealed = $1, last_step = $2, recovery = $3, enrolled_at = $4, version = version + 1
		where realm = $5 and account = $6 and version = $7`,
	deleteFactor: `delete from factors where realm = $1 and account = $2`,

	// One row for an account and purpose: a newer ticket ends the older one even
	// if two are issued at once.
	putTicket: `insert into tickets (` + ticketColumns + `) values ` + placeholders(1, 8) + `
		on conflict (realm, account, purpose) do update set digest = excluded.digest, payload = excluded.payload, issued_at = excluded.issued_at,
		expires_at = excluded.expires_at, used_at = excluded.used_at`,
	insertIssue: `insert into ticket_issues (realm, account, purpose, issued_at, recipient) values ` + placeholders(1, 5),
	useTicket:   `update tickets set used_at = $3 where realm = $1 and digest = $2 and used_at = 0`,

	insertNotice: `insert into notices (` + noticeColumns + `, leased_until) values ` + placeholders(1, 11),
	// The condition stands twice: when another replica leases the same row first,
	// PostgreSQL looks at the outer one again.
	leaseNotices: `update notices set leased_until = $2
		where leased_until <= $1 and id in (select id from notices where due_at <= $1 and leased_until <= $1 order by due_at, id limit $3)
		returning ` + noticeColumns,
	postponeNotice: `update notices set attempts = attempts + 1, due_at = $2, leased_until = 0 where id = $1`,
	deleteNotice:   `delete from notices where id = $1`,

	insertSigningKey: `insert into signing_keys (` + signingColumns + `, ordinal) values ` + placeholders(1, 7) + `
		on conflict (realm, dialect, algorithm, ordinal) do nothing`,

	takeHead: `update audit_head set sequence = sequence + $1 where id = 1 returning sequence, link`,
	putHead:  `update audit_head set link = $1 where id = 1`,
	// The oldest records that are old enough, of the oldest $1 of all.
	readOldest:     `select sequence, link, at from audit order by sequence limit $1`,
	trimEvents:     `delete from audit where sequence <= $1`,
	moveBase:       `update audit_head set base = $1, base_link = $2 where id = 1`,
	eraseAddresses: `update audit set address = '', salt = $1 where realm = $2 and account = $3 and address <> ''`,

	insertEvents1:  insertEvents(1),
	insertEvents2:  insertEvents(2),
	insertEvents4:  insertEvents(4),
	insertEvents8:  insertEvents(8),
	insertEvents16: insertEvents(16),
	insertEvents64: insertEvents(64),

	beginStep: `savepoint step`,
	endStep:   `release savepoint step`,
	undoStep:  `rollback to savepoint step`,
}

const eventWidth = 16 // columns

// eventFilter is the condition that a [core.EventFilter] makes, of the 15 parameters
// from first on that [filterArgs] gives: each stands once, so texts come twice.
func eventFilter(first int) string {
	n := first - 1
	next := func() string { n++; return "$" + strconv.Itoa(n) }
	condition := ""
	for _, column := range []string{"realm", "account", "access_key", "action", "outcome", "request_id"} {
		condition += `(` + next() + ` = '' or ` + column + ` = ` + next() + `) and `
	}
	return condition + `at >= ` + next() + ` and at < ` + next() + ` and (not ` + next() + ` or outcome <> '')`
}

func insertEvents(rows int) string {
	return `insert into audit (` + eventColumns + `) values ` + placeholders(rows, eventWidth)
}

// placeholders returns rows of the form ($1, $2), ($3, $4).
func placeholders(rows, columns int) string {
	var b strings.Builder
	for n := range rows * columns {
		switch {
		case n == 0:
			b.WriteString("(")
		case n%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(n+1))
	}
	return b.String() + ")"
}

// readQueries and writeQueries are what each handle prepares. The writer reads
// as well, inside its transactions.
var (
	readQueries  = span(readOne, writeProbe)
	writeQueries = append(span(writeProbe, queryCount), readAccount, readAccessKey, readSession, readToken, readFactor, readTicket, readSigningKeyOf)
)

func span(from, to query) []query {
	var all []query
	for q := from; q < to; q++ {
		all = append(all, q)
	}
	return all
}

// statements are queries, prepared on one handle.
type statements struct {
	db       *sql.DB
	prepared [queryCount]*sql.Stmt
}

func prepare(ctx context.Context, e *engine, db *sql.DB, which []query) (*statements, error) {
	s := &statements{db: db}
	for _, q := range which {
		var stmt *sql.Stmt
		var err error
		if e.unnamed {
			stmt, err = db.PrepareContext(ctx, unnamed(queries[q]))
		} else {
			stmt, err = db.PrepareContext(ctx, queries[q])
		}
		if err != nil {
			return nil, fmt.Errorf("prepare %q: %w", queries[q], err)
		}
		s.prepared[q] = stmt // closed with db
	}
	return s, nil
}

func (s *statements) row(ctx context.Context, q query, args ...any) *sql.Row {
	return s.prepared[q].QueryRowContext(ctx, args...)
}

func (s *statements) rows(ctx context.Context, q query, args ...any) (*sql.Rows, error) {
	return s.prepared[q].QueryContext(ctx, args...)
}
