package dialect

import (
	"regexp"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// maxPart bounds the texts of which a part is taken, in bytes.
const maxPart = 4 << 10

// part reads the pattern of the part of an input that is its value.
func (r *reader) part(n *yaml.Node, in *input) *regexp.Regexp {
	if n == nil || !r.isText(n, in, "take") {
		return nil
	}
	text := r.text(n, "take")
	re, problem := compilePattern(text)
	switch {
	case problem != "":
		r.fault(n, "patterns are RE2; anchor them with ^ and $", "%q is not a pattern: %s", shorten(text, maxShown), problem)
		return nil
	case re.NumSubexp() != 1:
		r.fault(n, `such as '^ns1/(.*)$'; a group that takes nothing begins with (?:`, "the pattern has %d groups, and one is to be taken", re.NumSubexp())
		return nil
	}
	return re
}

// take is the part of a value that counts: what the group matches. A value that does
// not match, or is no text, stays as it is.
func (in *input) take(v body.Value) body.Value {
	if in.part == nil || v.Kind() != body.String || v.LoneSurrogate() || len(v.Text()) > maxPart {
		return v
	}
	m := in.part.FindStringSubmatchIndex(v.Text())
	if m == nil || m[2] < 0 {
		return v
	}
	return body.NewString(v.Text()[m[2]:m[3]])
}
