package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// filled returns a store with an account and an access key.
func filled(b *testing.B, url string) *Store {
	b.Helper()
	s := openTest(b, url).Store
	a := core.Account{ID: "0190b5a2-7c1e-7000-8000-000000000001", Realm: "demo", Login: "alice", Roles: []string{"reader"}, Active: true}
	k := core.AccessKey{ID: "0190b5a2-7c1e-7000-8000-000000000002", Realm: "demo", Account: a.ID, Identifier: "AK-1", State: core.KeyStateActive}
	err := errors.Join(s.PutRealm(b.Context(), core.RealmInfo{Name: "demo"}, exchange(0)),
		s.CreateAccount(b.Context(), a, exchange(0)), s.CreateAccessKey(b.Context(), k, exchange(0)))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkStore(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			s := filled(b, e.url(b))
			b.Run("AccessKeyByIdentifier", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.AccessKeyByIdentifier(b.Context(), "demo", "AK-1"); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("HeldAccessKey", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := heldOrRead(b.Context(), s, "AK-1"); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("AccountByLogin", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.AccountByLogin(b.Context(), "demo", "alice"); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("OpenSession", func(b *testing.B) {
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					if err := s.OpenSession(b.Context(), opening(n)); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("Token", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := s.Token(b.Context(), "demo", opening(0).Tokens[0].Digest); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("RecordAlone", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := s.Record(b.Context(), exchange(1)); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("RecordGrouped", func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(100) // 200 writers on two cores
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := s.Record(b.Context(), exchange(1)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
			b.Run("UpdateGrouped", func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(100)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						err := s.UpdateAccount(b.Context(), "demo", "0190b5a2-7c1e-7000-8000-000000000001", func(*core.Account) (core.Event, error) {
							return exchange(1), nil
						})
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		})
	}
}

// opening is a session as a login with a refresh token opens it.
func opening(n int) core.Opening {
	id := core.SessionID(fmt.Sprintf("0190b5a2-7c1e-7000-8000-%012d", n))
	end := exchange(0).At.Add(time.Hour)
	tokens := []core.StoredToken{
		{Digest: core.NewSecret("access " + string(id)).Digest(), Use: core.UseAccess, ID: string(id), IssuedAt: exchange(0).At, ExpiresAt: end},
		{Digest: core.NewSecret("refresh " + string(id)).Digest(), Use: core.UseRefresh, ID: string(id), IssuedAt: exchange(0).At, ExpiresAt: end},
	}
	return core.Opening{Tokens: tokens, Event: exchange(n), Session: core.Session{
		ID: id, Realm: "demo", Dialect: "oauth2", Policy: "access", Account: "0190b5a2-7c1e-7000-8000-000000000001",
		Methods: []string{"password"}, Granted: core.Granted{"scope": "read write"}, CreatedAt: exchange(0).At, SeenAt: exchange(0).At, ExpiresAt: end,
	}}
}

func heldOrRead(ctx context.Context, s *Store, identifier string) (core.AccessKey, error) {
	if key, err := s.HeldAccessKey("demo", identifier); err == nil {
		return key, nil
	}
	if err := s.HoldAccessKey(ctx, "demo", identifier); err != nil {
		return core.AccessKey{}, err
	}
	return s.AccessKeyByIdentifier(ctx, "demo", identifier)
}
