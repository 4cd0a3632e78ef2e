package dialect

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTraceUnserved: what takes no request is told with what would.
func TestTraceUnserved(t *testing.T) {
	text := strings.Replace(filled(nil), "routes:\n", `routes:
  - {on: {method: GET, path: "/off/{id}"}, enabled: "${!setting.on}", do: fixed, ok: {empty: true}}
  - {on: {method: POST, path: "/off/{id}"}, do: fixed, ok: {empty: true}}
`, 1)
	text = strings.Replace(text, "[json, form]", "[json, application/*+xml]", 1)
	for _, tt := range []struct{ method, path, typ, want string }{
		{"GET", "/off/1", "", "7 match method_not_allowed: GET /off/{id} is off by enabled: ${!setting.on}"},
		{"PUT", "/off/1", "", "0 match method_not_allowed: on this path there is POST"},
		{"GET", "/off/1/2/3/4", "", "0 match not_found: no route has this path; there are POST /off/{}, POST /login"},
		{"POST", "/logn", "", "9 match not_found: no route has this path; near is POST /login"},
		{"POST", "/login", "text/plain; charset=utf-8", "9 body wrong_content_type: sent is text/plain; charset=utf-8, taken are application/json, application/*+xml"},
		{"POST", "/login", "", "9 body wrong_content_type: sent is no media type, taken are application/json, application/*+xml"},
	} {
		var last string
		options := testOptions()
		options.Trace = func(s Step) { last = fmt.Sprintf("%d %s %s", s.Line, s.Name, s.Text) }
		d, err := Load("test.yaml", []byte(text), options)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader("a"))
		r.Header = http.Header{}
		if tt.typ != "" {
			r.Header.Set("Content-Type", tt.typ)
		}
		_ = d.Match(r).Decode(r)
		if last != tt.want {
			t.Errorf("%s %s %s:\ngot  %s\nwant %s", tt.method, tt.path, tt.typ, last, tt.want)
		}
	}
}
