package dialect

import (
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/core"
)

// unserved says why a request has no route, with the line of the file that does: its
// route is switched off, the path has other methods, or there are other paths.
func (c *Call) unserved() (text string, line int) {
	for _, rt := range c.dialect.routes {
		if _, ok := rt.path.match(c.path); ok && rt.disabled && slices.Contains(rt.methods, c.method) {
			n := memberOf(rt.node, "enabled")
			return rt.name() + " is off by enabled: " + n.Value, n.Line
		}
	}
	if c.allow != "" {
		return "on this path there is " + c.allow, 0
	}
	served := c.dialect.served()
	paths := make([]string, len(served))
	for i, rt := range served {
		paths[i] = rt.path.text
	}
	if i := slices.Index(paths, nearest(c.path, paths)); i >= 0 {
		return "no route has this path; near is " + served[i].name(), served[i].node.Line
	}
	return shorten("no route has this path; there are "+strings.Join(c.dialect.Paths(), ", "), maxMessage), 0
}

// traceRefused tells why a body was not read.
func (c *Call) traceRefused(err error) {
	if c.trace == nil {
		return
	}
	text := err.Error()
	if kind := core.KindOf(err); kind == core.WrongContentType {
		sent := "no media type"
		if typ := c.header.Get("Content-Type"); typ != "" {
			sent = shorten(typ, maxShown)
		}
		text = string(kind) + ": sent is " + sent + ", taken are " + strings.Join(c.route.accept.names(), ", ")
	}
	c.step("body", c.route.node.Line, "%s", text)
}

// names are the media types that are taken, stars included.
func (a *accept) names() []string {
	names := make([]string, len(a.types))
	for i, t := range a.types {
		if names[i] = t.typ; t.star {
			names[i] += "*" + t.suffix
		}
	}
	return names
}
