package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

var recentTests = map[string]func(*testing.T, Store){
	"what is there is returned, what is not is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		a := withAccount(t, s, "1", "alice")
		k := withKey(t, s, "k1", "1", "AK-1")
		for range 3 {
			wantSame(t, "RecentAccount()", get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1")), a)
			wantSame(t, "RecentAccessKey()", get[core.AccessKey](t)(s.RecentAccessKey(t.Context(), realm, "k1")), k)
			wantSame(t, "HeldAccessKey()", get[core.AccessKey](t)(heldOrRead(t.Context(), s, "AK-1")), k)
			_, err := s.RecentAccount(t.Context(), other, "1")
			wantKind(t, "RecentAccount(another realm)", err, core.NotFound)
			_, err = s.RecentAccessKey(t.Context(), other, "k1")
			wantKind(t, "RecentAccessKey(another realm)", err, core.NotFound)
			_, err = heldOrRead(t.Context(), s, "ak-1")
			wantKind(t, "HeldAccessKey(another case)", err, core.NotFound)
		}
	},
	"absence is not remembered": func(t *testing.T, s Store) {
		withRealms(t, s)
		_, err := s.RecentAccount(t.Context(), realm, "1")
		wantKind(t, "RecentAccount()", err, core.NotFound)
		a := withAccount(t, s, "1", "alice")
		wantSame(t, "RecentAccount()", get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1")), a)
		_, err = heldOrRead(t.Context(), s, "AK-1")
		wantKind(t, "HeldAccessKey()", err, core.NotFound)
		k := withKey(t, s, "k1", "1", "AK-1")
		wantSame(t, "HeldAccessKey()", get[core.AccessKey](t)(heldOrRead(t.Context(), s, "AK-1")), k)
	},
	"one's own change is seen at once": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withKey(t, s, "k1", "1", "AK-1")
		for i := range 30 {
			get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1"))
			get[core.AccessKey](t)(s.RecentAccessKey(t.Context(), realm, "k1"))
			get[core.AccessKey](t)(heldOrRead(t.Context(), s, "AK-1"))
			name := fmt.Sprint("name ", i)
			must(t, s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
				a.Name = name
				return at(i, core.ActionAccountChanged), nil
			}))
			must(t, s.UpdateAccessKey(t.Context(), realm, "k1", func(k *core.AccessKey) (core.Event, error) {
				k.Name = name
				return at(i, core.ActionKeyChanged), nil
			}))
			a := get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1"))
			k := get[core.AccessKey](t)(s.RecentAccessKey(t.Context(), realm, "k1"))
			byIdentifier := get[core.AccessKey](t)(heldOrRead(t.Context(), s, "AK-1"))
			if a.Name != name || k.Name != name || byIdentifier.Name != name {
				t.Fatalf("after change %d: %q, %q, %q", i, a.Name, k.Name, byIdentifier.Name)
			}
		}
	},
	"a redeemed ticket's change is seen at once": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		ticket := withTicket(t, s, "1", "secret", start)
		get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1"))
		must(t, s.RedeemTicket(t.Context(), realm, ticket.Digest, start, func(_ core.Ticket, a *core.Account) (core.Event, error) {
			a.PasswordHash = "new"
			return at(1, core.ActionPasswordReset), nil
		}))
		if a := get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1")); a.PasswordHash != "new" {
			t.Error("RecentAccount() still has the old password")
		}
	},
	"a key that changed its identifier is not found by the old one": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withKey(t, s, "k1", "1", "AK-1")
		get[core.AccessKey](t)(heldOrRead(t.Context(), s, "AK-1"))
		must(t, s.UpdateAccessKey(t.Context(), realm, "k1", func(k *core.AccessKey) (core.Event, error) {
			k.Identifier = "AK-2"
			return at(1, core.ActionKeyChanged), nil
		}))
		_, err := heldOrRead(t.Context(), s, "AK-1")
		wantKind(t, "HeldAccessKey(old)", err, core.NotFound)
		get[core.AccessKey](t)(heldOrRead(t.Context(), s, "AK-2"))
	},
	"what the caller does to a result is not seen by others": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := withAccount(t, s, "1", "alice")
		got := get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1"))
		got.Name = "changed"
		got.Active = false
		wantSame(t, "RecentAccount()", get[core.Account](t)(s.RecentAccount(t.Context(), realm, "1")), want)
	},
	"readers that race with changes never see an older one again": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withKey(t, s, "k1", "1", "AK-1")
		var changed atomic.Int64 // the newest version whose change has returned
		changed.Store(1)
		stop := make(chan struct{})
		done := make(chan error, 4)
		for range cap(done) {
			go func() {
				for {
					select {
					case <-stop:
						done <- nil
						return
					default:
					}
					floor := changed.Load()
					k, err := heldOrRead(t.Context(), s, "AK-1")
					if err == nil && k.Version < floor {
						err = fmt.Errorf("key version %d after %d was changed", k.Version, floor)
					}
					fresh, freshErr := s.Account(t.Context(), realm, "1")
					a, recentErr := s.RecentAccount(t.Context(), realm, "1")
					if err == nil && freshErr == nil && recentErr == nil && a.Version < fresh.Version {
						err = fmt.Errorf("account version %d after %d was read", a.Version, fresh.Version)
					}
					if err != nil {
						done <- err
						return
					}
				}
			}()
		}
		for i := range 150 {
			must(t, s.UpdateAccessKey(t.Context(), realm, "k1", func(*core.AccessKey) (core.Event, error) { return at(i, core.ActionKeyChanged), nil }))
			changed.Add(1)
			must(t, s.UpdateAccount(t.Context(), realm, "1", func(*core.Account) (core.Event, error) { return at(i, core.ActionAccountChanged), nil }))
		}
		close(stop)
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	},
	"another handle's change is seen within two seconds": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withKey(t, s, "k1", "1", "AK-1")
		get[core.Account](t)(second.RecentAccount(t.Context(), realm, "1"))
		get[core.AccessKey](t)(second.RecentAccessKey(t.Context(), realm, "k1"))
		get[core.AccessKey](t)(heldOrRead(t.Context(), second, "AK-1"))
		must(t, s.UpdateAccount(t.Context(), realm, "1", func(a *core.Account) (core.Event, error) {
			a.Active = false
			return at(1, core.ActionAccountDisabled), nil
		}))
		must(t, s.UpdateAccessKey(t.Context(), realm, "k1", func(k *core.AccessKey) (core.Event, error) {
			k.State = core.KeyStateRevoked
			return at(1, core.ActionKeyRevoked), nil
		}))
		changed := time.Now()
		if a := get[core.Account](t)(second.Account(t.Context(), realm, "1")); a.Active {
			t.Error("Account() of the other handle is not fresh")
		}
		for {
			late := time.Since(changed) > 2*time.Second
			a := get[core.Account](t)(second.RecentAccount(t.Context(), realm, "1"))
			k := get[core.AccessKey](t)(second.RecentAccessKey(t.Context(), realm, "k1"))
			byIdentifier := get[core.AccessKey](t)(heldOrRead(t.Context(), second, "AK-1"))
			if !a.Active && k.State == core.KeyStateRevoked && byIdentifier.State == core.KeyStateRevoked {
				return
			}
			if late {
				t.Fatalf("after two seconds: account active %v, key %s and %s", a.Active, k.State, byIdentifier.State)
			}
			time.Sleep(20 * time.Millisecond)
		}
	},
}

// heldOrRead finds an access key as a sign-in does.
func heldOrRead(ctx context.Context, s Store, identifier string) (core.AccessKey, error) {
	if key, err := s.HeldAccessKey(realm, identifier); err == nil {
		return key, nil
	}
	if err := s.HoldAccessKey(ctx, realm, identifier); err != nil {
		return core.AccessKey{}, err
	}
	return s.AccessKeyByIdentifier(ctx, realm, identifier)
}
