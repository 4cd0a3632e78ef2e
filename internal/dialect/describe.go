package dialect

import "github.com/chancery-auth/chancery/core"

// A Description is a dialect as manuals, schemas and OpenAPI documents need it.
type Description struct {
	Name, Title, About, BaseURL string
	Realm                       core.Realm
	Subject                     []core.SubjectKind
	Tokens                      []TokenInfo
	Carriers                    []CarrierInfo
	Routes                      []RouteInfo
	Protected                   []OutcomeInfo // of the resources behind the server
	Settings                    []SettingInfo
	Warnings                    []Fault
}

// A RouteInfo describes a route.
type RouteInfo struct {
	Methods   []string
	Path      string
	Operation Operation
	Policy    string // the token policy that it issues by; "" for none
	Doc       string
	When      string // what the request must hold, in words; "" for nothing
	Enabled   bool
	Accept    []string
	Inputs    []InputInfo
	OK        []ReplyInfo // its variants; the last is the rest
	Outcomes  []OutcomeInfo
	Examples  []string // their names
	Line      int
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
	From             []string // as in the file, the first that has it
	Type, Label, Doc string
	Need             Necessity
	NeedWhy          string // the expression, where it is needed sometimes
	Secret           bool
	Default          []byte // JSON; nil for none
	Rules            []RuleInfo
	Line             int
}

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
	Cookies    []string // their names
	Body       BodyForm
	Schema     *Schema // nil without a body
	Line       int
}

// A BodyForm is what a reply's body is.
type BodyForm string

// The forms of replies' bodies.
const (
	BodyJSON  BodyForm = "json"
	BodyXML   BodyForm = "xml"
	BodyText  BodyForm = "text"
	BodyEmpty BodyForm = "empty"
)

// A HeaderInfo describes a header of a reply.
type HeaderInfo struct {
	Name   string
	Schema *Schema
}

// An OutcomeInfo describes the reply to outcomes.
type OutcomeInfo struct {
	Kinds         []core.Kind
	Cause, Remedy string
	Reply         ReplyInfo
}

// A TokenInfo describes a token policy.
type TokenInfo struct {
	Name, Format, Algorithm, Lifetime string
	Idle, One, Session, Refresh       string // "" for none
	Value                             string // how an opaque token is written
	Claims                            *Schema
	Line                              int
}

// A CarrierInfo describes a place where requests bring their token.
type CarrierInfo struct {
	In, Name, Scheme string
	With             []string // headers that must be there too
}

// A SettingInfo describes a setting.
type SettingInfo struct {
	Name           string
	Default, Value any
}

// A Schema describes a value on the wire, in the words of JSON Schema.
type Schema struct {
	Type           []string // several where it may be null
	Const, Example any
	Doc, Pattern   string
	Members        []Property // in their order
	Items          *Schema
}

// A Property is a member of an object.
type Property struct {
	Name     string
	Optional bool
	Schema   *Schema
}

// A Step is one step of a call, for explanations. It holds no secret.
type Step struct {
	Name, Text string
	Line       int // of the file; 0 for none
}
