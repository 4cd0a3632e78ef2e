package login_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/memory"
	"github.com/chancery-auth/chancery/internal/web/webtest"
)

// factor is a second factor's secret, in base32.
const factor = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// everything is a contract with every operation, and somebody in every state.
func everything(t *testing.T) (*webtest.World, *server) {
	t.Helper()
	source, err := os.ReadFile("testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	errors := "errors:\n"
	for _, kind := range core.Kinds() {
		if kind != core.Unknown && kind != core.BadSecret { // which have the words of bad_credentials (S1)
			errors += fmt.Sprintf("  %s: {status: 400, text: %s}\n", kind, kind)
		}
	}
	w := webtest.New(t, memory.New(), "everything.yaml", append(source, errors...), nil)
	for _, tenant := range []core.Tenant{{ID: "t1", Name: "Acme", Active: true}, {ID: "t2", Name: "Beta", Active: true}, {ID: "t3", Name: "Closed"}} {
		tenant.Realm = webtest.Realm
		if _, err := w.Registry.PutTenant(t.Context(), tenant, core.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, spec := range []core.AccountSpec{
		{Login: "ada", ID: "id-of-ada", Attributes: core.Attributes{"domain": "d"}},
		{Login: "boss", Roles: []string{"admin"}},
		{Login: "disabled"}, {Login: "unproved"}, {Login: "held", Hold: core.Locked}, {Login: "old", Hold: core.MustChangeSecret},
		{Login: "two", TOTP: core.NewSecret(factor), RecoveryCodes: []core.Secret{core.NewSecret("AAAA-BBBB-CCCC-DDDD")}},
		{Login: "bob", Tenant: "t1"}, {Login: "bob", Tenant: "t2"}, {Login: "cut", Tenant: "t3"},
	} {
		w.Account(t, spec.Login, func(s *core.AccountSpec) {
			spec.Realm, spec.Password = s.Realm, s.Password
			spec.Active, spec.Verified = spec.Login != "disabled", spec.Login != "unproved"
			*s = spec
		})
	}
	ada, err := w.Registry.Account(t.Context(), core.AccountName{Realm: webtest.Realm, Login: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	w.AccessKey(t, ada, "app")
	w.AccessKey(t, ada, "other")
	return w, serve(t, mount(w))
}

// A talk goes on with what replies told.
type talk struct {
	*testing.T
	s *server
}

// post sends a form and wants words in the reply to it.
func (t talk) post(target, words string, pairs ...string) map[string]any {
	t.Helper()
	return t.read("POST "+target, t.s.ask(t, "POST", target, form(pairs...), formType), words)
}

// bear sends a request with a bearer token, and headers.
func (t talk) bear(method, target, token, words string, headers ...string) map[string]any {
	t.Helper()
	return t.read(method+" "+target, t.s.ask(t, method, target, "", append(headers, "Authorization: Bearer "+token)...), words)
}

func (t talk) read(what string, got reply, words string) map[string]any {
	t.Helper()
	if got.status >= 500 || !strings.Contains(got.body, words) || words == "" && got.status != 204 {
		t.Fatalf("%s: got %d %s, want %q\n%s", what, got.status, got.body, words, t.s.logged())
	}
	var told map[string]any
	_ = json.Unmarshal([]byte(got.body), &told) // texts tell nothing further
	return told
}

// login signs somebody in, with more inputs; the reply tells the tokens.
func (t talk) login(username, words string, more ...string) (token, refresh string) {
	t.Helper()
	told := t.post("/login", words, append([]string{"username", username, "password", webtest.Password}, more...)...)
	token, _ = told["token"].(string)
	refresh, _ = told["refresh"].(string)
	return token, refresh
}

func TestAuthenticate(t *testing.T) {
	_, s := everything(t)
	talk := talk{t, s}
	client, right := []string{"client", "app", "client_secret", webtest.Secret}, code(t, 0)
	for _, tt := range []struct {
		name, login string
		more        []string
		want        string
	}{
		{"a password", "ada", nil, `"lifetime":3600,"methods":["password"],"company":"Example"}`},
		{"unknown", "nobody", nil, "bad_credentials"},
		{"a wrong password", "ada", []string{"password", "x"}, "bad_credentials"},
		{"by its id", "", []string{"id", "id-of-ada"}, `"methods"`},
		{"by an id that nobody has", "", []string{"id", "id-of-nobody"}, "bad_credentials"},
		{"neither name nor id", "", []string{"username", ""}, "bad_credentials"},
		{"within a tenant", "bob", []string{"tenant", "t2"}, `"tenant":"t2"`},
		{"within a tenant by name", "bob", []string{"tenant_name", "acme"}, `"tenant":"t1"`},
		{"within a tenant by both", "bob", []string{"tenant", "t1", "tenant_name", "acme"}, `"tenant":"t1"`},
		{"tenants that disagree", "bob", []string{"tenant", "t2", "tenant_name", "acme"}, "bad_credentials"},
		{"a tenant without such an account", "ada", []string{"tenant", "t1"}, "bad_credentials"},
		{"several tenants and none named", "bob", nil, "bad_credentials"},
		{"a tenant that is closed", "cut", []string{"tenant", "t3"}, "inactive"},
		{"disabled", "disabled", nil, "inactive"},
		{"not verified", "unproved", nil, "unverified"},
		{"locked, and told who", "held", nil, "locked held"},
		{"must change the password", "old", nil, "must_change_secret"},
		{"with a client", "ada", client, `"client":"app"`},
		{"with a client and a wrong secret of its", "ada", []string{"client", "app", "client_secret", "x"}, "bad_client"},
		{"a client without a proof is none", "ada", []string{"client", "app"}, `"company":"Example"}`},
		{"a wrong client is told before a wrong password", "ada", []string{"password", "x", "client", "x", "client_secret", "x"}, "bad_client"},
		{"what is granted", "ada", []string{"scope", "some"}, `"scope":"some"`},
		{"what is not allowed", "ada", []string{"scope", "all"}, "scope_denied"},
		{"what is not allowed to everybody", "ada", []string{"scope", "admin"}, "scope_denied"},
		{"but to somebody", "boss", []string{"scope", "admin"}, `"scope":"admin"`},
		{"what is not allowed is told after the proof alone", "ada", []string{"scope", "all", "password", "x"}, "bad_credentials"},
		{"what is too much", "ada", []string{"scope", strings.Repeat("x", 4<<10)}, "field_too_large"},
		{"a lifetime", "ada", []string{"minutes", "90"}, `"lifetime":5400`},
		{"one that is too long", "ada", []string{"minutes", "9000000000000"}, `"lifetime":7200`},
		{"one beyond all numbers", "ada", []string{"minutes", "9000000000000000000"}, "invalid_field"},
		{"one that is too short", "ada", []string{"minutes", "-3"}, `"lifetime":60`},
		{"no refresh token", "ada", []string{"remember", "false"}, `","lifetime":3600`},
		{"a second factor is missing", "two", nil, "challenge"},
		{"a wrong code", "two", []string{"otp", "000000"}, "bad_otp"},
		{"a wrong recovery code", "two", []string{"code", "x"}, "bad_otp"},
		{"a wrong password and no code", "two", []string{"password", "x"}, "bad_credentials"},
		{"a right code", "two", []string{"otp", right}, `"methods":["password","totp"]`},
		{"that code again", "two", []string{"otp", right}, "bad_otp"},
		{"a recovery code", "two", []string{"code", "AAAA-BBBB-CCCC-DDDD"}, `"methods":["password","recovery_code"]`},
		{"an audience that may be granted", "ada", []string{"audience", "two"}, `"audience":"two"`},
		{"another", "ada", []string{"audience", "three"}, "forbidden"},
		{"a key with an audience", "app", []string{"password", webtest.Secret, "audience", "one"}, `"audience":"one"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talk.T = t
			talk.login(tt.login, tt.want, tt.more...)
		})
	}
}

// code is the second factor's code, steps of 30 seconds from now.
func code(t *testing.T, steps int) string {
	t.Helper()
	text, err := totp.GenerateCode(factor, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestResume(t *testing.T) {
	_, s := everything(t)
	talk := talk{t, s}
	challenge := func() string {
		told := talk.post("/login", "challenge", "username", "two", "password", webtest.Password, "scope", "some", "minutes", "2", "remember", "false")
		return told["challenge"].(string)
	}
	talk.post("/resume", "ticket_unknown", "challenge", "x", "otp", code(t, 0))
	first := challenge()
	talk.post("/resume", "bad_otp", "challenge", first, "otp", "12345")
	talk.post("/resume", "bad_otp", "challenge", first)
	second := challenge()
	talk.post("/resume", "ticket_unknown", "challenge", first, "otp", code(t, 0))
	told := talk.post("/resume", `","lifetime":120,"methods":["password","totp"],"scope":"some"`, "challenge", second, "otp", code(t, 1))
	talk.post("/resume", "ticket_used", "challenge", second, "code", "AAAA-BBBB-CCCC-DDDD")
	talk.bear("GET", "/who", told["token"].(string), "two ")
	talk.bear("GET", "/who", second, "token_invalid") // a challenge is no token (S28)
}

func TestRefresh(t *testing.T) {
	w, s := everything(t)
	talk := talk{t, s}
	_, refresh := talk.login("ada", `"refresh"`, "scope", "some")
	talk.post("/refresh", "refresh_unknown", "refresh", "x")
	told := talk.post("/refresh", `"scope":"some"`, "refresh", refresh)
	talk.bear("GET", "/who", told["token"].(string), "ada d")
	talk.post("/refresh", "refresh_reused", "refresh", refresh)
	talk.post("/refresh", "refresh_revoked", "refresh", told["refresh"].(string)) // the whole family
	talk.bear("GET", "/who", told["token"].(string), "token_revoked")

	_, refresh = talk.login("ada", `"refresh"`, "client", "app", "client_secret", webtest.Secret)
	talk.post("/refresh", "bad_client", "refresh", refresh)
	talk.post("/refresh", "refresh_unknown", "refresh", refresh, "client", "other", "client_secret", webtest.Secret)
	talk.post("/refresh", "bad_client", "refresh", refresh, "client", "app", "client_secret", "x")
	talk.post("/refresh", `"client":"app"`, "refresh", refresh, "client", "app", "client_secret", webtest.Secret)

	token, refresh := talk.login("boss", `"refresh"`)
	if _, err := w.Registry.HoldAccount(t.Context(), core.AccountName{Realm: webtest.Realm, Login: "boss"}, core.Locked, core.Origin{}); err != nil {
		t.Fatal(err)
	}
	talk.post("/refresh", "account_inactive", "refresh", refresh)
	talk.bear("GET", "/who", token, "boss") // a hold keeps new tokens away alone
}

func TestExtendAndRevoke(t *testing.T) {
	w, s := everything(t)
	talk := talk{t, s}
	token, _ := talk.login("ada", `"token"`)
	next := talk.bear("POST", "/extend", token, `"methods":["password"]`)["token"].(string)
	talk.bear("GET", "/who", token, "token_expired") // old: end
	talk.bear("POST", "/extend", token, "token_expired")
	talk.bear("POST", "/extend", "x", "token_invalid")
	talk.read("no token", s.ask(t, "POST", "/extend", ""), "token_missing")
	talk.bear("POST", "/prolong", next, next+" 3600")
	talk.bear("POST", "/prolong?minutes=90", next, next+" 5400")
	talk.bear("POST", "/prolong?minutes=999", next, next+" 7200")
	talk.bear("POST", "/logout", next, "")
	talk.bear("POST", "/logout", next, "token_revoked")
	talk.bear("POST", "/prolong", next, "token_revoked")
	talk.read("no token", s.ask(t, "POST", "/logout", ""), "token_missing")

	first, _ := talk.login("ada", `"token"`)
	second, _ := talk.login("ada", `"token"`)
	talk.bear("POST", "/logout/everywhere", first, "")
	talk.bear("GET", "/who", second, "token_revoked")
	talk.read("no token", s.ask(t, "POST", "/logout/everywhere", ""), "token_missing")

	client := []string{"client", "app", "client_secret", webtest.Secret}
	token, _ = talk.login("boss", `"token"`, client...)
	talk.post("/revoke", "bad_client", "token", token)
	talk.post("/revoke", "bad_client", "token", token, "client", "app", "client_secret", "x")
	talk.post("/revoke", "done", "token", token, "client", "other", "client_secret", webtest.Secret)
	talk.bear("GET", "/who", token, "boss") // another client's token is left alone
	talk.post("/revoke", "done", append(client, "token", token)...)
	talk.bear("GET", "/who", token, "token_revoked")
	talk.post("/revoke", "done", append(client, "token", "unknown")...)
	talk.post("/revoke", "missing_field", client...)

	boss, refresh := talk.login("boss", `"token"`)
	ada, _ := talk.login("ada", `"token"`)
	by := func(caller, token, words string) {
		t.Helper()
		talk.read("by "+caller, s.ask(t, "POST", "/revoke/by-bearer", form("token", token), formType, "Authorization: Bearer "+caller), words)
	}
	by("x", ada, "token_invalid")
	by(ada, boss, "forbidden")
	by(boss, ada, "done")
	by(boss, ada, "done")
	talk.bear("GET", "/who", ada, "token_revoked")
	talk.post("/revoke/by-anybody", "done", "token", refresh)
	talk.bear("GET", "/who", boss, "token_revoked") // either token ends the session

	w.Fault.Store(new(func() error { return &core.Error{Kind: core.Unavailable} }))
	if got := s.ask(t, "POST", "/logout", "", "Authorization: Bearer "+second); got.body != "unavailable" {
		t.Errorf("got %d %s, want unavailable: what cannot be asked is not ended", got.status, got.body)
	}
}

// An absent tenant is none, where the file says so.
func TestNoTenant(t *testing.T) {
	w, s := everything(t)
	w.Account(t, "free", nil)
	w.Account(t, "free", func(s *core.AccountSpec) { s.Tenant = "t1" })
	talk := talk{t, s}
	login := func(words string, pairs ...string) {
		t.Helper()
		talk.post("/login/company", words, append(pairs, "password", webtest.Password)...)
	}
	login(`{"company":null,"sent":""}`, "username", "free")
	login(`{"company":null,"sent":""}`, "username", "free", "company", "")
	login(`{"company":"Acme","sent":"acme"}`, "username", "free", "company", "acme")
	login("bad_credentials", "username", "bob")                                                   // of two companies
	talk.post("/login", `"company":"Example"}`, "username", "free", "password", webtest.Password) // whoever has it in a tenant
}

// A route that names its tokens takes no others.
func TestOf(t *testing.T) {
	_, s := everything(t)
	talk := talk{t, s}
	access, _ := talk.login("ada", `"token"`)
	signed := talk.post("/login", `"audience":"one"`, "username", "ada", "password", webtest.Password, "audience", "one")["token"].(string)
	talk.bear("GET", "/who", signed, "ada")
	talk.bear("GET", "/who/signed", signed, "ada")
	talk.bear("GET", "/who/signed", access, "token_foreign")
	talk.bear("POST", "/extend", signed, "token_foreign")
	talk.bear("GET", "/introspect/signed", access, "ada", "X-Subject-Token: "+signed) // who asks may bring any
	talk.bear("GET", "/introspect/signed", signed, "subject_invalid", "X-Subject-Token: "+access)
}

func TestIntrospect(t *testing.T) {
	_, s := everything(t)
	talk := talk{t, s}
	client := []string{"client", "app", "client_secret", webtest.Secret}
	token, refresh := talk.login("boss", `"token"`, "scope", "admin")
	ada, _ := talk.login("ada", `"token"`)
	talk.post("/introspect", `{"login":"boss","scope":"admin","caller":"ada","by":"app"}`, append(client, "token", token)...)
	talk.post("/introspect", "subject_invalid", append(client, "token", "x")...)
	talk.post("/introspect", "subject_invalid", append(client, "token", refresh)...)
	talk.post("/introspect", "bad_client", "token", token)
	talk.post("/introspect", "bad_client", "token", "x", "client", "app", "client_secret", "x")
	subject := "X-Subject-Token: "
	talk.bear("GET", "/introspect", token, `{"login":"ada","caller":"boss"}`, subject+ada)
	talk.bear("GET", "/introspect", ada, `{"login":"ada","caller":"ada"}`, subject+ada)
	talk.bear("GET", "/introspect", ada, "forbidden", subject+token)
	talk.bear("GET", "/introspect", ada, "subject_invalid", subject+"x")
	talk.bear("GET", "/introspect", "x", "token_invalid", subject+ada)
	talk.read("no token", s.ask(t, "GET", "/introspect", "", subject+ada), "token_missing")
	talk.bear("GET", "/introspect", ada, "missing_field")
}

func TestRegister(t *testing.T) {
	_, s := everything(t)
	talk := talk{t, s}
	ask := func(target, body, words string) map[string]any {
		t.Helper()
		return talk.read(body, s.ask(t, "POST", target, body, jsonType), words)
	}
	told := ask("/register", `{"email":"Eve@Example.COM","password":"long enough","name":"Eve","company":"C","invite":"please"}`,
		`"name":"Eve","roles":["user"],"domain":"C"`)
	if told["scope"] != "new" {
		t.Errorf("granted %v", told["scope"])
	}
	talk.bear("GET", "/who", told["token"].(string), "Eve@example.com C")
	talk.post("/login", `"token"`, "username", "eve@example.com", "password", "long enough")
	ask("/register", `{"email":"eve@example.com","password":"long enough","invite":"please"}`, "account_exists")
	ask("/register", `{"email":"fay@example.com","password":"long enough"}`, "forbidden")
	ask("/register", `{"email":"fay@example.com","password":"short","invite":"please"}`, "password_refused")
	ask("/register", `{"email":"fay\u0000","password":"long enough","invite":"please"}`, "invalid_request")
	ask("/register", `{"email":"fay@example.com","password":"long enough","tenant":"t9","invite":"please"}`, "invalid_field")
	ask("/register", `{"email":"fay@example.com","password":"long enough","tenant":"t2","invite":"please"}`, `"domain":null`)
	ask("/register/quietly", `{"email":"gil@example.com","password":"long enough"}`, `{"login":"gil@example.com","verified":false}`)
	ask("/register/quietly", `{"email":"gil@example.com","password":"long enough"}`, "account_exists")
}

// mailed are the tickets of the mails that have been asked for.
func mailed(t *testing.T, w *webtest.World) (tickets []string) {
	t.Helper()
	notices, err := w.Store.LeaseNotices(t.Context(), time.Now(), time.Now().Add(time.Minute), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, notice := range notices {
		mail, err := w.Authority.ComposeMail(t.Context(), notice)
		if err != nil && core.KindOf(err) != core.NotFound && core.KindOf(err) != core.AlreadyVerified {
			t.Fatal(err)
		}
		if err == nil {
			_, ticket, _ := strings.Cut(mail.Link.Reveal(), "token=")
			tickets = append(tickets, ticket)
		}
	}
	return tickets
}

func TestTickets(t *testing.T) {
	w, s := everything(t)
	talk := talk{t, s}
	address := func(login string, tenant core.TenantID) {
		t.Helper()
		spec := core.AccountSpec{Realm: webtest.Realm, Tenant: tenant, Login: login, Email: login + "@example.com", Active: true}
		if _, err := w.Registry.UpdateAccount(t.Context(), spec, core.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	address("unproved", "")
	address("bob", "t2")
	for _, username := range []string{"unproved", "nobody", "ada"} { // all alike (S24)
		talk.post("/verification", "sent", "username", username)
	}
	talk.post("/verification", "sent", "username", "bob", "tenant", "t2")
	talk.post("/verification", "sent", "username", "bob", "tenant", "t1")
	talk.post("/verification", "sent", "username", "bob", "tenant", "none")
	tickets := mailed(t, w)
	if len(tickets) != 2 {
		t.Fatalf("%d mails, want those of who has an address and is not verified", len(tickets))
	}
	talk.post("/verify", "ticket_unknown", "ticket", "x")
	talk.post("/reset", "ticket_unknown", "ticket", tickets[0], "password", "long enough") // of another purpose
	talk.post("/verify", `"verified":true}`, "ticket", tickets[0])
	talk.post("/verify", "already_verified", "ticket", tickets[0])
	talk.post("/verify", `{"login":"bob","verified":true}`, "ticket", tickets[1])
	talk.login("unproved", `"token"`)

	talk.post("/recovery", "sent", "username", "bob", "tenant", "t2")
	tickets = mailed(t, w)
	if len(tickets) != 1 {
		t.Fatalf("%d mails, want one", len(tickets))
	}
	talk.post("/verify", "ticket_unknown", "ticket", tickets[0])
	talk.post("/reset", "password_refused", "ticket", tickets[0], "password", "short")
	talk.post("/reset", "set", "ticket", tickets[0], "password", "long enough")
	talk.post("/reset", "ticket_used", "ticket", tickets[0], "password", "long enough")
	talk.login("bob", `"tenant":"t2"`, "tenant", "t2", "password", "long enough")
}

func TestKeySetAndFixed(t *testing.T) {
	_, s := everything(t)
	want(t, "keys", s.ask(t, "GET", "/keys", ""), http.StatusOK, `{"keys":[".demo.everything/tracked"]}`)
	want(t, "about", s.ask(t, "GET", "/about", ""), http.StatusOK, `{"issuer":"https://login.example"}`)
	want(t, "gone", s.ask(t, "GET", "/gone", ""), http.StatusBadRequest, "forbidden")
}
