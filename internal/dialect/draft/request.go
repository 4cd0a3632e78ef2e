package draft

import (
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

// readBody takes the body's values for fields.
func (r *Request) readBody(contentType, content string) error {
	typ, _, _ := mime.ParseMediaType(contentType)
	switch {
	case content == "":
		r.Form = None
		return nil
	case looksLikeJSON(content) && typ != "application/x-www-form-urlencoded" || body.IsJSON(typ) || strings.HasSuffix(typ, "+json"),
		looksLikeJSON(content) && !strings.Contains(content, "="):
		return r.readJSON(typ, content)
	case typ == "application/x-www-form-urlencoded":
		r.Form = URLForm
		for _, pair := range pairs(content) {
			r.Fields = append(r.Fields, Field{Place: "body", Path: []string{pair[0]}, Value: body.NewString(pair[1])})
		}
		return nil
	}
	return &Problem{fmt.Sprintf("the body is of type %s, which no dialect reads", typ), "a dialect reads JSON and forms: start from a contract like yours, with `chancery dialect show kyc`"}
}

func looksLikeJSON(content string) bool { return strings.HasPrefix(strings.TrimSpace(content), "{") }

func (r *Request) readJSON(typ, content string) error {
	value, err := body.ParseJSON([]byte(content), limits)
	if err != nil || value.Kind() != body.Object {
		return &Problem{"the body is no JSON object", "give the command in single quotes, so that the shell leaves the body alone"}
	}
	r.Form, r.Body = JSON, value
	if typ != "application/json" && (body.IsJSON(typ) || strings.HasSuffix(typ, "+json")) {
		r.MediaType = typ
	}
	r.leaves(nil, value)
	return nil
}

// leaves adds every value below v that is no object.
func (r *Request) leaves(path []string, v body.Value) {
	for _, m := range v.Members() {
		at := append(slices.Clone(path), m.Name())
		if m.Value().Kind() == body.Object && len(m.Value().Members()) > 0 {
			r.leaves(at, m.Value())
			continue
		}
		r.Fields = append(r.Fields, Field{Place: "body", Path: at, Value: m.Value(), Type: typeOf(m.Value())})
	}
}

func typeOf(v body.Value) string {
	switch v.Kind() {
	case body.Bool:
		return "boolean"
	case body.Number:
		if strings.ContainsAny(v.Number(), ".eE") {
			return "number"
		}
		return "integer"
	case body.List:
		return "list"
	case body.Object:
		return "object"
	case body.Null:
		return "any"
	default:
		return ""
	}
}

func (r *Request) addBasic(name, password string) {
	r.Fields = append(r.Fields,
		Field{Place: "basic", Path: []string{"username"}, Value: body.NewString(name), Role: "identifier", Need: true},
		Field{Place: "basic", Path: []string{"password"}, Value: body.NewString(password), Role: "secret", Need: true})
}

// pairs are the names and values of a query or a form.
func pairs(text string) [][2]string {
	var all [][2]string
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		all = append(all, [2]string{unescape(name), unescape(value)})
	}
	return all
}

// unescape is what a form means, and the text itself where it is none.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// Names by which contracts call a login name and a password, the likeliest first,
// without case, blanks, hyphens and underscores.
var (
	secretNames = []string{
		"password", "passwd", "pwd", "pass", "userpassword", "loginpassword", "passphrase", "pin",
		"secret", "secretkey", "apisecret", "accesssecret", "secretaccesskey", "appsecret", "keysecret", "clientsecret", "consumersecret",
	}
	identifierNames = []string{
		"username", "login", "loginname", "loginid", "userlogin", "email", "emailaddress", "useremail", "mail", "user", "userid", "account", "accountname",
		"accesskey", "accesskeyid", "apikey", "apikeyid", "keyid", "key", "clientid", "appid", "appkey", "consumerkey", "identifier", "phone", "phonenumber", "name", "id",
	}
	keyNames = []string{"accesskey", "accesskeyid", "apikey", "apikeyid", "keyid", "key", "clientid", "appid", "appkey", "consumerkey"}
	// codeNames2FA are those of the code of a second factor.
	codeNames2FA = []string{"otp", "totp", "otpcode", "totpcode", "mfacode", "mfatoken", "twofactorcode", "onetimepassword", "onetimecode", "authcode"}
	// constantNames are those whose value a contract fixes.
	constantNames = []string{"granttype", "method", "auth", "authtype", "logintype", "type"}
)

var separators = regexp.MustCompile(`[\s_.-]+`)

// folded is a name as the lists above have it; the X- of headers says nothing.
func folded(name string) string {
	return separators.ReplaceAllString(strings.TrimPrefix(strings.ToLower(name), "x-"), "")
}

func (f *Field) last() string { return f.Path[len(f.Path)-1] }

// assign finds out which fields are the login name and the password.
func (r *Request) assign() error {
	secret := r.role("secret", secretNames, "password")
	if secret == nil {
		return &Problem{"no field of the request looks like a password; it has " + r.fieldNames(),
			"rename the password's field to password, and write its own name into the file afterwards: inputs, secret, from"}
	}
	if r.role("identifier", identifierNames, "") == nil {
		return &Problem{"no field of the request looks like a login name; it has " + r.fieldNames(),
			"rename the login name's field to username, and write its own name into the file afterwards: inputs, identifier, from"}
	}
	r.assignClient()
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Role == "" && slices.Contains(codeNames2FA, folded(f.last())) && r.byRole("otp") == nil && !r.forKeys() {
			f.Role, f.Need, f.Type = "otp", false, ""
		}
		if f.Role == "" && !f.Const && slices.Contains(constantNames, folded(f.last())) && f.Value.Kind() == body.String && f.Value.Text() != "" {
			f.Const, f.Need = true, true
		}
	}
	return nil
}

// assignClient finds the application that signs in beside somebody.
func (r *Request) assignClient() {
	find := func(names ...string) *Field {
		for i := range r.Fields {
			if f := &r.Fields[i]; f.Role == "" && slices.Contains(names, folded(f.last())) && f.Value.Kind() == body.String {
				return f
			}
		}
		return nil
	}
	client, secret := find("clientid", "appid", "appkey", "consumerkey"), find("clientsecret", "appsecret", "consumersecret")
	if client != nil && secret != nil && !r.forKeys() {
		client.Role, client.Need = "client", true
		secret.Role, secret.Need = "client_secret", true
	}
}

// role gives the role to the field whose name comes first among names, or else to
// one whose name ends so.
func (r *Request) role(role string, names []string, ending string) *Field {
	best, rank := (*Field)(nil), len(names)
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Role == role {
			return f
		}
		at := slices.Index(names, folded(f.last()))
		if at < 0 && ending != "" && strings.HasSuffix(folded(f.last()), ending) {
			at = len(names) - 1
		}
		if at >= 0 && at < rank && f.Role == "" && f.Value.Kind() == body.String {
			best, rank = f, at
		}
	}
	if best != nil {
		best.Role, best.Need = role, true
	}
	return best
}

func (r *Request) fieldNames() string {
	if len(r.Fields) == 0 {
		return "none"
	}
	var names []string
	for i := range r.Fields {
		names = append(names, strings.Join(r.Fields[i].Path, "."))
	}
	return strings.Join(names, ", ")
}

// byRole is the field of a role, or nil.
func (r *Request) byRole(role string) *Field {
	for i := range r.Fields {
		if r.Fields[i].Role == role {
			return &r.Fields[i]
		}
	}
	return nil
}

// forKeys reports whether programs sign in, by access keys.
func (r *Request) forKeys() bool {
	f := r.byRole("identifier")
	return f.Place != "basic" && slices.Contains(keyNames, folded(f.last()))
}
