package draft

import (
	"strings"
	"testing"
)

// aJWT has sub 42, user grace, iss, and two hours between iat and exp.
const aJWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiI0MiIsInVzZXIiOiJncmFjZSIsImlzcyI6Imh0dHBzOi8vYXBpLmFjbWUuZXhhbXBsZSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDA3MjAwfQ.c2ln"

// drafts are contracts as people know them, and lines of the files made from them.
var drafts = []struct {
	name, curl, reply, refusal string
	want                       []string
}{
	{
		"a form and a JWT",
		`curl -sS https://api.acme.example/v2/login -d 'username=grace&password=hunter2&grant_type=password'`,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + `{"access_token":"` + aJWT + `","token_type":"Bearer","expires_in":7199}`,
		`400 {"error":"invalid_grant","error_description":"Bad credentials"}`,
		[]string{
			"  - on: {method: POST, path: /v2/login}", "    accept: [form]",
			"identifier: {from: body.username, required: true}", "secret: {from: body.password, required: true}",
			"grant_type: {from: body.grant_type, required: true, equals: password}",
			"algorithm: RS256", "token_lifetime: 2h", "iss: https://api.acme.example", "user: ${account.login}",
			"expires_in: ${token.lifetime}", "type: application/json; charset=utf-8",
			"invalid_request: {status: 400, json: {error: invalid_request, error_description: The request is not valid}}",
			"bad_credentials: {status: 400, json: {error: invalid_grant, error_description: Bad credentials}}",
		},
	},
	{
		"nested JSON, and what a browser copies",
		"curl 'https://acme.example/api/session' \\\n  -H 'accept: */*' \\\n  -H 'content-type: application/json' \\\n  --data-raw $'{\"user\":{\"email\":\"grace@acme.example\",\"pass\":\"it\\'s\\u0021\"},\"remember\":true}' --compressed",
		`201 {"data":{"user":{"id":"0b1c2d3e-0000-4000-8000-123456789abc","email":"grace@acme.example","plan":"gold","createdAt":"2024-01-01T10:00:00.123Z"},"session":{"token":"sk_live_4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c","expiresAt":1700000000000}}}`,
		`401 {"success":false,"error":{"code":"INVALID_CREDENTIALS","message":"Wrong e-mail or password","status":401}}`,
		[]string{
			"from: body.user.email", "from: body.user.pass", "remember: {from: body.remember, type: boolean}",
			"format: opaque", "form: hex32", "value: sk_live_${token.random}", "expiresAt: ${epoch_ms(token.expires_at)}",
			"id: ${account.id}", "email: ${account.login}", "plan: ${account.attributes.plan}", "createdAt: ${iso_full(account.created_at, 3)}",
			"code: INVALID_REQUEST", "code: RATE_LIMITED", "status: 429", "code: INVALID_CREDENTIALS",
			"json: {user: {email: ada@example.com, pass: correct horse battery staple}, remember: true}",
		},
	},
	{
		"basic authentication and a bare token",
		`curl -u grace:hunter2 -X POST http://localhost:8080/token`,
		"HTTP/2 200\ncontent-type: text/plain\n\n0b1c2d3e-0000-4000-8000-123456789abc",
		"HTTP/2 401\nWWW-Authenticate: Basic realm=\"acme\"\n\n",
		[]string{
			"from: basic.username", "from: basic.password", "form: uuid", "text: ${token.value}",
			`bad_credentials: {status: 401, headers: {WWW-Authenticate: Basic realm="acme"}, empty: true}`,
			"headers: {Authorization: Basic YWRhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeSBzdGFwbGU=}",
		},
	},
	{
		"access keys, in headers",
		`curl -G https://acme.example/v1/token -H 'X-Api-Key: k1' -H 'X-Api-Secret: s1' -d scope=read`,
		`{"token":"abc","refresh_token":"def","refresh_expires_in":1209600,"ttl":60}`, ``,
		[]string{
			"subject: key", "from: header.X-Api-Key", "from: header.X-Api-Secret", "scope: {from: query.scope}", "token_lifetime: 1m",
			"refresh: {lifetime: 14d}", "refresh_token: ${refresh.value}", "${refresh.lifetime}", "# - Where clients send the refresh token",
		},
	},
	{
		"a cookie, and failures that are told with 200",
		`curl https://acme.example/login --json '{"login":"grace","password":"x"}'`,
		"HTTP/1.1 200 OK\r\nSet-Cookie: acme_session=0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Secure; SameSite=Lax\r\nContent-Type: application/json\r\n\r\n{\"ok\":true}",
		`200 {"ok":false,"code":1001,"msg":"no","time":1700000000}`,
		[]string{
			"cookies:", "- {name: acme_session, value: '${token.value}', path: /, http_only: true, secure: true, same_site: lax}", "ok: true",
			"bad_credentials:", "status: 200", "code: 1001", "time: ${epoch(now)}", "msg: The request is not valid",
		},
	},
	{
		"a token in a header, and parts of a form",
		`curl -F 'username=grace' -F 'password=x' -F 'photo=@me.png' https://acme.example/a/b`,
		"HTTP/1.1 204 No Content\r\nX-Auth-Token: 4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c\r\n\r\n", `403 denied`,
		[]string{"accept: [multipart]", "headers: {X-Auth-Token: '${token.value}'}", "status: 204", "empty: true", "bad_credentials: {status: 403, text: denied}", "# - The part photo is a file"},
	},
	{
		"an account as the whole body", `curl host/login --json '{"login_id":"grace","password":"x"}'`,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nToken: ih6fq7s8f3r8xq1k4z9c5b2a7d\r\n\r\n" + `{"id":"ih6fq7s8f3r8xq1k4z9c5b2a7e","create_at":1541001234567,"username":"grace","email":"grace@acme.example","locale":"en"}`, ``,
		[]string{"headers: {Token: '${token.value}'}", "id: ${account.id}", "create_at: ${epoch_ms(account.created_at)}", "email: ${account.email}", "locale: ${account.attributes.locale}"},
	},
	{
		"an application beside the person, and a code", `curl host/token -d 'grant_type=password&client_id=web&client_secret=c&username=grace&password=x&otp=123456'`, ``, ``,
		[]string{
			"client: {from: body.client_id, required: true}", "client_secret: {from: body.client_secret, required: true}", "otp: {from: body.otp}",
			"app: {identifier: sample-app,", "form: {grant_type: password, client_id: sample-app, client_secret: sample-secret-of-32-characters-or-so, username: ada, password: wrong}",
		},
	},
	{
		"nothing but a command", `$ curl acme.example/login -d username=grace -d password=x | jq .`, ``, ``,
		[]string{"token: ${token.value}", "algorithm: HS256", "bad_credentials: {status: 401, json: {error: bad_credentials, message: The credentials are wrong}}"},
	},
	{
		"a login within the URL, and more URLs", `curl -X POST https://grace:hunter2@acme.example/login http://b.example http://c.example`, ``, ``,
		[]string{"from: basic.username", "from: basic.password", "# What was left out:\n# - The command has a second URL, which was left out.\ndialect:"},
	},
	{
		"a token that is a JSON text", `curl host/login -d username=grace -d password=x`, "HTTP/1.1 200 OK\nContent-Type: application/json\n\n\"" + aJWT + `"`, ``,
		[]string{"      json: ${token.value}\n", "      json: <jwt>\n", "algorithm: RS256"},
	},
	{
		"a JSON text beside a token", `curl host/login -d username=grace -d password=x`, "HTTP/1.1 200 OK\nContent-Type: application/json\nX-Auth-Token: 0123456789abcdef\n\n\"hello\"", "HTTP/1.1 401 No\nContent-Type: application/json\n\n12",
		[]string{"headers: {X-Auth-Token: '${token.value}'}", "      json: hello # the same", "    json: 12\n"},
	},
	{
		"a token that comes again under another name", `curl host/login -d username=grace -d password=x`, `{"token":"0123456789abcdef","x":"0123456789abcdef"}`, ``,
		[]string{"        token: ${token.value}\n        x: ${token.value}\n"},
	},
	{
		"privileges of one who asked", `curl acme.example/login -d username=grace -d password=x`,
		"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nX-Frame-Options: DENY\r\nSet-Cookie: lang=en\r\nContent-Type: application/json\r\n\r\n" +
			`{"token":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiIsImFwcF9hY2Nlc3MiOnRydWUsInJvbGUiOiJhZG1pbiIsInNjb3BlIjoicmVhZCB3cml0ZSIsInBlcm1pc3Npb25zIjpbImEiLCJiIl0sInJlZ2lvbiI6ImV1IiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDA5MDB9.c2ln","refresh_token":"rt_0123456789abcdefghijklmnop","is_admin":true,"device_id":"GHTYAJCE","lease_duration":2764800,"token_type":"Bearer","x":null,"keys":["0123456789abcdef0123456789abcdef"]}`, ``,
		[]string{
			"app_access: true # the same for everybody? By the account's roles it is \"${'app_access' in account.roles}\"\n",
			"# an account without roles has an empty text here", "scope: read write # the same for everybody? As an attribute of the account it is ${account.attributes.scope}\n",
			"        # the same for everybody? By the account's roles it is ${account.roles}\n        - a\n        - b\n", "region: eu # the same for everybody?\n",
			"jti: ${token.id} # not the API's", "lifetime: 14d # a guess", "value: rt_${token.random}", "is_admin: true # the same for everybody? By the account's roles it is \"${'admin' in account.roles}\"\n",
			"device_id: GHTYAJCE # the same for everybody?\n", "lease_duration: ${token.lifetime} # the API had 2764800 here, and a token that lives for 15m: is it this?\n",
			"keys:\n          - ${token.id} # the API answered something random here: is it this?\n",
			"token_type: Bearer\n", "x: null # the same for everybody?\n", "headers: {X-Frame-Options: DENY}", "# - Of the reply to a sign-in: Access-Control-Allow-Origin, the cookie lang.\n",
		},
	},
	{
		"a refresh token that lives shorter than the token may", `curl host -H 'X-Api-Key: a' -H 'X-Api-Secret: b'`, `{"token":"0","refresh":"0","refreshExp":1}`, ``,
		[]string{"refresh: {lifetime: 2h}"},
	},
	{
		"words that mean something to the language",
		`curl acme.example/login --json '{"username":"${grace}","password":"x","token":"t","$type":"a${b}","client":"c?"}'`,
		`{"token":"abc","$ref":"${x}","maybe?":"${issuer}","a":"true","b":"12","c":null,"d":[],"e":{}}`, `401 {"$message":"${no}"}`,
		[]string{"$${x}", "$$ref:", "maybe??:", "'true'", "c: null", "d: []", "e: {}", "token_field:", "client_field:"},
	},
}

func TestDrafts(t *testing.T) {
	for _, tt := range drafts {
		t.Run(tt.name, func(t *testing.T) {
			file, err := draftOf(tt.curl, tt.reply, tt.refusal)
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

// TestLifetimes: how long a token lives is told in many ways.
func TestLifetimes(t *testing.T) {
	const token = `"token":"0123456789abcdef"`
	for _, tt := range []struct{ name, reply, want string }{
		{"nothing", `{` + token + `}`, "1h # a guess: nothing tells"},
		{"seconds", `{` + token + `,"expires_in":900}`, "15m\n"},
		{"a lease", `{` + token + `,"lease_duration":2764800}`, "32d\n"},
		{"milliseconds by their name", `{` + token + `,"expiresInMs":900000}`, "15m\n"},
		{"milliseconds by their size", `{` + token + `,"expires":3600000}`, "1h\n"},
		{"a week in seconds", `{` + token + `,"expires":604800}`, "7d\n"},
		{"minutes", `{` + token + `,"expires_in_minutes":30}`, "30m\n"},
		{"two instants", `{` + token + `,"issuedAt":"2024-01-01T10:00:00Z","expiresAt":"2024-01-01T12:00:00+00:00"}`, "2h\n"},
		{"an instant and the reply's date", "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 10:00:02 GMT\r\nContent-Type: application/json\r\n\r\n{" + token + `,"expires_at":"2024-01-01T18:00:01.5Z"}`, "8h\n"},
		{"seconds since 1970", `{` + token + `,"iat":1700000000,"exp":1700000090}`, "90s\n"},
		{"milliseconds since 1970", `{` + token + `,"now":1700000000000,"validUntil":1700000600000}`, "10m\n"},
		{"an instant alone", `{` + token + `,"expires_at":"2024-01-01T18:00:00Z"}`, "1h # a guess"},
		{"the refresh token's own", `{` + token + `,"now":1700000000,"refresh_expires_at":1700000600}`, "1h # a guess"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, err := draftOf("curl host/login -d username=grace -d password=x", tt.reply, "")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(file), "\n  token_lifetime: "+tt.want) {
				t.Errorf("the file lacks %q:\n%s", tt.want, file)
			}
		})
	}
}

func TestTokenPrefixes(t *testing.T) {
	for _, tt := range []struct{ token, want string }{
		{"hvs.CAESIJ5a1b2c3d4e5f6g7h8", "value: hvs.${token.random}"},
		{"sk_live_4f9a8b7c6d5e4f3a2b1c", "value: sk_live_${token.random}"},
		{"dop_v1_4f9a8b7c6d5e4f3a2b1c", "value: dop_v1_${token.random}"},
		{"glpat-4f9a8b7c6d5e4f3a2b1c", "value: glpat-${token.random}"},
		{"17|4f9a8b7c6d5e4f3a2b1c", "value: ${token.id}|${token.random}"},
		{"aB3_4f9a8b7c6d5e4f3a2b1c", ""},
		{"abc_1234", ""},
		{"4f9a8b7c6d5e4f3a2b1c", ""},
		{"beefcafe-0000-4000-8000-123456789abc", ""},
	} {
		node := mapping()
		writeRandom(node, tt.token)
		got := ""
		if n := node.get("value"); n != nil {
			got = "value: " + n.Value
		}
		if got != tt.want {
			t.Errorf("writeRandom(%q) says %q, want %q", tt.token, got, tt.want)
		}
	}
}

// fastAPI and keyAPI are documents as frameworks write them.
const (
	fastAPI = `{"openapi":"3.1.0","info":{"title":"Acme","version":"1"},"paths":{"/items":{"get":{"responses":{"200":{"description":"x"}}}},"/token":{"post":{"requestBody":{"content":{"application/x-www-form-urlencoded":{"schema":{"$ref":"#/components/schemas/Body_login"}}},"required":true},"responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Token"}}}},"422":{"description":"no","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}}},"components":{"schemas":{"Body_login":{"properties":{"grant_type":{"anyOf":[{"type":"string","pattern":"^password$"},{"type":"null"}]},"username":{"type":"string"},"password":{"type":"string","format":"password"},"scope":{"type":"string","default":""}},"type":"object","required":["username","password"]},"Token":{"type":"object","properties":{"access_token":{"type":"string"},"token_type":{"type":"string"}},"required":["access_token","token_type"]},"Error":{"type":"object","properties":{"detail":{"type":"array","items":{"type":"object","properties":{"loc":{"type":"array","items":{"type":"string"}},"msg":{"type":"string"},"type":{"type":"string"}}}}}}},"securitySchemes":{"OAuth2PasswordBearer":{"type":"oauth2","flows":{"password":{"scopes":{},"tokenUrl":"token"}}}}}}`
	keyAPI  = `openapi: 3.0.3
info: {title: Key API, version: "2"}
servers: [{url: "https://api.acme.example/v2/"}]
paths:
  /login:
    post:
      requestBody:
        content:
          application/json:
            schema:
              allOf:
                - $ref: '#/components/schemas/Keys'
                - type: object
                  properties: {audience: {type: string, enum: [acme]}}
                  required: [audience]
      responses:
        "201":
          headers: {X-Auth-Token: {schema: {type: string}}}
        "401":
          content: {application/json: {example: {error: unauthorized, status: 401}}}
        default: {description: other}
components:
  schemas:
    Keys:
      type: object
      required: [accessKey, secret]
      properties:
        accessKey: {type: string, example: "0123"}
        secret: {type: string}
  securitySchemes:
    token: {type: apiKey, in: header, name: X-Auth-Token}
`
)
