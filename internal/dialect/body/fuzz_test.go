package body

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
)

// small makes every limit easy to reach.
var small = Limits{Bytes: 4 << 10, Depth: 4, Fields: 20, FieldBytes: 64}

// FuzzJSON: within the limits it accepts exactly what encoding/json takes for JSON,
// with the same values, refuses the rest with the right kind, and reads its own echo
// as the same value.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"username":"a","password":"\ud83d\ude00\n"}`, `[1,2.50,-0,1E400,1e16,true,null]`, `{"a":1,"b":{"a":2},"a":[]}`,
		`"\ud800\udc00\udc00"`, "\ufeff {}", `[[[[[]]]]]`, ` `, `{"a":NaN}`, `{} {}`, "\xff", `{"a"`, `{"\ud800":0,"\ud801":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ParseJSON(data, small)
		want := expectedKinds(data, small)
		if !slices.Contains(want, core.KindOf(err)) {
			t.Fatalf("ParseJSON(%q) = %v, want one of %q", data, err, want)
		}
		if err != nil {
			return
		}
		if !strings.Contains(string(data), `\u`) { // lone surrogates may make names alike
			var other any
			decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
			decoder.UseNumber()
			if err := decoder.Decode(&other); err != nil || !reflect.DeepEqual(plain(v), other) {
				t.Fatalf("ParseJSON(%q) = %v, encoding/json reads %v, %v", data, plain(v), other, err)
			}
		}
		echo := AppendJSON(nil, v)
		again, err := ParseJSON(echo, DefaultLimits)
		if err != nil || !again.Equal(v) {
			t.Fatalf("the echo %q of %q reads as another value: %v", echo, data, err)
		}
		if twice := AppendJSON(nil, again); !bytes.Equal(twice, echo) || !utf8.Valid(echo) {
			t.Fatalf("the echo is not canonical: %q, then %q", echo, twice)
		}
	})
}

// FuzzXML: what it accepts keeps the limits, and reads as the same value when it is
// written out again; the rest is refused with a kind of its own and quotes nothing.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{
		`<login><user>ada</user><password> p </password></login>`, `<a id="1">t<b/><b c="2"/>u</a>`, "\ufeff<?xml version=\"1.0\"?><a/>",
		`<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>`, `<s:a xmlns:s="u" s:x="1"><![CDATA[<&]]></s:a>`, "<a>\r\n&#13;</a>", `<a b="1" b="2"/>`, "<a>\xff</a>", `<?x?><a/>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ParseXML(data, small)
		if err != nil {
			if kind := core.KindOf(err); !kind.IsA(core.InvalidRequest) || kind == core.InvalidRequest {
				t.Fatalf("ParseXML(%q) = %v", data, err)
			}
			return
		}
		if len(v.Members()) != 1 {
			t.Fatalf("ParseXML(%q) = %s, want one root", data, AppendJSON(nil, v))
		}
		depth, fields, longest := xmlSize(v.Members()[0].Value())
		if depth > small.Depth || fields >= small.Fields || longest > small.FieldBytes {
			t.Fatalf("ParseXML(%q) has depth %d, %d fields and %d bytes in one", data, depth, fields, longest)
		}
		written := appendXML(nil, v.Members()[0].Name(), v.Members()[0].Value())
		again, err := ParseXML(written, DefaultLimits)
		if err != nil || string(AppendJSON(nil, again)) != string(AppendJSON(nil, v)) {
			t.Fatalf("ParseXML(%q) = %s; %q reads as %s, %v", data, AppendJSON(nil, v), written, AppendJSON(nil, again), err)
		}
	})
}

// xmlSize measures what was read: the depth of its elements, how many there are with
// their attributes, and the longest text.
func xmlSize(v Value) (depth, fields, longest int) {
	fields = -1
	for _, m := range v.Members() {
		of := []Value{m.Value()}
		if m.Value().Kind() == List {
			of = m.Value().Items()
		}
		for _, child := range of {
			d, n, l := xmlSize(child)
			if !strings.HasPrefix(m.Name(), "@") && m.Name() != "#text" {
				depth = max(depth, d)
			}
			fields, longest = fields+n+1, max(longest, l)
		}
	}
	return depth + 1, fields + 1, max(longest, len(v.Text()))
}

// appendXML writes an element out. What is a name after a prefix need not be one without.
func appendXML(dst []byte, name string, v Value) []byte {
	prefixed := func(name string) string {
		if strings.Contains(name, ":") {
			return name
		}
		return "x:" + name
	}
	name = prefixed(name)
	dst = append(append(dst, '<'), name...)
	escape := func(dst []byte, text string) []byte {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(text))
		return append(dst, b.Bytes()...)
	}
	for _, m := range v.Members() {
		if attribute, ok := strings.CutPrefix(m.Name(), "@"); ok {
			dst = append(append(append(append(dst, ' '), prefixed(attribute)...), `="`...), escape(nil, m.Value().Text())...)
			dst = append(dst, '"')
		}
	}
	dst = append(dst, '>')
	for _, m := range v.Members() {
		switch {
		case strings.HasPrefix(m.Name(), "@"):
		case m.Name() == "#text":
			dst = escape(dst, m.Value().Text())
		case m.Value().Kind() == List:
			for _, item := range m.Value().Items() {
				dst = appendXML(dst, m.Name(), item)
			}
		default:
			dst = appendXML(dst, m.Name(), m.Value())
		}
	}
	return append(append(append(escape(dst, v.Text()), "</"...), name...), '>')
}

// expectedKinds says by other means what may become of data.
func expectedKinds(data []byte, limits Limits) []core.Kind {
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case int64(len(data)) > limits.Bytes:
		return []core.Kind{core.TooLarge}
	case !utf8.Valid(data):
		return []core.Kind{core.BadEncoding}
	case len(data) == 0:
		return []core.Kind{core.BodyMissing}
	}
	depth, fields, longest := measure(text)
	var over []core.Kind
	if depth > limits.Depth || !json.Valid(text) {
		over = append(over, core.MalformedBody)
	}
	if fields > limits.Fields {
		over = append(over, core.TooManyFields)
	}
	if longest > limits.FieldBytes {
		over = append(over, core.FieldTooLarge)
	}
	if over == nil {
		return []core.Kind{""}
	}
	return over
}

// measure walks the tokens until the first fault.
func measure(text []byte) (depth, fields, longest int) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	type level struct {
		object bool
		tokens int
	}
	stack := []level{{}}
	for {
		token, err := decoder.Token()
		if err != nil {
			return depth, fields, longest
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		top := &stack[len(stack)-1]
		if len(stack) > 1 && (!top.object || top.tokens%2 == 0) {
			fields++
		}
		top.tokens++
		switch token := token.(type) {
		case json.Delim:
			stack = append(stack, level{object: token == '{'})
			depth = max(depth, len(stack)-1)
		case string:
			longest = max(longest, len(token))
		case json.Number:
			longest = max(longest, len(token))
		}
	}
}

// plain is v as encoding/json would give it.
func plain(v Value) any {
	switch v.Kind() {
	case Bool:
		return v.Bool()
	case Number:
		return json.Number(v.Number())
	case String:
		return v.Text()
	case List:
		list := make([]any, 0, len(v.Items()))
		for _, item := range v.Items() {
			list = append(list, plain(item))
		}
		return list
	case Object:
		object := map[string]any{}
		for _, m := range v.Members() {
			object[m.Name()] = plain(m.Value())
		}
		return object
	}
	return nil
}

// FuzzForm: it fails for a limit alone; what it reads, written by url.Values, reads
// the same; and where url.ParseQuery takes the whole form it finds the same last values.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"username=a%40b&password=p+%2B", "a=%zz&b;c=%ff&a", "=&&=1&%", "a=1&a=2", "x=%e2%82%"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ParseForm(data, small)
		if err != nil {
			over := int64(len(data)) > small.Bytes || bytes.Count(data, []byte("&")) >= small.Fields || len(data) > small.FieldBytes
			if kind := core.KindOf(err); !over || kind != core.TooLarge && kind != core.TooManyFields && kind != core.FieldTooLarge {
				t.Fatalf("ParseForm(%q) = %v", data, err)
			}
			return
		}
		values := url.Values{}
		for _, m := range v.Members() {
			if m.Value().Kind() != String || m.Value().LoneSurrogate() {
				t.Fatalf("ParseForm(%q): %q is a %s", data, m.Name(), m.Value().Kind())
			}
			values.Set(m.Name(), m.Value().Text())
		}
		again, err := ParseForm([]byte(values.Encode()), DefaultLimits)
		if err != nil || !reflect.DeepEqual(plain(again), plain(v)) {
			t.Fatalf("%q written anew reads as %v, %v, want %v", data, plain(again), err, plain(v))
		}
		if other, err := url.ParseQuery(string(data)); err == nil && utf8.ValidString(fmt.Sprint(other)) {
			last := map[string]any{}
			for name, all := range other {
				last[name] = all[len(all)-1]
			}
			if !reflect.DeepEqual(plain(v), any(last)) {
				t.Fatalf("ParseForm(%q) = %v, net/url reads %v", data, plain(v), last)
			}
		}
	})
}

// FuzzMultipart: any bytes are an object of strings or a refusal of a known kind that
// quotes nothing; what is read, written by mime/multipart, reads the same.
func FuzzMultipart(f *testing.F) {
	for _, seed := range []string{
		field("a", "1") + "--XX--", field("a", "1") + field("a", "\xff") + "--XX--\r\n", "", "--XX",
		part(`form-data; name="f"; filename="x"`, "y") + "--XX--", part(`form-data; name*=utf-8''%e2`, "") + "--XX--",
		part(`form-data; name="`+"\xff"+`"`, "x") + "--XX--",
	} {
		f.Add([]byte(seed))
	}
	known := []core.Kind{core.TooLarge, core.TooManyFields, core.FieldTooLarge, core.MalformedBody}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ParseMultipart(bytes.NewReader(data), boundary, small)
		if err != nil {
			if kind := core.KindOf(err); !slices.Contains(known, kind) || int64(len(data)) <= small.Bytes && kind == core.TooLarge {
				t.Fatalf("ParseMultipart(%q) = %v", data, err)
			}
			return
		}
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		for _, m := range v.Members() {
			if strings.ContainsAny(m.Name(), "\r\n") {
				return // the writer escapes these by percent signs
			}
			part, err := w.CreateFormField(m.Name())
			if err == nil {
				_, err = io.WriteString(part, m.Value().Text())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := ParseMultipart(&form, w.Boundary(), Limits{Bytes: 1 << 20, Depth: 16, Fields: 1000, FieldBytes: 16 << 10})
		if err != nil || !reflect.DeepEqual(plain(again), plain(v)) {
			t.Fatalf("%q written anew reads as %v, %v, want %v", data, plain(again), err, plain(v))
		}
	})
}

var (
	benchJSON = []byte(`{"email":"ada.lovelace@example.com","password":"correct horse battery staple","remember":true,"device":"cli"}`)
	benchForm = []byte(`grant_type=password&username=ada.lovelace%40example.com&password=correct+horse+battery+staple&scope=&client=cl`)
)

func BenchmarkParseJSON(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseJSON(benchJSON, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseForm(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseForm(benchForm, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	v, err := ParseJSON(benchJSON, DefaultLimits)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	buf := make([]byte, 0, 256)
	for b.Loop() {
		buf = AppendJSON(buf[:0], v)
	}
}
