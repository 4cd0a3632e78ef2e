package draft

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// What samples sign in with. They are in public files: no secrets.
const (
	samplePassword  = "correct horse battery staple"
	sampleClient    = "sample-app"
	sampleKeySecret = "sample-secret-of-32-characters-or-so"
)

// A sample is who the examples sign in as.
type sample struct{ login, secret string }

// sampleFor is a sample whose login name looks like the one that was sent.
func (r *Request) sampleFor() sample {
	f := r.byRole("identifier")
	switch {
	case r.forKeys():
		return sample{"sample-key-1", sampleKeySecret}
	case strings.Contains(f.Value.Text(), "@") || strings.Contains(folded(f.called()), "mail"):
		return sample{"ada@example.com", samplePassword}
	}
	return sample{"ada", samplePassword}
}

// other is a login name that nobody has, or that of another sample.
func (s sample) other(name string) string {
	if _, domain, ok := strings.Cut(s.login, "@"); ok {
		return name + "@" + domain
	}
	return name
}

// changes are the credentials that the examples send: the right ones, a wrong password,
// an unknown login, and one that was disabled or has expired.
func (s sample) changes(r *Request) [4]change {
	ended := change{login: s.other("leaver"), secret: s.secret}
	if r.forKeys() {
		ended = change{login: "sample-key-2", secret: s.secret + "-too"}
	}
	return [4]change{
		{login: s.login, secret: s.secret}, {login: s.login, secret: s.wrong(r)}, {login: s.other("nobody"), secret: s.secret}, ended,
	}
}

// wrong is a password that nobody has, and that is long enough to be one.
func (s sample) wrong(r *Request) string {
	wrong := "wrong"
	for _, rule := range r.byRole("secret").Rules {
		for rule.name == "min" && len(wrong) < min(rule.bound, len(s.secret)) {
			wrong += " wrong"
		}
	}
	return wrong
}

const sampleName, sampleRole = "Ada Lovelace", "user"

// expects is what the sample makes of a fact in the place of v; nil where v is of
// another type than the fact.
func (s sample) expects(expression string, v body.Value) *yaml.Node {
	switch {
	case v.Kind() == body.Bool && (expression == "account.active" || expression == "account.verified"):
		return plain("true")
	case v.Kind() == body.List && expression == "account.roles":
		return list(text(sampleRole))
	case v.Kind() != body.String:
		return nil
	}
	switch expression {
	case "account.login":
		return text(s.login)
	case "account.email":
		return text("ada@example.com")
	case "account.name":
		return text(sampleName)
	case firstRole:
		return text(sampleRole)
	case "request.id":
		return text("<text>")
	}
	return nil
}

const firstRole = "size(account.roles) > 0 ? account.roles[0] : ''"

// samples writes the section of identities.
func (d *Draft) samples(g *guesser) *yaml.Node {
	account := func(login string) tree { return mapping().say("login", login) }
	ada := account(g.sample.login)
	if d.Request.forKeys() {
		ada = account("ada@example.com")
	} else {
		ada.say("password", g.sample.secret)
	}
	ada.say("email", "ada@example.com").say("name", sampleName).add("roles", flatList(text(sampleRole)))
	if len(g.attributes.Content) > 0 {
		ada.add("attributes", flat(g.attributes))
	}
	accounts := mapping().add("ada", ada.Node)
	s := mapping()
	if !d.Request.forKeys() {
		leaver := account(g.sample.other("leaver")).say("password", samplePassword).add("active", plain("false"))
		s.add("accounts", accounts.add("leaver", flat(leaver)).Node)
		if d.Request.byRole("client") != nil {
			app := mapping().say("identifier", sampleClient).say("secret", sampleKeySecret).say("account", "ada")
			s.add("keys", mapping().add("app", flat(app)).Node)
		}
		return s.Node
	}
	key := mapping().say("identifier", g.sample.login).say("secret", sampleKeySecret).say("account", "ada")
	ended := mapping().say("identifier", "sample-key-2").say("secret", sampleKeySecret+"-too").say("account", "ada").say("expires_at", "2020-01-01T00:00:00Z")
	return s.add("accounts", accounts.Node).add("keys", mapping().add("key", flat(key)).add("ended", flat(ended)).Node).Node
}

func flatList(items ...*yaml.Node) *yaml.Node {
	l := list(items...)
	l.Style = yaml.FlowStyle
	return l
}
