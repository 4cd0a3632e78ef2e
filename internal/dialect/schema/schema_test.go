package schema

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
)

var update = flag.Bool("update", false, "write the names of the files that the schema takes into testdata/meaning.txt")

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Write()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("dialect.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("dialect.json") // which holds it to the schema of schemas first
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// check reads a file as editors do and holds it to the schema.
func check(schema *jsonschema.Schema, source []byte) error {
	var value any
	if err := yaml.Unmarshal(source, &value); err != nil {
		return err
	}
	return schema.Validate(plain(value))
}

// plain is a value with the types that a JSON decoder gives.
func plain(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	case map[any]any:
		made := map[string]any{}
		for name, child := range v {
			text, ok := name.(string)
			if !ok {
				text = "a name that is no text"
			}
			made[text] = plain(child)
		}
		return made
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return value
}

// TestTakesWhatLoads: every file that comes with Chancery keeps to the schema.
func TestTakesWhatLoads(t *testing.T) {
	schema := compiled(t)
	found := 0
	for files, pattern := range map[fs.FS]string{
		dialects.Files: "*.yaml", dialects.Examples: "examples/*.yaml", os.DirFS("../openapi/testdata"): "*.yaml",
	} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			found++
			source, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(schema, source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if found < 16 {
		t.Errorf("there are %d files", found)
	}
}

// TestRefusesWhatDoesNot: of the files that the loader refuses the schema refuses
// every one, but for those of testdata/meaning.txt, which keep the form of a dialect
// and are wrong by what they mean.
func TestRefusesWhatDoesNot(t *testing.T) {
	schema := compiled(t)
	list, err := os.ReadFile("testdata/meaning.txt")
	if err != nil {
		t.Fatal(err)
	}
	meaning := strings.Fields(string(list))
	var taken []string
	refused := 0
	for _, pattern := range []string{"../testdata/bad/*.yaml", "../testdata/bad/one/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(path.Base(file), ".yaml")
			listed := slices.Contains(meaning, name)
			err = check(schema, source)
			if err == nil {
				taken = append(taken, name)
			}
			switch {
			case *update:
			case err == nil && !listed:
				t.Errorf("%s keeps to the schema and is not listed as wrong by its meaning", name)
			case err != nil && listed:
				t.Errorf("%s does not keep to the schema, and is listed as if it did: %v", name, err)
			case err != nil:
				refused++
			}
		}
	}
	if *update {
		if err := os.WriteFile("testdata/meaning.txt", []byte(strings.Join(taken, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Logf("%d files are refused by their form, %d are wrong by their meaning", refused, len(meaning))
	if refused < 45 {
		t.Errorf("%d files are refused, want 45 at least", refused)
	}
}

// TestWriteIsTheSameEachTime: an editor's copy changes when the language does.
func TestWriteIsTheSameEachTime(t *testing.T) {
	first, err := Write()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if again, err := Write(); err != nil || !bytes.Equal(first, again) {
			t.Fatal("two schemas of one language differ")
		}
	}
}

// TestFormsAreOfTheLanguage: what is said beside the language's table is said of
// what is there.
func TestFormsAreOfTheLanguage(t *testing.T) {
	known := map[string]bool{}
	for _, s := range dialect.Language() {
		known[s.Name] = true
		known[s.Name+" *"] = s.Own != nil
		for _, m := range s.Members {
			known[s.Name+" "+m.Name] = true
		}
	}
	for key := range forms {
		if !known[key] {
			t.Errorf("%q is nothing of the language", key)
		}
	}
}
