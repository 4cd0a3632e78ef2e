package contracttest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// granted is a successful sign-in at A or B.
var granted = expected{
	status: 200, noStore: true,
	pattern: `\{"access_token":"` + jwtPattern + `","token_type":"bearer"\}`,
}

// envelopes proves 1.1: the form of JSON replies. What expect compares in every
// other test is most of it; here are the characters.
func envelopes(t *testing.T, w *world) {
	aAndB(t, func(t *testing.T, c contract) {
		odd := "<a href=\"x\">&amp;'\\/ü€😀\u2028\u2029\u007f\u0085\x01\x1f\b\f\n\r\t"
		body := "username=u&password=p&grant_type=" + url.QueryEscape(odd)
		w.prove(t, c, []row{
			{"compact UTF-8 unescaped", post(c.login, formType, body), detail(badGrant(odd))},
			{"errors have the one key detail", post(c.login, formType, "username=u&password=p"), c.refused()},
			{"success", c.loginWith(w.account(t, c).identifier, password), granted},
		})
	})
}

// formBodies proves 1.2.
func formBodies(t *testing.T, w *world) {
	aAndB(t, func(t *testing.T, c contract) {
		w.prove(t, c, mediaTypes(c, w.account(t, c)))
		w.prove(t, c, formDecoding(c))
		w.prove(t, c, formFields(c, w.account(t, c)))
		w.prove(t, c, formLimits(c))
		exactValues(t, w, c)
	})
}

func formParts(boundary string, pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", boundary, pairs[i], pairs[i+1])
	}
	return b.String() + "--" + boundary + "--\r\n"
}

func mediaTypes(c contract, m member) []row {
	form := c.loginWith(m.identifier, m.secret).body
	parts := formParts("XyZ", "username", m.identifier, "password", m.secret)
	inQuery := c.login + "?" + form
	return []row{
		{"urlencoded", post(c.login, formType, form), granted},
		{"multipart", post(c.login, "multipart/form-data; boundary=XyZ", parts), granted},
		{"multipart with a quoted boundary", post(c.login, `multipart/form-data; boundary="XyZ"`, parts), granted},
		{"media type in any case", post(c.login, "Application/X-WWW-Form-URLEncoded", form), granted},
		{"multipart in any case", post(c.login, "MULTIPART/Form-Data; BOUNDARY=XyZ", parts), granted},
		{"parameters ignored", post(c.login, formType+"; foo=bar; q=1", form), granted},
		{"charset ignored", post(c.login, formType+"; charset=utf-16", form), granted},
		{"charset of latin-1 ignored", post(c.login, formType+"; charset=ISO-8859-1", form), granted},
		{"multipart charset ignored", post(c.login, "multipart/form-data; charset=utf-16; boundary=XyZ", parts), granted},
		{"another media type", post(c.login, "text/plain", form), noFields()},
		{"another subtype", post(c.login, formType+"2", form), noFields()},
		{"no media type", post(c.login, "", form), noFields()},
		{"JSON is not read", post(c.login, jsonType, fmt.Sprintf(`{"username":%q,"password":%q}`, m.identifier, m.secret)), noFields()},
		{"no body", post(c.login, formType, ""), noFields()},
		{"the query is not read", post(inQuery, formType, ""), noFields()},
		{"the query does not add a field", post(c.login+"?password=x", formType, "username=u"), detail(missing("password", "null"))},
		{"the query does not win", post(c.login+"?username=x&password=y&grant_type=z", formType, form), granted},
		{"chunked", post(c.login, formType, form).inChunks(), granted},
		{"multipart in chunks", post(c.login, "multipart/form-data; boundary=XyZ", parts).inChunks(), granted},
	}
}

// formDecoding shows what was decoded by the echo of grant_type.
func formDecoding(c contract) []row {
	echo := func(name, sent, decoded string) row {
		return row{name, post(c.login, formType, "username=u&password=p&grant_type="+sent), detail(badGrant(decoded))}
	}
	inParts := func(name, value, decoded string) row {
		return row{name, post(c.login, "multipart/form-data; boundary=b",
			formParts("b", "username", "u", "password", "p", "grant_type", value)), detail(badGrant(decoded))}
	}
	return []row{
		echo("plus is a space", "a+b", "a b"),
		echo("percent is decoded", "a%20%2B%c3%BC%26", "a +ü&"),
		echo("malformed percent is kept", "%zz", "%zz"),
		echo("malformed percent beside a good one", "%zz%41%4", "%zzA%4"),
		echo("percent at the end", "x%", "x%"),
		echo("semicolon is no separator", "a;b=c", "a;b=c"),
		echo("equals sign in the value", "a=b=", "a=b="),
		echo("invalid UTF-8 becomes U+FFFD", "a%FFb", "a\uFFFDb"),
		echo("two invalid bytes", "%FF%FE", "\uFFFD\uFFFD"),
		echo("raw invalid byte", "a\xffb", "a\uFFFDb"),
		echo("raw UTF-8", "ü€", "ü€"),
		echo("blanks are kept", "+password+", " password "),
		echo("no normalisation", "e%CC%81", "e\u0301"),
		echo("percent-encoded name", "x&%67rant_typ%65=y", "y"),
		echo("NUL", "%00", "\x00"),
		inParts("multipart values are not decoded", "a+b%20c;d", "a+b%20c;d"),
		inParts("multipart invalid UTF-8 becomes U+FFFD", "a\xffb", "a\uFFFDb"),
		inParts("multipart keeps line ends", "a\r\nb", "a\r\nb"),
	}
}

func formFields(c contract, m member) []row {
	form := c.loginWith(m.identifier, m.secret).body
	send := func(body string) request { return post(c.login, formType, body) }
	name := "username=" + url.QueryEscape(m.identifier)
	secret := "password=" + url.QueryEscape(m.secret)
	return []row{
		{"empty username", send("username=&password=p"), detail(missing("username", "null"))},
		{"empty password", send("username=u&password="), detail(missing("password", "null"))},
		{"username without an equals sign", send("username&password=p"), detail(missing("username", "null"))},
		{"both empty", send("username=&password="), noFields()},
		{"blanks are a value", send("username=+&password=++"), c.refused()},
		{"names match exactly", send("Username=u&PASSWORD=p"), noFields()},
		{"name with a folding letter", send("u%C5%BFername=u&password=p"), detail(missing("username", "null"))},
		{"the last of repeated fields wins", send("username=nobody&password=wrong&" + form), granted},
		{"the first of repeated fields does not", send(form + "&password=wrong"), c.refused()},
		{"a last empty field is missing", send(form + "&password="), detail(missing("password", "null"))},
		{"repeated grant_type", send(form + "&grant_type=x&grant_type=password"), granted},
		{"multipart repeated field", post(c.login, "multipart/form-data; boundary=b",
			formParts("b", "password", "wrong", "username", m.identifier, "password", m.secret)), granted},
		{"scope client_id client_secret and unknown fields", send(form + "&scope=a+b&client_id=c&client_secret=d&x=y&=&&"), granted},
		{"empty scope and client", send(form + "&scope=&client_id=&client_secret="), granted},
		{"Basic header ignored", send(form).with("Authorization: Basic Og=="), granted},
		{"order of fields is free", send(secret + "&" + name), granted},
	}
}

func formLimits(c contract) []row {
	fields := func(n int) string { return strings.TrimSuffix(strings.Repeat("x=y&", n), "&") }
	parts := func(n int) string { return formParts("b", slices.Repeat([]string{"x", "y"}, n)...) }
	tooMany := expected{status: 400, body: `{"detail":"Too many fields. Maximum number of fields is 1000."}`}
	tooLong := expected{status: 400, body: `{"detail":"Field exceeded maximum size of 16KB."}`}
	long := strings.Repeat("a", 16<<10)
	return []row{
		{"1000 fields", post(c.login, formType, fields(1000)), noFields()},
		{"1001 fields", post(c.login, formType, fields(1001)), tooMany},
		{"1001 fields in multipart", post(c.login, "multipart/form-data; boundary=b", parts(1001)), tooMany},
		{"a field of 16 KiB", post(c.login, formType, "username="+long+"&password=p"), c.refused()},
		{"a field over 16 KiB", post(c.login, formType, "username="+long+"a&password=p"), tooLong},
		{"a multipart field over 16 KiB", post(c.login, "multipart/form-data; boundary=b", formParts("b", "username", long+"a")), tooLong},
		{"an unknown field over 16 KiB", post(c.login, formType, "x="+long+"a&username=u&password=p"), tooLong},
		{"multipart without boundary", post(c.login, "multipart/form-data", "--b\r\n"), expected{status: 400, body: `{"detail":"Missing boundary in multipart."}`}},
	}
}

// exactValues proves that values are compared as they were sent.
func exactValues(t *testing.T, w *world, c contract) {
	m := w.account(t, c, having(" Pässword\u0301-é 12 "))
	send := func(login, secret string) request { return c.loginWith(login, secret) }
	w.prove(t, c, []row{
		{"blanks around are part of it", send(m.identifier, m.secret), granted},
		{"password trimmed", send(m.identifier, strings.TrimSpace(m.secret)), c.refused()},
		{"password in another case", send(m.identifier, strings.ToLower(m.secret)), c.refused()},
		{"password normalised", send(m.identifier, " Pässword\u0301-e\u0301 12 "), c.refused()},
		{"login name with blanks around", send(" "+m.identifier+" ", m.secret), c.refused()},
		{"login name with a line end", send(m.identifier+"\n", m.secret), c.refused()},
	})
	invalid := w.account(t, c, having("caf\uFFFD-and-more"))
	sub(t, "invalid bytes compare as U+FFFD", func(t *testing.T) {
		body := "username=" + url.QueryEscape(invalid.identifier) + "&password=caf%FF-and-more"
		c.expect(t, w.send(t, c, post(c.login, formType, body)), granted)
	})
}

// grantTypes proves 1.3.
func grantTypes(t *testing.T, w *world) {
	aAndB(t, func(t *testing.T, c contract) {
		m := w.account(t, c)
		form := c.loginWith(m.identifier, m.secret).body
		send := func(grant string) request { return post(c.login, formType, form+"&grant_type="+url.QueryEscape(grant)) }
		w.prove(t, c, []row{
			{"absent", post(c.login, formType, form), granted},
			{"password", send("password"), granted},
			{"empty", send(""), granted},
			{"Password", send("Password"), detail(badGrant("Password"))},
			{"xpasswordx", send("xpasswordx"), detail(badGrant("xpasswordx"))},
			{"password and a line end", send("password\n"), detail(badGrant("password\n"))},
			{"refresh_token", send("refresh_token"), detail(badGrant("refresh_token"))},
			{"client_credentials", send("client_credentials"), detail(badGrant("client_credentials"))},
			{"blank", send(" "), detail(badGrant(" "))},
			{"wrong before wrong credentials", post(c.login, formType, "username=u&password=p&grant_type=x"), detail(badGrant("x"))},
			{"with all fields missing, in order", post(c.login, formType, "grant_type=x"),
				detail(badGrant("x"), missing("username", "null"), missing("password", "null"))},
		})
	})
}
