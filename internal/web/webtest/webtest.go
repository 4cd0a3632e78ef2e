// Package webtest gives tests of the HTTP surfaces a dialect with an authority
// behind it, whose parts can be made to fail. It serves no server.
package webtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// A Store keeps what core needs; tests give the fake, internal/store/memory.
type Store interface {
	core.Realms
	core.Accounts
	core.AccessKeys
	core.Recent
	core.Tenants
	core.Sessions
	core.Tokens
	core.Factors
	core.Tickets
	core.Outbox
	core.Journal
}

// Realm is where everything in a world lives.
const Realm core.Realm = "demo"

// Password is every account's password, Secret every access key's secret.
const (
	Password = "right password"
	Secret   = "right secret of 256 random bits, or so"
)

// A World is a dialect with its authority.
type World struct {
	Dialect   *dialect.Dialect
	Authority *core.Authority
	Registry  *core.Registry
	Store     Store
	// Busy refuses password work at admission. Fault, when set, is called by each
	// look-up of a token's account or key; what it returns is the look-up's error.
	Busy  atomic.Bool
	Fault atomic.Pointer[func() error]
}

// New loads a dialect from source and joins it to store.
func New(t testing.TB, store Store, name string, source []byte, settings map[string]any) *World {
	t.Helper()
	w := &World{Store: store}
	var err error
	w.Dialect, err = dialect.Load(name, source, dialect.Options{
		Realm: Realm, Issuer: "https://login.example", BaseURL: "https://login.example", Settings: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	passwords := passwords{&w.Busy}
	w.Authority, err = core.NewAuthority(core.Deps{
		Realms: store, Accounts: store, AccessKeys: store, Recent: recent{store, w}, Tenants: store, Sessions: store, Tokens: store,
		Factors: store, Tickets: store, Outbox: store, Journal: store,
		Passwords: passwords, Signer: signer{}, Sealer: sealer{}, Publisher: publisher{}, Attempts: attempts{}, Now: time.Now,
	}, w.Dialect.Terms())
	if err != nil {
		t.Fatal(err)
	}
	w.Registry = &core.Registry{
		Realms: store, Tenants: store, Accounts: store, Factors: store, AccessKeys: store,
		Passwords: passwords, Sealer: sealer{}, Now: time.Now,
	}
	declared := map[string]core.AttributeType{}
	for _, name := range []string{"realm", "ca", "cid", "domain"} {
		declared[name] = core.StringAttribute
	}
	if _, err := w.Registry.PutRealm(t.Context(), core.RealmInfo{Name: Realm, Attributes: declared}, core.Origin{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// Account makes an active, verified account with [Password]; change may be nil.
func (w *World) Account(t testing.TB, login string, change func(*core.AccountSpec)) core.Account {
	t.Helper()
	spec := core.AccountSpec{Realm: Realm, Login: login, Active: true, Verified: true, Password: core.NewSecret(Password)}
	if change != nil {
		change(&spec)
	}
	account, err := w.Registry.CreateAccount(t.Context(), spec, core.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// AccessKey makes an active access key of an account with [Secret].
func (w *World) AccessKey(t testing.TB, owner core.Account, identifier string) {
	t.Helper()
	err := w.Store.CreateAccessKey(t.Context(), core.AccessKey{
		ID: core.KeyID("id of " + identifier), Realm: Realm, Account: owner.ID, Identifier: identifier,
		SecretDigest: core.NewSecret(Secret).Digest(), State: core.KeyStateActive, CreatedAt: time.Now(), Version: 1,
	}, core.Event{Realm: Realm, Action: core.ActionKeyCreated})
	if err != nil {
		t.Fatal(err)
	}
}

// Token signs an account in and returns its bearer token.
func (w *World) Token(t testing.TB, login string) string {
	t.Helper()
	token, err := w.Authority.Exchange(t.Context(), core.Credential{
		As: []core.SubjectKind{core.SubjectAccount}, Identifier: login, Secret: core.NewSecret(Password), Policy: "access",
	})
	if err != nil {
		t.Fatal(err)
	}
	return token.Value.Reveal()
}

// recent fails on demand.
type recent struct {
	core.Recent
	w *World
}

func (r recent) fault() error {
	if f := r.w.Fault.Load(); f != nil {
		return (*f)()
	}
	return nil
}

func (r recent) RecentAccount(ctx context.Context, realm core.Realm, id core.AccountID) (core.Account, error) {
	if err := r.fault(); err != nil {
		return core.Account{}, err
	}
	return r.Recent.RecentAccount(ctx, realm, id)
}

func (r recent) RecentAccessKey(ctx context.Context, realm core.Realm, id core.KeyID) (core.AccessKey, error) {
	if err := r.fault(); err != nil {
		return core.AccessKey{}, err
	}
	return r.Recent.RecentAccessKey(ctx, realm, id)
}

// passwords are kept as they are: what hashing costs is not the surfaces' matter.
type passwords struct{ busy *atomic.Bool }

func (p passwords) Admit(context.Context, core.Realm, netip.Prefix) error {
	if p.busy.Load() {
		return &core.Error{Kind: core.Unavailable, RetryAfter: 3 * time.Second}
	}
	return nil
}

func (passwords) Verify(_ context.Context, _ core.Realm, hash core.PasswordHash, secret core.Secret) (match, outdated bool, err error) {
	return string(hash) == "plain:"+secret.Reveal(), false, nil
}

func (passwords) Hash(_ context.Context, _ core.Realm, secret core.Secret) (core.PasswordHash, error) {
	return core.PasswordHash("plain:" + secret.Reveal()), nil
}

func (passwords) Supports(core.PasswordHash) error { return nil }

func (passwords) Later(core.Realm, core.Secret, func(core.PasswordHash)) {}

// signer writes the key set's name behind the payload.
type signer struct{}

func (signer) Sign(_ context.Context, keys core.KeySet, payload []byte) (core.Secret, error) {
	return core.NewSecret(base64.RawURLEncoding.EncodeToString(payload) + mark(keys)), nil
}

func (signer) Verify(_ context.Context, keys core.KeySet, token core.Secret) (core.Claims, error) {
	text, ours := strings.CutSuffix(token.Reveal(), mark(keys))
	payload, err := base64.RawURLEncoding.DecodeString(text)
	var claims map[string]any
	if !ours || err != nil || json.Unmarshal(payload, &claims) != nil {
		return core.Claims{}, &core.Error{Kind: core.TokenInvalid}
	}
	instant := func(name string) time.Time {
		if seconds, ok := claims[name].(float64); ok {
			return time.Unix(int64(seconds), 0)
		}
		return time.Time{}
	}
	var audience []string
	switch aud := claims["aud"].(type) {
	case string:
		audience = []string{aud}
	case []any:
		for _, a := range aud {
			audience = append(audience, fmt.Sprint(a))
		}
	}
	return core.Claims{
		ExpiresAt: instant("exp"), NotBefore: instant("nbf"), IssuedAt: instant("iat"), Audience: audience,
		Text: func(name string) string { text, _ := claims[name].(string); return text },
	}, nil
}

// sealer writes what is sealed behind what it is bound to.
type sealer struct{}

func (sealer) Seal(purpose, row string, secret core.Secret) ([]byte, error) {
	return []byte(purpose + " " + row + " " + secret.Reveal()), nil
}

func (sealer) Open(purpose, row string, sealed []byte) (core.Secret, error) {
	text, ok := strings.CutPrefix(string(sealed), purpose+" "+row+" ")
	if !ok {
		return core.Secret{}, &core.Error{Kind: core.Internal}
	}
	return core.NewSecret(text), nil
}

// publisher names the key sets.
type publisher struct{}

func (publisher) KeySet(sets []core.KeySet) ([]byte, error) {
	names := make([]string, len(sets))
	for i, keys := range sets {
		names[i] = mark(keys)
	}
	return json.Marshal(map[string]any{"keys": names})
}

func mark(keys core.KeySet) string { return "." + string(keys.Realm) + "." + keys.Dialect }

// attempts are never too many.
type attempts struct{}

func (attempts) Begin(context.Context, core.AttemptKey) (core.Attempt, error) { return attempt{}, nil }

type attempt struct{}

func (attempt) Succeeded() {}
func (attempt) Failed()    {}
func (attempt) Abandoned() {}
