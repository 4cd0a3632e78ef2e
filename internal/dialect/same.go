package dialect

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// same reports whether two answers are written alike, so that nobody can tell them
// apart by their status, headers or body. It may miss that, and claims it of no others.
func (a *answer) same(other *answer) bool {
	return a != nil && other != nil && slices.EqualFunc(a.variants, other.variants, (*reply).same)
}

func (rp *reply) same(other *reply) bool {
	if rp.status != other.status || rp.contentType != other.contentType || !slices.EqualFunc(rp.headers, other.headers, replyHeader.same) {
		return false
	}
	for _, member := range []string{"when", "accept", "cookies", "json", "xml", "declaration", "text"} {
		if !sameNode(memberOf(rp.node, member), memberOf(other.node, member)) {
			return false
		}
	}
	return true
}

func (h replyHeader) same(other replyHeader) bool {
	return h.name == other.name && slices.EqualFunc(h.value, other.value, func(a, b textSegment) bool {
		if a.leaf == nil || b.leaf == nil {
			return a.leaf == b.leaf && a.literal == b.literal
		}
		return a.leaf.fact != "" && a.leaf.fact == b.leaf.fact
	})
}

// sameNode reports whether two nodes are written alike; nil is like nil alone.
func sameNode(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, sameNode)
}
