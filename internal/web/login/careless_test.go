package login_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/internal/store/memory"
	"github.com/chancery-auth/chancery/internal/web/webtest"
)

// careless is a contract whose expressions look at nothing that requests hold.
const careless = `
dialect: careless
tokens:
  access: {format: opaque, lifetime: {default: 1h, min: 1m, max: 2h}}
routes:
  - on: {method: POST, path: /x}
    accept: [json, form, xml, multipart]
    inputs:
      t: body.t
      n: {from: body.n, type: integer}
      f: {from: body.f, type: number}
      l: {from: body.l, type: list}
      o: {from: body.o, type: object}
      a: {from: body.a, type: any}
%s
    do: fixed
    ok: {%s}
errors:
  invalid_request: {status: 400, json: {error: "${issue.rule}"}}
  unauthorized: {status: 401, json: {error: x}}
  bad_credentials: {status: 401, json: {error: x}}
  not_found: {status: 404, json: {error: x}}
  method_not_allowed: {status: 405, json: {error: x}}
  rate_limited: {status: 429, json: {error: x}}
  unavailable: {status: 503, json: {error: x}}
  internal: {status: 500, json: {error: x}}
`

// S54: whatever a file makes of what requests hold, no request is our failure.
func TestCarelessFilesFailNoRequest(t *testing.T) {
	bodies := []string{
		`{}`, `{"t":"a\u0000\u0001\r\nb"}`, `{"t":"\ufffe\uffff\u0085\u2028"}`, `{"t":"` + strings.Repeat("a ", 8000) + `"}`, `{"t":"é;,\"\\"}`,
		`{"n":9223372036854774784}`, `{"n":-9223372036854775808}`, `{"n":0}`, `{"n":1e18}`, `{"n":1.0}`,
		`{"f":1e308}`, `{"f":0}`, `{"f":-0.0}`, `{"f":9007199254740993}`,
		`{"l":[]}`, `{"l":[1,"a",null,[1],{"a":1},1e999]}`, `{"l":[` + strings.Repeat(`"a",`, 900) + `"b"]}`, `{"l":["\ud800"]}`,
		`{"o":{}}`, `{"o":{"a":1e999,"":2,"a b":[]}}`, `{"o":{"\ud800":"\udfff"}}`,
		`{"a":1e999}`, `{"a":null}`, `{"a":"\ud800"}`, `{"a":[1]}`, `{"a":{"b":1}}`, `{"a":true}`, `{"a":12345678901234567890123}`, `{"a":"x\u0001"}`,
	}
	for _, tt := range []struct{ more, ok string }{
		{"", `json: {t: "${input.t}", n: "${input.n}", f: "${input.f}", l: "${input.l}", o: "${input.o}", a: "${input.a}"}`},
		{"", `json: "x ${input.t}"`}, {"", `json: "x ${input.n}"`}, {"", `json: "x ${input.f}"`}, {"", `json: "x ${input.l}"`}, {"", `json: "x ${input.o}"`}, {"", `json: "x ${input.a}"`},
		{"", `text: "x ${input.a}"`}, {"", `text: "${input.t}"`},
		{"", `xml: {r: "${input.t}"}`}, {"", `xml: {r: {"@a": "${input.t}"}}`}, {"", `xml: {r: "${input.a}"}`}, {"", `xml: {r: {b: "${input.l}"}}`}, {"", `xml: {r: "${input.o}"}`}, {"", `xml: {r: "${input.f}"}`},
		{"", `json: {x: "${input.n == null ? 0 : input.n * 60}"}`}, {"", `json: {x: "${input.n == null ? 0 : input.n + 1}"}`}, {"", `json: {x: "${input.n == null ? 0 : 10 / input.n}"}`}, {"", `json: {x: "${input.n == null ? 0 : 10 % input.n}"}`},
		{"", `json: {x: "${input.n == null ? 0 : -input.n}"}`}, {"", `json: {x: "${input.f == null ? 0 : int(input.f)}"}`}, {"", `json: {x: "${input.f == null ? 0.0 : input.f * 1e300}"}`},
		{"", `json: {x: "${input.t == null ? 0 : int(input.t)}"}`}, {"", `json: {x: "${input.t == null ? false : input.t.matches('^(a+)+$')}"}`},
		{"", `json: {x: "${input.t == null ? 0 : input.t.split(' ').size()}"}`}, {"", `json: {x: "${input.t == null ? [] : input.t.split(' ').filter(s, s in input.t.split(' '))}"}`},
		{"", `json: {x: "${input.t == null ? '' : input.t.substring(1)}"}`}, {"", `json: {x: "${input.t == null ? '' : input.t.charAt(3)}"}`},
		{"", `json: {x: "${input.l == null ? '' : input.l[0]}"}`}, {"", `json: {x: "${input.l == null ? 0 : input.l.size()}"}`}, {"", `json: {x: "${input.o == null ? '' : input.o.a}"}`}, {"", `json: {x: "${input.a == null ? '' : input.a.b}"}`},
		{"", `json: {x: "${input.a == 1}"}`}, {"", `json: {x: "${input.l == null ? [] : input.l.map(i, i)}"}`},
		{"", `json: {$json: {a: "${input.a}", t: "${input.t}"}}`},
		{"", `headers: {X-A: "${input.a}"}, empty: true`}, {"", `headers: {X-A: "${input.l}"}, empty: true`}, {"", `headers: {X-A: "${input.t}"}, empty: true`},
		{"", `cookies: [{name: c, value: "${input.t}"}], empty: true`}, {"", `cookies: [{name: c, value: "${input.a}"}], empty: true`}, {"", `cookies: [{name: c, value: "x", max_age: "${input.n}"}], empty: true`},
		{"", `json: {$for: i in input.l, $yield: {v: "${i}"}}`}, {"", `json: [{$for: i in input.l, $yield: {v: "${i}"}}]`},
		{`      q: {from: body.q, required: true}`, "empty: true}\n    errors: {invalid_request: {status: 422, json: {x: \"${input.l == null ? '' : input.l[0]}\"}}"},
		{`      q: {from: body.q, required: true}`, "empty: true}\n    errors: {invalid_request: {status: 422, headers: {X-A: \"${input.n == null ? 0 : input.n * 60}\"}, empty: true}"},
		{`      q: {from: body.q, required: "${input.n != null && input.n * 60 > 3}"}`, `empty: true`},
		{`      q: {from: body.q, required: "${input.t != null && int(input.t) > 3}"}`, `empty: true`},
		{`      q: {from: body.q, required: "${input.t != null && input.t.split(' ').all(s, s in input.t.split(' '))}"}`, `empty: true`},
		{`      q: {from: body.q, required: "${input.l != null && input.l[0] == 'a'}"}`, `empty: true`},
		{`      q: {from: body.q, required: "${input.a != null && input.a.b == 'a'}"}`, `empty: true`},
		{`      q: {from: body.q, required: "${input.a != null && input.a > 3}"}`, `empty: true`},
	} {
		source := fmt.Sprintf(careless, tt.more, tt.ok)
		w := webtest.New(t, memory.New(), "careless.yaml", []byte(source), nil)
		s := serve(t, mount(w))
		for _, b := range bodies {
			if got := s.ask(t, "POST", "/x", b, jsonType); got.status >= 500 {
				t.Errorf("%s %s: %.40s is answered by %d", strings.TrimSpace(tt.more), tt.ok, b, got.status)
			}
		}
		s.Close()
	}
}
