package contracttest

import (
	"fmt"
	"strings"
	"testing"

	chancery "github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
)

// contractB3 is contract B with the routes that its published page does not name.
var contractB3 = func() contract {
	c := contractB
	c.realm, c.host = "kyc-whole", "b3.example"
	return c
}()

// wholeB are the settings that switch all of B's routes on.
var wholeB = map[string]any{
	"logout": true, "registration": true, "recovery": true, "verification": true, "profile": true,
	"frontend_url": "https://app.example",
}

// withB3 serves B once more, with all its routes.
func withB3(config *chancery.Config) {
	config.Serve = append(config.Serve, chancery.Mount{
		Dialect: contractB3.dialect, Realm: string(contractB3.realm), Host: contractB3.host,
		Settings: wholeB,
		Protect:  []chancery.Protect{{Path: contractB3.resource, Upstream: config.Serve[1].Protect[0].Upstream}},
	})
}

// optionalB proves B3: the routes that the published page does not name are off, and
// what they say where they are on.
func optionalB(t *testing.T, w *world) {
	token := w.token(t, contractB, w.account(t, contractB))
	for _, path := range []string{"/auth/jwt/logout", "/auth/register", "/auth/forgot-password", "/auth/reset-password", "/auth/request-verify-token", "/auth/verify"} {
		w.prove(t, contractB, []row{{path[1:], post(path, jsonType, `{}`).with("Authorization: Bearer " + token), notFound}})
	}
	w.prove(t, contractB, []row{{"users me", request{method: "GET", target: "/users/me"}.with("Authorization: Bearer " + token), notFound}})
	t.Run("login", func(t *testing.T) { wholeLoginB(t, w) })
	t.Run("logout", func(t *testing.T) { logoutB(t, w) })
	t.Run("me", func(t *testing.T) { profileB(t, w) })
	t.Run("register", func(t *testing.T) { registerB(t, w) })
	t.Run("bodies", func(t *testing.T) { optionalBodiesB(t, w) })
	t.Run("forgot", func(t *testing.T) { forgotB(t, w) })
	t.Run("reset", func(t *testing.T) { resetB(t, w) })
	t.Run("request verify", func(t *testing.T) { requestVerifyB(t, w) })
	t.Run("verify", func(t *testing.T) { verifyB(t, w) })
}

const (
	registerPath      = "/auth/register"
	forgotPath        = "/auth/forgot-password"
	resetPathB        = "/auth/reset-password"
	requestVerifyPath = "/auth/request-verify-token"
	verifyPath        = "/auth/verify"
)

var (
	accepted         = expected{status: 202, body: "null"}
	notVerifiedB     = expected{status: 400, body: `{"detail":"LOGIN_USER_NOT_VERIFIED"}`}
	forbiddenB       = expected{status: 403, body: `{"detail":"Forbidden"}`}
	badResetB        = expected{status: 400, body: `{"detail":"RESET_PASSWORD_BAD_TOKEN"}`}
	badVerifyB       = expected{status: 400, body: `{"detail":"VERIFY_USER_BAD_TOKEN"}`}
	alreadyVerifiedB = expected{status: 400, body: `{"detail":"VERIFY_USER_ALREADY_VERIFIED"}`}
)

func detailB(code string) expected { return expected{status: 400, body: `{"detail":"` + code + `"}`} }

// sendB posts members of a JSON body, given as name and value in turn.
func sendB(path string, members ...string) request {
	var parts []string
	for i := 0; i < len(members); i += 2 {
		parts = append(parts, pyString(members[i])+":"+pyString(members[i+1]))
	}
	return post(path, jsonType, "{"+strings.Join(parts, ",")+"}")
}

// userB is what B3 tells of an account.
func userB(id core.AccountID, email string, superuser, verified bool) string {
	return fmt.Sprintf(`{"id":"%s","email":%s,"is_active":true,"is_superuser":%v,"is_verified":%v}`, id, pyString(email), superuser, verified)
}

// badEmail is the item for a text that is no address.
func badEmail(sent, reason string) string {
	return fmt.Sprintf(`{"type":"value_error","loc":["body","email"],"msg":"value is not a valid email address: %s","input":%s,"ctx":{"reason":"%s"}}`,
		reason, pyString(sent), reason)
}

const (
	noAtSign   = "An email address must have an @-sign."
	longEnough = "a password that is long enough"
)

// wholeLoginB: the switches leave the login as it is.
func wholeLoginB(t *testing.T, w *world) {
	m := w.account(t, contractB3)
	w.prove(t, contractB3, []row{
		{"success", contractB3.loginWith(m.identifier, password), granted},
		{"wrong password", contractB3.loginWith(m.identifier, "x"), contractB3.refused()},
		{"form invalid", post(contractB3.login, formType, "password=x"), detail(missing("username", "null"))},
	})
}

// logoutB proves the logout that ends nothing.
func logoutB(t *testing.T, w *world) {
	m := w.account(t, contractB3)
	token := w.token(t, contractB3, m)
	logout := request{method: "POST", target: "/auth/jwt/logout"}
	sub(t, "success", func(t *testing.T) {
		for range 2 {
			got := w.send(t, contractB3, logout.with("Authorization: Bearer "+token))
			if got.status != 204 || got.body != "" || got.count("Content-Type") != 0 {
				t.Errorf("got %s, want 204 without a body and its type", got)
			}
		}
	})
	sub(t, "the token stays valid", func(t *testing.T) { w.passed(t, contractB3, contractB3.present(token)) })
	w.prove(t, contractB3, []row{
		{"no token", logout, contractB3.invalid()},
		{"a token that is none", logout.with("Authorization: Bearer nonsense"), contractB3.invalid()},
	})
	sub(t, "user has become inactive", func(t *testing.T) {
		m := w.account(t, contractB3)
		token := w.token(t, contractB3, m)
		w.disable(t, contractB3, m)
		contractB3.expect(t, w.send(t, contractB3, logout.with("Authorization: Bearer "+token)), contractB3.invalid())
	})
}

// profileB proves GET /users/me.
func profileB(t *testing.T, w *world) {
	me := request{method: "GET", target: "/users/me"}
	m, named := w.account(t, contractB3), w.account(t, contractB3, called("Desk-7"))
	admin := w.account(t, contractB3, func(spec *core.AccountSpec) { spec.Roles = []string{"admin"} })
	as := func(m member) request { return me.with("Authorization: Bearer " + w.token(t, contractB3, m)) }
	w.prove(t, contractB3, []row{
		{"success", as(m), expected{status: 200, noStore: true, body: userB(m.account.ID, m.identifier, false, true)}},
		{"superuser", as(admin), expected{status: 200, noStore: true, body: userB(admin.account.ID, admin.identifier, true, true)}},
		{"login name that is no address", as(named), expected{status: 200, noStore: true, body: userB(named.account.ID, "Desk-7", false, true)}},
		{"no token", me, contractB3.invalid()},
		{"a token that is none", me.with("Authorization: Bearer nonsense"), contractB3.invalid()},
	})
	sub(t, "no longer verified", func(t *testing.T) {
		r := as(named)
		w.unverify(t, contractB3, named)
		contractB3.expect(t, w.send(t, contractB3, r), forbiddenB)
	})
}

// registerB proves POST /auth/register.
func registerB(t *testing.T, w *world) {
	register := func(email, password string) request { return sendB(registerPath, "email", email, "password", password) }
	exists := detailB("REGISTER_USER_ALREADY_EXISTS")
	created := func(t *testing.T, r request, email string) core.AccountID {
		t.Helper()
		got := w.send(t, contractB3, r)
		id := core.AccountID(find(t, `"id":"([^"]*)"`, got.body))
		contractB3.expect(t, got, expected{status: 201, body: userB(id, email, false, false)})
		return id
	}
	sub(t, "success", func(t *testing.T) {
		id := created(t, register("Grace.Hopper@PEOPLE.Example", longEnough), "Grace.Hopper@people.example") // the domain in lower case
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith("Grace.Hopper@people.example", longEnough)), notVerifiedB)
		account, err := w.registry.Accounts.Account(t.Context(), contractB3.realm, id)
		if err != nil || !account.Active || account.Verified || len(account.Roles) != 0 || account.Login != "Grace.Hopper@people.example" {
			t.Errorf("account = %+v, %v", account, err)
		}
	})
	sub(t, "privileged flags are ignored", func(t *testing.T) {
		r := post(registerPath, jsonType, `{"email":"mallory@people.example","password":"`+longEnough+`","is_superuser":true,"is_verified":true,"is_active":false,"roles":["admin"],"id":"x"}`)
		created(t, r, "mallory@people.example")
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith("mallory@people.example", longEnough)), notVerifiedB)
	})
	known := w.account(t, contractB3)
	w.prove(t, contractB3, []row{
		{"existing", register(known.identifier, longEnough), exists},
		{"existing in another case", register(strings.ToUpper(known.identifier), longEnough), exists},
		{"password refused", register("short@people.example", "short"), expected{status: 400, pattern: `\{"detail":\{"code":"REGISTER_INVALID_PASSWORD","reason":"[^"]+"\}\}`}},
		{"password refused before existing", register(known.identifier, ""), expected{status: 400, pattern: `\{"detail":\{"code":"REGISTER_INVALID_PASSWORD","reason":"[^"]+"\}\}`}},
		{"fields missing", post(registerPath, jsonType, `{}`), detail(missing("email", "null"), missing("password", "null"))},
		{"not strings", post(registerPath, jsonType, `{"email":1,"password":null}`), detail(notAString("email", "1"), notAString("password", "null"))},
		{"no @", register("nonsense", longEnough), detail(badEmail("nonsense", noAtSign))},
		{"too long", register(strings.Repeat("a", 1500)+"@people.example", longEnough), expected{status: 422, pattern: `\{"detail":\[\{"type":"value_error","loc":\["body","email"\],"msg":"value is not a valid email address: [^"]+","input":[^,]+,"ctx":\{"reason":"[^"]+"\}\}\]\}`}},
		{"bad domain", register("a@b@c", longEnough), expected{status: 422, pattern: `\{"detail":\[\{"type":"value_error","loc":\["body","email"\],"msg":"value is not a valid email address: [^"]+","input":"a@b@c","ctx":\{"reason":"[^"]+"\}\}\]\}`}},
	})
	sub(t, "a refused registration makes no account", func(t *testing.T) {
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith("short@people.example", "short")), contractB3.refused())
		created(t, register("short@people.example", longEnough), "short@people.example")
	})
	sub(t, "a mail asks to verify", func(t *testing.T) {
		created(t, register("katherine@people.example", longEnough), "katherine@people.example")
		ticket := w.letter(t, "katherine@people.example", 1).ticket(t)
		if got := w.send(t, contractB3, sendB(verifyPath, "token", ticket)); got.status != 200 {
			t.Fatalf("verify: %s", got)
		}
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith("katherine@people.example", longEnough)), granted)
	})
}

// TestRegistrationAlone: each switch is for its own routes. Who registers where nobody
// can verify gets no mail, and the server needs no way to send one.
func TestRegistrationAlone(t *testing.T) {
	remember(t)
	t.Parallel()
	w := openWorld(t, func(config *chancery.Config) {
		config.Mail = chancery.MailConfig{}
		config.Serve = []chancery.Mount{{
			Dialect: contractB3.dialect, Realm: string(contractB3.realm), Host: contractB3.host, Settings: map[string]any{"registration": true},
		}}
	})
	got := w.send(t, contractB3, sendB(registerPath, "email", "ada@people.example", "password", longEnough))
	contractB3.expect(t, got, expected{status: 201, body: userB(core.AccountID(find(t, `"id":"([^"]*)"`, got.body)), "ada@people.example", false, false)})
	for _, path := range []string{"/auth/jwt/logout", forgotPath, resetPathB, requestVerifyPath, verifyPath} {
		contractB3.expect(t, w.send(t, contractB3, post(path, jsonType, `{}`)), notFound)
	}
	contractB3.expect(t, w.send(t, contractB3, request{method: "GET", target: "/users/me"}), notFound)
}

// optionalBodiesB proves how the JSON routes of B3 read their bodies.
func optionalBodiesB(t *testing.T, w *world) {
	for path, fields := range map[string][]string{
		registerPath: {"email", "password"}, forgotPath: {"email"}, resetPathB: {"token", "password"},
		requestVerifyPath: {"email"}, verifyPath: {"token"},
	} {
		var absent []string
		for _, name := range fields {
			absent = append(absent, missing(name, "null"))
		}
		name := strings.TrimPrefix(path, "/auth/")
		w.prove(t, contractB3, []row{
			{name + " fields missing", post(path, jsonType, `{"other":1}`), detail(absent...)},
			{name + " no JSON", post(path, jsonType, `{`), noJSON},
			{name + " not UTF-8", post(path, jsonType, "{\"email\":\"\xff\"}"), expected{status: 400, body: `{"detail":"There was an error parsing the body"}`}},
			{name + " a list", post(path, jsonType, `[1]`), detail(`{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":[1]}`)},
			{name + " by GET", request{method: "GET", target: path}, expected{status: 405, body: `{"detail":"Method Not Allowed"}`, allow: "POST"}},
		})
	}
}

// forgotB proves POST /auth/forgot-password.
func forgotB(t *testing.T, w *world) {
	known, off := w.account(t, contractB3), w.account(t, contractB3, inactive)
	forgot := func(email string) request { return sendB(forgotPath, "email", email) }
	w.prove(t, contractB3, []row{
		{"known", forgot(known.identifier), accepted},
		{"unknown", forgot("nobody.b3@people.example"), accepted},
		{"inactive", forgot(off.identifier), accepted},
		{"no @", forgot("nonsense"), detail(badEmail("nonsense", noAtSign))},
		{"not a string", post(forgotPath, jsonType, `{"email":[]}`), detail(notAString("email", "[]"))},
	})
	sub(t, "mail to the active alone", func(t *testing.T) {
		w.letter(t, known.identifier, 1)
		later := w.account(t, contractB3) // mails go out in order: when this is out, so were those
		w.send(t, contractB3, forgot(later.identifier))
		w.letter(t, later.identifier, 1)
		for _, address := range []string{off.identifier, "nobody.b3@people.example"} {
			if found := w.letters(t, address); len(found) != 0 {
				t.Errorf("%d mails to %s", len(found), address)
			}
		}
	})
}

// ticketB asks for a mail at a path of B3 and takes the ticket out of it.
func (w *world) ticketB(t testing.TB, path string, m member, n int) string {
	t.Helper()
	if got := w.send(t, contractB3, sendB(path, "email", m.identifier)); got.status != 202 {
		t.Fatalf("%s: %s", path, got)
	}
	return w.letter(t, m.account.Email, n).ticket(t)
}

// resetB proves POST /auth/reset-password.
func resetB(t *testing.T, w *world) {
	reset := func(ticket, password string) request { return sendB(resetPathB, "token", ticket, "password", password) }
	done := expected{status: 200, body: "null"}
	refused := expected{status: 400, pattern: `\{"detail":\{"code":"RESET_PASSWORD_INVALID_PASSWORD","reason":"[^"]+"\}\}`}
	sub(t, "success", func(t *testing.T) {
		m := w.account(t, contractB3)
		old := w.token(t, contractB3, m)
		ticket := w.ticketB(t, forgotPath, m, 1)
		contractB3.expect(t, w.send(t, contractB3, reset(ticket, "short")), refused) // and the ticket is still good
		contractB3.expect(t, w.send(t, contractB3, reset(ticket, longEnough)), done)
		contractB3.expect(t, w.send(t, contractB3, reset(ticket, longEnough)), badResetB)
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith(m.identifier, password)), contractB3.refused())
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith(m.identifier, longEnough)), granted)
		w.stopped(t, contractB3, contractB3.present(old), contractB3.invalid())
	})
	sub(t, "user inactive", func(t *testing.T) {
		m := w.account(t, contractB3)
		ticket := w.ticketB(t, forgotPath, m, 1)
		w.disable(t, contractB3, m)
		contractB3.expect(t, w.send(t, contractB3, reset(ticket, longEnough)), badResetB)
	})
	sub(t, "a ticket of verification", func(t *testing.T) {
		m := w.account(t, contractB3, unverified)
		contractB3.expect(t, w.send(t, contractB3, reset(w.ticketB(t, requestVerifyPath, m, 1), longEnough)), badResetB)
	})
	sub(t, "an access token", func(t *testing.T) {
		contractB3.expect(t, w.send(t, contractB3, reset(w.token(t, contractB3, w.account(t, contractB3)), longEnough)), badResetB)
	})
	w.prove(t, contractB3, []row{
		{"unknown", reset("nonsense", longEnough), badResetB},
		{"empty", reset("", longEnough), badResetB},
	})
}

// requestVerifyB proves POST /auth/request-verify-token.
func requestVerifyB(t *testing.T, w *world) {
	known, off, verified := w.account(t, contractB3, unverified), w.account(t, contractB3, unverified, inactive), w.account(t, contractB3)
	ask := func(email string) request { return sendB(requestVerifyPath, "email", email) }
	w.prove(t, contractB3, []row{
		{"known", ask(known.identifier), accepted},
		{"unknown", ask("nobody.b3@people.example"), accepted},
		{"inactive", ask(off.identifier), accepted},
		{"verified already", ask(verified.identifier), accepted},
		{"no @", ask("nonsense"), detail(badEmail("nonsense", noAtSign))},
	})
	sub(t, "mail to who is to be verified alone", func(t *testing.T) {
		w.letter(t, known.identifier, 1)
		later := w.account(t, contractB3, unverified)
		w.ticketB(t, requestVerifyPath, later, 1)
		for _, address := range []string{off.identifier, verified.identifier, "nobody.b3@people.example"} {
			if found := w.letters(t, address); len(found) != 0 {
				t.Errorf("%d mails to %s", len(found), address)
			}
		}
	})
}

// verifyB proves POST /auth/verify.
func verifyB(t *testing.T, w *world) {
	verify := func(ticket string) request { return sendB(verifyPath, "token", ticket) }
	sub(t, "success", func(t *testing.T) {
		m := w.account(t, contractB3, unverified)
		ticket := w.ticketB(t, requestVerifyPath, m, 1)
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith(m.identifier, password)), notVerifiedB)
		contractB3.expect(t, w.send(t, contractB3, verify(ticket)), expected{status: 200, body: userB(m.account.ID, m.identifier, false, true)})
		contractB3.expect(t, w.send(t, contractB3, contractB3.loginWith(m.identifier, password)), granted)
		contractB3.expect(t, w.send(t, contractB3, verify(ticket)), alreadyVerifiedB)
	})
	sub(t, "verified meanwhile", func(t *testing.T) {
		m := w.account(t, contractB3, unverified)
		ticket := w.ticketB(t, requestVerifyPath, m, 1)
		w.enable(t, contractB3, m)
		contractB3.expect(t, w.send(t, contractB3, verify(ticket)), alreadyVerifiedB)
	})
	sub(t, "user inactive", func(t *testing.T) {
		m := w.account(t, contractB3, unverified)
		ticket := w.ticketB(t, requestVerifyPath, m, 1)
		w.disable(t, contractB3, m)
		contractB3.expect(t, w.send(t, contractB3, verify(ticket)), badVerifyB)
	})
	sub(t, "a ticket of recovery", func(t *testing.T) {
		contractB3.expect(t, w.send(t, contractB3, verify(w.ticketB(t, forgotPath, w.account(t, contractB3), 1))), badVerifyB)
	})
	sub(t, "an access token", func(t *testing.T) {
		contractB3.expect(t, w.send(t, contractB3, verify(w.token(t, contractB3, w.account(t, contractB3)))), badVerifyB)
	})
	w.prove(t, contractB3, []row{
		{"unknown", verify("nonsense"), badVerifyB},
		{"empty", verify(""), badVerifyB},
		{"not a string", post(verifyPath, jsonType, `{"token":1}`), detail(notAString("token", "1"))},
	})
}
