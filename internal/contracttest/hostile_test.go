package contracttest

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/chancery-auth/chancery/core"
)

// hostileNames are pairs of login names that some system somewhere takes for
// one. Only ASCII letters fold (S7); same says that a pair is one name.
var hostileNames = []struct {
	a, b string
	same bool
}{
	{"ada01", "ADA01", true}, {"Ada02@X.Example", "aDA02@x.eXAMPLE", true}, {"z03", "Z03", true},
	{"\u0131ssuer04", "issuer04", false}, {"\u0130ssuer05", "issuer05", false}, {"\u013006", "i\u030706", false},
	{"\u212a07", "k07", false}, {"\u212a08", "K08", false}, {"stra\u00dfe09", "strasse09", false},
	{"stra\u1e9ee10", "stra\u00dfe10", false}, {"\u017fam11", "sam11", false}, {"\u212b12", "\u00c512", false},
	{"\uff41\uff44\uff4113", "ada13", false}, {"ADA14", "\uff21\uff24\uff2114", false}, {"\u00c915", "\u00e915", false},
	{"\u00e916", "e\u030116", false}, {"\ufb0117", "fi17", false}, {"\u03a318", "\u03c318", false}, {"\u03c219", "\u03c319", false},
	{"\u212620", "\u03a920", false}, {"\u0430da21", "ada21", false}, {"\u0440\u0430\u0443\u043b22", "paul22", false},
	{"ada\u200b23", "ada23", false}, {"ada\u200d24", "ada24", false}, {"ada\u00ad25", "ada25", false},
	{"ada\ufeff26", "ada26", false}, {"ada\u202e27", "ada27", false}, {" ada28", "ada28", false}, {"ada29 ", "ada29", false},
	{"ada\u00a030", "ada 30", false}, {"ada\u300031", "ada 31", false}, {"ada  32", "ada 32", false}, {"\u246033", "133", false},
	{"\uff1234", "234", false}, {"\u066335", "335", false}, {"\u00bd36", "1/236", false},
	{"ada@b.example.37", "ada@b.example37", false}, {"a.da38@gmail.example", "ada38@gmail.example", false},
	{"ada+x39@b.example", "ada39@b.example", false}, {"ada@b\u00fccher40.example", "ada@xn--bcher40-n2a.example", false},
	{"ada41@b\u3002example", "ada41@b.example", false}, {"ada42\\", "ada42", false}, {"ada43'--", "ada43", false},
	{"ada44%", "ada44_", false}, {"ada45*", "ada45x", false}, {"ada46\"", "ada46", false}, {"ada47;", "ada47", false},
	{"ada48/../x", "x48", false}, {"%61da49", "ada49", false}, {"ada50&x", "ada50", false}, {"ada51#", "ada51", false},
	{"\u01c452", "\u01c652", false}, {"\u01c553", "\u01c653", false}, {"\uff8a\uff9f54", "\u30d154", false},
	{"\u304c55", "\u304b\u309955", false}, {"\U0001d41a\U0001d41d\U0001d41a56", "ada56", false}, {"\u014957", "\u02bcn57", false},
	{"\u216758", "VIII58", false}, {"\u00b559", "\u03bc59", false}, {"\u034560", "\u03b960", false},
	{"ada@[127.0.0.1]61", "ada@127.0.0.161", false}, {"\u01f062", "j\u030c62", false}, {"\u1e9763", "t\u030863", false},
	{"\u0390 64", "\u1fd3 64", false},
}

// TestHostileLogins proves S7: both engines' rule is one, creation and login
// agree, and no name reaches another's account.
func TestHostileLogins(t *testing.T) {
	remember(t)
	t.Parallel()
	if len(hostileNames) < 60 {
		t.Fatalf("%d pairs, want 60", len(hostileNames))
	}
	onEngines(t, func(t *testing.T, w *world) {
		w.account(t, contractB, having("the other one's password"))
		first, step := 0, 1
		if underRace { // each engine takes its half
			step = 2
			if !strings.HasPrefix(w.config.Database, "sqlite:") {
				first = 1
			}
		}
		for i := first; i < len(hostileNames); i += step {
			pair := hostileNames[i]
			w.keepsApart(t, pair.a, pair.b, pair.same)
		}
		for _, name := range []string{"", "ada\x00", "ada\n", "\tada", "ada\x7f", "ada\u0085", "ada\xff", strings.Repeat("a", 400)} {
			_, err := w.registry.CreateAccount(t.Context(), core.AccountSpec{Realm: contractB.realm, Login: name, Active: true, Password: core.NewSecret(password)}, core.Origin{})
			if core.KindOf(err) != core.InvalidRequest {
				t.Errorf("creation of %q: %v, want %s", name, err, core.InvalidRequest)
			}
			if name != "" {
				contractB.expect(t, w.send(t, contractB, contractB.loginWith(name, password)), contractB.refused())
			}
		}
	})
}

// keepsApart creates accounts of both names and tries each password at each.
func (w *world) keepsApart(t *testing.T, a, b string, same bool) {
	t.Helper()
	const passwordA, passwordB = "the first one's password", "the other one's password"
	w.account(t, contractB, called(a), having(passwordA))
	hash, _ := hashed.Load(passwordB)
	_, err := w.registry.CreateAccount(t.Context(), core.AccountSpec{
		Realm: contractB.realm, Login: b, Active: true, Verified: true, PasswordHash: hash.(core.PasswordHash),
	}, core.Origin{})
	if conflict := core.KindOf(err) == core.Conflict; conflict != same || (err != nil && !conflict) {
		t.Errorf("%q beside %q: %v, want a conflict: %v", b, a, err, same)
	}
	for _, try := range []struct {
		login, secret string
		in            bool
	}{{a, passwordA, true}, {b, passwordA, same}, {a, passwordB, false}, {b, passwordB, !same}} {
		got := w.send(t, contractB, contractB.loginWith(try.login, try.secret))
		if in := got.status == 200; in != try.in {
			t.Errorf("%q with the password of %q: let in %v, want %v", try.login, try.secret, in, try.in)
		}
	}
}

// TestBcrypt72 proves S11 and S12: an imported bcrypt hash never takes a password
// of more than the 72 bytes that bcrypt reads.
func TestBcrypt72(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	password72 := strings.Repeat("Zebra-1 ", 9)
	hash, err := bcrypt.GenerateFromPassword([]byte(password72), 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contracts[:3] {
		sub(t, c.name, func(t *testing.T) {
			m := w.account(t, c, func(spec *core.AccountSpec) {
				spec.Password, spec.PasswordHash = core.Secret{}, core.PasswordHash(hash)
			})
			m.secret = password72
			for name, secret := range map[string]string{
				"73 bytes": password72 + "x", "74 bytes": password72 + "xy", "with NUL behind": password72 + "\x00", "71 bytes": password72[:71],
				"trimmed": strings.TrimSpace(password72), "in another case": strings.ToUpper(password72), "twice": password72 + password72,
			} {
				if got := w.send(t, c, c.loginWith(m.identifier, secret)); got.status != c.refused().status || got.body != c.refused().body {
					t.Errorf("%s: %s", name, got)
				}
			}
			w.token(t, c, m) // and 72 bytes are let in, after all these
			// The hash is now being replaced by a stronger one; nothing changes on the wire.
			for range 3 {
				w.token(t, c, m)
				if got := w.send(t, c, c.loginWith(m.identifier, password72+"x")); got.status != c.refused().status {
					t.Errorf("73 bytes after the upgrade: %s", got)
				}
			}
		})
	}
}
