package memory

import (
	"context"
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// Factor implements [core.Factors].
func (s *Store) Factor(ctx context.Context, realm core.Realm, account core.AccountID) (core.Factor, error) {
	if err := s.enter(ctx); err != nil {
		return core.Factor{}, err
	}
	defer s.mu.Unlock()
	f, ok := s.factors[accountKey{realm, account}]
	if !ok {
		return core.Factor{}, refusal(core.NotFound)
	}
	return cloneFactor(f), nil
}

func cloneFactor(f core.Factor) core.Factor {
	f.Sealed, f.Recovery = slices.Clone(f.Sealed), slices.Clone(f.Recovery)
	f.EnrolledAt = stored(f.EnrolledAt)
	return f
}

// PutFactor implements [core.Factors].
func (s *Store) PutFactor(ctx context.Context, factor core.Factor, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	place := accountKey{factor.Realm, factor.Account}
	if _, ok := s.accounts[place]; !ok {
		return refusal(core.NotFound)
	}
	if old, ok := s.factors[place]; ok {
		factor.Version = old.Version + 1
	}
	s.factors[place] = cloneFactor(factor)
	s.record(event)
	return nil
}

// UpdateFactor implements [core.Factors].
func (s *Store) UpdateFactor(ctx context.Context, realm core.Realm, account core.AccountID, change func(*core.Factor) (core.Event, error)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	f, ok := s.factors[accountKey{realm, account}]
	if !ok {
		return refusal(core.NotFound)
	}
	f = cloneFactor(f)
	version := f.Version
	event, err := change(&f)
	if err != nil {
		return err
	}
	f.Realm, f.Account, f.Version = realm, account, version+1
	s.factors[accountKey{realm, account}] = cloneFactor(f)
	s.record(event)
	return nil
}

// DeleteFactor implements [core.Factors].
func (s *Store) DeleteFactor(ctx context.Context, realm core.Realm, account core.AccountID, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.factors[accountKey{realm, account}]; !ok {
		return refusal(core.NotFound)
	}
	delete(s.factors, accountKey{realm, account})
	s.record(event)
	return nil
}
