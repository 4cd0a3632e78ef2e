package dialect

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// masked is what messages of one kind differ in: names, values and places.
var masked = regexp.MustCompile(`"[^"]*"|\$\{[^}]*\}|[0-9]+[smhd0-9]*|(GET|POST) \S+|\S*[._]\S*`)

// TestCatalogue counts the kinds of mistakes whose messages testdata/bad holds to
// their words and places, and wants every message to say what to do. Files in
// testdata/bad/one hold one mistake each, and no two the same.
func TestCatalogue(t *testing.T) {
	kinds := map[string]string{}
	for _, pattern := range []string{"testdata/bad/one/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < 8 {
			t.Fatalf("Glob(%s) = %v, %v", pattern, files, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			wants := strings.Split(string(source), "# want: ")[1:]
			if strings.Contains(file, "/one/") && len(wants) != 1 {
				t.Errorf("%s: %d mistakes, want one", file, len(wants))
			}
			for _, want := range wants {
				message, hint, _ := strings.Cut(strings.TrimSpace(want), "; hint: ")
				if len(hint) < 5 {
					t.Errorf("%s: nothing says what to do: %s", file, want)
				}
				kind := masked.ReplaceAllString(strings.SplitN(message, ": ", 2)[1], "_")
				if first, ok := kinds[kind]; ok && strings.Contains(file, "/one/") {
					t.Errorf("%s: the mistake of %s once more: %s", file, first, kind)
				}
				if kinds[kind] == "" {
					kinds[kind] = file
				}
			}
		}
		t.Logf("%d kinds with %s", len(kinds), pattern)
	}
	if len(kinds) < 150 {
		t.Errorf("%d kinds of mistakes, want 150 at least", len(kinds))
	}
}
