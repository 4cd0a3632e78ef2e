package dialect

import (
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

	tokenValue core.Secret
	tokenID    string
	issuedAt   time.Time
	expiresAt  time.Time

	ticket core.Secret

	retryAfter int64
	issues     []issue
	issue      *issue // the one whose template is being written
	loops      []any  // the values of the loops around, outermost first
}

// fill takes over a grant's facts.
func (s *scope) fill(g *core.Grant) {
	s.account, s.key = &g.Account, g.Key
	s.tokenID, s.issuedAt, s.expiresAt = g.TokenID, g.IssuedAt, g.ExpiresAt
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

// attribute reads one attribute without an expression.
func attribute(owner, name string) getter {
	if owner == "key" {
		return func(s *scope) any {
			if s.key == nil {
				return nil
			}
			return s.key.Attributes[name]
		}
	}
	return func(s *scope) any { return s.account.Attributes[name] }
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
