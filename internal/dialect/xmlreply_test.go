package dialect

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
)

// TestXML: an ordered tree with one root, attributes and text, escaped.
func TestXML(t *testing.T) {
	const head = "200 | Content-Type: application/xml | " + xmlDeclaration
	for _, tt := range []struct{ name, ok, want string }{
		{"elements in their order", `xml: {login: {b: 1, a: "x", c: "${token.lifetime}", d: "${account.active}"}}`, head + `<login><b>1</b><a>x</a><c>3600</c><d>true</d></login>`},
		{"attributes and text", `xml: {login: {"@version": "1.0", "@for": "${account.login}", "#text": "is ${account.login}"}}`, head + `<login version="1.0" for="ada">is ada</login>`},
		{"attributes come first", `xml: {a: {b: 1, "@c": 2}}`, head + `<a c="2"><b>1</b></a>`},
		{"mixed content", `xml: {a: {"#text": "one ", b: two}}`, head + `<a>one <b>two</b></a>`},
		{"text is escaped", `xml: {a: {"@b": "<\"&'>\n", "#text": "${account.name}</a>"}}`, head + "<a b=\"&lt;&#34;&amp;&#39;&gt;&#xA;\">Ada &#34;the&#34; &lt;Countess&gt;&#xA;&lt;/a&gt;</a>"},
		{"what XML cannot hold", `xml: {a: "x\u0001y"}`, head + "<a>x\uFFFDy</a>"},
		{"nothing", `xml: {a: {b: null, c: "", d: "${account.email}", e: {}, f: {"@g": "${account.email}"}}}`, head + `<a><b/><c></c><d/><e/><f g=""/></a>`},
		{"what is absent is dropped", `xml: {a: {b?: "${account.email}", c?: null, d?: "${account.login}", e: {"@f?": "${account.email}", "@g?": "${account.login}"}}}`, head + `<a><d>ada</d><e g="ada"/></a>`},
		{"a list repeats its element", `xml: {a: {b: [1, {c: 2}, null], d: "${account.roles}", e: "${account.attributes.tags}", f: "${token.methods}", g?: "${token.methods}"}}`, head + `<a><b>1</b><b><c>2</c></b><b/><d>b</d><d>a</d><e>x</e><e>y</e></a>`},
		{"a loop repeats its element", `xml: {a: {b: {$for: r in account.roles, $yield: {"@name": "${r}", "#text": "is ${r}"}}, c: {$for: t in account.attributes.none, $yield: x}}}`, head + `<a><b name="b">is b</b><b name="a">is a</b></a>`},
		{"loops among the items of a list", `xml: {a: {b: [0, {$for: r in account.roles, $yield: {$for: s in account.roles, $yield: "${r + s}"}}]}}`, head + `<a><b>0</b><b>bb</b><b>ba</b><b>ab</b><b>aa</b></a>`},
		{"namespaces", `xml: {"s:Envelope": {"@xmlns:s": http://schemas.xmlsoap.org/soap/envelope/, "s:Body": {login: {"@xmlns": urn:x, "@xml:lang": en, "@s:a": 1}}}}`, head + `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><login xmlns="urn:x" xml:lang="en" s:a="1"/></s:Body></s:Envelope>`},
		{"no declaration", `{type: text/xml; charset=utf-8, declaration: false, xml: {a: 1}}`, "200 | Content-Type: text/xml; charset=utf-8 | <a>1</a>"},
		{"JSON in an element", `xml: {a: {$json: {b: ["${account.login}", "<"]}}}`, head + `<a>{&#34;b&#34;:[&#34;ada&#34;,&#34;&lt;&#34;]}</a>`},
	} {
		if got := success(t, "", tt.ok); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestXMLIssues: the issues' templates are text in XML.
func TestXMLIssues(t *testing.T) {
	d := loadText(t, filled(map[string]string{
		"ISSUES":  `invalid_request: "<${issue.field}> is wrong"`,
		"REFUSAL": `xml: {errors: {error: {$for: i in issues, $yield: {"@field": "${i.field}", "@limit?": "${i.limit}", "#text": "${i}"}}, first: "${issue.field}"}}`,
	}))
	_, w, _ := serve(d, post("/login", jsonTyp, `{"size":"x"}`))
	want := `<errors><error field="user">&lt;user&gt; is wrong</error><error field="password">&lt;password&gt; is wrong</error><error field="size">&lt;size&gt; is wrong</error><first>user</first></errors>`
	if got := w.Body.String(); w.Code != 400 || got != xmlDeclaration+want {
		t.Errorf("got  %d %s\nwant %s", w.Code, got, want)
	}
}

// TestXMLFails: an attribute that would be a list is our failure.
func TestXMLFails(t *testing.T) {
	for _, tree := range []string{`{a: {"@b": "${account.attributes.tags}"}}`, `{a: "${account.attributes}"}`} {
		d := loadText(t, filled(map[string]string{"OK": "xml: " + tree}))
		c, w, err := serve(d, post("/login", jsonTyp, `{"user":"ada","password":"p"}`))
		if err != nil {
			t.Fatal(err)
		}
		token := sampleGrant()
		if err := c.Encode(w, Result{Token: &token}); core.KindOf(err) != core.Internal || w.Code != 500 {
			t.Errorf("%s: Encode() = %v, %s", tree, err, w.Body)
		}
	}
}

// TestJSONText: a document inside a text, escaped once more.
func TestJSONText(t *testing.T) {
	got := success(t, "", `json: {a: {$json: {b: "${account.name}", c?: "${account.email}", d: "${account.roles}", $$e: null}}, f?: {$json: []}}`)
	want := `200 | Content-Type: application/json | {"a":"{\"b\":\"Ada \\\"the\\\" <Countess>\\n\",\"d\":[\"b\",\"a\"],\"$e\":null}","f":"[]"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzXMLReply: whatever an account is called, the reply is XML that says so, but
// for characters that XML cannot hold.
func FuzzXMLReply(f *testing.F) {
	d := loadText(f, filled(map[string]string{"OK": `xml: {a: {"@b": "${account.name}", "#text": "${account.name}"}}`}))
	for _, seed := range []string{"Ada", `<>&"'`, "]]>", "\x00\r\n\t", "\xff\ufffe", "<!-- -->", "&amp;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c, w, err := serve(d, post("/login", jsonTyp, `{"user":"ada","password":"p"}`))
		if err != nil {
			t.Fatal(err)
		}
		token := sampleGrant()
		token.Account.Name = name
		if err := c.Encode(w, Result{Token: &token}); err != nil {
			t.Fatal(err)
		}
		var got struct {
			B    string `xml:"b,attr"`
			Text string `xml:",chardata"`
		}
		decoder := xml.NewDecoder(strings.NewReader(w.Body.String()))
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%q makes %s: %v", name, w.Body, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Fatalf("%q makes more than one document: %s", name, w.Body)
		}
		if want := held(name); got.B != want || got.Text != want {
			t.Errorf("%q reads as %q and %q, want %q", name, got.B, got.Text, want)
		}
	})
}

// held is text as XML can hold it.
func held(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		c, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		known := c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xd7ff || c >= 0xe000 && c <= 0xfffd || c >= 0x10000
		if !known {
			c = utf8.RuneError
		}
		b.WriteRune(c)
	}
	return b.String()
}
