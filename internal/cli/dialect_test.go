package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadRequest(t *testing.T) {
	for _, tt := range []struct{ name, text, want, fault string }{
		{"as on the wire", "POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi", "POST /a?b=c X-A=1 hi", ""},
		{"as people write it", "POST /a\nX-A: 1\n\nhi\n", "POST /a X-A=1 hi", ""},
		{"a length that is not true", "POST /a\nContent-Length: 99\n\nhi\n", "POST /a X-A= hi\n", ""},
		{"two lines of body", "POST /a\n\na\n\nb\n", "POST /a X-A= a\n\nb", ""},
		{"no body", "GET /a", "GET /a X-A= ", ""},
		{"lines before it", "\n\nGET /a\n", "GET /a X-A= ", ""},
		{"no request", "hello", "", `"hello" is no request line`},
		{"nothing", "", "", `"" is no request line`},
		{"no header", "GET /a\nhello\n", "", "the request cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := readRequest([]byte(tt.text))
			if err != nil {
				if tt.fault == "" || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("readRequest() = %v, want %q", err, tt.fault)
				}
				return
			}
			content, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Method + " " + r.URL.RequestURI() + " X-A=" + r.Header.Get("X-A") + " " + string(content); got != tt.want {
				t.Errorf("readRequest() = %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("POST /a HTTP/1.1\r\nX-A: 1\r\n\r\nhi"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := readRequest(text)
		if err == nil && (r.Method == "" || r.URL == nil || r.Body == nil) {
			t.Errorf("readRequest() = %+v, which cannot be sent", r)
		}
	})
}

func TestWithSettings(t *testing.T) {
	got, err := withSettings(map[string]any{"a": "kept", "b": 1}, []string{"b=2", "c=30m", "d=true", "e=", "f=x: y", "g=1.5", "h=a=b"})
	want := map[string]any{"a": "kept", "b": 2, "c": "30m", "d": true, "e": "", "f": "x: y", "g": 1.5, "h": "a=b"}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("withSettings() = %v, %v, want %v", got, err, want)
	}
	if _, err := withSettings(nil, []string{"a"}); err == nil {
		t.Error("a choice without a value was taken")
	}
}

// TestFaultsAreShown: a caret stands under the column, however long the line is.
func TestFaultsAreShown(t *testing.T) {
	long := strings.Repeat("x", 120) + "HERE" + strings.Repeat("y", 120)
	for _, tt := range []struct {
		name, source string
		fault        faultLine
		want         string
	}{
		{"a line", "a: 1\n  bé: 2", faultLine{2, 3, "no", "yes"}, "f.yaml:2:3: no\n    2 |   bé: 2\n      |   ^ yes\n"},
		{"behind its end", "a:", faultLine{1, 3, "no", ""}, "f.yaml:1:3: no\n    1 | a:\n      |   ^\n"},
		{"a tab, and a control character", "\ta\x1b: 1", faultLine{1, 2, "no", ""}, "f.yaml:1:2: no\n    1 |  a\uFFFD: 1\n      |  ^\n"},
		{"no such line", "", faultLine{7, 1, "no", ""}, "f.yaml:7:1: no\n    7 | \n      | ^\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			(&checkedDialect{File: "f.yaml", source: tt.source, Faults: []faultLine{tt.fault}}).show(&out)
			if got := out.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	line, before := clip([]string{long}, faultLine{Line: 1, Column: 121})
	if shown := []rune(line); len(shown) > 102 || string(shown[before:before+4]) != "HERE" {
		t.Errorf("clip() = %q, %d", line, before)
	}
}
