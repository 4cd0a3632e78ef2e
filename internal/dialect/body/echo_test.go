package body

import "testing"

// What Python 3.11 prints for json.dumps(json.loads(s), separators=(",", ":"), ensure_ascii=False).
func TestAppendJSONPrintsAsPython(t *testing.T) {
	for _, tt := range []struct{ json, want string }{
		{`0`, `0`},
		{`-0`, `0`},
		{`-7`, `-7`},
		{`1.0`, `1.0`},
		{`-0.0`, `-0.0`},
		{`0.0`, `0.0`},
		{`0e0`, `0.0`},
		{`-0e5`, `-0.0`},
		{`1.5`, `1.5`},
		{`1.50`, `1.5`},
		{`1E5`, `100000.0`},
		{`1e15`, `1000000000000000.0`},
		{`1e16`, `1e+16`},
		{`1e+16`, `1e+16`},
		{`1.5e16`, `1.5e+16`},
		{`123456789012345678.0`, `1.2345678901234568e+17`},
		{`9999999999999998.0`, `9999999999999998.0`},
		{`0.0001`, `0.0001`},
		{`0.00001`, `1e-05`},
		{`0.00012345`, `0.00012345`},
		{`1e-7`, `1e-07`},
		{`1e100`, `1e+100`},
		{`5e-324`, `5e-324`},
		{`1e-400`, `0.0`},
		{`2.5e-5`, `2.5e-05`},
		{`0.1`, `0.1`},
		{`0.30000000000000004`, `0.30000000000000004`},
		{`1.7976931348623157e308`, `1.7976931348623157e+308`},
		{`123456789012345678901234567890`, `123456789012345678901234567890`},
		{`"plain"`, `"plain"`},
		{`"\"\\\/"`, `"\"\\/"`},
		{`"\b\f\n\r\t"`, `"\b\f\n\r\t"`},
		{`"\u0000\u001f\u007f\u0080"`, "\"\\u0000\\u001f\u007f\u0080\""},
		{`"\u2028\u2029"`, "\"\u2028\u2029\""},
		{`"<>&é😀"`, `"<>&é😀"`},
		{`{"é\n":[1, 2.0, null, true, false, ""]}`, `{"é\n":[1,2.0,null,true,false,""]}`},
		{`{}`, `{}`},
		{`[]`, `[]`},
		// Where Python prints no JSON: its words for these are Infinity and a raw surrogate.
		{`1e400`, `1e400`},
		{`"a\uD800b\udfff"`, `"a\ud800b\udfff"`},
	} {
		if got := string(AppendJSON(nil, mustParse(t, tt.json))); got != tt.want {
			t.Errorf("AppendJSON(%s) = %s, want %s", tt.json, got, tt.want)
		}
	}
}

func TestAppendJSONAppends(t *testing.T) {
	if got := string(AppendJSON([]byte("x="), mustParse(t, `[100.0]`))); got != "x=[100.0]" {
		t.Errorf("AppendJSON() = %s", got)
	}
	if got := string(AppendJSON([]byte("1."), mustParse(t, `1e2`))); got != "1.100.0" {
		t.Errorf("AppendJSON() = %s: it looked at what was there before", got)
	}
}

func TestNewString(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain", "plain"},
		{"\xff\xfe", "\ufffd\ufffd"},
		{"\xe2\x82", "\ufffd"},
		{"\xe2\x82x", "\ufffdx"},
		{"\xf0\x9f\x98", "\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"\xc0\x80", "\ufffd\ufffd"},
		{"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"a\x80b\xf0\x9f\x98\x80", "a\ufffdb😀"},
	} {
		if got := NewString(tt.text); got.Text() != tt.want || got.LoneSurrogate() {
			t.Errorf("NewString(%q) = %q, want %q", tt.text, got.Text(), tt.want)
		}
	}
}
