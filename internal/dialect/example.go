package dialect

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
)

// maxExamples bounds the examples of a file.
const maxExamples = 200

// An Example is one request and the reply that it must get.
type Example struct {
	Name     string
	As       string         // the sample whose token the request presents; "" for none
	Settings map[string]any // the operator's choices for it
	After    time.Duration  // by how much the server's clock is moved on before it
	Repeat   int            // how often the request is sent; 0 is once

	Method string
	Path   string // with the query
	Header http.Header
	Body   []byte

	Status      int
	Outcome     core.Kind           // "" when the example does not say
	ReplyHeader map[string][]string // each time that the header comes, in order; one text may stand for all, joined; nil: it must not be there
	ReplyJSON   []byte              // nil unless the body is JSON; may hold placeholders such as "<jwt>"
	ReplyText   *string             // nil unless the body is text, or empty
	Save        map[string]string   // what later examples need of the reply: JSON pointers, "header NAME" or "cookie NAME"

	form       string   // how Body is written, as send names it; "" without one
	replyXML   bool     // whether ReplyText is XML
	references []string // what is filled in when the example is run, such as "saved.refresh"
}

func (r *reader) examples(n *yaml.Node, d *Dialect) []Example {
	var all []Example
	for _, item := range r.items(n, "examples") {
		s := r.section(item, &exampleShape)
		if len(all) == maxExamples {
			r.fault(item, "split the file, or leave out what shows nothing new", "there are more than %d examples", maxExamples)
			break
		}
		e := Example{Method: http.MethodPost, Header: http.Header{}}
		settled := r.settings
		e.Settings = r.exampleSettings(s.get("settings"))
		if n := s.get("repeat"); n != nil {
			e.Repeat = r.integer(n, "repeat", 1, 100)
		}
		if n := s.get("after"); n != nil {
			e.After = r.span(n, "after")
		}
		if m := s.need("name"); m != nil {
			e.Name = r.text(m, "name")
			if slices.ContainsFunc(all, func(other Example) bool { return other.Name == e.Name && e.Name != "" }) {
				r.fault(m, "give one of them another name", "there is another example named %q", e.Name)
			}
		}
		if m := s.get("as"); m != nil {
			e.As = r.text(m, "as")
			if names := d.samples.names(); e.As != "" && !slices.Contains(names, e.As) {
				r.fault(m, didYouMean(e.As, names), "there is no sample %q", e.As)
			}
		}
		r.send(s.need("send"), &e)
		r.expect(s.need("expect"), &e)
		r.settings = settled
		if e.Settings == nil { // with others, other replies may be due
			r.promises = append(r.promises, promise{item, len(all)})
		}
		all = append(all, e)
	}
	return all
}

func (r *reader) send(n *yaml.Node, e *Example) {
	if n == nil {
		return
	}
	s := r.section(n, &sendShape)
	if s.get("method") != nil {
		e.Method = s.word("method")
	}
	if p := s.need("path"); p != nil {
		e.Path = r.exampleText(p, "path", e)
		if u, err := url.ParseRequestURI(e.Path); err != nil || u.Host != "" || !strings.HasPrefix(e.Path, "/") {
			r.fault(p, "such as /login?verbose=1", "%q is no path", e.Path)
		}
	}
	bodies := 0
	for _, form := range []string{"json", "form", "multipart", "xml", "text", "raw"} {
		if b := s.get(form); b != nil {
			bodies++
			r.sendBody(b, form, e)
		}
	}
	if bodies > 1 {
		r.fault(n, "keep one of json, form, multipart, xml, text, raw", "the request has %d bodies", bodies)
	}
	for _, m := range r.members(s.get("headers"), "headers") {
		if !headerName.MatchString(m.name.Value) {
			r.fault(m.name, "such as X-Api-Key", "%q cannot name a header", m.name.Value)
			continue
		}
		e.Header.Del(m.name.Value)
		for _, item := range r.items(m.value, "header "+m.name.Value) {
			e.Header.Add(m.name.Value, r.exampleText(item, "header "+m.name.Value, e))
		}
	}
}

// boundary separates the parts of examples' multipart bodies.
const boundary = "example-boundary"

func (r *reader) sendBody(n *yaml.Node, form string, e *Example) {
	e.form = form
	switch form {
	case "json":
		e.Body = r.exampleJSON(n, e)
		e.Header.Set("Content-Type", "application/json")
	case "form":
		var pairs []string
		for _, m := range r.members(n, "form") {
			pairs = append(pairs, url.QueryEscape(m.name.Value)+"="+url.QueryEscape(r.exampleField(m.value, e)))
		}
		e.Body = []byte(strings.Join(pairs, "&"))
		e.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case "multipart":
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.SetBoundary(boundary)
		for _, m := range r.members(n, "multipart") {
			_ = w.WriteField(m.name.Value, r.exampleField(m.value, e)) // a bytes.Buffer takes all
		}
		_ = w.Close()
		e.Body = b.Bytes()
		e.Header.Set("Content-Type", w.FormDataContentType())
	case "xml", "text":
		e.Body = []byte(r.exampleText(n, form, e))
		e.Header.Set("Content-Type", map[string]string{"xml": typeXML, "text": typeText}[form])
	case "raw": // as it is; a header says what it is
		e.Body = []byte(r.exampleText(n, "raw", e))
	}
}

func (r *reader) expect(n *yaml.Node, e *Example) {
	if n == nil {
		return
	}
	s := r.section(n, &expectShape)
	if m := s.need("status"); m != nil {
		e.Status = r.integer(m, "status", 200, 599)
	}
	if m := s.get("outcome"); m != nil {
		e.Outcome = core.Kind(r.text(m, "outcome"))
		if e.Outcome != "" && !slices.Contains(kindNames, string(e.Outcome)) {
			r.fault(m, didYouMeanShort(string(e.Outcome), kindNames), "there is no outcome %q", e.Outcome)
			e.Outcome = ""
		}
	}
	for _, m := range r.members(s.get("headers"), "headers") {
		if e.ReplyHeader == nil {
			e.ReplyHeader = map[string][]string{}
		}
		name := http.CanonicalHeaderKey(m.name.Value)
		e.ReplyHeader[name] = nil
		if m.value.Tag == "!!null" {
			continue
		}
		for _, item := range r.items(m.value, "header "+name) {
			e.ReplyHeader[name] = append(e.ReplyHeader[name], r.exampleText(item, "header "+name, e))
		}
	}
	bodies := 0
	if m := s.get("json"); m != nil {
		bodies++
		e.ReplyJSON = r.exampleJSON(m, e)
	}
	for _, form := range []string{"xml", "text"} {
		if m := s.get(form); m != nil {
			bodies++
			text := r.exampleText(m, form, e)
			e.ReplyText, e.replyXML = &text, form == "xml"
		}
	}
	if m := s.get("empty"); m != nil && r.boolean(m, "empty", true) {
		bodies++
		e.ReplyText = new(string)
	}
	if bodies > 1 {
		r.fault(n, "keep one of json, xml, text, empty", "the reply has %d bodies", bodies)
	}
	r.save(s.get("save"), e)
}

// save reads what later examples need of the reply.
func (r *reader) save(n *yaml.Node, e *Example) {
	for _, m := range r.members(n, "save") {
		name, from := m.name.Value, r.text(m.value, "save")
		where, rest, _ := strings.Cut(from, " ")
		switch {
		case !inputName.MatchString(name):
			r.fault(m.name, "use lower-case letters, digits and underscores", "%q cannot name what is saved", name)
			continue
		case from != "" && from[0] != '/' && (where != "header" && where != "cookie" || !headerName.MatchString(rest)):
			r.fault(m.value, `such as /refresh_token, header X-Receipt, cookie session, or "" for the whole body`, "%q does not say what is saved", from)
			continue
		}
		if e.Save == nil {
			e.Save = map[string]string{}
		}
		e.Save[name] = from
	}
	for name := range e.Save {
		r.saved = append(r.saved, savedName{name, e.Settings})
	}
}

// plainJSON writes a tree as it is, without expressions.
func (r *reader) plainJSON(dst []byte, n *yaml.Node) []byte {
	return r.treeJSON(dst, n, func(n *yaml.Node) *yaml.Node { return n })
}

// treeJSON writes a tree whose leaves are read first.
func (r *reader) treeJSON(dst []byte, n *yaml.Node, leaf func(*yaml.Node) *yaml.Node) []byte {
	switch n.Kind {
	case yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, n.Content[i].Value), ':')
			dst = r.treeJSON(dst, n.Content[i+1], leaf)
		}
		return append(dst, '}')
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, child := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = r.treeJSON(dst, child, leaf)
		}
		return append(dst, ']')
	}
	n = leaf(n)
	switch n.Tag {
	case "!!null":
		return append(dst, "null"...)
	case "!!bool":
		return append(dst, n.Value...)
	case "!!int", "!!float":
		if jsonNumber.MatchString(n.Value) {
			return append(dst, n.Value...)
		}
		r.fault(n, "write the number as JSON does, or quote it for text", "%s is not a number in JSON", n.Value)
	}
	return appendString(dst, n.Value)
}

// A promise is an example that is to be compared with the rest of the file.
type promise struct {
	node  *yaml.Node
	index int
}

// keep checks that examples expect what the file says: the status of the outcome
// that they name.
func (r *reader) keep(d *Dialect) {
	for _, p := range r.promises {
		e := &d.examples[p.index]
		u, err := url.ParseRequestURI(e.Path)
		if err != nil || e.Outcome == "" {
			continue
		}
		c := d.Match(&http.Request{Method: e.Method, URL: u})
		a := c.replies[e.Outcome]
		fits := slices.ContainsFunc(c.group, func(rt *route) bool { return rt.replies[e.Outcome] != nil && rt.replies[e.Outcome].has(e.Status) })
		if a != nil && !fits && !a.has(e.Status) {
			r.fault(p.node, "write the one or the other as the contract has it", "example %q expects status %d, but the reply to %s has %d", e.Name, e.Status, e.Outcome, a.variants[0].status)
		}
	}
}
