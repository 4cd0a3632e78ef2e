package draft

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// File writes the dialect file. file is the name that its first lines tell readers
// to type. What is left out is among the notes afterwards.
func (d *Draft) File(file string) ([]byte, error) {
	g, err := d.prepare()
	if err != nil {
		return nil, err
	}
	t := readToken(g.token)
	g.isJWT = g.token == "" || g.token == sampleWord || jwt.MatchString(g.token)
	g.lifetime = cmp.Or(d.Lifetime, t.lifetime())
	if d.Success != nil && g.lifetime == 0 {
		g.lifetime = d.Success.lifetimeFromInstants()
	}
	ok := d.success(g)
	tokens := d.policy(g, t)

	var b strings.Builder
	d.head(&b, file)
	who := "Accounts sign in by password."
	if d.Request.forKeys() {
		who = "Programs sign in by access key. For people with passwords it is account."
	}
	dump(&b, who, "subject", plain(d.subject()))
	dump(&b, "What a sign-in gives. The lifetime is for the operator to choose: a member of\nsettings can be set wherever the dialect is served.", "settings", g.settings())
	dump(&b, "", "tokens", tokens)
	dump(&b, "Where later calls bring it.", "carriers", d.carriers())
	dump(&b, "", "defaults", d.defaults())
	dump(&b, "identifier and secret are what Chancery checks; from says where they stand.", "routes", list(d.route(ok.template)))
	dump(&b, d.aboutErrors(), "errors", d.replies())
	dump(&b, "Who the examples speak of. No server creates them.", "samples", d.samples(g))
	dump(&b, "Requests and the replies that they must get: tests, and what the manual shows.", "examples", d.examples(g, ok.expected))
	return []byte(b.String()), nil
}

// prepare fills in what is not known, and looks for the token.
func (d *Draft) prepare() (*guesser, error) {
	d.Request.Method = cmp.Or(d.Request.Method, http.MethodPost)
	if d.Refusal == nil {
		d.Refusal = defaultRefusal()
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	g := &guesser{keys: d.Request.forKeys(), sample: d.Request.sampleFor(), attributes: mapping()}
	d.keepRules(g.sample)
	if f := d.Request.byRole("identifier"); f.Place != "basic" || f.Value.Text() != "" {
		g.login = f.Value.Text()
	}
	if d.Success != nil {
		slices.SortFunc(d.Success.Headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
		if g.findToken(d.Success) == "" {
			return nil, noToken
		}
	}
	d.noteLeft("sign-in", d.Success)
	d.noteLeft("wrong password", d.Refusal)
	d.Notes = once(d.Notes)
	if g.refresh != "" {
		d.Notes = append(d.Notes, "Where clients send the refresh token: add a route for it, with do: refresh.")
	}
	return g, nil
}

// once is a list without what is in it before.
func once(all []string) []string {
	var kept []string
	for _, one := range all {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// noteLeft says which headers of a reply are not in the file.
func (d *Draft) noteLeft(what string, r *Reply) {
	if r != nil && len(r.Left) > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("Of the reply to a %s: %s.", what, strings.Join(r.Left, ", ")))
	}
}

var noToken = &Problem{"the reply to a right password holds nothing like a token", "give what the API answers when the password is right, with its headers: `curl -i` prints all of it"}

func (d *Draft) head(b *strings.Builder, file string) {
	title := strings.Join(strings.Fields(cmp.Or(d.Title, d.Name)), " ")
	fmt.Fprintf(b, `# A first draft of %s, made from %s. What the API is known to
# answer is kept as it is, but for what is listed below; the comments behind values mark
# guesses, and what was answered to one and may not hold for others. To go on:
#
#   chancery dialect check %[3]s      what is wrong with the file, and what it costs in safety
#   chancery dialect test %[3]s       send its examples to a server of their own
#   chancery dialect explain %[3]s    tell how it takes a request, step by step
`, title, d.Origin, file)
	for i, note := range d.Notes {
		if i == 0 {
			b.WriteString("#\n# What was left out:\n")
		}
		fmt.Fprintf(b, "# - %s\n", printable(note))
	}
	out, err := yaml.Dump(mapping().say("dialect", d.Name).add("title", literal(title)).Node, yaml.WithV4Defaults(), yaml.WithLineWidth(-1))
	if err != nil { // two texts can be written
		panic(err)
	}
	b.Write(out)
}

func (d *Draft) subject() string {
	if d.Request.forKeys() {
		return "key"
	}
	return "account"
}

func (d *Draft) carriers() *yaml.Node {
	carriers := d.Carriers
	if len(carriers) == 0 {
		carriers = []Carrier{{In: "header", Name: "Authorization", Scheme: "Bearer"}}
	}
	all := list()
	for _, c := range carriers {
		m := mapping().say("in", c.In).say("name", c.Name)
		if c.Scheme != "" {
			m.say("scheme", c.Scheme)
		}
		all.Content = append(all.Content, flat(m))
	}
	return all
}

// compact reports whether refusals are short enough for one line each.
func (d *Draft) compact() bool {
	return d.Refusal.JSON == nil || d.Refusal.JSON.Kind() == body.Object && len(d.Refusal.JSON.Members()) <= 3
}

// defaults are the media types that replies have in common.
func (d *Draft) defaults() *yaml.Node {
	if d.Refusal.Type == "" || d.Refusal.JSON == nil && d.Refusal.Text == "" {
		return nil
	}
	return mapping().add("errors", flat(mapping().say("type", d.Refusal.Type))).Node
}

func (d *Draft) aboutErrors() string {
	return "One reply for each outcome; those that are not here have that of the outcome above\nthem, so that a wrong password and an unknown login are told alike. All but\nbad_credentials are written in its manner: correct them where the API differs."
}

// success guesses the reply to a sign-in.
func (d *Draft) success(g *guesser) guess {
	r := d.Success
	if r == nil {
		return guess{
			mapping().add("json", mapping().say("token", "${token.value}").Node).Node,
			mapping().add("status", plain("200")).add("json", mapping().say("token", "<jwt>").Node).Node,
		}
	}
	status := cmp.Or(r.Status, http.StatusOK)
	template, expected := mapping(), mapping().add("status", plain(strconv.Itoa(status)))
	if status != http.StatusOK {
		template.add("status", plain(strconv.Itoa(status)))
	}
	if r.Type != "" {
		template.say("type", r.Type)
	}
	headers, wanted := mapping(), mapping()
	for _, h := range r.Headers {
		made := same(literal(h.Value), literal(h.Value))
		if h.Token {
			made = g.tokenText(h.Value)
		}
		headers.add(h.Name, made.template)
		wanted.add(h.Name, made.expected)
	}
	if len(headers.Content) > 0 {
		template.add("headers", flat(headers))
		expected.add("headers", flat(wanted))
	}
	if cookies := g.cookies(r); cookies != nil {
		template.add("cookies", cookies)
	}
	switch {
	case r.JSON != nil:
		made := g.value(nil, *r.JSON)
		template.add("json", made.template)
		expected.add("json", made.expected)
	case r.Text != "" && r.Text == g.token:
		made := g.tokenText(r.Text)
		template.add("text", made.template)
		expected.add("text", made.expected)
	case r.Text == "":
		template.add("empty", plain("true"))
		expected.add("empty", plain("true"))
	default:
		template.add("text", literal(r.Text))
		expected.add("text", literal(r.Text))
	}
	return guess{template.Node, expected.Node}
}

// cookies are those of the reply that may hold the token.
func (g *guesser) cookies(r *Reply) *yaml.Node {
	all := list()
	for _, c := range r.Cookies {
		m := mapping().say("name", c.Name).say("value", "${token.value}")
		if c.Path != "" {
			m.say("path", c.Path)
		}
		if c.MaxAge > 0 {
			m.say("max_age", "${token.lifetime}")
		}
		for _, is := range []struct {
			name string
			set  bool
		}{{"http_only", c.HttpOnly}, {"secure", c.Secure}} {
			if is.set {
				m.add(is.name, plain("true"))
			}
		}
		if site := sameSites[c.SameSite]; site != "" {
			m.say("same_site", site)
		}
		all.Content = append(all.Content, flat(m))
	}
	if len(all.Content) == 0 {
		return nil
	}
	return all
}

// route writes the sign-in.
func (d *Draft) route(ok *yaml.Node) *yaml.Node {
	r := &d.Request
	route := mapping().add("on", flat(mapping().say("method", r.Method).say("path", r.Path)))
	if accept := r.accepts(); accept != nil {
		route.add("accept", accept)
	}
	inputs, used := mapping(), []string{}
	for i := range r.Fields {
		f := &r.Fields[i]
		name := f.inputName(used)
		used = append(used, name)
		in := mapping().say("from", f.Place+"."+strings.Join(f.Path, "."))
		if f.Type != "" {
			in.say("type", f.Type)
		}
		if f.Need {
			in.add("required", plain("true"))
		}
		for _, rule := range f.Rules {
			in.add(rule.name, rule.node())
		}
		if f.Const {
			in.add("equals", literal(f.Value.Text()))
		}
		if f.Role == "" && secretish(name) {
			in.add("secret", plain("true"))
		}
		made := flat(in)
		switch {
		case f.Guess != "":
			made.LineComment = "# " + f.Guess
		case f.Role == "" && !f.Const && f.Place != "path":
			made.LineComment = "# read, and not needed; leave it out if it means nothing"
		}
		inputs.add(name, made)
	}
	route.add("inputs", inputs.Node)
	route.add("do", flat(mapping().say("operation", "authenticate").say("issue", "access")))
	return route.add("ok", ok).Node
}

// accepts says which media types the sign-in takes.
func (r *Request) accepts() *yaml.Node {
	switch {
	case r.Form == None || r.Form == "":
		if slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Place == "body" }) {
			return flatList(text("form"))
		}
		return nil
	case r.MediaType == "" || r.Form == XML && r.MediaType == "text/xml":
		return flatList(text(string(r.Form)))
	case r.Form == JSON && (body.IsJSON(r.MediaType) || strings.HasSuffix(r.MediaType, "+json")), r.Form == XML && isXML(r.MediaType):
		return flatList(text(r.MediaType))
	}
	other := flatList(text(string(r.Form)), flat(mapping().say("type", r.MediaType).say("as", string(r.Form))))
	other.LineComment = "# the command sends its body under that type; curl does where no -H names another"
	return other
}

// roleNames are the names that operations know: no other input can have them.
var roleNames = []string{
	"identifier", "account_id", "secret", "new_secret", "ticket", "tenant", "tenant_name", "client", "client_secret",
	"otp", "recovery_code", "challenge", "refresh", "token", "email", "name",
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// inputName is the input's name in the file.
func (f *Field) inputName(used []string) string {
	if f.Role != "" {
		return f.Role
	}
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(snake(f.called())), "_"), "_")
	if name == "" || name[0] < 'a' {
		name = "field_" + name
	}
	if slices.Contains(roleNames, name) {
		name += "_field"
	}
	name = name[:min(len(name), 60)]
	made := name
	for i := 2; slices.Contains(used, made); i++ {
		made = name + "_" + strconv.Itoa(i)
	}
	return made
}

var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

func snake(name string) string { return camel.ReplaceAllString(name, "${1}_${2}") }

var secretWord = regexp.MustCompile(`password|secret|hash|digest|passwd|token|otp|pin$`)

func secretish(name string) bool { return secretWord.MatchString(name) }
