package dialect

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// fifth is a contract that none of the four is like: what other published logins
// ask for, in one file.
const fifth = `dialect: fifth
title: A made-up contract
subject: [key, account]
tokens:
  access:
    algorithm: ES256
    lifetime: 1h30m
    claims: {jti: "${token.id}", iss: "${issuer}", sub: "${account.id}", roles?: "${account.attributes.roles}", act: {name?: "${key.name}", kind: api}, iat: "${token.issued_at}", exp: "${token.expires_at}"}
carriers:
  - {in: header, name: X-Auth-Token}
validation: {report: first}
unknown_inputs: refuse
routes:
  - on: {method: POST, path: /v3/auth/tokens}
    accept: {types: [json, application/vnd.fifth+json, {type: text/json, as: json}]}
    inputs:
      methods: {from: body.auth.identity.methods, type: list, required: true, equals: [password]}
      identifier: {from: [body.auth.identity.password.user.id, body.auth.identity.password.user.name], required: true}
      secret: {from: body.auth.identity.password.user.password, required: true}
      ttl: {from: query.ttl, type: integer, min: 1, max: 9, default: 5}
      label: {from: header.X-Label, pattern: "^[a-z]+$"}
    do: {operation: authenticate, issue: access, as: [key, account]}
    ok:
      status: 201
      headers:
        X-Subject-Token: ${token.value}
        Vary: X-Auth-Token
        Set-Cookie: ["session=${token.value}; HttpOnly; SameSite=Lax", "ttl=${input.ttl}"]
      type: application/vnd.fifth+json;version=1.0
      json:
        token:
          methods: ${input.methods}
          expires_at: ${iso_full(token.expires_at, 6)}
          expires_in_ms: ${token.lifetime * 1000}
          user: {id: "${account.id}", password_expires_at: null}
          label?: ${input.label}
  - on: {method: [GET, HEAD], path: /v3/auth/tokens}
    do: whoami
    ok: {headers: {X-User: "${account.login}"}, empty: true}
  - on: {method: POST, path: "/basic/{tenant}"}
    accept: [form, none]
    inputs:
      identifier: {from: [basic.username, body.client_id, query.client_id], required: true, else: bad_grant}
      secret: {from: [basic.password, body.client_secret, query.client_secret], required: true}
      tenant: {from: path.tenant, must_agree: tenant_too}
      tenant_too: {from: body.tenant}
    do: {operation: authenticate, issue: access}
    ok: {type: text/html; charset=UTF-8, text: "${token.id}|${token.value}"}
    errors:
      bad_grant: {status: 200, json: {code: 7, tenant: "${input.tenant}", field: "${issue.field}"}}
issues:
  invalid_request: ${issue.label} breaks ${issue.rule}
errors:
  invalid_request: {status: 200, json: {code: 1, message: "${issue.text}", more: "${size(issues) - 1}", errors: {$for: i in issues, $members: {"${i.field}": ["${i}"]}}}}
  bad_credentials: {status: 404, json: {code: 2, ok: false}}
  unauthorized: {status: 401, text: Unauthenticated}
  rate_limited: {status: 400, json: {errors: {username: "Too many attempts! You must wait ${limit.retry_after} seconds before trying again."}}}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, json: {request: "${request.id}"}}
`

func login5(body string) *http.Request {
	return post("/v3/auth/tokens", "application/vnd.fifth+json;version=1.0", body)
}

func TestFifth(t *testing.T) {
	d := loadText(t, strings.Replace(fifth, "${issue.text}", "${issues[0].text}", 1))
	const good = `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"ada","password":"p"}}}}}`
	token := sampleGrant()
	t.Run("success", func(t *testing.T) {
		r := login5(good)
		r.URL.RawQuery = "ttl=7"
		c, w, err := serve(d, r)
		if err != nil {
			t.Fatal(err, w.Body)
		}
		if err := c.Encode(w, Result{Token: &token}); err != nil {
			t.Fatal(err)
		}
		want := `{"token":{"methods":["password"],"expires_at":"2026-03-01T13:00:00.000000Z","expires_in_ms":3600000,"user":{"id":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6","password_expires_at":null}}}`
		h := w.Header()
		if w.Code != 201 || w.Body.String() != want || h.Get("X-Subject-Token") != "t.o.k" || h.Get("Content-Type") != "application/vnd.fifth+json;version=1.0" || len(h["Set-Cookie"]) != 2 || h["Set-Cookie"][1] != "ttl=7" {
			t.Errorf("got %d %s\n%v", w.Code, w.Body, h)
		}
		if in := c.Inputs(); len(in.As) != 2 || in.Identifier != "ada" {
			t.Errorf("Inputs() = %+v", in)
		}
	})
	t.Run("claims", func(t *testing.T) {
		p := d.Terms().Policies["access"]
		grant := token.Grant
		grant.Key = nil
		got, err := p.Claims(grant)
		want := `{"jti":"id","iss":"https://issuer.example","sub":"65d0f5c9-7fb0-455c-9036-9e72f0a8d0f6","act":{"kind":"api"},"iat":1772366400,"exp":1772370000}`
		if err != nil || string(got) != want || !p.Keys.WithKeyID || p.Lifetime.Minutes() != 90 {
			t.Errorf("Claims() = %s, %v\nwant %s", got, err, want)
		}
	})
	for _, tt := range []struct {
		name   string
		r      *http.Request
		kind   core.Kind
		status int
		want   string
	}{
		{"the first issue alone", login5(`{}`), core.MissingField, 200, `{"code":1,"message":"methods breaks required","more":0,"errors":{"methods":["methods breaks required"]}}`},
		{"a constant list", login5(strings.Replace(good, `["password"]`, `["totp"]`, 1)), core.InvalidField, 200, `{"code":1,"message":"methods breaks equals","more":0,"errors":{"methods":["methods breaks equals"]}}`},
		{"a member that is not known", login5(`{"x":1,` + good[1:]), core.InvalidField, 200, `{"code":1,"message":"x breaks unknown_input","more":0,"errors":{"x":["x breaks unknown_input"]}}`},
		{"another media type", post("/v3/auth/tokens", "text/plain", good), core.WrongContentType, 200, `{"code":1,"message":" breaks wrong_content_type","more":0,"errors":{"":[" breaks wrong_content_type"]}}`},
		{"an outcome of one's own, with an input", post("/basic/acme", "", ""), core.BadGrant, 200, `{"code":7,"tenant":"acme","field":"username"}`},
		{"inputs that must agree", post("/basic/acme", urlForm, "client_id=a&client_secret=b&tenant=other"), core.InvalidField, 200, `{"code":1,"message":"tenant breaks must_agree","more":0,"errors":{"tenant":["tenant breaks must_agree"]}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, w, err := serve(d, tt.r)
			if core.KindOf(err) != tt.kind || w.Code != tt.status || w.Body.String() != tt.want {
				t.Errorf("%v\ngot  %d %s\nwant %d %s", err, w.Code, w.Body, tt.status, tt.want)
			}
		})
	}
	t.Run("numbers and patterns outside the body", func(t *testing.T) {
		for query, label := range map[string]string{"ttl=0": "ttl breaks min", "ttl=10": "ttl breaks max", "ttl=x": "ttl breaks type", "ttl=1e3": "ttl breaks max", "ttl=1.5": "ttl breaks type"} {
			r := login5(good)
			r.URL.RawQuery = query
			if _, w, _ := serve(d, r); !strings.Contains(w.Body.String(), label) {
				t.Errorf("%s: %s", query, w.Body)
			}
		}
		for values, label := range map[string]string{"UP": "X-Label breaks pattern", "a,b": "X-Label breaks pattern", "a|b": "X-Label breaks type"} {
			r := login5(good)
			r.Header["X-Label"] = strings.Split(values, "|")
			if _, w, _ := serve(d, r); !strings.Contains(w.Body.String(), label) {
				t.Errorf("%s: %s", values, w.Body)
			}
		}
	})
	t.Run("basic, body and query in their order", func(t *testing.T) {
		r := post("/basic/acme?client_id=q&client_secret=r", urlForm, "client_id=b&client_secret=c")
		if c, _, err := serve(d, r); err != nil || c.Inputs().Identifier != "b" {
			t.Errorf("body before query: %v", err)
		}
		r = post("/basic/acme?client_id=q&client_secret=r", urlForm, "client_id=b&client_secret=c")
		r.SetBasicAuth("u", "p")
		if c, _, err := serve(d, r); err != nil || c.Inputs().Identifier != "u" || c.Inputs().Secret.Reveal() != "p" {
			t.Errorf("basic first: %v", err)
		}
		r = post("/basic/acme?client_id=q&client_secret=r", "", "")
		c, w, err := serve(d, r)
		if err != nil || c.Inputs().Identifier != "q" {
			t.Fatalf("query: %v", err)
		}
		if err := c.Encode(w, Result{Token: &token}); err != nil || w.Body.String() != "id|t.o.k" || w.Header().Get("Content-Type") != "text/html; charset=UTF-8" {
			t.Errorf("Encode() = %v, %s", err, w.Body)
		}
	})
	t.Run("three verbs on one path", func(t *testing.T) {
		r := httptest.NewRequest("HEAD", "/v3/auth/tokens", nil)
		c, w, err := serve(d, r)
		if err != nil || c.Operation() != Whoami {
			t.Fatal(err)
		}
		if err := c.Encode(w, Result{Identity: &core.Identity{Account: token.Account}}); err != nil || w.Header().Get("X-User") != "ada" || w.Header().Get("Content-Type") != "" || w.Header().Get("Content-Length") != "0" {
			t.Errorf("Encode() = %v, %v", err, w.Header())
		}
		c = d.Match(httptest.NewRequest("DELETE", "/v3/auth/tokens", nil))
		w = recorder()
		if c.Refuse(w, c.Err()); w.Code != 405 || w.Header().Get("Allow") != "POST, GET, HEAD" {
			t.Errorf("DELETE = %d %v", w.Code, w.Header())
		}
	})
	t.Run("throttling in the contract's own way", func(t *testing.T) {
		w := recorder()
		d.Match(login5(good)).Refuse(w, &core.Error{Kind: core.RateLimited, RetryAfter: 15e9})
		if want := `{"errors":{"username":"Too many attempts! You must wait 15 seconds before trying again."}}`; w.Code != 400 || w.Body.String() != want {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
	t.Run("a header value stays on its line", func(t *testing.T) {
		c := d.Match(httptest.NewRequest("GET", "/v3/auth/tokens", nil))
		c.RequestID = "r9"
		w := recorder()
		identity := core.Identity{Account: core.Account{Login: "a\r\nSet-Cookie: b"}}
		if err := c.Encode(w, Result{Identity: &identity}); err != nil || w.Header().Get("X-User") != "a  Set-Cookie: b" || w.Header()["Set-Cookie"] != nil {
			t.Errorf("Encode() = %v, %d %s %v", err, w.Code, w.Body, w.Header())
		}
	})
}

// TestTightTime: files made to cost much load in bounded time.
func TestTightTime(t *testing.T) {
	long := strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100)
	for name, text := range map[string]string{
		"many expressions": "dialect: x\nerrors: {internal: {status: 500, json: [" + strings.Repeat(`"${size(issuer) + 1}",`, 10_000) + "]}}",
		"long expressions": "dialect: x\nerrors: {internal: {status: 500, json: [" + strings.Repeat(`"${`+strings.Repeat("1+", 240)+`1}",`, 450) + "]}}",
		"deep expressions": "dialect: x\nerrors: {internal: {status: 500, json: [" + strings.Repeat(`"${`+long+`}",`, 1_000) + "]}}",
		"deep lists":       "dialect: " + strings.Repeat("[", 100_000),
		"many values":      "dialect: [" + strings.Repeat("a,", 120_000) + "]",
		"many faults":      strings.Repeat("x: 1\n", 40_000),
	} {
		start := time.Now()
		_, err := Load("x.yaml", []byte(text), testOptions())
		t.Logf("%s: %v", name, time.Since(start))
		if err == nil {
			t.Errorf("%s: Load() took it", name)
		} else if n := len(strings.Split(err.Error(), "\n")); n > maxFaults {
			t.Errorf("%s: %d faults", name, n)
		}
	}
}
