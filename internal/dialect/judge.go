package dialect

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// A mention is a name in an expression whose declaration is yet to be read.
type mention struct {
	node   *yaml.Node
	name   string
	offset int
}

// namesGranted notes that an expression names granted.NAME.
func (r *reader) namesGranted(n *yaml.Node, name string, offset int) {
	r.granted = append(r.granted, mention{n, name, offset})
}

// grantedNames checks that some route grants what expressions read.
func (r *reader) grantedNames(d *Dialect) {
	var known []string
	for _, rt := range d.routes {
		known = append(known, rt.granted...)
	}
	for _, m := range r.granted {
		if !slices.Contains(known, m.name) {
			r.faultAt(m.node, m.offset, didYouMean(m.name, known), "no route grants %s", m.name)
		}
	}
}
