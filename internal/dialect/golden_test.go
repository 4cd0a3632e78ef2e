package dialect

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-auth/chancery/core"
)

// TestRepliesStay: what the built-in dialects answer to each outcome stays as it is
// to the byte, however their files say it.
func TestRepliesStay(t *testing.T) {
	for _, name := range all {
		d := load(t, name, nil)
		var b strings.Builder
		tell := func(what string, call *Call, kind core.Kind) {
			w := recorder()
			call.RequestID = "r1"
			call.Refuse(w, &core.Error{Kind: kind, RetryAfter: 7 * time.Second, Limit: 5})
			fmt.Fprintf(&b, "%s %s: %s\n", what, kind, wire(w))
		}
		for _, kind := range slices.Sorted(maps.Keys(d.replies)) {
			tell("anywhere", d.Match(post("/nowhere", "", "")), kind)
			tell("protected", d.Protected(post("/nowhere", "", "")), kind)
		}
		for _, rt := range d.routes {
			if rt.disabled {
				continue
			}
			c := d.Match(post(strings.NewReplacer("{", "", "}", "").Replace(rt.path.text), "", ""))
			for _, kind := range slices.Sorted(maps.Keys(rt.errors)) {
				tell(rt.name(), c, kind)
			}
		}
		file := filepath.Join("testdata", "replies", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
