package dialect

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A Request is a call of a route in its parts, so that tests can send it and
// manuals can write it in the words of a language.
type Request struct {
	Method string
	Path   string // escaped
	Query  []Pair
	Header []Pair // but for Content-Type and basic authentication
	Cookie []Pair
	Basic  *Pair  // name and password; nil for none
	Type   string // the media type; "" without a body
	Form   BodyForm
	Fields []Pair // of a form, in order
	JSON   []byte // of a JSON body, in order
	XML    []byte // of an XML body
}

// A Pair is a name and what stands beside it.
type Pair struct{ Name, Value string }

// Compose writes a call of the route that [Description.Routes] has at index. Each
// input stands at its first source; values are given by the inputs' names, as a
// form would hold them, and constants need not be given. It fails where an input
// that is always needed has no value.
func (d *Dialect) Compose(index int, values map[string]string) (Request, error) {
	rt := d.routes[index]
	r := Request{Method: rt.methods[0], Form: BodyEmpty}
	if accepted, ok := rt.preferred(); ok {
		r.Type, r.Form = strings.ReplaceAll(accepted.Type, "*", ""), accepted.Form
	}
	held := map[string]string{}
	tree := &branch{}
	for _, in := range rt.inputs {
		value, ok := values[in.name]
		if !ok {
			value, ok = in.constant()
		}
		switch {
		case !ok && in.required.always():
			return Request{}, fmt.Errorf("%s: input %s has no value", rt.name(), in.name)
		case ok && in.sources[0].place == "path":
			held[in.sources[0].name] = value
		case ok:
			r.put(in, value, tree)
		}
	}
	for i := range rt.when {
		r.meet(&rt.when[i], tree, held)
	}
	r.Path = rt.path.fill(held)
	if len(rt.bodyNames) == 0 {
		r.Type, r.Form = "", BodyEmpty
	}
	switch r.Form {
	case BodyJSON:
		r.JSON = tree.append(nil)
	case BodyXML:
		if len(tree.names) != 1 {
			return Request{}, fmt.Errorf("%s: its inputs are not below one root", rt.name())
		}
		r.XML = tree.children[0].appendXML(nil, tree.names[0])
	default:
		if len(r.Fields) == 0 {
			r.Type, r.Form = "", BodyEmpty
		}
	}
	return r, nil
}

// preferred is the media type of a route's body: the first that its conditions take.
func (rt *route) preferred() (AcceptInfo, bool) {
	accepted := rt.accept.describe()
	for _, m := range rt.when {
		for _, a := range accepted {
			if slices.ContainsFunc(m.types, func(t acceptType) bool { return t.matches(a.Type) }) {
				return a, true
			}
		}
	}
	if len(accepted) == 0 {
		return AcceptInfo{}, false
	}
	return accepted[0], true
}

// meet writes what a condition of the route wants, where no input has put it there.
func (r *Request) meet(m *match, tree *branch, held map[string]string) {
	if m.text == typeWord || m.present != nil && !*m.present {
		return
	}
	text, leaf := "1", []byte("1")
	if len(m.values) > 0 {
		text, leaf = writtenText(m.values[0]), body.AppendJSON(nil, m.values[0])
	}
	named := func(p Pair) bool { return p.Name == m.source.name }
	switch s := m.source; s.place {
	case "body":
		if r.Form == BodyXML {
			leaf = []byte(text)
		}
		if r.Form != BodyJSON && r.Form != BodyXML {
			if !slices.ContainsFunc(r.Fields, named) {
				r.Fields = append([]Pair{{strings.Join(s.path, "."), text}}, r.Fields...)
			}
		} else if at := tree.at(s.path); at.leaf == nil && at.names == nil {
			at.leaf = leaf
		}
	case "query":
		if !slices.ContainsFunc(r.Query, named) {
			r.Query = append(r.Query, Pair{s.name, text})
		}
	case "header":
		if !slices.ContainsFunc(r.Header, named) {
			r.Header = append(r.Header, Pair{s.name, text})
		}
	case "cookie":
		if !slices.ContainsFunc(r.Cookie, named) {
			r.Cookie = append(r.Cookie, Pair{s.name, text})
		}
	case "path":
		if held[s.name] == "" {
			held[s.name] = text
		}
	}
}

// put writes an input at its first source.
func (r *Request) put(in *input, value string, tree *branch) {
	switch s := in.sources[0]; s.place {
	case "body":
		switch r.Form {
		case BodyJSON:
			tree.at(s.path).leaf = in.json(value)
		case BodyXML:
			tree.at(s.path).leaf = []byte(value)
		default:
			r.Fields = append(r.Fields, Pair{strings.Join(s.path, "."), value})
		}
	case "query":
		r.Query = append(r.Query, Pair{s.name, value})
	case "header":
		r.Header = append(r.Header, Pair{s.name, value})
	case "cookie":
		r.Cookie = append(r.Cookie, Pair{s.name, value})
	case "basic":
		if r.Basic == nil {
			r.Basic = &Pair{}
		}
		if in.formDecoded {
			value = url.QueryEscape(value)
		}
		if s.name == "username" {
			r.Basic.Name = value
		} else {
			r.Basic.Value = value
		}
	}
}

// constant is the value that the input's rules leave no choice about.
func (in *input) constant() (string, bool) {
	for i := range in.rules {
		if u := &in.rules[i]; len(u.values) > 0 && (u.name == ruleEquals || u.name == ruleOneOf && in.required.always()) {
			return writtenText(u.values[0]), true
		}
	}
	return "", false
}

// writtenText is a value as a form would hold it.
func writtenText(v body.Value) string {
	if v.Kind() == body.String {
		return v.Text()
	}
	return string(body.AppendJSON(nil, v))
}

// json is a value as JSON of the input's type.
func (in *input) json(value string) []byte {
	if in.typ != "string" {
		v, err := body.ParseJSON([]byte(value), body.DefaultLimits)
		if err == nil && hasType(v, in.typ) {
			return body.AppendJSON(nil, v)
		}
	}
	return appendString(nil, value)
}

// fill is the path with values in the place of its variables.
func (p *path) fill(held map[string]string) string {
	var b strings.Builder
	for i, segment := range p.segments {
		if name := p.variables[i]; name != "" {
			segment = url.PathEscape(held[name])
		}
		b.WriteString("/" + segment)
	}
	return b.String()
}

// Present adds a bearer token by a carrier, which is counted as [Description.Carriers]
// counts them, and the headers that have to be with it. Whatever stood in the places
// of carriers gives way.
func (d *Dialect) Present(r *Request, carrier int, token string) {
	for i := range d.carriers {
		d.carriers[i].clear(r)
	}
	c := &d.carriers[carrier]
	for _, name := range c.with {
		if !slices.ContainsFunc(r.Header, func(p Pair) bool { return strings.EqualFold(p.Name, name) }) {
			r.Header = append(r.Header, Pair{name, "your-" + strings.ToLower(name)})
		}
	}
	switch c.in {
	case "cookie":
		r.Cookie = append(r.Cookie, Pair{c.name, token})
	case "query":
		r.Query = append(r.Query, Pair{c.name, token})
	default:
		r.Header = append(r.Header, Pair{c.name, strings.TrimPrefix(c.scheme+" "+token, " ")})
	}
}

// clear takes away what a request holds in the carrier's place.
func (c *carrier) clear(r *Request) {
	switch c.in {
	case "cookie":
		r.Cookie = slices.DeleteFunc(r.Cookie, func(p Pair) bool { return p.Name == c.name })
	case "query":
		r.Query = slices.DeleteFunc(r.Query, func(p Pair) bool { return p.Name == c.name })
	default:
		r.Header = slices.DeleteFunc(r.Header, func(p Pair) bool { return strings.EqualFold(p.Name, c.name) })
	}
}

// Target is the path with its query.
func (r *Request) Target() string {
	if len(r.Query) == 0 {
		return r.Path
	}
	return r.Path + "?" + encodePairs(r.Query)
}

// Body is the request's body, and its media type with all parameters.
func (r *Request) Body() (content []byte, mediaType string) {
	switch r.Form {
	case BodyJSON:
		return r.JSON, r.Type
	case BodyXML:
		return r.XML, r.Type
	case BodyForms:
		return []byte(encodePairs(r.Fields)), r.Type
	case BodyMultipart:
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.SetBoundary(boundary)
		for _, field := range r.Fields {
			_ = w.WriteField(field.Name, field.Value) // a bytes.Buffer takes all
		}
		_ = w.Close()
		return b.Bytes(), w.FormDataContentType()
	default:
		return nil, ""
	}
}

// HTTP is the request to the server at base.
func (r *Request) HTTP(ctx context.Context, base string) (*http.Request, error) {
	content, mediaType := r.Body()
	made, err := http.NewRequestWithContext(ctx, r.Method, base+r.Target(), bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if mediaType != "" {
		made.Header.Set("Content-Type", mediaType)
	}
	for _, h := range r.Header {
		made.Header.Add(h.Name, h.Value)
	}
	for _, c := range r.Cookie {
		made.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value}) //nolint:gosec // a request has no cookie attributes
	}
	if r.Basic != nil {
		made.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(r.Basic.Name+":"+r.Basic.Value)))
	}
	return made, nil
}

func encodePairs(pairs []Pair) string {
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
	}
	return strings.Join(parts, "&")
}
