package securitytest

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	passwords "github.com/chancery-auth/chancery/internal/password"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// TestDeletedLooksUnknown proves what contracttest's TestSameAnswer leaves out of
// S1 and S3: what has been deleted, and was known, gets the answer of what never was.
func TestDeletedLooksUnknown(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	for _, c := range all {
		identifier, secret := s.credential(t, c)
		s.token(t, c, identifier, secret) // it is known, and remembered
		want := s.send(t, c.loginWith("nobody@people.example", secret)).String()
		s.delete(t, c, identifier)
		got := s.send(t, c.loginWith(identifier, secret)).String()
		for deadline := time.Now().Add(5 * time.Second); got != want && time.Now().Before(deadline); { // S47: it was done beside the server
			time.Sleep(50 * time.Millisecond)
			got = s.send(t, c.loginWith(identifier, secret)).String()
		}
		if got != want {
			t.Errorf("%s, deleted\n%s\nunknown\n%s", c.dialect, got, want)
		}
	}
}

// TestErrorsTellNothingStored proves S6: of what is stored of an account no error
// body holds any, and a request of the wrong form is answered by its form alone,
// the same for who exists and who does not.
func TestErrorsTellNothingStored(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	const canary = "Zq7x9Kw2"
	for _, c := range all {
		account := s.account(t, c, func(spec *core.AccountSpec) {
			spec.Email, spec.Name, spec.Roles = "mail-"+canary+"@people.example", "name "+canary, []string{"role-" + canary}
			if c.keys {
				spec.Attributes = core.Attributes{"realm": canary, "ca": canary, "cid": canary, "domain": canary}
			}
		})
		identifier, secret := account.Login, password
		if c.keys {
			key, made := s.accessKey(t, func(spec *core.AccessKeySpec) { spec.Owner, spec.Name = account.Login, "key "+canary })
			identifier, secret = key.Identifier, made.Reveal()
		}
		token := s.token(t, c, identifier, secret)
		for name, r := range malformed(c) {
			known, unknown := s.send(t, r(identifier, secret)), s.send(t, r(strangerTo(c), secret))
			if known.status < 400 || known.status >= 500 {
				t.Errorf("%s, %s: %s, want a 4xx", c.dialect, name, known)
			}
			// A contract may repeat what it was sent: that is not from the store.
			if a, b := strings.ReplaceAll(known.body, identifier, "X"), strings.ReplaceAll(unknown.body, strangerTo(c), "X"); known.status != unknown.status || a != b {
				t.Errorf("%s, %s\nknown   %d %s\nunknown %d %s", c.dialect, name, known.status, a, unknown.status, b)
			}
			for _, stored := range []string{canary, string(account.ID), "argon2"} {
				if strings.Contains(known.String(), stored) {
					t.Errorf("%s, %s: the answer holds %q, which is stored: %s", c.dialect, name, stored, known)
				}
			}
		}
		if _, err := s.server.Registry().DisableAccount(t.Context(), core.AccountName{Realm: c.realm(), Login: account.Login}, core.Origin{Actor: "test"}); err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]request{
			"wrong secret": c.loginWith(identifier, secret+"x"), "disabled": c.loginWith(identifier, secret), "token of the disabled": c.present(token),
			"broken token": c.present(token[:len(token)-2]), "no token": {c.host(), c.bearer, nil, ""}, "not found": {c.host(), "GET /" + identifier, nil, ""},
		} {
			got := s.send(t, r)
			if got.status < 400 || got.status >= 500 || strings.Contains(got.String(), canary) || strings.Contains(got.String(), string(account.ID)) {
				t.Errorf("%s, %s: %s, want a 4xx without what is stored", c.dialect, name, got)
			}
		}
	}
}

func strangerTo(c contract) string {
	if c.keys {
		return strings.Repeat("0", 40)
	}
	return "nobody@people.example"
}

// malformed are sign-ins of the wrong form, by what is wrong.
func malformed(c contract) map[string]func(identifier, secret string) request {
	kinds := map[string]func(string, string) request{
		"no secret": func(id, _ string) request {
			r := c.loginWith(id, "x")
			r.body = strings.Split(strings.TrimSuffix(r.body, "}"), sep(c))[0] + end(c)
			return r
		},
		"empty secret": func(id, _ string) request { return c.loginWith(id, "") },
		"another type": func(id, secret string) request {
			r := c.loginWith(id, secret)
			r.headers = []string{"Content-Type: image/png"}
			return r
		},
		"cut":           func(id, secret string) request { r := c.loginWith(id, secret); r.body = r.body[:3]; return r },
		"secret is big": func(id, _ string) request { return c.loginWith(id, strings.Repeat("x", 70<<10)) },
	}
	if !c.form {
		kinds["secret is a number"] = func(id, _ string) request {
			return request{c.host(), "POST " + c.login, []string{"Content-Type: application/json"}, fmt.Sprintf(`{%q:%q,%q:7}`, c.identifier, id, c.secret)}
		}
	}
	if c.keys { // an empty text is a text: D's answer is that of a wrong secret
		delete(kinds, "another type")
	}
	return kinds
}

func sep(c contract) string {
	if c.form {
		return "&"
	}
	return ","
}

func end(c contract) string {
	if c.form {
		return ""
	}
	return "}"
}

// delete removes an account or key, which no door of the server does yet.
func (s *site) delete(t *testing.T, c contract, identifier string) {
	t.Helper()
	db := s.database(t)
	queries := []string{`delete from accounts where realm = $1 and login = $2`}
	if c.keys {
		queries = []string{`delete from access_keys where realm = $1 and identifier = $2`}
	}
	for _, query := range queries {
		if result, err := db.ExecContext(t.Context(), query, c.dialect, identifier); err != nil {
			t.Fatal(err)
		} else if n, err := result.RowsAffected(); err != nil || n != 1 {
			t.Fatalf("%s: %d rows, %v", query, n, err)
		}
	}
}

// TestStartRefusesWeakHashes proves S8 and S16 where an operator meets them: a
// configuration below the bar, or whose hashes would not fit the memory budget,
// does not start.
func TestStartRefusesWeakHashes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		hashing chancery.HashingConfig
		want    string // "" when it starts
	}{
		{"defaults with two workers", chancery.HashingConfig{Workers: 2}, ""},
		{"memory under 19 MiB", chancery.HashingConfig{Argon2MiB: 18}, "hashing.argon2_mib: 18 is under 19"},
		{"one pass", chancery.HashingConfig{Argon2Passes: 1}, "hashing.argon2_passes: 1 is under 2"},
		{"negative", chancery.HashingConfig{Argon2Passes: -1}, "hashing.argon2_passes: -1 is under 2"},
		{"beyond what is verified", chancery.HashingConfig{Argon2MiB: 257, MemoryMiB: 1024, Workers: 1}, "memory"},
		{"budget under one hash", chancery.HashingConfig{MemoryMiB: 18}, "hashing.memory_mib: 18 is under the 19 of one hash"},
		{"as many workers as the budget holds", chancery.HashingConfig{Workers: 13, MemoryMiB: 13 * 19}, ""},
		{"one worker too many", chancery.HashingConfig{Workers: 14, MemoryMiB: 13 * 19}, "14 workers × 19 MiB"},
		{"heavier hashes", chancery.HashingConfig{Workers: 2, Argon2MiB: 64, MemoryMiB: 127}, "2 workers × 64 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := siteConfig(t.TempDir(), "http://127.0.0.1:1")
			config.Hashing = tt.hashing
			server, err := chancery.Open(t.Context(), config, chancery.Options{})
			if err == nil {
				err = server.Close()
				if tt.want != "" {
					t.Fatalf("Open() starts, want it refused for %q", tt.want)
				}
			}
			if tt.want == "" && err != nil || tt.want != "" && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open() = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestHashSlots proves S16: without being told, the pool has a slot for each core,
// and waiting for one ends after 2 s.
func TestHashSlots(t *testing.T) {
	config := chancery.Config{Serve: []chancery.Mount{{Dialect: "kyc"}}}.WithDefaults()
	if config.Hashing.QueueTimeout != 2*time.Second {
		t.Errorf("queue_timeout is %v, want 2s", config.Hashing.QueueTimeout)
	}
	s := openSite(t, func(config *chancery.Config) { config.Hashing = chancery.HashingConfig{} })
	running := runtime.GOMAXPROCS(0)
	account := s.account(t, kyc)
	login := kyc.loginWith(account.Login, password).text()
	stop, highest := make(chan struct{}), make(chan int)
	go func() {
		most := 0
		for {
			select {
			case <-stop:
				highest <- most
				return
			default:
				most = max(most, int(s.metric(t, "chancery_hash_running")))
			}
		}
	}()
	answers := make(chan int)
	for range 12 * running {
		go func() {
			got, err := exchange(s.server.Addr(), login)
			if err != nil {
				t.Error(err)
			}
			answers <- got.status
		}()
	}
	for range 12 * running {
		if status := <-answers; status != 200 && status != 503 {
			t.Errorf("status %d, want 200 or 503", status)
		}
	}
	close(stop)
	if most := <-highest; most > running || most == 0 {
		t.Errorf("up to %d hashes at once on %d cores", most, running)
	}
}

// metric reads one figure of the admin listener.
func (s *site) metric(t *testing.T, name string) float64 {
	response, err := http.Get("http://" + s.server.AdminAddr() + "/metrics") //nolint:noctx // bounded by the test
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if err != nil || found == nil {
		t.Errorf("no metric %s: %v", name, err)
		return 0
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Error(err)
	}
	return value
}

// TestOneHashPerRequest proves S17 over the wire: whatever is sent to a route that
// takes passwords costs one hash at most, and what takes none costs none.
func TestOneHashPerRequest(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	account := s.account(t, instant)
	ticket := s.ticket(t, account)
	key, secret := s.accessKey(t)
	token := s.token(t, instant, account.Login, password)
	for _, tt := range []struct {
		name string
		send request
		want float64
	}{
		{"right password", instant.loginWith(account.Login, password), 1},
		{"wrong password", kyc.loginWith(s.account(t, kyc).Login, "wrong"), 1},
		{"unknown name", data.loginWith("nobody@people.example", password), 1},
		{"name that nobody can have", kyc.loginWith("\x00", password), 1},
		{"without a password", kyc.loginWith(s.account(t, kyc, func(spec *core.AccountSpec) { spec.Password = core.Secret{} }).Login, password), 1},
		{"very long password", kyc.loginWith(account.Login, strings.Repeat("x", 15_000)), 1},
		{"malformed", instant.loginWith(account.Login, ""), 0},
		{"access key", pagfast.loginWith(key.Identifier, secret.Reveal()), 0},
		{"unknown access key", pagfast.loginWith("nobody", secret.Reveal()), 0},
		{"bearer check", instant.present(token), 0},
		{"recovery", recovery(s.account(t, instant).Login), 0}, // of another account: its mail ends older tickets
		{"reset by an unknown ticket", reset("nonsense", "long enough"), 0},
		{"reset", reset(ticket, "long enough"), 1},
		{"reset by the same ticket", reset(ticket, "long enough"), 0},
	} {
		before := s.metric(t, "chancery_hashes_total")
		got := s.send(t, tt.send)
		if cost := s.metric(t, "chancery_hashes_total") - before; cost != tt.want {
			t.Errorf("%s: %v hashes for %s, want %v", tt.name, cost, got, tt.want)
		}
	}
}

// TestPasswordsAreBytes proves S11 through the whole server: no spelling of a
// password but its own is let in, neither when an administrator set it nor when
// its owner did.
func TestPasswordsAreBytes(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	const text = " Pa\u00df-e\u0301 \u017f\uff21\u00a0" // begins and ends in blanks
	account := s.account(t, instant, func(spec *core.AccountSpec) { spec.Password = core.NewSecret(text) })
	byOwner := s.account(t, instant)
	if got := s.send(t, reset(s.ticket(t, byOwner), text)); got.status != 200 {
		t.Fatalf("reset: %s", got)
	}
	for _, login := range []string{account.Login, byOwner.Login} {
		for name, other := range map[string]string{
			"trimmed": strings.TrimSpace(text), "trimmed on the left": text[1:], "without the no-break space": strings.TrimSuffix(text, "\u00a0"),
			"composed": strings.Replace(text, "e\u0301", "\u00e9", 1), "lower case": strings.ToLower(text), "upper case": strings.ToUpper(text),
			"sharp s as ss": strings.Replace(text, "\u00df", "ss", 1), "long s as s": strings.Replace(text, "\u017f", "s", 1),
			"full-width as ASCII": strings.Replace(text, "\uff21", "A", 1), "cut": text[:len(text)-1], "NUL behind": text + "\x00", "twice": text + text,
		} {
			if got := s.send(t, instant.loginWith(login, other)); got.status != 400 {
				t.Errorf("%s: %s", name, got)
			}
		}
		s.token(t, instant, login, text)
	}
}

// TestBcryptOver72BytesTakesAsLong proves the second half of S12: a password too
// long for bcrypt costs what a wrong one of 72 bytes costs.
func TestBcryptOver72BytesTakesAsLong(t *testing.T) {
	stored, err := bcrypt.GenerateFromPassword([]byte("some other password"), 6)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := password72(string(stored))
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{72, 73, 128, 1024, 10_000}
	fastest := make([]time.Duration, len(sizes))
	rounds := 15
	if long() {
		rounds = 200
	}
	for range rounds {
		for i, size := range sizes {
			start := time.Now()
			if hash([]byte(strings.Repeat("x", size))) {
				t.Fatalf("%d bytes match", size)
			}
			if took := time.Since(start); fastest[i] == 0 || took < fastest[i] {
				fastest[i] = took
			}
		}
	}
	for i, size := range sizes {
		if ratio := float64(fastest[i]) / float64(fastest[0]); ratio < 0.8 || ratio > 1.25 {
			t.Errorf("%d bytes take %v, 72 take %v", size, fastest[i], fastest[0])
		}
	}
	t.Logf("fastest of %d, by size %v: %v", rounds, sizes, fastest)
}

func password72(stored string) (func([]byte) bool, error) {
	parsed, err := passwords.Parse(stored)
	if err != nil {
		return nil, err
	}
	return func(text []byte) bool { return passwords.Kernel{}.Verify(parsed, text) }, nil
}

// TestGeneratedSecretsCarry256Bits proves S14: counted over many, the characters
// of an access key's secret and of a ticket are worth 256 random bits, and none
// comes twice.
func TestGeneratedSecretsCarry256Bits(t *testing.T) {
	t.Parallel()
	samples := 2_000
	if long() {
		samples = 5_000
	}
	kept := memory.New()
	deps := core.Deps{Realms: kept, Accounts: kept, AccessKeys: kept, Recent: kept, Tickets: kept, Outbox: kept, Journal: kept, Now: time.Now}
	var tickets []string
	authority, err := core.NewAuthority(deps, core.Terms{Realm: "r", Dialect: "d", Mails: map[core.Purpose]core.MailWords{core.PurposeRecovery: func(_ core.Account, ticket core.Secret) (string, core.Secret, error) {
		tickets = append(tickets, ticket.Reveal())
		return "subject", ticket, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	forms := map[core.Realm]core.KeyForm{"own": {}, "pagfast": {Identifier: "hex20", Secret: "base64_36"}}
	registry := &core.Registry{Realms: kept, Accounts: kept, AccessKeys: kept, Forms: forms, Now: time.Now}
	secrets := map[string][]string{}
	for _, realm := range []core.Realm{"r", "own", "pagfast"} {
		if _, err := registry.PutRealm(t.Context(), core.RealmInfo{Name: realm}, core.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range samples {
		login := fmt.Sprintf("m%d@people.example", n)
		if _, err := registry.CreateAccount(t.Context(), core.AccountSpec{Realm: "r", Login: login, Active: true}, core.Origin{}); err != nil {
			t.Fatal(err)
		}
		if _, err := authority.ComposeMail(context.Background(), core.Notice{Login: core.CanonicalLogin(login), Purpose: core.PurposeRecovery}); err != nil {
			t.Fatal(err)
		}
	}
	secrets["ticket"] = tickets
	for realm := range forms {
		if _, err := registry.CreateAccount(t.Context(), core.AccountSpec{Realm: realm, Login: "owner", Active: true}, core.Origin{}); err != nil {
			t.Fatal(err)
		}
		for range samples {
			_, secret, err := registry.CreateAccessKey(t.Context(), core.AccessKeySpec{Realm: realm, Owner: "owner"}, core.Origin{})
			if err != nil {
				t.Fatal(err)
			}
			text := secret.Reveal()
			if body, own := strings.CutPrefix(text, core.SecretPrefix); own {
				text = body[:len(body)-6] // the checksum adds nothing
			}
			secrets[string(realm)] = append(secrets[string(realm)], text)
		}
	}
	for name, texts := range secrets {
		if sorted := slices.Sorted(slices.Values(texts)); len(slices.Compact(sorted)) != samples {
			t.Errorf("%s: among %d some come twice", name, samples)
		}
		if bits := entropy(texts); bits < 254 { // an estimate by counting falls short of the truth
			t.Errorf("%s: %.1f bits, want 256", name, bits)
		} else {
			t.Logf("%s: %.1f bits, such as are counted in %d", name, bits, samples)
		}
	}
}

// entropy adds up what each place of the texts is worth, with the usual
// correction for counting in a finite sample.
func entropy(texts []string) (bits float64) {
	for place := range len(texts[0]) {
		counts := map[byte]int{}
		for _, text := range texts {
			counts[text[place]]++
		}
		n := float64(len(texts))
		for _, count := range counts {
			p := float64(count) / n
			bits -= p * math.Log2(p)
		}
		bits += float64(len(counts)-1) / (2 * n * math.Ln2)
	}
	return bits
}

// TestNearMissesOfSecretsFail proves S14: a secret is compared whole; what is cut,
// longer or written otherwise fails.
func TestNearMissesOfSecretsFail(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	key, secret := s.accessKey(t)
	account := s.account(t, instant)
	ticket := s.ticket(t, account)
	for name, change := range map[string]func(string) string{
		"first cut": func(s string) string { return s[1:] }, "last cut": func(s string) string { return s[:len(s)-1] }, "halved": func(s string) string { return s[:len(s)/2] },
		"first only": func(s string) string { return s[:1] }, "empty": func(string) string { return "" }, "one more": func(s string) string { return s + "A" },
		"doubled": func(s string) string { return s + s }, "blank before": func(s string) string { return " " + s }, "blank behind": func(s string) string { return s + " " },
		"padded": func(s string) string { return s + "=" }, "swapped case": swapCase, "reversed": func(s string) string { b := []byte(s); slices.Reverse(b); return string(b) },
		"last changed": func(s string) string { return s[:len(s)-1] + string(s[len(s)-1]^1) }, "its digest": func(s string) string { d := core.NewSecret(s).Digest(); return fmt.Sprintf("%x", d[:]) },
	} {
		if got := s.send(t, pagfast.loginWith(key.Identifier, change(secret.Reveal()))); got.status != 401 {
			t.Errorf("access key, %s: %s, want 401", name, got)
		}
		if got := s.send(t, reset(change(ticket), "long enough")); got.status != 400 {
			t.Errorf("ticket, %s: %s, want 400", name, got)
		}
	}
	s.token(t, pagfast, key.Identifier, secret.Reveal())
	if got := s.send(t, reset(ticket, "long enough")); got.status != 200 {
		t.Errorf("the ticket itself: %s", got)
	}
	for _, stored := range []string{secret.Reveal(), ticket} {
		for _, file := range s.files(t) {
			if strings.Contains(file.content, stored) {
				t.Errorf("%s holds the secret itself", filepath.Base(file.name))
			}
		}
	}
}

func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b[i] ^= 0x20
		}
	}
	return string(b)
}
