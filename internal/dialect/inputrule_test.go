package dialect

import (
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// ruled is a contract with the rarer rules and places of inputs.
const ruled = `dialect: ruled
names: fold
unknown_inputs: refuse
settings: {registration: false, frontend_url: ""}
tokens:
  access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
carriers:
  - {in: header, name: X-Token, with: [x-api-key, X-Client]}
  - {in: header, name: Authorization, scheme: Bearer}
mails:
  verification: {subject: Verify, link: "${setting.frontend_url}/verify?token=${ticket.value}"}
routes:
  - on: {method: POST, path: /login}
    accept: [json, form, none]
    inputs:
      identifier: {from: [basic.username, body.User.Name], required: true, decode: form}
      secret: {from: [basic.password, body.PassWord], decode: form}
      plain: basic.username
      mail: {from: body.mail, format: email, domain: {only: [Example.com, .example.org]}}
      other: {from: body.other, domain: {except: [bad.example, .bad.example]}}
      at: {from: body.at, format: date_time}
    do: {operation: authenticate, issue: access}
    ok: {text: "${input.identifier} ${input.plain} ${input.at}"}
  - on: {method: POST, path: /register}
    enabled: ${setting.registration}
    accept: [json]
    inputs: {identifier: {from: body.mail, required: true}, new_secret: {from: body.password, required: true}}
    do: register
    ok: {text: "${account.login}"}
  - on: {method: POST, path: /mail}
    enabled: ${setting.registration}
    accept: [json]
    inputs: {identifier: {from: body.mail, required: true}}
    do: request_verification
    ok: {text: sent}
issues:
  invalid_request: "${issue.field} breaks ${issue.rule}: ${issue.reason == null ? '' : issue.reason}"
  domain: "${issue.allowed == null ? 'none of them' : 'one of ' + string(size(issue.allowed))}"
errors:
  invalid_request: {status: 400, json: "${issues}"}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, text: sorry}
`

func TestRarerRules(t *testing.T) {
	d := loadText(t, ruled)
	for _, tt := range []struct{ name, body, basic, want string }{
		{"names in any case", `{"user":{"NAME":"a"},"password":"p"}`, "", "a  "},
		{"the exact name first", `{"User":{"Name":"a","name":"b"}}`, "", "a  "},
		{"a member that nobody reads", `{"user":{"name":"a"},"passwort":"p"}`, "", `["passwort breaks unknown_input: "]`},
		{"form-encoded parts of basic", `{}`, "a%2Bb+c:%25", "a+b c a%2Bb+c "},
		{"parts that are not", `{}`, "100%:%zz", "100% 100% "},
		{"no address", `{"user":{"name":"a"},"mail":"ada"}`, "", `["mail breaks format: An email address must have an @-sign."]`},
		{"an address without a name", `{"user":{"name":"a"},"mail":"@example.com"}`, "", `["mail breaks format: Nothing stands before the @-sign."]`},
		{"an address without a domain", `{"user":{"name":"a"},"mail":"a@"}`, "", `["mail breaks format: The part after the @-sign is not valid."]`},
		{"an address whose name is none", `{"user":{"name":"a"},"mail":"a b@example.com"}`, "", `["mail breaks format: The part before the @-sign is not valid."]`},
		{"a domain of the list", `{"user":{"name":"a"},"mail":"a@EXAMPLE.com"}`, "", "a  "},
		{"one below a domain of the list", `{"user":{"name":"a"},"mail":"a@b.example.org"}`, "", "a  "},
		{"the domain itself is not below it", `{"user":{"name":"a"},"mail":"a@example.org"}`, "", `["one of 2"]`},
		{"a domain that ends alike", `{"user":{"name":"a"},"mail":"a@badexample.org"}`, "", `["one of 2"]`},
		{"a domain beside those that are not taken", `{"user":{"name":"a"},"other":"a@example.com"}`, "", "a  "},
		{"one that is not taken", `{"user":{"name":"a"},"other":"a@Bad.Example."}`, "", `["none of them"]`},
		{"one below it", `{"user":{"name":"a"},"other":"a@b.bad.example"}`, "", `["none of them"]`},
		{"an instant", `{"user":{"name":"a"},"at":"2026-01-31T09:30:00.5+01:00"}`, "", "a  2026-01-31T09:30:00.5+01:00"},
		{"an instant without a zone", `{"user":{"name":"a"},"at":"2026-01-31T09:30:00"}`, "", `["at breaks format: "]`},
		{"a day that is not", `{"user":{"name":"a"},"at":"2026-02-31T09:30:00Z"}`, "", `["at breaks format: "]`},
	} {
		r := post("/login", jsonTyp, tt.body)
		if user, password, ok := strings.Cut(tt.basic, ":"); ok {
			r.SetBasicAuth(user, password)
		}
		c, w, err := serve(d, r)
		if err == nil {
			token := sampleGrant()
			err = c.Encode(w, Result{Token: &token})
		}
		if w.Body.String() != tt.want {
			t.Errorf("%s: got %s, want %s\n%v", tt.name, w.Body, tt.want, err)
		}
	}
}

// TestCarrierWith: a carrier that wants other headers too does not apply without them.
func TestCarrierWith(t *testing.T) {
	d := loadText(t, ruled)
	for _, tt := range []struct {
		headers map[string]string
		want    string
		kind    core.Kind
	}{
		{map[string]string{"X-Token": "t", "X-Api-Key": "k", "X-Client": "c"}, "t", ""},
		{map[string]string{"X-Token": "t", "X-Api-Key": "k"}, "", core.TokenMissing},
		{map[string]string{"X-Token": "t", "Authorization": "Bearer u"}, "u", ""},
	} {
		r := post("/", "", "")
		for name, value := range tt.headers {
			r.Header.Set(name, value)
		}
		token, err := d.Bearer(r)
		if token.Reveal() != tt.want || core.KindOf(err) != tt.kind {
			t.Errorf("%v: Bearer() = %q, %v", tt.headers, token.Reveal(), err)
		}
	}
	if got := d.Describe().Carriers[0].With; len(got) != 2 || got[0] != "X-Api-Key" {
		t.Errorf("Describe().Carriers[0].With = %v", got)
	}
}

// TestEnabled: a route that is not enabled is checked, and asks for nothing.
func TestEnabled(t *testing.T) {
	off := loadText(t, ruled)
	if got := strings.Join(off.Paths(), ", "); got != "POST /login" {
		t.Errorf("Paths() = %s", got)
	}
	if err := off.Match(post("/register", jsonTyp, "{}")).Err(); core.KindOf(err) != core.NotFound {
		t.Errorf("Match() = %v", err)
	}
	if routes := off.Describe().Routes; len(routes) != 3 || routes[1].Enabled || !routes[0].Enabled {
		t.Errorf("Describe() = %+v", routes)
	}
	if len(off.Terms().Mails) != 0 || len(off.Warnings()) != 3 {
		t.Errorf("mails %v, warnings %v: want no mail, that of names: fold and those of inputs in a text", off.Terms().Mails, off.Warnings())
	}
	options := testOptions()
	options.Settings = map[string]any{"registration": true}
	_, err := Load("ruled.yaml", []byte(ruled), options)
	for _, want := range []string{"11:41: the link has no address to lead to", "POST /register can end in account_exists, which has no reply"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load() = %v\nwant %s", err, want)
		}
	}
	options.Settings["frontend_url"] = "https://app.example"
	on, err := Load("ruled.yaml", []byte(ruled+"  account_exists: {status: 409, empty: true}\n"), options)
	if err != nil {
		t.Fatal(err)
	}
	if c := on.Match(post("/register", jsonTyp, "{}")); c.Err() != nil || c.Operation() != Register || len(on.Terms().Mails) != 1 {
		t.Errorf("Match() = %v, mails %v", c.Err(), on.Terms().Mails)
	}
	_, err = Load("ruled.yaml", []byte(strings.Replace(ruled, "do: register", "do: registre", 1)), testOptions())
	if err == nil || !strings.Contains(err.Error(), "did you mean register?") {
		t.Errorf("Load() = %v, want the route that is off checked all the same", err)
	}
}

// TestDocs: what a file tells people is described where it says so.
func TestDocs(t *testing.T) {
	text := ruled
	for _, r := range [][2]string{
		{"names: fold", "names: fold\nabout: All of it."},
		{"{algorithm: HS256, ", "{algorithm: HS256, doc: The token., "},
		{"    accept: [json, form, none]", "    doc: The way in.\n    accept: [json, form, none]"},
		{"plain: basic.username", "plain: {from: basic.username, doc: As it came.}"},
		{"{status: 400, json:", "{status: 400, doc: What is wrong., json:"},
	} {
		text = strings.Replace(text, r[0], r[1], 1)
	}
	info := loadText(t, text).Describe()
	route := info.Routes[0]
	got := []string{info.About, info.Tokens[0].Doc, route.Doc, route.Inputs[0].Doc, route.Inputs[2].Doc}
	for _, outcome := range route.Outcomes {
		if outcome.Kind == core.InvalidRequest {
			got = append(got, outcome.Replies[0].Doc)
		}
	}
	want := "All of it.|The token.|The way in.|the login name|As it came.|What is wrong."
	if strings.Join(got, "|") != want {
		t.Errorf("told %q, want %s", got, want)
	}
}
