package draft

import (
	"strings"
	"testing"
)

// shapes are commands as people find them: in manuals of products, in browsers, in their
// shell's history.
var shapes = []struct {
	name, curl string
	want       []string
}{
	{"a browser's, with all that it sends along", "curl 'https://app.example.com/api/auth/login' \\\n  -H 'accept: application/json, text/plain, */*' \\\n  -H 'content-type: application/json;charset=UTF-8' \\\n  -H 'cookie: _ga=GA1.1; csrftoken=abc' \\\n  -H 'origin: https://app.example.com' \\\n  -H 'priority: u=1, i' \\\n  -H 'sec-ch-ua: \"Chromium\";v=\"124\"' \\\n  -H 'user-agent: Mozilla/5.0' \\\n  -H 'x-csrf-token: abcdef' \\\n  --data-raw $'{\"email\":\"a@b.example\",\"password\":\"it\\'s\",\"rememberMe\":false,\"captcha\":null,\"tags\":[],\"device\":{\"id\":\"abc\",\"os\":1.5}}'", []string{
		"accept: [json]", "identifier: {from: body.email,", "remember_me: {from: body.rememberMe, type: boolean}", "os: {from: body.device.os, type: number}", "# - The command sends cookies", "x_csrf_token:",
		"json: {email: ada@example.com, password: correct horse battery staple, rememberMe: false, captcha: null, tags: [], device: {id: abc, os: 1.5}}",
	}},
	{"a browser's for Windows", "curl ^\"https://x.example/login^\" ^\r\n  -H ^\"content-type: application/json^\" ^\r\n  --data-raw ^\"^{^\\^\"username^\\^\":^\\^\"a^\\^\",^\\^\"password^\\^\":^\\^\"b^\\^\"^}^\"", []string{"path: /login", "from: body.username"}},
	{"JSON without its type", `curl -X POST https://api.example.com/login -d '{"username":"a","password":"b=c"}'`, []string{
		"accept: [json, {type: application/x-www-form-urlencoded, as: json}] # the command sends", "headers: {Content-Type: application/x-www-form-urlencoded}, json: {username: ada,",
	}},
	{"JSON under another type", `curl https://api.example.com/login -H 'Content-Type: text/plain' -d '{"username":"a","password":"b"}'`, []string{"accept: [json, {type: text/plain, as: json}]"}},
	{"JSON under a type of one's own", `curl https://api.example.com/login -H 'Content-Type: application/vnd.acme+json' -d '{"username":"a","password":"b"}'`, []string{"accept: [application/vnd.acme+json]\n"}},
	{"the login name in the path", `curl --request POST --data '{"password": "x"}' http://127.0.0.1:8200/v1/auth/userpass/login/mitchellh`, []string{
		"path: '/v1/auth/userpass/login/{username}'", "identifier: {from: path.username, required: true} # this part of the path was taken for the login name: is it?", "path: /v1/auth/userpass/login/ada,", "path: /v1/auth/userpass/login/nobody,",
	}},
	{"an address in the path", `curl https://x.example/v2/users/a%40b.example/sessions -d password=b`, []string{"path: '/v2/users/{email}/sessions'", "path: /v2/users/ada@example.com/sessions,"}},
	{"a variable of the path", `curl 'https://x.example/{tenant}/login' -d 'username=a&password=b'`, []string{"path: '/{tenant}/login'", "from: path.tenant, required: true"}},
	{"user and password", `curl -sS -u grace:x https://api.example.com/v1/token`, []string{"method: GET", "from: basic.username"}},
	{"user and password in the address", `curl https://grace:x@api.example.com/v1/token`, []string{"from: basic.username", "path: /v1/token"}},
	{"Basic as a header", `curl -X POST https://api.example.com/token -H 'Authorization: Basic dTpw' -d grant_type=client_credentials`, []string{"from: basic.username", "equals: client_credentials"}},
	{"an application in Basic, a person in the form", `curl -u web:s https://api.example.com/token -d grant_type=password -d username=a -d password=b`, []string{
		"client: {from: basic.username", "client_secret: {from: basic.password", "identifier: {from: body.username", "secret: {from: body.password",
	}},
	{"encoded values", `curl https://api.example.com/login --data-urlencode 'username=a b' --data-urlencode 'password=x&y'`, []string{"accept: [form]", "from: body.username"}},
	{"a multipart form", `curl -F 'username=a' -F 'password=b;type=text/plain' -F remember=1 https://api.example.com/login`, []string{"accept: [multipart]", "remember: {from: body.remember}"}},
	{"a part whose name is no text", "curl -F 'username=a' -F 'password=b' -F '\x83\x01=@c' https://api.example.com/login", []string{"# - The part \uFFFD\uFFFD is a file"}},
	{"all in the query", `curl -G https://api.example.com/login -d user=a --data-urlencode 'pwd=x y'`, []string{"method: GET", "from: query.user", "from: query.pwd"}},
	{"XML", `curl https://api.example.com/login -H 'Content-Type: application/xml' -d '<login v="1"><user name="a"><password>p</password></user></login>'`, []string{
		"accept: [xml]", "from: body.login.user.@name", `xml: <login v="1"><user name="ada"><password>correct horse battery staple</password></user></login>`,
	}},
	{"SOAP", `curl https://api.example.com/soap -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: login' -d '<s:Envelope xmlns:s="x"><s:Body><login><username type="t">a</username><password>b</password></login></s:Body></s:Envelope>'`, []string{
		"accept: [xml]", "from: body.Envelope.Body.login.username.#text", "Content-Type: text/xml",
	}},
	{"GraphQL with variables", `curl https://x.example/graphql -H 'content-type: application/json' -d '{"operationName":"Login","variables":{"input":{"email":"a@b.example","password":"p"}},"query":"mutation Login($input: LoginInput!) { login(input: $input) { token } }"}'`, []string{
		"from: body.variables.input.email", "from: body.variables.input.password",
	}},
	{"an access key in headers", `curl -X POST https://api.example.com/token -H 'X-API-Key: abc' -H 'X-API-Secret: def'`, []string{"subject: key", "from: header.X-Api-Key", "from: header.X-Api-Secret"}},
	{"a cookie and a form", `curl https://app.example.com/login -b 'csrf=1' --data-raw 'username=a%40b.example&password=p%26q&csrf_token=zzz'`, []string{"login: ada@example.com", "csrf_token: sample", "# - The command sends cookies"}},
	{"an application whose secret cannot be read", `curl host/login -d client_id=a -d Client.Secret=b -d username=c -d password=d`, []string{"client_id: {from: body.client_id}", "# - The field \"Client.Secret\""}},
	{"a form of Rails", `curl https://x.example/users/sign_in -d 'user[email]=a@b.example' -d 'user[password]=b'`, []string{"from: 'body.user[email]'", "form: {'user[email]': ada@example.com, 'user[password]': correct horse battery staple}"}},
	{"a form of Spring", `curl https://x.example/j_spring_security_check -d j_username=a -d j_password=b`, []string{"from: body.j_username", "from: body.j_password"}},
	{"JSON of several lines", "curl --location --request POST 'https://api.example.com/login' \\\n--header 'Content-Type: application/json' \\\n--data '{\n    \"username\": \"a\",\n    \"password\": \"b\"\n}'", []string{"accept: [json]\n"}},
	{"a value that is another member's name", `curl host/login --json '{"kind":"user","user":{"name":"a","password":"b"}}'`, []string{"json: {kind: user, user: {name: ada, password: correct horse battery staple}}"}},
	{"further fields named like secrets", `curl host/login --json '{"user":"u","password":"p","refresh_token":true,"pin":1.5,"secrets":[1],"hash":{},"token":null}'`, []string{
		"json: {user: ada, password: correct horse battery staple, refresh_token: true, pin: 1, secrets: [], hash: {}, token: null}",
	}},
}

// TestShapes: the draft of a command loads, and takes what the command sends.
func TestShapes(t *testing.T) {
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			file, err := draftOf(tt.curl, "", "")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(file), want) {
					t.Errorf("the file lacks %q", want)
				}
			}
			if d, err := load(file); err != nil {
				t.Errorf("the draft does not load: %v", err)
			} else if err := takes(d, tt.curl); err != nil {
				t.Errorf("the draft does not take the command: %v", err)
			}
			if t.Failed() {
				t.Logf("%s", file)
			}
		})
	}
}
