package draft

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// FromOpenAPI drafts from an OpenAPI 3 document, in JSON or YAML: of its operations
// the first whose request has something like a password, or the one at path if that
// is not "". References to other files are not followed.
func FromOpenAPI(content []byte, path string) (Draft, error) {
	if int64(len(content)) > limits.Bytes {
		return Draft{}, &Problem{fmt.Sprintf("the document has more than %d bytes", limits.Bytes), cutDown}
	}
	root, err := readDocument(content)
	if err != nil {
		return Draft{}, err
	}
	doc := document{source: &source{root: root, left: maxWork, found: map[string]body.Value{}}, Value: root}
	version := doc.at("openapi").Text()
	if !strings.HasPrefix(version, "3.") {
		if doc.at("swagger").Text() != "" {
			return Draft{}, &Problem{"the document is Swagger 2, not OpenAPI 3", "convert it with any converter, or draft from a curl command: --curl"}
		}
		return Draft{}, &Problem{"the document is no OpenAPI 3 document: it has no member openapi that begins with 3", "give the file that describes the API, in JSON or YAML; or draft from a curl command: --curl"}
	}
	d := Draft{Origin: "an OpenAPI document", Title: doc.at("info", "title").Text()}
	found, err := doc.signIn(&d, path)
	if err == nil {
		found.replies(&d)
		d.Carriers = doc.carriers()
	}
	if doc.left <= 0 {
		return Draft{}, &Problem{"the document's parts lead to each other in too many ways to follow them", cutDown}
	}
	return d, err
}

var verbs = []string{"post", "get", "put", "patch", "delete"}

// signIn finds the operation that takes a password.
func (d document) signIn(draft *Draft, wanted string) (document, error) {
	var seen []string
	for _, verb := range verbs {
		for _, p := range d.at("paths").Members() {
			item := d.part(p.Value())
			operation := item.at(verb)
			if operation.Kind() != body.Object {
				continue
			}
			seen = append(seen, strings.ToUpper(verb)+" "+p.Name())
			if wanted != "" && p.Name() != wanted {
				continue
			}
			r := Request{Method: strings.ToUpper(verb), Path: d.prefix() + p.Name()}
			notes := operation.readRequest(&r, item)
			if strings.Contains(p.Name(), "{") && wanted == "" || r.assign() != nil {
				continue
			}
			draft.Request, draft.Notes = r, append(draft.Notes, notes...)
			for _, p := range append(item.at("parameters").items(), operation.at("parameters").items()...) {
				if !p.at("required").Bool() {
					draft.Notes = append(draft.Notes, fmt.Sprintf("The parameter %s, which is not required.", p.at("name").Text()))
				}
			}
			return operation, nil
		}
	}
	if wanted != "" {
		return document{}, &Problem{fmt.Sprintf("no operation at %s takes a login name and a password", wanted), "the document has " + cmp.Or(strings.Join(first(seen, 8), ", "), "no operations")}
	}
	return document{}, &Problem{"no operation of the document takes a login name and a password", "name the one that signs in with --path; the document has " + cmp.Or(strings.Join(first(seen, 8), ", "), "no operations")}
}

func first(all []string, n int) []string {
	if len(all) > n {
		return append(all[:n:n], "…")
	}
	return all
}

// prefix is the path of the first server.
func (d document) prefix() string {
	servers := d.at("servers").items()
	if len(servers) == 0 {
		return ""
	}
	u, err := url.Parse(servers[0].at("url").Text())
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}

// readRequest reads the parameters and the body that an operation needs, and notes what
// of them cannot be said.
func (d document) readRequest(r *Request, item document) (notes []string) {
	r.Form = None
	for _, p := range append(item.at("parameters").items(), d.at("parameters").items()...) {
		place, name := p.at("in").Text(), p.at("name").Text()
		if slices.Contains([]string{"query", "header", "path"}, place) && p.at("required").Bool() && name != "" {
			f := Field{Place: place, Path: []string{name}, Value: p.example(name), Need: true}
			if scalar := typeOf(f.Value); place == "query" && (scalar == "integer" || scalar == "number" || scalar == "boolean") {
				f.Type = scalar
			}
			if place != "path" {
				f.Rules = p.at("schema").rules(f.Type, left(&notes, name))
				f.lengthen()
			}
			r.Fields = append(r.Fields, f)
		}
	}
	if d.basic() {
		r.addBasic("", "")
	}
	content := d.at("requestBody", "content")
	for _, m := range content.Members() {
		typ := m.Name()
		form := None
		switch {
		case typ == "application/json" || strings.HasSuffix(typ, "+json"):
			form = JSON
		case typ == "application/x-www-form-urlencoded":
			form = URLForm
		case typ == "multipart/form-data":
			form = Multipart
		}
		if form == None || r.Form != None {
			continue
		}
		r.Form = form
		if form == JSON && typ != "application/json" {
			r.MediaType = typ
		}
		media := d.part(m.Value())
		shown := media.shown()
		if r.Body = shown; shown.Kind() == body.Object {
			r.leaves(nil, shown)
		}
		media.at("schema").mark(r, &notes)
	}
	return notes
}

// left notes a rule of a field that cannot be said.
func left(notes *[]string, field string) func(string) {
	return func(what string) {
		*notes = append(*notes, fmt.Sprintf("The %s of the field %s.", what, field))
	}
}

// basic reports whether the operation asks for basic authentication.
func (d document) basic() bool {
	for _, need := range d.at("security").items() {
		for _, m := range need.Members() {
			scheme := d.whole().at("components", "securitySchemes", m.Name())
			if scheme.at("type").Text() == "http" && strings.EqualFold(scheme.at("scheme").Text(), "basic") {
				return true
			}
		}
	}
	return false
}

// mark takes over which members of the body are required or constant, and their rules.
func (d document) mark(r *Request, notes *[]string) {
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Place != "body" {
			continue
		}
		at := d
		for _, name := range f.Path {
			f.Need = slices.ContainsFunc(at.all("required"), func(v body.Value) bool { return v.Text() == name })
			at = at.property(name)
		}
		constant := at.at("const")
		if choices := at.at("enum").Items(); len(choices) == 1 {
			constant.Value = choices[0]
		}
		if only := only.FindStringSubmatch(at.either("pattern").Text()); only != nil {
			constant.Value = body.NewString(only[1])
		}
		if constant.Kind() == body.String {
			f.Const, f.Value = true, constant.Value
			continue
		}
		f.Rules = at.rules(f.Type, left(notes, f.last()))
		f.lengthen()
	}
}

// only is a pattern that one word alone matches.
var only = regexp.MustCompile(`^\^([A-Za-z0-9_-]+)\$$`)

// either is a member of a schema, or of one of those that it chooses from.
func (d document) either(name string) document {
	for _, choice := range append(d.at("anyOf").items(), d.at("oneOf").items()...) {
		if v := choice.at(name); v.Kind() != body.Null {
			return v
		}
	}
	return d.at(name)
}

// all is a list of a schema, with those of allOf.
func (d document) all(name string) []body.Value {
	all := d.at(name).Items()
	for _, part := range d.at("allOf").items() {
		all = append(all, part.at(name).Items()...)
	}
	return all
}

// property is the schema of a member.
func (d document) property(name string) document {
	if p := d.at("properties", name); p.Kind() != body.Null {
		return p
	}
	for _, part := range d.at("allOf").items() {
		if p := part.property(name); p.Kind() != body.Null {
			return p
		}
	}
	return d.nothing()
}

// replies takes over what the operation answers.
func (d document) replies(draft *Draft) {
	for _, m := range d.at("responses").Members() {
		status, err := strconv.Atoi(m.Name())
		if err != nil {
			continue // default, or 4XX
		}
		r := d.part(m.Value()).reply(status)
		switch {
		case status/100 == 2 && draft.Success == nil:
			draft.Success = r
		case status == 401, slices.Contains([]int{400, 403}, status) && draft.Refusal == nil:
			draft.Refusal = r
		}
	}
}

func (d document) reply(status int) *Reply {
	r := &Reply{Status: status}
	for _, m := range d.at("headers").Members() {
		if tokenName(m.Name()) {
			r.Headers = append(r.Headers, Header{m.Name(), "token", true})
		}
	}
	if content := d.at("content").Members(); len(content) > 0 {
		typ := content[0].Name()
		v := d.part(content[0].Value()).shown()
		if body.IsJSON(strings.Split(typ, ";")[0]) || strings.Contains(typ, "+json") {
			r.JSON = &v
		} else {
			r.Text = v.Text()
		}
		if typ != "application/json" {
			r.Type = typ
		}
	}
	if r.JSON != nil && r.JSON.Kind() == body.Null {
		r.JSON = nil
	}
	return r
}

// carriers are the security schemes that later calls can use.
func (d document) carriers() []Carrier {
	var all []Carrier
	for _, m := range d.at("components", "securitySchemes").Members() {
		scheme := d.part(m.Value())
		c := Carrier{In: "header", Name: "Authorization", Scheme: "Bearer"}
		switch typ := scheme.at("type").Text(); {
		case typ == "apiKey":
			c = Carrier{In: scheme.at("in").Text(), Name: scheme.at("name").Text()}
		case typ == "http" && !strings.EqualFold(scheme.at("scheme").Text(), "bearer"):
			continue
		}
		if c.Name != "" && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}
