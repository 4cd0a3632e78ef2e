package dialect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// TestFacts: what goes with a token is told where it is there, and is null where not.
func TestFacts(t *testing.T) {
	d := loadText(t, renewed(map[string]string{"OK": `json:
        client: ["${client.id}", "${client.identifier}", "${client.name}", "${client.attributes.plan}"]
        tenant: ["${tenant.id}", "${tenant.name}", "${tenant.attributes.plan}", "${tenant.attributes.plan == 'big'}"]
        session: ["${session.id}", "${epoch(session.started_at)}", "${epoch(session.ends_at)}"]
        refresh: ["${refresh.value}", "${epoch(refresh.expires_at)}", "${refresh.lifetime}"]
        token: ["${token.methods}", "${epoch(token.expires_at)}"]
        request: "${request.method} ${request.path}"`}))
	c, _, err := serve(d, post("/login", jsonTyp, `{"user":"ada","password":"p"}`))
	if err != nil {
		t.Fatal(err)
	}
	token := sampleGrant()
	token.Key = nil
	encode := func(want string) {
		t.Helper()
		w := recorder()
		if err := c.Encode(w, Result{Token: &token}); err != nil || w.Body.String() != want {
			t.Errorf("Encode() = %v\ngot  %s\nwant %s", err, w.Body, want)
		}
	}
	encode(`{"client":[null,null,null,null],"tenant":[null,null,null,false],"session":[null,null,null],"refresh":[null,null,null],"token":[[],1772370000],"request":"POST /login"}`)
	token.Key = &core.AccessKey{ID: "k", Identifier: "own", Attributes: core.Attributes{"plan": "small"}}
	token.Tenant = &core.Tenant{ID: "t1", Name: "Example", Attributes: core.Attributes{"plan": "big"}}
	token.Session = &core.Session{ID: "s1", CreatedAt: testTime}
	token.Methods = []string{"key"}
	token.Refresh = &core.RefreshToken{Value: core.NewSecret("r"), IssuedAt: testTime, ExpiresAt: testTime.Add(time.Minute)}
	encode(`{"client":["k","own",null,"small"],"tenant":["t1","Example","big",true],"session":["s1",1772366400,null],"refresh":["r",1772366460,60],"token":[["key"],1772370000],"request":"POST /login"}`)
	token.Client = &core.AccessKey{ID: "c", Identifier: "app", Name: "App"}
	token.Session, token.Refresh, token.Tenant = nil, nil, nil
	encode(`{"client":["c","app","App",null],"tenant":[null,null,null,false],"session":[null,null,null],"refresh":[null,null,null],"token":[["key"],1772370000],"request":"POST /login"}`)
}

// TestStateFacts: an account's state is told after the proof alone. What core does
// not say, no reply can tell.
func TestStateFacts(t *testing.T) {
	d := loadText(t, strings.Replace(filled(nil), "  bad_credentials:", `  inactive: {status: 403, text: "${account.id} of ${tenant.name}"}
  key_pending: {status: 403, text: "${key.name}"}
  mfa_required: {status: 401, headers: {X-Receipt: "${challenge.value}"}, text: "${account.id} until ${epoch(challenge.expires_at)}"}
  bad_credentials:`, 1))
	d.errors[core.RateLimited] = loadText(t, strings.Replace(filled(nil), "wait ${limit.retry_after} s", "${limit.attempts}/${limit.remaining}", 1)).errors[core.RateLimited]
	d.replies = resolve(d.errors)
	ada := &core.Identity{Account: core.Account{ID: "ada"}, Tenant: &core.Tenant{Name: "Example"}}
	key := &core.Identity{Key: &core.AccessKey{Name: "tool"}}
	challenge := &core.Challenge{Value: core.NewSecret("c"), ExpiresAt: testTime}
	for _, tt := range []struct {
		name   string
		err    core.Error
		status int
		want   string
	}{
		{"a state", core.Error{Kind: core.Inactive, Identity: ada}, 403, "ada of Example"},
		{"a state of nobody", core.Error{Kind: core.Inactive}, 500, "sorry"},
		{"a key's state", core.Error{Kind: core.KeyPending, Identity: key}, 403, "tool"},
		{"a challenge", core.Error{Kind: core.MFARequired, Identity: ada, Challenge: challenge}, 401, "ada until 1772366400"},
		{"no challenge", core.Error{Kind: core.MFARequired, Identity: ada}, 500, "sorry"},
		{"no state", core.Error{Kind: core.BadSecret, Identity: ada}, 401, ""},
		{"a limit", core.Error{Kind: core.RateLimited, Limit: 5}, 429, "5/0"},
		{"a limit that is not told", core.Error{Kind: core.RateLimited}, 429, "/"},
	} {
		w := recorder()
		d.Match(post("/nowhere", "", "")).Refuse(w, &tt.err)
		if w.Code != tt.status || w.Body.String() != tt.want {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
		if got := w.Header().Get("X-Receipt"); (got == "c") != (tt.status == 401 && tt.want != "") {
			t.Errorf("%s: X-Receipt = %q", tt.name, got)
		}
	}
}

// TestFactsElsewhere: no fact is known where core does not tell it.
func TestFactsElsewhere(t *testing.T) {
	for _, tt := range []struct{ in, text, want string }{
		{"OK", `text: "${token.random}"`, "token.random is not known in the reply to POST /login; hint: it is known in a token's value"},
		{"OK", `text: "${challenge.value}"`, "challenge.value is not known in the reply to POST /login; hint: it is known in errors.mfa_required"},
		{"OK", `text: "${caller.id}"`, "caller.id is not known in the reply to POST /login; hint: it is known in introspect and revoke"},
		{"OK", `json: "${keyset}"`, "keyset is not known in the reply to POST /login"},
		{"OK", `json: "${sent.secret}"`, "sent.secret is not known in the reply to POST /login; hint: it is known in required"},
		{"OK", `json: ["${granted.scope}"]`, "17:17: no route grants scope"},
		{"OK", `json: "${granted.scope == null || size(granted.scop) > 0}"`, "no route grants scop"},
		{"OK", `json: {$for: tenant in account.roles, $yield: x}`, "tenant cannot name a loop's variable"},
		{"REFUSAL", `text: "${account.id}"`, "account.id is not known in the reply to invalid_request"},
		{"REFUSAL", `text: "${limit.attempts}"`, "limit.attempts is not known in the reply to invalid_request; hint: it is known in errors.rate_limited"},
	} {
		_, err := Load("test.yaml", []byte(filled(map[string]string{tt.in: tt.text})), testOptions())
		if faults, ok := errors.AsType[Faults](err); !ok || !strings.Contains(faults.Error(), tt.want) {
			t.Errorf("%s: Load() = %v\nwant %q", tt.text, err, tt.want)
		}
	}
}
