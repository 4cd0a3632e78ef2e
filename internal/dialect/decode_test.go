package dialect

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

func post(path, mediaType, text string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(text))
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	return r
}

func recorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

const (
	urlForm = "application/x-www-form-urlencoded"
	jsonTyp = "application/json"
)

// refusal serves a request up to Decode and returns the reply.
func serve(d *Dialect, r *http.Request) (*Call, *httptest.ResponseRecorder, error) {
	c := d.Match(r)
	w := recorder()
	err := c.Err()
	if err == nil {
		err = c.Decode(r)
	}
	if err != nil {
		c.Refuse(w, err)
	}
	return c, w, err
}

// TestDecodeCredentials: what each contract takes, it takes as it was sent.
func TestDecodeCredentials(t *testing.T) {
	formA, formB := "/api/v1/login/access-token", "/auth/jwt/login"
	for _, tt := range []struct {
		name, dialect, path, typ, body string
		identifier, secret             string
	}{
		{"A form", all[0], formA, urlForm, "username=a%40b.co&password=p", "a@b.co", "p"},
		{"A media type by any case, parameters ignored", all[0], formA, "Application/X-WWW-Form-URLencoded; charset=latin-1", "username=%C3%A9&password=p", "é", "p"},
		{"A plus is a blank, a bad percent sign stays, a semicolon separates nothing", all[0], formA, urlForm, "username=a+b&password=%zz;x%2b", "a b", "%zz;x+"},
		{"A blanks are a value, nothing is trimmed or folded", all[0], formA, urlForm, "username= A &password=%20%20", " A ", "  "},
		{"A the last of repeated fields", all[0], formA, urlForm, "username=a&password=x&username=b&password=y", "b", "y"},
		{"A bytes that are not UTF-8", all[0], formA, urlForm, "username=a%FF&password=p", "a\uFFFD", "p"},
		{"A empty grant_type", all[0], formA, urlForm, "grant_type=&username=a&password=p", "a", "p"},
		{"A unknown and OAuth fields", all[0], formA, urlForm, "scope=x&client_id=y&client_secret=z&q=1&username=a&password=p", "a", "p"},
		{"A query is not read", all[0], formA + "?username=q&password=q", urlForm, "username=a&password=p", "a", "p"},
		{"A multipart", all[0], formA, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\np \r\n--b--\r\n", "a", "p "},
		{"A recovery: plus stays plus", all[0], "/api/v1/password-recovery/a+b%40c.de", jsonTyp, "{", "a+b@c.de", ""},
		{"B form", all[1], formB, urlForm, "grant_type=password&username=Login&password=p", "Login", "p"},
		{"C JSON with charset, unknown members, duplicates", all[2], "/v4/auth", jsonTyp + "; charset=utf-8", `{"x":[1],"email":"x","email":"a@b.co","password":" p "}`, "a@b.co", " p "},
		{"C byte order mark", all[2], "/v4/auth", jsonTyp, "\uFEFF" + `{"email":"a@b.co","password":"p"}`, "a@b.co", "p"},
		{"D", all[3], "/login", jsonTyp, `{"accessKey":"k","secret":"s"}`, "k", "s"},
		{"D empty strings are values", all[3], "/login", jsonTyp, `{"accessKey":"","secret":""}`, "", ""},
		{"D a slash and no media type", all[3], "/login/", "", `{"secret":"s","accessKey":"k"}`, "k", "s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, w, err := serve(load(t, tt.dialect, nil), post(tt.path, tt.typ, tt.body))
			if err != nil {
				t.Fatalf("Decode() = %v: %s", err, w.Body)
			}
			in := c.Inputs()
			if in.Identifier != tt.identifier || in.Secret.Reveal() != tt.secret {
				t.Errorf("Inputs() = %q, %q, want %q, %q", in.Identifier, in.Secret.Reveal(), tt.identifier, tt.secret)
			}
		})
	}
}

func TestInputs(t *testing.T) {
	c, _, err := serve(load(t, "pagfast", nil), post("/login", jsonTyp, `{"accessKey":"k","secret":"s"}`))
	in := c.Inputs()
	if err != nil || in.Policy != "access" || len(in.As) != 1 || in.As[0] != core.SubjectKey || c.Operation() != Authenticate || c.Route() != "/login" {
		t.Errorf("Inputs() = %+v of %q %q, %v", in, c.Operation(), c.Route(), err)
	}
	c, _, err = serve(load(t, all[0], nil), post("/api/v1/reset-password/", jsonTyp, `{"token":"t","new_password":"12345678"}`))
	in = c.Inputs()
	if err != nil || in.Ticket.Reveal() != "t" || in.NewSecret.Reveal() != "12345678" || c.Operation() != ResetPassword {
		t.Errorf("Inputs() = %+v, %v", in, err)
	}
}

// TestDecodeRefusals: rows of the contracts that the files' examples leave out.
func TestDecodeRefusals(t *testing.T) {
	const (
		reset   = "/api/v1/reset-password/"
		login   = "/api/v1/login/access-token"
		missing = `{"detail":[{"type":"missing","loc":["body","username"],"msg":"Field required","input":null},{"type":"missing","loc":["body","password"],"msg":"Field required","input":null}]}`
		bad     = `{"error":"Bad Request","message":"The request contains invalid parameters or malformed data","code":400`
		report  = `{"statusCode":"Error","error":{"name":"InvalidRequestFormatError","message":"The request body is invalid. See error object ` + "`details`" + ` property for more info","details":[`
	)
	over := strings.Repeat("x", 16<<10+1)
	for _, tt := range []struct {
		name, dialect, path, typ, body string
		status                         int
		kind                           core.Kind
		want                           string
	}{
		{"A no media type means no fields", all[0], login, "", "username=a&password=p", 422, core.MissingField, missing},
		{"A text/plain means no fields", all[0], login, "text/plain", "username=a&password=p", 422, core.MissingField, missing},
		{"A fields of the query are not read", all[0], login + "?username=a&password=p", urlForm, "", 422, core.MissingField, missing},
		{"A empty field is missing", all[0], login, urlForm, "username=a&password=", 422, core.MissingField, `{"detail":[{"type":"missing","loc":["body","password"],"msg":"Field required","input":null}]}`},
		{"A many fields", all[0], login, urlForm, strings.Repeat("a=1&", 1001), 400, core.TooManyFields, `{"detail":"Too many fields. Maximum number of fields is 1000."}`},
		{"A large field", all[0], login, urlForm, "username=a&password=" + over, 400, core.FieldTooLarge, `{"detail":"Field exceeded maximum size of 16KB."}`},
		{"A large body", all[0], login, urlForm, strings.Repeat("x", 64<<10+1), 413, core.TooLarge, `{"detail":"Content Too Large"}`},
		{"A multipart that breaks off", all[0], login, "multipart/form-data; boundary=b", "--b\r\nContent-Disp", 400, core.MalformedBody, `{"detail":"There was an error parsing the body"}`},
		{"A reset: long password in code points", all[0], reset, jsonTyp, `{"token":"t","new_password":"` + strings.Repeat("é", 129) + `"}`, 422, core.InvalidField, `{"detail":[{"type":"string_too_long","loc":["body","new_password"],"msg":"String should have at most 128 characters","input":"` + strings.Repeat("é", 129) + `","ctx":{"max_length":128}}]}`},
		{"A reset: both wrong, in order of declaration", all[0], reset, jsonTyp, `{"new_password":"é"}`, 422, core.MissingField, `{"detail":[{"type":"missing","loc":["body","token"],"msg":"Field required","input":{"new_password":"é"}},{"type":"string_too_short","loc":["body","new_password"],"msg":"String should have at least 8 characters","input":"é","ctx":{"min_length":8}}]}`},
		{"A reset: not UTF-8", all[0], reset, jsonTyp, "{\"token\":\"\xff\"}", 400, core.BadEncoding, `{"detail":"There was an error parsing the body"}`},
		{"A reset: null", all[0], reset, "application/problem+json", "null", 422, core.BodyMissing, `{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}`},
		{"A reset: lone surrogate", all[0], reset, jsonTyp, `{"token":"\ud800","new_password":"12345678"}`, 422, core.InvalidField, `{"detail":[{"type":"string_type","loc":["body","token"],"msg":"Input should be a valid string","input":"\ud800"}]}`},
		{"A reset: raw text as the value", all[0], reset, "text/plain", `"x"`, 422, core.BodyType, `{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"\"x\""}]}`},
		{"C deep nesting", all[2], "/v4/auth", jsonTyp, strings.Repeat("[", 40) + strings.Repeat("]", 40), 400, core.MalformedBody, bad + "}"},
		{"C large body", all[2], "/v4/auth", jsonTyp, strings.Repeat(" ", 64<<10+1), 413, core.TooLarge, `{"error":"Content Too Large","message":"The request body is too large","code":413}`},
		{"C NaN", all[2], "/v4/auth", jsonTyp, `{"email":NaN}`, 400, core.MalformedBody, bad + "}"},
		{"C member names by letter case", all[2], "/v4/auth", jsonTyp, `{"Email":"a@b.co","password":"p"}`, 400, core.MissingField, bad + `,"details":[{"field":"email","message":"Email is required"}]}`},
		{"C address with a name", all[2], "/v4/auth", jsonTyp, `{"email":"A <a@b.co>","password":"p"}`, 400, core.InvalidField, bad + `,"details":[{"field":"email","message":"Invalid email format"}]}`},
		{"D required before type", all[3], "/login", jsonTyp, `{"accessKey":true}`, 400, core.MissingField, report + `{"path":"","code":"required","message":"must have required property 'secret'","info":{"missingProperty":"secret"}},{"path":"/accessKey","code":"type","message":"must be string","info":{"type":"string"}}]}}`},
		{"D text", all[3], "/login", "text/plain; charset=utf-8", `{}`, 415, core.WrongContentType, `{"statusCode":"Error","error":{"name":"UnsupportedMediaTypeError","message":"Content-type text/plain does not match [application/json]."}}`},
		{"D lone surrogate", all[3], "/login", jsonTyp, `{"accessKey":"k","secret":"\udfff"}`, 400, core.InvalidField, report + `{"path":"/secret","code":"type","message":"must be string","info":{"type":"string"}}]}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, w, err := serve(load(t, tt.dialect, nil), post(tt.path, tt.typ, tt.body))
			if got := core.KindOf(err); got != tt.kind {
				t.Errorf("kind = %q, want %q (%v)", got, tt.kind, err)
			}
			if w.Code != tt.status || w.Body.String() != tt.want {
				t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			if got, want := w.Header().Get("Content-Length"), fmt.Sprint(w.Body.Len()); got != want {
				t.Errorf("Content-Length = %s, want %s", got, want)
			}
		})
	}
}

// TestDecodeChunked: a body without a length is bounded all the same (S50).
func TestDecodeChunked(t *testing.T) {
	r := post("/v4/auth", jsonTyp, strings.Repeat(" ", 1<<20))
	r.ContentLength = -1
	if _, w, err := serve(load(t, "datafiniti", nil), r); core.KindOf(err) != core.TooLarge || w.Code != 413 {
		t.Errorf("Decode() = %v, status %d", err, w.Code)
	}
}

// TestTightened: the same reporter speaks of rules that an operator adds to D.
func TestTightened(t *testing.T) {
	source := fileText(t, "pagfast")
	for old, tight := range map[string]string{
		"unknown_inputs: ignore":                             "unknown_inputs: refuse",
		"secret: {from: body.secret, required: true}":        "secret: {from: body.secret, required: true, min: 1}",
		"identifier: {from: body.accessKey, required: true}": "identifier: {from: body.accessKey, required: true, one_of: [k1, k2]}",
	} {
		if !strings.Contains(source, old) {
			t.Fatalf("pagfast.yaml lacks %q", old)
		}
		source = strings.Replace(source, old, tight, 1)
	}
	d := loadText(t, source)
	_, w, err := serve(d, post("/login", jsonTyp, `{"x":1,"secret":"","accessKey":"k3"}`))
	want := `"details":[{"path":"","code":"additionalProperties","message":"must NOT have additional properties","info":{"additionalProperty":"x"}},` +
		`{"path":"/accessKey","code":"enum","message":"must be equal to one of the allowed values","info":{"allowedValues":["k1","k2"]}},` +
		`{"path":"/secret","code":"minLength","message":"must NOT have fewer than 1 characters","info":{"limit":1}}]}}`
	if !strings.HasSuffix(w.Body.String(), want) || core.KindOf(err) != core.InvalidField {
		t.Errorf("Decode() = %v\ngot  %s\nwant …%s", err, w.Body, want)
	}
}
