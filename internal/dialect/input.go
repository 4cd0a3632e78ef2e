package dialect

import (
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// An input is something that a route reads from a request.
type input struct {
	target
	node   *yaml.Node
	name   string
	index  int    // among the route's inputs
	about  string // what people are told about it; "" for the words of its role
	secret bool
	// secretAs says what makes it a secret beside its name and the file's word; "" for none.
	secretAs string
	taken    bool // whether the operation takes it
	sources  []source

	typ          string
	required     *condition // nil: never
	forbidden    *condition // likewise
	emptyMissing bool
	nullMissing  bool
	part         *regexp.Regexp // whose group is the value, of a text that it matches; nil: all of it
	formDecoded  bool           // what comes from basic is form-encoded (RFC 6749 section 2.3.1)
	fallback     *body.Value
	rules        []rule
	otherwise    core.Kind            // what breaking a rule means; "" for the rule's own kind
	elses        map[string]core.Kind // likewise, by rule, before that
}

// A source is one place from which an input may come.
type source struct {
	place string
	path  []string // for a body
	name  string   // for all else
}

var (
	inputName  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	inputTypes = []string{"string", "integer", "number", "boolean", "list", "object", "any"}
	places     = []string{"body", "query", "header", "path", "cookie", "basic", "bearer"}
)

func (in *input) factType() factType {
	switch in.typ {
	case "string":
		return textType
	case "integer":
		return integerType
	case "number":
		return numberType
	case "boolean":
		return booleanType
	}
	return anyType
}

// always reports whether every request that has been decoded holds the input,
// whatever the operator chooses.
func (in *input) always() bool { return in.required.anyway() || in.fallback != nil }

// sample is a value that the input may have, for trying expressions.
func (in *input) sample() body.Value {
	if in.fallback != nil {
		return *in.fallback
	}
	for i := range in.rules {
		if len(in.rules[i].values) > 0 {
			return in.rules[i].values[0]
		}
	}
	text := map[string]string{"string": `"text"`, "integer": "1", "number": "1", "boolean": "true", "list": "[]", "object": "{}"}[in.typ]
	v, _ := body.ParseJSON([]byte(text), body.DefaultLimits) // of type any: null
	return v
}

// readSamples has the call hold what every request does that has been decoded.
func (c *Call) readSamples(inputs map[string]*input) {
	c.read = make([]reading, len(inputs))
	for _, in := range inputs {
		if in.always() {
			c.read[in.index] = reading{value: in.sample(), present: true}
		}
	}
}

func (r *reader) inputs(n *yaml.Node) []*input {
	var all []*input
	var sections []section
	for _, m := range r.members(n, "inputs") {
		name := m.name.Value
		if !inputName.MatchString(name) {
			r.fault(m.name, "use lower-case letters, digits and underscores; the wire name stands in from", "%q cannot name an input", name)
			continue
		}
		if r.inputCount++; r.inputCount > maxInputs {
			if r.inputCount == maxInputs+1 {
				r.fault(m.name, "leave out what no route needs, or split the file into two dialects", "the file has more than %d inputs", maxInputs)
			}
			return all
		}
		in, s := r.input(m, len(all))
		all, sections = append(all, in), append(sections, s)
	}
	r.spreadSecrecy(all)
	names := make([]string, len(all))
	for i, in := range all {
		names[i] = in.name
	}
	for i, in := range all {
		for k := range in.rules {
			r.agreement(in, &in.rules[k], all, names)
		}
		r.presence(sections[i], in, all)
	}
	return all
}

// presence reads when an input must be there, and when it must not: expressions
// may name all inputs of the route.
func (r *reader) presence(s section, in *input, all []*input) {
	at := func(member string) *condition {
		n := s.get(member)
		if n == nil {
			return nil
		}
		return r.condition(n, member, &place{what: member + " of input " + in.name, in: inRequest, inputs: readable(all)})
	}
	in.required, in.forbidden = at("required"), at("forbidden")
	if in.fallback != nil && in.required.anyway() {
		r.fault(s.get("default"), "remove one of the two", "a required input has no use for a default")
	}
}

func (r *reader) input(m member, index int) (*input, section) {
	in := &input{node: m.name, name: m.name.Value, index: index, typ: "string"}
	n := m.value
	if n.Kind == yaml.ScalarNode { // username: body.user
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "from", Line: n.Line, Column: n.Column}, n}}
	}
	s := r.named(n, &inputShape, "input "+in.name)
	if s.get("type") != nil {
		in.typ = s.word("type")
	}
	in.secret = slices.Contains(secretRoles, in.name) || r.boolean(s.get("secret"), "secret", false)
	in.emptyMissing, in.nullMissing = s.word("empty") == "missing", s.word("nulls") == "missing"
	in.about = s.doc()
	label := ""
	if l := s.get("label"); l != nil {
		label = r.text(l, "label")
	}
	r.sources(in, s.need("from"))
	if n := s.get("decode"); n != nil {
		in.formDecoded = s.word("decode") == "form"
		if in.formDecoded && !slices.ContainsFunc(in.sources, func(src source) bool { return src.place == "basic" }) {
			r.fault(n, "leave it out: forms and queries are decoded as they are", "decode is for basic.username and basic.password alone")
		}
	}
	if len(in.sources) > 0 {
		in.target = in.sources[0].target(label)
	}
	in.part = r.part(s.get("take"), in)
	in.rules = r.inputRules(s, in)
	if d := s.get("default"); d != nil {
		if v, ok := r.constantValue(d, in.typ); ok {
			in.fallback = &v
		}
	}
	r.inputElse(s, in)
	return in, s
}

// meansNoTenant reports whether the input's empty text means accounts without a
// tenant: the file has it as the default.
func (in *input) meansNoTenant() bool {
	return slices.Contains(tenantRoles, in.name) && in.fallback != nil && in.fallback.Text() == ""
}

func (r *reader) sources(in *input, n *yaml.Node) {
	for _, item := range r.items(n, "from") {
		text := r.text(item, "from")
		if text == "" {
			continue
		}
		if src, ok := r.source(item, text); ok {
			in.sources = append(in.sources, src)
			if src.place == "query" && slices.Contains(secretRoles, in.name) {
				r.warn(item, "queries end up in the logs of proxies and in browsers' histories", "%s may come in the query", in.name)
			}
		}
	}
}

// target is what issues say of a source.
func (s *source) target(label string) target {
	names := s.path
	if s.place != "body" && s.name != "" {
		names = []string{s.name}
	}
	return newTarget(s.place, names, label)
}

func (r *reader) source(n *yaml.Node, text string) (source, bool) {
	where, name, _ := strings.Cut(text, ".")
	src := source{place: where, name: name}
	switch where {
	case "body":
		src.path = strings.Split(name, ".")
		if name == "" || slices.Contains(src.path, "") {
			r.fault(n, "write body.name, or body.outer.inner", "%q does not name a member of the body", text)
			return src, false
		}
		src.name = src.path[len(src.path)-1]
	case "header":
		if !headerName.MatchString(name) {
			r.fault(n, "write header.X-Name", "%q does not name a header", text)
			return src, false
		}
		src.name = http.CanonicalHeaderKey(name)
	case "query", "path", "cookie":
		if name == "" {
			r.fault(n, "write "+where+".name", "%q does not say which", text)
			return src, false
		}
	case "basic":
		if name != "username" && name != "password" {
			r.fault(n, "write basic.username or basic.password", "%q is no part of basic authentication", text)
			return src, false
		}
	case "bearer":
		if name != "" {
			r.fault(n, "write bearer alone", "%q has nothing to name", text)
			return src, false
		}
	default:
		r.fault(n, didYouMean(where, places), "%q is no place to read from", text)
		return src, false
	}
	return src, true
}

// constantValue reads a value of the input's type, as it is written in the file.
func (r *reader) constantValue(n *yaml.Node, typ string) (body.Value, bool) {
	v := n
	if n.Kind == yaml.ScalarNode {
		r.asItStands(n, "the value")
		if v = r.scalar(n, "the value"); v == nil {
			return body.Value{}, false
		}
	}
	value, err := body.ParseJSON(r.plainJSON(nil, v), body.Limits{Bytes: maxFile, Depth: maxDepth, Fields: maxNodes, FieldBytes: maxFile})
	if err != nil {
		r.fault(n, "write the value as JSON does, or quote it for text", "%v", err)
		return body.Value{}, false
	}
	if !hasType(value, typ) {
		r.fault(n, "quote it if it is text", "%s is not of the input's type %s", body.AppendJSON(nil, value), typ)
		return body.Value{}, false
	}
	return value, true
}

// readable are the inputs that expressions may name, and those that they may not,
// so that the fault for those can say why.
func readable(all []*input) map[string]*input {
	m := make(map[string]*input, len(all))
	for _, in := range all {
		m[in.name] = in
	}
	return m
}

// bodyNames are the names of the body's own members that a route looks at.
func bodyNames(rt *route) []string {
	names := map[string]bool{}
	look := func(src source) {
		if src.place == "body" {
			names[src.path[0]] = true
		}
	}
	for i := range rt.when {
		look(rt.when[i].source)
	}
	for _, in := range rt.inputs {
		for _, src := range in.sources {
			look(src)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

const noBound = math.MaxInt
