package dialect

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A condition is true, false, or an expression that says which.
type condition struct {
	node   *yaml.Node
	leaf   *leaf // nil for what is known at load
	is     bool
	chosen bool // by the operator, with a setting
}

// truths are words for true and false that are texts to YAML.
var truths = map[string]string{
	"true": "true", "yes": "true", "y": "true", "on": "true", "false": "false", "no": "false", "n": "false", "off": "false",
}

// condition reads a boolean: written out, from a setting, or an expression whose
// result is one. It returns nil after a fault.
func (r *reader) condition(n *yaml.Node, what string, p *place) *condition {
	if _, chosen := settingName(n); chosen || n.Kind != yaml.ScalarNode || n.Tag == "!!bool" {
		return &condition{node: n, is: r.boolean(n, what, false), chosen: chosen}
	}
	parts, ok := r.split(n)
	if !ok {
		return nil
	}
	if len(parts) != 1 || !parts[0].expression {
		hint := "such as " + what + ": " + p.conditionExample()
		if meant, ok := truths[strings.ToLower(n.Value)]; ok {
			hint = "write " + meant + ", without quotes"
		}
		r.fault(n, hint, "%s must be true, false or an expression, not %s", what, n.Value)
		return nil
	}
	l := r.expression(n, parts[0].text, parts[0].offset, p)
	switch {
	case l == nil:
		return nil
	case l.typ != booleanType || l.nullable:
		name := strings.TrimSpace(parts[0].text)
		r.faultAt(n, parts[0].offset, "compare it, as in "+name+" == true", "%s is not always true or false", name)
		return nil
	}
	return &condition{node: n, leaf: l}
}

// conditionExample is a condition of the place, for hints.
func (p *place) conditionExample() string {
	if p.in == 0 {
		return "${setting.a && !setting.b}"
	}
	return "${input.kind == 'a'}"
}

// soleExpression reads ${expression} alone. It returns nil after a fault.
func (r *reader) soleExpression(n *yaml.Node, what string, p *place) *leaf {
	if n.Kind == yaml.ScalarNode {
		parts, ok := r.split(n)
		if !ok {
			return nil
		}
		if len(parts) == 1 && parts[0].expression {
			return r.expression(n, parts[0].text, parts[0].offset, p)
		}
	}
	r.fault(n, "such as ${input.name}, or ${'text'}", "%s must be an expression alone", what)
	return nil
}

// holds asks the condition. The nil condition does not hold.
func (c *condition) holds(s *scope) (bool, error) {
	switch {
	case c == nil:
		return false, nil
	case c.leaf == nil:
		return c.is, nil
	}
	v, err := c.leaf.get(s)
	if err != nil {
		return false, err
	}
	is, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("condition %q gave a %T", c.node.Value, v)
	}
	return is, nil
}

// known tells what the condition is where the settings alone decide it.
func (c *condition) known(d *Dialect) (is, known bool) {
	switch {
	case c.leaf == nil:
		return c.is, true
	case !c.leaf.settled && !c.leaf.constant:
		return false, false
	}
	is, err := c.holds(&scope{dialect: d, now: probeTime})
	return is, err == nil
}

// ever reports whether the condition can hold, always whether it cannot fail to.
func (c *condition) ever() bool   { return c != nil && (c.leaf != nil || c.is) }
func (c *condition) always() bool { return c != nil && c.leaf == nil && c.is }

// anyway reports whether the condition always holds, whatever the operator chooses:
// what is a fault of a file must not depend on that.
func (c *condition) anyway() bool { return c.always() && !c.chosen }
