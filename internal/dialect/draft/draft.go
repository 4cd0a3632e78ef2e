// Package draft makes the first version of a dialect file from what somebody knows of
// a contract: a curl command ([FromCurl]), an OpenAPI document ([FromOpenAPI]), or the
// answers to a few questions ([Ask]). [Draft.File] writes it: with comments that say
// what is a guess, and with examples that hold.
//
// It sends no request and reads no file. Passwords and tokens of the one who drafts
// are not copied into the file: samples take their place.
package draft

import (
	"net/http"
	"time"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A Draft is what is known of a contract before there is a file of it. The zero
// value of each member stands for what is usual.
type Draft struct {
	Name     string // the dialect's
	Title    string // the contract's readable name; the name when ""
	Origin   string // what it was made from, such as "a curl command"
	Request  Request
	Success  *Reply        // to a sign-in; nil when nobody knows
	Refusal  *Reply        // to a wrong password, likewise
	Carriers []Carrier     // of later calls; Authorization: Bearer when there are none
	Lifetime time.Duration // of a token; what the reply tells, or else an hour, when 0
	Notes    []string      // what could not be taken over, a sentence each
}

// A Request is the sign-in.
type Request struct {
	Method, Path string
	Form         Form
	MediaType    string // of a JSON or XML body, where it is another than the usual one
	Body         body.Value
	Fields       []Field // all that the request holds, the body's leaves in order

	fieldPlace string // where [Ask] was told that fields are
	bearer     bool   // whether it brings a token of its own
}

// A Form is what a request's body is.
type Form string

// The forms.
const (
	JSON      Form = "json"
	URLForm   Form = "form"
	Multipart Form = "multipart"
	XML       Form = "xml"
	None      Form = "none"
)

// A Field is one value of a request.
type Field struct {
	Place string     // body, query, header or basic
	Path  []string   // the names that lead to it
	Value body.Value // as it was sent; never written for a secret
	Type  string     // as inputs know it; "" for string
	Role  string     // the input's name that an operation knows, or ""
	Need  bool       // whether a request without it is refused
	Const bool       // whether it must be the value
	Rules []rule     // that its values keep
	Guess string     // what is not sure of it, for a comment
}

// A Reply is an answer of the API.
type Reply struct {
	Status  int
	Headers []Header
	Cookies []*http.Cookie
	Left    []string    // the headers and cookies that are not taken over
	Date    time.Time   // when it was sent; zero when nobody knows
	Type    string      // the media type with its parameters; "" for the usual one
	JSON    *body.Value // nil unless the body is JSON
	Text    string      // the body otherwise
}

// A Header is a header of a reply that is worth keeping.
type Header struct {
	Name, Value string
	Token       bool // whether it may hold the token
}

// A Carrier is where later calls bring the token.
type Carrier struct{ In, Name, Scheme string }

// A Problem is why there is no draft, and what to do.
type Problem struct{ Message, Advice string }

func (p *Problem) Error() string { return p.Message }

// Hint says what to do.
func (p *Problem) Hint() string { return p.Advice }

var limits = body.Limits{Bytes: 2 << 20, Depth: 64, Fields: 20_000, FieldBytes: 1 << 20}
