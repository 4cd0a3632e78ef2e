package recordtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/chancery-auth/chancery/dialects"
)

// A harness holds one record against a server that words it, and keeps what was
// not as the record says.
type harness struct {
	record   *node
	seed     seed
	world    *world
	allDoors []door
	session  *session // the first sign-in's
	step     string   // what is being done, for faults
	faults   []string
	report   report
}

// records are the names of the records at hand.
func records(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/records/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no records: %v", err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	return names
}

// sources are the files of one contract.
type sources struct{ record, seed, dialect []byte }

func readSources(t testing.TB, name string) sources {
	t.Helper()
	record, err := os.ReadFile(filepath.Join("testdata/records", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := os.ReadFile(filepath.Join("testdata/records", name+".seed.yaml"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	s, err := parseSeed(name+".seed.yaml", seed)
	if err != nil {
		t.Fatal(err)
	}
	dialect, err := fs.ReadFile(dialects.Examples, "examples/"+s.dialect(name)+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return sources{record, seed, dialect}
}

func (s seed) dialect(name string) string {
	if s.Dialect != "" {
		return s.Dialect
	}
	return name
}

// TestRecords plays every record on every engine, and then tells what was covered.
func TestRecords(t *testing.T) {
	var mu sync.Mutex
	reports := map[string]report{}
	t.Run("all", func(t *testing.T) {
		for _, engine := range engines {
			for _, name := range records(t) {
				t.Run(engine.name+"/"+name, func(t *testing.T) {
					t.Parallel()
					h := play(t, name, readSources(t, name), engine.database)
					for _, fault := range h.faults {
						t.Error(fault)
					}
					mu.Lock()
					defer mu.Unlock()
					reports[name] = h.report
				})
			}
		}
	})
	t.Log("coverage\n" + table(reports, records(t)))
}

// play opens a server for the record and shows all that the record says.
func play(t testing.TB, name string, from sources, database func(testing.TB, string) string) *harness {
	t.Helper()
	h := &harness{}
	var err error
	if h.record, err = parseTree(from.record); err != nil {
		h.fault("", "the record: %v", err)
		return h
	}
	if h.seed, err = parseSeed(name+".seed.yaml", from.seed); err != nil {
		h.fault("", "%v", err)
		return h
	}
	h.allDoors = h.doors()
	h.checkRecord(name)
	if h.world, err = openWorld(t, database(t, t.TempDir()), h.seed.dialect(name), from.dialect, h.seed); err != nil {
		h.fault("", "%v", err)
		return h
	}
	defer h.logged()
	h.successes()
	if h.session == nil {
		h.step = ""
		h.fault("", "nobody could sign in: nothing else was tried")
		return h
	}
	h.examples(t)
	h.inputs()
	h.failures()
	h.token()
	h.presented()
	h.endpoints()
	h.step = ""
	h.uncovered()
	h.count()
	return h
}

// logged faults every error that the server logged: a record has none.
func (h *harness) logged() {
	for line := range strings.Lines(h.world.log.String()) {
		h.step = "the server's log"
		h.fault("", "%s", line)
	}
}

// examples runs those of the dialect's own file.
func (h *harness) examples(t testing.TB) {
	h.step = "the file's examples"
	results := h.world.mounts[""].dialect.RunExamples(t.Context(), h.world.client, h.world.url, func(sample string) (string, error) {
		s := h.signIn("", attempt{Sample: sample})
		if s == nil {
			return "", fmt.Errorf("sample %s cannot sign in", sample)
		}
		return s.token, nil
	})
	if len(results) == 0 {
		h.fault("", "there are none")
	}
	for _, result := range results {
		if result.Diff != "" {
			h.fault("", "%s: %s", result.Example.Name, result.Diff)
		}
	}
	h.report.examples = len(results)
}

// A report tells what was shown of a record.
type report struct {
	successes, examples, presentations int
	cases, token, endpoints            []string
	stated, inferred                   int // values that were looked at
	skipped                            []string
}

func (h *harness) count() {
	h.record.leaves(func(n *node) {
		switch {
		case h.skips(n.pointer):
		case h.isInferred(n.pointer):
			h.report.inferred++
		default:
			h.report.stated++
		}
	})
	for pointer, reason := range h.seed.Skip {
		h.report.skipped = append(h.report.skipped, pointer+": "+reason)
	}
	slices.Sort(h.report.skipped)
}

// table shows reports for people.
func table(reports map[string]report, names []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "record\tlogins\tcases\ttoken\tpresentations\tendpoints\texamples\tvalues stated\tinferred\tskipped")
	for _, name := range names {
		r := reports[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%d\n", name, r.successes, len(r.cases), len(r.token), r.presentations,
			strings.Join(r.endpoints, " "), r.examples, r.stated, r.inferred, len(r.skipped))
	}
	_ = w.Flush() // a builder takes everything
	for _, name := range names {
		for _, skipped := range reports[name].skipped {
			fmt.Fprintf(&b, "%s skips %s\n", name, skipped)
		}
	}
	return b.String()
}
