package keyring

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/token"
	"github.com/chancery-auth/chancery/internal/token/tokentest"
)

// memory keeps signing keys for these tests.
type memory struct {
	mu   sync.Mutex
	keys []core.SigningKey
	asks int
}

func (m *memory) SigningKeys(_ context.Context, realm core.Realm, dialect string) (found []core.SigningKey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asks++
	for _, k := range slices.Backward(m.keys) {
		if k.Realm == realm && k.Dialect == dialect {
			found = append(found, k)
		}
	}
	return found, nil
}

func (m *memory) AnySigningKey(context.Context) (core.SigningKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asks++
	if len(m.keys) == 0 {
		return core.SigningKey{}, &core.Error{Kind: core.NotFound}
	}
	return m.keys[0], nil
}

func (m *memory) AddFirstSigningKey(_ context.Context, key core.SigningKey) (core.SigningKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asks++
	for _, k := range m.keys {
		if k.Realm == key.Realm && k.Dialect == key.Dialect && k.Algorithm == key.Algorithm {
			return k, nil
		}
	}
	m.keys = append(m.keys, key)
	return key, nil
}

var (
	set     = core.KeySet{Realm: "demo", Dialect: "kyc", Algorithm: "HS256"}
	payload = []byte(`{"sub":"x","aud":"api","iat":1700000000,"exp":99999999999}`)
)

func newMaster(t testing.TB) *MasterKey {
	t.Helper()
	m, err := CreateMasterKey(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func prepared(t testing.TB, r *Ring, sets ...core.KeySet) *Ring {
	t.Helper()
	for _, s := range sets {
		if err := r.Prepare(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func signed(t testing.TB, r *Ring, s core.KeySet) core.Secret {
	t.Helper()
	bearer, err := r.Sign(t.Context(), s, payload)
	if err != nil {
		t.Fatal(err)
	}
	return bearer
}

func TestSignAndVerify(t *testing.T) {
	for _, algorithm := range []string{"HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256"} {
		t.Run(algorithm, func(t *testing.T) {
			s := set
			s.Algorithm = algorithm
			r := prepared(t, New(&memory{}, newMaster(t)), s)
			got, err := r.Verify(t.Context(), s, signed(t, r, s))
			if err != nil {
				t.Fatal(err)
			}
			if got.ExpiresAt.Unix() != 99999999999 || got.IssuedAt.Unix() != 1700000000 || !got.NotBefore.IsZero() ||
				!slices.Equal(got.Audience, []string{"api"}) || got.Text("sub") != "x" || got.Text("exp") != "" {
				t.Errorf("Verify() = %+v, want the claims of %s", got, payload)
			}
			s.WithKeyID = true
			header, _, _ := strings.Cut(signed(t, r, s).Reveal(), ".")
			if text, _ := base64.RawURLEncoding.DecodeString(header); !bytes.Contains(text, []byte(`,"kid":"`)) {
				t.Errorf("header is %s, want a kid", text)
			}
		})
	}
}

// S34, S39: every pair of realm, dialect and algorithm has keys of its own.
func TestFamiliesAreApart(t *testing.T) {
	var sets []core.KeySet
	for _, realm := range []core.Realm{"a", "b"} {
		for _, dialect := range []string{"kyc", "pagfast"} {
			for _, algorithm := range []string{"HS256", "HS384"} {
				sets = append(sets, core.KeySet{Realm: realm, Dialect: dialect, Algorithm: algorithm})
			}
		}
	}
	r := prepared(t, New(&memory{}, newMaster(t)), sets...)
	for _, from := range sets {
		bearer := signed(t, r, from)
		for _, to := range sets {
			_, err := r.Verify(t.Context(), to, bearer)
			if want := map[bool]core.Kind{true: "", false: core.TokenInvalid}[from == to]; core.KindOf(err) != want {
				t.Errorf("a token of %v for %v: %q, want %q", from, to, core.KindOf(err), want)
			}
		}
	}
	other := set
	other.Realm = "never prepared"
	if _, err := r.Sign(t.Context(), other, payload); core.KindOf(err) != core.Internal {
		t.Errorf("Sign() without keys = %v, want Internal", err)
	}
	if _, err := r.Verify(t.Context(), other, signed(t, r, sets[0])); core.KindOf(err) != core.Internal {
		t.Errorf("Verify() without keys = %v, want Internal", err)
	}
}

// S34
func TestForgeriesAreTokenInvalid(t *testing.T) {
	r := prepared(t, New(&memory{}, newMaster(t)), set)
	for _, f := range tokentest.Forgeries("HS256", nil, signed(t, r, set).Reveal()) {
		if _, err := r.Verify(t.Context(), set, core.NewSecret(f.Token)); core.KindOf(err) != core.TokenInvalid {
			t.Errorf("%s: %v, want TokenInvalid", f.Name, err)
		}
	}
	// Signed by us, but without an end.
	bearer, err := r.Sign(t.Context(), set, []byte(`{"sub":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(t.Context(), set, bearer); core.KindOf(err) != core.TokenInvalid {
		t.Errorf("a token without exp: %v, want TokenInvalid", err)
	}
}

func TestRestartAndReplicasShareKeys(t *testing.T) {
	store, master := &memory{}, newMaster(t)
	rings := make([]*Ring, 8)
	var all sync.WaitGroup
	for i := range rings {
		rings[i] = New(store, master)
		all.Go(func() {
			if err := rings[i].Prepare(t.Context(), set); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(store.keys) != 1 {
		t.Errorf("%d keys stored, want 1", len(store.keys))
	}
	for _, signer := range rings {
		bearer := signed(t, signer, set)
		for _, verifier := range rings {
			if _, err := verifier.Verify(t.Context(), set, bearer); err != nil {
				t.Error(err)
			}
		}
	}
	reopened, err := OpenMasterKey(master.path)
	if err != nil {
		t.Fatal(err)
	}
	again := prepared(t, New(store, reopened), set)
	if _, err := again.Verify(t.Context(), set, signed(t, rings[0], set)); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// A newer key signs, and the older ones still verify.
func TestNewestKeySigns(t *testing.T) {
	store, master := &memory{}, newMaster(t)
	r := prepared(t, New(store, master), set)
	old := signed(t, r, set)
	newer := core.SigningKey{ID: "newer", Realm: set.Realm, Dialect: set.Dialect, Algorithm: set.Algorithm}
	sealed, err := master.Seal(purpose, row(newer), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	newer.Sealed = sealed
	store.keys = append(store.keys, newer)
	prepared(t, r, set)
	if signed(t, r, set).Reveal() == old.Reveal() {
		t.Error("the older key signs")
	}
	if _, err := r.Verify(t.Context(), set, old); err != nil {
		t.Errorf("the older key's token: %v", err)
	}
}

func TestSignAndVerifyAskNoStore(t *testing.T) {
	store := &memory{}
	r := prepared(t, New(store, newMaster(t)), set)
	asks := store.asks
	for range 10 {
		if _, err := r.Verify(t.Context(), set, signed(t, r, set)); err != nil {
			t.Fatal(err)
		}
	}
	if store.asks != asks {
		t.Errorf("the store was asked %d times", store.asks-asks)
	}
}

func TestWrongMasterKey(t *testing.T) {
	store := &memory{}
	prepared(t, New(store, newMaster(t)), set)
	wrong := newMaster(t)
	other := set
	other.Realm = "new"
	for _, s := range []core.KeySet{set, other} {
		err := New(store, wrong).Prepare(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), wrong.path) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("Prepare() = %v, want the file's name and what to do", err)
		}
	}
	if len(store.keys) != 1 {
		t.Errorf("%d keys stored: one was made under the wrong master key", len(store.keys))
	}
}

// S45: sealed bytes open in their own row alone.
func TestSealedBytesAreBoundToTheirRow(t *testing.T) {
	store, master := &memory{}, newMaster(t)
	prepared(t, New(store, master), set)
	for name, change := range map[string]func(*core.SigningKey){
		"id":        func(k *core.SigningKey) { k.ID = "other" },
		"realm":     func(k *core.SigningKey) { k.Realm = "other" },
		"dialect":   func(k *core.SigningKey) { k.Dialect = "other" },
		"algorithm": func(k *core.SigningKey) { k.Algorithm = "HS384" },
		"bytes":     func(k *core.SigningKey) { k.Sealed = append(slices.Clone(k.Sealed), 0) },
	} {
		moved := store.keys[0]
		change(&moved)
		s := core.KeySet{Realm: moved.Realm, Dialect: moved.Dialect, Algorithm: moved.Algorithm}
		if err := New(&memory{keys: []core.SigningKey{moved}}, master).Prepare(t.Context(), s); err == nil {
			t.Errorf("a key opens with another %s", name)
		}
	}
	sealed, err := master.Seal("mail.password", "a", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := master.Open("mail.password", "a", sealed); err != nil || string(got) != "secret" {
		t.Errorf("Open() = %q, %v", got, err)
	}
	for _, where := range [][2]string{{"mail.password", "b"}, {"mail", ".passworda"}, {`mail.password" "a`, ""}, {"", `mail.password" "a`}} {
		if _, err := master.Open(where[0], where[1], sealed); err == nil {
			t.Errorf("Open(%q, %q) opens what was sealed elsewhere", where[0], where[1])
		}
	}
}

// S45: neither the database file nor what is printed holds a key's bytes.
func TestDatabaseHoldsNoKeyBytes(t *testing.T) {
	store, master := &memory{}, newMaster(t)
	for _, algorithm := range []string{"HS256", "HS384", "HS512", "ES256", "EdDSA"} {
		s := set
		s.Algorithm = algorithm
		prepared(t, New(store, master), s)
	}
	path := filepath.Join(t.TempDir(), "dump.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "create table signing_keys (id text, sealed blob)"); err != nil {
		t.Fatal(err)
	}
	for _, k := range store.keys {
		if _, err := db.ExecContext(t.Context(), "insert into signing_keys values ($1, $2)", k.ID, k.Sealed); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	dump, err := os.ReadFile(path) //nolint:gosec // this test's own
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range store.keys {
		material, err := master.Open(purpose, row(k), k.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(dump, k.Sealed) {
			t.Errorf("%s: the dump does not hold the sealed key either", k.Algorithm)
		}
		// Of PKCS #8 the first bytes are the same for all keys.
		tail := material[len(material)-24:]
		for form, part := range map[string]string{"raw": string(tail), "hexadecimal": hex.EncodeToString(tail), "base64": base64.StdEncoding.EncodeToString(tail)} {
			if bytes.Contains(dump, []byte(part)) {
				t.Errorf("%s: the database holds the key, %s", k.Algorithm, form)
			}
		}
		if key, err := token.ParseKey(k.ID, k.Algorithm, material); err != nil || strings.Contains(fmt.Sprintf("%+v", key), string(tail)) {
			t.Errorf("%s: the key is printed, or %v", k.Algorithm, err)
		}
	}
}

func TestMasterKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := OpenMasterKey(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore") {
		t.Errorf("OpenMasterKey(missing) = %v, want ErrNotExist, the path and what to do", err)
	}
	if _, err := CreateMasterKey(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode is %04o, want 0600", got)
	}
	before, _ := os.ReadFile(path) //nolint:gosec // this test's own
	if _, err := CreateMasterKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateMasterKey(there already) = %v, want ErrExist", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) { //nolint:gosec // this test's own
		t.Error("the file that was there is changed")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenMasterKey(path)
		if err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("OpenMasterKey(mode %04o) = %v, want a refusal that says what to do", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenMasterKey(path); err != nil {
			t.Errorf("OpenMasterKey(mode %04o) = %v", mode, err)
		}
	}
	if got := fmt.Sprintf("%+v %x", newMaster(t), newMaster(t)); got != "[master key] [master key]" {
		t.Errorf("a master key prints as %q", got)
	}
}

func TestMasterKeyFileDamaged(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "text": "hunter2-hunter2", "JSON": `{"primaryKeyId":1,"key":[]}`} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenMasterKey(path)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: OpenMasterKey() = %v, want the path and not the content", name, err)
		}
	}
	if _, err := OpenMasterKey(t.TempDir()); err == nil {
		t.Error("a folder is taken for a master key")
	}
	if _, err := CreateMasterKey(filepath.Join(t.TempDir(), "absent", "master.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CreateMasterKey() in no folder = %v", err)
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range []string{"HS256", "HS384", "ES256", "EdDSA"} {
		s := set
		s.Algorithm = algorithm
		r := prepared(b, New(&memory{}, newMaster(b)), s)
		bearer := signed(b, r, s)
		b.Run(algorithm+"/first", func(b *testing.B) {
			for b.Loop() {
				prepared := r.loaded[familyOf(s)]
				if _, err := verify(prepared.keys, s, bearer.Reveal()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(algorithm+"/again", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Verify(b.Context(), s, bearer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	master := newMaster(b)
	for b.Loop() {
		prepared(b, New(&memory{}, master), set)
	}
}
