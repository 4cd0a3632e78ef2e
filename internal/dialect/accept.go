package dialect

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A form is how a body is read.
type form string

// The forms of a body.
const (
	formJSON      form = "json"
	formURL       form = "form"
	formMultipart form = "multipart"
	formXML       form = "xml"
	formText      form = "text"   // not parsed: a text where an object is wanted
	formEmpty     form = "empty"  // not read: no fields
	formNone      form = "none"   // not read: nothing comes from the body
	formRefuse    form = "refuse" // wrong_content_type
)

// An accept says which media types a route takes, and how each is read.
type accept struct {
	types     []acceptType
	otherwise form // another media type
	untyped   form // no media type at all
	none      bool // there need not be a body
	blank     bool // an empty body has no members, whatever its media type says
}

type acceptType struct {
	typ    string // "application/json"; a star stands for any text
	suffix string // what comes after the star
	star   bool
	as     form
}

func (a *acceptType) matches(typ string) bool {
	if a.star {
		return strings.HasPrefix(typ, a.typ) && strings.HasSuffix(typ, a.suffix) && len(typ) > len(a.typ)+len(a.suffix)
	}
	return typ == a.typ
}

// bodiless reports whether nothing is read from a body.
func (a *accept) bodiless() bool { return len(a.types) == 0 && a.untyped == formNone }

func (a *accept) equal(other *accept) bool {
	return slices.Equal(a.types, other.types) && a.otherwise == other.otherwise && a.untyped == other.untyped &&
		a.none == other.none && a.blank == other.blank
}

// form says how a body is read that comes with a Content-Type header.
func (a *accept) form(header string) (as form, typ string, params map[string]string) {
	if a.bodiless() {
		return formNone, "", nil
	}
	typ, params, ok := body.MediaType(header)
	if !ok {
		if header == "" {
			return a.untyped, "", nil
		}
		return a.otherwise, "", nil
	}
	for i := range a.types {
		if a.types[i].matches(typ) {
			return a.types[i].as, typ, params
		}
	}
	return a.otherwise, typ, params
}

// lets reports whether a request's empty body counts as one without members. A body of
// no known length is looked at.
func (a *accept) lets(r *http.Request) bool {
	if !a.blank && (!a.none || r.Header.Get("Content-Type") != "") {
		return false
	}
	if r.ContentLength >= 0 {
		return r.ContentLength == 0
	}
	ahead := bufio.NewReader(r.Body)
	_, err := ahead.Peek(1)
	r.Body = readCloser{ahead, r.Body}
	return errors.Is(err, io.EOF)
}

// A readCloser reads from one and closes the other.
type readCloser struct {
	io.Reader
	io.Closer
}

// accept reads which media types a route takes. Without the member a route whose
// inputs come from elsewhere takes no body.
func (r *reader) accept(n *yaml.Node, fromBody bool, rt *yaml.Node) accept {
	a := accept{otherwise: formRefuse, untyped: formRefuse}
	if n == nil {
		if fromBody {
			r.fault(rt, "such as accept: [json]", "the route reads inputs from the body and lacks the member accept")
		}
		return accept{otherwise: formNone, untyped: formNone}
	}
	types, untyped := n, (*yaml.Node)(nil)
	if n.Kind == yaml.MappingNode {
		s := r.section(n, &acceptShape)
		types = s.need("types")
		if s.get("otherwise") != nil {
			a.otherwise = form(s.word("otherwise"))
		}
		if s.get("untyped") != nil {
			a.untyped = form(s.word("untyped"))
		}
		a.blank, untyped = s.word("blank") == "empty", s.get("untyped")
	}
	for _, item := range r.items(types, "accept") {
		if item.Kind == yaml.ScalarNode && item.Value == "none" {
			a.none = true
			continue
		}
		a.types = append(a.types, r.acceptType(item)...)
	}
	switch {
	case a.none && len(a.types) == 0 && fromBody:
		r.fault(n, "such as accept: [json]", "the route reads inputs from the body, but accepts none")
	case a.none && len(a.types) == 0:
		a.otherwise, a.untyped = formNone, formNone
	case a.none && untyped == nil:
		a.untyped = formEmpty
	}
	return a
}

func (r *reader) acceptType(n *yaml.Node) []acceptType {
	as := form("")
	if n.Kind == yaml.MappingNode {
		s := r.section(n, &mediaTypeShape)
		s.need("as")
		as = form(s.word("as"))
		if n = s.need("type"); n == nil {
			return nil
		}
	}
	text := strings.ToLower(r.text(n, "a media type"))
	switch text {
	case "":
		return nil
	case "json":
		return []acceptType{{typ: "application/json", as: formJSON}}
	case "form":
		return []acceptType{{typ: "application/x-www-form-urlencoded", as: formURL}}
	case "multipart":
		return []acceptType{{typ: "multipart/form-data", as: formMultipart}}
	case "xml":
		return []acceptType{{typ: "application/xml", as: formXML}, {typ: "text/xml", as: formXML}}
	}
	typ, _, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(typ, "/") {
		r.fault(n, didYouMean(text, []string{"json", "form", "multipart", "xml", "none"}), "%q is no media type", text)
		return nil
	}
	if as == "" {
		switch {
		case body.IsJSON(typ) || strings.HasSuffix(typ, "+json"):
			as = formJSON
		case typ == "application/xml" || typ == "text/xml" || strings.HasSuffix(typ, "+xml"):
			as = formXML
		default:
			r.fault(n, "write {type: "+typ+", as: json}, as: form or as: xml", "nothing says how a body of type %s is read", typ)
			return nil
		}
	}
	t := acceptType{typ: typ, as: as}
	t.typ, t.suffix, t.star = strings.Cut(typ, "*")
	return []acceptType{t}
}

// reads reports whether any body is read as one of the forms.
func (a *accept) reads(forms ...form) bool {
	return slices.Contains(forms, a.otherwise) || slices.Contains(forms, a.untyped) ||
		slices.ContainsFunc(a.types, func(t acceptType) bool { return slices.Contains(forms, t.as) })
}
