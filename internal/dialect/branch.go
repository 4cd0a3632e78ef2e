package dialect

import (
	"cmp"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A branch is an object that is being put together, its members in the order in
// which they came.
type branch struct {
	leaf     []byte // JSON; nil for an object
	names    []string
	children []*branch
}

// at finds what stands at a path, or makes it.
func (b *branch) at(path []string) *branch {
	if len(path) == 0 {
		return b
	}
	i := slices.Index(b.names, path[0])
	if i < 0 {
		i = len(b.names)
		b.names, b.children = append(b.names, path[0]), append(b.children, &branch{})
	}
	return b.children[i].at(path[1:])
}

// list are the items of a branch that is a list, nil for those that nobody names; it
// is nil for objects.
func (b *branch) list() []*branch {
	var items []*branch
	for i, name := range b.names {
		at, ok := body.Index(name)
		if !ok {
			return nil
		}
		items = append(items, make([]*branch, max(0, at+1-len(items)))...)
		items[at] = b.children[i]
	}
	return items
}

func (b *branch) append(dst []byte) []byte {
	if b.leaf != nil {
		return append(dst, b.leaf...)
	}
	if items := b.list(); items != nil {
		return appendItems(dst, items)
	}
	dst = append(dst, '{')
	for i, child := range b.children {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, b.names[i]), ':')
		dst = child.append(dst)
	}
	return append(dst, '}')
}

func appendItems(dst []byte, items []*branch) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		if item == nil {
			dst = append(dst, "null"...)
			continue
		}
		dst = item.append(dst)
	}
	return append(dst, ']')
}

// appendXML writes the branch as an element: attributes are named @name, its own text #text.
func (b *branch) appendXML(dst []byte, name string) []byte {
	dst = append(append(dst, '<'), name...)
	for i, child := range b.children {
		if attribute, ok := strings.CutPrefix(b.names[i], attributeSign); ok {
			dst = append(append(append(dst, ' '), attribute...), `="`...)
			dst = append(appendEscaped(dst, string(child.leaf)), '"')
		}
	}
	dst = appendEscaped(append(dst, '>'), string(b.leaf))
	for i, child := range b.children {
		switch {
		case b.names[i] == textWord:
			dst = appendEscaped(dst, string(child.leaf))
		case child.leaf == nil && child.list() != nil: // the element, repeated
			for _, item := range child.list() {
				dst = cmp.Or(item, &branch{}).appendXML(dst, b.names[i])
			}
		case !strings.HasPrefix(b.names[i], attributeSign):
			dst = child.appendXML(dst, b.names[i])
		}
	}
	return append(append(append(dst, "</"...), name...), '>')
}
