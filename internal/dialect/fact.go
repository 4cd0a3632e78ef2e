package dialect

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/chancery-auth/chancery/core"
)

// A factType is the type of a fact or of an expression's result.
type factType string

// The types. A list is of texts; any is a list, a number, a text or a boolean that
// only the request or the realm's data knows; JSON is written as it is.
const (
	textType    factType = "text"
	integerType factType = "integer"
	numberType  factType = "number"
	booleanType factType = "boolean"
	instantType factType = "instant"
	listType    factType = "list"
	anyType     factType = "any"
	issuesType  factType = "issues"
	rawType     factType = "JSON"
)

// cel is the type as expressions know it; what may be absent reads null.
func (t factType) cel(nullable bool) *cel.Type {
	plain := map[factType]*cel.Type{
		textType: cel.StringType, integerType: cel.IntType, numberType: cel.DoubleType, booleanType: cel.BoolType,
		instantType: cel.TimestampType, listType: cel.ListType(cel.StringType), anyType: cel.DynType, rawType: cel.BytesType,
		issuesType: cel.ListType(cel.MapType(cel.StringType, cel.DynType)),
	}[t]
	switch t {
	case textType, integerType, numberType, booleanType:
		if nullable {
			return cel.NullableType(plain)
		}
		return plain
	default: // the others take null as they are
		return plain
	}
}

// A where is a set of places in a file.
type where uint32

// The places where facts are known. The reply to a refusal is inError together with
// what its outcome adds, and a reply whose route has a caller is in inCaller too.
const (
	inClaims    where = 1 << iota // a token's claims
	inValue                       // an opaque token's value
	inRequest                     // an input's required and forbidden
	inGrant                       // a route's with, allow and lifetime
	inToken                       // a reply that gives a token
	inWhoami                      // a reply that tells a token's identity
	inAccount                     // a reply that gives an account alone
	inKeySet                      // the reply to keyset
	inDone                        // a reply that gives nothing
	inPresented                   // a reply to whoever presents a token
	inCaller                      // where somebody asks about another's token
	inError                       // the reply to a refusal
	inState                       // to one that tells a proved account's state
	inKeyState                    // to one that tells a proved access key's state
	inChallenge                   // to mfa_required
	inLimit                       // to rate_limited
	inIssue                       // an issue's template
	inSubject                     // a mail's subject
	inLink                        // a mail's link
)

const (
	inReply    = inToken | inWhoami | inAccount | inKeySet | inDone
	everywhere = inClaims | inValue | inRequest | inGrant | inReply | inError | inIssue | inSubject | inLink
	ofToken    = inClaims | inToken | inWhoami
	ofIdentity = ofToken | inGrant
	ofTenant   = ofIdentity | inAccount | inState
	ofAccount  = ofTenant | inSubject
	ofRequest  = inRequest | inReply | inError | inIssue
)

var placeNames = []struct {
	in   where
	name string
}{
	{inClaims, "claims"}, {inValue, "a token's value"}, {inRequest, "required"}, {inGrant, "with and allow"},
	{inToken, "replies with a token"}, {inWhoami, "replies with an identity"}, {inAccount, "replies with an account"},
	{inKeySet, "the reply to keyset"}, {inDone, "replies with nothing"}, {inPresented, "replies to a presented token"}, {inCaller, "introspect and revoke"},
	{inError, "errors"}, {inState, "errors that tell an account's state"}, {inKeyState, "errors that tell a key's state"},
	{inChallenge, "errors.mfa_required"}, {inLimit, "errors.rate_limited"}, {inIssue, "issues"},
	{inSubject, "a mail's subject"}, {inLink, "a mail's link"},
}

// ofKind is what the reply to a refusal of a kind knows beside the rest of errors:
// facts of the account or key that core tells only after the proof. A reply that
// others fall back to never knows them.
func ofKind(kind core.Kind) where {
	switch kind {
	case core.Inactive, core.Unverified, core.Locked, core.MustChangeSecret,
		core.AccountInactive, core.AccountUnverified, core.AlreadyVerified:
		return inState
	case core.MFARequired:
		return inState | inChallenge
	case core.KeyPending, core.KeyExpired, core.KeyRevoked:
		return inKeyState
	case core.RateLimited:
		return inLimit
	default:
		return 0
	}
}

func (w where) String() string {
	var names []string
	for _, p := range placeNames {
		if w&p.in != 0 {
			names = append(names, p.name)
		}
	}
	return strings.Join(names, ", ")
}

// A getter reads a fact: nil, string, int64, float64, bool, time.Time, []string,
// []any, map[string]any or json.RawMessage.
type getter func(*scope) any

// A Fact is a name that a dialect file may use in its expressions.
type Fact struct {
	Name     string
	Type     string
	Nullable bool   // whether it may be absent, which reads null
	Where    string // the places that know it
	Doc      string
}

// Facts lists every fact but those that a file declares itself: input.NAME and
// sent.NAME, setting.NAME, granted.NAME, message.NAME and the names of attributes.
func Facts() []Fact {
	all := make([]Fact, len(facts))
	for i, f := range facts {
		all[i] = Fact{Name: f.name, Type: string(f.typ), Nullable: f.nullable, Where: f.where.String(), Doc: f.doc}
	}
	return all
}

// A fact is an entry of the registry. There is none for a password, a secret or a
// hash: what has no name cannot be told.
type fact struct {
	name     string
	typ      factType
	nullable bool
	where    where
	doc      string
	get      getter
}

var facts = []fact{
	{"account.id", textType, false, ofAccount, "the account's UUID, the same at every login", func(s *scope) any { return string(s.account.ID) }},
	{"account.login", textType, false, ofAccount, "the login name as it was given", func(s *scope) any { return s.account.Login }},
	{"account.email", textType, true, ofAccount, "the address where the account's mail goes", func(s *scope) any { return orNull(s.account.Email) }},
	{"account.name", textType, true, ofAccount, "the account's readable name", func(s *scope) any { return orNull(s.account.Name) }},
	{"account.roles", listType, false, ofAccount, "the account's roles", func(s *scope) any { return s.account.Roles }},
	{"account.active", booleanType, false, ofAccount, "whether the account may sign in", func(s *scope) any { return s.account.Active }},
	{"account.verified", booleanType, false, ofAccount, "whether the account has been verified", func(s *scope) any { return s.account.Verified }},
	{"account.attributes", anyType, false, ofAccount, "what the realm declares of its accounts; .NAME reads one, null when the account lacks it", func(s *scope) any { return attributes(s.account.Attributes) }},
	{"account.created_at", instantType, false, ofAccount, "when the account was made", func(s *scope) any { return s.account.CreatedAt }},
	{"account.updated_at", instantType, false, ofAccount, "when the account was last changed", func(s *scope) any { return s.account.UpdatedAt }},

	{"key.id", textType, true, ofIdentity | inKeyState, "the UUID of the access key's record, not the key itself", keyFact(func(s *scope) any { return string(s.key.ID) })},
	{"key.identifier", textType, true, inToken | inWhoami | inGrant, "the access key, as the client sends it beside the secret", keyFact(func(s *scope) any { return s.key.Identifier })},
	{"key.name", textType, true, ofIdentity | inKeyState, "the access key's readable name", keyFact(func(s *scope) any { return orNull(s.key.Name) })},
	{"key.attributes", anyType, false, ofIdentity, "what the realm declares of its access keys; .NAME reads one, null when the key lacks it", keyFact(func(s *scope) any { return attributes(s.key.Attributes) })},
	{"key.expires_at", instantType, true, ofIdentity, "when the access key ends", keyFact(func(s *scope) any { return instantOrNull(s.key.ExpiresAt) })},

	{"client.id", textType, true, ofIdentity, "the UUID of the client's record; the access key's own when a key signed in", clientFact(func(k *core.AccessKey) any { return string(k.ID) })},
	{"client.identifier", textType, true, ofIdentity, "the client, as it names itself", clientFact(func(k *core.AccessKey) any { return k.Identifier })},
	{"client.name", textType, true, ofIdentity, "the client's readable name", clientFact(func(k *core.AccessKey) any { return orNull(k.Name) })},
	{"client.attributes", anyType, false, ofIdentity, "what the realm declares of its access keys; .NAME reads one, null when the client lacks it, or when there is none", func(s *scope) any { return attributes(s.clientAttributes()) }},

	{"tenant.id", textType, true, ofTenant, "the id of the account's tenant", tenantFact(func(t *core.Tenant) any { return string(t.ID) })},
	{"tenant.name", textType, true, ofTenant, "the tenant's name as it was given", tenantFact(func(t *core.Tenant) any { return t.Name })},
	{"tenant.attributes", anyType, false, ofTenant, "the tenant's attributes; .NAME reads one, null when the tenant lacks it, or when there is none", func(s *scope) any { return attributes(s.tenantAttributes()) }},

	{grantedFact, anyType, false, ofIdentity, "what the route's with granted; .NAME reads one, null when it was not granted", func(s *scope) any { return attributes(core.Attributes(s.granted)) }},

	{"token.value", textType, false, inToken, "the bearer token", func(s *scope) any { return s.tokenValue.Reveal() }},
	{"token.random", textType, false, inValue, "what is random in the token, in its form", func(s *scope) any { return s.random.Reveal() }},
	{"token.id", textType, false, ofToken | inValue, "128 random bits that name the token; for jti, and empty in replies with an identity unless the token is tracked", func(s *scope) any { return s.tokenID }},
	{"token.methods", listType, false, ofToken, "how it was signed in: password, totp, recovery_code or key", func(s *scope) any { return s.methods }},
	{"token.issued_at", instantType, true, ofToken, "when the token was made, in whole seconds; in the reply that lets it live longer itself, when that was", func(s *scope) any { return instantOrNull(s.issuedAt) }},
	{"token.expires_at", instantType, false, ofToken, "when the token ends, in whole seconds; null where it never does", func(s *scope) any { return instantOrNull(s.expiresAt) }},
	{"token.lifetime", integerType, false, inClaims | inToken, "the seconds that the token lives; null where it never ends", func(s *scope) any { return seconds(s.issuedAt, s.expiresAt) }},

	{"presented.value", textType, false, inPresented, "the token that the request is about, for contracts that repeat it: that of an input token or refresh, or else the bearer's", func(s *scope) any { return s.presented.Reveal() }},

	{"session.id", textType, true, ofToken, "the id of the token's session; for sid, and null where tokens are not tracked", sessionFact(func(v *core.Session) any { return string(v.ID) })},
	{"session.started_at", instantType, true, ofToken, "when its session began", sessionFact(func(v *core.Session) any { return v.CreatedAt })},
	{"session.ends_at", instantType, true, ofToken, "when its session ends at the latest; null where it never does", sessionFact(func(v *core.Session) any { return instantOrNull(v.ExpiresAt) })},

	{"refresh.value", textType, true, inToken, "the refresh token, in replies of routes whose token may have one", refreshFact(func(t *core.RefreshToken) any { return t.Value.Reveal() })},
	{"refresh.expires_at", instantType, true, inToken, "when the refresh token ends", refreshFact(func(t *core.RefreshToken) any { return instantOrNull(t.ExpiresAt) })},
	{"refresh.lifetime", integerType, true, inToken, "the seconds that the refresh token lives", refreshFact(func(t *core.RefreshToken) any { return seconds(t.IssuedAt, t.ExpiresAt) })},

	{"challenge.value", textType, false, inChallenge, "what the client comes back with beside the second factor", func(s *scope) any { return s.challenge.Value.Reveal() }},
	{"challenge.expires_at", instantType, false, inChallenge, "when it ends", func(s *scope) any { return s.challenge.ExpiresAt }},

	{"caller.id", textType, true, inCaller, "the id of the account that asks", callerFact(func(i *core.Identity) any { return orNull(string(i.Account.ID)) })},
	{"caller.login", textType, true, inCaller, "its login name", callerFact(func(i *core.Identity) any { return orNull(i.Account.Login) })},
	{"caller.roles", listType, false, inCaller, "its roles", func(s *scope) any { return s.callerRoles() }},
	{"caller.client_id", textType, true, inCaller, "the client that asks, as it names itself", callerFact(callerClient)},

	{"keyset", rawType, false, inKeySet, "the public keys of the dialect's tokens, a JWK set (RFC 7517)", func(s *scope) any { return s.keySet }},

	{"ticket.value", textType, false, inLink, "the one-time ticket, safe in a URL as it is", func(s *scope) any { return s.ticket.Reveal() }},

	{"issues", issuesType, false, inError, "what is wrong with the request: alone, the list of the issues' templates; in an expression, a list of issue facts", nil},
	{"issue.rule", textType, false, inIssue | inError, "the rule that was broken, such as required", func(s *scope) any { return s.issue.rule }},
	{"issue.field", textType, false, inIssue | inError, "the last name on the way to the input, as b of body.a.b; empty for the whole body", func(s *scope) any { return s.issue.field }},
	{"issue.label", textType, false, inIssue | inError, "the input's label, or else its name on the wire", func(s *scope) any { return s.issue.label }},
	{"issue.place", textType, false, inIssue | inError, "body, query, header, path, cookie, basic or bearer", func(s *scope) any { return s.issue.place }},
	{"issue.path", listType, false, inIssue | inError, "the place and the names that lead to the input", func(s *scope) any { return s.issue.path }},
	{"issue.pointer", textType, false, inIssue | inError, "the whole way, as a JSON pointer: /a/b of body.a.b; empty for the whole body", func(s *scope) any { return s.issue.pointer }},
	{"issue.expected", textType, true, inIssue | inError, "what was wanted: a type's name, a format, a constant", func(s *scope) any { return orNull(s.issue.expected) }},
	{"issue.limit", integerType, true, inIssue | inError, "the bound of min or max", func(s *scope) any { return s.issue.bound() }},
	{"issue.pattern", textType, true, inIssue | inError, "the pattern that the value must match", func(s *scope) any { return orNull(s.issue.pattern) }},
	{"issue.allowed", anyType, true, inIssue | inError, "the values of one_of", func(s *scope) any { return s.issue.allowedOrNull() }},
	{"issue.value_type", textType, false, inIssue | inError, "the type of what was sent: null, boolean, number, string, list, object, or absent", func(s *scope) any { return s.issue.valueType() }},
	{"issue.offset", integerType, true, inIssue | inError, "where a body stops being JSON, in bytes", func(s *scope) any { return s.issue.offsetOrNull() }},
	{"issue.reason", textType, true, inIssue | inError, "the parser's words, or else what is wrong with a body as a whole; why a password is refused; what is wrong with an address", func(s *scope) any { return s.issue.because() }},

	{"limit.retry_after", integerType, false, inError, "the seconds after which to try again, at least 1", func(s *scope) any { return s.retryAfter }},
	{"limit.attempts", integerType, true, inLimit, "the failing attempts that there may be before the wait", func(s *scope) any { return countOrNull(s.limit, s.limit) }},
	{"limit.remaining", integerType, true, inLimit, "those that are left: 0", func(s *scope) any { return countOrNull(s.limit, 0) }},
	{"limit.fields", integerType, false, inError | inIssue, "the most fields that a body may have", func(s *scope) any { return int64(s.dialect.limits.Fields) }},
	{"limit.field_kb", integerType, false, inError | inIssue, "the size that a field may have, in KiB", func(s *scope) any { return int64(s.dialect.limits.FieldBytes) >> 10 }},
	{"limit.body_kb", integerType, false, inError | inIssue, "the size that a body may have, in KiB", func(s *scope) any { return s.dialect.limits.Bytes >> 10 }},

	{"request.id", textType, false, ofRequest, "the request's id; the same as in the log", func(s *scope) any { return s.call.RequestID }},
	{"request.media_type", textType, false, ofRequest, "the request's media type without parameters; empty for none", func(s *scope) any { return s.call.mediaType }},
	{"request.method", textType, false, ofRequest, "the request's method", func(s *scope) any { return s.call.method }},
	{"request.language", textType, true, inReply | inError | inIssue, "the language of the messages that the request wants, as the file writes it; null where the file has no messages", func(s *scope) any { return s.languageName() }},
	{"request.path", textType, false, ofRequest, "the request's path, as it was sent and without the query", func(s *scope) any { return s.call.path }},

	{"now", instantType, false, everywhere, "the current instant", func(s *scope) any { return s.now }},
	{"issuer", textType, false, everywhere, "the issuer's URL, as configured", func(s *scope) any { return s.dialect.issuer }},
	{"base_url", textType, false, everywhere, "the server's own address, as configured", func(s *scope) any { return s.dialect.baseURL }},
}

var factsByName = func() map[string]*fact {
	m := make(map[string]*fact, len(facts))
	for i := range facts {
		m[facts[i].name] = &facts[i]
	}
	return m
}()

// grantedFact is what a route's with granted, by name.
const grantedFact = "granted"

// openFacts are those whose members only the file or the realm's data knows.
var openFacts = []string{"account.attributes", "key.attributes", "client.attributes", "tenant.attributes", grantedFact}

// openFact is the member of an open fact, or nil.
func openFact(name string) *fact {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || !slices.Contains(openFacts, name[:i]) {
		return nil
	}
	owner := factsByName[name[:i]]
	return &fact{name: name, typ: anyType, nullable: true, where: owner.where, get: attribute(owner.name, name[i+1:])}
}

// endFacts are null in dialects that have a token without end.
var endFacts = []string{"token.expires_at", "token.lifetime"}

// keyFact reads null where no access key signed in.
func keyFact(get getter) getter {
	return func(s *scope) any {
		if s.key == nil {
			return nil
		}
		return get(s)
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func instantOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func clientFact(get func(*core.AccessKey) any) getter {
	return func(s *scope) any {
		if s.client == nil {
			return nil
		}
		return get(s.client)
	}
}

func tenantFact(get func(*core.Tenant) any) getter {
	return func(s *scope) any {
		if s.tenant == nil {
			return nil
		}
		return get(s.tenant)
	}
}

func sessionFact(get func(*core.Session) any) getter {
	return func(s *scope) any {
		if s.session == nil {
			return nil
		}
		return get(s.session)
	}
}

func refreshFact(get func(*core.RefreshToken) any) getter {
	return func(s *scope) any {
		if s.refresh == nil {
			return nil
		}
		return get(s.refresh)
	}
}

func callerFact(get func(*core.Identity) any) getter {
	return func(s *scope) any {
		if s.caller == nil {
			return nil
		}
		return get(s.caller)
	}
}

// callerClient names the client that asks: by itself, or for an account.
func callerClient(i *core.Identity) any {
	switch {
	case i.Client != nil:
		return i.Client.Identifier
	case i.Key != nil:
		return i.Key.Identifier
	default:
		return nil
	}
}

// seconds are those from one instant to another, or null where there is no other.
func seconds(from, to time.Time) any {
	if to.IsZero() {
		return nil
	}
	return int64(to.Sub(from) / time.Second)
}

// countOrNull is a count that goes with a limit; without a limit there is none.
func countOrNull(limit, count int) any {
	if limit == 0 {
		return nil
	}
	return int64(count)
}
