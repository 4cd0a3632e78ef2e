package dialect

import (
	"strings"
	"testing"
)

// enveloped is a contract that takes XML.
const enveloped = `dialect: enveloped
tokens:
  access: {algorithm: HS256, lifetime: 1h, claims: {sub: "${account.id}", iat: "${token.issued_at}", exp: "${token.expires_at}"}}
routes:
  - on: {method: POST, path: /login, when: {body.Envelope.Body.login.methods: {equals: [totp]}}}
    accept: [xml, {type: application/soap+xml, as: xml}, json]
    inputs: {identifier: body.Envelope.Body.login.user, secret: body.Envelope.Body.login.password}
    do: {operation: authenticate, issue: access}
    ok: {text: other}
  - on: {method: POST, path: /login}
    inputs:
      identifier: {from: body.Envelope.Body.login.user, required: true}
      secret: {from: body.Envelope.Body.login.password, required: true}
      version: {from: body.Envelope.@version, type: integer, default: 0}
      methods: {from: body.Envelope.Body.login.methods, type: list}
      realm: {from: "body.Envelope.Body.login.realm.#text"}
      keep: {from: body.Envelope.Body.login.keep, type: boolean}
    do: {operation: authenticate, issue: access}
    ok: {json: {user: "${input.identifier}", version: "${input.version}", methods: "${input.methods}", realm: "${input.realm}", keep: "${input.keep}"}}
issues:
  invalid_request: "${issue.field} breaks ${issue.rule}"
errors:
  invalid_request: {status: 400, json: {issues: "${issues}", type: "${request.media_type}"}}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, text: sorry}
`

func TestXMLIn(t *testing.T) {
	d := loadText(t, enveloped)
	envelope := func(login string) string {
		return `<?xml version="1.0"?><s:Envelope xmlns:s="urn:s" version="2"><s:Body><login>` + login + `</login></s:Body></s:Envelope>`
	}
	const both = "<user>a</user><password> b </password>"
	for _, tt := range []struct{ name, typ, body, want string }{
		{"elements, attributes and their types", "text/xml; charset=utf-8", envelope(both + "<keep>true</keep>"), `{"user":"a","version":2,"methods":null,"realm":null,"keep":true}`},
		{"one element where there may be several", "application/xml", envelope(both + "<methods>a</methods>"), `{"user":"a","version":2,"methods":["a"],"realm":null,"keep":null}`},
		{"several", "application/soap+xml", envelope(both + "<methods>a</methods><methods>b</methods>"), `{"user":"a","version":2,"methods":["a","b"],"realm":null,"keep":null}`},
		{"text beside attributes", "application/xml", envelope(both + `<realm id="1">r</realm>`), `{"user":"a","version":2,"methods":null,"realm":"r","keep":null}`},
		{"a route by its content", "application/xml", envelope(both + "<methods>totp</methods>"), "other"},
		{"JSON beside it", jsonTyp, `{"Envelope":{"Body":{"login":{"user":"a","password":"b","methods":["totp"]}}}}`, "other"},
		{"what is missing", "application/xml", envelope("<user>a</user>"), `{"issues":["password breaks required"],"type":"application/xml"}`},
		{"an element twice", "application/xml", envelope(both + "<user>b</user>"), `{"issues":["user breaks type"],"type":"application/xml"}`},
		{"an element with elements", "application/xml", envelope("<user><x/></user><password/>"), `{"issues":["user breaks type"],"type":"application/xml"}`},
		{"no number", "application/xml", strings.Replace(envelope(both), `"2"`, `"two"`, 1), `{"issues":["@version breaks type"],"type":"application/xml"}`},
		{"no XML", "application/xml", "<a>", `{"issues":[" breaks malformed_body"],"type":"application/xml"}`},
		{"a document type", "application/xml", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, `{"issues":[" breaks malformed_body"],"type":"application/xml"}`},
		{"nothing", "application/xml", "", `{"issues":[" breaks body_missing"],"type":"application/xml"}`},
		{"another encoding", "application/xml", `<?xml version="1.0" encoding="latin1"?><a/>`, `{"issues":[" breaks bad_encoding"],"type":"application/xml"}`},
	} {
		c, w, err := serve(d, post("/login", tt.typ, tt.body))
		if err == nil {
			token := sampleGrant()
			err = c.Encode(w, Result{Token: &token})
		}
		if w.Body.String() != tt.want {
			t.Errorf("%s: got %s, want %s\n%v", tt.name, w.Body, tt.want, err)
		}
	}
}

// TestOneRoot: a document has one root, which only what must be there is held to, and
// local names.
func TestOneRoot(t *testing.T) {
	for _, tt := range []struct {
		accept, user, secret string
		fits                 bool
	}{
		{"xml", "body.login.user", "body.login.password", true},
		{"xml", "body.user", "body.password", false},
		{"xml", "[body.a.user, body.b.user]", "[body.c.password, body.b.password]", true},
		{"xml", "[header.X-User, body.user]", "body.password", true},
		{"xml, json", "body.user", "body.password", true},
		{"xml", "body.login.user", "body.login.@wsse:password", false},
		{"xml, json", "body.a:user", "body.a:password", true},
	} {
		text := strings.NewReplacer("[json, form]", "["+tt.accept+"]", "body.user", tt.user, "body.password", tt.secret).Replace(filled(nil))
		if _, err := Load("test.yaml", []byte(text), testOptions()); (err == nil) != tt.fits {
			t.Errorf("%s: %s and %s: %v, want one root %v", tt.accept, tt.user, tt.secret, err, tt.fits)
		}
	}
}
