package dialect

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// Compare says how a reply differs from the expected one, or "".
func (e *Example) Compare(status int, header http.Header, got []byte) string {
	var b strings.Builder
	if status != e.Status {
		fmt.Fprintf(&b, "status: got %d, want %d\n", status, e.Status)
	}
	for _, name := range slices.Sorted(maps.Keys(e.ReplyHeader)) {
		want, have := e.ReplyHeader[name], header.Values(name)
		if len(want) == 1 && len(have) > 1 {
			have = []string{strings.Join(have, ", ")}
		}
		switch {
		case len(want) == 0 && len(have) > 0:
			fmt.Fprintf(&b, "header %s: got %s, want none\n", name, quoted(have))
		case !slices.EqualFunc(want, have, sameText):
			fmt.Fprintf(&b, "header %s: got %s, want %s\n", name, quoted(have), quoted(want))
		}
	}
	if want, same := e.compareBody(got); !same {
		b.WriteString(bodyDiff([]byte(want), got))
	}
	if b.Len() > 0 && (status != e.Status) && e.ReplyJSON == nil && e.ReplyText == nil {
		fmt.Fprintf(&b, "body: got  %s\n", got)
	}
	return b.String()
}

// quoted shows the values of a header.
func quoted(values []string) string {
	all := make([]string, max(1, len(values)))
	all[0] = `""`
	for i, value := range values {
		all[i] = strconv.Quote(value)
	}
	return strings.Join(all, ", ")
}

// compareBody compares bytes, once the placeholders of the expected body have been
// filled from the body at hand.
func (e *Example) compareBody(got []byte) (want string, same bool) {
	switch {
	case e.ReplyText != nil && e.replyXML:
		return *e.ReplyText, sameBy(placeholderXML, *e.ReplyText, string(got))
	case e.ReplyText != nil:
		return *e.ReplyText, sameText(*e.ReplyText, string(got))
	case e.ReplyJSON == nil:
		return "", true
	}
	pattern, err := body.ParseJSON(e.ReplyJSON, replyLimits)
	if err != nil {
		return err.Error(), false
	}
	have, err := body.ParseJSON(got, replyLimits)
	if err != nil {
		return string(e.ReplyJSON), false
	}
	filled := fillPlaceholders(nil, pattern, have)
	return string(filled), bytes.Equal(filled, got)
}

// placeholders are what expected texts hold for what differs each time.
var placeholders = map[string]*regexp.Regexp{
	"<jwt>":   regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`),
	"<uuid>":  regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`),
	"<iso>":   regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`),
	"<text>":  regexp.MustCompile(`^[\s\S]+$`),
	"<token>": regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`),
}

// Where placeholders stand: in XML they are text, and elements are not meant.
var (
	placeholder    = regexp.MustCompile(`<([a-z]+)>`)
	placeholderXML = regexp.MustCompile(`&lt;([a-z]+)&gt;`)
)

// sameText compares texts; placeholders may stand among the expected one's words.
func sameText(want, got string) bool { return sameBy(placeholder, want, got) }

func sameBy(placeholder *regexp.Regexp, want, got string) bool {
	if !placeholder.MatchString(want) {
		return want == got
	}
	var b strings.Builder
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		b.WriteString(regexp.QuoteMeta(want[last:at[0]]))
		name := "<" + want[at[2]:at[3]] + ">"
		switch re := placeholders[name]; {
		case re != nil:
			b.WriteString("(?:" + strings.Trim(re.String(), "^$") + ")")
		case name == "<any>":
			b.WriteString(`[\s\S]*`)
		case name == "<integer>":
			b.WriteString(`-?\d+`)
		default:
			b.WriteString(regexp.QuoteMeta(want[at[0]:at[1]]))
		}
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(want[last:]))
	re, err := regexp.Compile("^" + b.String() + "$")
	return err == nil && re.MatchString(got)
}

// fillPlaceholders writes the expected tree with what the other holds in the place
// of placeholders that it meets.
func fillPlaceholders(dst []byte, want, got body.Value) []byte {
	switch want.Kind() {
	case body.Object:
		dst = append(dst, '{')
		for i, m := range want.Members() {
			if i > 0 {
				dst = append(dst, ',')
			}
			have, _ := got.Member(m.Name())
			dst = append(appendString(dst, m.Name()), ':')
			dst = fillPlaceholders(dst, m.Value(), have)
		}
		return append(dst, '}')
	case body.List:
		dst = append(dst, '[')
		for i, item := range want.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			var have body.Value
			if i < len(got.Items()) {
				have = got.Items()[i]
			}
			dst = fillPlaceholders(dst, item, have)
		}
		return append(dst, ']')
	case body.String:
		text := want.Text()
		if text == "<any>" || text == "<integer>" && got.Kind() == body.Number && !strings.ContainsAny(got.Number(), ".eE") ||
			text != "<integer>" && got.Kind() == body.String && placeholder.MatchString(text) && sameText(text, got.Text()) {
			return body.AppendJSON(dst, got)
		}
		return body.AppendJSON(dst, want)
	default:
		return body.AppendJSON(dst, want)
	}
}
