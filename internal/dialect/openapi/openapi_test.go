package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/chancery-auth/chancery/dialects"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// shipped are the dialects that come with Chancery, and one that has what they lack.
func shipped(t testing.TB) map[string]*dialect.Dialect {
	t.Helper()
	all := map[string]*dialect.Dialect{}
	loadAll(t, all, dialects.Files)
	loadAll(t, all, dialects.Examples)
	loadAll(t, all, os.DirFS("testdata"))
	return all
}

func loadAll(t testing.TB, all map[string]*dialect.Dialect, files fs.FS) {
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		source, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		options := dialect.Options{Realm: "test", Issuer: "https://login.example.com", BaseURL: "https://login.example.com", Settings: map[string]any{}}
		if strings.Contains(string(source), "frontend_url:") {
			options.Settings["frontend_url"] = "https://app.example.com"
		}
		d, err := dialect.Load(path, source, options)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range d.Settings() { // all that a setting can switch on
			if value == false {
				options.Settings[name] = true
			}
		}
		if d, err = dialect.Load(path, source, options); err != nil {
			t.Fatal(err)
		}
		all[d.Name()] = d
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestExamplesHold: every example in a document is what its schema says.
func TestExamplesHold(t *testing.T) {
	for name, d := range shipped(t) {
		t.Run(name, func(t *testing.T) {
			text, err := Write(d)
			if err != nil {
				t.Fatal(err)
			}
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			c := jsonschema.NewCompiler()
			c.AssertFormat()
			if err := c.AddResource("openapi.json", document); err != nil {
				t.Fatal(err)
			}
			found := 0
			walk(document, "", func(pointer string, media map[string]any) {
				examples, _ := media["examples"].(map[string]any)
				schema, err := c.Compile("openapi.json#" + pointer + "/schema")
				if err != nil {
					t.Fatal(err)
				}
				for name, example := range examples {
					found++
					if err := schema.Validate(example.(map[string]any)["value"]); err != nil {
						t.Errorf("%s: example %q: %v", pointer, name, err)
					}
				}
				if len(examples) == 0 {
					t.Logf("%s has no example", pointer)
				}
			})
			eachSchema(document, "", func(pointer string, examples []any) {
				schema, err := c.Compile("openapi.json#" + pointer)
				if err != nil {
					t.Fatal(err)
				}
				for _, example := range examples {
					if err := schema.Validate(example); err != nil {
						t.Errorf("%s: %v", pointer, err)
					}
				}
			})
			if found < len(d.Paths()) {
				t.Errorf("there are %d examples", found)
			}
		})
	}
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", " ", "%20", "{", "%7B", "}", "%7D")

// walk calls f with every media type object below value.
func walk(value any, pointer string, f func(pointer string, media map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		if _, ok := v["schema"]; ok && strings.Contains(pointer, "/content/") {
			f(pointer, v)
			return
		}
		for name, child := range v {
			walk(child, pointer+"/"+escapePointer.Replace(name), f)
		}
	case []any:
		for i, child := range v {
			walk(child, fmt.Sprintf("%s/%d", pointer, i), f)
		}
	}
}

// eachSchema calls f with every schema that has examples of its own.
func eachSchema(value any, pointer string, f func(pointer string, examples []any)) {
	switch v := value.(type) {
	case map[string]any:
		if examples, ok := v["examples"].([]any); ok {
			f(pointer, examples)
		}
		for name, child := range v {
			eachSchema(child, pointer+"/"+escapePointer.Replace(name), f)
		}
	case []any:
		for i, child := range v {
			eachSchema(child, fmt.Sprintf("%s/%d", pointer, i), f)
		}
	}
}

// TestSchemasRefuse: a schema that took everything would prove nothing.
func TestSchemasRefuse(t *testing.T) {
	text, err := Write(shipped(t)["kyc"])
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("openapi.json#/paths/~1auth~1jwt~1login/post/responses/200/content/application~1json/schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"access_token":"x"}`, `{"access_token":1,"token_type":"bearer"}`, `{"access_token":"x","token_type":"mac"}`, `[]`} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

// TestItems: where inputs are items of a list, the schema of the body has the list.
func TestItems(t *testing.T) {
	d, err := dialect.Load("items.yaml", []byte(`dialect: items
tokens: {access: {format: opaque, lifetime: 1h}}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs: {a: body.codes.0, b: {from: body.codes.1, required: true, take: '^b(.*)$', max: 3}}
    do: fixed
    ok: {empty: true}
errors:
  invalid_request: {status: 400, empty: true}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
`), dialect.Options{Realm: "test", Issuer: "https://login.example.com", BaseURL: "https://login.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := Write(d)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(string(text)), "")
	for _, want := range []string{`"codes":{"type":"array","items":{"anyOf":[{"type":"string"`, `"minItems":2`, `"whatthegroupof^b(.*)$matchescounts;atmost3characters"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the document lacks %s:\n%s", want, text)
		}
	}
}

func TestWriteIsTheSameEachTime(t *testing.T) {
	for name, d := range shipped(t) {
		first, _ := Write(d)
		if again, _ := Write(d); !bytes.Equal(first, again) {
			t.Errorf("%s: two documents of one dialect differ", name)
		}
	}
}

// TestForeignValidator asks a validator of other people whether the documents are
// OpenAPI 3.1.
func TestForeignValidator(t *testing.T) {
	tool, err := filepath.Abs("testdata/validator")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		lacking(t, "npm is not installed")
	}
	folder := t.TempDir()
	for _, file := range []string{"package.json", "package-lock.json", "validate.mjs"} {
		content, err := os.ReadFile(filepath.Join(tool, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		lacking(t, "the validator could not be installed: %v\n%s", err, out)
	}
	var files []string
	for name, d := range shipped(t) {
		text, err := Write(d)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, name+".json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	run := func(files ...string) (string, error) {
		command := exec.CommandContext(t.Context(), "node", append([]string{"validate.mjs"}, files...)...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		return string(out), err
	}
	if out, err := run(files...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	broken := filepath.Join(folder, "broken.json")
	if err := os.WriteFile(broken, []byte(`{"openapi":"3.1.0","info":{"title":"x"},"paths":{"/x":{"get":{"parameters":[{"name":"a"}]}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(broken); err == nil {
		t.Errorf("the validator takes what is no OpenAPI:\n%s", out)
	}
}

func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CHANCERY_TEST_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
