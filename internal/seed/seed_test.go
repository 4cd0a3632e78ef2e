package seed

import (
	"context"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// passwords makes no hash: nobody signs in here.
type passwords struct{ core.Passwords }

func (passwords) Hash(context.Context, core.Realm, core.Secret) (core.PasswordHash, error) {
	return "hash", nil
}

// TestIdentities makes a file's samples, twice: what is there is left alone.
func TestIdentities(t *testing.T) {
	source, err := dialects.Files.ReadFile("pagfast.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dialect.Load("pagfast.yaml", source, dialect.Options{Realm: "partners", Issuer: "https://a.example", BaseURL: "https://a.example"})
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	registry := &core.Registry{Realms: store, Accounts: store, AccessKeys: store, Passwords: passwords{}, Now: time.Now}
	for range 2 {
		if err := Identities(t.Context(), registry, d); err != nil {
			t.Fatal(err)
		}
	}
	realm, err := store.Realm(t.Context(), "partners")
	if err != nil || realm.Attributes["cid"] != core.StringAttribute {
		t.Errorf("realm = %v, %v, want one that declares cid as text", realm, err)
	}
	for _, want := range d.Samples().Accounts {
		got, err := store.Account(t.Context(), "partners", want.Account.ID)
		if err != nil || got.Login != want.Account.Login || got.Active != want.Account.Active || !got.CreatedAt.Equal(want.Account.CreatedAt) {
			t.Errorf("account %s = %+v, %v, want %+v", want.Sample, got, err, want.Account)
		}
	}
	for _, want := range d.Samples().Keys {
		got, err := store.AccessKeyByIdentifier(t.Context(), "partners", want.Key.Identifier)
		if err != nil || got.State != want.Key.State || got.Account != want.Key.Account || got.SecretDigest != want.Secret.Digest() {
			t.Errorf("access key %s = %+v, %v, want %+v", want.Sample, got, err, want.Key)
		}
	}
}
