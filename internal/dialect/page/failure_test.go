package page

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// plain is a dialect with places for what a test is about.
const plain = `dialect: plain
SETTINGS
tokens:
  access:
    algorithm: HS256
    lifetime: 1h
    REFRESH
    claims: {sub: "${account.id}", jti: "${token.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}
CARRIERS
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs:
      identifier: {from: body.username, required: true}
      secret: {from: body.password, required: true}
    do: {operation: authenticate, issue: access}
    ok: {json: {token: "${token.value}"}}
    OWN
  ROUTES
ISSUES
errors:
  invalid_request: {status: 400, json: {error: invalid request}}
  bad_credentials: {status: 401, json: {error: wrong username or password}}
  unauthorized: {status: 401, json: {error: sign in first}}
  not_found: {status: 404, json: {error: not found}}
  method_not_allowed: {status: 405, json: {error: method not allowed}}
  rate_limited: {status: 429, json: {error: too many attempts}}
  unavailable: {status: 503, json: {error: try again later}}
  internal: {status: 500, json: {error: internal error}}
  ERRORS
samples: {accounts: {ada: {login: ada, password: correct horse battery staple}}}
EXAMPLES
`

// plainWith is plain with parts in its places; those that are not named are empty.
func plainWith(parts map[string]string) string {
	text := plain
	if !strings.Contains(parts["SETTINGS"], "subject:") {
		text = strings.Replace(text, "SETTINGS", "subject: account\nSETTINGS", 1)
	}
	for _, place := range []string{"SETTINGS", "REFRESH", "CARRIERS", "OWN", "ROUTES", "ISSUES", "ERRORS", "EXAMPLES"} {
		text = strings.Replace(text, place, parts[place], 1)
	}
	return text
}

// pageOf renders plain with parts in its places.
func pageOf(t *testing.T, parts map[string]string) *html.Node {
	t.Helper()
	_, root := render(t, loadText(t, plainWith(parts)))
	return root
}

// blocks are the texts of all elements of a name, and of a class where that is not "".
func blocks(root *html.Node, element, class string) []string {
	var all []string
	for n := range root.Descendants() {
		if n.Data != element || n.Type != html.ElementNode {
			continue
		}
		has := class == ""
		for _, a := range n.Attr {
			has = has || a.Key == "class" && strings.Contains(" "+a.Val+" ", " "+class+" ")
		}
		if has {
			all = append(all, textOf(n))
		}
	}
	return all
}

// textOf is an element's text, its blanks made one each.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

const secondLogin = `- on: {method: POST, path: /app/login}
    accept: [json]
    inputs: {identifier: {from: body.role_id, required: true}, secret: {from: body.secret_id, required: true}}
    do: {operation: authenticate, issue: access}
    ok: {json: {token: "${token.value}"}}
    `

// TestFailures: each distinct reply to a refusal has its block, with the routes that
// answer so.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parts map[string]string
		want  []string // each is the text of one block
		not   []string // these are in none
	}{
		{"the routes' own words", map[string]string{
			"OWN":    "errors: {body_missing: {status: 400, json: {error: missing password}}}",
			"ROUTES": secondLogin + "errors: {body_missing: {status: 400, json: {error: missing role_id}}}",
		}, []string{
			`400 Body missing There is no body. Send one. POST /login 400 Bad Request application/json { "error": "missing password" }`,
			`400 Body missing There is no body. Send one. POST /app/login 400 Bad Request application/json { "error": "missing role_id" }`,
		}, nil},
		{"words that differ by the input's name alone", map[string]string{
			"ROUTES": secondLogin,
			"ISSUES": `issues: {invalid_request: "${issue.field} is wrong"}`,
			"ERRORS": `missing_field: {status: 400, json: {errors: "${issues}"}}`,
		}, []string{
			`400 Missing field An input is missing that must be there. Send it. POST /login, POST /app/login 400 Bad Request application/json { "errors": [ "username is wrong" ] }`,
		}, nil},
		{"variants", map[string]string{
			"SETTINGS": "settings: {quiet: true, project: x}",
			"ERRORS": `locked: [{when: "${!setting.quiet}", status: 423, json: {error: LOCKED}}, {when: "${setting.project == 'y'}", status: 423, json: {error: y}}, {when: "${account.login == 'ada'}", status: 423, doc: Call us., json: {error: ada}}, {status: 423, json: {error: locked}}]
  must_change_secret: [{when: true, status: 403, json: {error: change}}, {status: 403, json: {error: never}}]`,
		}, []string{
			`423 Locked Call us. POST /login where the account's login is ada 423 Locked application/json { "error": "ada" }`,
			`423 Locked The account is locked. Only an administrator can change that. POST /login 423 Locked application/json { "error": "locked" }`,
			`403 Must change secret The password must be changed first. Have the person set a new one. POST /login 403 Forbidden application/json { "error": "change" }`,
		}, []string{"LOCKED", `"y"`, "never"}},
		{"what is behind", nil, []string{
			`401 Unauthorized The request has no token that holds. Sign in again. paths that want a token 401 Unauthorized application/json { "error": "sign in first" }`,
		}, nil},
		{"no code is read", map[string]string{"ERRORS": "bad_otp: {status: 401, json: {error: wrong code}}\n  mfa_required: {status: 401, json: {error: code needed}}"}, []string{
			`401 Second factor required The password is right, and a second factor is needed. Ask for the code, and sign in again with it. POST /login 401 Unauthorized application/json { "error": "code needed" }`,
		}, []string{"wrong code"}},
		{"keys have no second factor", map[string]string{
			"SETTINGS": "subject: [account, key]",
			"ROUTES":   strings.Replace(secondLogin, "issue: access", "issue: access, as: [key]", 1),
			"ERRORS":   "mfa_required: {status: 403, json: {error: code needed}}",
		}, []string{
			`403 Second factor required The password is right, and a second factor is needed. Ask for the code, and sign in again with it. POST /login 403 Forbidden application/json { "error": "code needed" }`,
		}, nil},
		{"a challenge is no mail's ticket", map[string]string{
			"ROUTES": `- {on: {method: POST, path: /code}, accept: [json], inputs: {challenge: {from: body.challenge, required: true}, otp: {from: body.code, required: true}}, do: resume, ok: {json: {token: "${token.value}"}}}`,
			"ERRORS": `bad_ticket: {status: 401, json: {error: too late}}
  mfa_required: {status: 401, json: {challenge: "${challenge.value}"}}`,
		}, []string{
			`401 Bad ticket The challenge does not hold. Sign in again. POST /code 401 Unauthorized application/json { "error": "too late" }`,
		}, []string{"Ask for a new mail"}},
		{"a refresh token is no token", map[string]string{
			"REFRESH": "refresh: {lifetime: 14d}",
			"ROUTES":  `- {on: {method: POST, path: /refresh}, accept: [json], inputs: {refresh: {from: body.token, required: true}}, do: refresh, ok: {json: {token: "${token.value}"}}}`,
		}, []string{
			`401 Unauthorized The refresh token does not hold. Sign in again. POST /refresh 401 Unauthorized application/json { "error": "sign in first" }`,
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := blocks(pageOf(t, tt.parts), "article", "failure")
			for _, want := range tt.want {
				if n := strings.Count("\n"+strings.Join(got, "\n")+"\n", "\n"+want+"\n"); n != 1 {
					t.Errorf("%d blocks are\n%s\nof\n%s", n, want, strings.Join(got, "\n"))
				}
			}
			for _, not := range tt.not {
				if text := strings.Join(got, "\n"); strings.Contains(text, not) {
					t.Errorf("%q is in\n%s", not, text)
				}
			}
		})
	}
}
