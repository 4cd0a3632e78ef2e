package dialect

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// routeOf reads of which tokens a route takes one.
func (r *reader) routeOf(n *yaml.Node, rt *route, d *Dialect) {
	for _, item := range r.items(n, "of") {
		name := r.word(item, "of", d.policyNames...)
		switch p := d.policies[name]; {
		case name == "":
		case slices.Contains(rt.of, name):
			r.fault(item, "name it once", "of names the token %s twice", name)
		case rt.operation.name == Refresh && p.Refresh == nil:
			r.fault(item, "name one that has refresh", "there is no refresh token beside %s", name)
		default:
			rt.of = append(rt.of, name)
		}
	}
}

// taken are the tokens that a route takes, in the file's order.
func (d *Dialect) taken(rt *route) []core.Policy {
	var all []core.Policy
	for _, name := range d.policyNames {
		if len(rt.of) == 0 || slices.Contains(rt.of, name) {
			all = append(all, d.policies[name])
		}
	}
	return all
}
