package recordtest

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// A comparison holds one answer to what the record says of it. Held is what stood
// in the place of placeholders, by their names.
type comparison struct {
	facts
	skipped func(pointer string) bool
	loose   bool // numbers stand as text: in headers, within texts, in XML
	held    map[string]string
	faults  []string
}

func (c *comparison) fault(where, format string, args ...any) {
	if where != "" {
		where += ": "
	}
	c.faults = append(c.faults, where+fmt.Sprintf(format, args...))
}

// An answer is what the record says of a reply. A status or body of nil is not
// said, or said to be unknown.
type answer struct {
	status, headers, contentType, body *node
}

func (c *comparison) answer(want answer, got reply) {
	if want.status.given() && want.status.word() != fmt.Sprint(got.status) {
		c.fault(want.status.pointer, "status %d, want %s", got.status, want.status.text)
	}
	if want.headers != nil {
		want.headers.looked = true
		for i, name := range want.headers.names {
			c.header(name, want.headers.items[i], got.header)
		}
	}
	c.mediaType(want, got)
	c.body(want.body, got)
	if len(c.faults) > 0 {
		c.fault("", "got %d %s %s", got.status, got.header.Get("Content-Type"), clip(string(got.body)))
	}
}

// header compares the values of one header field, in their order.
func (c *comparison) header(name string, want *node, header http.Header) {
	if c.skipped(want.pointer) {
		return
	}
	got := header.Values(name)
	if len(got) != len(want.each()) {
		c.fault(want.pointer, "the header is there %d times, want %d", len(got), len(want.each()))
		return
	}
	c.loose = true
	defer func() { c.loose = false }()
	for i, item := range want.each() {
		c.value(item, &node{is: text, text: got[i]})
	}
}

// mediaType compares the whole type where the record has parameters in it.
func (c *comparison) mediaType(want answer, got reply) {
	if !want.body.given() && want.contentType == nil {
		return
	}
	have := got.header.Get("Content-Type")
	wanted := want.contentType.word()
	bare, _, _ := mime.ParseMediaType(have)
	switch {
	case want.contentType != nil && c.skipped(want.contentType.pointer):
	case strings.Contains(wanted, ";") && have != wanted, !strings.Contains(wanted, ";") && wanted != "" && bare != wanted:
		c.fault(want.contentType.pointer, "type %q, want %q", have, wanted)
	case wanted == "" && want.body.given() && !isJSON(bare):
		c.fault(want.body.pointer, "type %q, want JSON", have)
	}
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func (c *comparison) body(want *node, got reply) {
	if want == nil {
		return
	}
	mediaType, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	switch {
	case want.is == null:
		want.look()
		if len(got.body) > 0 {
			c.fault(want.pointer, "the body is not empty")
		}
	case isJSON(mediaType):
		have, err := parseTree(got.body)
		if err != nil {
			c.fault(want.pointer, "the body is no JSON: %v", err)
			return
		}
		c.value(want, have)
	case strings.HasSuffix(mediaType, "xml") && want.is == text:
		c.xml(want, got.body)
	case want.is == text:
		c.loose = true
		c.value(want, &node{is: text, text: string(got.body)})
		c.loose = false
	default:
		c.fault(want.pointer, "the body is of type %q, which nobody can compare with JSON", mediaType)
	}
}

// value compares a value with the record's.
func (c *comparison) value(want, got *node) {
	if c.skipped(want.pointer) {
		c.keep(want, got)
		return
	}
	want.looked = true
	switch {
	case want.is == object:
		c.object(want, got)
	case want.is == list:
		c.list(want, got)
	case want.is == text:
		c.text(want, got)
	case want.is != got.is || want.text != got.text:
		c.fault(want.pointer, "%s, want %s", got, want)
	}
}

// keep takes what stands for a placeholder, where it is not to be compared.
func (c *comparison) keep(want, got *node) {
	if name, _, ok := one(want.text); ok && got.is == text {
		c.held[name] = got.text
	}
}

// object compares members, in the record's order and without any other.
func (c *comparison) object(want, got *node) {
	if got.is != object {
		c.fault(want.pointer, "%s, want an object", got)
		return
	}
	names, items, open := c.members(want)
	if open {
		got = got.only(names)
	}
	if !slices.Equal(names, got.names) {
		a, b := slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(got.names))
		if slices.Equal(a, b) {
			c.fault(want.pointer, "order: the members are %q, want %q", got.names, names)
		} else {
			c.fault(want.pointer, "the members are %q, want %q", got.names, names)
		}
	}
	for i, name := range names {
		have := got.get(name)
		if have == nil {
			continue // told above
		}
		if about, ok := c.about(want, name); ok {
			about.value(items[i], have)
			c.faults = append(c.faults, about.faults...)
			continue
		}
		c.value(items[i], have)
	}
}

// members are those that the record wants: <field> is one member for each field
// at fault, <any> allows whatever else.
func (c *comparison) members(want *node) (names []string, items []*node, open bool) {
	for i, name := range want.names {
		item := want.items[i]
		placeholder, _, ok := one(name)
		switch {
		case !ok:
			names, items = append(names, name), append(items, item)
		case placeholder == "any":
			item.look()
			open = true
		case placeholder == "field":
			for _, missing := range c.missing {
				names, items = append(names, missing.called()[0]), append(items, item)
			}
		default:
			c.fault(want.pointer, "nobody knows the placeholder %s as a member's name", name)
		}
	}
	return names, items, open
}

// about is the comparison of a member that stands for one of the fields at fault.
func (c *comparison) about(want *node, name string) (*comparison, bool) {
	if slices.Contains(want.names, name) {
		return nil, false
	}
	alone := *c
	alone.faults, alone.held = nil, maps.Clone(c.held)
	delete(alone.held, "field")
	alone.missing = slices.DeleteFunc(slices.Clone(c.missing), func(f field) bool { return f.called()[0] != name })
	return &alone, true
}

// only is an object with the members of these names.
func (n *node) only(names []string) *node {
	some := &node{is: n.is}
	for i, name := range n.names {
		if slices.Contains(names, name) {
			some.names, some.items = append(some.names, name), append(some.items, n.items[i])
		}
	}
	return some
}

// list compares items one by one; a list of one placeholder that stands for a list
// is that list.
func (c *comparison) list(want, got *node) {
	if got.is != list {
		c.fault(want.pointer, "%s, want a list", got)
		return
	}
	if len(want.items) == 1 && want.items[0].is == text {
		if name, form, ok := one(want.items[0].text); ok && c.isList(name) {
			want.items[0].looked = true
			if err := c.stands(name, form, got); err != nil {
				c.fault(want.pointer, "%v", err)
			}
			return
		}
	}
	if len(want.items) != len(got.items) {
		c.fault(want.pointer, "%d items, want %d: %s", len(got.items), len(want.items), got)
		return
	}
	for i, item := range want.items {
		c.value(item, got.items[i])
	}
}

func (c *comparison) isList(name string) bool {
	known, ok := c.fact(name)
	return ok && nodeOf(known).is == list
}

// text compares a text: a placeholder, one with placeholders in it, or a literal.
func (c *comparison) text(want, got *node) {
	if inner, ok := strings.CutPrefix(want.text, "<json_string:"); ok {
		c.jsonString(want, strings.TrimSuffix(inner, ">"), got)
		return
	}
	if name, form, ok := one(want.text); ok {
		if err := c.stands(name, form, got); err != nil {
			c.fault(want.pointer, "%v", err)
		}
		return
	}
	if got.is != text {
		c.fault(want.pointer, "%s, want %s", got, want)
		return
	}
	if !placeholder.MatchString(want.text) {
		if want.text != got.text {
			c.fault(want.pointer, "%s, want %s", got, want)
		}
		return
	}
	c.within(want, got.text)
}

// within compares a text that has placeholders among its words.
func (c *comparison) within(want *node, got string) {
	var pattern strings.Builder
	var names [][]string
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(want.text, -1) {
		found := placeholder.FindStringSubmatch(want.text[at[0]:at[1]])
		names = append(names, found)
		pattern.WriteString(regexp.QuoteMeta(want.text[last:at[0]]) + "(")
		if f := findFamily(found[1]); f != nil {
			pattern.WriteString(f.pattern)
		}
		pattern.WriteString(")")
		last = at[1]
	}
	end := "$"
	if len(c.missing) > 1 {
		end = "" // what a text about one field says of several is not in the record
	}
	m := regexp.MustCompile("^" + pattern.String() + regexp.QuoteMeta(want.text[last:]) + end).FindStringSubmatch(got)
	if m == nil {
		c.fault(want.pointer, "%q, want %q", got, want.text)
		return
	}
	loose := c.loose
	c.loose = true
	defer func() { c.loose = loose }()
	for i, name := range names {
		if err := c.stands(name[1], "", &node{is: text, text: m[i+1]}); err != nil {
			c.fault(want.pointer, "%v", err)
		}
	}
}

// jsonString compares a JSON document that stands in a text.
func (c *comparison) jsonString(want *node, inner string, got *node) {
	wanted, err := parseTree([]byte(inner))
	if err != nil {
		c.fault(want.pointer, "the record: %v", err)
		return
	}
	have, err := parseTree([]byte(got.text))
	if got.is != text || err != nil {
		c.fault(want.pointer, "%s is no text with a JSON document", got)
		return
	}
	inside := comparison{facts: c.facts, skipped: func(string) bool { return false }, held: c.held}
	inside.value(wanted, have)
	for _, fault := range inside.faults {
		c.fault(want.pointer, "inside the text %s", fault)
	}
}
