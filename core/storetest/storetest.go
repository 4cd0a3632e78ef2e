// Package storetest says, as tests, what every store must do for core: each
// promise that the interfaces in core make, concurrency included.
//
// It owns no store and knows no engine. A store's own package calls [Run]; what
// is special to an engine, such as surviving kill -9, is tested there.
package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chancery-auth/chancery/core"
)

// A Store is everything that core asks of storage.
type Store interface {
	core.Realms
	core.Accounts
	core.Tenants
	core.AccessKeys
	core.Recent
	core.Sessions
	core.Tokens
	core.Factors
	core.Tickets
	core.Outbox
	core.Audit
	core.SigningKeys
}

// A Reopener can be opened a second time, as another process would.
type Reopener interface {
	Store
	Reopen(t *testing.T) Store
}

// Run holds a store to its promises. open returns an empty one and closes it
// when the test ends.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*testing.T, Store)
	}{
		{"Realms", realmTests},
		{"Accounts", accountTests},
		{"Tenants", tenantTests},
		{"Names", nameTests},
		{"AccessKeys", accessKeyTests},
		{"Recent", recentTests},
		{"Sessions", sessionTests},
		{"Tokens", tokenTests},
		{"Factors", factorTests},
		{"Tickets", ticketTests},
		{"Outbox", outboxTests},
		{"Journal", journalTests},
		{"Audit", auditTests},
		{"SigningKeys", signingKeyTests},
		{"Values", valueTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) { test(t, open(t)) })
			}
		})
	}
}

// realm is the realm that tests use; other shows that nothing crosses realms.
const (
	realm core.Realm = "demo"
	other core.Realm = "other"
)

// start is an instant with microseconds, which every store keeps.
var start = time.Date(2030, 1, 2, 3, 4, 5, 678_901_000, time.UTC)

// at returns an event with every field set.
func at(n int, action core.Action) core.Event {
	return core.Event{
		At: start.Add(time.Duration(n) * time.Microsecond), Realm: realm, Dialect: "dialect", Action: action,
		Outcome: core.BadSecret, Actor: "cli", Account: "a", Key: "k", TokenID: fmt.Sprint("token-", n), Session: "s",
		Address: netip.MustParseAddr("2001:db8::1"), RequestID: fmt.Sprint("request-", n),
	}
}

func withRealms(t *testing.T, s Store) {
	t.Helper()
	for _, name := range []core.Realm{realm, other} {
		must(t, s.PutRealm(t.Context(), core.RealmInfo{Name: name, CreatedAt: start}, at(0, core.ActionRealmChanged)))
	}
}

// account returns an account with every field set.
func account(id, login string) core.Account {
	return core.Account{
		ID: core.AccountID(id), Realm: realm, Tenant: "t", Login: login, Email: login + "@example.org", Name: "Name of " + login,
		Roles:      []string{"reader", "writer"},
		Attributes: core.Attributes{"text": "x", "number": 1.5, "truth": true, "list": []any{"a", "b"}},
		Active:     true, Verified: true, Hold: core.Locked, PasswordHash: "$argon2id$hash", Version: 1,
		CreatedAt: start, UpdatedAt: start.Add(time.Second), TokensFrom: start.Add(2 * time.Second), TicketsFrom: start.Add(3 * time.Microsecond),
	}
}

func withAccount(t *testing.T, s Store, id, login string) core.Account {
	t.Helper()
	a := account(id, login)
	must(t, s.CreateAccount(t.Context(), a, at(0, core.ActionAccountCreated)))
	return a
}

// accessKey returns an access key with every field set.
func accessKey(id, owner, identifier string) core.AccessKey {
	return core.AccessKey{
		ID: core.KeyID(id), Realm: realm, Account: core.AccountID(owner), Identifier: identifier,
		SecretDigest: core.NewSecret("secret of " + id).Digest(), Name: "Name of " + identifier,
		Attributes: core.Attributes{"list": []any{}, "text": ""}, State: core.KeyStateActive, Version: 1,
		CreatedAt: start, UpdatedAt: start.Add(time.Second), ExpiresAt: start.Add(time.Hour), TokensFrom: start.Add(time.Minute),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t testing.TB) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		must(t, err)
		return value
	}
}

func wantKind(t testing.TB, what string, err error, want core.Kind) {
	t.Helper()
	if got := core.KindOf(err); got != want {
		t.Errorf("%s = %v, want kind %q", what, err, want)
	}
}

// wantSame compares values, digests and hashes by their bytes.
func wantSame[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	options := []cmp.Option{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
	if !cmp.Equal(got, want, options...) {
		t.Errorf("%s (-got +want):\n%s", what, cmp.Diff(got, want, options...))
	}
}

// journal returns the actions that are recorded, after a sequence.
func journal(t testing.TB, s Store, after int64) []core.Action {
	t.Helper()
	var actions []core.Action
	for _, e := range get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", after, 100_000)) {
		actions = append(actions, e.Action)
	}
	return actions
}

// last returns the newest sequence.
func last(t testing.TB, s Store) int64 {
	t.Helper()
	events := get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, 100_000))
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Sequence
}

// parallel runs n calls at once and returns their errors.
func parallel(n int, call func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-gate
			errs[i] = call(i)
		})
	}
	close(gate)
	wg.Wait()
	return errs
}

// kinds counts errors by kind.
func kinds(errs []error) map[core.Kind]int {
	count := map[core.Kind]int{}
	for _, err := range errs {
		count[core.KindOf(err)]++
	}
	return count
}

var errChange = errors.New("the change's own error")
