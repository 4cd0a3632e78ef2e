package recordtest

import (
	"fmt"
	"slices"
	"strings"
)

// A door is a way to sign in: a record's login, or one of its alternatives.
type door struct {
	node    *node
	methods []*node
	path    string
	types   []*node // null for a request without a body
	fields  []field
	folded  bool // member names are matched without regard to case
	success answer
}

// A field is what a login sends.
type field struct {
	node   *node
	name   string
	in     string
	mapsTo string
}

// called are the names by which an answer may speak of the field.
func (f *field) called() []string {
	parts := strings.FieldsFunc(f.name, func(c rune) bool { return c == '.' || c == '/' })
	return []string{parts[len(parts)-1], f.name}
}

func (f *field) required() bool { return f.node.get("required").raw() == "true" }

// raw is a scalar as text, without having been looked at.
func (n *node) raw() string {
	if n == nil {
		return ""
	}
	return n.text
}

// doors are the record's login and its alternatives.
func (h *harness) doors() []door {
	login := h.record.get("login")
	all := []door{newDoor(login, login, h.success())}
	for _, other := range login.get("alternatives").each() {
		all = append(all, newDoor(other, login, h.success()))
	}
	for i := range all[1:] {
		d := &all[i+1]
		for _, variant := range h.record.get("success").get("variants").each() {
			if variant.get("when").raw() == d.path {
				variant.get("when").look()
				d.success = d.success.but(variant)
			}
		}
	}
	return all
}

func newDoor(n, login *node, success answer) door {
	d := door{node: n, path: n.get("path").raw(), methods: n.get("method").each(), success: success}
	if d.types = n.get("content_type").each(); d.types == nil {
		d.types = login.get("content_type").each()
	}
	if matching := n.get("matching"); strings.Contains(matching.raw(), "insensitive") {
		matching.look()
		d.folded = true
	}
	for _, f := range n.get("fields").each() {
		d.fields = append(d.fields, field{f, f.get("name").raw(), f.get("in").raw(), f.get("maps_to").raw()})
	}
	return d
}

func (h *harness) success() answer {
	s := h.record.get("success")
	return answer{status: s.get("status"), headers: s.get("headers"), contentType: s.get("content_type"), body: s.get("body")}
}

// but is the answer with what a variant says of it.
func (a answer) but(variant *node) answer {
	for name, part := range map[string]**node{"status": &a.status, "headers": &a.headers, "content_type": &a.contentType, "body": &a.body} {
		if own := variant.get(name); own != nil {
			*part = own
		}
	}
	return a
}

// failure is what the record says of a failure case.
func (h *harness) failure(name string) (answer, bool) {
	f := h.record.get("failures").get(name)
	if f == nil || h.skips(f.pointer) {
		return answer{}, false
	}
	a := answer{status: f.get("status"), headers: f.get("headers"), contentType: f.get("content_type"), body: f.get("body")}
	if given := f.get("body_given"); !given.true() {
		a.body.look()
		a.body = nil
	}
	return a, true
}

// unasked are the members of a record that are about the record itself.
var unasked = []string{"/name", "/kind", "/sector", "/source", "/notes", "/evidence"}

// checkRecord looks at what every record must have.
func (h *harness) checkRecord(name string) {
	if format := h.record.get("format").word(); format != "1" {
		h.fault("/format", "the format is %q, want 1", format)
	}
	if id := h.record.get("id").word(); id != name {
		h.fault("/id", "the id is %q in the file %s", id, name)
	}
	for _, pointer := range unasked {
		h.record.at(pointer).look()
	}
	for _, inferred := range h.record.get("inferred").each() {
		if h.record.at(inferred.word()) == nil {
			h.fault(inferred.pointer, "the record has nothing at %s", inferred.text)
		}
	}
	for pointer := range h.seed.Skip {
		if h.record.at(pointer) == nil {
			h.fault(pointer, "the seed skips it, but the record has no such pointer")
		}
	}
	h.record.get("inferred").look()
	h.record.get("rate_limit").given() // null says nothing
	for _, d := range h.allDoors {
		for _, f := range d.fields {
			f.node.get("note").look()
		}
	}
}

// skips reports whether a pointer is at or below one that the seed skips.
func (h *harness) skips(pointer string) bool { return h.why(pointer) != "" }

func (h *harness) why(pointer string) string {
	for at := pointer; at != ""; at = at[:strings.LastIndex(at, "/")] {
		if reason := h.seed.Skip[at]; reason != "" {
			return reason
		}
	}
	return ""
}

// uncovered are the values of the record that nothing has looked at and no reason
// excuses.
func (h *harness) uncovered() {
	h.record.leaves(func(n *node) {
		if !n.looked && !h.skips(n.pointer) {
			h.fault(n.pointer, "nothing has looked at it: say in the seed how it comes about, or why it cannot")
		}
	})
}

// isInferred reports whether the record's author filled a value in.
func (h *harness) isInferred(pointer string) bool {
	return slices.ContainsFunc(h.record.get("inferred").each(), func(n *node) bool {
		return pointer == n.text || strings.HasPrefix(pointer, n.text+"/")
	})
}

func (h *harness) fault(pointer, format string, args ...any) {
	said := []string{h.step, pointer, fmt.Sprintf(format, args...)}
	h.faults = append(h.faults, strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), ": "))
}
