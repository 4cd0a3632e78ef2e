package dialect

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// mergeTag is that of the name <<, whose value's members are taken over.
const mergeTag = "!!merge"

// A sharer writes out what a file shares by anchors, aliases and merge keys. Each
// alias becomes a copy of its own, as what is read is known by its node; copies keep
// the places of what they are copied from.
type sharer struct {
	r     *reader
	nodes int                 // that there are, once all is written out
	open  map[*yaml.Node]bool // those around the one at hand
}

// A spot is a place in the file.
type spot struct{ line, column int }

// share writes out the aliases below the root, in place. It returns false when the
// tree had better not be looked at.
func (r *reader) share(root *yaml.Node) bool {
	s := sharer{r: r, open: map[*yaml.Node]bool{}}
	return s.expand(root, 0)
}

// expand writes out what stands below n. Anchors come before their aliases in a file,
// so what an alias stands for has been written out when it is met.
func (s *sharer) expand(n *yaml.Node, depth int) bool {
	if !s.holds(n, depth) {
		return false
	}
	s.open[n] = true
	defer delete(s.open, n)
	for i, child := range n.Content {
		switch {
		case child.Kind != yaml.AliasNode:
			if !s.expand(child, depth+1) {
				return false
			}
			continue
		case s.open[child.Alias]:
			s.r.fault(child, "write the value out", "*%s stands inside what it stands for", child.Value)
			return false
		}
		if n.Content[i] = s.copy(child.Alias, child, depth+1); n.Content[i] == nil {
			return false
		}
	}
	return n.Kind != yaml.MappingNode || s.merge(n)
}

// copy copies a tree for an alias, or returns nil when that takes too much.
func (s *sharer) copy(n, alias *yaml.Node, depth int) *yaml.Node {
	if !s.holds(alias, depth) {
		return nil
	}
	s.r.shared[spot{n.Line, n.Column}] = true
	made := *n
	made.Anchor, made.Content = "", slices.Clone(n.Content)
	for i, child := range n.Content {
		if made.Content[i] = s.copy(child, alias, depth+1); made.Content[i] == nil {
			return nil
		}
	}
	return &made
}

// holds counts one more node, which stands at n, and reports whether there may be so many.
func (s *sharer) holds(n *yaml.Node, depth int) bool {
	s.nodes++
	switch {
	case s.nodes > maxNodes:
		s.r.fault(n, "leave out what is not part of the contract", "the file has more than %d values, each alias counted as what it stands for", maxNodes)
	case depth > maxDepth:
		s.r.fault(n, "no contract needs that: write it flatter", "nested deeper than %d levels", maxDepth)
	default:
		return true
	}
	return false
}

// merge puts the members that << takes over into its place. A member that the mapping
// has itself wins, and of several mappings the first.
func (s *sharer) merge(n *yaml.Node) bool {
	own := map[string]bool{}
	merges := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		merges = merges || n.Content[i].Tag == mergeTag
		own[n.Content[i].Value] = true
	}
	if !merges {
		return true
	}
	var all []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != mergeTag {
			all = append(all, n.Content[i], n.Content[i+1])
			continue
		}
		members, ok := s.merged(n.Content[i+1])
		if !ok {
			return false
		}
		for k := 0; k+1 < len(members); k += 2 {
			if name := members[k].Value; !own[name] {
				own[name] = true
				all = append(all, members[k], members[k+1])
			}
		}
	}
	n.Content = all
	return true
}

// merged are the members of what << names: a mapping, or several.
func (s *sharer) merged(n *yaml.Node) ([]*yaml.Node, bool) {
	from := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		from = n.Content
	}
	var all []*yaml.Node
	for _, m := range from {
		if m.Kind != yaml.MappingNode {
			s.r.fault(m, "such as <<: *login, where &login stands before a mapping", "<< takes over a mapping's members, and this is %s", kindName(m))
			return nil, false
		}
		all = append(all, m.Content...)
	}
	return all, true
}

// A repetition is a fault that what is shared would have once for each use.
type repetition struct {
	spot
	format, hint string
}

// repeated reports whether a fault at a node was told already for another use of what
// is shared: it is mended once, whatever the words say of the use.
func (r *reader) repeated(n *yaml.Node, at spot, format, hint string) bool {
	if !r.shared[spot{n.Line, n.Column}] {
		return false
	}
	again := repetition{at, format, hint}
	told := r.told[again]
	r.told[again] = true
	return told
}
