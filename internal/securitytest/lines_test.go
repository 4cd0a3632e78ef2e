package securitytest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lines are the lines of the security bar that docs/security.md must have a row for.
var lines = strings.Fields(`
	S1 S2 S3 S5 S6 S7 S8 S9 S10 S11 S12 S14 S15 S16 S17 S22 S24 S25 S26 S27 S28 S30 S31 S33
	S34 S35 S36 S37 S38 S39 S40 S43 S45 S50 S51 S52 S53 S54 S55 S56 S57 S76 S80 S81 S83
	S86 S87 S88 S89
	R1 R2 R3 R4 R16 R18 R20 M1 M2 M3 M4 M5 M6 M7 M8`)

// TestEveryLineHasItsTest holds docs/security.md to its form and to the tests: each
// line has one row, each row a sentence and a test, each test that is named exists,
// and each command of a long form would run one.
func TestEveryLineHasItsTest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range tableFaults(string(text), lines, new(sources)) {
		t.Error(fault)
	}
}

// TestFaultyTablesAreFound proves that the test above can fail.
func TestFaultyTablesAreFound(t *testing.T) {
	const good = "| S1 | One holds. | `core.TestWhoami/other audience` | `go test -run TestWhoami ./core` |\n"
	for _, tt := range []struct{ name, table, want string }{
		{"good", good, ""},
		{"root package", "| S1 | One. | `chancery.TestStormOfLogins` | `go test -run TestStorm .` |\n", ""},
		{"no row", "| S2 | One. | `core.TestWhoami` | |\n", "S1: no row"},
		{"a row of no line", good + strings.Replace(good, "S1", "S2", 1), "S2: no line"},
		{"two rows", good + good, "S1: 2 rows"},
		{"no sentence", strings.Replace(good, "One holds.", "", 1), "S1: want a sentence"},
		{"no sentence's end", strings.Replace(good, "holds.", "holds", 1), "S1: want a sentence"},
		{"no test", "| S1 | One. | | |\n", "S1: names no test"},
		{"no such test", strings.Replace(good, "core.TestWhoami", "core.TestWhoAmI", 1), "no test TestWhoAmI in core"},
		{"no such subtest", strings.Replace(good, "other audience", "another audience", 1), `no subtest "another audience" of TestWhoami in core`},
		{"no such package", strings.Replace(good, "core.TestWhoami/", "cores.TestWhoami/", 1), "no tests in cores"},
		{"not a test", strings.Replace(good, "core.TestWhoami/other audience", "core.NewAuthority", 1), "want package.TestName"},
		{"a helper", strings.Replace(good, "core.TestWhoami/other audience", "core.Testing", 1), "no test Testing in core"},
		{"a command of no test", strings.Replace(good, "-run TestWhoami", "-run TestWhoAmI", 1), "runs no test"},
		{"a command of no package", strings.Replace(good, "./core`", "./cores`", 1), "no tests in cores"},
		{"no command", strings.Replace(good, "`go test -run TestWhoami ./core`", "`sleep 1`", 1), "want go test -run or make fuzz"},
		{"a column too few", "| S1 | One. | `core.TestWhoami` |\n", "want 4 columns"},
	} {
		got := strings.Join(tableFaults(tt.table, []string{"S1"}, new(sources)), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

var (
	rowStart = regexp.MustCompile(`^\| ([SRM][0-9]+) \|`)
	coded    = regexp.MustCompile("`([^`]+)`")
	testName = regexp.MustCompile(`^([a-z0-9/]+)\.((?:Test|Fuzz)[^/]+)(?:/(.+))?$`)
	command  = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*go test (?:-timeout \S+ )?-run (\S+) (\.\S*)$`)
)

// tableFaults tells what is wrong with the rows of a document.
func tableFaults(document string, wanted []string, from *sources) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	rows := map[string]int{}
	for line := range strings.Lines(document) {
		start := rowStart.FindStringSubmatch(line)
		if start == nil {
			continue
		}
		id := start[1]
		rows[id]++
		if !slices.Contains(wanted, id) {
			fault("%s: no line of the list has this id", id)
		}
		columns := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(columns) != 4 {
			fault("%s: want 4 columns, got %d", id, len(columns))
			continue
		}
		if says := strings.TrimSpace(columns[1]); len(says) < 4 || !strings.HasSuffix(says, ".") {
			fault("%s: want a sentence of what holds, got %q", id, says)
		}
		tests := coded.FindAllStringSubmatch(columns[2], -1)
		if len(tests) == 0 {
			fault("%s: names no test", id)
		}
		for _, test := range tests {
			if err := from.hasTest(test[1]); err != nil {
				fault("%s: %v", id, err)
			}
		}
		for _, long := range coded.FindAllStringSubmatch(columns[3], -1) {
			if err := from.runs(long[1]); err != nil {
				fault("%s: `%s`: %v", id, long[1], err)
			}
		}
	}
	for _, id := range wanted {
		switch n := rows[id]; n {
		case 1:
		case 0:
			fault("%s: no row", id)
		default:
			fault("%s: %d rows", id, n)
		}
	}
	return faults
}

// sources are the packages' tests, as far as they have been read.
type sources struct{ packages map[string]*testPackage }

// A testPackage is what a package's _test.go files hold: its test functions, and
// every text in them, of which the names of subtests are made.
type testPackage struct {
	tests map[string]bool
	texts []string
}

func (s *sources) read(name string) (*testPackage, error) {
	if p, ok := s.packages[name]; ok {
		return p, nil
	}
	dir := name
	if name == "chancery" {
		dir = "."
	}
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*_test.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no tests in %s", name)
	}
	p := &testPackage{tests: map[string]bool{}}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil, err
		}
		p.add(file)
	}
	if s.packages == nil {
		s.packages = map[string]*testPackage{}
	}
	s.packages[name] = p
	return p, nil
}

func (p *testPackage) add(file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && takesT(n) {
				p.tests[n.Name.Name] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
				p.texts = append(p.texts, text)
			}
		}
		return true
	})
}

// takesT reports whether a function is one that `go test` runs.
func takesT(f *ast.FuncDecl) bool {
	parameters := f.Type.Params.List
	if len(parameters) != 1 || len(parameters[0].Names) > 1 {
		return false
	}
	pointer, ok := parameters[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	selector, ok := pointer.X.(*ast.SelectorExpr)
	return ok && isNamed(selector.X, "testing") && (selector.Sel.Name == "T" || selector.Sel.Name == "F")
}

// hasTest looks for package.TestName/subtest. Each part of a subtest's name must
// stand in a text of the package's tests.
func (s *sources) hasTest(name string) error {
	parts := testName.FindStringSubmatch(name)
	if parts == nil {
		return fmt.Errorf("%q: want package.TestName or package.TestName/subtest", name)
	}
	p, err := s.read(parts[1])
	if err != nil {
		return err
	}
	if !p.tests[parts[2]] {
		return fmt.Errorf("no test %s in %s", parts[2], parts[1])
	}
	if parts[3] == "" {
		return nil
	}
	for part := range strings.SplitSeq(parts[3], "/") {
		if !slices.ContainsFunc(p.texts, func(text string) bool { return strings.Contains(text, part) }) {
			return fmt.Errorf("no subtest %q of %s in %s", part, parts[2], parts[1])
		}
	}
	return nil
}

// runs looks at a command of a long form.
func (s *sources) runs(line string) error {
	if strings.HasPrefix(line, "make fuzz FUZZTIME=") {
		return nil // it runs every target that there is
	}
	parts := command.FindStringSubmatch(line)
	if parts == nil {
		return fmt.Errorf("want go test -run or make fuzz")
	}
	name := strings.TrimPrefix(parts[2], "./")
	if name == "." {
		name = "chancery"
	}
	p, err := s.read(name)
	if err != nil {
		return err
	}
	pattern, _, _ := strings.Cut(parts[1], "/")
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	for test := range p.tests {
		if wanted.MatchString(test) {
			return nil
		}
	}
	return fmt.Errorf("runs no test of %s", name)
}
