package dialect

import (
	"slices"
	"strings"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A Description is a dialect as manuals, schemas and OpenAPI documents need it.
type Description struct {
	Name, Title, About, BaseURL string
	Version                     string // of the file: it changes whenever the file does
	Realm                       core.Realm
	Subject                     []core.SubjectKind
	Tokens                      []TokenInfo // in the order of the file
	Carriers                    []CarrierInfo
	Routes                      []RouteInfo   // as [Dialect.Compose] counts them
	Every                       []OutcomeInfo // of every call, one without a route included
	Protected                   []OutcomeInfo // of the resources behind the server
	RefuseUnknown               bool          // members of a body that no input reads are refused
	Settings                    []SettingInfo
	Warnings                    []Fault
}

// A RouteInfo describes a route.
type RouteInfo struct {
	Methods   []string
	Path      string
	Operation Operation
	Title     string // what it does, in a few words
	Policy    string // the token policy that it issues by; "" for none
	Doc       string
	When      string // what the request must hold, in words; "" for nothing
	Holds     []ConditionInfo

	Conditions int // how many there are, the media type's included
	Enabled    bool
	Bearer     bool // whether the request brings a token by a carrier
	Carrier    int  // the one that fits: of its own calls, or of those with the token that it gives
	Accept     []AcceptInfo
	Inputs     []InputInfo
	OK         []ReplyInfo // its variants; the last is the rest
	Outcomes   []OutcomeInfo
	Examples   []string // the names of the file's examples that it answers
	Line       int
}

// A ConditionInfo is what one place of a request must hold for the route.
type ConditionInfo struct {
	From    SourceInfo
	Allowed []any // the values; empty where it must be there, or must not
	Present bool
}

// An AcceptInfo is a media type that a route takes.
type AcceptInfo struct {
	Type string // as clients may send it
	Form BodyForm
}

// A Necessity says whether a request must hold an input.
type Necessity string

// The necessities.
const (
	Always    Necessity = "always"
	Sometimes Necessity = "sometimes"
	Never     Necessity = "never"
)

// An InputInfo describes an input.
type InputInfo struct {
	Name             string
	From             []SourceInfo // the first that has it
	Type, Label, Doc string
	Need             Necessity
	NeedWhy          string // the expression, where it is needed sometimes
	NeedWith         string // the input with which it is needed, where that is all
	Secret           bool
	Default          []byte // JSON; nil for none
	Take             string // the pattern of the part that counts, which the rules are about; "" for all
	Rules            []RuleInfo
	Line             int
}

// A SourceInfo is a place from which an input may come.
type SourceInfo struct {
	Place string   // body, query, header, path, cookie, basic or bearer
	Path  []string // the names that lead to it; of a body one or more
}

// String is the source as files write it.
func (s SourceInfo) String() string { return strings.Join(append([]string{s.Place}, s.Path...), ".") }

// A RuleInfo describes a rule of an input.
type RuleInfo struct {
	Rule, Words string
	Limit       *int
	Pattern     string
	Allowed     []any
	Format      string
}

// A ReplyInfo describes a reply.
type ReplyInfo struct {
	When, Type string
	Status     int
	Headers    []HeaderInfo
	Cookies    []CookieInfo
	Body       BodyForm
	Schema     *Schema // nil without a body
	Doc        string
	Example    []byte // a body as it could be; nil where none could be made
	Line       int
	Source     string // the same for all that the file words in one place
}

// A BodyForm is what a body is.
type BodyForm string

// The forms of bodies.
const (
	BodyJSON      BodyForm = "json"
	BodyForms     BodyForm = "form"
	BodyMultipart BodyForm = "multipart"
	BodyXML       BodyForm = "xml"
	BodyText      BodyForm = "text"
	BodyEmpty     BodyForm = "empty"
)

// A CookieInfo describes a cookie of a reply.
type CookieInfo struct {
	Name, Attributes string
	Ends             bool // it is taken away
	Schema           *Schema
}

// A HeaderInfo describes a header of a reply.
type HeaderInfo struct {
	Name   string
	Schema *Schema
}

// An OutcomeInfo describes the reply to outcomes.
type OutcomeInfo struct {
	Kind  core.Kind   // under which the file words it
	Own   bool        // whether the words are the route's own
	Kinds []core.Kind // what it stands for here
	Shown core.Kind   // the one of these that the replies' examples answer
	Advice
	Replies []ReplyInfo // its variants; the last is the rest
}

// A TokenInfo describes a token policy.
type TokenInfo struct {
	Name, Algorithm  string
	Doc              string
	Format           core.TokenFormat
	Lifetime         time.Duration // 0: it never ends
	Least, Most      time.Duration // bounds of what a request may ask for; 0 when none may
	Idle             time.Duration // 0: never by that
	One              core.SlotRule
	Per              string        // the granted fact of whose values each has one; "" for none
	Session, Refresh time.Duration // 0 for none
	Tracked          bool
	Claims           *Schema
	Line             int
}

// A CarrierInfo describes a place where requests bring their token.
type CarrierInfo struct {
	In, Name, Scheme string
	With             []string // headers that must be there too
}

// A SettingInfo describes a setting.
type SettingInfo struct {
	Name  string
	Value any
}

// heading names the route as a thing to do.
func (rt *route) heading() string {
	switch operation := rt.operation.name; {
	case rt.title != "":
		return rt.title
	case operation == Revoke && rt.caller != "" && rt.caller != CallerNone:
		return "End a token"
	case operation == Fixed && rt.outcome != "":
		return "What is refused"
	default:
		return operationTitles[operation]
	}
}

var operationTitles = map[Operation]string{ //nolint:gosec // words, no credentials
	Authenticate:        "Get a token",
	Resume:              "Bring the second factor",
	Refresh:             "Get the next token",
	Extend:              "Extend a token",
	Revoke:              "Sign out",
	RevokeAll:           "Sign out everywhere",
	Introspect:          "Ask about a token",
	Whoami:              "Ask whose token it is",
	Register:            "Make an account",
	RequestVerification: "Ask for a verification mail",
	Verify:              "Verify an account",
	RequestRecovery:     "Ask for a recovery mail",
	ResetPassword:       "Set a new password",
	KeySet:              "Get the public keys",
	Fixed:               "Get information",
}

// A Step is one step of a call, for explanations. It holds no secret.
type Step struct {
	Name, Text string
	Line       int       // of the file; 0 for none
	Outcome    core.Kind // of the step "outcome", "" being a success
}

// Describe tells all that clients need to know of the dialect.
func (d *Dialect) Describe() Description {
	d = d.quiet()
	x := describer{d: d, examples: d.examplesByRoute()}
	info := Description{
		Name: d.name, Title: d.title, About: d.about, BaseURL: d.baseURL, Version: d.version, Realm: d.realm,
		Subject: slices.Clone(d.subject), RefuseUnknown: d.refuseUnknown, Warnings: d.Warnings(),
		Every:     x.outcomes(nil, anyOutcomes, d.replies, d.errors),
		Protected: x.outcomes(nil, bearerOutcomes, d.protectedReplies, d.protectedErrors, d.errors),
	}
	for _, name := range d.policyNames {
		info.Tokens = append(info.Tokens, x.token(d.policies[name]))
	}
	for i := range d.carriers {
		c := &d.carriers[i]
		info.Carriers = append(info.Carriers, CarrierInfo{In: c.in, Name: c.name, Scheme: c.scheme, With: slices.Clone(c.with)})
	}
	for i := range d.routes {
		info.Routes = append(info.Routes, x.route(i))
	}
	info.carry()
	for _, name := range d.settings.names() {
		info.Settings = append(info.Settings, SettingInfo{name, d.settings[name].value})
	}
	return info
}

// quiet is the dialect without a trace: what is looked at is no call.
func (d *Dialect) quiet() *Dialect {
	quiet := *d
	quiet.trace = nil
	return &quiet
}

// A describer walks a dialect that is loaded.
type describer struct {
	d        *Dialect
	examples map[*route][]string
	inputs   map[string]*input // of the route that is being described
	issues   []issueWords      // likewise
	certain  []string          // facts that are there, though elsewhere they may be absent
	loops    []string          // the variables of the loops over issues around
}

func (x *describer) token(p core.Policy) TokenInfo {
	info := TokenInfo{
		Name: p.Name, Doc: x.d.policyDocs[p.Name], Format: p.Format, Algorithm: p.Keys.Algorithm, Lifetime: p.Lifetime,
		Least: p.LeastLifetime, Most: p.MostLifetime, Idle: p.Idle, One: p.Slot, Per: p.SlotBy, Tracked: p.Tracked, Session: p.Session,
	}
	if p.Format == "" {
		info.Format = core.FormatJWT
	}
	if p.Refresh != nil {
		info.Refresh = p.Refresh.Lifetime
	}
	if n := below(x.d.root, "tokens", p.Name); n != nil {
		info.Line = n.Line
		if claims := memberOf(n, "claims"); claims != nil {
			x.certain = certainFacts(p, x.d.subject)
			info.Claims = x.schema(claims)
		}
	}
	return info
}

func (x *describer) route(index int) RouteInfo {
	rt := x.d.routes[index]
	info := RouteInfo{
		Methods: slices.Clone(rt.methods), Path: rt.path.text, Operation: rt.operation.name, Title: rt.heading(), Policy: rt.policy, Doc: rt.about, Enabled: !rt.disabled,
		When: rt.whenWords(), Conditions: len(rt.when), Bearer: rt.takesBearer(), Accept: rt.accept.describe(), Examples: x.examples[rt], Line: rt.node.Line,
	}
	for _, in := range rt.inputs {
		info.Inputs = append(info.Inputs, in.describe(rt))
	}
	for i := range rt.when {
		if m := &rt.when[i]; m.text != typeWord {
			info.Holds = append(info.Holds, ConditionInfo{m.source.describe(), m.allowed, m.present == nil || *m.present})
		}
	}
	x.issues, x.inputs = x.d.issueWords(rt), rt.byName
	call := x.d.sampleCall(index)
	s := x.d.sampleScope(call, rt)
	x.certain = nil
	if rt.operation.reply&inToken != 0 {
		p := x.d.policies[rt.policy]
		x.certain = certainFacts(p, rt.as)
		if p.Refresh != nil && rt.refresh == nil {
			x.certain = append(x.certain, "refresh.value", "refresh.expires_at", "refresh.lifetime")
		}
	}
	if rt.ok != nil { // a route may have no success
		info.OK = x.replies(rt.ok, s)
	}
	s.release()
	kinds := slices.Concat(rt.outcomes(), rt.bodyOutcomes(), []core.Kind{core.RateLimited, core.Unavailable, core.Internal})
	for _, i := range rt.possibleIssues(x.d) {
		kinds = append(kinds, i.kind)
	}
	info.Outcomes = x.outcomes(call, kinds, rt.replies, rt.errors, x.d.errors)
	return info
}

// certainFacts are those that are there when a token is made by a policy.
func certainFacts(p core.Policy, as []core.SubjectKind) []string {
	facts := []string{"token.issued_at"}
	if p.Tracked {
		facts = append(facts, "session.id", "session.started_at")
	}
	if slices.Equal(as, []core.SubjectKind{core.SubjectKey}) {
		facts = append(facts, "key.id", "key.identifier", "client.id", "client.identifier")
	}
	return facts
}

// takesBearer reports whether a request to the route brings a token by a carrier.
func (rt *route) takesBearer() bool {
	return rt.bearer() || slices.ContainsFunc(rt.inputs, func(in *input) bool {
		return slices.ContainsFunc(in.sources, func(s source) bool { return s.place == "bearer" })
	})
}

// describe tells the media types of a route, the first as the one to prefer.
func (a *accept) describe() []AcceptInfo {
	var all []AcceptInfo
	for _, t := range a.types {
		info := AcceptInfo{Type: t.typ, Form: BodyForm(t.as)}
		if t.star {
			info.Type += "*" + t.suffix
		}
		all = append(all, info)
	}
	return all
}

// examplesByRoute finds the routes that answer the file's examples.
func (d *Dialect) examplesByRoute() map[*route][]string {
	all := map[*route][]string{}
	for i := range d.examples {
		if rt := d.routeOf(&d.examples[i]); rt != nil {
			all[rt] = append(all[rt], d.examples[i].Name)
		}
	}
	return all
}
