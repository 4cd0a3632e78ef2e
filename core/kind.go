package core

// A Kind is the outcome of an operation that did not succeed. Kinds are keys of
// dialect files, metric labels and audit reasons at once: never rename one.
//
// Kinds form a tree. A dialect that has no words for a kind uses those of its
// parent, so that a contract declares only what it tells apart.
type Kind string

// The kinds, each family under its root.
const (
	// Internal is whatever nobody foresaw: logged in full, told to no client.
	Internal Kind = "internal"
	// Unavailable means overload or a lost store; the caller may try again.
	Unavailable      Kind = "unavailable"
	NotFound         Kind = "not_found"
	MethodNotAllowed Kind = "method_not_allowed"
	RateLimited      Kind = "rate_limited"
	Forbidden        Kind = "forbidden"

	// InvalidRequest is the root of everything that is wrong with a request's form.
	InvalidRequest   Kind = "invalid_request"
	MalformedBody    Kind = "malformed_body"
	BodyMissing      Kind = "body_missing"
	BodyType         Kind = "body_type"
	BadEncoding      Kind = "bad_encoding"
	BoundaryMissing  Kind = "boundary_missing"
	TooManyFields    Kind = "too_many_fields"
	FieldTooLarge    Kind = "field_too_large"
	WrongContentType Kind = "wrong_content_type"
	TooLarge         Kind = "too_large"
	MissingField     Kind = "missing_field"
	InvalidField     Kind = "invalid_field"
	PasswordRefused  Kind = "password_refused"
	BadGrant         Kind = "bad_grant"
	ScopeDenied      Kind = "scope_denied"

	// BadCredentials is the root of every refused login: one answer unless a
	// dialect says otherwise.
	BadCredentials   Kind = "bad_credentials"
	Unknown          Kind = "unknown"
	BadSecret        Kind = "bad_secret"
	BadClient        Kind = "bad_client"   // the client beside the account
	Inactive         Kind = "inactive"     // said only after the secret matched
	Unverified       Kind = "unverified"   // said only after the secret matched
	Locked           Kind = "locked"       // said only after the secret matched
	KeyPending       Kind = "key_pending"  // said only after the secret matched
	KeyExpired       Kind = "key_expired"  // said only after the secret matched
	KeyRevoked       Kind = "key_revoked"  // said only after the secret matched
	MFARequired      Kind = "mfa_required" // said only after the secret matched
	BadOTP           Kind = "bad_otp"      // said only after the secret matched
	MustChangeSecret Kind = "must_change_secret"

	// Unauthorized is the root of every refused bearer token.
	Unauthorized      Kind = "unauthorized"
	TokenMissing      Kind = "token_missing"
	TokenInvalid      Kind = "token_invalid"
	TokenExpired      Kind = "token_expired"
	TokenRevoked      Kind = "token_revoked"
	TokenForeign      Kind = "token_foreign" // of another realm, dialect, audience, policy or purpose
	AccountGone       Kind = "account_gone"
	AccountInactive   Kind = "account_inactive"
	AccountUnverified Kind = "account_unverified"
	SessionOver       Kind = "session_over" // nothing is left of it to extend

	// BadRefresh is the root of every refused refresh token.
	BadRefresh     Kind = "bad_refresh"
	RefreshUnknown Kind = "refresh_unknown"
	RefreshReused  Kind = "refresh_reused" // it had been replaced: its session is ended
	RefreshExpired Kind = "refresh_expired"
	RefreshRevoked Kind = "refresh_revoked"

	// SubjectInvalid is a token asked about that does not hold, whatever the reason (S87).
	SubjectInvalid Kind = "subject_invalid"

	// BadTicket is the root of every refused recovery, verification or invitation ticket.
	BadTicket      Kind = "bad_ticket"
	TicketUnknown  Kind = "ticket_unknown"
	TicketUsed     Kind = "ticket_used"
	TicketExpired  Kind = "ticket_expired"
	TicketInactive Kind = "ticket_inactive" // the ticket's account is inactive

	// Conflicts of registration and verification.
	AccountExists   Kind = "account_exists"
	AlreadyVerified Kind = "already_verified"

	// Conflict is an administrator's change that meets another one, or a name
	// that is taken. No dialect words it.
	Conflict Kind = "conflict"
)

// tree lists every kind that a dialect can word, in the order of the manual, with its parent.
var tree = []struct{ kind, parent Kind }{
	{InvalidRequest, ""},
	{MalformedBody, InvalidRequest},
	{BodyMissing, MalformedBody},
	{BodyType, MalformedBody},
	{BadEncoding, MalformedBody},
	{BoundaryMissing, MalformedBody},
	{TooManyFields, MalformedBody},
	{FieldTooLarge, MalformedBody},
	{WrongContentType, InvalidRequest},
	{TooLarge, InvalidRequest},
	{MissingField, InvalidRequest},
	{InvalidField, InvalidRequest},
	{PasswordRefused, InvalidField},
	{BadGrant, InvalidRequest},
	{ScopeDenied, InvalidRequest},
	{BadCredentials, ""},
	{Unknown, BadCredentials},
	{BadSecret, BadCredentials},
	{BadClient, BadCredentials},
	{Inactive, BadCredentials},
	{Unverified, BadCredentials},
	{Locked, BadCredentials},
	{KeyPending, BadCredentials},
	{KeyExpired, BadCredentials},
	{KeyRevoked, BadCredentials},
	{MFARequired, BadCredentials},
	{BadOTP, BadCredentials},
	{MustChangeSecret, BadCredentials},
	{Unauthorized, ""},
	{TokenMissing, Unauthorized},
	{TokenInvalid, Unauthorized},
	{TokenExpired, TokenInvalid},
	{TokenRevoked, TokenInvalid},
	{TokenForeign, TokenInvalid},
	{AccountGone, Unauthorized},
	{AccountInactive, Unauthorized},
	{AccountUnverified, Unauthorized},
	{SessionOver, Unauthorized},
	{BadRefresh, Unauthorized},
	{RefreshUnknown, BadRefresh},
	{RefreshReused, BadRefresh},
	{RefreshExpired, BadRefresh},
	{RefreshRevoked, BadRefresh},
	{SubjectInvalid, ""},
	{BadTicket, ""},
	{TicketUnknown, BadTicket},
	{TicketUsed, BadTicket},
	{TicketExpired, BadTicket},
	{TicketInactive, BadTicket},
	{AccountExists, ""},
	{AlreadyVerified, ""},
	{RateLimited, ""},
	{Forbidden, ""},
	{Unavailable, ""},
	{NotFound, ""},
	{MethodNotAllowed, ""},
	{Internal, ""},
}

var parents = func() map[Kind]Kind {
	m := make(map[Kind]Kind, len(tree))
	for _, t := range tree {
		m[t.kind] = t.parent
	}
	return m
}()

// Kinds returns every kind that a dialect can word, families together.
func Kinds() []Kind {
	all := make([]Kind, len(tree))
	for i, t := range tree {
		all[i] = t.kind
	}
	return all
}

// Parent returns the kind whose words stand in for k's, or "" for a root.
func (k Kind) Parent() Kind { return parents[k] }

// IsA reports whether k is ancestor or below it.
func (k Kind) IsA(ancestor Kind) bool {
	for ; k != ""; k = k.Parent() {
		if k == ancestor {
			return true
		}
	}
	return false
}
