package dialect

import (
	"strings"
	"time"

	"cel.dev/cel-go/cel"
)

// A factType is the type of a fact or of an expression's result.
type factType string

// The types. A list is of texts; any is a list, a number, a text or a boolean that
// only the request or the realm's data knows.
const (
	textType    factType = "text"
	integerType factType = "integer"
	numberType  factType = "number"
	booleanType factType = "boolean"
	instantType factType = "instant"
	listType    factType = "list"
	anyType     factType = "any"
	issuesType  factType = "issues"
)

// cel is the type as expressions know it; what may be absent reads null.
func (t factType) cel(nullable bool) *cel.Type {
	plain := map[factType]*cel.Type{
		textType: cel.StringType, integerType: cel.IntType, numberType: cel.DoubleType, booleanType: cel.BoolType,
		instantType: cel.TimestampType, listType: cel.ListType(cel.StringType), anyType: cel.DynType,
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
type where uint16

// The places where facts are known.
const (
	inClaims  where = 1 << iota // a token's claims
	inToken                     // the reply to authenticate
	inWhoami                    // the reply to whoami
	inDone                      // the reply to request_recovery and reset_password
	inError                     // the reply to a refusal
	inIssue                     // an issue's template
	inSubject                   // a mail's subject
	inLink                      // a mail's link
)

const (
	inReply    = inToken | inWhoami | inDone
	everywhere = inClaims | inReply | inError | inIssue | inSubject | inLink
	ofAccount  = inClaims | inToken | inWhoami | inSubject
	ofKey      = inClaims | inToken | inWhoami
)

var placeNames = []struct {
	in   where
	name string
}{
	{inClaims, "claims"}, {inToken, "the reply to authenticate"}, {inWhoami, "the reply to whoami"},
	{inDone, "the replies of recovery"}, {inError, "errors"}, {inIssue, "issues"},
	{inSubject, "a mail's subject"}, {inLink, "a mail's link"},
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
// []any or map[string]any.
type getter func(*scope) any

// A Fact is a name that a dialect file may use in its expressions.
type Fact struct {
	Name     string
	Type     string
	Nullable bool   // whether it may be absent, which reads null
	Where    string // the places that know it
	Doc      string
}

// Facts lists every fact but those that a file declares itself: input.NAME,
// setting.NAME and account.attributes.NAME.
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

	{"key.id", textType, true, ofKey, "the UUID of the access key's record, not the key itself", keyFact(func(s *scope) any { return string(s.key.ID) })},
	{"key.identifier", textType, true, inToken | inWhoami, "the access key, as the client sends it beside the secret", keyFact(func(s *scope) any { return s.key.Identifier })},
	{"key.name", textType, true, ofKey, "the access key's readable name", keyFact(func(s *scope) any { return orNull(s.key.Name) })},
	{"key.attributes", anyType, false, ofKey, "what the realm declares of its access keys; .NAME reads one, null when the key lacks it", keyFact(func(s *scope) any { return attributes(s.key.Attributes) })},
	{"key.expires_at", instantType, true, ofKey, "when the access key ends", keyFact(func(s *scope) any { return instantOrNull(s.key.ExpiresAt) })},

	{"token.value", textType, false, inToken, "the bearer token", func(s *scope) any { return s.tokenValue.Reveal() }},
	{"token.id", textType, false, inClaims | inToken, "128 random bits that name the token, for jti", func(s *scope) any { return s.tokenID }},
	{"token.issued_at", instantType, true, inClaims | inToken | inWhoami, "when the token was made, in whole seconds", func(s *scope) any { return instantOrNull(s.issuedAt) }},
	{"token.expires_at", instantType, false, inClaims | inToken | inWhoami, "when the token ends, in whole seconds", func(s *scope) any { return s.expiresAt }},
	{"token.lifetime", integerType, false, inClaims | inToken, "the seconds from token.issued_at to token.expires_at", func(s *scope) any { return int64(s.expiresAt.Sub(s.issuedAt) / time.Second) }},

	{"ticket.value", textType, false, inLink, "the one-time ticket, safe in a URL as it is", func(s *scope) any { return s.ticket.Reveal() }},

	{"issues", issuesType, false, inError, "what is wrong with the request: alone, the list of the issues' templates; in an expression, a list of issue facts", nil},
	{"issue.rule", textType, false, inIssue | inError, "the rule that was broken, such as required", func(s *scope) any { return s.issue.rule }},
	{"issue.field", textType, false, inIssue | inError, "the input's name on the wire; empty for the whole body", func(s *scope) any { return s.issue.field }},
	{"issue.label", textType, false, inIssue | inError, "the input's label, or else its name on the wire", func(s *scope) any { return s.issue.label }},
	{"issue.place", textType, false, inIssue | inError, "body, query, header, path, cookie, basic or bearer", func(s *scope) any { return s.issue.place }},
	{"issue.path", listType, false, inIssue | inError, "the place and the names that lead to the input", func(s *scope) any { return s.issue.path }},
	{"issue.pointer", textType, false, inIssue | inError, "the JSON pointer to the input; empty for the whole body", func(s *scope) any { return s.issue.pointer }},
	{"issue.expected", textType, true, inIssue | inError, "what was wanted: a type's name, a format, a constant", func(s *scope) any { return orNull(s.issue.expected) }},
	{"issue.limit", integerType, true, inIssue | inError, "the bound of min or max", func(s *scope) any { return s.issue.bound() }},
	{"issue.pattern", textType, true, inIssue | inError, "the pattern that the value must match", func(s *scope) any { return orNull(s.issue.pattern) }},
	{"issue.allowed", anyType, true, inIssue | inError, "the values of one_of", func(s *scope) any { return s.issue.allowedOrNull() }},
	{"issue.value_type", textType, false, inIssue | inError, "the type of what was sent: null, boolean, number, string, list, object, or absent", func(s *scope) any { return s.issue.valueType() }},
	{"issue.offset", integerType, true, inIssue | inError, "where a body stops being JSON, in bytes", func(s *scope) any { return s.issue.offsetOrNull() }},
	{"issue.reason", textType, true, inIssue | inError, "the parser's words, or why a password is refused", func(s *scope) any { return orNull(s.issue.reason) }},

	{"limit.retry_after", integerType, false, inError, "the seconds after which to try again, at least 1", func(s *scope) any { return s.retryAfter }},
	{"limit.fields", integerType, false, inError | inIssue, "the most fields that a body may have", func(s *scope) any { return int64(s.dialect.limits.Fields) }},
	{"limit.field_kb", integerType, false, inError | inIssue, "the size that a field may have, in KiB", func(s *scope) any { return int64(s.dialect.limits.FieldBytes) >> 10 }},
	{"limit.body_kb", integerType, false, inError | inIssue, "the size that a body may have, in KiB", func(s *scope) any { return s.dialect.limits.Bytes >> 10 }},

	{"request.id", textType, false, inReply | inError | inIssue, "the request's id, as in the log", func(s *scope) any { return s.call.RequestID }},
	{"request.media_type", textType, false, inReply | inError | inIssue, "the request's media type without parameters; empty for none", func(s *scope) any { return s.call.mediaType }},

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
