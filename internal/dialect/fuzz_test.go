package dialect

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/dialects"
)

// FuzzLoad: any bytes are a dialect or faults, each at a place inside the file, and
// soon.
func FuzzLoad(f *testing.F) {
	for _, name := range all {
		source, err := dialects.Files.ReadFile(name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	bad, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range bad {
		source, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte(filled(nil)))
	f.Fuzz(func(t *testing.T, source []byte) {
		start := time.Now()
		d, err := Load("fuzz.yaml", source, testOptions())
		if spent := time.Since(start); spent > time.Second {
			t.Errorf("Load() took %v", spent)
		}
		if err == nil {
			if d.Name() == "" || d.Match(post("/", "", "")) == nil {
				t.Error("Load() gave an empty dialect")
			}
			d.Match(post("/", "", "")).Refuse(recorder(), errors.New("x"))
			return
		}
		faults, ok := errors.AsType[Faults](err)
		if !ok || d != nil || len(faults) == 0 {
			t.Fatalf("Load() = %v, %v", d, err)
		}
		lines := strings.Split(string(source), "\n")
		for _, fault := range faults {
			if fault.Line < 1 || fault.Line > len(lines) || fault.Column < 1 || fault.Column > utf8.RuneCountInString(lines[fault.Line-1])+1 || fault.Message == "" {
				t.Errorf("fault outside the file: %v", fault)
			}
		}
	})
}

// FuzzDecode: in every dialect, any body of any type is a whole credential or an
// invalid request; never a failure of ours (S54), and no word of it repeats a
// secret unless the contract echoes (S76).
func FuzzDecode(f *testing.F) {
	var loaded []*Dialect
	for _, name := range all {
		loaded = append(loaded, load(f, name, nil))
	}
	for _, text := range []string{ruled, enveloped, traced, grouped} {
		loaded = append(loaded, loadText(f, text))
	}
	const canary = "cAnArY-5ecret"
	for _, text := range []string{
		`{"accessKey":"k","secret":"` + canary + `"}`, `{"email":"a@b.co","password":"` + canary + `"}`,
		`{"token":"` + canary + `","new_password":"` + canary + `"}`, "username=a&password=" + canary, `{"email":"` + canary + `"`,
		`<Envelope version="1"><Body><login><user>a</user><password>` + canary + `</password></login></Body></Envelope>`,
		`{"type":"other","minutes":5,"user":"a","password":"` + canary + `"}`, "grant_type=password&user=a&password=" + canary,
		`[1e400,"\ud800"]`, "null", "", "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\na\r\n--b--", "{\"a\":\xff}",
	} {
		for _, typ := range []string{jsonTyp, urlForm, "multipart/form-data; boundary=b", "text/plain", "", "application/x+json;charset=x", "text/xml"} {
			f.Add(text, typ)
		}
	}
	f.Fuzz(func(t *testing.T, text, typ string) {
		for _, d := range loaded {
			for _, rt := range d.served() {
				path, operation := strings.Replace(rt.path.text, "{email}", "a@b.co", 1), rt.operation.name
				r := httptest.NewRequest(rt.methods[0], path, strings.NewReader(text))
				r.Header["Content-Type"] = []string{typ}
				c, w, err := serve(d, r)
				if err == nil {
					in := c.Inputs()
					if operation == ResetPassword && slices.Contains(all, d.Name()) && utf8.RuneCountInString(in.NewSecret.Reveal()) < 8 {
						t.Errorf("%s %s: Inputs() = %+v", d.Name(), path, in)
					}
					if operation == Authenticate && slices.Contains(all[:3], d.Name()) && (in.Identifier == "" || in.Secret.Reveal() == "") {
						t.Errorf("%s %s: Inputs() = %+v", d.Name(), path, in)
					}
					continue
				}
				if !core.KindOf(err).IsA(core.InvalidRequest) || w.Code < 400 || w.Code > 499 {
					t.Errorf("%s %s: %d %v", d.Name(), path, w.Code, err)
				}
				if strings.Contains(err.Error(), canary) {
					t.Errorf("%s %s: the error tells a secret: %v", d.Name(), path, err)
				}
				if echoes := d.refuseUnknown || slices.ContainsFunc(d.Warnings(), func(w Fault) bool { return strings.Contains(w.Message, "repeats") }); !echoes && strings.Contains(w.Body.String(), canary) && !strings.Contains(typ, canary) {
					t.Errorf("%s %s: the reply tells a secret: %s", d.Name(), path, w.Body)
				}
			}
		}
	})
}
