package contracttest

import (
	"fmt"
	"strings"
	"testing"
)

// errorC is C's error object; details are its last member, or nothing.
func errorC(status int, phrase, message string, details ...string) expected {
	body := fmt.Sprintf(`{"error":"%s","message":"%s","code":%d`, phrase, message, status)
	if len(details) > 0 {
		body += `,"details":[` + strings.Join(details, ",") + `]`
	}
	return expected{status: status, body: body + `}`}
}

func badRequestC(details ...string) expected {
	return errorC(400, "Bad Request", "The request contains invalid parameters or malformed data", details...)
}

const (
	emailFormat      = `{"field":"email","message":"Invalid email format"}`
	emailRequired    = `{"field":"email","message":"Email is required"}`
	passwordRequired = `{"field":"password","message":"Password is required"}`
)

var grantedC = expected{status: 200, noStore: true, pattern: `\{"token":"[A-Za-z0-9._~+/-]+=*"\}`}

// loginC proves C1.
func loginC(t *testing.T, w *world) {
	m := w.account(t, contractC, called("Grace.Hopper@Navy.Example"))
	whole := contractC.loginWith(m.identifier, password).body
	send := func(body string) request { return post(contractC.login, jsonType, body) }
	wrongType := errorC(415, "Unsupported Media Type", "The request must be application/json")
	methodC := errorC(405, "Method Not Allowed", "The method is not allowed for this resource")
	methodC.allow = "POST"
	w.prove(t, contractC, []row{
		{"success", send(whole), grantedC},
		{"charset accepted", post(contractC.login, "application/json; charset=utf-8", whole), grantedC},
		{"parameters accepted", post(contractC.login, "application/json;version=4", whole), grantedC},
		{"media type in any case", post(contractC.login, "APPLICATION/JSON", whole), grantedC},
		{"unknown keys ignored", send(`{"x":[{}],` + whole[1:]), grantedC},
		{"e-mail in another case", contractC.loginWith("gRACE.hopper@NAVY.example", password), grantedC},
		{"unverified user", contractC.loginWith(w.account(t, contractC, unverified).identifier, password), grantedC},
		{"chunked", send(whole).inChunks(), grantedC},

		{"e-mail is no address", send(`{"email":"not-an-address","password":"x"}`), badRequestC(emailFormat)},
		{"e-mail without a domain", send(`{"email":"ada@","password":"x"}`), badRequestC(emailFormat)},
		{"e-mail without a name", send(`{"email":"@people.example","password":"x"}`), badRequestC(emailFormat)},
		{"e-mail with a blank", send(`{"email":"a b@people.example","password":"x"}`), badRequestC(emailFormat)},
		{"two addresses", send(`{"email":"a@b.example,c@d.example","password":"x"}`), badRequestC(emailFormat)},
		{"address with a display name", send(`{"email":"Ada <a@b.example>","password":"x"}`), badRequestC(emailFormat)},
		{"e-mail missing", send(`{"password":"x"}`), badRequestC(emailRequired)},
		{"e-mail empty", send(`{"email":"","password":"x"}`), badRequestC(emailRequired)},
		{"e-mail null", send(`{"email":null,"password":"x"}`), badRequestC(emailRequired)},
		{"e-mail a number", send(`{"email":5,"password":"x"}`), badRequestC(emailRequired)},
		{"password missing", send(`{"email":"a@b.example"}`), badRequestC(passwordRequired)},
		{"password empty", send(`{"email":"a@b.example","password":""}`), badRequestC(passwordRequired)},
		{"password not a string", send(`{"email":"a@b.example","password":["x"]}`), badRequestC(passwordRequired)},
		{"both missing", send(`{}`), badRequestC(emailRequired, passwordRequired)},
		{"both empty in another order", send(`{"password":"","email":""}`), badRequestC(emailRequired, passwordRequired)},
		{"no address and no password", send(`{"password":"","email":"x"}`), badRequestC(emailFormat, passwordRequired)},
		{"names match exactly", send(`{"Email":"a@b.example","PASSWORD":"x"}`), badRequestC(emailRequired, passwordRequired)},

		{"malformed JSON", send(`{"email":`), badRequestC()},
		{"empty body", send(``), badRequestC()},
		{"body is a list", send(`[]`), badRequestC()},
		{"body is a string", send(`"x"`), badRequestC()},
		{"body is a number", send(`1`), badRequestC()},
		{"body is null", send(`null`), badRequestC()},
		{"body is not UTF-8", send("{\"email\":\"\xff\"}"), badRequestC()},

		{"form", post(contractC.login, formType, "email=a@b.example&password=x"), wrongType},
		{"text", post(contractC.login, "text/plain", whole), wrongType},
		{"multipart", post(contractC.login, "multipart/form-data; boundary=b", whole), wrongType},
		{"no media type", post(contractC.login, "", whole), wrongType},

		{"wrong password", contractC.loginWith(m.identifier, password+"x"), contractC.refused()},
		{"unknown e-mail", contractC.loginWith("nobody@people.example", password), contractC.refused()},
		{"inactive user", contractC.loginWith(w.account(t, contractC, inactive).identifier, password), contractC.refused()},
		{"inactive user with a wrong password", contractC.loginWith(w.account(t, contractC, inactive).identifier, "x"), contractC.refused()},

		{"GET", request{method: "GET", target: contractC.login}, methodC},
		{"PUT", send(whole).as("PUT"), methodC},
		{"DELETE", request{method: "DELETE", target: contractC.login}, methodC},
		{"OPTIONS", request{method: "OPTIONS", target: contractC.login}, methodC},
		{"unknown path", post("/v4/other", jsonType, "{}"), errorC(404, "Not Found", "The requested resource was not found")},
		{"path in another case", post("/V4/auth", jsonType, whole), errorC(404, "Not Found", "The requested resource was not found")},
		{"HTTP Basic of v3 is no credential", send(`{}`).with("Authorization: Basic YTpi"), badRequestC(emailRequired, passwordRequired)},
	})
	sub(t, "HEAD", func(t *testing.T) {
		got := w.send(t, contractC, request{method: "HEAD", target: contractC.login})
		if allow, _ := got.get("Allow"); got.status != 405 || got.body != "" || allow != "POST" {
			t.Errorf("got %s, want a 405 without a body", got)
		}
	})
	sub(t, "token", func(t *testing.T) {
		decoded := decodeToken(t, w.token(t, contractC, m))
		issued := decoded.issuedNow(t)
		want := fmt.Sprintf(`{"sub":"%s","iat":%d,"exp":%d}`, m.account.ID, issued, issued+24*3600)
		if decoded.payload != want {
			t.Errorf("payload = %s, want %s", decoded.payload, want)
		}
		if !strings.Contains(decoded.header, `"alg":"HS256"`) {
			t.Errorf("header = %s", decoded.header)
		}
	})
}

// protectedC proves C2.
func protectedC(t *testing.T, w *world) { protectedCalls(t, w, contractC) }
