package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// A Fault is one thing that is wrong with a file, and where.
type Fault struct {
	File         string
	Line, Column int // from 1; 0 when the fault has no place
	Message      string
	Hint         string // what to do; may be ""
}

func (f Fault) Error() string {
	text := f.Message
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, text)
	} else if f.File != "" {
		text = f.File + ": " + text
	}
	if f.Hint != "" {
		text += "; " + f.Hint
	}
	return text
}

// Faults are all faults of a file in the order of their places.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, fault := range fs {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each fault to whoever lists them.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, fault := range fs {
		errs[i] = fault
	}
	return errs
}

func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

// Nearest returns the known name that is most like name, or "" when none is
// like it.
func Nearest(name string, known []string) string {
	if len(name) > 64 {
		return ""
	}
	best, distance := "", len(name)/3+2
	for _, candidate := range known {
		if d := edits(name, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// edits counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func edits(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
