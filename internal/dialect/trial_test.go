package dialect

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// tried is a dialect whose examples pass things on.
const tried = `dialect: tried
settings: {open: false, status: 201}
tokens:
  access: {format: opaque, lifetime: 1h, session: 2h, refresh: {lifetime: 90m}}
mails:
  recovery: {subject: Reset, link: "https://app.example/reset?t=${ticket.value}&from=mail"}
routes:
  - on: {method: POST, path: /login}
    accept: [json]
    inputs: {identifier: {from: body.user, required: true}, secret: {from: body.password, required: true}, otp: body.code}
    do: {operation: authenticate, issue: access}
    ok:
      headers: {X-Token: "t=${token.value}"}
      cookies: [{name: s, value: "${token.value}", http_only: true, secure: true}]
      json: {list: [{refresh: "${refresh.value}"}], expires: "${token.lifetime}"}
  - on: {method: POST, path: /refresh}
    accept: [form]
    inputs: {refresh: {from: body.refresh, required: true}}
    do: refresh
    ok: {text: "${token.value}"}
  - on: {method: POST, path: "/forgot/{user}"}
    inputs: {identifier: {from: path.user, required: true}}
    do: request_recovery
    ok: {status: 204}
errors:
  invalid_request: {status: 400, empty: true}
  bad_credentials: {status: 401, empty: true}
  unauthorized: {status: 401, empty: true}
  not_found: {status: 404, empty: true}
  method_not_allowed: {status: 405, empty: true}
  rate_limited: {status: 429, empty: true}
  unavailable: {status: 503, empty: true}
  internal: {status: 500, empty: true}
samples:
  accounts:
    ada: {login: ada@example.com, password: p, totp: JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP}
examples:
  - name: login
    send: {path: /login, json: {user: ada@example.com, password: p, code: "${totp.ada}"}}
    expect: {status: 200, json: {list: [{refresh: <text>}], expires: <integer>}, save: {refresh: /list/0/refresh, expires: /expires, token: cookie s, head: header X-Token}}
  - name: login again
    send: {path: /login, json: {user: ada@example.com, password: p, code: "${totp.ada}"}}
    expect: {status: 200}
  - name: refresh
    send: {path: "/refresh?why=${saved.expires}&${saved.head}", form: {refresh: "${saved.refresh}", plain: "$${a}", url: "${base_url}/x"}, headers: {X-Was: "${saved.token}"}}
    expect: {status: 200, text: "fresh ${saved.refresh}", headers: {X-Was: "${saved.token}"}, save: {all: ""}}
  - name: forgotten
    send: {path: /forgot/ada@example.com}
    expect: {status: 204}
  - name: reset
    send: {path: /reset, json: {ticket: "${mail.recovery.ada}", all: "${saved.all}", n: "${setting.status}"}}
    expect: {status: 200}
  - name: many
    repeat: 3
    send: {path: /many}
    expect: {status: 429}
  - name: open
    settings: {open: true, status: 202}
    send: {path: /open, xml: "<a>${setting.status}</a>"}
    expect: {status: "${setting.status}", xml: "<token id=\"&lt;integer&gt;\">&lt;token&gt;</token>"}
`

// counter answers as tried wants, and notes what it was sent.
type counter struct {
	seen  []string
	mails []core.Mail
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	c.seen = append(c.seen, r.URL.RequestURI()+" "+r.Header.Get("X-Was")+" "+string(text))
	switch r.URL.Path {
	case "/login":
		w.Header().Set("X-Token", "t=tok+1")
		http.SetCookie(w, &http.Cookie{Name: "s", Value: "tok+1"})
		_, _ = io.WriteString(w, `{"list":[{"refresh":"re\"f"}],"expires":7}`)
	case "/refresh":
		w.Header().Set("X-Was", r.Header.Get("X-Was"))
		_, _ = io.WriteString(w, `fresh re"f`)
	case "/forgot/ada@example.com":
		c.mails = append(c.mails, core.Mail{To: "bob@example.com", Link: core.NewSecret("https://app.example/reset?t=B&from=mail")},
			core.Mail{To: "ada@example.com", Link: core.NewSecret("https://app.example/reset?t=T1&from=mail")})
		w.WriteHeader(http.StatusNoContent)
	case "/many":
		if strings.Count(strings.Join(c.seen, "\n"), "/many") == 3 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	case "/open":
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `<token id="7">a.b</token>`)
	}
}

// TestTrial: what a reply, a second factor or a mail holds goes into the requests
// after it, as each place writes it.
func TestTrial(t *testing.T) {
	d := loadText(t, tried)
	if sets := d.SettingSets(); len(sets) != 2 || sets[0] != nil || sets[1]["open"] != true || sets[1]["status"] != int64(202) {
		t.Fatalf("SettingSets() = %v", sets)
	}
	c := &counter{}
	server := httptest.NewServer(c)
	defer server.Close()
	trial := Trial{Dialect: d, Client: noRedirects, BaseURL: server.URL, Mails: func() []core.Mail { return c.mails }, Now: func() time.Time { return time.Unix(59, 0) }}
	results := trial.Run(t.Context())
	for _, result := range results {
		if result.Diff != "" {
			t.Errorf("%s: %s", result.Example.Name, result.Diff)
		}
	}
	want := []string{ // codes of the steps 1 and 2
		`/login  {"user":"ada@example.com","password":"p","code":"` + codeOf(t, 1) + `"}`,
		`/login  {"user":"ada@example.com","password":"p","code":"` + codeOf(t, 2) + `"}`,
		`/refresh?why=7&t%3Dtok%2B1 tok+1 refresh=re%22f&plain=%24%7Ba%7D&url=https%3A%2F%2Fapi.example%2Fx`,
		`/forgot/ada@example.com  `,
		`/reset  {"ticket":"T1","all":"fresh re\"f","n":201}`,
		`/many  `, `/many  `, `/many  `,
	}
	if len(results) != 6 || !slices.Equal(c.seen, want) {
		t.Errorf("%d results, sent\n%s\nwant\n%s", len(results), strings.Join(c.seen, "\n"), strings.Join(want, "\n"))
	}
	c.seen = nil
	trial.Settings = d.SettingSets()[1]
	if results := trial.Run(t.Context()); len(results) != 1 || results[0].Diff != "" || c.seen[0] != "/open  <a>202</a>" {
		t.Errorf("with settings: %+v, sent %q", results, c.seen)
	}
}

// TestTrialAddress: an account that is no sample is known by its address.
func TestTrialAddress(t *testing.T) {
	mail := func(to, ticket string) core.Mail {
		return core.Mail{To: to, Link: core.NewSecret("https://app.example/reset?t=" + ticket + "&from=mail")}
	}
	trial := Trial{Dialect: loadText(t, tried), Mails: func() []core.Mail {
		return []core.Mail{mail("new@example.com", "T1"), mail("new@example.com", "T2"), mail("old@example.com", "T3")}
	}}
	for _, to := range []string{"new@example.com", "New@Example.com"} {
		if ticket, err := trial.value(t.Context(), "mail.recovery."+to); err != nil || ticket != "T2" {
			t.Errorf("the ticket of %s: %q, %v", to, ticket, err)
		}
	}
}

// TestTrialClock: the clock is moved on once, before the request and after the sign-in
// for its token.
func TestTrialClock(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization")+" at "+now.Sub(time.Unix(1_000_000, 0)).String())
	}))
	defer server.Close()
	text := strings.Replace(tried, "examples:\n", `examples:
  - {name: before, send: {path: /login}, expect: {status: 200, empty: true}}
  - {name: later, as: ada, after: 16m, repeat: 2, send: {path: /login}, expect: {status: 200, empty: true}}
  - {name: still, send: {path: /login}, expect: {status: 200, empty: true}}
`, 1)
	trial := Trial{
		Dialect: loadText(t, text), Client: noRedirects, BaseURL: server.URL,
		Skip: func(e Example) bool { return !slices.Contains([]string{"before", "later", "still"}, e.Name) },
		Token: func(string) (string, error) {
			seen = append(seen, "token at "+now.Sub(time.Unix(1_000_000, 0)).String())
			return "t", nil
		},
		Advance: func(by time.Duration) { now = now.Add(by) },
	}
	for _, result := range trial.Run(t.Context()) {
		if result.Diff != "" {
			t.Errorf("%s: %s", result.Example.Name, result.Diff)
		}
	}
	want := []string{"/login  at 0s", "token at 0s", "/login Bearer t at 16m0s", "token at 16m0s", "/login Bearer t at 16m0s", "/login  at 16m0s"}
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
	trial.Advance = nil
	if results := trial.Run(t.Context()); !strings.Contains(results[1].Diff, "after 16m0s: nobody can move the clock") {
		t.Errorf("without a clock: %q", results[1].Diff)
	}
}

// codeOf is the code of tried's sample at a step of time.
func codeOf(t *testing.T, step int64) string {
	t.Helper()
	trial := Trial{Dialect: loadText(t, tried), Now: func() time.Time { return time.Unix((step+1)*30, 0) }}
	code, err := trial.code("ada")
	if err != nil || len(code) != 6 {
		t.Fatalf("code() = %q, %v", code, err)
	}
	return code
}

// TestTrialFails: what cannot be filled in or saved is told.
func TestTrialFails(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer silent.Close()
	trial := Trial{Dialect: loadText(t, tried), Client: noRedirects, BaseURL: silent.URL}
	want := map[string]string{
		"login":   `save refresh: the reply has no text or number at "/list/0/refresh"`,
		"refresh": "the example that saves it did not get it",
		"reset":   "nobody keeps the mails here",
		"many":    "status: got 200, want 429",
	}
	for _, result := range trial.Run(t.Context()) {
		if w := want[result.Example.Name]; w != "" && !strings.Contains(result.Diff, w) {
			t.Errorf("%s: %s\nwant %s", result.Example.Name, result.Diff, w)
		}
	}
	if _, err := trial.code("ada"); err != nil {
		t.Errorf("a third code: %v", err)
	}
	if code, err := trial.code("ada"); err == nil {
		t.Errorf("a fourth code in a minute: %s", code)
	}
	trial.Mails = func() []core.Mail { return nil }
	if _, err := trial.ticket(t.Context(), core.PurposeRecovery, "ada"); err == nil || !strings.Contains(err.Error(), "no recovery mail came to ada@example.com") {
		t.Errorf("ticket() = %v", err)
	}
}

// TestSignIn: a sample's token is found wherever the contract puts it.
func TestSignIn(t *testing.T) {
	for _, tt := range []struct{ ok, want string }{
		{`json: {data: {list: [{no: 1}], token: "x ${token.value}"}}`, "t.o.k"},
		{`json: {$$token: "${token.value}"}`, "t.o.k"},
		{`text: "${token.id}|${token.value}"`, "t.o.k"},
		{`{status: 204, headers: {X-Other: "${account.id}", X-Token: "Bearer ${token.value}"}}`, "t.o.k"},
		{`{empty: true, cookies: [{name: a, value: b}, {name: s, value: "v1.${token.value}"}]}`, "t.o.k"},
		{"- {when: false, status: 200, text: \"${token.value}\"}\n      - {status: 201, json: {token: \"${token.value}\"}}", "t.o.k"},
		{`xml: {"s:login": {"@xmlns:s": urn:x, user: "${account.login}", "s:token": "Bearer ${token.value}"}}`, "t.o.k"},
		{`json: {other: "${account.id}"}`, ""},
	} {
		text := filled(map[string]string{"OK": tt.ok}) + "samples: {accounts: {ada: {login: ada, password: p}}, keys: {k: {identifier: key, secret: s, account: ada}}}\n"
		d := loadText(t, text)
		var signed []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := d.Match(r)
			if err := errors.Join(c.Err(), c.Decode(r)); err != nil {
				t.Error(err)
			}
			signed = append(signed, c.Inputs().Identifier+" "+c.Inputs().Secret.Reveal())
			token := sampleGrant()
			_ = c.Encode(w, Result{Token: &token})
		}))
		trial := Trial{Dialect: d, Client: noRedirects, BaseURL: server.URL}
		for _, sample := range []string{"ada", "k"} {
			got, err := trial.SignIn(t.Context(), sample)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%s: SignIn(%s) = %q, %v", tt.ok, sample, got, err)
			}
		}
		server.Close()
		if !slices.Equal(signed, []string{"ada p", "key s"}) {
			t.Errorf("signed in as %q", signed)
		}
		if _, err := trial.SignIn(t.Context(), "nobody"); err == nil {
			t.Error("a sample that is none signs in")
		}
	}
}

// TestDiff: a difference is told by lines, order and all.
func TestDiff(t *testing.T) {
	const want = `{"statusCode":"Error","error":{"name":"AuthenticationError","message":"Service was unable to complete your request.","details":[1,2,{"a":1,"b":2}]},"more":"x"}`
	for _, tt := range []struct{ got, diff string }{
		{want, ""},
		{`{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"AuthenticationError","details":[1,2,{"b":2,"a":1}]},"more":"x"}`,
			`order of /error: got message, name, details; want name, message, details
order of /error/details/2: got b, a; want a, b
body: - is wanted, + is what came
        …
          "statusCode": "Error"
          "error": {
      -     "name": "AuthenticationError"
            "message": "Service was unable to complete your request."
      +     "name": "AuthenticationError"
            "details": [
              1
              2
              {
      -         "a": 1
                "b": 2
      +         "a": 1
              }
            ]
        …
`},
		{`{"statusCode":"Error","error":{"name":"AuthenticationError","message":"Service was unable to complete your request.","details":[1,"2",{"a":1,"b":2}]},"more":null,"extra":{}}`,
			`body: - is wanted, + is what came
        …
            "details": [
              1
      -       2
      +       "2"
              {
                "a": 1
        …
            ]
          }
      -   "more": "x"
      +   "more": null
      +   "extra": {}
        }
`},
		{"short", "body: - is wanted, + is what came\n"},
	} {
		e := Example{Status: 200, ReplyJSON: []byte(want)}
		if got := e.Compare(200, http.Header{}, []byte(tt.got)); got != tt.diff && !(tt.got == "short" && strings.HasPrefix(got, tt.diff)) {
			t.Errorf("Compare(%s) =\n%s\nwant\n%s", tt.got, got, tt.diff)
		}
	}
}

// TestTrialOutcome compares the outcomes that examples name with what the server says.
func TestTrialOutcome(t *testing.T) {
	for _, tt := range []struct {
		name      string
		want, got core.Kind
		diff      string
	}{
		{"the same", core.BadSecret, core.BadSecret, ""},
		{"one below it", core.BadCredentials, core.BadSecret, ""},
		{"another", core.InvalidField, core.MissingField, "outcome: got missing_field, want invalid_field\n"},
		{"a success", core.InvalidField, "", "outcome: got success, want invalid_field\n"},
		{"none is named", "", core.BadSecret, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trial := Trial{Outcome: func() core.Kind { return tt.got }}
			if diff := trial.compareOutcome(&Example{Outcome: tt.want}); diff != tt.diff {
				t.Errorf("compareOutcome() = %q, want %q", diff, tt.diff)
			}
		})
	}
}
