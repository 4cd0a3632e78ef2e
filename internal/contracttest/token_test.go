package contracttest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
	"github.com/chancery-auth/chancery/internal/token/tokentest"
)

// TestForgeries proves S34: every forgery of every contract's token, with and
// without the use of its secret, gets the same 401.
func TestForgeries(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for _, c := range contracts {
		sub(t, c.name, func(t *testing.T) {
			m := w.member(t, c)
			valid := w.forge(t, c, c.claims(m, nil))
			all := tokentest.Forgeries(c.algorithm(), w.secret(t, c), valid)
			for _, f := range w.forgeries(t, c, m) {
				all = append(all, tokentest.Forgery{Name: f.name, Token: f.token})
			}
			if len(all) < 60 {
				t.Fatalf("%d forgeries, want 60", len(all))
			}
			w.upstream.took()
			want := w.send(t, c, c.present("nonsense")).String()
			for _, f := range all {
				switch {
				case strings.ContainsAny(f.Token, "\r\n\x00"):
					continue // cannot stand in a header field
				case strings.TrimSpace(f.Token) == valid:
					continue // HTTP and 1.7 drop blanks around it
				}
				got := w.send(t, c, c.present(f.Token))
				if len(f.Token) > 12<<10 {
					if got.status != 431 && got.status != 401 {
						t.Errorf("%s: %s, want the header refused", f.Name, clip(got.String()))
					}
				} else if got.String() != want {
					t.Errorf("%s\n%s\nwant %s", f.Name, got, want)
				}
			}
			if n := w.upstream.took(); n != 0 {
				t.Errorf("%d forgeries reached the API behind", n)
			}
			c.expect(t, w.send(t, c, c.present("nonsense")), c.invalid())
		})
	}
}

// TestPurposes proves S28 and S39 for every kind of token and ticket that there
// is, at every place that takes one: each opens its own place alone.
func TestPurposes(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	owner := w.account(t, contractA)
	ticket := w.ticket(t, owner, 1)
	tokens := map[string]string{"ticket": ticket}
	for _, c := range contracts {
		tokens[c.name] = w.token(t, c, w.member(t, c))
	}
	for _, kind := range sortedKeys(tokens) {
		for _, c := range contracts {
			sub(t, kind+" at "+c.name, func(t *testing.T) {
				got := w.send(t, c, c.present(tokens[kind]))
				if kind == c.name {
					if got.status != 200 {
						t.Errorf("got %s, want 200", got)
					}
					return
				}
				c.expect(t, got, c.invalid())
			})
		}
		sub(t, kind+" at the reset", func(t *testing.T) {
			want := badTicket
			if kind == "ticket" {
				want = passwordUpdated
			}
			contractA.expect(t, w.send(t, contractA, resetWith(tokens[kind], "long enough")), want)
		})
	}
}

var looksLikeToken = regexp.MustCompile(jwtPattern)

// TestMint proves S22: of all routes of the four dialects, B's further ones
// included, the four logins mint and no other does, whatever they are sent.
func TestMint(t *testing.T) {
	t.Parallel()
	w := openWorld(t, withB3)
	var minting, all []string
	for _, d := range w.server.Dialects() {
		for _, path := range d.Paths() {
			if slices.Contains(all, path) {
				continue // B is there twice
			}
			all = append(all, path)
			if w.mints(t, path) {
				minting = append(minting, path)
			}
		}
	}
	slices.Sort(minting)
	want := []string{"POST /api/v1/login/access-token", "POST /auth/jwt/login", "POST /login", "POST /v4/auth"}
	sub(t, "routes", func(t *testing.T) {
		if !slices.Equal(minting, want) {
			t.Errorf("of %q mint %q, want %q", all, minting, want)
		}
		if len(all) < 14 {
			t.Errorf("routes: %q, want 14 at least", all)
		}
	})
	sub(t, "list", mintsInFiles)
	sub(t, "source", mintsInSource)
}

// mints sends everything that could be taken for a credential to one route of
// every contract's host.
func (w *world) mints(t *testing.T, route string) bool {
	t.Helper()
	method, target, _ := strings.Cut(route, " ")
	found := false
	for _, c := range append(slices.Clone(contracts), contractB3) {
		m := w.member(t, c)
		token := w.token(t, c, w.member(t, c)) // another's, as one of its own might be the same again
		at := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(target, m.account.Login)
		for _, other := range contracts {
			r := other.loginWith(m.identifier, m.secret).as(method).at(at).with("Authorization: Bearer " + token)
			got := w.send(t, c, r)
			shown := looksLikeToken.FindString(got.String())
			found = found || (shown != "" && shown != token)
		}
	}
	return found
}

// mintsInFiles lists the routes that give tokens, of every dialect that is built in:
// what a file newly gives away shows here.
func mintsInFiles(t *testing.T) {
	names, err := fs.Glob(dialects.Files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range names {
		source, err := dialects.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := dialect.Load(name, source, dialect.Options{
			Realm: "r", Issuer: "https://a.example", BaseURL: "https://a.example", Settings: everything(path.Base(name)),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, route := range d.Routes() {
			if minting := slices.Contains(mintingOperations, route.Operation); minting || route.Policy != "" {
				got = append(got, fmt.Sprintf("%s: %s %s: %s", d.Name(), strings.Join(route.Methods, " "), route.Path, route.Operation))
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"datafiniti: POST /v4/auth: authenticate",
		"instant-classification: POST /api/v1/login/access-token: authenticate",
		"kyc: POST /auth/jwt/login: authenticate",
		"oauth2: POST /oauth2/token: authenticate",
		"oauth2: POST /oauth2/token: authenticate",
		"oauth2: POST /oauth2/token: refresh",
		"pagfast: POST /login: authenticate",
	}
	if !slices.Equal(got, want) {
		t.Errorf("routes that give tokens:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var mintingOperations = []dialect.Operation{dialect.Authenticate, dialect.Resume, dialect.Refresh, dialect.Extend}

// everything are the settings with which a dialect serves all that it has.
func everything(file string) map[string]any {
	switch file {
	case "instant-classification.yaml":
		return map[string]any{"frontend_url": frontend}
	case "kyc.yaml":
		return wholeB
	}
	return nil
}

// mintsInSource reads the program: one place signs, and these operations get there.
func mintsInSource(t *testing.T) {
	callers := map[string][]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base == "testdata" || base == "clients" || (strings.HasPrefix(base, ".") && base != "..") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return addCallers(callers, rel, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	// keyring is the Signer, token and tokentest the arithmetic below it.
	callers["Sign"] = slices.DeleteFunc(callers["Sign"], func(caller string) bool {
		return strings.HasPrefix(caller, "internal/keyring/") || strings.HasPrefix(caller, "internal/token/")
	})
	for _, called := range []string{"make", "issue"} { // other packages have methods of that name
		callers[called] = slices.DeleteFunc(callers[called], func(caller string) bool { return !strings.HasPrefix(caller, "core/") })
	}
	for called, want := range map[string][]string{
		"Sign":       {"core/mint.go: issue"},
		"make":       {"core/mint.go: issue", "core/mint.go: refreshToken"},
		"issue":      {"core/mint.go: mint", "core/slot.go: tryInSlot"},
		"mintInSlot": {"core/mint.go: mint"},
		"mint":       {"core/challenge.go: Resume", "core/exchange.go: Exchange", "core/extend.go: Extend", "core/refresh.go: renew", "core/register.go: Register"},
	} {
		if !slices.Equal(callers[called], want) {
			t.Errorf("%s is called by %q, want %q", called, callers[called], want)
		}
	}
}

// addCallers notes the functions of a file that call a method that mints or gets there.
func addCallers(callers map[string][]string, rel, name string) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(function, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Sign", "make", "issue", "mintInSlot", "mint"}, selector.Sel.Name) {
				callers[selector.Sel.Name] = append(callers[selector.Sel.Name], filepath.ToSlash(rel)+": "+function.Name.Name)
			}
			return true
		})
	}
	return nil
}
