package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Check reads the import clauses of every Go file of module that is no test, and
// returns a sentence for each that breaks rules.
func Check(module fs.FS, rules []Rule) ([]string, error) {
	var broken []string
	err := fs.WalkDir(module, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") || isModule(module, name)):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		sentences, err := checkFile(module, name, rules)
		broken = append(broken, sentences...)
		return err
	})
	return broken, err
}

// isModule reports whether dir begins a module of its own, which this one cannot import.
func isModule(module fs.FS, dir string) bool {
	_, err := fs.Stat(module, path.Join(dir, "go.mod"))
	return err == nil
}

func checkFile(module fs.FS, name string, rules []Rule) (broken []string, err error) {
	source, err := fs.ReadFile(module, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	importer := path.Dir(name)
	if importer == "." {
		importer = ""
	}
	rule, ok := find(rules, importer)
	if !ok {
		return []string{fmt.Sprintf("%s: package %s has no row in internal/archtest/rules.go: say there what it may import", name, importer)}, nil
	}
	for _, clause := range file.Imports {
		imported, err := strconv.Unquote(clause.Path.Value)
		if err != nil {
			return nil, err
		}
		if !rule.allows(importer, imported) {
			broken = append(broken, fmt.Sprintf("%s: %s imports %s, but %s", name, label(importer), imported, rule.Why))
		}
	}
	return broken, nil
}

// find returns the rule of the package or of the nearest one above it.
func find(rules []Rule, importer string) (Rule, bool) {
	for dir := importer; ; dir = path.Dir(dir) {
		for _, rule := range rules {
			if rule.Package == dir || (dir != "" && rule.Package == path.Dir(dir)+"/*") {
				if rule.Package == "" && importer != "" {
					continue // the root's row is for the root alone
				}
				return rule, true
			}
		}
		if dir == "" || dir == "." {
			return Rule{}, false
		}
	}
}

func (r Rule) allows(importer, imported string) bool {
	if slices.ContainsFunc(r.Never, func(never string) bool { return forbids(never, imported) }) {
		return false
	}
	ours, inModule := strings.CutPrefix(imported, Module)
	ours = strings.TrimPrefix(ours, "/")
	switch {
	case !inModule && (r.Only == nil || isStandard(imported)):
		return true
	case !inModule:
		return slices.ContainsFunc(r.Only, func(only string) bool { return within(only, imported) })
	case importer != "" && within(r.home(importer), ours):
		return true
	}
	return slices.ContainsFunc(r.May, func(may string) bool {
		switch may {
		case "*":
			return !within("cmd", ours) && !within("internal/cli", ours) && !within("internal/archtest", ours)
		case "":
			return ours == ""
		}
		// The surfaces below web are side by side: what they share is web itself.
		return ours == may || (may != "internal/web" && within(may, ours))
	})
}

// home is the package to which importer belongs: the one that the rule names.
func (r Rule) home(importer string) string {
	parent, starred := strings.CutSuffix(r.Package, "/*")
	if !starred {
		return r.Package
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(importer, parent+"/"), "/")
	return parent + "/" + first
}

// forbids treats "net" as the package alone: net/netip and net/mail do no I/O.
func forbids(never, imported string) bool {
	return imported == never || (never != "net" && within(never, imported))
}

func within(parent, name string) bool {
	return name == parent || strings.HasPrefix(name, parent+"/")
}

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func label(pkg string) string {
	if pkg == "" {
		return "chancery"
	}
	return pkg
}
