package dialect

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func TestMatch(t *testing.T) {
	const recovery = "/api/v1/password-recovery/{email}"
	for _, tt := range []struct {
		dialect, method, target string
		route, redirect, allow  string
		kind                    core.Kind
	}{
		{all[0], "POST", "/api/v1/login/access-token", "/api/v1/login/access-token", "", "", ""},
		{all[0], "POST", "/api/v1/login/access-token/?a=b%20c", "/api/v1/login/access-token", "/api/v1/login/access-token?a=b%20c", "", ""},
		{all[0], "GET", "/api/v1/login/access-token/", "unknown", "/api/v1/login/access-token", "POST", core.MethodNotAllowed},
		{all[0], "POST", "/api/v1/reset-password", "/api/v1/reset-password/", "/api/v1/reset-password/", "", ""},
		{all[0], "GET", "/api/v1/login/access-token", "unknown", "", "POST", core.MethodNotAllowed},
		{all[0], "OPTIONS", "/api/v1/login/access-token", "unknown", "", "POST", core.MethodNotAllowed},
		{all[0], "POST", "/API/v1/login/access-token", "unknown", "", "", core.NotFound},
		{all[0], "POST", "//api/v1/login/access-token", "unknown", "", "", core.NotFound},
		{all[0], "POST", "/api/v1/login//access-token", "unknown", "", "", core.NotFound},
		{all[0], "POST", "/api/v1/login/access%2Dtoken", "unknown", "", "", core.NotFound},
		{all[0], "POST", "/api/v1/login/../login/access-token", "unknown", "", "", core.NotFound},
		{all[0], "POST", "/api/v1/password-recovery/a@b.co", recovery, "", "", ""},
		{all[0], "POST", "/api/v1/password-recovery/a@b.co/", recovery, "/api/v1/password-recovery/a@b.co", "", ""},
		{all[0], "POST", "/api/v1/password-recovery/", "unknown", "", "", core.NotFound},
		{all[0], "POST", "/api/v1/password-recovery//", "unknown", "", "", core.NotFound},
		{all[0], "POST", "/api/v1/password-recovery/a%2Fb", "unknown", "", "", core.NotFound},
		{all[0], "GET", "/api/v1/password-recovery/a", "unknown", "", "POST", core.MethodNotAllowed},
		{all[2], "POST", "/v4/auth/", "unknown", "", "", core.NotFound},
		{all[3], "POST", "/login/", "/login", "", "", ""},
		{all[3], "PUT", "/login", "unknown", "", "POST", core.MethodNotAllowed},
		{all[3], "POST", "/", "unknown", "", "", core.NotFound},
	} {
		r := httptest.NewRequest(tt.method, "http://host.example"+tt.target, nil)
		c := load(t, tt.dialect, nil).Match(r)
		if c.Route() != tt.route || c.Redirect() != tt.redirect || c.allow != tt.allow || core.KindOf(c.Err()) != tt.kind {
			t.Errorf("Match(%s %s) = route %q, redirect %q, allow %q, %v; want %q, %q, %q, %q",
				tt.method, tt.target, c.Route(), c.Redirect(), c.allow, c.Err(), tt.route, tt.redirect, tt.allow, tt.kind)
		}
	}
}

func TestPaths(t *testing.T) {
	got := load(t, all[0], nil).Paths()
	want := []string{"POST /api/v1/login/access-token", "POST /api/v1/login/test-token", "POST /api/v1/password-recovery/{}", "POST /api/v1/reset-password/"}
	if !slices.Equal(got, want) {
		t.Errorf("Paths() = %q, want %q", got, want)
	}
}

func TestBearer(t *testing.T) {
	own := `dialect: carriers
carriers:
  - {in: header, name: Authorization, scheme: token}
  - {in: header, name: Authorization, scheme: Bearer}
  - {in: header, name: X-Session}
  - {in: cookie, name: session}
  - {in: query, name: access_token}
` + strings.TrimPrefix(filled(nil), "dialect: minimal\n")
	d := loadText(t, own)
	if !slices.ContainsFunc(d.Warnings(), func(f Fault) bool { return strings.Contains(f.Message, "query") }) {
		t.Error("no warning of a token in the query")
	}
	for _, tt := range []struct {
		name    string
		headers []string
		query   string
		token   string
		kind    core.Kind
	}{
		{"nothing", nil, "", "", core.TokenMissing},
		{"bearer", []string{"Authorization: Bearer t"}, "", "t", ""},
		{"any letter case", []string{"Authorization: bEARER t"}, "", "t", ""},
		{"blanks around", []string{"Authorization:   Bearer   t  "}, "", "t", ""},
		{"another scheme of the list", []string{"Authorization: token t"}, "", "t", ""},
		{"another scheme", []string{"Authorization: Basic Og=="}, "", "", core.TokenMissing},
		{"an empty header", []string{"Authorization: "}, "", "", core.TokenMissing},
		{"nothing behind it", []string{"Authorization: Bearer"}, "", "", core.TokenInvalid},
		{"blanks behind it", []string{"Authorization: Bearer   "}, "", "", core.TokenInvalid},
		{"twice", []string{"Authorization: Bearer a", "Authorization: Bearer b"}, "", "", core.TokenInvalid},
		{"the bare token", []string{"X-Session: t"}, "", "t", ""},
		{"a cookie", []string{"Cookie: a=b; session=t"}, "", "t", ""},
		{"two cookies", []string{"Cookie: session=t; session=u"}, "", "", core.TokenInvalid},
		{"the query", nil, "access_token=t", "t", ""},
		{"the order of the list", []string{"Authorization: Bearer t", "X-Session: u"}, "access_token=v", "t", ""},
	} {
		r := httptest.NewRequest("GET", "/x?"+tt.query, nil)
		for _, line := range tt.headers {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
		token, err := d.Bearer(r)
		if token.Reveal() != tt.token || core.KindOf(err) != tt.kind {
			t.Errorf("%s: Bearer() = %q, %v; want %q, %q", tt.name, token.Reveal(), err, tt.token, tt.kind)
		}
	}
}

// TestRefuse: section 6.6 of the contracts and the headers of each refusal, for every kind.
func TestRefuse(t *testing.T) {
	for _, tt := range []struct {
		dialect string
		kind    core.Kind
		status  int
		body    string
	}{
		{all[0], core.RateLimited, 429, `{"detail":"Too Many Requests"}`},
		{all[0], core.Unavailable, 503, `{"detail":"Service Unavailable"}`},
		{all[0], core.Internal, 500, `{"detail":"Internal Server Error"}`},
		{all[0], core.Conflict, 500, `{"detail":"Internal Server Error"}`},
		{all[0], core.TokenExpired, 401, `{"detail":"Could not validate credentials"}`},
		{all[0], core.AccountInactive, 400, `{"detail":"Inactive user"}`},
		{all[0], core.TicketUsed, 400, `{"detail":"Invalid token"}`},
		{all[0], core.TicketInactive, 400, `{"detail":"Inactive user"}`},
		{all[1], core.RateLimited, 429, `{"detail":"Too Many Requests"}`},
		{all[1], core.TooLarge, 413, `{"detail":"Content Too Large"}`},
		{all[1], core.Locked, 400, `{"detail":"LOGIN_BAD_CREDENTIALS"}`},
		{all[2], core.RateLimited, 429, `{"error":"Too Many Requests","message":"Too many attempts, try again later","code":429}`},
		{all[2], core.Unavailable, 503, `{"error":"Service Unavailable","message":"Try again later","code":503}`},
		{all[2], core.Internal, 500, `{"error":"Internal Server Error","message":"An unexpected error occurred","code":500}`},
		{all[2], core.TokenMissing, 401, `{"error":"Unauthorized","message":"Authentication required. Please provide a valid API token","code":401}`},
		{all[2], core.TooLarge, 413, `{"error":"Content Too Large","message":"The request body is too large","code":413}`},
		{all[3], core.RateLimited, 429, `{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"TooManyRequestsError","code":"TooManyRequestsError","details":{"reason":"RateLimitExceeded"}}}`},
		{all[3], core.Unavailable, 503, `{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"ServiceUnavailableError","code":"ServiceUnavailableError","details":{"reason":"Unavailable"}}}`},
		{all[3], core.Internal, 500, `{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"InternalServerError","code":"InternalServerError","details":{"reason":"Unexpected"}}}`},
		{all[3], core.TokenForeign, 401, `{"statusCode":"Error","error":{"name":"AuthenticationError","message":"The authorization token is invalid","details":{"reason":"AuthenticationTokenInvalid"}}}`},
		{all[3], core.KeyPending, 401, `{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"AuthenticationError","code":"AuthenticationError","details":{"reason":"AccessKeyUnauthorized"}}}`},
	} {
		d := load(t, tt.dialect, nil)
		w := recorder()
		d.Match(post("/nowhere", "", "")).Refuse(w, &core.Error{Kind: tt.kind, RetryAfter: 1500 * time.Millisecond})
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("%s: Refuse(%s)\ngot  %d %s\nwant %d %s", tt.dialect, tt.kind, w.Code, w.Body, tt.status, tt.body)
		}
		wantAfter := map[int]string{429: "2", 503: "2"}[tt.status]
		if got := w.Header().Get("Retry-After"); got != wantAfter {
			t.Errorf("%s: Refuse(%s): Retry-After = %q, want %q", tt.dialect, tt.kind, got, wantAfter)
		}
	}
}

// TestRefuseEverything: no dialect is without words for any kind, and every reply
// has its type, its length, no-store and nosniff (S57, S83).
func TestRefuseEverything(t *testing.T) {
	for _, name := range all {
		d := load(t, name, nil)
		for _, kind := range append(core.Kinds(), core.Conflict, "nonsense") {
			for _, err := range []error{&core.Error{Kind: kind}, errors.New("plain")} {
				w := recorder()
				d.Protected(post("/x", "", "")).Refuse(w, err)
				h := w.Header()
				if w.Code < 400 || w.Body.Len() == 0 || h.Get("Content-Type") == "" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: Refuse(%v) = %d %q %v", name, err, w.Code, w.Body, h)
				}
				if core.KindOf(err) == core.Internal && w.Code != 500 {
					t.Errorf("%s: Refuse(%v) = %d, want 500", name, err, w.Code)
				}
			}
		}
	}
}

func TestProtected(t *testing.T) {
	d := load(t, "kyc", nil)
	for _, tt := range []struct {
		kind   core.Kind
		status int
		body   string
	}{
		{core.TokenMissing, 401, `{"detail":"Unauthorized"}`},
		{core.TokenForeign, 401, `{"detail":"Unauthorized"}`},
		{core.AccountInactive, 401, `{"detail":"Unauthorized"}`},
		{core.AccountUnverified, 403, `{"detail":"Forbidden"}`},
		{core.Unavailable, 503, `{"detail":"Service Unavailable"}`},
	} {
		w := recorder()
		d.Protected(post("/api/v1/resource", "", "")).Refuse(w, &core.Error{Kind: tt.kind})
		if w.Code != tt.status || w.Body.String() != tt.body || w.Header()["Www-Authenticate"] != nil {
			t.Errorf("Refuse(%s) = %d %s %v", tt.kind, w.Code, w.Body, w.Header())
		}
	}
}

// TestProtectedFirst: what a file declares for protected resources goes before all
// that it declares for its own routes.
func TestProtectedFirst(t *testing.T) {
	d := loadText(t, strings.Replace(filled(nil), "errors:\n", "protected: {errors: {unauthorized: {status: 401, text: behind}}}\nerrors:\n  token_missing: {status: 401, text: own}\n", 1))
	for call, want := range map[*Call]string{d.Match(post("/x", "", "")): "own", d.Protected(post("/x", "", "")): "behind"} {
		w := recorder()
		call.Refuse(w, &core.Error{Kind: core.TokenMissing})
		if w.Body.String() != want {
			t.Errorf("Refuse(token_missing) = %q, want %q", w.Body, want)
		}
	}
}

func TestHead(t *testing.T) {
	server := httptest.NewServer(desk{load(t, all[0], nil), testTime})
	defer server.Close()
	reply, err := http.Head(server.URL + "/api/v1/login/access-token")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != 405 || reply.ContentLength != int64(len(`{"detail":"Method Not Allowed"}`)) || reply.Header.Get("Allow") != "POST" || reply.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD = %d, length %d, %v", reply.StatusCode, reply.ContentLength, reply.Header)
	}
}

// TestPasswordRefused: the policy's reason in the contract's words, with the password
// back to its sender alone.
func TestPasswordRefused(t *testing.T) {
	r := post("/api/v1/reset-password/", jsonTyp, `{"token":"t","new_password":"password"}`)
	c, w, err := serve(load(t, all[0], nil), r)
	if err != nil {
		t.Fatal(err)
	}
	c.Refuse(w, &core.Error{Kind: core.PasswordRefused, Reason: "the password is too common"})
	want := `{"detail":[{"type":"value_error","loc":["body","new_password"],"msg":"the password is too common","input":"password"}]}`
	if w.Code != 422 || w.Body.String() != want {
		t.Errorf("Refuse() = %d %s, want 422 %s", w.Code, w.Body, want)
	}
}
