package archtest

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestImports holds the module itself to the rules.
func TestImports(t *testing.T) {
	broken, err := Check(os.DirFS("../.."), Rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range broken {
		t.Error(sentence)
	}
}

func TestCheck(t *testing.T) {
	const m = Module + "/"
	for _, tt := range []struct {
		name, file, imported string
		want                 string // part of the sentence; "" when it is allowed
	}{
		{"core does no network", "core/x.go", "net/http", "core imports net/http, but the rules do no I/O"},
		{"core does no network, below net/http either", "core/x.go", "net/http/httptest", "the rules do no I/O"},
		{"core opens no socket", "core/x.go", "net", "the rules do no I/O"},
		{"core asks no database", "core/x.go", "database/sql/driver", "the rules do no I/O"},
		{"core reads no file", "core/x.go", "os", "the rules do no I/O"},
		{"core may know addresses", "core/x.go", "net/netip", ""},
		{"core knows no store", "core/x.go", m + "internal/store", "know nothing around them"},
		{"core knows no server", "core/x.go", Module, "know nothing around them"},
		{"stores do not meet mail", "internal/store/x.go", m + "internal/mail", "side by side"},
		{"stores meet core", "internal/store/x.go", m + "core", ""},
		{"a store's fake belongs to it", "internal/store/x.go", m + "internal/store/memory", ""},
		{"the fake is held to the same rule", "internal/store/memory/x.go", m + "internal/counter", "side by side"},
		{"keys lean on tokens", "internal/keyring/x.go", m + "internal/token", ""},
		{"keys do not lean on stores", "internal/keyring/x.go", m + "internal/store", "side by side"},
		{"surfaces use dialects", "internal/web/login/x.go", m + "internal/dialect", ""},
		{"surfaces use what they share", "internal/web/login/x.go", m + "internal/web", ""},
		{"surfaces have parts", "internal/web/login/x.go", m + "internal/web/login/form", ""},
		{"surfaces do not use each other", "internal/web/login/x.go", m + "internal/web/proxy", "side by side"},
		{"what surfaces share is beside the stores", "internal/web/x.go", m + "internal/store", "side by side"},
		{"dialects know no HTTP surface", "internal/dialect/body/x.go", m + "internal/web", "side by side"},
		{"tokens do no I/O", "internal/token/x.go", "os/exec", "without I/O"},
		{"the root joins everything", "wire.go", m + "internal/web/login", ""},
		{"the root does not call up", "wire.go", m + "internal/cli", "chancery imports"},
		{"the command line uses the root", "internal/cli/x.go", Module, ""},
		{"the command line goes round nobody", "internal/cli/x.go", m + "internal/store", "through the chancery package"},
		{"main calls the command line", "cmd/chancery/main.go", m + "internal/cli", ""},
		{"main calls nothing else", "cmd/chancery/main.go", m + "core", "main only calls"},
		{"verifiers get tokens", "verify/x.go", m + "internal/token", ""},
		{"verifiers get no driver", "verify/x.go", "modernc.org/sqlite", "nothing of the server's"},
		{"verifiers get the standard library", "verify/x.go", "net/http", ""},
		{"clients get nothing of ours", "client/x.go", m + "core", "nothing of the server's"},
		{"clients get nothing of others", "client/x.go", "go.yaml.in/yaml/v4", "nothing of the server's"},
		{"a new package says what it leans on", "internal/brand/x.go", "fmt", "has no row"},
		{"so does a new command", "cmd/other/main.go", "fmt", "has no row"},
		{"a path that only begins alike is another package", "internal/cli/x.go", m + "internal/dialects", "through the chancery package"},
		{"tests may import what they want", "core/x_test.go", m + "internal/store", ""},
		{"test data is no package", "core/testdata/x.go", "os", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			module := fstest.MapFS{tt.file: {Data: []byte("package x\n\nimport _ \"" + tt.imported + "\"\n")}}
			broken, err := Check(module, Rules)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(broken, "\n")
			switch {
			case tt.want == "" && got != "":
				t.Errorf("Check() = %q, want nothing", got)
			case !strings.Contains(got, tt.want):
				t.Errorf("Check() = %q, want it to say %q", got, tt.want)
			}
		})
	}
}

func TestCheckReadsModulesApart(t *testing.T) {
	module := fstest.MapFS{
		"core/x.go":        {Data: []byte("package core\n")},
		"examples/go.mod":  {Data: []byte("module example\n")},
		"examples/main.go": {Data: []byte("package main\n\nimport _ \"os\"\n")},
	}
	if broken, err := Check(module, Rules); err != nil || len(broken) != 0 {
		t.Errorf("Check() = %q, %v, want nothing", broken, err)
	}
}
