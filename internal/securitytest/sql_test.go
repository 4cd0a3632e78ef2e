package securitytest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNoQueryIsBuiltFromValues proves S55 on the source: every text that reaches a
// database is a constant, or made of constants and of counts of placeholders. What
// varies is bound.
func TestNoQueryIsBuiltFromValues(t *testing.T) {
	calls := 0
	packages := map[string][]*ast.File{}
	fset := token.NewFileSet()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			switch {
			case rel == "internal/store/pgtest", rel == "internal/bench": // tools of tests and of measurements, not in the server
				return fs.SkipDir
			case rel != "." && (entry.Name() == "testdata" || entry.Name() == "clients" || strings.HasPrefix(entry.Name(), ".")):
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(rel) != ".go" || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		packages[path.Dir(rel)] = append(packages[path.Dir(rel)], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		faults, n := builtQueries(fset, packages[dir])
		calls += n
		for _, fault := range faults {
			t.Error(fault)
		}
	}
	if calls < 5 {
		t.Errorf("%d calls that hand a text to a database were looked at, want 5 at least", calls)
	}
}

// TestBuiltQueriesAreFound proves that the test above can fail.
func TestBuiltQueriesAreFound(t *testing.T) {
	const head = `package p
import "database/sql"
const columns = "a, b"
var prefix = "select "
var queries = [...]string{"select " + columns, "insert into t values " + places(2), prefix + columns}
func places(n int) string { return "" }
func named(s string) string { return s }
type statements struct{ prepared []*sql.Stmt }
`
	for _, tt := range []struct {
		name, body string
		found      bool
	}{
		{"literal", `func f(db *sql.DB, v string) { db.QueryContext(nil, "select 1 where a = $1", v) }`, false},
		{"constant", `func f(db *sql.DB) { db.QueryContext(nil, "select " + columns) }`, false},
		{"constant of the function", `func f(db *sql.DB) { const q = "select 1"; db.QueryRowContext(nil, q) }`, false},
		{"table", `func f(db *sql.DB, i int) { db.PrepareContext(nil, queries[i]) }`, false},
		{"prepared", `func f(s *statements, v string) { s.prepared[0].ExecContext(nil, v) }`, false},
		{"function of the table", `func f(db *sql.DB, i int) { db.PrepareContext(nil, named(queries[i])) }`, false},
		{"function value of the table", `func f(db *sql.DB, i int, named func(string) string) { db.PrepareContext(nil, named(queries[i])) }`, true},
		{"counted", `func f(db *sql.DB) { db.ExecContext(nil, "select " + places(3)) }`, false},
		{"value added", `func f(db *sql.DB, v string) { db.QueryContext(nil, "select 1 where a = '" + v + "'") }`, true},
		{"formatted", `func f(db *sql.DB, v string) { db.QueryContext(nil, fmt.Sprintf("select 1 where a = '%s'", v)) }`, true},
		{"variable", `func f(db *sql.DB, v string) { db.QueryContext(nil, v) }`, true},
		{"variable of the package", `func f(db *sql.DB) { db.QueryContext(nil, prefix) }`, true},
		{"a constant's name taken by a parameter", `func f(db *sql.DB, columns string) { db.QueryContext(nil, "select " + columns) }`, true},
		{"function of a text", `func f(db *sql.DB, v string) { db.QueryContext(nil, "select " + named(v)) }`, true},
		{"without context", `func f(db *sql.DB, v string) { db.Exec("delete from " + v) }`, true},
		{"table changed", `func f(v string) { queries[0] = v }`, true},
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", head+tt.body, 0)
		if err != nil {
			t.Fatal(err)
		}
		faults, _ := builtQueries(fset, []*ast.File{file})
		// The head's own table has one text that begins with a variable.
		faults = slices.DeleteFunc(faults, func(fault string) bool { return strings.HasPrefix(fault, "p.go:5:") })
		if (len(faults) > 0) != tt.found {
			t.Errorf("%s: %q, want it found: %v", tt.name, faults, tt.found)
		}
	}
}

var takesQuery = regexp.MustCompile(`^(Query|QueryRow|Exec|Prepare)(Context)?$`)

// builtQueries looks at a package's calls that hand a text to a database, and at
// the tables that such texts come from. n counts the calls.
func builtQueries(fset *token.FileSet, files []*ast.File) (faults []string, n int) {
	p := &queryPackage{constants: map[string]bool{}, counted: map[string]bool{}}
	usesSQL := false
	for _, file := range files {
		for _, clause := range file.Imports {
			usesSQL = usesSQL || clause.Path.Value == `"database/sql"` || strings.Contains(clause.Path.Value, "jackc/pgx")
		}
	}
	if !usesSQL {
		return nil, 0
	}
	for _, file := range files {
		p.declare(file)
	}
	fault := func(node ast.Node, what string) {
		faults = append(faults, fmt.Sprintf("%s: %s: bind values by $1 instead", fset.Position(node.Pos()), what))
	}
	for _, file := range files {
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.GenDecl:
				for _, text := range tableTexts(d) {
					if !p.constant(text, nil) {
						fault(text, "a query of the table is not constant")
					}
				}
			case *ast.FuncDecl:
				hidden := localNames(d)
				ast.Inspect(d, func(node ast.Node) bool {
					if change, ok := node.(*ast.AssignStmt); ok {
						for _, left := range change.Lhs {
							if index, ok := left.(*ast.IndexExpr); ok && isNamed(index.X, "queries") {
								fault(left, "the table of queries is changed")
							}
						}
					}
					call, ok := node.(*ast.CallExpr)
					if !ok {
						return true
					}
					if text := queryText(call); text != nil {
						n++
						if !p.constant(text, hidden) {
							fault(text, "this query is not constant")
						}
					}
					return true
				})
			}
		}
	}
	return faults, n
}

// A queryPackage knows a package's string constants, and its functions that make
// text of nothing but numbers.
type queryPackage struct{ constants, counted map[string]bool }

func (p *queryPackage) declare(file *ast.File) {
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.GenDecl:
			if d.Tok == token.CONST {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						p.constants[name.Name] = true
					}
				}
			}
		case *ast.FuncDecl:
			onlyNumbers := d.Recv == nil
			for _, field := range d.Type.Params.List {
				onlyNumbers = onlyNumbers && isNamed(field.Type, "int")
			}
			p.counted[d.Name.Name] = onlyNumbers
		}
	}
}

// constant reports whether an expression's text is known when the program is
// built, but for numbers. hidden are names that a function gives to other things.
func (p *queryPackage) constant(e ast.Expr, hidden map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.Ident:
		known, local := hidden[e.Name]
		return known || !local && p.constants[e.Name]
	case *ast.ParenExpr:
		return p.constant(e.X, hidden)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && p.constant(e.X, hidden) && p.constant(e.Y, hidden)
	case *ast.IndexExpr:
		return isNamed(e.X, "queries")
	case *ast.CallExpr:
		function, ok := e.Fun.(*ast.Ident)
		if !ok {
			return false
		}
		if _, local := hidden[function.Name]; local {
			return false
		}
		numbers, ours := p.counted[function.Name]
		if ours && len(e.Args) == 1 && p.constant(e.Args[0], hidden) {
			return true // the same text for every request, whatever the function makes of it
		}
		return numbers
	}
	return false
}

// queryText returns what a call hands to a database as a query; nil when it hands
// none, as a call of a prepared statement.
func queryText(call *ast.CallExpr) ast.Expr {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !takesQuery.MatchString(method.Sel.Name) || len(call.Args) == 0 {
		return nil
	}
	switch receiver := method.X.(type) {
	case *ast.CallExpr: // g.stmt(q).ExecContext
		if f, ok := receiver.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "stmt" {
			return nil
		}
	case *ast.IndexExpr: // s.prepared[q].QueryContext
		if f, ok := receiver.X.(*ast.SelectorExpr); ok && f.Sel.Name == "prepared" {
			return nil
		}
	}
	if len(call.Args) > 1 && (strings.HasSuffix(method.Sel.Name, "Context") || isContext(call.Args[0])) {
		return call.Args[1]
	}
	return call.Args[0]
}

func isContext(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "ctx"
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		return ok && isNamed(f.X, "context")
	}
	return false
}

// localNames are the parameters and variables of a function (false), and its own
// constants (true).
func localNames(d *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(d, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				names[name.Name] = false
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[name.Name] = false
				}
			}
		case *ast.GenDecl:
			for _, spec := range n.Specs {
				if values, ok := spec.(*ast.ValueSpec); ok {
					for i, name := range values.Names {
						literal := false
						if n.Tok == token.CONST && i < len(values.Values) {
							_, literal = values.Values[i].(*ast.BasicLit)
						}
						names[name.Name] = literal
					}
				}
			}
		}
		return true
	})
	return names
}

// tableTexts are the elements of the variable queries.
func tableTexts(d *ast.GenDecl) (texts []ast.Expr) {
	for _, spec := range d.Specs {
		values, ok := spec.(*ast.ValueSpec)
		if !ok || len(values.Names) != 1 || values.Names[0].Name != "queries" || len(values.Values) != 1 {
			continue
		}
		table, ok := values.Values[0].(*ast.CompositeLit)
		if !ok {
			return []ast.Expr{values.Values[0]}
		}
		for _, element := range table.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				element = pair.Value
			}
			texts = append(texts, element)
		}
	}
	return texts
}

func isNamed(e ast.Expr, name string) bool {
	ident, ok := e.(*ast.Ident)
	return ok && ident.Name == name
}
