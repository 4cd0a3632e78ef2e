package core

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// A Realm names a set of accounts under one issuer. No rule reaches across realms.
type Realm string

var realmPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// ParseRealm checks a realm's name: lower-case letters, digits and hyphens, at most 63.
func ParseRealm(name string) (Realm, error) {
	if !realmPattern.MatchString(name) {
		return "", refuse(InvalidRequest, "realm %q: use lower-case letters, digits and hyphens, at most 63, such as %q", name, "partners")
	}
	return Realm(name), nil
}

// An AttributeType says what an attribute of a realm's accounts and access keys holds.
type AttributeType string

// The attribute types.
const (
	StringAttribute  AttributeType = "string"
	NumberAttribute  AttributeType = "number"
	BooleanAttribute AttributeType = "boolean"
	ListAttribute    AttributeType = "list" // of strings
)

// Attributes are an account's or access key's further facts: strings, float64
// numbers, booleans, and lists of strings as []any. They are read-only once loaded.
type Attributes map[string]any

// RealmInfo is a realm with what it declares of its members.
type RealmInfo struct {
	Name       Realm
	Attributes map[string]AttributeType
	CreatedAt  time.Time
}

// CheckAttributes refuses attributes that the realm does not declare or that
// have another type; a declared attribute may be absent.
func (r RealmInfo) CheckAttributes(attributes Attributes) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		want, declared := r.Attributes[name]
		if !declared {
			return refuse(InvalidRequest, "attribute %q is not declared by realm %s; declared are %v", name, r.Name, slices.Sorted(maps.Keys(r.Attributes)))
		}
		if err := want.check(attributes[name]); err != nil {
			return refuse(InvalidRequest, "attribute %q: %w", name, err)
		}
	}
	return nil
}

func (t AttributeType) check(value any) error {
	ok := false
	switch t {
	case StringAttribute:
		_, ok = value.(string)
	case NumberAttribute:
		_, ok = value.(float64)
	case BooleanAttribute:
		_, ok = value.(bool)
	case ListAttribute:
		var list []any
		if list, ok = value.([]any); ok {
			ok = !slices.ContainsFunc(list, func(v any) bool { _, text := v.(string); return !text })
		}
	}
	if !ok {
		return fmt.Errorf("want a %s, got %T", t, value)
	}
	return nil
}
