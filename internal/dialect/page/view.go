package page

import (
	"cmp"

	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// A view is what the page's template shows.
type view struct {
	Options
	Info      dialect.Description
	About     []string
	Sections  []section
	Carriers  []carrier
	Tokens    []token
	Use       []Sample // presents a token
	Summary   string
	Failures  []failure // that a caller has to reckon with
	Rare      []failure
	Endpoints []endpoint

	ids map[string]bool // that are taken
}

// A section is a heading with the routes below it.
type section struct {
	ID, Title, Intro string
	Blocks           []block
}

// A block tells all of one route.
type block struct {
	ID, Title   string
	Methods     []string
	Path        string
	About       []string
	When        string
	Bearer      bool
	Types       []string
	RequestBody string
	Inputs      []input
	Samples     []Sample
	Replies     []answer
	Failures    []reference

	operation dialect.Operation
	policy    string
}

type endpoint struct{ ID, Methods, Path, Title string }

// An answer is a reply as people see it.
type answer struct {
	About   []string
	Status  string
	Case    string // when it comes, in words; "" for always
	Type    string
	Headers []pair
	Body    string
	Members []field

	source string // the same for all that the file words in one place
}

// same reports whether two answers look the same.
func (a *answer) same(b *answer) bool {
	return a.Body == b.Body && a.Case == b.Case && slices.Equal(a.About, b.About) && slices.Equal(a.Headers, b.Headers)
}

type pair struct{ Name, Value string }

// A field is a member of a JSON body, by the names that lead to it.
type field struct{ Name, Type, About string }

type carrier struct {
	Line string // as it stands in a request
	With []string
}

type token struct {
	Name   string
	About  []string
	Facts  []pair
	Claims []field
}

// sections are the headings in the order in which a reader needs them.
var sections = []struct {
	id, title, intro string
	operations       []dialect.Operation
}{
	{"get-a-token", "Get a token", "", []dialect.Operation{dialect.Authenticate, dialect.Resume}},
	{"tokens", "Keep, ask about and end tokens", "", []dialect.Operation{
		dialect.Whoami, dialect.Refresh, dialect.Extend, dialect.Introspect, dialect.Revoke, dialect.RevokeAll}},
	{"accounts", "Accounts and passwords", "", []dialect.Operation{
		dialect.Register, dialect.RequestVerification, dialect.Verify, dialect.RequestRecovery, dialect.ResetPassword}},
	{"information", "Information", "", []dialect.Operation{dialect.KeySet, dialect.Fixed}},
}

func newView(d *dialect.Dialect, options Options) (*view, error) {
	c := &composer{d, d.Describe(), options}
	v := &view{Options: options, Info: c.info, About: paragraphs(c.info.About), ids: map[string]bool{}}
	for _, s := range sections {
		made := section{ID: s.id, Title: s.title, Intro: s.intro}
		for _, i := range shownRoutes(&c.info, s.operations) {
			b, err := v.block(c, i)
			if err != nil {
				return nil, err
			}
			made.Blocks = append(made.Blocks, b)
		}
		made.tellApart(c.info)
		for _, b := range made.Blocks {
			v.Endpoints = append(v.Endpoints, endpoint{b.ID, strings.Join(b.Methods, ", "), b.Path, b.Title})
		}
		if len(made.Blocks) > 0 {
			v.Sections = append(v.Sections, made)
		}
	}
	for _, o := range c.info.Protected {
		v.fail(o, "paths that want a token")
	}
	for _, o := range c.info.Every {
		v.fail(o, "every call")
	}
	slices.SortStableFunc(v.Failures, func(a, b failure) int { return cmp.Or(a.rank-b.rank, a.status-b.status) })
	if i := slices.IndexFunc(v.Failures, func(f failure) bool { return f.rank == dialect.RareRank }); i >= 0 {
		v.Failures, v.Rare = v.Failures[:i], v.Failures[i:]
	}
	v.Summary = summary(c.info)
	return v, v.use(c)
}

// shownRoutes are the routes of a section in the file's order, but for the main
// sign-in, which comes first. Preflight requests are browsers' own business.
func shownRoutes(info *dialect.Description, operations []dialect.Operation) []int {
	var all []int
	main := info.Main()
	for i, route := range info.Routes {
		switch {
		case !route.Enabled || !slices.Contains(operations, route.Operation):
		case route.Operation == dialect.Fixed && slices.Equal(route.Methods, []string{http.MethodOptions}):
		case i == main:
			all = slices.Insert(all, 0, i)
		default:
			all = append(all, i)
		}
	}
	return all
}

// tellApart gives routes that are called the same titles of their own.
func (s *section) tellApart(info dialect.Description) {
	count := map[string]int{}
	for _, b := range s.Blocks {
		count[b.Title]++
	}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		switch {
		case count[b.Title] == 1:
		case b.When != "":
			b.Title, b.When = b.Title+", where "+b.When, "" // once is enough
		case b.policy != "" && len(info.Tokens) > 1:
			b.Title += ": " + strings.ReplaceAll(b.policy, "_", " ")
		default:
			b.Title += ": " + b.Path
		}
	}
}

// use tells how a token is brought, and how long it lives.
func (v *view) use(c *composer) error {
	for i := range v.Info.Carriers {
		v.Carriers = append(v.Carriers, carrier{carrierLine(v.Info.Carriers[i]), v.Info.Carriers[i].With})
	}
	for _, t := range v.Info.Tokens {
		v.Tokens = append(v.Tokens, newToken(t))
	}
	carrier := 0
	if i := c.info.Main(); i >= 0 {
		carrier = c.info.Routes[i].Carrier
	}
	next, err := c.next(carrier)
	if err != nil {
		return err
	}
	next.Assign = ":="
	p := program{Token: c.options.Token, Call: next}
	if p.Token == "" {
		p.Token = "your-token"
	}
	v.Use, err = p.samples()
	return err
}

func carrierLine(c dialect.CarrierInfo) string {
	switch c.In {
	case "header":
		return c.Name + ": " + strings.TrimSpace(c.Scheme+" TOKEN")
	case "cookie":
		return "Cookie: " + c.Name + "=TOKEN"
	default:
		return "?" + c.Name + "=TOKEN"
	}
}

func (v *view) block(c *composer, index int) (block, error) {
	route := c.info.Routes[index]
	b := block{
		ID: v.id(string(route.Operation)), Title: route.Title, Methods: route.Methods, Path: route.Path,
		About: paragraphs(route.Doc), When: route.When, Bearer: route.Bearer, operation: route.Operation, policy: route.Policy,
	}
	for _, a := range route.Accept {
		if !slices.Contains(b.Types, a.Type) {
			b.Types = append(b.Types, a.Type)
		}
	}
	for _, c := range route.Holds {
		if c.Present && !slices.ContainsFunc(route.Inputs, func(in dialect.InputInfo) bool { return in.From[0].String() == c.From.String() }) {
			b.Inputs = append(b.Inputs, heldInput(c))
		}
	}
	for _, in := range route.Inputs {
		b.Inputs = append(b.Inputs, newInput(in))
	}
	if len(b.Inputs) == 0 {
		b.Types = nil // there is nothing to put into a body
	}
	var err error
	if b.Samples, err = c.samples(index); err != nil {
		return b, err
	}
	for i, ok := range route.OK {
		made := newAnswer(ok)
		switch {
		case made.Case != "" || len(made.About) > 0 || len(route.OK) == 1:
		case i == len(route.OK)-1:
			made.Case = "otherwise"
		default:
			made.Case = "in some cases"
		}
		b.Replies = append(b.Replies, made)
	}
	where := strings.Join(route.Methods, ", ") + " " + route.Path
	for _, o := range route.Outcomes {
		for _, id := range v.fail(o, where) {
			named := func(other reference) bool { return other.Status == id.Status && other.Title == id.Title }
			if id.rank < dialect.RareRank && !slices.ContainsFunc(b.Failures, named) {
				b.Failures = append(b.Failures, id)
			}
		}
	}
	slices.SortStableFunc(b.Failures, func(x, y reference) int { return cmp.Or(x.rank-y.rank, strings.Compare(x.Status, y.Status)) })
	return b, nil
}

// id is a name that nothing else on the page has.
func (v *view) id(words string) string {
	base := strings.ReplaceAll(words, "_", "-")
	id := base
	for n := 2; v.ids[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	v.ids[id] = true
	return id
}

func newAnswer(r dialect.ReplyInfo) answer {
	a := answer{Status: strconv.Itoa(r.Status) + " " + http.StatusText(r.Status), Type: r.Type, About: paragraphs(r.Doc), source: r.Source}
	if r.When != "" {
		a.Case = "where " + r.When
	}
	for _, h := range r.Headers {
		a.Headers = append(a.Headers, pair{h.Name, headerValue(h.Schema)})
	}
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		a.Headers = append(a.Headers, pair{"Retry-After", "30"})
	case http.StatusMethodNotAllowed:
		a.Headers = append(a.Headers, pair{"Allow", "<the methods that the path knows>"})
	}
	for _, c := range r.Cookies {
		a.Headers = append(a.Headers, pair{"Set-Cookie", cookieValue(c)})
	}
	a.Body = string(r.Example)
	if r.Body == dialect.BodyJSON {
		if text, err := pretty(r.Example); err == nil {
			a.Body = text
		}
		a.Members = fields(nil, "", r.Schema)
	}
	if s := r.Schema; r.Body == dialect.BodyText && s.Doc != "" {
		a.Members = []field{{"the whole body", "text", s.Doc}}
	}
	return a
}

func newToken(t dialect.TokenInfo) token {
	made := token{Name: t.Name, About: paragraphs(t.Doc)}
	add := func(name, value string) {
		if value != "" {
			made.Facts = append(made.Facts, pair{name, value})
		}
	}
	kind := "JSON Web Token, signed with " + t.Algorithm
	if t.Format == core.FormatOpaque {
		kind = "opaque: it tells nothing by itself"
	}
	add("Form", kind)
	add("Lives", lifetime(t))
	if t.Idle > 0 {
		add("Unused", "ends after "+spell(t.Idle)+" without a request")
	}
	switch {
	case t.Per != "":
		add("At a time", "one for each "+t.Per+": a new token ends the one before")
	case t.One == core.SlotNewest:
		add("At a time", "one: a new token ends the one before")
	case t.One == core.SlotSame:
		add("At a time", "one: signing in again gives the same token until it ends")
	}
	if t.Refresh > 0 {
		add("Refresh token", "lives "+spell(t.Refresh))
	}
	if t.Session > 0 {
		add("Session", "signing in again is needed after "+spell(t.Session))
	}
	if t.Claims != nil && t.Format != core.FormatOpaque {
		made.Claims = fields(nil, "", t.Claims)
	}
	return made
}

func lifetime(t dialect.TokenInfo) string {
	switch {
	case t.Lifetime == 0:
		return "without end"
	case t.Most > 0:
		return spell(t.Lifetime) + ", or as long as is asked for, from " + spell(t.Least) + " to " + spell(t.Most)
	default:
		return spell(t.Lifetime)
	}
}

func last(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// UseView is the sample that uses a token, for the template.
func (v *view) UseView() any {
	return struct {
		ID      string
		Samples []Sample
	}{"use", v.Use}
}
