package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// An AccessKeySpec is what an administrator says of an access key.
type AccessKeySpec struct {
	ID         KeyID // "" makes one
	Realm      Realm
	Owner      string  // login name of the account that it acts for
	Tenant     Tenancy // of the owner, as in [AccountName]
	Identifier string  // "" makes one in the realm's form
	Secret     Secret  // the zero Secret makes one in the realm's form
	Name       string
	Attributes Attributes
	State      KeyState // "" is pending
	ExpiresAt  time.Time
}

const minImportedSecret = 32 // bytes

// CreateAccessKey creates an access key and returns its secret, which is not
// kept and cannot be shown again (S14).
func (r *Registry) CreateAccessKey(ctx context.Context, spec AccessKeySpec, origin Origin) (AccessKey, Secret, error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return AccessKey{}, Secret{}, missingRealm(spec.Realm, err)
	}
	if err := realm.CheckAttributes(spec.Attributes); err != nil {
		return AccessKey{}, Secret{}, err
	}
	owner, err := r.Account(ctx, AccountName{Realm: spec.Realm, Tenant: spec.Tenant, Login: spec.Owner})
	if err != nil {
		return AccessKey{}, Secret{}, err
	}
	form := r.Forms[spec.Realm]
	switch {
	case spec.Secret == (Secret{}):
		spec.Secret = form.newSecret()
	case len(spec.Secret.Reveal()) < minImportedSecret:
		return AccessKey{}, Secret{}, refuse(InvalidRequest, "access key %q: its secret has under %d characters; leave it out and one is made", spec.Identifier, minImportedSecret)
	}
	if spec.Identifier == "" {
		spec.Identifier = form.newIdentifier()
	}
	if _, err := Canonical(spec.Identifier); err != nil {
		return AccessKey{}, Secret{}, fmt.Errorf("access key: %w", err)
	}
	if spec.ID == "" {
		spec.ID = KeyID(newID())
	}
	if spec.State == "" {
		spec.State = KeyStatePending
	}
	now := r.Now()
	key := AccessKey{
		ID: spec.ID, Realm: spec.Realm, Account: owner.ID, Identifier: spec.Identifier,
		SecretDigest: spec.Secret.Digest(), Name: spec.Name, Attributes: spec.Attributes,
		State: spec.State, CreatedAt: now, UpdatedAt: now, ExpiresAt: spec.ExpiresAt, Version: 1,
	}
	event := r.event(ActionKeyCreated, spec.Realm, origin)
	event.Account, event.Key = owner.ID, key.ID
	if err := r.AccessKeys.CreateAccessKey(ctx, key, event); err != nil {
		return AccessKey{}, Secret{}, err
	}
	return key, spec.Secret, nil
}

// UpdateAccessKey makes an existing key what spec says, its secret and owner
// apart, and reports whether that changed anything. A revoked key stays revoked.
// Other attributes, or a state in which it signs in no more, end the tokens that were
// granted by what it had before.
func (r *Registry) UpdateAccessKey(ctx context.Context, spec AccessKeySpec, origin Origin) (changed bool, err error) {
	realm, err := r.Realms.Realm(ctx, spec.Realm)
	if err != nil {
		return false, missingRealm(spec.Realm, err)
	}
	if err := realm.CheckAttributes(spec.Attributes); err != nil {
		return false, err
	}
	return r.updateKey(ctx, spec.Realm, spec.Identifier, ActionKeyChanged, origin, func(key *AccessKey) error {
		if key.State == KeyStateRevoked && spec.State != KeyStateRevoked && spec.State != "" {
			return refuse(Conflict, "access key %q is revoked for good: make a new one", key.Identifier)
		}
		key.Name = spec.Name
		if !key.ExpiresAt.Equal(spec.ExpiresAt) {
			key.ExpiresAt = spec.ExpiresAt
		}
		if len(key.Attributes)+len(spec.Attributes) > 0 {
			key.Attributes = spec.Attributes
		}
		if spec.State != "" {
			key.State = spec.State
		}
		return nil
	})
}

// ApproveAccessKey makes a pending key usable.
func (r *Registry) ApproveAccessKey(ctx context.Context, realm Realm, identifier string, origin Origin) (changed bool, err error) {
	return r.updateKey(ctx, realm, identifier, ActionKeyApproved, origin, func(key *AccessKey) error {
		if key.State == KeyStateRevoked {
			return refuse(Conflict, "access key %q is revoked for good: make a new one", identifier)
		}
		key.State = KeyStateActive
		return nil
	})
}

// RevokeAccessKey ends a key for good, and with it the tokens got by it.
func (r *Registry) RevokeAccessKey(ctx context.Context, realm Realm, identifier string, origin Origin) (changed bool, err error) {
	return r.updateKey(ctx, realm, identifier, ActionKeyRevoked, origin, func(key *AccessKey) error {
		key.State = KeyStateRevoked
		return nil
	})
}

// narrowed reports whether the key may have lost rights that it had before: what its
// attributes mean is the dialect's.
func (k *AccessKey) narrowed(before AccessKey) bool {
	return before.State == KeyStateActive && k.State != KeyStateActive || !reflect.DeepEqual(before.Attributes, k.Attributes)
}

func (r *Registry) updateKey(ctx context.Context, realm Realm, identifier string, action Action, origin Origin, edit func(*AccessKey) error) (changed bool, err error) {
	key, err := r.AccessKeys.AccessKeyByIdentifier(ctx, realm, identifier)
	if err != nil {
		if KindOf(err) == NotFound {
			err = refuse(NotFound, "realm %s has no access key %q", realm, identifier)
		}
		return false, err
	}
	err = r.AccessKeys.UpdateAccessKey(ctx, realm, key.ID, func(key *AccessKey) (Event, error) {
		before, now := *key, r.Now()
		if err := edit(key); err != nil {
			return Event{}, err
		}
		if changed = !reflect.DeepEqual(before, *key); !changed {
			return Event{}, errUnchanged
		}
		key.UpdatedAt = now
		if key.narrowed(before) {
			key.TokensFrom = tokensFrom(now)
		}
		event := r.event(action, realm, origin)
		event.Account, event.Key = key.Account, key.ID
		return event, nil
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return changed, err
}
