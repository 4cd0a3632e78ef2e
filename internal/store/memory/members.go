package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Account implements [core.Accounts].
func (s *Store) Account(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	if err := s.enter(ctx); err != nil {
		return core.Account{}, err
	}
	defer s.mu.Unlock()
	return s.account(realm, id)
}

// RecentAccount implements [core.Recent].
func (s *Store) RecentAccount(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	return s.Account(ctx, realm, id)
}

func (s *Store) account(realm core.Realm, id core.AccountID) (core.Account, error) {
	a, ok := s.accounts[accountKey{realm, id}]
	if !ok {
		return core.Account{}, refusal(core.NotFound)
	}
	return cloneAccount(a)
}

func cloneAccount(a core.Account) (_ core.Account, err error) {
	a.Roles = append([]string(nil), a.Roles...)
	a.Attributes, err = copied(a.Attributes)
	a.CreatedAt, a.UpdatedAt = stored(a.CreatedAt), stored(a.UpdatedAt)
	a.TokensFrom, a.TicketsFrom = stored(a.TokensFrom), stored(a.TicketsFrom)
	return a, err
}

// AccountByLogin implements [core.Accounts].
func (s *Store) AccountByLogin(ctx context.Context, realm core.Realm, login core.CanonicalLogin) (core.Account, error) {
	if err := s.enter(ctx); err != nil {
		return core.Account{}, err
	}
	defer s.mu.Unlock()
	var found []core.Account
	for _, a := range s.accounts {
		if a.Realm == realm && canonical(a) == login {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b core.Account) int { return cmp.Compare(a.Tenant, b.Tenant) })
	switch {
	case len(found) == 0:
		return core.Account{}, refusal(core.NotFound)
	case len(found) == 1:
		return cloneAccount(found[0])
	case found[0].Tenant != "":
		return core.Account{}, refusal(core.Conflict)
	}
	none, err := cloneAccount(found[0])
	return none, cmp.Or(err, refusal(core.Conflict))
}

// canonical is of a stored account, whose login has such a form.
func canonical(a core.Account) core.CanonicalLogin {
	login, _ := core.Canonical(a.Login)
	return login
}

// AccountList implements [core.Accounts].
func (s *Store) AccountList(ctx context.Context, realm core.Realm, after core.AccountCursor, limit int) ([]core.Account, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var found []core.Account
	for _, a := range s.accounts {
		if a.Realm == realm && cmp.Or(cmp.Compare(canonical(a), after.Login), cmp.Compare(a.ID, after.ID)) > 0 {
			a, err := cloneAccount(a)
			if err != nil {
				return nil, err
			}
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b core.Account) int {
		return cmp.Or(cmp.Compare(canonical(a), canonical(b)), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(len(found), max(0, limit))], nil
}

// CreateAccount implements [core.Accounts].
func (s *Store) CreateAccount(ctx context.Context, account core.Account, event core.Event, notices ...core.Notice) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.realms[account.Realm]; !ok {
		return refusal(core.NotFound)
	}
	if _, taken := s.accounts[accountKey{account.Realm, account.ID}]; taken {
		return refusal(core.Conflict)
	}
	for i, n := range notices {
		same := func(other core.Notice) bool { return other.ID == n.ID }
		if _, taken := s.notices[n.ID]; taken || slices.ContainsFunc(notices[:i], same) {
			return refusal(core.Conflict)
		}
	}
	if err := s.saveAccount(account); err != nil {
		return err
	}
	for _, n := range notices {
		s.enqueue(n)
	}
	s.record(event)
	return nil
}

// saveAccount stores a, whose login must be free in its tenant.
func (s *Store) saveAccount(a core.Account) error {
	login, err := core.Canonical(a.Login)
	if err != nil {
		return err
	}
	for _, other := range s.accounts {
		if other.Realm == a.Realm && other.ID != a.ID && other.Tenant == a.Tenant && canonical(other) == login {
			return refusal(core.Conflict)
		}
	}
	if a, err = cloneAccount(a); err != nil {
		return err
	}
	s.accounts[accountKey{a.Realm, a.ID}] = a
	return nil
}

// UpdateAccount implements [core.Accounts].
func (s *Store) UpdateAccount(ctx context.Context, realm core.Realm, id core.AccountID, change func(*core.Account) (core.Event, error)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	a, err := s.account(realm, id)
	if err != nil {
		return err
	}
	version := a.Version
	event, err := change(&a)
	if err != nil {
		return err
	}
	a.Realm, a.ID, a.Version = realm, id, version+1
	if err := s.saveAccount(a); err != nil {
		return err
	}
	s.record(event)
	return nil
}

// AccessKey implements [core.AccessKeys].
func (s *Store) AccessKey(ctx context.Context, realm core.Realm, id core.KeyID) (core.AccessKey, error) {
	if err := s.enter(ctx); err != nil {
		return core.AccessKey{}, err
	}
	defer s.mu.Unlock()
	k, ok := s.keys[keyKey{realm, id}]
	if !ok {
		return core.AccessKey{}, refusal(core.NotFound)
	}
	return cloneKey(k)
}

// RecentAccessKey implements [core.Recent].
func (s *Store) RecentAccessKey(ctx context.Context, realm core.Realm, id core.KeyID) (core.AccessKey, error) {
	return s.AccessKey(ctx, realm, id)
}

func cloneKey(k core.AccessKey) (_ core.AccessKey, err error) {
	k.Attributes, err = copied(k.Attributes)
	k.CreatedAt, k.UpdatedAt = stored(k.CreatedAt), stored(k.UpdatedAt)
	k.ExpiresAt, k.TokensFrom = stored(k.ExpiresAt), stored(k.TokensFrom)
	return k, err
}

// AccessKeyByIdentifier implements [core.AccessKeys].
func (s *Store) AccessKeyByIdentifier(ctx context.Context, realm core.Realm, identifier string) (core.AccessKey, error) {
	if err := s.enter(ctx); err != nil {
		return core.AccessKey{}, err
	}
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.Realm == realm && k.Identifier == identifier {
			return cloneKey(k)
		}
	}
	return core.AccessKey{}, refusal(core.NotFound)
}

// HeldAccessKey implements [core.Recent].
func (s *Store) HeldAccessKey(realm core.Realm, identifier string) (core.AccessKey, error) {
	return s.AccessKeyByIdentifier(context.Background(), realm, identifier)
}

// HoldAccessKey implements [core.Recent]: it holds everything already.
func (s *Store) HoldAccessKey(ctx context.Context, realm core.Realm, identifier string) error {
	_, err := s.AccessKeyByIdentifier(ctx, realm, identifier)
	return err
}

// AccessKeyList implements [core.AccessKeys].
func (s *Store) AccessKeyList(ctx context.Context, realm core.Realm, after string, limit int) ([]core.AccessKey, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var found []core.AccessKey
	for _, k := range s.keys {
		if k.Realm == realm && k.Identifier > after {
			k, err := cloneKey(k)
			if err != nil {
				return nil, err
			}
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b core.AccessKey) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return found[:min(len(found), max(0, limit))], nil
}

// CreateAccessKey implements [core.AccessKeys].
func (s *Store) CreateAccessKey(ctx context.Context, key core.AccessKey, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, taken := s.keys[keyKey{key.Realm, key.ID}]; taken {
		return refusal(core.Conflict)
	}
	if err := s.saveKey(key); err != nil {
		return err
	}
	s.record(event)
	return nil
}

// saveKey stores k, whose identifier must be free and whose account must exist.
func (s *Store) saveKey(k core.AccessKey) (err error) {
	for _, other := range s.keys {
		if other.Realm == k.Realm && other.ID != k.ID && other.Identifier == k.Identifier {
			return refusal(core.Conflict)
		}
	}
	if _, ok := s.accounts[accountKey{k.Realm, k.Account}]; !ok {
		return refusal(core.NotFound)
	}
	if k, err = cloneKey(k); err != nil {
		return err
	}
	s.keys[keyKey{k.Realm, k.ID}] = k
	return nil
}

// UpdateAccessKey implements [core.AccessKeys].
func (s *Store) UpdateAccessKey(ctx context.Context, realm core.Realm, id core.KeyID, change func(*core.AccessKey) (core.Event, error)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	k, ok := s.keys[keyKey{realm, id}]
	if !ok {
		return refusal(core.NotFound)
	}
	k, err := cloneKey(k)
	if err != nil {
		return err
	}
	version := k.Version
	event, err := change(&k)
	if err != nil {
		return err
	}
	k.Realm, k.ID, k.Version = realm, id, version+1
	if err := s.saveKey(k); err != nil {
		return err
	}
	s.record(event)
	return nil
}

// IssueTicket implements [core.Tickets].
func (s *Store) IssueTicket(ctx context.Context, ticket core.Ticket, event core.Event) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.accounts[accountKey{ticket.Realm, ticket.Account}]; !ok {
		return refusal(core.NotFound)
	}
	place := ticketKey{ticket.Realm, ticket.Account, ticket.Purpose}
	for at, other := range s.tickets {
		if at != place && other.Realm == ticket.Realm && other.Digest == ticket.Digest {
			return refusal(core.Conflict)
		}
	}
	ticket.IssuedAt, ticket.ExpiresAt, ticket.UsedAt = stored(ticket.IssuedAt), stored(ticket.ExpiresAt), stored(ticket.UsedAt)
	if ticket.MailedTo != (core.Digest{}) {
		s.issues = append(s.issues, ticket)
	}
	ticket.MailedTo = core.Digest{}
	s.tickets[place] = ticket
	s.record(event)
	return nil
}

// Ticket implements [core.Tickets].
func (s *Store) Ticket(ctx context.Context, realm core.Realm, digest core.Digest) (core.Ticket, error) {
	if err := s.enter(ctx); err != nil {
		return core.Ticket{}, err
	}
	defer s.mu.Unlock()
	if t, ok := s.ticket(realm, digest); ok {
		return t, nil
	}
	return core.Ticket{}, refusal(core.NotFound)
}

func (s *Store) ticket(realm core.Realm, digest core.Digest) (core.Ticket, bool) {
	for _, t := range s.tickets {
		if t.Realm == realm && t.Digest.Equal(digest) {
			return t, true
		}
	}
	return core.Ticket{}, false
}

// TicketsSince implements [core.Tickets].
func (s *Store) TicketsSince(ctx context.Context, realm core.Realm, account core.AccountID, recipient core.Digest, purpose core.Purpose, from time.Time) (int, error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	count := 0
	for _, t := range s.issues {
		if t.Realm == realm && (t.Account == account || t.MailedTo == recipient) && t.Purpose == purpose && !t.IssuedAt.Before(stored(from)) {
			count++
		}
	}
	return count, nil
}

// RedeemTicket implements [core.Tickets].
func (s *Store) RedeemTicket(ctx context.Context, realm core.Realm, digest core.Digest, now time.Time, change func(core.Ticket, *core.Account) (core.Event, error)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t, ok := s.ticket(realm, digest)
	switch {
	case !ok:
		return refusal(core.TicketUnknown)
	case !t.UsedAt.IsZero():
		return refusal(core.TicketUsed)
	}
	a, err := s.account(realm, t.Account)
	if err != nil {
		return err
	}
	version := a.Version
	event, err := change(t, &a)
	if err != nil {
		return err
	}
	a.Realm, a.ID, a.Version = realm, t.Account, version+1
	if err := s.saveAccount(a); err != nil {
		return err
	}
	t.UsedAt = stored(now)
	s.tickets[ticketKey{t.Realm, t.Account, t.Purpose}] = t
	s.record(event)
	return nil
}
