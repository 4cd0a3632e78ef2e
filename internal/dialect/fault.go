package dialect

import (
	"fmt"
	"strings"
)

// A Fault is one thing that is wrong with a dialect file, and where.
type Fault struct {
	File         string
	Line, Column int // from 1
	Message      string
	Hint         string // what to do; may be ""
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
