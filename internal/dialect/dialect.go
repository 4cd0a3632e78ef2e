package dialect

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// Options are what a mount gives to a dialect beside its file.
type Options struct {
	Realm    core.Realm
	Issuer   string         // what tokens name in iss
	BaseURL  string         // the address of the server itself, without a slash at its end
	Settings map[string]any // the operator's choices; the file has the defaults
	Limits   body.Limits    // body.DefaultLimits when zero
	Now      func() time.Time
	Trace    func(Step) // is told each step of each call, for explanations; nil tells nobody
}

// A Dialect is one wire contract, bound to the realm that it serves. It is safe
// for concurrent use.
type Dialect struct {
	name, title     string
	about           string // what people are told about it
	realm           core.Realm
	issuer, baseURL string
	limits          body.Limits
	now             func() time.Time
	trace           func(Step)
	settings        settings
	warnings        Faults
	version         string
	root            *yaml.Node           // the file, for descriptions
	leaves          map[*yaml.Node]*leaf // its expressions that stand alone, likewise

	subject         []core.SubjectKind
	keyForm         core.KeyForm
	admitUnverified bool
	asksFactor      bool // accounts that have a second factor are asked for it
	policies        map[string]core.Policy
	policyNames     []string
	policyDocs      map[string]string // what people are told about them
	endless         bool              // whether a policy's tokens never end
	ticketLifetimes map[core.Purpose]time.Duration
	mails           map[core.Purpose]*mailTemplate
	carriers        []carrier

	firstOnly     bool // report the first issue alone
	byRule        bool // report required inputs first
	refuseUnknown bool // members of a body that no input reads are issues
	foldNames     bool // the names of a body's members are matched without regard to case
	trailingSlash string

	routes             []*route
	table              table
	errors             map[core.Kind]*answer
	replies            map[core.Kind]*answer
	protectedErrors    map[core.Kind]*answer
	protectedReplies   map[core.Kind]*answer
	fileIssueTemplates map[string]node
	messages           *messages // nil when the file has none

	attributes []string // that the file names
	samples    Samples
	examples   []Example
}

// Name is what the file calls itself, such as "pagfast".
func (d *Dialect) Name() string { return d.name }

// Title is the contract's readable name.
func (d *Dialect) Title() string { return d.title }

// Realm is the realm that the dialect is bound to.
func (d *Dialect) Realm() core.Realm { return d.realm }

// Warnings tells what the contract asks for at the cost of safety.
func (d *Dialect) Warnings() []Fault { return slices.Clone(d.warnings) }

// Settings are the values of the file's settings, the operator's choices included.
func (d *Dialect) Settings() map[string]any {
	all := make(map[string]any, len(d.settings))
	for name, s := range d.settings {
		all[name] = s.value
	}
	return all
}

// Terms are the dialect's terms as core knows them.
func (d *Dialect) Terms() core.Terms {
	t := core.Terms{
		Realm:           d.realm,
		Dialect:         d.name,
		Issuer:          d.issuer,
		Policies:        d.policies,
		Order:           d.policyNames,
		AdmitUnverified: d.admitUnverified,
		AskSecondFactor: d.asksFactor,
		LoginsAlone:     slices.ContainsFunc(d.served(), (*route).signsInAlone),
		TicketLifetimes: d.ticketLifetimes,
		Mails:           make(map[core.Purpose]core.MailWords, len(d.mails)),
	}
	for purpose, mail := range d.mails {
		t.Mails[purpose] = mail.words(d)
	}
	return t
}

// KeyForm is the form of the access keys that are made for this dialect.
func (d *Dialect) KeyForm() core.KeyForm { return d.keyForm }

// Paths lists the routes as "POST /login", path variables as "{}": what two
// dialects of one host and prefix must not have in common.
func (d *Dialect) Paths() []string {
	var all []string
	for _, rt := range d.served() {
		for _, method := range rt.methods {
			if text := method + " " + rt.path.shape(); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

// served are the routes that are not disabled.
func (d *Dialect) served() []*route {
	return slices.DeleteFunc(slices.Clone(d.routes), func(rt *route) bool { return rt.disabled })
}

// Routes lists the routes for manuals: where they are and what they do. The rest of
// a [RouteInfo] is the description's.
func (d *Dialect) Routes() []RouteInfo {
	all := make([]RouteInfo, len(d.routes))
	for i, rt := range d.routes {
		all[i] = RouteInfo{Methods: slices.Clone(rt.methods), Path: rt.path.text, Operation: rt.operation.name, Policy: rt.policy, Line: rt.node.Line}
	}
	return all
}

// Attributes are the names of the account and access key attributes that the file
// names, in its order: what the dialect's realm has to declare.
func (d *Dialect) Attributes() []string { return slices.Clone(d.attributes) }

// Examples are the file's examples.
func (d *Dialect) Examples() []Example { return slices.Clone(d.examples) }

// Samples are the identities that the file's examples speak of, in the dialect's realm.
func (d *Dialect) Samples() Samples { return d.samples }

// Match finds the route of a request by its escaped path, letter for letter. It
// never returns nil: ask [Call.Redirect] and [Call.Err] before anything else.
func (d *Dialect) Match(r *http.Request) *Call {
	c := d.call(r)
	group, held, allow := d.table.find(r.Method, c.path)
	if group == nil && len(allow) == 0 && d.trailingSlash != "strict" {
		other := toggled(c.path)
		group, held, allow = d.table.find(r.Method, other)
		if d.trailingSlash == "redirect" && (group != nil || len(allow) > 0) {
			c.redirect = withQuery(other, r.URL.RawQuery)
		}
	}
	switch {
	case group != nil:
		c.group, c.held = group, held
		c.take(group[0])
	case len(allow) > 0:
		c.allow = strings.Join(allow, ", ")
		c.err = &core.Error{Kind: core.MethodNotAllowed}
	default:
		c.err = &core.Error{Kind: core.NotFound}
	}
	c.traceMatch()
	return c
}

func (d *Dialect) call(r *http.Request) *Call {
	return &Call{
		dialect: d, replies: d.replies, issueTemplates: d.fileIssueTemplates, trace: d.trace,
		method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header,
	}
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// Protected is the call for a resource of the API behind: it words refusals with
// the errors that the file declares for protected resources first.
func (d *Dialect) Protected(r *http.Request) *Call {
	c := d.call(r)
	c.replies = d.protectedReplies
	return c
}
