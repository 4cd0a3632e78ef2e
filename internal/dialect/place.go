package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A place is where an expression stands: what it may name there.
type place struct {
	what      string // for messages: "the reply to POST /login"
	in        where
	keys      bool              // whether access keys can sign in here
	inputs    map[string]*input // the route's inputs that may be read; nil outside routes
	loops     []loop            // the loops around, outermost first
	issues    bool              // there is at least one issue: in replies to a request of the wrong form
	numeric   bool              // a bare instant is a NumericDate here: in claims
	decoded   bool              // the request has been read, and holds what it must
	inJSON    bool              // inside $json
	inMessage bool              // inside a message
	endless   bool              // the token may have no end
	unrenewed bool              // no refresh token goes with it
	about     string            // the rule or outcome that an issue here is of; "" for any
}

// A loop is the variable of a $for.
type loop struct {
	name     string
	typ      factType // of the items
	ofIssues bool
	asked    bool // whether the list is made of inputs
}

// within is the place inside a loop.
func (p *place) within(l loop) *place {
	inner := *p
	inner.loops = append(slices.Clone(p.loops), l)
	return &inner
}

// A variable is a name that a place knows.
type variable struct {
	name     string
	typ      factType
	nullable bool
	constant bool
	asked    bool // as of a leaf
	get      getter
	may      func(*scope) (any, error) // get where that can fail; nil otherwise
}

func (v *variable) leaf() *leaf {
	if v.may != nil {
		return &leaf{get: v.may, typ: v.typ}
	}
	get := v.get
	return &leaf{get: func(s *scope) (any, error) { return get(s), nil }, typ: v.typ, nullable: v.nullable, fact: v.name, constant: v.constant, asked: v.asked}
}

// resolve finds a name, or says what is wrong with it and what to do.
func (p *place) resolve(r *reader, name string) (v *variable, problem, hint string) {
	first, rest, _ := strings.Cut(name, ".")
	for i, l := range slices.Backward(p.loops) {
		if l.name == first {
			return l.resolve(i, name, rest)
		}
	}
	switch first {
	case "input":
		return p.resolveInput(name, rest)
	case "sent":
		return p.resolveSent(name, rest)
	case messageFact:
		return p.resolveMessage(r, name, rest)
	case "setting":
		s, ok := r.settings[rest]
		if !ok {
			return nil, fmt.Sprintf("there is no setting %q", rest), didYouMean(rest, r.settings.names())
		}
		return &variable{name: name, typ: s.factType(), constant: true, get: func(*scope) any { return s.value }}, "", ""
	}
	f, known := factsByName[name]
	if open := openFact(name); open != nil {
		f, known = open, true
	}
	switch {
	case !known && secretName(name):
		return nil, fmt.Sprintf("%s is a secret and cannot be named", name), "a file never sees passwords, secrets and hashes"
	case !known:
		return nil, fmt.Sprintf("there is no fact %q", name), p.meant(r, name)
	case name == "request.path" && p.secretPath():
		return nil, "request.path holds a secret here and cannot be named", "name the inputs of the path that are none"
	case f.where&p.in == 0:
		return nil, fmt.Sprintf("%s is not known in %s", name, p.what), "it is known in " + f.where.String()
	case first == "issue" && p.in&inError != 0 && !p.issues:
		return nil, fmt.Sprintf("%s is not known in %s, which no issue leads to", name, p.what), "issues are known in the replies to invalid_request and what is below it"
	case first == "refresh" && p.unrenewed:
		return nil, fmt.Sprintf("%s is not known in %s, which gives no refresh token", name, p.what), "give the token one, such as refresh: {lifetime: 14d}, or leave it out"
	case first == "key" && !p.keys:
		return nil, fmt.Sprintf("%s is not known in %s, which no access key can reach", name, p.what), "name key in subject, or in the route's as"
	}
	if p.in&(inState|inKeyState) != 0 && f.where&p.in&inError == 0 {
		r.stated = true
	}
	v = &variable{name: name, typ: f.typ, nullable: f.nullable && !p.bears(name) || p.endless && slices.Contains(endFacts, name), get: f.get}
	v.constant = name == "issuer" || name == "base_url"
	if name == "issues" {
		v.get = issueMaps // which reads the registry itself
	}
	return v, "", ""
}

func (p *place) resolveInput(name, rest string) (v *variable, problem, hint string) {
	in, ok := p.inputs[rest]
	switch {
	case p.inputs == nil:
		return nil, fmt.Sprintf("%s is not known in %s", name, p.what), "inputs are known in their route's replies"
	case !ok:
		return nil, fmt.Sprintf("the route has no input %q", rest), didYouMean(rest, slices.Sorted(maps.Keys(p.inputs)))
	case in.secret:
		return nil, fmt.Sprintf("%s is a secret and cannot be named", name), in.why()
	}
	return &variable{name: name, typ: in.factType(), nullable: !p.decoded || !in.always(), asked: true, get: func(s *scope) any { return s.call.input(in) }}, "", ""
}

// resolveSent finds out whether an input was sent; of secrets that may be asked too.
func (p *place) resolveSent(name, rest string) (v *variable, problem, hint string) {
	in, ok := p.inputs[rest]
	switch {
	case p.inputs == nil || p.in&inRequest == 0:
		return nil, fmt.Sprintf("%s is not known in %s", name, p.what), "it is known in " + inRequest.String()
	case !ok:
		return nil, fmt.Sprintf("the route has no input %q", rest), didYouMean(rest, slices.Sorted(maps.Keys(p.inputs)))
	}
	return &variable{name: name, typ: booleanType, get: func(s *scope) any { return s.call.sent(in) }}, "", ""
}

// resolve reads the loop's variable, which is the i-th of the loops around.
func (l loop) resolve(i int, name, rest string) (v *variable, problem, hint string) {
	if !l.ofIssues {
		if rest != "" {
			return nil, fmt.Sprintf("%s is a %s and has no members", l.name, l.typ), "write ${" + l.name + "} alone"
		}
		return &variable{name: name, typ: l.typ, nullable: l.typ == anyType, asked: l.asked, get: func(s *scope) any { return s.loops[i] }}, "", ""
	}
	if rest == "text" {
		return &variable{name: name, typ: textType, nullable: true, get: l.ofIssue(i, (*scope).issueText)}, "", ""
	}
	for _, f := range issueFacts {
		if f.short == rest {
			return &variable{name: name, typ: f.typ, nullable: f.nullable, get: l.ofIssue(i, f.get)}, "", ""
		}
	}
	if rest == "" {
		return nil, fmt.Sprintf("%s is an issue and has no form inside an expression", name), "write ${" + name + "} alone for its template, or name one of its facts, such as " + name + ".field"
	}
	return nil, fmt.Sprintf("an issue has no fact %q", rest), didYouMean(rest, issueFactNames())
}

// ofIssue reads an issue's fact in the scope of the loop's current item.
func (l loop) ofIssue(i int, get getter) getter {
	return func(s *scope) any {
		held := s.issue
		s.issue = s.loops[i].(*issue)
		v := get(s)
		s.issue = held
		return v
	}
}

// meant is the hint for a name that is no fact: an input's or a setting's own name
// lacks what stands before it.
func (p *place) meant(r *reader, name string) string {
	if in := p.inputs[name]; in != nil && !in.secret {
		return "did you mean input." + name + "?"
	}
	if _, ok := r.settings[name]; ok {
		return "did you mean setting." + name + "?"
	}
	return didYouMean(name, p.names())
}

// names lists what may be named in the place, for hints.
func (p *place) names() []string {
	var names []string
	for i := range facts {
		if facts[i].where&p.in != 0 {
			names = append(names, facts[i].name)
		}
	}
	for name, in := range p.inputs {
		if !in.secret {
			names = append(names, "input."+name)
		}
	}
	slices.Sort(names)
	return names
}
