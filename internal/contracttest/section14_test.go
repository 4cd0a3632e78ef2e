package contracttest

import (
	"fmt"
	"strings"
	"testing"
)

const resetPath = "/api/v1/reset-password/"

func resetWith(ticket, password string) request {
	return post(resetPath, jsonType, fmt.Sprintf(`{"token":%s,"new_password":%s}`, pyString(ticket), pyString(password)))
}

// badTicket is A's answer to a ticket that does not hold.
var badTicket = expected{status: 400, body: `{"detail":"Invalid token"}`}

func wrongLength(kind, words, sent, bound string, n int) string {
	return fmt.Sprintf(`{"type":"%s","loc":["body","new_password"],"msg":"String should have at %s %d characters","input":%s,"ctx":{"%s":%d}}`,
		kind, words, n, pyString(sent), bound, n)
}

func tooShort(sent string) string {
	return wrongLength("string_too_short", "least", sent, "min_length", 8)
}
func tooLong(sent string) string {
	return wrongLength("string_too_long", "most", sent, "max_length", 128)
}

// notAnObject is A's answer to a JSON body that is no object.
func notAnObject(input string) expected {
	return detail(`{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":` + input + `}`)
}

var (
	noBody = detail(`{"type":"missing","loc":["body"],"msg":"Field required","input":null}`)
	noJSON = expected{status: 422, pattern: `\{"detail":\[\{"type":"json_invalid","loc":\["body",[0-9]+\],"msg":"JSON decode error","input":\{\},"ctx":\{"error":"[^"]+"\}\}\]\}`}
)

// validationErrors proves 1.4: of the form by 1.2 and 1.3, of JSON by A's reset.
func validationErrors(t *testing.T, w *world) {
	aAndB(t, func(t *testing.T, c contract) {
		w.prove(t, c, []row{
			{"form field missing", post(c.login, formType, "username=u"), detail(missing("password", "null"))},
			{"form field empty", post(c.login, formType, "username=&password=p"), detail(missing("username", "null"))},
			{"all errors in declaration order", post(c.login, formType, "password=&username=&grant_type=x"),
				detail(badGrant("x"), missing("username", "null"), missing("password", "null"))},
		})
	})
	send := func(body string) request { return post(resetPath, jsonType, body) }
	w.prove(t, contractA, []row{
		{"model field missing", send(`{"token":"t"}`), detail(missing("new_password", `{"token":"t"}`))},
		{"model field missing shows the whole object", send("{ \"x\" : [1, {\"y\": null}],\n\"new_password\":\"Abcdefgh ü<&>\"}"),
			detail(missing("token", `{"x":[1,{"y":null}],"new_password":"Abcdefgh ü<&>"}`))},
		{"both missing", send(`{}`), detail(missing("token", `{}`), missing("new_password", `{}`))},
		{"of duplicates the last is shown", send(`{"token":1,"token":"t"}`), detail(missing("new_password", `{"token":"t"}`))},
		{"number", send(`{"token":12,"new_password":"kq7wmzpt"}`), detail(notAString("token", `12`))},
		{"null", send(`{"token":null,"new_password":"kq7wmzpt"}`), detail(notAString("token", `null`))},
		{"boolean", send(`{"token":"t","new_password":true}`), detail(notAString("new_password", `true`))},
		{"list", send(`{"token":["a", "b"],"new_password":"kq7wmzpt"}`), detail(notAString("token", `["a","b"]`))},
		{"object", send(`{"token":{"a": {}},"new_password":"kq7wmzpt"}`), detail(notAString("token", `{"a":{}}`))},
		{"two values not strings, in declaration order", send(`{"new_password":1,"token":2}`),
			detail(notAString("token", `2`), notAString("new_password", `1`))},
		{"one of each, in declaration order", send(`{"new_password":"short","token":false}`),
			detail(notAString("token", `false`), tooShort("short"))},
		{"short and missing, in declaration order", send(`{"new_password":"short"}`),
			detail(missing("token", `{"new_password":"short"}`), tooShort("short"))},
		{"body is a list", send(`[1, "a"]`), notAnObject(`[1,"a"]`)},
		{"body is a string", send(`"text"`), notAnObject(`"text"`)},
		{"body is a number", send(`5`), notAnObject(`5`)},
		{"body is false", send(`false`), notAnObject(`false`)},
		{"body is not declared as JSON", post(resetPath, "text/plain", `{"token":"t"}`), notAnObject(`"{\"token\":\"t\"}"`)},
		{"body is declared as a form", post(resetPath, formType, `token=t&new_password=ü`), notAnObject(`"token=t&new_password=ü"`)},
		{"body is empty", send(``), noBody},
		{"body is empty and not declared", post(resetPath, "", ``), noBody},
		{"body is null", send(`null`), noBody},
		{"body is not JSON", send(`{"token":`), noJSON},
		{"body is blank", send(`  `), noJSON},
		{"body has more behind", send(`{"token":"t"} x`), noJSON},
		{"body has a comma too many", send(`{"token":"t","new_password":"kq7wmzpt",}`), noJSON},
		{"body has single quotes", send(`{'token':'t'}`), noJSON},
	})
	w.prove(t, contractA, passwordLengths())
	sub(t, "embedded fields are of routes that are off", func(t *testing.T) {
		got := w.send(t, contractB, post("/auth/forgot-password", jsonType, `{}`))
		contractB.expect(t, got, expected{status: 404, body: `{"detail":"Not Found"}`})
	})
}

// passwordLengths proves that lengths count code points. Passwords of the right
// length get as far as the ticket.
func passwordLengths() []row {
	wide := strings.Repeat("😀", 128)
	return []row{
		{"7 letters", resetWith("t", "1234567"), detail(tooShort("1234567"))},
		{"no letter", resetWith("t", ""), detail(tooShort(""))},
		{"8 letters", resetWith("t", "kq7wmzpt"), badTicket},
		{"7 code points in 28 bytes", resetWith("t", "😀😀😀😀😀😀😀"), detail(tooShort("😀😀😀😀😀😀😀"))},
		{"8 code points with an accent apart", resetWith("t", "1234567\u0301"), badTicket},
		{"128 code points in 512 bytes", resetWith("t", wide), badTicket},
		{"129 code points", resetWith("t", wide+"a"), detail(tooLong(wide + "a"))},
		{"129 letters", resetWith("t", strings.Repeat("a", 129)), detail(tooLong(strings.Repeat("a", 129)))},
		{"escaped surrogate pairs are one", post(resetPath, jsonType, `{"token":"t","new_password":"`+strings.Repeat(`\ud83d\ude00`, 7)+`"}`),
			detail(tooShort(strings.Repeat("😀", 7)))},
	}
}

// jsonBodies proves 1.5 by A's reset: a body that was read gets as far as the ticket.
func jsonBodies(t *testing.T, w *world) {
	const whole = `{"token":"t","new_password":"kq7wmzpt"}`
	send := func(body string) request { return post(resetPath, jsonType, body) }
	badBytes := expected{status: 400, body: `{"detail":"There was an error parsing the body"}`}
	w.prove(t, contractA, []row{
		{"application/json", send(whole), badTicket},
		{"parameters ignored", post(resetPath, "application/json; charset=latin-1; x=y", whole), badTicket},
		{"media type in any case", post(resetPath, "Application/JSON", whole), badTicket},
		{"a suffix of json", post(resetPath, "application/vnd.api+json", whole), badTicket},
		{"another suffix", post(resetPath, "application/xml", whole), notAnObject(pyString(whole))},
		{"text/json is no JSON", post(resetPath, "text/json", whole), notAnObject(pyString(whole))},
		{"no media type", post(resetPath, "", whole), badTicket},
		{"byte order mark", send("\uFEFF" + whole), badTicket},
		{"unknown keys", send(`{"a":{"token":1},"token":"t","new_password":"kq7wmzpt","z":null}`), badTicket},
		{"the last duplicate wins", send(`{"token":5,"new_password":"short","token":"t","new_password":"kq7wmzpt"}`), badTicket},
		{"the first duplicate does not", send(`{"token":"t","new_password":"kq7wmzpt","new_password":"short"}`), detail(tooShort("short"))},
		{"names match exactly", send(`{"Token":"t","NEW_PASSWORD":"kq7wmzpt"}`),
			detail(missing("token", `{"Token":"t","NEW_PASSWORD":"kq7wmzpt"}`), missing("new_password", `{"Token":"t","NEW_PASSWORD":"kq7wmzpt"}`))},
		{"a name with a folding letter", send(`{"token":"t","new_paſſword":"kq7wmzpt"}`),
			detail(missing("new_password", `{"token":"t","new_paſſword":"kq7wmzpt"}`))},
		{"escaped names", send(`{"\u0074oken":"t","new_password":"\u0031234567"}`), detail(tooShort("1234567"))},
		{"bytes that are not UTF-8", send("{\"token\":\"\xff\",\"new_password\":\"kq7wmzpt\"}"), badBytes},
		{"cut UTF-8", send("{\"token\":\"\xe2\x82\",\"new_password\":\"kq7wmzpt\"}"), badBytes},
		{"chunked", send(whole).inChunks(), badTicket},
	})
}
