package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/chancery-auth/chancery/core"
)

// Factor returns the account's second factor, or an error of kind NotFound.
func (s *Store) Factor(ctx context.Context, realm core.Realm, account core.AccountID) (core.Factor, error) {
	return find(ctx, s, readFactor, scanFactor, string(realm), string(account))
}

// PutFactor stores a second factor in place of the account's older one. An account
// that does not exist is NotFound.
func (s *Store) PutFactor(ctx context.Context, factor core.Factor, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		f := &factor
		_, err := g.exec(putFactor, string(f.Realm), string(f.Account), blob(f.Sealed), f.LastStep, joined(f.Recovery), micros(f.EnrolledAt), f.Version)
		return err
	})
}

// UpdateFactor is as UpdateAccount.
func (s *Store) UpdateFactor(ctx context.Context, realm core.Realm, account core.AccountID, change func(*core.Factor) (core.Event, error)) error {
	return s.write(ctx, func(g *group) error {
		return retryLost(func() (bool, error) {
			f, err := load(g, readFactor, scanFactor, string(realm), string(account))
			if err != nil {
				return false, err
			}
			version := f.Version
			event, err := change(&f)
			if err != nil {
				return false, err
			}
			saved, err := g.exec(updateFactor, blob(f.Sealed), f.LastStep, joined(f.Recovery), micros(f.EnrolledAt), string(realm), string(account), version)
			if saved == 1 {
				g.record(event)
			}
			return saved == 1, err
		})
	})
}

// DeleteFactor ends the account's second factor; NotFound if it has none.
func (s *Store) DeleteFactor(ctx context.Context, realm core.Realm, account core.AccountID, event core.Event) error {
	return s.write(ctx, func(g *group) error {
		g.record(event)
		return g.execOne(deleteFactor, string(realm), string(account))
	})
}

func scanFactor(r row) (core.Factor, error) {
	var f core.Factor
	var recovery []byte
	var enrolled int64
	if err := r.Scan(&f.Realm, &f.Account, &f.Sealed, &f.LastStep, &recovery, &enrolled, &f.Version); err != nil {
		return f, err
	}
	f.EnrolledAt = instant(enrolled)
	if len(recovery)%len(core.Digest{}) != 0 {
		return f, fmt.Errorf("%w: recovery codes of %d bytes", errStored, len(recovery))
	}
	for digest := range slices.Chunk(recovery, len(core.Digest{})) {
		f.Recovery = append(f.Recovery, core.Digest(digest))
	}
	return f, nil
}

// joined writes digests one after the other.
func joined(digests []core.Digest) []byte {
	all := make([]byte, 0, len(digests)*len(core.Digest{}))
	for i := range digests {
		all = append(all, digests[i][:]...)
	}
	return all
}
