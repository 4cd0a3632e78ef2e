package dialect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Fault is one thing that is wrong with a dialect file, and where.
type Fault struct {
	File         string
	Line, Column int // from 1; columns count characters
	Message      string
	Hint         string // what to do
}

func (f Fault) String() string {
	text := fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	if f.Hint != "" {
		text += "; hint: " + f.Hint
	}
	return text
}

// Faults are all faults of a file, in the order of their places.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds the work on a file that is not a dialect file at all.
const maxFaults = 100

// sorted returns the faults in the order of their places, each once.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	told := make(map[Fault]bool, len(fs)) // what is shared has some as often as it is used
	fs = slices.DeleteFunc(fs, func(f Fault) bool {
		again := told[f]
		told[f] = true
		return again
	})
	if len(fs) > maxFaults {
		fs = fs[:maxFaults]
	}
	return fs
}

// nearest returns the known name that name was probably meant to be, or "".
func nearest(name string, known []string) string {
	best, least := "", max(1, (len(name)+1)/3)+1
	for _, k := range known {
		if d := distance(name, k, least); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the edits between a and b; it gives up at limit.
func distance(a, b string, limit int) int {
	if len(a) > 64 || len(b) > 64 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, corner+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// didYouMean is the hint for a name that is not known.
func didYouMean(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return "none is declared: declare it, or leave it out"
	}
	return "known are " + strings.Join(known, ", ")
}
