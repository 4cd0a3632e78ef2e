package body

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

func TestParseJSON(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       core.Kind
		echo       string
	}{
		{"object", `{"a": 1, "b": [true, false, null], "c": {"d": "e"}}`, "", `{"a":1,"b":[true,false,null],"c":{"d":"e"}}`},
		{"scalars alone", ` "a" `, "", `"a"`},
		{"null", "null", "", "null"},
		{"byte order mark", "\ufeff{}", "", "{}"},
		{"empty containers", `[{},[]]`, "", `[{},[]]`},
		{"of duplicates the last value, at the first place", `{"a":1,"b":2,"a":3}`, "", `{"a":3,"b":2}`},
		{"duplicate objects are not merged", `{"a":{"x":1},"a":{"y":2}}`, "", `{"a":{"y":2}}`},
		{"duplicates spelled otherwise", `{"a":1,"\u0061":2}`, "", `{"a":2}`},
		{"letter case distinguishes names", `{"a":1,"A":2}`, "", `{"a":1,"A":2}`},
		{"lone surrogates are JSON", `{"\ud800":"\udc00"}`, "", `{"\ud800":"\udc00"}`},
		{"NUL in a string", `"\u0000"`, "", `"\u0000"`},

		{"nothing", "", core.BodyMissing, ""},
		{"blanks", " \t\r\n", core.MalformedBody, ""},
		{"a byte order mark alone", "\ufeff", core.MalformedBody, ""},
		{"not UTF-8 in a string", "\"\xff\"", core.BadEncoding, ""},
		{"not UTF-8 outside", "\xff", core.BadEncoding, ""},
		{"Latin-1", "{\"a\":\"\xe9\"}", core.BadEncoding, ""},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", core.BadEncoding, ""},
		{"overlong", "\"\xc0\x80\"", core.BadEncoding, ""},
		{"UTF-16", "\xff\xfe{\x00}\x00", core.BadEncoding, ""},
		{"NaN", `{"a":NaN}`, core.MalformedBody, ""},
		{"Infinity", `Infinity`, core.MalformedBody, ""},
		{"minus Infinity", `[-Infinity]`, core.MalformedBody, ""},
		{"trailing comma in list", `[1,]`, core.MalformedBody, ""},
		{"trailing comma in object", `{"a":1,}`, core.MalformedBody, ""},
		{"single quotes", `{'a':1}`, core.MalformedBody, ""},
		{"bare name", `{a:1}`, core.MalformedBody, ""},
		{"comment", `{} // x`, core.MalformedBody, ""},
		{"two values", `{} {}`, core.MalformedBody, ""},
		{"trailing garbage", `{}x`, core.MalformedBody, ""},
		{"trailing brace", `{}}`, core.MalformedBody, ""},
		{"two byte order marks", "\ufeff\ufeff{}", core.MalformedBody, ""},
		{"unfinished object", `{"a":1`, core.MalformedBody, ""},
		{"unfinished string", `"a`, core.MalformedBody, ""},
		{"missing colon", `{"a" 1}`, core.MalformedBody, ""},
		{"missing value", `{"a":}`, core.MalformedBody, ""},
		{"missing comma", `[1 2]`, core.MalformedBody, ""},
		{"control character in a string", "\"\x01\"", core.MalformedBody, ""},
		{"newline in a string", "\"\n\"", core.MalformedBody, ""},
		{"bad escape", `"\x41"`, core.MalformedBody, ""},
		{"short escape", `"\u12"`, core.MalformedBody, ""},
		{"leading zero", `01`, core.MalformedBody, ""},
		{"leading plus", `+1`, core.MalformedBody, ""},
		{"bare point", `1.`, core.MalformedBody, ""},
		{"hexadecimal", `0x10`, core.MalformedBody, ""},
		{"capital literal", `True`, core.MalformedBody, ""},
		{"number as name", `{1:2}`, core.MalformedBody, ""},
		{"blank that JSON does not know", "\u00a01", core.MalformedBody, ""},
		{"a form", `username=a&password=b`, core.MalformedBody, ""},
		{"wrong delimiter", `[}`, core.MalformedBody, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := ParseJSON([]byte(tt.body), DefaultLimits)
			if got := core.KindOf(err); got != tt.want {
				t.Fatalf("ParseJSON() = %v, want kind %q", err, tt.want)
			}
			if _, placed := errors.AsType[*SyntaxError](err); placed != (tt.want == core.MalformedBody) {
				t.Errorf("ParseJSON() = %v: wraps a SyntaxError: %v", err, placed)
			}
			if tt.want != "" {
				return
			}
			if got := string(AppendJSON(nil, v)); got != tt.echo {
				t.Errorf("AppendJSON() = %s, want %s", got, tt.echo)
			}
		})
	}
}

func TestJSONLimits(t *testing.T) {
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }
	object := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"n%d":1`, i)
		}
		return "{" + strings.TrimPrefix(b.String(), ",") + "}"
	}
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	for _, tt := range []struct {
		name, body string
		want       core.Kind
	}{
		{"16 deep", strings.Repeat("[", 16) + strings.Repeat("]", 16), ""},
		{"17 deep", strings.Repeat("[", 17) + strings.Repeat("]", 17), core.MalformedBody},
		{"17 objects deep", strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17), core.MalformedBody},
		{"30,000 deep", strings.Repeat("[", 30000), core.MalformedBody},
		{"1000 items", list(1000), ""},
		{"1001 items", list(1001), core.TooManyFields},
		{"1000 members", object(1000), ""},
		{"1001 members", object(1001), core.TooManyFields},
		{"1001 times one name", "{" + strings.Repeat(`"a":1,`, 1000) + `"a":1}`, core.TooManyFields},
		{"members and items together", "[" + object(500) + "," + list(499) + "]", core.TooManyFields},
		{"string of 16 KiB", text(16 << 10), ""},
		{"string over 16 KiB", text(16<<10 + 1), core.FieldTooLarge},
		{"escapes count decoded", `"` + strings.Repeat(`\u0041`, 10000) + `"`, ""},
		{"escaped string over 16 KiB", `"\n` + strings.Repeat("x", 16<<10) + `"`, core.FieldTooLarge},
		{"name over 16 KiB", `{` + text(16<<10+1) + `:1}`, core.FieldTooLarge},
		{"number over 16 KiB", strings.Repeat("1", 16<<10+1), core.FieldTooLarge},
		{"body of 64 KiB", strings.Repeat(" ", 64<<10-2) + "[]", ""},
		{"body over 64 KiB", strings.Repeat(" ", 64<<10-1) + "[]", core.TooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseJSON([]byte(tt.body), DefaultLimits)
			if got := core.KindOf(err); got != tt.want {
				t.Errorf("ParseJSON() = %v, want kind %q", err, tt.want)
			}
		})
	}
}

func TestSyntaxErrorTellsPlaceAndQuotesNothing(t *testing.T) {
	for _, tt := range []struct {
		body, want string
	}{
		{`{"password":"a"; "x":1}`, "unexpected character after object value (expecting ',' or '}') at offset 15"},
		{"\ufeff" + `{"password" "a"}`, "unexpected character after object name (expecting ':') at offset 15"},
		{`{"password":'S3cret'}`, "unexpected character at start of value at offset 12"},
		{`{"password":}`, "unexpected character at start of value at offset 12"},
		{`{"p":"S3cret\S"}`, "invalid escape sequence in string at offset 12"},
		{`{"p":"S3cret`, "unexpected end at offset 12"},
		{`{"p":1} S3cret`, "more after the end of the value at offset 7"},
		{`{1:"S3cret"}`, "object member name must be a string at offset 1"},
		{`{S3cret:1}`, "unexpected character at start of value at offset 1"},
		{"  ", "unexpected end at offset 0"},
		{`NaN`, "unexpected character at start of value at offset 0"},
		{strings.Repeat("[", 20), "nested too deep at offset 17"},
	} {
		_, err := ParseJSON([]byte(tt.body), DefaultLimits)
		fault, ok := errors.AsType[*SyntaxError](err)
		if !ok || fault.Error() != tt.want {
			t.Errorf("ParseJSON(%q) = %v, want %q", tt.body, err, tt.want)
		}
	}
}

// The buffer that a body was read into goes back to its pool before the values are used.
func TestValuesShareNoMemoryWithTheBody(t *testing.T) {
	wipe := func(b []byte) { copy(b, strings.Repeat("#", len(b))) }
	json := []byte(`{"name":"plain","esc\u0061ped":"a\nb","lone":"\ud800x","n":12.5,"l":["item"]}`)
	v, err := ParseJSON(json, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	wipe(json)
	want := `{"name":"plain","escaped":"a\nb","lone":"\ud800x","n":12.5,"l":["item"]}`
	if got := string(AppendJSON(nil, v)); got != want {
		t.Errorf("after the buffer was reused: %s, want %s", got, want)
	}
	form := []byte("plain=value&esc%61ped=a+b")
	if v, err = ParseForm(form, DefaultLimits); err != nil {
		t.Fatal(err)
	}
	wipe(form)
	if got, want := string(AppendJSON(nil, v)), `{"plain":"value","escaped":"a b"}`; got != want {
		t.Errorf("after the buffer was reused: %s, want %s", got, want)
	}
}
