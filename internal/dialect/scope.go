package dialect

import (
	"encoding/json"
	"sync"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/chancery-auth/chancery/core"
)

// A scope holds what the facts of one rendering are read from. Which of its
// members are set depends on the place; the loader lets no other be named there.
type scope struct {
	dialect *Dialect
	call    *Call
	now     time.Time

	account *core.Account
	key     *core.AccessKey
	client  *core.AccessKey // the key itself when a key signed in
	tenant  *core.Tenant
	session *core.Session
	granted core.Granted
	caller  *core.Identity

	tokenValue core.Secret
	presented  core.Secret // the token that the request brought
	tokenID    string
	methods    []string
	issuedAt   time.Time
	expiresAt  time.Time
	refresh    *core.RefreshToken
	random     core.Secret // of an opaque token that is being made

	ticket    core.Secret
	challenge *core.Challenge
	keySet    json.RawMessage

	language   int // 1 + that of messages, by the languages' order; 0: not chosen yet
	retryAfter int64
	limit      int
	issues     []issue
	issue      *issue // the one whose template is being written
	loops      []any  // the values of the loops around, outermost first
}

var scopes = sync.Pool{New: func() any { return new(scope) }}

// newScope is a scope for one rendering, to be released after it.
func newScope(d *Dialect, c *Call) *scope {
	s := scopes.Get().(*scope)
	s.dialect, s.call, s.now = d, c, d.now()
	return s
}

// release puts a scope back without what it held: that may be a token.
func (s *scope) release() {
	*s = scope{}
	scopes.Put(s)
}

// fill takes over a grant's facts.
func (s *scope) fill(g *core.Grant) {
	s.account, s.key, s.client, s.tenant = &g.Account, g.Key, clientOf(g.Client, g.Key), g.Tenant
	s.session, s.granted, s.methods = g.Session, g.Granted, g.Methods
	s.tokenID, s.issuedAt, s.expiresAt = g.TokenID, g.IssuedAt, g.ExpiresAt
}

// identify takes over an identity's facts.
func (s *scope) identify(i *core.Identity) {
	s.account, s.key, s.client, s.tenant = &i.Account, i.Key, clientOf(i.Client, i.Key), i.Tenant
	s.session, s.granted, s.methods = i.Session, i.Granted, i.Methods
	s.tokenID, s.issuedAt, s.expiresAt = i.TokenID, i.IssuedAt, i.ExpiresAt
}

// clientOf is the client of a sign-in: an access key that signs in is its own.
func clientOf(client, key *core.AccessKey) *core.AccessKey {
	if client == nil {
		return key
	}
	return client
}

func (s *scope) keyAttributes() core.Attributes {
	if s.key == nil {
		return nil
	}
	return s.key.Attributes
}

func (s *scope) clientAttributes() core.Attributes {
	if s.client == nil {
		return nil
	}
	return s.client.Attributes
}

func (s *scope) tenantAttributes() core.Attributes {
	if s.tenant == nil {
		return nil
	}
	return s.tenant.Attributes
}

func (s *scope) callerRoles() []string {
	if s.caller == nil {
		return nil
	}
	return s.caller.Account.Roles
}

// attributes is a map of attributes for expressions: what is absent reads null.
type attributeMap struct{ traits.Mapper }

func attributes(a core.Attributes) any {
	return attributeMap{types.NewStringInterfaceMap(types.DefaultTypeAdapter, a)}
}

// Find implements traits.Mapper.
func (m attributeMap) Find(name ref.Val) (ref.Val, bool) {
	if v, ok := m.Mapper.Find(name); ok {
		return v, true
	}
	return types.NullValue, true
}

// Get implements traits.Indexer.
func (m attributeMap) Get(name ref.Val) ref.Val {
	v, _ := m.Find(name)
	return v
}

// attribute reads one member of an open fact without an expression.
func attribute(owner, name string) getter {
	switch owner {
	case "key.attributes":
		return func(s *scope) any { return s.keyAttributes()[name] }
	case "client.attributes":
		return func(s *scope) any { return s.clientAttributes()[name] }
	case "tenant.attributes":
		return func(s *scope) any { return s.tenantAttributes()[name] }
	case grantedFact:
		return func(s *scope) any { return s.granted[name] }
	default:
		return func(s *scope) any { return s.account.Attributes[name] }
	}
}

// issueMaps shows the issues to expressions.
func issueMaps(s *scope) any {
	list := make([]map[string]any, len(s.issues))
	held := s.issue
	defer func() { s.issue = held }()
	for i := range s.issues {
		s.issue = &s.issues[i]
		list[i] = make(map[string]any, 16)
		for _, f := range issueFacts {
			list[i][f.short] = f.get(s)
		}
		list[i]["text"] = s.issueText()
	}
	return list
}
