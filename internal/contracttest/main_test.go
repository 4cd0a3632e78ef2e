package contracttest

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ran remembers how each subtest ended, by its name without the engine before it.
var ran struct {
	sync.Mutex
	names map[string]string // passed, failed or skipped
}

// remember makes a test's end known to the list of rows.
func remember(t *testing.T) {
	t.Cleanup(func() {
		how := "passed"
		switch {
		case t.Failed():
			how = "failed"
		case t.Skipped():
			how = "skipped"
		}
		ran.Lock()
		defer ran.Unlock()
		if ran.names == nil {
			ran.names = map[string]string{}
		}
		name := strings.TrimPrefix(t.Name(), "TestSQLite/")
		if ran.names[name] != "failed" {
			ran.names[name] = how
		}
	})
}

// sub runs a subtest whose name the list of rows may give as proof.
func sub(t *testing.T, name string, f func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		remember(t)
		f(t)
	})
}

// unproved tells the rows whose tests do not exist or did not run.
func unproved() (faults []string) {
	ran.Lock()
	defer ran.Unlock()
	for _, row := range rows() {
		for _, name := range row.Tests {
			switch ran.names[name] {
			case "":
				faults = append(faults, fmt.Sprintf("row %s: there is no test %s, or it did not run", row.ID, name))
			case "skipped":
				if required() {
					faults = append(faults, fmt.Sprintf("row %s: its test %s was skipped", row.ID, name))
				}
			}
		}
	}
	return faults
}

func required() bool { return os.Getenv("CHANCERY_TEST_REQUIRE") == "1" }

// long reports whether statistical and heavy tests run at full length.
func long() bool { return os.Getenv("CHANCERY_TEST_LONG") == "1" }

// lacking skips a test for want of something outside Go, or fails it where
// everything must be there.
func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if required() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// TestMain holds the list of rows against the tests that ran. A run that was
// asked for some tests alone is not held to it.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if whole() && code == 0 {
		if faults := unproved(); len(faults) > 0 {
			slices.Sort(faults)
			fmt.Println("FAIL: rows of the contracts without proof:\n" + strings.Join(faults, "\n"))
			code = 1
		}
	}
	os.Exit(code)
}

func whole() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}
