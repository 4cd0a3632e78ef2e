package dialect

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A Call is one request on its way through the dialect.
type Call struct {
	// RequestID is the fact request.id. The caller sets it.
	RequestID string

	dialect        *Dialect
	group          []*route // the routes of the method and path; nil for an unknown path and for protected resources
	route          *route   // the one that words what happens: the group's first until Decode has chosen
	replies        map[core.Kind]*answer
	issueTemplates map[string]node
	method         string
	path           string      // escaped, as it was sent
	query          string      // likewise
	header         http.Header // the request's, read only
	allow          string
	redirect       string
	err            error
	trace          func(Step) // nil unless somebody wants to know

	held      map[string]string // the path's variables
	mediaType string
	form      form // how the body was read
	body      body.Value
	read      []reading // by input
}

// A reading is what a request holds for an input.
type reading struct {
	value   body.Value
	present bool
	sent    bool // present, and no default
}

// take makes rt the call's route.
func (c *Call) take(rt *route) {
	c.route, c.replies, c.issueTemplates = rt, rt.replies, rt.issueTemplates
}

// Err is what [Dialect.Match] found: nil, NotFound or MethodNotAllowed.
func (c *Call) Err() error { return c.err }

// Redirect is the Location of a 307 with an empty body, or "" for none. It has
// no host of its own.
func (c *Call) Redirect() string { return c.redirect }

// Operation is what the route does; "" without a route. Where several routes share
// a path, it is known once [Call.Decode] has chosen among them.
func (c *Call) Operation() Operation {
	if c.route == nil {
		return ""
	}
	return c.route.operation.name
}

// Route is a label for metrics and logs: the route's path pattern, or "unknown".
func (c *Call) Route() string {
	if c.route == nil {
		return "unknown"
	}
	return c.route.path.text
}

// MayHash reports whether the call can cost a password hash. It is known before
// [Call.Decode], so that admission can come first.
func (c *Call) MayHash() bool {
	return slices.ContainsFunc(c.group, func(rt *route) bool {
		switch rt.operation.name {
		case ResetPassword, Register:
			return true
		case Authenticate:
			return slices.Contains(rt.as, core.SubjectAccount)
		default:
			return false
		}
	})
}

// A CallerKind is who asks about another's token, or ends it.
type CallerKind string

// The kinds of caller. Where a route knows no caller it is "".
const (
	CallerBearer CallerKind = "bearer"
	CallerClient CallerKind = "client"
	CallerNone   CallerKind = "none"
)

// Inputs are a request's inputs by the roles that core knows, and what the route
// asks of core beside them. An operation is handed those that it takes.
type Inputs struct {
	Identifier   string
	AccountID    core.AccountID
	Secret       core.Secret
	NewSecret    core.Secret
	Ticket       core.Secret
	OTP          core.Secret
	RecoveryCode core.Secret
	Challenge    core.Secret
	Refresh      core.Secret
	Token        core.Secret
	Tenant       core.Tenancy
	Client       *core.Client // nil when the request brings none
	Email, Name  string

	Policy         string             // the token policy that the route issues by; "" for none
	As             []core.SubjectKind // whom the route takes, in order of trying
	Caller         CallerKind
	Judge          core.Judge    // nil where the route grants and forbids nothing
	Lifetime       time.Duration // 0 where the route does not choose it
	WithoutRefresh bool
	EndOld         bool // extend ends the token at hand
	Attributes     core.Attributes
	Roles          []string
	Verified       bool
	Outcome        core.Kind // the refusal of fixed; "" for a success
}

// Inputs are the inputs that a successful [Call.Decode] read.
func (c *Call) Inputs() Inputs {
	if c.route == nil {
		return Inputs{}
	}
	all := Inputs{
		Identifier:   c.role(roleIdentifier),
		AccountID:    core.AccountID(c.role(roleAccountID)),
		Secret:       c.secret(roleSecret),
		NewSecret:    c.secret(roleNewSecret),
		Ticket:       c.secret(roleTicket),
		OTP:          c.secret(roleOTP),
		RecoveryCode: c.secret(roleRecoveryCode),
		Challenge:    c.secret(roleChallenge),
		Refresh:      c.secret(roleRefresh),
		Token:        c.secret(roleToken),
		Tenant: core.Tenancy{
			ID: c.role(roleTenant), Name: c.role(roleTenantName),
			Given: c.present(roleTenant) || c.present(roleTenantName),
		},
		Email:  c.role(roleEmail),
		Name:   c.role(roleName),
		Policy: c.route.policy,
		As:     c.route.as,
	}
	if c.present(roleClient) || c.present(roleClientSecret) {
		all.Client = &core.Client{Identifier: c.role(roleClient), Secret: c.secret(roleClientSecret)}
	}
	return all
}

// role is the text of the input that the operation takes by that name.
func (c *Call) role(name string) string {
	if !c.present(name) {
		return ""
	}
	return c.read[c.route.roles[name].index].value.Text()
}

func (c *Call) secret(role string) core.Secret {
	if !c.present(role) {
		return core.Secret{}
	}
	return core.NewSecret(c.role(role))
}

func (c *Call) present(role string) bool {
	in, ok := c.route.roles[role]
	return ok && in.index < len(c.read) && c.read[in.index].present
}

// sent is the fact sent.NAME.
func (c *Call) sent(in *input) bool { return in.index < len(c.read) && c.read[in.index].sent }

// input is the fact input.NAME; what was not sent reads null.
func (c *Call) input(in *input) any {
	if in.index >= len(c.read) || !c.read[in.index].present {
		return nil
	}
	v := c.read[in.index].value
	if in.typ == "number" {
		f, _ := strconv.ParseFloat(v.Number(), 64)
		return f
	}
	if in.typ == "integer" {
		f, _ := strconv.ParseFloat(v.Number(), 64)
		if i, ok := native(v).(int64); ok {
			return i
		}
		return int64(f)
	}
	return native(v)
}
