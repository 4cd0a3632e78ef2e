package body

import (
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

func TestXML(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an element is its text", `<login>ada</login>`, `{"login":"ada"}`},
		{"blanks are text", "<p> \n </p>", `{"p":" \n "}`},
		{"no text", `<p/>`, `{"p":""}`},
		{"a declaration, a mark, comments, blanks around", "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- a --><p>a<!-- b -->b</p>\n", `{"p":"ab"}`},
		{"children", "<login>\n  <user>ada</user>\n  <password> p </password>\n</login>", `{"login":{"user":"ada","password":" p "}}`},
		{"children of one name", `<a><b>1</b><c/><b><d>2</d></b><b>3</b></a>`, `{"a":{"b":["1",{"d":"2"},"3"],"c":""}}`},
		{"attributes", `<a id="1" x='&lt;"&#x41;'>t</a>`, `{"a":{"@id":"1","@x":"<\"A","#text":"t"}}`},
		{"an attribute and no text", `<a id="1"></a>`, `{"a":{"@id":"1"}}`},
		{"an attribute and blanks", `<a id="1"> </a>`, `{"a":{"@id":"1","#text":" "}}`},
		{"text among children", `<a>x<b/>y</a>`, `{"a":{"b":"","#text":"xy"}}`},
		{"names without a prefix", `<s:Envelope xmlns:s="urn:s" xmlns="urn:d"><s:Body s:id="1"/></s:Envelope>`, `{"Envelope":{"Body":{"@id":"1"}}}`},
		{"sections", `<p><![CDATA[<&]]]]><![CDATA[>]]></p>`, `{"p":"<&]]>"}`},
		{"entities of XML itself", `<p>&amp;&lt;&gt;&quot;&apos;&#233;</p>`, `{"p":"&<>\"'é"}`},
		{"ends of lines", "<p>a\r\nb\rc&#13;</p>", `{"p":"a\nb\nc\r"}`},
	} {
		v, err := ParseXML([]byte(tt.text), DefaultLimits)
		if got := string(AppendJSON(nil, v)); err != nil || got != tt.want {
			t.Errorf("%s: ParseXML(%q) = %s, %v, want %s", tt.name, tt.text, got, err, tt.want)
		}
	}
}

func TestXMLRefusals(t *testing.T) {
	deep := strings.Repeat("<a>", 5) + strings.Repeat("</a>", 5)
	for _, tt := range []struct {
		name, text string
		kind       core.Kind
		reason     string
	}{
		{"empty", "", core.BodyMissing, ""},
		{"blank", " \n", core.MalformedBody, "unexpected end"},
		{"no root", "<!-- a -->", core.MalformedBody, "unexpected end"},
		{"text", "ada", core.MalformedBody, "text outside of the root"},
		{"JSON", `{"a":1}`, core.MalformedBody, "text outside of the root"},
		{"cut off", "<a><b>", core.MalformedBody, "unexpected end"},
		{"not nested", "<secret-a><b></secret-a></b>", core.MalformedBody, "not well-formed XML"},
		{"two roots", "<a/><b/>", core.MalformedBody, "more after the end of the root"},
		{"text after the root", "<a/>b", core.MalformedBody, "text outside of the root"},
		{"a document type", `<!DOCTYPE a><a/>`, core.MalformedBody, "a document type is not taken"},
		{"an entity that doubles", `<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>`, core.MalformedBody, "a document type is not taken"},
		{"a file", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, core.MalformedBody, "a document type is not taken"},
		{"an entity that is none", `<a>&x;</a>`, core.MalformedBody, "not well-formed XML"},
		{"a character that XML cannot hold", `<a>&#0;</a>`, core.MalformedBody, "not well-formed XML"},
		{"a processing instruction", `<?php echo 1 ?><a/>`, core.MalformedBody, "a processing instruction is not taken"},
		{"a declaration inside", `<a><?xml version="1.0"?></a>`, core.MalformedBody, "a processing instruction is not taken"},
		{"XML 1.1", `<?xml version="1.1"?><a/>`, core.MalformedBody, "not well-formed XML"},
		{"another encoding said", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, core.BadEncoding, ""},
		{"another encoding", "<a>\xe9</a>", core.BadEncoding, ""},
		{"UTF-16", "\xff\xfe<\x00a\x00/\x00>\x00", core.BadEncoding, ""},
		{"an attribute twice", `<a b="1" b="2"/>`, core.MalformedBody, "an attribute is here twice"},
		{"an attribute twice by prefixes", `<a xmlns:x="u" b="1" x:b="2"/>`, core.MalformedBody, "an attribute is here twice"},
		{"too deep", deep, core.MalformedBody, "nested too deep"},
		{"too many elements", "<a>" + strings.Repeat("<b/>", 20) + "</a>", core.TooManyFields, ""},
		{"too many attributes", `<a a="" b="" c="" d="" e="" f="" g="" h="" i="" j="" k="" l="" m="" n="" o="" p="" q="" r="" s="" t=""/>`, core.TooManyFields, ""},
		{"a long text", "<a>" + strings.Repeat("x", 40) + "<!-- -->" + strings.Repeat("x", 40) + "</a>", core.FieldTooLarge, ""},
		{"a long attribute", `<a b="` + strings.Repeat("x", 65) + `"/>`, core.FieldTooLarge, ""},
		{"a long name", "<" + strings.Repeat("x", 65) + "/>", core.FieldTooLarge, ""},
		{"a large body", "<a>" + strings.Repeat(" ", 5000) + "</a>", core.TooLarge, ""},
	} {
		_, err := ParseXML([]byte(tt.text), small)
		if core.KindOf(err) != tt.kind || tt.reason != "" && !strings.Contains(err.Error(), tt.reason) || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: ParseXML(%q) = %v, want %s %s", tt.name, tt.text, err, tt.kind, tt.reason)
		}
	}
}
