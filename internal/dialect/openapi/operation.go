package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// operation writes what one method of a path does, which may be several routes.
func (w *writer) operation(path string, g group) object {
	main := w.info.Routes[w.main(g)]
	var o object
	o.add("tags", []string{tagOf(main.Operation)})
	o.add("operationId", operationID(g.method, path))
	o.add("summary", main.Title)
	o.add("description", w.about(g))
	o.add("parameters", w.parameters(path, g))
	o.add("requestBody", w.requestBody(g))
	o.add("responses", w.responses(g))
	if security := w.security(g); security != nil {
		o = append(o, member{"security", security})
	}
	return o
}

// main is the route of a group that most requests are for: one that signs in before
// all others, one that always answers the same after them, and the one that takes most.
func (w *writer) main(g group) int {
	rank := func(i int) int {
		route := w.info.Routes[i]
		rank := route.Conditions
		switch route.Operation {
		case dialect.Authenticate:
			rank -= 1000
		case dialect.Fixed:
			rank += 1000
		default:
		}
		return rank
	}
	return slices.MinFunc(g.routes, func(a, b int) int { return rank(a) - rank(b) })
}

// about tells what the routes are for, and how one of several is chosen.
func (w *writer) about(g group) string {
	var words []string
	for _, i := range g.routes {
		route := w.info.Routes[i]
		text := route.Doc
		if route.When != "" {
			text = strings.TrimSpace("Where " + route.When + ": " + text)
		}
		if text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, "\n\n")
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9]+`)

// operationID is a name that no other operation has.
func operationID(method, path string) string {
	return strings.ToLower(method) + "_" + strings.Trim(notWord.ReplaceAllString(path, "_"), "_")
}

var pathVariable = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)

// ignoredHeaders are those that OpenAPI does not take as parameters.
var ignoredHeaders = []string{"Accept", "Content-Type", "Authorization"}

// parameters are the inputs that stand outside the body.
func (w *writer) parameters(path string, g group) []any {
	var all []any
	var seen []string
	for _, i := range g.routes {
		for _, in := range w.info.Routes[i].Inputs {
			for _, from := range in.From {
				name := strings.Join(from.Path, ".")
				if !slices.Contains([]string{"query", "header", "path", "cookie"}, from.Place) ||
					slices.Contains(ignoredHeaders, name) || slices.Contains(seen, from.String()) {
					continue
				}
				seen = append(seen, from.String())
				needed := from.Place == "path" || in.Need == dialect.Always && len(in.From) == 1 && len(g.routes) == 1
				all = append(all, parameter(name, from.Place, needed, in, w.inputSchema(in, i)))
			}
		}
	}
	for _, m := range pathVariable.FindAllStringSubmatch(path, -1) {
		if !slices.Contains(seen, "path."+m[1]) {
			all = append(all, object{{"name", m[1]}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}})
		}
	}
	return all
}

func parameter(name, place string, needed bool, in dialect.InputInfo, schema object) object {
	p := object{{"name", name}, {"in", place}}
	p.add("description", in.Doc)
	if needed {
		p.add("required", true)
	}
	p.add("schema", schema)
	return p
}

// requestBody is the body that the routes take, by media type.
func (w *writer) requestBody(g group) object {
	first := w.info.Routes[g.routes[0]]
	var content object
	for n, accepted := range first.Accept {
		if n > 0 && strings.Contains(accepted.Type, "*") {
			continue // a family of the types before
		}
		var schemas []any
		var examples object
		for _, i := range g.routes {
			schema := w.bodySchema(i, accepted.Form)
			if schema == nil {
				continue
			}
			schemas = append(schemas, schema)
			if example := w.bodyExample(i); n == 0 && example != nil {
				examples.add(exampleName(w.info.Routes[i]), object{{"value", example}})
			}
		}
		if len(schemas) == 0 {
			continue
		}
		media := object{{"schema", anyOf(schemas)}}
		media.add("examples", examples)
		content.add(accepted.Type, media)
	}
	if len(content) == 0 {
		return nil
	}
	needed := slices.ContainsFunc(first.Inputs, func(in dialect.InputInfo) bool {
		return in.Need == dialect.Always && len(in.From) == 1 && in.From[0].Place == "body"
	})
	return object{{"content", content}, {"required", needed}}
}

func exampleName(route dialect.RouteInfo) string {
	if route.When == "" {
		return "request"
	}
	return strings.Trim(notWord.ReplaceAllString(route.When, "_"), "_")
}

// bodyExample is the body of a sample call of the route, or nil.
func (w *writer) bodyExample(i int) any {
	request, err := w.d.Compose(i, w.d.SampleValues(i))
	if err != nil {
		return nil
	}
	switch request.Form {
	case dialect.BodyJSON:
		return json.RawMessage(request.JSON)
	case dialect.BodyXML:
		return string(request.XML)
	case dialect.BodyForms, dialect.BodyMultipart:
		var fields object
		for _, field := range request.Fields {
			fields.set(field.Name, w.fieldValue(i, field))
		}
		return fields
	default:
		return nil
	}
}

// fieldValue is a form's text as a value of the type that its schema has.
func (w *writer) fieldValue(i int, field dialect.Pair) any {
	route := w.info.Routes[i]
	for _, c := range route.Holds {
		for _, value := range c.Allowed {
			if c.From.Place == "body" && c.From.Path[0] == field.Name && fmt.Sprint(value) == field.Value {
				return value
			}
		}
	}
	for _, in := range route.Inputs {
		if in.From[0].Place == "body" && in.From[0].Path[0] == field.Name && in.Type != "string" && json.Valid([]byte(field.Value)) {
			return json.RawMessage(field.Value)
		}
	}
	return field.Value
}

// A reply is a reply with what it says.
type reply struct {
	dialect.ReplyInfo
	name, cause string
	called      string            // what a schema of its own is called
	shown       core.Kind         // what the reply's example answers; "" for a success
	examples    []dialect.Example // of the file: those that get it
}

// responses are the replies by status.
func (w *writer) responses(g group) object {
	var all []reply
	for _, i := range g.routes {
		all = append(all, w.replies(w.info.Routes[i])...)
	}
	var statuses []int
	for _, r := range all {
		if !slices.Contains(statuses, r.Status) {
			statuses = append(statuses, r.Status)
		}
	}
	slices.Sort(statuses)
	var responses object
	for _, status := range statuses {
		of := slices.DeleteFunc(slices.Clone(all), func(r reply) bool { return r.Status != status })
		made := w.response(status, of)
		if g.method == http.MethodHead {
			made.remove("content")
		}
		responses.add(strconv.Itoa(status), made)
	}
	return responses
}

// replies are those of one route.
func (w *writer) replies(route dialect.RouteInfo) []reply {
	var all []reply
	for _, ok := range route.OK {
		of := w.examplesOf(route, func(e dialect.Example) bool { return e.Outcome == "" && e.Status/100 == 2 })
		all = append(all, reply{ok, "ok", "Done.", string(route.Operation), "", of})
	}
	outcomes := slices.Clone(route.Outcomes)
	slices.SortStableFunc(outcomes, func(a, b dialect.OutcomeInfo) int { return dialect.Rank(a.Kind) - dialect.Rank(b.Kind) })
	for _, o := range outcomes {
		of := w.examplesOf(route, func(e dialect.Example) bool { return slices.Contains(o.Kinds, e.Outcome) })
		for _, variant := range o.Replies {
			all = append(all, reply{variant, string(o.Kind), o.Cause, string(o.Kind), o.Shown, of})
		}
	}
	return all
}

// examplesOf are the file's examples that a route answers so: not those with settings
// that the document does not describe.
func (w *writer) examplesOf(route dialect.RouteInfo, so func(dialect.Example) bool) []dialect.Example {
	var all []dialect.Example
	for _, name := range route.Examples {
		if e := w.examples[name]; so(e) && w.described(e.Settings) {
			all = append(all, e)
		}
	}
	return all
}

func (w *writer) described(settings map[string]any) bool {
	for _, s := range w.info.Settings {
		if value, chosen := settings[s.Name]; chosen && value != s.Value {
			return false
		}
	}
	return true
}

// response joins the replies of one status.
func (w *writer) response(status int, replies []reply) object {
	var causes, outcomes []string
	var headers, content object
	var types []string
	var cookies []dialect.CookieInfo
	for _, r := range replies {
		if cause := cmp.Or(strings.TrimSpace(r.Doc), r.cause); !slices.Contains(causes, cause) {
			causes = append(causes, cause)
		}
		if !slices.Contains(outcomes, r.name) {
			outcomes = append(outcomes, r.name)
		}
		for _, h := range r.Headers {
			headers.set(h.Name, object{{"schema", w.schema(h.Schema)}})
		}
		cookies = append(cookies, r.Cookies...)
		if r.Type != "" && !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		headers.set("Retry-After", object{{"description", "the seconds to wait"}, {"schema", object{{"type", "integer"}, {"minimum", 1}}}})
	}
	if len(cookies) > 0 {
		headers.set("Set-Cookie", setCookie(cookies))
	}
	for _, typ := range types {
		content.add(typ, w.media(slices.DeleteFunc(slices.Clone(replies), func(r reply) bool { return r.Type != typ })))
	}
	response := object{{"description", strings.Join(causes, " ")}}
	response.add("headers", headers)
	response.add("content", content)
	response.add("x-outcomes", outcomes)
	return response
}

// setCookie describes the cookies of a response, in the one header that OpenAPI knows.
func setCookie(cookies []dialect.CookieInfo) object {
	var words []string
	for _, c := range cookies {
		text := "Sets the cookie " + c.Name
		switch {
		case c.Ends:
			text = "Takes the cookie " + c.Name + " away"
		case c.Schema.Doc != "":
			text += ", " + c.Schema.Doc
		}
		if c.Attributes != "" {
			text += " (" + c.Attributes + ")"
		}
		if text += "."; !slices.Contains(words, text) {
			words = append(words, text)
		}
	}
	return object{{"description", strings.Join(words, " ")}, {"schema", object{{"type", "string"}}}}
}

// media joins the replies of one status and media type.
func (w *writer) media(replies []reply) object {
	var schemas []any
	var examples object
	for _, r := range replies {
		if r.Body == dialect.BodyXML {
			schemas = append(schemas, object{{"type", "string"}})
		} else {
			schemas = append(schemas, w.component(r.called, r.Schema))
		}
		shown := false
		for _, e := range r.examples {
			if e.Status != r.Status {
				continue
			}
			if body, ok := e.Shown(w.like(r, e), w.d.Samples()); ok {
				shown = true
				show(&examples, e.Name, bodyValue(r.ReplyInfo, body))
			}
		}
		if !shown && r.Example != nil {
			show(&examples, r.name, bodyValue(r.ReplyInfo, r.Example))
		}
	}
	media := object{{"schema", anyOf(schemas)}}
	media.add("examples", examples)
	return media
}

// like is the reply that fills what an example leaves open. Of wrong requests it is
// the dialect's own reply to that request: the words for another rule would not do.
func (w *writer) like(r reply, e dialect.Example) *dialect.ReplyInfo {
	like := r.ReplyInfo
	if !r.shown.IsA(core.InvalidRequest) {
		return &like
	}
	if told := w.d.Refusal(e); told != nil || e.Outcome != r.shown {
		like.Example = told
	}
	return &like
}

// show adds an example under a name that no other one has, unless it is there.
func show(examples *object, name string, value any) {
	made := object{{"value", value}}
	text, _ := encode(made) // what cannot be written fails the whole document later
	free := name
	for n := 2; ; n++ {
		known := examples.get(free)
		if known == nil {
			break
		}
		if other, _ := encode(known); bytes.Equal(text, other) {
			return
		}
		free = name + "_" + strconv.Itoa(n)
	}
	examples.set(free, made)
}

// bodyValue is a body as an example holds it: JSON as it is, all else as text.
func bodyValue(r dialect.ReplyInfo, body []byte) any {
	if r.Body == dialect.BodyJSON {
		return json.RawMessage(body)
	}
	return string(body)
}
