package page

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/internal/dialect"
)

func headerValue(s *dialect.Schema) string {
	if s.Const != nil {
		var text string
		if json.Unmarshal(s.Const, &text) == nil {
			return text
		}
	}
	words := s.Doc
	if words == "" {
		words = "differs"
	}
	return s.Before + "<" + words + ">" + s.After
}

func cookieValue(c dialect.CookieInfo) string {
	text := c.Name + "="
	if !c.Ends {
		text += headerValue(c.Schema)
	}
	if c.Attributes != "" {
		text += "; " + c.Attributes
	}
	return text
}

// fields lists the members of a body, those of inner objects by their path.
func fields(all []field, path string, s *dialect.Schema) []field {
	switch {
	case s == nil:
		return all
	case len(s.Members) > 0:
		for _, m := range s.Members {
			name := m.Name
			if path != "" {
				name = path + "." + m.Name
			}
			f := field{name, typeWords(m.Schema), m.Schema.Doc}
			if m.Optional {
				f.About = strings.TrimSuffix("only where there is one; "+f.About, "; ")
			}
			if len(m.Schema.Members) == 0 {
				all = append(all, f)
			}
			all = fields(all, name, m.Schema)
		}
	case s.Items != nil && len(s.Items.Members) > 0:
		return fields(all, path+"[]", s.Items)
	}
	return all
}

// typeWords is a value's type, or the value that is always there.
func typeWords(s *dialect.Schema) string {
	if s.Const != nil {
		return "always " + string(s.Const)
	}
	if s.Items != nil && s.Items.Const != nil {
		return "always [" + string(s.Items.Const) + "]"
	}
	names := map[string]string{"string": "text", "integer": "whole number", "array": "list", "boolean": "true or false"}
	var words []string
	for _, t := range s.Type {
		if name, ok := names[t]; ok {
			t = name
		}
		words = append(words, t)
	}
	if s.Format == "date-time" && len(words) > 0 {
		words[0] = "date and time"
	}
	if len(words) == 0 {
		return "anything"
	}
	return strings.Join(words, " or ")
}

// spell writes a length of time in the largest unit that it is whole in.
func spell(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= unit.length && d%unit.length == 0 {
			return count(int64(d/unit.length), unit.name)
		}
	}
	return count(int64(d/time.Second), "second")
}

func count(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.FormatInt(n, 10) + " " + unit + "s"
}

// paragraphs parts a text at its blank lines.
func paragraphs(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}
