package draft

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// A guesser turns what an API answered into expressions. It keeps what it learns of
// the token and of the account on the way.
type guesser struct {
	login           string // what the request signed in with; "" when nobody knows
	keys            bool   // whether access keys sign in
	tokenAt         string // the member that is the token, as a path; "" when it is elsewhere
	token           string // as it was answered
	refresh         string // the refresh token, likewise
	isJWT           bool   // whether it is one, or nobody knows
	lifetime        time.Duration
	refreshLifetime time.Duration
	attributes      tree     // of the sample account
	accounts        []string // paths of objects that tell of an account though their names do not
	sample          sample
}

// A guess is a value as the contract writes it, and as an example expects it.
type guess struct{ template, expected *yaml.Node }

// same is a value that is the same for everybody.
func same(n *yaml.Node, expected *yaml.Node) guess { return guess{n, expected} }

// fact is ${expression}, and what the samples make of it.
func fact(expression, expected string) guess {
	return guess{text("${" + expression + "}"), text(expected)}
}

func (g guess) because(comment string) guess {
	remark(g.template, comment)
	return g
}

// Names of members by what they tell, folded as in request.go.
var (
	tokenNames   = []string{"accesstoken", "token", "authtoken", "jwt", "jwttoken", "bearertoken", "sessiontoken", "idtoken", "apitoken", "sessionid", "session", "sid"}
	refreshNames = []string{"refreshtoken", "refresh"}
	idNames      = []string{"id", "uuid", "userid", "useruuid", "accountid", "uid", "sub", "guid"}
	accountFacts = map[string]string{
		"email": "account.email", "mail": "account.email", "emailaddress": "account.email", "useremail": "account.email",
		"username": "account.login", "login": "account.login", "preferredusername": "account.login", "loginname": "account.login",
		"name": "account.name", "fullname": "account.name", "displayname": "account.name",
		"roles": "account.roles", "role": firstRole, "groups": "account.roles",
		"active": "account.active", "isactive": "account.active", "enabled": "account.active",
		"verified": "account.verified", "isverified": "account.verified", "emailverified": "account.verified",
		"requestid": "request.id", "traceid": "request.id", "correlationid": "request.id",
	}
	accountObjects = []string{"user", "account", "profile", "customer", "member", "owner", "userinfo", "userdata", "me"}
)

// tokenName reports whether a member, header or cookie of that name may be a token.
func tokenName(name string) bool {
	f := folded(name)
	return slices.Contains(tokenNames, f) || strings.HasSuffix(f, "token") && !strings.Contains(f, "csrf") && !strings.Contains(f, "xsrf") || strings.HasSuffix(f, "session")
}

// findToken decides which of a reply's texts is the token, and returns it.
func (g *guesser) findToken(r *Reply) string {
	best, rank := "", len(tokenNames)+1
	var look func(path []string, v body.Value)
	look = func(path []string, v body.Value) {
		for _, m := range v.Members() {
			look(append(slices.Clone(path), m.Name()), m.Value())
		}
		for i, item := range v.Items() {
			look(append(slices.Clone(path), strconv.Itoa(i)), item)
		}
		if v.Kind() != body.String || len(path) == 0 || v.Text() == "" {
			return
		}
		name := folded(path[len(path)-1])
		if slices.Contains(refreshNames, name) {
			g.refresh = v.Text()
			return
		}
		at := slices.Index(tokenNames, name)
		if at < 0 && (tokenName(name) || jwt.MatchString(v.Text())) && name != "tokentype" {
			at = len(tokenNames)
		}
		if at >= 0 && at < rank {
			best, rank, g.token = strings.Join(path, "/"), at, v.Text()
		}
	}
	if r.JSON != nil {
		look(nil, *r.JSON)
	}
	g.tokenAt = best
	switch {
	case g.token != "":
	case r.JSON == nil && r.Text != "" && !strings.ContainsAny(r.Text, " \n<"):
		g.token = r.Text
	case tokenHeader(r) != nil:
		g.token = tokenHeader(r).Value
	case len(r.Cookies) > 0:
		g.token = r.Cookies[0].Value
	case r.JSON != nil && r.JSON.Kind() == body.String && !strings.ContainsAny(r.JSON.Text(), " \n<"):
		g.token = r.JSON.Text()
	}
	g.token = strings.TrimPrefix(strings.TrimPrefix(g.token, "Bearer "), "bearer ")
	return g.token
}

// tokenHeader is the header that holds the token, or nil.
func tokenHeader(r *Reply) *Header {
	if i := slices.IndexFunc(r.Headers, func(h Header) bool { return h.Token }); i >= 0 {
		return &r.Headers[i]
	}
	return nil
}

// value guesses a value of a reply that stands at path.
func (g *guesser) value(path []string, v body.Value) guess {
	switch v.Kind() {
	case body.Object:
		if g.tellsAccount(v) {
			g.accounts = append(g.accounts, strings.Join(path, "/")+"/")
		}
		template, expected := mapping(), mapping()
		for _, m := range v.Members() {
			made := g.value(append(slices.Clone(path), m.Name()), m.Value())
			template.add(memberName(m.Name()), made.template)
			expected.add(m.Name(), made.expected)
		}
		return guess{template.Node, expected.Node}
	case body.List:
		if known, ok := g.accountFact(path, v); ok {
			return known
		}
		template, expected := list(), list()
		for i, item := range v.Items() {
			made := g.value(append(slices.Clone(path), strconv.Itoa(i)), item)
			template.Content, expected.Content = append(template.Content, made.template), append(expected.Content, made.expected)
		}
		constants(nameOf(path), v, template)
		return guess{template, expected}
	case body.String:
		return g.text(path, v)
	case body.Number:
		return g.number(path, v)
	default:
		if known, ok := g.accountFact(path, v); ok {
			return known
		}
		return constant(nameOf(path), v)
	}
}

// nameOf is the last of the names that lead to a value; "" for the whole.
func nameOf(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}

// memberName writes a name of a reply in a template, where $ and ? mean something.
func memberName(name string) string {
	if strings.HasPrefix(name, "$") {
		name = "$" + name
	}
	if strings.HasSuffix(name, "?") && name != "?" {
		name += "?"
	}
	return strings.ReplaceAll(name, "${", "$")
}

var (
	isoText    = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$`)
	uuidText   = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	randomText = regexp.MustCompile(`^[A-Za-z0-9+/_=.-]{24,}$`)
)

// text guesses what a text tells. Texts that look secret are never copied.
func (g *guesser) text(path []string, v body.Value) guess {
	is, name := v.Text(), folded(nameOf(path))
	switch {
	case g.tokenAt != "" && strings.Join(path, "/") == g.tokenAt || recurs(is, g.token):
		return g.tokenText(is)
	case slices.Contains(refreshNames, name) && is != "" || recurs(is, g.refresh):
		return fact("refresh.value", "<token>")
	case tokenName(name) && name != "tokentype" && is != "" || jwt.MatchString(is):
		return g.tokenText(is).because("the API answered a token here too")
	case isoText.MatchString(is):
		return g.iso(path, is)
	}
	if known, ok := g.accountFact(path, v); ok {
		return known
	}
	if randomText.MatchString(is) && strings.ContainsAny(is, "0123456789") {
		return fact("token.id", "<text>").because("the API answered something random here: is it this?")
	}
	return constant(nameOf(path), v)
}

// recurs reports whether a text is one that is known from another place of the request or
// the reply. What stands for a text of which nothing is known is at many places, and says
// nothing of any.
func recurs(is, known string) bool {
	return known != "" && is == known && !slices.Contains(sampleTexts, is)
}

// tokenText is the token, with the scheme before it if there was one.
func (g *guesser) tokenText(is string) guess {
	placeholder := "<token>"
	if g.isJWT {
		placeholder = "<jwt>"
	}
	if len(is) > 7 && strings.EqualFold(is[:7], "bearer ") {
		return guess{text(is[:7] + "${token.value}"), text(is[:7] + placeholder)}
	}
	return fact("token.value", placeholder)
}

func hasAny(name string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
}

// instant says which instant a member of that name tells.
func (g *guesser) instant(path []string) string {
	name := folded(nameOf(path))
	refresh := strings.Contains(name, "refresh")
	switch {
	case refresh && g.refresh != "" && hasAny(name, "exp", "valid", "until"):
		return "refresh.expires_at"
	case hasAny(name, "exp", "valid", "until"):
		return "token.expires_at"
	case hasAny(name, "issued", "iat"):
		return "token.issued_at"
	case hasAny(name, "create", "registered", "joined") && g.ofAccount(path):
		return "account.created_at"
	case hasAny(name, "update", "modified") && g.ofAccount(path):
		return "account.updated_at"
	}
	return "now"
}

func (g *guesser) iso(path []string, is string) guess {
	parts := isoText.FindStringSubmatch(is)
	name := "iso"
	if parts[1] != "" {
		name = "iso_full"
	}
	made := fact(name+"("+g.instant(path)+", "+strconv.Itoa(min(len(parts[1]), 9))+")", "<iso>")
	if parts[2] != "Z" || strings.Contains(is, " ") {
		return made.because("the API wrote it as in " + is)
	}
	return made
}

// number guesses what a number tells.
func (g *guesser) number(path []string, v body.Value) guess {
	name, n := folded(nameOf(path)), number(v)
	counted := func(expression string) guess { return guess{text("${" + expression + "}"), text("<integer>")} }
	switch {
	case n >= 1e12 && n < 1e14 && n == float64(int64(n)):
		return counted("epoch_ms(" + g.instant(path) + ")")
	case n >= 1e9 && n < 1e11 && n == float64(int64(n)):
		return counted("epoch(" + g.instant(path) + ")")
	case n > 0 && strings.Contains(name, "refresh") && g.refresh != "" && hasAny(name, "exp", "valid", "ttl", "lifetime"):
		g.refreshLifetime = time.Duration(n) * time.Second
		return counted("refresh.lifetime")
	case n > 0 && (slices.Contains(lifetimeNames, name) || strings.HasPrefix(name, "expiresin")):
		return g.length(name, v)
	}
	if known, ok := g.accountFact(path, v); ok {
		return known
	}
	return constant(name, v)
}

func number(v body.Value) float64 {
	n, _ := strconv.ParseFloat(v.Number(), 64)
	return n
}

// tellsAccount reports whether an object has the members of an account, and not the
// token besides.
func (g *guesser) tellsAccount(v body.Value) bool {
	known := 0
	for _, m := range v.Members() {
		expression := accountFacts[folded(m.Name())]
		if strings.HasPrefix(expression, "account.") || m.Value().Kind() == body.String && recurs(m.Value().Text(), g.login) {
			known++
		}
		if tokenName(m.Name()) || recurs(m.Value().Text(), g.token) {
			return false
		}
	}
	return known > 1
}

// ofAccount reports whether path leads into an object that tells of an account.
func (g *guesser) ofAccount(path []string) bool {
	if len(path) == 0 {
		return false
	}
	at := strings.Join(path[:len(path)-1], "/") + "/"
	if slices.ContainsFunc(g.accounts, func(account string) bool { return strings.HasPrefix(at, account) }) {
		return true
	}
	return slices.ContainsFunc(path[:len(path)-1], func(name string) bool { return slices.Contains(accountObjects, folded(name)) })
}

// accountFact guesses a fact of the account or of the access key.
func (g *guesser) accountFact(path []string, v body.Value) (guess, bool) {
	name, inside := folded(nameOf(path)), g.ofAccount(path)
	switch expression := accountFacts[name]; {
	case v.Kind() == body.String && recurs(v.Text(), g.login):
		if g.keys {
			return fact("key.identifier", g.sample.login), true
		}
		return fact("account.login", g.sample.login), true
	case expression != "" && (inside || name != "name" && name != "login"):
		if expected := g.sample.expects(expression, v); expected != nil {
			made := guess{text("${" + expression + "}"), expected}
			if expression == firstRole {
				made = made.because("an account without roles has an empty text here, one with several the first")
			}
			return made, true
		}
	case slices.Contains(idNames, name) && v.Kind() == body.String && (inside || name != "id" || uuidText.MatchString(v.Text())):
		return fact("account.id", "<uuid>"), true
	}
	if !inside {
		return guess{}, false
	}
	return g.attribute(nameOf(path), v)
}

var attributeName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// notInCEL are names that expressions keep for themselves.
var notInCEL = []string{
	"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
	"namespace", "null", "package", "return", "true", "var", "void", "while",
}

// attribute makes what is told of an account, and is no fact of its own, an attribute.
func (g *guesser) attribute(name string, v body.Value) (guess, bool) {
	var shown *yaml.Node
	switch v.Kind() {
	case body.String:
		shown = text("sample")
	case body.Number:
		shown = plain("1")
	case body.Bool:
		shown = plain("true")
	default:
		return guess{}, false
	}
	if !attributeName.MatchString(name) || slices.Contains(notInCEL, name) {
		return guess{}, false
	}
	if !slices.ContainsFunc(g.attributes.Content, func(n *yaml.Node) bool { return n.Value == name }) {
		g.attributes.add(name, shown)
	}
	return guess{text("${account.attributes." + name + "}"), shown}, true
}
