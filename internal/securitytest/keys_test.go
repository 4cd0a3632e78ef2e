package securitytest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/token"
	"github.com/chancery-auth/chancery/internal/token/tokentest"
)

// database opens the server's database beside it.
func (s *site) database(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(s.config.Database, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

type storedFile struct{ name, content string }

// files are the database's: itself and what it keeps beside itself.
func (s *site) files(t *testing.T) (files []storedFile) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.dir, "chancery.db*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("files of the database: %q, %v", names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, storedFile{name, string(content)})
	}
	return files
}

// sign makes a token by nothing but HMAC, with a header and claims of our choice.
func sign(algorithm string, secret []byte, header, payload string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sum := sha256.New
	if algorithm == "HS384" {
		sum = sha512.New384
	}
	mac := hmac.New(sum, secret)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// payloadOf returns the claims of a token as they were written.
func payloadOf(t *testing.T, signed string) string {
	t.Helper()
	_, rest, _ := strings.Cut(signed, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestHeadersThatPointElsewhereAreNotFollowed proves S35: tokens that are rightly
// signed, but name a key or an address of their own, are refused, and nothing is
// asked of that address.
func TestHeadersThatPointElsewhereAreNotFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = conn.Close()
		}
	}()
	s := openSite(t)
	address := "http://" + listener.Addr().String()
	for _, c := range all {
		identifier, secret := s.credential(t, c)
		valid := s.token(t, c, identifier, secret)
		if got := s.send(t, c.present(valid)); got.status != 200 {
			t.Fatalf("%s: the token itself: %s", c.dialect, got)
		}
		want := s.send(t, c.present("nonsense")).String()
		payload := payloadOf(t, valid)
		own := s.signingSecrets(t, c.realm(), c.dialect)[c.algorithm]
		if got := s.send(t, c.present(sign(c.algorithm, own, `{"alg":"`+c.algorithm+`","typ":"JWT"}`, payload))); got.status != 200 {
			t.Fatalf("%s: the same token without such a member: %s", c.dialect, got)
		}
		for _, member := range []string{
			`"jwk":{"kty":"oct","k":"AAAA"}`, `"jku":"` + address + `/keys"`, `"x5u":"` + address + `/cert"`, `"x5c":["MIIB"]`, `"x5t":"AAAA"`, `"x5t#S256":"AAAA"`,
			`"crit":["exp"]`, `"crit":[]`, `"b64":false`, `"crit":["b64"],"b64":false`, `"zip":"DEF"`, `"kid":"` + address + `"`, `"kid":"../../master-key.json"`,
			`"kid":"' or 1=1 --"`, `"kid":"` + strings.Repeat("a", 65) + `"`, `"kid":"a\u0000"`, `"kid":"` + strings.Repeat("../", 21) + `"`,
		} {
			forged := sign(c.algorithm, own, `{"alg":"`+c.algorithm+`","typ":"JWT",`+member+`}`, payload)
			if got := s.send(t, c.present(forged)); got.String() != want {
				t.Errorf("%s, %s\n%s\nwant %s", c.dialect, member, got, want)
			}
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the server asked the address in a token %d times", n)
	}
}

// TestTokenSizes proves S36 at its limits: 8 KiB of token and 1 KiB of header are
// read, a byte more is not, and nothing that is encrypted or compressed.
func TestTokenSizes(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte{7}, 32)
	key, err := token.ParseKey("k", "HS256", secret)
	if err != nil {
		t.Fatal(err)
	}
	const plain = `{"alg":"HS256","typ":"JWT"}`
	for _, tt := range []struct {
		name   string
		header string
		size   int // of the whole token; 0 for whatever comes
		holds  bool
	}{
		{"small", plain, 0, true},
		{"8 KiB", plain, 8 << 10, true},
		{"over 8 KiB", plain, 8<<10 + 1, false},
		{"header of 1 KiB", plain[:len(plain)-1] + strings.Repeat(" ", 1<<10-len(plain)) + "}", 0, true},
		{"header over 1 KiB", plain[:len(plain)-1] + strings.Repeat(" ", 1<<10-len(plain)+1) + "}", 0, false},
	} {
		signed := ""
		for blanks := max(0, (tt.size-len(tt.header)*4/3-200)*3/4); signed == "" || len(signed) < tt.size; blanks++ {
			signed = sign("HS256", secret, tt.header, `{"exp":99999999999}`+strings.Repeat(" ", blanks))
		}
		if tt.size > 0 && len(signed) > tt.size+1 {
			t.Fatalf("%s: made %d bytes", tt.name, len(signed))
		}
		if _, err := token.Verify([]token.Key{key}, "HS256", "", signed); (err == nil) != tt.holds {
			t.Errorf("%s (%d bytes): %v, want it to hold: %v", tt.name, len(signed), err, tt.holds)
		}
	}
}

// TestBadTokensCost proves S36's 50 µs where the contracts need it: no forgery of
// a token that HMAC signs costs more, by the fastest of many calls, which a busy
// machine does not change. internal/token's TestBadTokensAreCheap bounds the memory.
func TestBadTokensCost(t *testing.T) {
	calls := 50
	if long() {
		calls = 500
	}
	for _, algorithm := range []string{"HS256", "HS384"} {
		secret := bytes.Repeat([]byte{7}, 64)
		key, err := token.ParseKey("k", algorithm, secret)
		if err != nil {
			t.Fatal(err)
		}
		valid := sign(algorithm, secret, `{"alg":"`+algorithm+`","typ":"JWT"}`, `{"exp":99999999999}`)
		worst, dearest := time.Duration(0), ""
		forgeries := tokentest.Forgeries(algorithm, secret, valid)
		for _, f := range forgeries {
			fastest := time.Hour
			for range calls {
				start := time.Now()
				_, _ = token.Verify([]token.Key{key}, algorithm, "", f.Token)
				fastest = min(fastest, time.Since(start))
			}
			if fastest > worst {
				worst, dearest = fastest, f.Name
			}
			if fastest > raceFactor*50*time.Microsecond {
				t.Errorf("%s, %s: takes %v, want at most 50 µs", algorithm, f.Name, fastest)
			}
		}
		t.Logf("%s: the dearest of %d forgeries is %q: %v", algorithm, len(forgeries), dearest, worst)
	}
}

// TestTokensOfOtherRealmsAndDialects proves S39 where most is the same: the same
// dialect in two realms, and two dialects in one realm, with the same account ids.
func TestTokensOfOtherRealmsAndDialects(t *testing.T) {
	t.Parallel()
	mounts := []struct {
		contract
		realm core.Realm
	}{{kyc, "north"}, {kyc, "south"}, {data, "north"}, {data, "south"}}
	s := openSite(t, func(config *chancery.Config) {
		config.Serve = nil
		for i, m := range mounts {
			_, path, _ := strings.Cut(m.bearer, " ")
			config.Serve = append(config.Serve, chancery.Mount{
				Dialect: m.dialect, Realm: string(m.realm), Host: fmt.Sprintf("%d.example", i), Protect: []chancery.Protect{{Path: path, Upstream: upstream(t)}},
			})
		}
	})
	for _, realm := range []core.Realm{"north", "south"} {
		s.account(t, kyc, func(spec *core.AccountSpec) {
			spec.Realm, spec.ID, spec.Login = realm, "0ea70001-0f58-44a2-80ad-953633ff2cc7", "ada@people.example"
		})
	}
	for from, m := range mounts {
		login := m.loginWith("ada@people.example", password)
		login.host = fmt.Sprintf("%d.example", from)
		bearer := m.tokenIn(t, s.send(t, login))
		for to, other := range mounts {
			r := other.present(bearer)
			r.host = fmt.Sprintf("%d.example", to)
			want := 401
			if from == to {
				want = 200
			}
			if got := s.send(t, r); got.status != want {
				t.Errorf("a token of %s in %s for %s in %s: %s, want %d", m.dialect, m.realm, other.dialect, other.realm, got, want)
			}
		}
	}
	// S43: and all of their secrets are their own, and long enough.
	seen := map[string]bool{}
	for _, m := range mounts {
		for algorithm, secret := range s.signingSecrets(t, m.realm, m.dialect) {
			if seen[string(secret)] {
				t.Errorf("%s in %s signs with a secret that signs elsewhere", m.dialect, m.realm)
			}
			seen[string(secret)] = true
			if algorithm != "HS256" {
				t.Errorf("%s in %s signs by %s too", m.dialect, m.realm, algorithm)
			}
		}
	}
	if len(seen) != len(mounts) {
		t.Errorf("%d secrets, want %d", len(seen), len(mounts))
	}
}

// TestSigningSecretsAreLong proves S43: what a first start makes for HMAC is as
// long as the hash, is not the same at two servers, and looks random.
func TestSigningSecretsAreLong(t *testing.T) {
	t.Parallel()
	made := map[string]bool{}
	for algorithm, least := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} {
		for range 2 {
			s := openSite(t, func(config *chancery.Config) {
				config.Serve = []chancery.Mount{{Dialect: data.dialect, Settings: map[string]any{"algorithm": algorithm}}}
			})
			secret := s.signingSecrets(t, data.realm(), data.dialect)[algorithm]
			if len(secret) < least {
				t.Errorf("%s: a secret of %d bytes, want %d", algorithm, len(secret), least)
			}
			if made[string(secret)] {
				t.Errorf("%s: two servers made the same secret", algorithm)
			}
			made[string(secret)] = true
			distinct := map[byte]bool{}
			for _, b := range secret {
				distinct[b] = true
			}
			if len(distinct) < least/2 {
				t.Errorf("%s: %d values among %d bytes", algorithm, len(distinct), len(secret))
			}
		}
	}
}

// TestTokensCarryIssuedAt proves S40: each token says when it was issued, and ends
// with its account, alone among those of others. The four contracts list their
// claims and leave no room for jti.
func TestTokensCarryIssuedAt(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, c := range all {
		identifier, secret := s.credential(t, c)
		other, otherSecret := s.credential(t, c)
		kept := s.token(t, c, other, otherSecret)
		before := time.Now().Unix()
		ended := s.token(t, c, identifier, secret)
		var claims struct {
			IssuedAt *int64 `json:"iat"`
		}
		if err := json.Unmarshal([]byte(payloadOf(t, ended)), &claims); err != nil || claims.IssuedAt == nil || *claims.IssuedAt < before || *claims.IssuedAt > time.Now().Unix() {
			t.Errorf("%s: claims %s, %v: want iat of now", c.dialect, payloadOf(t, ended), err)
		}
		registry, origin := s.server.Registry(), core.Origin{Actor: "test"}
		var err error
		if c.keys {
			_, err = registry.RevokeAccessKey(t.Context(), c.realm(), identifier, origin)
		} else {
			_, err = registry.DisableAccount(t.Context(), core.AccountName{Realm: c.realm(), Login: identifier}, origin)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := s.send(t, c.present(ended)); got.status != 401 && got.status != 403 && got.status != 400 {
			t.Errorf("%s: after its end: %s", c.dialect, got)
		}
		if got := s.send(t, c.present(kept)); got.status != 200 {
			t.Errorf("%s: another's token: %s", c.dialect, got)
		}
	}
}

// TestStoredFilesHoldNoKeys proves S45 on the whole server's own files: neither the
// database, nor its log, nor a backup of it holds the bytes of a signing key, in
// any usual spelling; and what is stored opens with the master key alone.
func TestStoredFilesHoldNoKeys(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, c := range all {
		identifier, secret := s.credential(t, c)
		s.token(t, c, identifier, secret)
	}
	if _, err := s.database(t).ExecContext(t.Context(), `vacuum into $1`, filepath.Join(s.dir, "chancery.db-backup")); err != nil {
		t.Fatal(err)
	}
	files := s.files(t)
	for _, suffix := range []string{"chancery.db", "chancery.db-wal", "chancery.db-backup"} {
		if !slices.ContainsFunc(files, func(f storedFile) bool { return filepath.Base(f.name) == suffix && len(f.content) > 0 }) {
			t.Errorf("no %s was looked at", suffix)
		}
	}
	master, err := os.ReadFile(s.config.MasterKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{"master key": []byte(find(t, `"value":\s*"([^"]+)"`, string(master)))}
	for _, c := range all {
		for algorithm, secret := range s.signingSecrets(t, c.realm(), c.dialect) {
			secrets[c.dialect+" "+algorithm] = secret
		}
	}
	if len(secrets) != len(all)+1 {
		t.Errorf("%d secrets, want %d", len(secrets), len(all)+1)
	}
	for name, secret := range secrets {
		part := secret[:16]
		for _, form := range []string{string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), base64.StdEncoding.EncodeToString(part)[:20], base64.RawURLEncoding.EncodeToString(part)[:20]} {
			for _, file := range files {
				if strings.Contains(file.content, form) {
					t.Errorf("%s holds the %s", filepath.Base(file.name), name)
				}
			}
		}
	}
	// Another server's master key opens none of it.
	other := openSite(t)
	stolen := s.config
	stolen.MasterKeyFile = other.config.MasterKeyFile
	if server, err := chancery.Open(t.Context(), stolen, chancery.Options{}); err == nil {
		_ = server.Close()
		t.Error("the database opens with another master key")
	}
}

func find(t *testing.T, pattern, text string) string {
	t.Helper()
	groups := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if groups == nil {
		t.Fatalf("no match of %q", pattern)
	}
	return groups[1]
}
