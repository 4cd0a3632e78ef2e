package dialect

import (
	"slices"
	"strings"
	"testing"
)

// TestLanguage: the shapes say enough of themselves for readers, schema and manual.
func TestLanguage(t *testing.T) {
	shapes := Language()
	if len(shapes) < 30 || shapes[0].Name != "a dialect" {
		t.Fatalf("Language() has %d shapes, the first %q", len(shapes), shapes[0].Name)
	}
	var check func(where string, s *Slot)
	check = func(where string, s *Slot) {
		for _, lack := range []struct {
			what string
			is   bool
		}{
			{"a kind", s.Is == 0},
			{"words", s.Is&KindWord != 0 && len(s.Words) == 0},
			{"a shape", (s.Is&KindShape != 0) != (s.Of != nil)},
			{"an item", (s.Is&KindList != 0) != (s.Item != nil)},
			{"a hint", s.Need && s.Hint == ""},
		} {
			if lack.is {
				t.Errorf("%s lacks %s", where, lack.what)
			}
		}
		if s.Item != nil {
			check(where+"[]", s.Item)
		}
	}
	for i := range shapes {
		s := &shapes[i]
		if s.Doc == "" || (s.Own == nil) == (len(s.Members) == 0) {
			t.Errorf("shape %q is not whole: %+v", s.Name, s)
		}
		var names []string
		for k := range s.Members {
			m := &s.Members[k]
			if m.Name == "" || m.Doc == "" || slices.Contains(names, m.Name) {
				t.Errorf("shape %q: member %+v", s.Name, m)
			}
			names = append(names, m.Name)
			check(s.Name+"."+m.Name, m)
		}
		if s.Own != nil {
			check(s.Name+".*", s.Own)
		}
	}
}

// TestLater: a member that nothing reads is never taken in silence.
func TestLater(t *testing.T) {
	for _, shape := range Language() {
		for _, m := range shape.Members {
			if !m.later {
				continue
			}
			r := &reader{file: "x.yaml", lines: [][]rune{[]rune(m.Name + ": 1")}}
			s := r.section(r.parse([]byte(m.Name+": 1")), &shape)
			if len(r.faults) != 1 || !strings.Contains(r.faults[0].Message, "the member "+m.Name+" is not served yet") || s.get(m.Name) != nil {
				t.Errorf("%s.%s: %v", shape.Name, m.Name, r.faults)
			}
		}
	}
}
