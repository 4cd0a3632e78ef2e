package dialect

import (
	"net/http"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// Options are what a mount gives to a dialect beside its file.
type Options struct {
	Realm    core.Realm
	Issuer   string // what tokens name in iss
	BaseURL  string // the address of the server itself, without a slash at its end
	Settings map[string]any
	// Limits body.Limits follows with package body
	Now      func() time.Time // time.Now when nil
}

// A Dialect is one wire contract, bound to the realm that it serves. It is safe
// for concurrent use.
type Dialect struct{}

// Load reads a dialect file and binds it. The error is [Faults]: everything that
// is wrong with the file, each with its place.
func Load(file string, source []byte, options Options) (*Dialect, error) { panic("soon") }

// Name is what the file calls itself, such as "pagfast".
func (d *Dialect) Name() string { panic("soon") }

// Title is the contract's readable name.
func (d *Dialect) Title() string { panic("soon") }

// Realm is the realm that the dialect is bound to.
func (d *Dialect) Realm() core.Realm { panic("soon") }

// Warnings tells what the contract asks for at the cost of safety.
func (d *Dialect) Warnings() []Fault { panic("soon") }

// Terms are the dialect's terms as core knows them.
func (d *Dialect) Terms() core.Terms { panic("soon") }

// KeyForm is the form of the access keys that are made for this dialect.
func (d *Dialect) KeyForm() core.KeyForm { panic("soon") }

// Paths lists the routes as "POST /login", for collision checks between dialects.
func (d *Dialect) Paths() []string { panic("soon") }

// Match finds the route of a request. It never returns nil: ask [Call.Redirect]
// and [Call.Err] before anything else.
func (d *Dialect) Match(r *http.Request) *Call { panic("soon") }

// Protected is the call for a resource of the API behind: it words refusals with
// the errors that the file declares for protected resources first.
func (d *Dialect) Protected(r *http.Request) *Call { panic("soon") }

// Bearer reads the token of a request by the dialect's carriers. It refuses with
// TokenMissing and TokenInvalid.
func (d *Dialect) Bearer(r *http.Request) (core.Secret, error) { panic("soon") }

// Examples are the file's examples.
func (d *Dialect) Examples() []Example { panic("soon") }

// Samples are the identities that the file's examples speak of.
func (d *Dialect) Samples() Samples { panic("soon") }

// A Call is one request on its way through the dialect.
type Call struct {
	// RequestID is the fact request.id. The caller sets it.
	RequestID string
}

// Err is what [Dialect.Match] found: nil, NotFound or MethodNotAllowed.
func (c *Call) Err() error { panic("soon") }

// Redirect is the Location of a 307 with an empty body, or "" for none.
func (c *Call) Redirect() string { panic("soon") }

// Operation is what the route does; "" without a route.
func (c *Call) Operation() Operation { panic("soon") }

// Route is a label for metrics and logs: the route's path pattern, or "unknown".
func (c *Call) Route() string { panic("soon") }

// Decode reads the request's inputs. What it refuses with IsA InvalidRequest.
func (c *Call) Decode(r *http.Request) error { panic("soon") }

// Inputs are the inputs that a successful [Call.Decode] read.
func (c *Call) Inputs() Inputs { panic("soon") }

// Encode writes the reply of a success. When it returns an error it has written
// the reply for an internal error; the error is for the log alone.
func (c *Call) Encode(w http.ResponseWriter, result Result) error { panic("soon") }

// Refuse writes the reply for an error in the contract's words.
func (c *Call) Refuse(w http.ResponseWriter, err error) { panic("soon") }

// An Operation is what a route does.
type Operation string

// The operations.
const (
	Authenticate    Operation = "authenticate"
	Whoami          Operation = "whoami"
	RequestRecovery Operation = "request_recovery"
	ResetPassword   Operation = "reset_password"
)

// Inputs are a request's inputs by the roles that core knows.
type Inputs struct {
	Identifier string
	Secret     core.Secret
	NewSecret  core.Secret
	Ticket     core.Secret
	Policy     string             // the token policy that the route issues by
	As         []core.SubjectKind // whom the route takes, in order of trying
}

// A Result is what an operation gave: a token, an identity, or neither.
type Result struct {
	Token    *core.Token
	Identity *core.Identity
}
