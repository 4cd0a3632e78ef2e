package store

import (
	"context"

	"github.com/chancery-auth/chancery/core"
)

// Account returns the account, or an error of kind NotFound.
func (s *Store) Account(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	return find(ctx, s, readAccount, scanAccount, string(realm), string(id))
}

// AccountByLogin returns the one account with that canonical login: NotFound for
// none, Conflict for those of several tenants, with the one that has none.
func (s *Store) AccountByLogin(ctx context.Context, realm core.Realm, login core.CanonicalLogin) (core.Account, error) {
	found, err := list(ctx, s, readAccountsByLogin, scanAccount, string(realm), string(login))
	switch {
	case err != nil:
		return core.Account{}, err
	case len(found) == 0:
		return core.Account{}, &core.Error{Kind: core.NotFound}
	case len(found) == 1:
		return found[0], nil
	case found[0].Tenant != "":
		found[0] = core.Account{}
	}
	return found[0], &core.Error{Kind: core.Conflict, Reason: "several tenants have an account of that login name"}
}

// AccountList returns at most limit accounts after a place, in order of canonical
// login and id.
func (s *Store) AccountList(ctx context.Context, realm core.Realm, after core.AccountCursor, limit int) ([]core.Account, error) {
	if limit <= 0 {
		return nil, nil
	}
	return list(ctx, s, readAccounts, scanAccount, string(realm), string(after.Login), string(after.ID), limit)
}

// CreateAccount stores a new account with notices of mails to it. A login that is
// taken in the tenant, or an id in the realm, is Conflict, a realm that does not
// exist is NotFound.
func (s *Store) CreateAccount(ctx context.Context, account core.Account, event core.Event, notices ...core.Notice) error {
	canonical, err := core.Canonical(account.Login)
	if err != nil {
		return err
	}
	roles, attributes, err := encodeAccount(&account)
	if err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		g.record(event)
		a := &account
		_, err := g.exec(insertAccount, string(a.Realm), string(a.ID), string(a.Tenant), a.Login, a.Email, a.Name, roles, attributes,
			a.Active, a.Verified, string(a.Hold), string(a.PasswordHash), micros(a.CreatedAt), micros(a.UpdatedAt),
			micros(a.TokensFrom), micros(a.TicketsFrom), a.Version, string(canonical))
		for i := range notices {
			if err == nil {
				err = g.enqueue(&notices[i])
			}
		}
		return err
	})
}

// UpdateAccount loads, lets change edit, and saves. The realm, the id and the
// version are not change's to edit.
func (s *Store) UpdateAccount(ctx context.Context, realm core.Realm, id core.AccountID, change func(*core.Account) (core.Event, error)) error {
	return s.write(ctx, func(g *group) error {
		return retryLost(func() (bool, error) {
			account, err := load(g, readAccount, scanAccount, string(realm), string(id))
			if err != nil {
				return false, err
			}
			version := account.Version
			event, err := change(&account)
			if err != nil {
				return false, err
			}
			saved, err := s.saveAccount(g, realm, id, version, &account)
			if saved {
				g.record(event)
			}
			return saved, err
		})
	})
}

// lostRaces is how often a change is made anew because another replica's came
// in between.
const lostRaces = 20

// retryLost runs try until it saves.
func retryLost(try func() (saved bool, err error)) error {
	for range lostRaces {
		if saved, err := try(); saved || err != nil {
			return err
		}
	}
	return &core.Error{Kind: core.Conflict, Reason: "changed by others again and again"}
}

// saveAccount writes a over the version that it was loaded as, and reports
// whether that was still the stored one.
func (s *Store) saveAccount(g *group, realm core.Realm, id core.AccountID, version int64, a *core.Account) (bool, error) {
	canonical, err := core.Canonical(a.Login)
	if err != nil {
		return false, err
	}
	roles, attributes, err := encodeAccount(a)
	if err != nil {
		return false, err
	}
	g.hold(s.recentAccounts.hold(realm, string(id)))
	touched, err := g.exec(updateAccount, string(realm), string(id), version, string(a.Tenant), a.Login, a.Email, a.Name, roles, attributes,
		a.Active, a.Verified, string(a.Hold), string(a.PasswordHash), micros(a.CreatedAt), micros(a.UpdatedAt),
		micros(a.TokensFrom), micros(a.TicketsFrom), string(canonical))
	return touched == 1, err
}

func encodeAccount(a *core.Account) (roles, attributes string, err error) {
	if roles, err = encode(a.Roles); err != nil {
		return "", "", err
	}
	attributes, err = encode(a.Attributes)
	return roles, attributes, err
}

func scanAccount(r row) (core.Account, error) {
	var a core.Account
	var roles, attributes, hash string
	var created, updated, tokens, tickets int64
	err := r.Scan(&a.Realm, &a.ID, &a.Tenant, &a.Login, &a.Email, &a.Name, &roles, &attributes, &a.Active, &a.Verified, &a.Hold, &hash,
		&created, &updated, &tokens, &tickets, &a.Version)
	if err != nil {
		return a, err
	}
	a.PasswordHash = core.PasswordHash(hash)
	a.CreatedAt, a.UpdatedAt = instant(created), instant(updated)
	a.TokensFrom, a.TicketsFrom = instant(tokens), instant(tickets)
	if err := decode(roles, &a.Roles); err != nil {
		return a, err
	}
	return a, decode(attributes, &a.Attributes)
}
