package dialect

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
)

// many are how many dialects a server may be given, and within what time.
const (
	many     = 200
	manyTime = 2 * time.Second
)

// A shipped is a dialect file that comes with Chancery, examples included.
type shipped struct {
	name    string
	source  []byte
	options Options
}

func allShipped(tb testing.TB) []shipped {
	tb.Helper()
	var files []shipped
	for pattern, from := range map[string]fs.FS{"*.yaml": dialects.Files, "examples/*.yaml": dialects.Examples} {
		names, err := fs.Glob(from, pattern)
		if err != nil || len(names) == 0 {
			tb.Fatalf("Glob(%s) = %v, %v", pattern, names, err)
		}
		for _, name := range names {
			source, err := fs.ReadFile(from, name)
			if err != nil {
				tb.Fatal(err)
			}
			file := shipped{name, source, testOptions()}
			if strings.Contains(string(source), "\n  frontend_url:") {
				file.options.Settings = map[string]any{"frontend_url": "https://app.example"}
			}
			files = append(files, file)
		}
	}
	return files
}

// loadMany loads so many dialects, of all shipped files in turn, and has each
// answer a request.
func loadMany(tb testing.TB, files []shipped, n int) {
	tb.Helper()
	for i := range n {
		file := files[i%len(files)]
		file.options.Realm = core.Realm("realm" + strconv.Itoa(i))
		d, err := Load(file.name, file.source, file.options)
		if err != nil {
			tb.Fatal(err)
		}
		w := httptest.NewRecorder()
		call := d.Match(httptest.NewRequest(http.MethodGet, "/no/such/path", http.NoBody))
		call.Refuse(w, call.Err())
		if w.Code < 400 {
			tb.Fatalf("%s answers %d to a path that it does not have", file.name, w.Code)
		}
	}
}

// TestLoadMany wants 200 dialects checked and answering within 2 s.
func TestLoadMany(t *testing.T) {
	files := allShipped(t)
	loadMany(t, files, len(files)) // what is made once is not what is measured
	took := time.Hour
	for range 3 { // the best of three: other work on the machine is not what is measured
		begun := time.Now()
		loadMany(t, files, many)
		took = min(took, time.Since(begun))
	}
	t.Logf("%d dialects in %s", many, took)
	if took > manyTime && !racing {
		t.Errorf("%d dialects took %s, want %s at most", many, took, manyTime)
	}
}
