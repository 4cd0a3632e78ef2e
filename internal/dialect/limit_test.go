package dialect

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestLimits: what a file may ask of the loader is bounded, and a file that asks for
// more is refused soon, in few words and little memory.
func TestLimits(t *testing.T) {
	lines := func(count int, format string) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	inputs := func(more string) string {
		return strings.Replace(filled(nil), "      tenant: {from: body.tenant}\n", more, 1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"settings", strings.Replace(filled(nil), "tokens:", "settings:\n"+lines(101, "  s%d: 1\n")+"tokens:", 1), "there are more than 100 settings"},
		{"inputs", inputs(lines(201, "      i%d: body.i\n")), "the file has more than 200 inputs"},
		{"routes", strings.Replace(filled(nil), "\nissues:", "\n"+lines(51, "  - {on: {method: GET, path: /p%d}, do: whoami, ok: {empty: true}}\n")+"issues:", 1), "there are more than 50 routes"},
		{"a pattern that repeats a repetition", inputs(`      i: {from: body.i, pattern: "^(abcdefghij[k-z]){500}$"}` + "\n"), "is not a pattern: it is too large"},
		{"a pattern that repeats too often", inputs(`      i: {from: body.i, pattern: "a{1001}"}` + "\n"), "is not a pattern: invalid repeat count"},
		{"a long pattern", inputs(`      i: {from: body.i, pattern: "` + strings.Repeat("[ab]?", 1_000) + `"}` + "\n"), "is not a pattern: it is too large"},
		{"expressions that cost much together", strings.Replace(filled(nil), "      secret:", lines(190, `      i%d: {from: body.i, type: list, required: "${input.tags == null || input.tags.all(a, string(a).matches('(a|b)*c(d|e)*f(g|h)*')) || input.tags.all(a, string(a).matches('(a|b)*c(d|e)*f(g|h)*')) || input.tags.all(a, string(a).matches('(a|b)*c(d|e)*f(g|h)*')) || input.tags.all(a, string(a).matches('(a|b)*c(d|e)*f(g|h)*')) || input.tags.all(a, string(a).matches('(a|b)*c(d|e)*f(g|h)*')) || input.tags.all(a, string(a).matches('(a|b)*c(d|e)*f(g|h)*'))}"}`+"\n")+"      secret:", 1), "all together"},
		{"members that are unknown", filled(nil) + lines(4_000, "member%d: 1\n"), "a dialect has no member"},
		{"settings that are unknown", inputs(lines(199, "      i%d: {from: body.i, label: '${setting.a}', one_of: ["+strings.Repeat("'${setting.b}', ", 30)+"]}\n")), "there is no setting"},
		{"a long name", filled(nil) + strings.Repeat("x", 100_000) + ": 1\n", "a dialect has no member"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := Load("test.yaml", []byte(tt.text), testOptions())
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			faults, ok := errors.AsType[Faults](err)
			if !ok || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Load() = %.500v, want %q", err, tt.want)
			}
			if len(faults) > maxFaults+1 || len(err.Error()) > 200_000 {
				t.Errorf("%d faults in %d bytes", len(faults), len(err.Error()))
			}
			if made := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 5*time.Second || made > 500 {
				t.Errorf("Load() took %v and %d MiB", took, made)
			}
			t.Logf("%v", took)
		})
	}
}
