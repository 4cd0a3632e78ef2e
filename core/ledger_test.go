package core_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// A ledger is a store and a signer that write down what is asked of them, in order,
// and that are away for the step that a test names.
type ledger struct {
	*memory.Store
	openSigner
	mu    sync.Mutex
	steps []string
	away  string
}

// keepLedger puts a ledger before the world's store.
func (w *world) keepLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{Store: w.store}
	w.deps.Accounts, w.deps.AccessKeys, w.deps.Recent, w.deps.Tenants, w.deps.Sessions = l, l, l, l, l
	w.deps.Tokens, w.deps.Factors, w.deps.Tickets, w.deps.Journal, w.deps.Signer = l, l, l, l, l
	w.open(t)
	return l
}

// wrote tells the steps since it was asked last, of all or of those that are kept.
func (l *ledger) wrote(keep ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	steps := l.steps
	l.steps = nil
	if len(keep) > 0 {
		steps = slices.DeleteFunc(steps, func(s string) bool { return !slices.Contains(keep, s) })
	}
	return steps
}

func (l *ledger) step(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, name)
	if name == l.away {
		return &core.Error{Kind: core.Unavailable}
	}
	return nil
}

func (l *ledger) event(name string, e core.Event) error { return l.step(name + " " + string(e.Action)) }

func (l *ledger) Sign(ctx context.Context, keys core.KeySet, payload []byte) (core.Secret, error) {
	if err := l.step("Sign"); err != nil {
		return core.Secret{}, err
	}
	return l.openSigner.Sign(ctx, keys, payload)
}

func (l *ledger) Verify(ctx context.Context, keys core.KeySet, token core.Secret) (core.Claims, error) {
	if err := l.step("Verify"); err != nil {
		return core.Claims{}, err
	}
	return l.openSigner.Verify(ctx, keys, token)
}

func (l *ledger) Record(ctx context.Context, e core.Event) error {
	if err := l.event("Record", e); err != nil {
		return err
	}
	return l.Store.Record(ctx, e)
}

func (l *ledger) Account(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	if err := l.step("Account"); err != nil {
		return core.Account{}, err
	}
	return l.Store.Account(ctx, realm, id)
}

func (l *ledger) AccountByLogin(ctx context.Context, realm core.Realm, login core.CanonicalLogin) (core.Account, error) {
	if err := l.step("AccountByLogin"); err != nil {
		return core.Account{}, err
	}
	return l.Store.AccountByLogin(ctx, realm, login)
}

func (l *ledger) AccountByTenantLogin(ctx context.Context, realm core.Realm, tenant core.TenantID, login core.CanonicalLogin) (core.Account, error) {
	if err := l.step("AccountByTenantLogin"); err != nil {
		return core.Account{}, err
	}
	return l.Store.AccountByTenantLogin(ctx, realm, tenant, login)
}

func (l *ledger) UpdateAccount(ctx context.Context, realm core.Realm, id core.AccountID, change func(*core.Account) (core.Event, error)) error {
	if err := l.step("UpdateAccount"); err != nil {
		return err
	}
	return l.Store.UpdateAccount(ctx, realm, id, change)
}

func (l *ledger) AccessKeyByIdentifier(ctx context.Context, realm core.Realm, identifier string) (core.AccessKey, error) {
	if err := l.step("AccessKeyByIdentifier"); err != nil {
		return core.AccessKey{}, err
	}
	return l.Store.AccessKeyByIdentifier(ctx, realm, identifier)
}

func (l *ledger) RecentAccount(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	if err := l.step("RecentAccount"); err != nil {
		return core.Account{}, err
	}
	return l.Store.RecentAccount(ctx, realm, id)
}

func (l *ledger) RecentAccessKey(ctx context.Context, realm core.Realm, id core.KeyID) (core.AccessKey, error) {
	if err := l.step("RecentAccessKey"); err != nil {
		return core.AccessKey{}, err
	}
	return l.Store.RecentAccessKey(ctx, realm, id)
}

func (l *ledger) RecentSession(ctx context.Context, realm core.Realm, id core.SessionID) (core.Session, error) {
	if err := l.step("RecentSession"); err != nil {
		return core.Session{}, err
	}
	return l.Store.RecentSession(ctx, realm, id)
}

func (l *ledger) HeldAccessKey(realm core.Realm, identifier string) (core.AccessKey, error) {
	if err := l.step("HeldAccessKey"); err != nil {
		return core.AccessKey{}, err
	}
	return l.Store.HeldAccessKey(realm, identifier)
}

func (l *ledger) HoldAccessKey(ctx context.Context, realm core.Realm, identifier string) error {
	if err := l.step("HoldAccessKey"); err != nil {
		return err
	}
	return l.Store.HoldAccessKey(ctx, realm, identifier)
}

func (l *ledger) Tenant(ctx context.Context, realm core.Realm, id core.TenantID) (core.Tenant, error) {
	if err := l.step("Tenant"); err != nil {
		return core.Tenant{}, err
	}
	return l.Store.Tenant(ctx, realm, id)
}

func (l *ledger) TenantByName(ctx context.Context, realm core.Realm, name core.CanonicalLogin) (core.Tenant, error) {
	if err := l.step("TenantByName"); err != nil {
		return core.Tenant{}, err
	}
	return l.Store.TenantByName(ctx, realm, name)
}

func (l *ledger) Factor(ctx context.Context, realm core.Realm, account core.AccountID) (core.Factor, error) {
	if err := l.step("Factor"); err != nil {
		return core.Factor{}, err
	}
	return l.Store.Factor(ctx, realm, account)
}

func (l *ledger) IssueTicket(ctx context.Context, ticket core.Ticket, e core.Event) error {
	if err := l.event("IssueTicket", e); err != nil {
		return err
	}
	return l.Store.IssueTicket(ctx, ticket, e)
}

func (l *ledger) OpenSession(ctx context.Context, opening core.Opening) error {
	if err := l.event("OpenSession", opening.Event); err != nil {
		return err
	}
	return l.Store.OpenSession(ctx, opening)
}

func (l *ledger) Session(ctx context.Context, realm core.Realm, id core.SessionID) (core.Session, error) {
	if err := l.step("Session"); err != nil {
		return core.Session{}, err
	}
	return l.Store.Session(ctx, realm, id)
}

func (l *ledger) SlotSession(ctx context.Context, realm core.Realm, slot string) (core.Session, core.StoredToken, error) {
	if err := l.step("SlotSession"); err != nil {
		return core.Session{}, core.StoredToken{}, err
	}
	return l.Store.SlotSession(ctx, realm, slot)
}

func (l *ledger) EndSession(ctx context.Context, realm core.Realm, id core.SessionID, now time.Time, reason core.Kind, e core.Event) error {
	if err := l.event("EndSession", e); err != nil {
		return err
	}
	return l.Store.EndSession(ctx, realm, id, now, reason, e)
}

func (l *ledger) TouchSession(ctx context.Context, realm core.Realm, id core.SessionID, seenAt time.Time) error {
	if err := l.step("TouchSession"); err != nil {
		return err
	}
	return l.Store.TouchSession(ctx, realm, id, seenAt)
}

func (l *ledger) Token(ctx context.Context, realm core.Realm, digest core.Digest) (core.StoredToken, core.Session, error) {
	if err := l.step("Token"); err != nil {
		return core.StoredToken{}, core.Session{}, err
	}
	return l.Store.Token(ctx, realm, digest)
}

func (l *ledger) AddTokens(ctx context.Context, realm core.Realm, id core.SessionID, now time.Time, tokens []core.StoredToken, keep int, e core.Event) error {
	if err := l.event("AddTokens", e); err != nil {
		return err
	}
	return l.Store.AddTokens(ctx, realm, id, now, tokens, keep, e)
}

func (l *ledger) ProlongToken(ctx context.Context, realm core.Realm, token core.StoredToken, now time.Time, e core.Event) error {
	if err := l.event("ProlongToken", e); err != nil {
		return err
	}
	return l.Store.ProlongToken(ctx, realm, token, now, e)
}

func (l *ledger) RotateToken(ctx context.Context, realm core.Realm, old core.Digest, now time.Time, tokens []core.StoredToken, e core.Event) error {
	if err := l.event("RotateToken", e); err != nil {
		return err
	}
	return l.Store.RotateToken(ctx, realm, old, now, tokens, e)
}
