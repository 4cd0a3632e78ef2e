package chancery

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEveryModuleIsJustified wants a line in DEPENDENCIES.md for each module that
// go.mod requires directly.
func TestEveryModuleIsJustified(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("DEPENDENCIES.md")
	if err != nil {
		t.Fatal(err)
	}
	modules := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1)
	if len(modules) == 0 {
		t.Fatal("found no module in go.mod")
	}
	for _, module := range modules {
		name := module[1]
		if name == "github.com/spf13/pflag" {
			continue // beside cobra, in one line
		}
		if !strings.Contains(string(manual), "| "+name+" |") && !strings.Contains(string(manual), "| "+name+",") {
			t.Errorf("%s is required by go.mod and not justified in DEPENDENCIES.md", name)
		}
	}
}
