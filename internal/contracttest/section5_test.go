package contracttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	chancery "github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
)

// invalidD is D's 400 with the details of the validator.
func invalidD(details ...string) expected {
	return expected{status: 400, body: `{"statusCode":"Error","error":{"name":"InvalidRequestFormatError","message":"The request body is invalid. See error object ` +
		"`details`" + ` property for more info","details":[` + strings.Join(details, ",") + `]}}`}
}

func requiredD(name string) string {
	return `{"path":"","code":"required","message":"must have required property '` + name + `'","info":{"missingProperty":"` + name + `"}}`
}

func typeD(path, kind string) string {
	return fmt.Sprintf(`{"path":"%s","code":"type","message":"must be %s","info":{"type":"%s"}}`, path, kind, kind)
}

// namedD is a reply of D of which the contract fixes status and name.
func namedD(status int, name string) expected {
	return expected{status: status, pattern: `\{"statusCode":"Error","error":\{(?:"message":"[^"]+",)?"name":"` + name + `".*\}\}`}
}

var grantedD = expected{status: 201, noStore: true, pattern: jwtPattern}

// loginD proves D1.
func loginD(t *testing.T, w *world) {
	m := w.accessKey(t)
	w.prove(t, contractD, successesD(m))
	w.prove(t, contractD, malformedD())
	w.prove(t, contractD, refusalsD(t, w, m))
	w.prove(t, contractD, methodsD())
	sub(t, "token", func(t *testing.T) { tokenD(t, w, m) })
	sub(t, "tightened schema", tightenedD)
}

// tightenedD proves the validator's further words, with a file of the dialect
// that an operator has tightened.
func tightenedD(t *testing.T) {
	file, err := dialects.Files.ReadFile("pagfast.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tightened := string(file)
	for _, edit := range [][2]string{
		{"unknown_inputs: ignore", "unknown_inputs: refuse"},
		{"secret: {from: body.secret, required: true}", "secret: {from: body.secret, required: true, min: 1}"},
		{"identifier: {from: body.accessKey, required: true}", "identifier: {from: body.accessKey, required: true, one_of: [a, b]}"},
	} {
		if !strings.Contains(tightened, edit[0]) {
			t.Fatalf("the file has no %q", edit[0])
		}
		tightened = strings.Replace(tightened, edit[0], edit[1], 1)
	}
	// Its examples were written for the file as it was.
	tightened, _, _ = strings.Cut(tightened, "\nexamples:")
	w := openWorld(t, func(config *chancery.Config) {
		config.Dialects = t.TempDir()
		if err := os.WriteFile(filepath.Join(config.Dialects, "pagfast.yaml"), []byte(tightened+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	send := func(body string) request { return post("/login", jsonType, body) }
	w.prove(t, contractD, []row{
		{"additionalProperties", send(`{"accessKey":"a","secret":"y","x":1}`),
			invalidD(`{"path":"","code":"additionalProperties","message":"must NOT have additional properties","info":{"additionalProperty":"x"}}`)},
		{"minLength", send(`{"accessKey":"a","secret":""}`),
			invalidD(`{"path":"/secret","code":"minLength","message":"must NOT have fewer than 1 characters","info":{"limit":1}}`)},
		{"enum", send(`{"accessKey":"z","secret":"y"}`),
			invalidD(`{"path":"/accessKey","code":"enum","message":"must be equal to one of the allowed values","info":{"allowedValues":["a","b"]}}`)},
		{"in order", send(`{"accessKey":"b","secret":"y"}`), contractD.refused()},
	})
}

func successesD(m member) []row {
	whole := contractD.loginWith(m.identifier, m.secret).body
	return []row{
		{"success", post("/login", jsonType, whole), grantedD},
		{"charset accepted", post("/login", "application/json; charset=utf-8", whole), grantedD},
		{"unknown properties ignored", post("/login", jsonType, `{"a":1,`+whole[1:]), grantedD},
		{"trailing slash accepted", post("/login/", jsonType, whole), grantedD},
		{"query ignored", post("/login?a=b", jsonType, whole), grantedD},
		{"chunked", post("/login", jsonType, whole).inChunks(), grantedD},
		{"escaped slashes in the secret", post("/login", jsonType, strings.ReplaceAll(whole, "/", `\/`)), grantedD},
		{"the last duplicate wins", post("/login", jsonType, `{"secret":5,"accessKey":"x",`+whole[1:]), grantedD},
	}
}

func malformedD() []row {
	send := func(body string) request { return post("/login", jsonType, body) }
	wrongType := func(sent string) expected {
		return expected{status: 415, body: `{"statusCode":"Error","error":{"name":"UnsupportedMediaTypeError","message":"Content-type ` + sent + ` does not match [application/json]."}}`}
	}
	required := expected{status: 400, body: `{"statusCode":"Error","error":{"name":"InvalidRequestFormatError","message":"Request body is required"}}`}
	noJSON := expected{status: 400, pattern: `\{"statusCode":"Error","error":\{"name":"InvalidRequestFormatError","message":"(?:[^"\\]|\\.)+"\}\}`}
	return []row{
		{"secret missing", send(`{"accessKey":"986d8167"}`), invalidD(requiredD("secret"))},
		{"accessKey missing", send(`{"secret":"x"}`), invalidD(requiredD("accessKey"))},
		{"both missing", send(`{}`), invalidD(requiredD("accessKey"), requiredD("secret"))},
		{"number", send(`{"accessKey":5,"secret":"x"}`), invalidD(typeD("/accessKey", "string"))},
		{"null", send(`{"accessKey":"x","secret":null}`), invalidD(typeD("/secret", "string"))},
		{"object", send(`{"accessKey":{},"secret":"x"}`), invalidD(typeD("/accessKey", "string"))},
		{"boolean", send(`{"accessKey":true,"secret":"x"}`), invalidD(typeD("/accessKey", "string"))},
		{"list", send(`{"accessKey":"x","secret":["x"]}`), invalidD(typeD("/secret", "string"))},
		{"both of another type", send(`{"secret":1,"accessKey":2}`), invalidD(typeD("/accessKey", "string"), typeD("/secret", "string"))},
		{"required before type", send(`{"accessKey":1}`), invalidD(requiredD("secret"), typeD("/accessKey", "string"))},
		{"required before type, the other way", send(`{"secret":1}`), invalidD(requiredD("accessKey"), typeD("/secret", "string"))},
		{"names match exactly", send(`{"accesskey":"x","Secret":"x"}`), invalidD(requiredD("accessKey"), requiredD("secret"))},
		{"names in folding letters", send(`{"acce\u017f\u017fKey":"x","\u017fecret":"x"}`), invalidD(requiredD("accessKey"), requiredD("secret"))},
		{"body is a list", send(`[]`), invalidD(typeD("", "object"))},
		{"body is a string", send(`"x"`), invalidD(typeD("", "object"))},
		{"body is a number", send(`12`), invalidD(typeD("", "object"))},
		{"body is empty", send(``), required},
		{"body is null", send(`null`), required},
		{"malformed JSON", send(`{"accessKey":`), noJSON},
		{"malformed JSON with quotes", send(`{"accessKey":"x"x}`), noJSON},
		{"body is not UTF-8", send("{\"accessKey\":\"\xff\",\"secret\":\"x\"}"), noJSON},
		{"form", post("/login", formType, "accessKey=x&secret=y"), wrongType(formType)},
		{"text", post("/login", "text/plain", "{}"), wrongType("text/plain")},
		{"xml", post("/login", "application/xml", "{}"), wrongType("application/xml")},
		{"body over the limit", send(`{"accessKey":"` + strings.Repeat("a", 65<<10) + `"}`), namedD(413, "PayloadTooLargeError")},
	}
}

func refusalsD(t *testing.T, w *world, m member) []row {
	off := w.accessKey(t)
	w.disable(t, contractD, off)
	late, ended, waiting := w.accessKey(t, expired), w.accessKey(t, revoked), w.accessKey(t, pending)
	other := w.accessKey(t)
	login := contractD.loginWith
	return []row{
		{"empty key", login("", m.secret), contractD.refused()},
		{"empty secret", login(m.identifier, ""), contractD.refused()},
		{"both empty", login("", ""), contractD.refused()},
		{"unknown key", login(strings.Repeat("0", 40), m.secret), contractD.refused()},
		{"wrong secret", login(m.identifier, strings.Repeat("A", 48)), contractD.refused()},
		{"secret of another key", login(m.identifier, other.secret), contractD.refused()},
		{"secret cut by one", login(m.identifier, m.secret[:47]), contractD.refused()},
		{"secret longer by one", login(m.identifier, m.secret+"A"), contractD.refused()},
		{"secret with a blank", login(m.identifier, " "+m.secret), contractD.refused()},
		{"secret in another case", login(m.identifier, swapCase(m.secret)), contractD.refused()},
		{"key in another case", login(strings.ToUpper(m.identifier), m.secret), contractD.refused()},
		{"key with a blank", login(m.identifier+" ", m.secret), contractD.refused()},
		{"key with control characters", login("\x00\n", m.secret), contractD.refused()},
		{"key longer than any", login(strings.Repeat("0", 16_000), m.secret), contractD.refused()},
		{"key and secret exchanged", login(m.secret, m.identifier), contractD.refused()},
		{"key pending", login(waiting.identifier, waiting.secret), contractD.refused()},
		{"key expired", login(late.identifier, late.secret), contractD.refused()},
		{"key revoked", login(ended.identifier, ended.secret), contractD.refused()},
		{"user inactive", login(off.identifier, off.secret), contractD.refused()},
		{"an account's own name is no key", login(m.account.Login, password), contractD.refused()},
	}
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 32
		}
		if 'A' <= r && r <= 'Z' {
			return r + 32
		}
		return r
	}, text)
}

func methodsD() []row {
	var rows []row
	for _, method := range []string{"GET", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		rows = append(rows, row{method, request{method: method, target: "/login"}, namedD(404, "NotFoundError")})
	}
	return append(rows,
		row{"path in another case", post("/Login", jsonType, "{}"), namedD(404, "NotFoundError")},
		row{"unknown path", post("/logout", jsonType, "{}"), namedD(404, "NotFoundError")},
	)
}

// tokenD compares the token with the sample's: header, claims and their order.
func tokenD(t *testing.T, w *world, m member) {
	token := w.token(t, contractD, m)
	if !strings.HasPrefix(token, "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.") {
		t.Errorf("first segment is not the documented one: %.60s", token)
	}
	decoded := decodeToken(t, token)
	issued := decoded.issuedNow(t)
	want := fmt.Sprintf(`{"uid":"%s","ar":["Partner","PartnerAdmin"],"ak":"%s","realm":"Partner","ca":"0ea70001-0f58-44a2-80ad-953633ff2cc7",`+
		`"cid":"29263739-2cf8-483d-af15-6151dc8448b4","domain":"/partners-int","iat":%d,"exp":%d}`, m.account.ID, m.key.ID, issued, issued+3600)
	if decoded.payload != want {
		t.Errorf("payload = %s\nwant %s", decoded.payload, want)
	}
	if decoded.header != `{"alg":"HS384","typ":"JWT"}` || len(decoded.signature) != 48 {
		t.Errorf("header = %s, signature of %d bytes", decoded.header, len(decoded.signature))
	}
	if !matches(uuidPattern, string(m.account.ID)) || !matches(uuidPattern, string(m.key.ID)) {
		t.Errorf("uid %q and ak %q are not both UUIDs", m.account.ID, m.key.ID)
	}
	for _, secret := range []string{m.identifier, m.secret} {
		if strings.Contains(decoded.payload, secret) || strings.Contains(decoded.header, secret) {
			t.Errorf("the token holds the access key or its secret")
		}
	}
}

// keyLifeD proves D2.
func keyLifeD(t *testing.T, w *world) {
	sub(t, "form of key and secret", func(t *testing.T) {
		m := w.accessKey(t)
		if !matches(`[0-9a-f]{40}`, m.identifier) || !matches(`[A-Za-z0-9+/]{48}`, m.secret) {
			t.Errorf("key %q, secret of %d characters: want 40 hex digits and 48 of Base64", m.identifier, len(m.secret))
		}
	})
	sub(t, "born pending, usable once approved", func(t *testing.T) {
		m := w.accessKey(t, func(spec *core.AccessKeySpec) { spec.State = "" })
		login := contractD.loginWith(m.identifier, m.secret)
		contractD.expect(t, w.send(t, contractD, login), contractD.refused())
		if _, err := w.registry.ApproveAccessKey(t.Context(), contractD.realm, m.identifier, core.Origin{}); err != nil {
			t.Fatal(err)
		}
		contractD.expect(t, w.send(t, contractD, login), grantedD)
	})
	sub(t, "revoked at once, and its tokens with it", func(t *testing.T) {
		m := w.accessKey(t)
		token := w.token(t, contractD, m)
		w.passed(t, contractD, contractD.present(token))
		if _, err := w.registry.RevokeAccessKey(t.Context(), contractD.realm, m.identifier, core.Origin{}); err != nil {
			t.Fatal(err)
		}
		contractD.expect(t, w.send(t, contractD, contractD.loginWith(m.identifier, m.secret)), contractD.refused())
		w.stopped(t, contractD, contractD.present(token), contractD.invalid())
	})
}

// protectedD proves D3.
func protectedD(t *testing.T, w *world) { protectedCalls(t, w, contractD) }
