package draft

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

var sameSites = map[http.SameSite]string{http.SameSiteLaxMode: "lax", http.SameSiteStrictMode: "strict", http.SameSiteNoneMode: "none"}

// A change is what an example sends in the place of the sample's credentials.
type change struct {
	login, secret string
	without       string // the role of a field that is left out
}

// send writes the request of the sign-in with a change.
func (d *Draft) send(g *guesser, c change) *yaml.Node {
	r := &d.Request
	request := mapping()
	if r.Method != http.MethodPost {
		request.say("method", r.Method)
	}
	query, headers, content := []string{}, mapping(), mapping()
	user, password := "", ""
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Role == "otp" || f.Role != "" && f.Role == c.without {
			continue
		}
		v := f.shown(g.sample, c)
		switch f.Place {
		case "query":
			query = append(query, url.QueryEscape(f.last())+"="+url.QueryEscape(v.Value))
		case "header":
			headers.add(f.last(), v)
		case "path": // shownPath has it
		case "basic":
			if f.last() == "username" {
				user = v.Value
			} else {
				password = v.Value
			}
		default:
			put(content, f.Path, v)
		}
	}
	if user != "" && password != "" {
		headers.say("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
	path := r.shownPath(c.login)
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	request.say("path", path)
	if r.MediaType != "" {
		headers.say("Content-Type", r.MediaType)
	}
	if len(headers.Content) > 0 {
		request.add("headers", flat(headers))
	}
	switch r.Form {
	case JSON:
		request.add("json", content.Node)
	case XML:
		request.say("xml", xmlText(content.Node)) // texts in it are escaped already
	case URLForm, Multipart:
		request.add(string(r.Form), content.Node)
	case None:
	}
	return flat(request)
}

// shownPath is the path with something in the place of its variables: the login name
// where it is there.
func (r *Request) shownPath(login string) string {
	path := r.Path
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Place != "path" {
			continue
		}
		shown := "sample"
		if f.Role == "identifier" {
			shown = url.PathEscape(login)
		}
		path = strings.ReplaceAll(path, "{"+f.last()+"}", shown)
	}
	return path
}

// put sets a value below names in nested mappings.
func put(t tree, path []string, v *yaml.Node) {
	for _, name := range path[:len(path)-1] {
		inner := t.get(name)
		if inner == nil {
			inner = mapping().Node
			t.add(name, inner)
		}
		t = tree{inner}
	}
	t.add(path[len(path)-1], v)
}

// maxShown is how long a text of the request may be that examples send as it is.
const maxShown = 40

// shown is what an example sends for a field: never what was sent as a secret.
func (f *Field) shown(s sample, c change) *yaml.Node {
	switch f.Role {
	case "identifier":
		return text(c.login)
	case "secret":
		return text(c.secret)
	case "client":
		return text(sampleClient)
	case "client_secret":
		return text(sampleKeySecret)
	}
	switch kind := f.Value.Kind(); {
	case secretish(strings.ToLower(snake(f.called()))):
		return standIn(kind)
	case kind == body.String && len(f.Value.Text()) > maxShown:
		return standIn(kind)
	}
	return value(f.Value)
}

// standIn is something of a kind in the place of what is not to be told.
func standIn(kind body.Kind) *yaml.Node {
	switch kind {
	case body.Bool:
		return plain("true")
	case body.Number:
		return plain("1")
	case body.List:
		return flatList()
	case body.Object:
		return flat(mapping())
	case body.Null:
		return plain("null")
	default:
		return text("sample")
	}
}

// examples writes the section of examples.
func (d *Draft) examples(g *guesser, ok *yaml.Node) *yaml.Node {
	s, all := g.sample, list()
	add := func(name string, send, expect *yaml.Node) {
		all.Content = append(all.Content, mapping().say("name", name).add("send", send).add("expect", expect).Node)
	}
	refused := func(name, kind string) *yaml.Node {
		i := slices.IndexFunc(outcomes, func(o outcome) bool { return o.name == name })
		made := tree{d.word(outcomes[i]).expected}
		made.Content = slices.Insert(made.Content, 2, text("outcome"), text(kind))
		if d.compact() {
			return flat(made)
		}
		return made.Node
	}
	sent := s.changes(&d.Request)
	right := sent[0]
	add("login", d.send(g, right), ok)
	add("wrong password", d.send(g, sent[1]), refused("bad_credentials", "bad_secret"))
	add("unknown login", d.send(g, sent[2]), refused("bad_credentials", "unknown"))
	if d.Request.forKeys() {
		add("expired access key", d.send(g, sent[3]), refused("bad_credentials", "key_expired"))
	} else {
		add("disabled account", d.send(g, sent[3]), refused("bad_credentials", "inactive"))
	}
	missing := right
	missing.without = "secret"
	add("password missing", d.send(g, missing), refused("invalid_request", "missing_field"))
	path := d.Request.shownPath(s.login)
	if d.Request.Form == JSON {
		raw := mapping().say("path", path).add("headers", flat(mapping().say("Content-Type", cmp.Or(d.Request.MediaType, "application/json")))).say("raw", `{"`)
		add("a body that is not JSON", flat(raw), refused("invalid_request", "malformed_body"))
	}
	if accept := d.Request.accepts(); accept != nil {
		add("a media type that is not taken", flat(d.elsewhere(path).say("text", "x")), refused("invalid_request", "wrong_content_type"))
	}
	add("another method", flat(mapping().say("method", "DELETE").say("path", path)), refused("method_not_allowed", "method_not_allowed"))
	add("an unknown path", flat(d.elsewhere("/no"+strings.TrimSuffix(path, "/"))), refused("not_found", "not_found"))
	return all
}

// elsewhere begins a request of the sign-in's method.
func (d *Draft) elsewhere(path string) tree {
	t := mapping()
	if d.Request.Method != http.MethodPost {
		t.say("method", d.Request.Method)
	}
	return t.say("path", path)
}
