package dialect

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the faults that were found into testdata/bad")

// TestLoadBad loads files that are wrong and wants each fault at its line and
// column: those are written at the file's end as "# want: LINE:COLUMN: MESSAGE".
func TestLoadBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	ones, oneErr := filepath.Glob("testdata/bad/one/*.yaml")
	if err != nil || oneErr != nil || len(files) < 8 || len(ones) < 100 {
		t.Fatalf("Glob() = %v, %v; %v, %v", files, err, ones, oneErr)
	}
	files = append(files, ones...)
	total := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, _, _ := strings.Cut(string(source), "# want: ")
			var want []string
			for line := range strings.Lines(string(source)) {
				if rest, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSpace(rest))
				}
			}
			_, err = Load(filepath.Base(file), []byte(text), testOptions())
			faults, ok := errors.AsType[Faults](err)
			if !ok {
				t.Fatalf("Load() = %v, want Faults", err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, strings.TrimPrefix(f.String(), filepath.Base(file)+":"))
			}
			total += len(got)
			if *update {
				text += "# want: " + strings.Join(got, "\n# want: ") + "\n"
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	if total < 30 {
		t.Errorf("%d mistakes in all, want at least 30", total)
	}
}
