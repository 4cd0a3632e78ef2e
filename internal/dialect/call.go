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
	blank     bool // it was empty, and may be
	body      body.Value
	read      []reading // by input

	presented      core.Secret   // the token that the request is about, where the reply may tell it
	lifetime       time.Duration // that the request asks for; 0 for none
	withoutRefresh bool
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
	Of             []string           // the token policies whose tokens the route takes; none for all
	Caller         CallerKind
	Judge          core.Judge    // nil where the route grants and forbids nothing
	Lifetime       time.Duration // 0 where the route does not choose it
	WithoutRefresh bool
	EndOld         bool // extend ends the token at hand
	Same           bool // extend gives the token at hand another end
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
	rt := c.route
	all := Inputs{
		Policy:         rt.policy,
		As:             rt.as,
		Of:             rt.of,
		Caller:         rt.caller,
		Judge:          c.judge(),
		Lifetime:       c.lifetime,
		WithoutRefresh: c.withoutRefresh,
		EndOld:         rt.endOld,
		Same:           rt.same,
		Attributes:     c.newAttributes(),
		Roles:          rt.newcomer.roles,
		Verified:       rt.newcomer.verified,
		Outcome:        rt.outcome,
	}
	for _, in := range rt.inputs {
		if in.taken && in.index < len(c.read) && c.read[in.index].present {
			all.set(in.name, c.read[in.index].value.Text())
			all.Tenant.None = all.Tenant.None || in.meansNoTenant()
		}
	}
	if in := rt.roles[roleClientSecret]; in != nil {
		all.Client = c.client(in, all.Client)
	}
	return all
}

// set puts the input of a role into its place.
func (all *Inputs) set(role, text string) {
	switch role {
	case roleIdentifier:
		all.Identifier = text
	case roleAccountID:
		all.AccountID = core.AccountID(text)
	case roleTenant:
		all.Tenant.ID, all.Tenant.Given = text, true
	case roleTenantName:
		all.Tenant.Name, all.Tenant.Given = text, true
	case roleEmail:
		all.Email = text
	case roleName:
		all.Name = text
	case roleClient:
		all.client().Identifier = text
	case roleClientSecret:
		all.client().Secret = core.NewSecret(text)
	default:
		if secret := all.secret(role); secret != nil {
			*secret = core.NewSecret(text)
		}
	}
}

func (all *Inputs) client() *core.Client {
	if all.Client == nil {
		all.Client = new(core.Client)
	}
	return all.Client
}

// secret is the place of a role that is a secret, or nil.
func (all *Inputs) secret(role string) *core.Secret {
	switch role {
	case roleSecret:
		return &all.Secret
	case roleNewSecret:
		return &all.NewSecret
	case roleTicket:
		return &all.Ticket
	case roleOTP:
		return &all.OTP
	case roleRecoveryCode:
		return &all.RecoveryCode
	case roleChallenge:
		return &all.Challenge
	case roleRefresh:
		return &all.Refresh
	case roleToken:
		return &all.Token
	default:
		return nil
	}
}

// client is who the request comes from, by what it says. One that must come from a
// client and does not say which comes from one that is unknown; one that need not,
// and does not prove it, from none.
func (c *Call) client(secret *input, sent *core.Client) *core.Client {
	switch {
	case c.route.clientOptional && (secret.index >= len(c.read) || !c.read[secret.index].present):
		return nil
	case sent == nil:
		return new(core.Client)
	default:
		return sent
	}
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
