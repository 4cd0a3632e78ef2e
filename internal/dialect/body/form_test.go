package body

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/chancery-auth/chancery/core"
)

func TestParseForm(t *testing.T) {
	for _, tt := range []struct{ name, form, want string }{
		{"login", "username=ada%40example.com&password=p", `{"username":"ada@example.com","password":"p"}`},
		{"plus is a blank", "a=x+y%2Bz", `{"a":"x y+z"}`},
		{"percent", "a=%41%c3%A9", `{"a":"Aé"}`},
		{"malformed percent stays", "a=%zz&b=%4&c=%&d=100%25%", `{"a":"%zz","b":"%4","c":"%","d":"100%%"}`},
		{"percent half malformed", "a=%4g%41%%41", `{"a":"%4gA%A"}`},
		{"semicolon is no separator", "a=1;b=2&c=3", `{"a":"1;b=2","c":"3"}`},
		{"bytes that are not UTF-8", "a=%ff%fe&b=\xff&c=%e2%82", `{"a":"��","b":"�","c":"�"}`},
		{"not UTF-8 in a name", "%ff=1", `{"�":"1"}`},
		{"the last wins", "a=1&b=2&a=3", `{"a":"3","b":"2"}`},
		{"an empty last wins", "a=1&a=", `{"a":""}`},
		{"blanks are kept", "a=+&b=%20x%20&c=%09", `{"a":" ","b":" x ","c":"\t"}`},
		{"no equals sign", "a&b=1", `{"a":"","b":"1"}`},
		{"further equals signs", "a=b=c==", `{"a":"b=c=="}`},
		{"empty name", "=x", `{"":"x"}`},
		{"empty pairs", "&&a=1&&", `{"a":"1"}`},
		{"names are decoded", "us%65r+name=x", `{"user name":"x"}`},
		{"names match exactly", "A=1&a=2", `{"A":"1","a":"2"}`},
		{"NUL and line ends", "a=%00%0d%0a", `{"a":"\u0000\r\n"}`},
		{"nothing", "", `{}`},
		{"a byte order mark is text", "\ufeffa=1", "{\"\ufeffa\":\"1\"}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := ParseForm([]byte(tt.form), DefaultLimits)
			if got := string(AppendJSON(nil, v)); err != nil || got != tt.want {
				t.Errorf("ParseForm(%q) = %s, %v, want %s", tt.form, got, err, tt.want)
			}
		})
	}
}

func TestFormLimits(t *testing.T) {
	long := strings.Repeat("x", 16<<10)
	for _, tt := range []struct {
		name, form string
		want       core.Kind
	}{
		{"1000 fields", strings.Repeat("a=1&", 1000), ""},
		{"1001 fields", strings.Repeat("a=1&", 1001), core.TooManyFields},
		{"1001 empty pairs", strings.Repeat("&", 1001), ""},
		{"value of 16 KiB", "a=" + long, ""},
		{"value over 16 KiB", "a=x" + long, core.FieldTooLarge},
		{"name over 16 KiB", "x" + long + "=1", core.FieldTooLarge},
		{"escapes count decoded", "a=" + strings.Repeat("%41", 16<<10), ""},
		{"body over 64 KiB", strings.Repeat("&", 64<<10+1), core.TooLarge},
	} {
		_, err := ParseForm([]byte(tt.form), DefaultLimits)
		if got := core.KindOf(err); got != tt.want {
			t.Errorf("%s: ParseForm() = %v, want kind %q", tt.name, err, tt.want)
		}
	}
}

const boundary = "XX"

func part(disposition, content string) string {
	return "--XX\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n"
}

func field(name, content string) string {
	return part(`form-data; name="`+name+`"`, content)
}

func TestParseMultipart(t *testing.T) {
	for _, tt := range []struct {
		name, form string
		want       string
		kind       core.Kind
	}{
		{"login", field("username", "ada@example.com") + field("password", "p&+%41") + "--XX--\r\n", `{"username":"ada@example.com","password":"p&+%41"}`, ""},
		{"the last wins", field("a", "1") + field("b", "2") + field("a", "3") + "--XX--", `{"a":"3","b":"2"}`, ""},
		{"a file is no field", part(`form-data; name="a"; filename="f.txt"`, "file") + field("b", "2") + "--XX--", `{"b":"2"}`, ""},
		{"a file without a name of its own", part(`form-data; name="a"; filename=""`, "") + "--XX--", `{}`, ""},
		{"a large file is passed over", part(`form-data; name="a"; filename="f"`, strings.Repeat("x", 40<<10)) + field("b", "2") + "--XX--", `{"b":"2"}`, ""},
		{"not UTF-8", field("a", "\xff\xe2\x82") + "--XX--", `{"a":"��"}`, ""},
		{"charset and transfer encoding are not looked at", "--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41é\r\n--XX--", `{"a":"=41é"}`, ""},
		{"empty value and name", field("", "") + "--XX--", `{"":""}`, ""},
		{"blanks and line ends are kept", field("a", " \r\n x ") + "--XX--", `{"a":" \r\n x "}`, ""},
		{"preamble and epilogue", "hello\r\n" + field("a", "1") + "--XX--\r\nbye", `{"a":"1"}`, ""},
		{"nothing", "", `{}`, ""},
		{"it breaks off in a header: such a part is none", field("a", "1") + "--XX\r\nContent-Disposition: form-da", `{"a":"1"}`, ""},
		{"no parts", "--XX--\r\n", `{}`, ""},

		{"another boundary", "--YY\r\n\r\nS3cret\r\n--YY--", "", core.MalformedBody},
		{"it breaks off in a part", field("a", "S3cret"), "", core.MalformedBody},
		{"a part without disposition", "--XX\r\n\r\nS3cret\r\n--XX--", "", core.MalformedBody},
		{"a part without name", part(`form-data`, "S3cret") + "--XX--", "", core.MalformedBody},
		{"a header that is none", "--XX\r\nS3cret\r\n\r\nx\r\n--XX--", "", core.MalformedBody},
		{"a form of the other kind", "username=a&password=S3cret", "", core.MalformedBody},
		{"1001 parts", strings.Repeat("--XX\r\nContent-Disposition:f;name=a\r\n\r\n\r\n", 1001) + "--XX--", "", core.TooManyFields},
		{"field over 16 KiB", field("a", strings.Repeat("x", 16<<10+1)) + "--XX--", "", core.FieldTooLarge},
		{"field of 16 KiB", field("a", strings.Repeat("x", 16<<10)) + "--XX--", `{"a":"` + strings.Repeat("x", 16<<10) + `"}`, ""},
		{"body over 64 KiB", part(`form-data; name="a"; filename="f"`, strings.Repeat("x", 64<<10)) + "--XX--", "", core.TooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.form), iotest.OneByteReader(strings.NewReader(tt.form))} {
				v, err := ParseMultipart(r, boundary, DefaultLimits)
				if got := core.KindOf(err); got != tt.kind {
					t.Fatalf("ParseMultipart() = %v, want kind %q", err, tt.kind)
				}
				if err != nil {
					if strings.Contains(err.Error(), "S3cret") {
						t.Errorf("the error quotes the body: %v", err)
					}
					continue
				}
				if got := string(AppendJSON(nil, v)); got != tt.want {
					t.Errorf("ParseMultipart() = %s, want %s", got, tt.want)
				}
			}
		})
	}
	if _, err := ParseMultipart(strings.NewReader(field("a", "1")), "", DefaultLimits); core.KindOf(err) != core.BoundaryMissing {
		t.Errorf("without boundary: %v, want kind %q", err, core.BoundaryMissing)
	}
}

// What Go's own client writes is read back.
func TestParseMultipartReadsWriters(t *testing.T) {
	want := map[string]string{"username": "ada@example.com", "päss\"word\\": "π & \"quoted\"\r\n--", "": " "}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range want {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := ParseMultipart(&form, w.Boundary(), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range v.Members() {
		got[m.Name()] = m.Value().Text()
	}
	if !maps.Equal(got, want) {
		t.Errorf("ParseMultipart() = %q, want %q", got, want)
	}
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestReadAll(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, tt := range []struct {
		name string
		r    io.Reader
		want core.Kind
		text string
	}{
		{"nothing", strings.NewReader(""), "", ""},
		{"less", strings.NewReader("abc"), "", "abc"},
		{"the limit", strings.NewReader(strings.Repeat("x", 100)), "", strings.Repeat("x", 100)},
		{"the limit byte by byte", iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 100))), "", strings.Repeat("x", 100)},
		{"data with the end", iotest.DataErrReader(strings.NewReader("abc")), "", "abc"},
		{"one more", strings.NewReader(strings.Repeat("x", 101)), core.TooLarge, ""},
		{"endless", endless{}, core.TooLarge, ""},
		{"broken", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), core.MalformedBody, ""},
		{"a limit of the reader beneath", iotest.ErrReader(fmt.Errorf("read: %w", &core.Error{Kind: core.TooLarge})), core.TooLarge, ""},
	} {
		for _, buf := range [][]byte{nil, make([]byte, 0, 7), make([]byte, 0, 4096)} {
			r := &countingReader{r: tt.r}
			if s, ok := tt.r.(io.Seeker); ok {
				_, _ = s.Seek(0, io.SeekStart)
			} else if cap(buf) > 0 {
				continue // it can be read but once
			}
			got, err := ReadAll(r, 100, buf)
			if kind := core.KindOf(err); kind != tt.want {
				t.Errorf("%s: ReadAll() = %v, want kind %q", tt.name, err, tt.want)
			}
			if err == nil && string(got) != tt.text {
				t.Errorf("%s: ReadAll() = %q, want %q", tt.name, got, tt.text)
			}
			if r.n > 100+4<<10 {
				t.Errorf("%s: read %d bytes (S50)", tt.name, r.n)
			}
		}
	}
	if got, err := ReadAll(strings.NewReader("cd"), 2, []byte("ab")); err != nil || string(got) != "abcd" {
		t.Errorf("ReadAll() after two bytes = %q, %v, want abcd", got, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestMediaType(t *testing.T) {
	for _, tt := range []struct {
		header, want, boundary string
		ok, json               bool
	}{
		{"application/json", "application/json", "", true, true},
		{"Application/JSON; Charset=utf-8", "application/json", "", true, true},
		{" application/json ;", "application/json", "", true, true},
		{"application/problem+json", "application/problem+json", "", true, true},
		{"application/x-www-form-urlencoded; charset=latin1", "application/x-www-form-urlencoded", "", true, false},
		{"multipart/form-data; boundary=\"a b\"", "multipart/form-data", "a b", true, false},
		{"multipart/form-data", "multipart/form-data", "", true, false},
		{"application/json; charset", "application/json", "", true, true},
		{"application/json; =x", "application/json", "", true, true},
		{"application/json; a=1; a=2", "application/json", "", true, true},
		{"application/json;;;\"", "application/json", "", true, true},
		{"text/json", "text/json", "", true, false},
		{"application/jsonp", "application/jsonp", "", true, false},
		{"application/json, text/plain", "", "", false, false},
		{"application/json text", "", "", false, false},
		{"json", "", "", false, false},
		{"", "", "", false, false},
		{";", "", "", false, false},
		{"/json", "", "", false, false},
	} {
		typ, params, ok := MediaType(tt.header)
		if typ != tt.want || ok != tt.ok || params["boundary"] != tt.boundary {
			t.Errorf("MediaType(%q) = %q, %v, %v, want %q, %v", tt.header, typ, params, ok, tt.want, tt.ok)
		}
		if got := IsJSON(typ); got != tt.json {
			t.Errorf("IsJSON(%q) = %v, want %v", typ, got, tt.json)
		}
	}
}

// Where a field may be there but once, one that comes again is refused in either form.
func TestFormFieldsOnce(t *testing.T) {
	once := DefaultLimits
	once.Once = true
	for text, kind := range map[string]core.Kind{"a=1&b=2": "", "a=1&b=2&a=1": core.MalformedBody, "a=1&%61": core.MalformedBody, "a=1&A=1": ""} {
		if _, err := ParseForm([]byte(text), once); core.KindOf(err) != kind {
			t.Errorf("ParseForm(%q) = %v, want kind %q", text, err, kind)
		}
	}
	const part = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
	if _, err := ParseMultipart(strings.NewReader(part+part+"--x--\r\n"), "x", once); core.KindOf(err) != core.MalformedBody {
		t.Errorf("ParseMultipart() = %v, want kind %q", err, core.MalformedBody)
	}
}
