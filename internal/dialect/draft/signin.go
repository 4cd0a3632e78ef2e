package draft

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-auth/chancery/internal/dialect/body"
)

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

var bracketed = regexp.MustCompile(`\[([^\[\]]+)\]$`)

// called is the name by which people know a field: the last of user[email], an
// attribute's without its @, an element's for the text in it.
func (f *Field) called() string {
	name := strings.TrimPrefix(f.last(), "@")
	if name == "#text" && len(f.Path) > 1 {
		name = f.Path[len(f.Path)-2]
	}
	if inner := bracketed.FindStringSubmatch(name); inner != nil && f.Place == "body" {
		name = inner[1]
	}
	return name
}

// assign finds out which fields are the login name and the password.
func (r *Request) assign() error {
	r.clientInBasic()
	if r.role("secret", secretNames, "password") == nil {
		return r.noSecret()
	}
	if r.role("identifier", identifierNames, "username", "email", "login") == nil && !r.identifierInPath() {
		return r.noIdentifier()
	}
	r.assignClient()
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Role == "" && slices.Contains(codeNames2FA, folded(f.called())) && r.byRole("otp") == nil && !r.forKeys() {
			f.Role, f.Need, f.Type = "otp", false, ""
		}
		if f.Role == "" && !f.Const && slices.Contains(constantNames, folded(f.called())) && f.Value.Kind() == body.String && f.Value.Text() != "" {
			f.Const, f.Need, f.Rules = true, true, nil // which the value says better
		}
	}
	return nil
}

// clientInBasic takes Basic for the application where a person's password is in the body.
func (r *Request) clientInBasic() {
	people := Request{}
	for _, f := range r.Fields {
		if f.Place == "body" && !slices.Contains(keyNames, folded(f.called())) && !strings.HasPrefix(folded(f.called()), "client") {
			people.Fields = append(people.Fields, f)
		}
	}
	user, secret := r.byRole("identifier"), r.byRole("secret")
	if user == nil || secret == nil || people.role("secret", secretNames, "password") == nil || people.role("identifier", identifierNames, "username", "email", "login") == nil {
		return
	}
	user.Role, secret.Role = "client", "client_secret"
}

// assignClient finds the application that signs in beside somebody.
func (r *Request) assignClient() {
	find := func(names ...string) *Field {
		for i := range r.Fields {
			if f := &r.Fields[i]; f.Role == "" && slices.Contains(names, folded(f.called())) && f.Value.Kind() == body.String {
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
func (r *Request) role(role string, names []string, endings ...string) *Field {
	best, rank := (*Field)(nil), len(names)
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Role == role {
			return f
		}
		at := slices.Index(names, folded(f.called()))
		if at < 0 && hasSuffix(folded(f.called()), endings) {
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

func hasSuffix(name string, endings []string) bool {
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) })
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
	return f.Place != "basic" && slices.Contains(keyNames, folded(f.called()))
}

// noSecret is why nothing signs in without a password.
func (r *Request) noSecret() error {
	one := func(is func(Field) bool) bool { return slices.ContainsFunc(r.Fields, is) }
	switch {
	case r.bearer && len(r.Fields) == 0:
		return &Problem{"the command brings a token, and signs nobody in", "give the command that gets the token: the one with a login name and a password"}
	case one(func(f Field) bool { return f.Place == "header" && slices.Contains(keyNames, folded(f.called())) }):
		return &Problem{"the command has an access key and no secret beside it; it has " + r.fieldNames(),
			"an access key of Chancery is two parts: add the secret as another header, such as -H 'X-Api-Secret: x', and write the file's own place for it afterwards"}
	case one(func(f Field) bool {
		return f.last() == "query" && strings.Contains(strings.ToLower(f.Value.Text()), "password")
	}):
		return &Problem{"the password stands within the text of the query, which no dialect reads", "send it as a variable: {\"query\": \"mutation…\", \"variables\": {\"username\": …, \"password\": …}}"}
	case one(func(f Field) bool {
		return f.Value.Kind() != body.String && slices.Contains(secretNames, folded(f.called()))
	}):
		return &Problem{"the password is no text; the request has " + r.fieldNames(), "Chancery reads passwords as text: write it in quotes, as the clients must"}
	}
	return &Problem{"no field of the request looks like a password; it has " + r.fieldNames(),
		"rename the password's field to password, and write its own name into the file afterwards: inputs, secret, from"}
}

// noIdentifier is why nobody signs in without a name.
func (r *Request) noIdentifier() error {
	if slices.ContainsFunc(r.Fields, func(f Field) bool {
		return f.Value.Kind() == body.Number && slices.Contains(identifierNames, folded(f.called()))
	}) {
		return &Problem{"the login name is a number; the request has " + r.fieldNames(), "Chancery reads login names as text: write it in quotes, as the clients must"}
	}
	return &Problem{"no field of the request looks like a login name; it has " + r.fieldNames(),
		"rename the login name's field to username, and write its own name into the file afterwards: inputs, identifier, from; where it is a part of the path, write {username} there"}
}

// routeWords are parts of paths that name no person.
var routeWords = []string{
	"api", "rest", "auth", "oauth", "oauth2", "account", "accounts", "authenticate", "authentication", "authorize", "authorise", "connect", "identity",
	"json", "ldap", "local", "log-in", "login", "logins", "me", "password", "public", "service", "services", "session", "sessions", "sign-in", "signin", "sign_in",
	"sso", "token", "tokens", "user", "users", "userpass", "verify", "web", "create", "new", "index.php", "graphql", "rpc", "jsonrpc",
}

var versionText = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)*$`)

// identifierInPath takes the last part of the path that names no route for the login
// name, as in /login/grace: the part before it says what it is.
func (r *Request) identifierInPath() bool {
	segments := strings.Split(r.Path, "/")
	for i := len(segments) - 1; i > 1; i-- {
		text, err := url.PathUnescape(segments[i])
		if err != nil || text == "" || slices.Contains(routeWords, strings.ToLower(text)) || versionText.MatchString(text) || pathName.MatchString(text) {
			continue
		}
		name := "username"
		if strings.Contains(text, "@") {
			name = "email"
		}
		segments[i] = "{" + name + "}"
		r.Path = strings.Join(segments, "/")
		r.Fields = append(r.Fields, Field{Place: "path", Path: []string{name}, Value: body.NewString(text), Role: "identifier", Need: true,
			Guess: "this part of the path was taken for the login name: is it?"})
		return true
	}
	return false
}

// readPath makes fields of the parts of the path that are written {name}.
func (r *Request) readPath() {
	for segment := range strings.SplitSeq(r.Path, "/") {
		if name := pathName.FindStringSubmatch(segment); name != nil {
			r.Fields = append(r.Fields, Field{Place: "path", Path: []string{name[1]}, Value: body.NewString("sample"), Need: true})
		}
	}
}
