package contracttest

import (
	"strings"
	"testing"
)

// A route is one that A or B serves, with a request that succeeds or is refused
// for its content.
type route struct {
	contract contract
	name     string
	path     string
}

var routesAB = []route{
	{contractA, "A login", contractA.login},
	{contractA, "A token test", contractA.resource},
	{contractA, "A recovery", "/api/v1/password-recovery/nobody@people.example"},
	{contractA, "A reset", resetPath},
	{contractB, "B login", contractB.login},
}

var (
	notAllowed = expected{status: 405, body: `{"detail":"Method Not Allowed"}`, allow: "POST"}
	notFound   = expected{status: 404, body: `{"detail":"Not Found"}`}
)

// methodsAndPaths proves 1.6.
func methodsAndPaths(t *testing.T, w *world) {
	for _, r := range routesAB {
		t.Run(r.name, func(t *testing.T) {
			for _, method := range []string{"GET", "PUT", "DELETE", "OPTIONS", "PATCH"} {
				w.prove(t, r.contract, []row{{method, request{method: method, target: r.path}, notAllowed}})
			}
			sub(t, "HEAD", func(t *testing.T) { headLikeGet(t, w, r) })
			w.prove(t, r.contract, []row{
				{"method before anything else", post(r.path, "application/json", "\xff{").as("PUT").with("Authorization: Bearer x"), notAllowed},
				{"method with a query", request{method: "GET", target: r.path + "?a=b"}, notAllowed},
				{"another letter case", post(strings.ToUpper(r.path[:6])+r.path[6:], formType, "a=b"), notFound},
				{"two slashes before", post("/"+r.path, formType, "a=b"), notFound},
				{"two slashes inside", post("/"+strings.Replace(r.path[1:], "/", "//", 1), formType, "a=b"), notFound},
			})
			for _, method := range []string{"POST", "GET", "PUT", "DELETE", "OPTIONS"} {
				sub(t, "slash "+method, func(t *testing.T) { redirects(t, w, r, method) })
			}
		})
	}
	w.prove(t, contractA, []row{
		{"A unknown path", post("/api/v1/unknown", jsonType, "{}"), notFound},
		{"A unknown path by GET", request{method: "GET", target: "/"}, notFound},
		{"A below a route", post(contractA.login+"/more", formType, "a=b"), notFound},
		{"A above a route", post("/api/v1/login", formType, "a=b"), notFound},
	})
	w.prove(t, contractB, []row{
		{"B unknown path", post("/auth/jwt", jsonType, "{}"), notFound},
		{"B unknown path by GET", request{method: "GET", target: "/"}, notFound},
		{"B unknown path with a token", request{method: "GET", target: "/nothing"}.with("Authorization: Bearer x"), notFound},
	})
	sub(t, "a redirected sign-in arrives", func(t *testing.T) { redirectedSignIn(t, w) })
}

// headLikeGet compares HEAD with GET: the same header fields and no body.
func headLikeGet(t *testing.T, w *world, r route) {
	head := w.send(t, r.contract, request{method: "HEAD", target: r.path})
	get := w.send(t, r.contract, request{method: "GET", target: r.path})
	if head.body != "" {
		t.Errorf("body of HEAD = %q", head.body)
	}
	get.body = ""
	if got, want := head.String(), get.String(); got != want {
		t.Errorf("HEAD\n%s\nGET\n%s", got, want)
	}
}

// otherForm is path with its trailing slash taken away, or given.
func otherForm(path string) string {
	if cut, ok := strings.CutSuffix(path, "/"); ok {
		return cut
	}
	return path + "/"
}

// redirects proves that a path that differs by the trailing slash leads to the
// right one by 307, with the query kept.
func redirects(t *testing.T, w *world, r route, method string) {
	got := w.send(t, r.contract, request{method: method, target: otherForm(r.path) + "?a=b%20c&d"})
	if got.status != 307 || got.body != "" {
		t.Fatalf("got %s, want a 307 with an empty body", got)
	}
	want := r.path + "?a=b%20c&d"
	location, _ := got.get("Location")
	if location != want && location != "http://"+r.contract.host+want {
		t.Errorf("Location: %q, want %q", location, want)
	}
}

func redirectedSignIn(t *testing.T, w *world) {
	m := w.account(t, contractA)
	first := contractA.loginWith(m.identifier, m.secret)
	got := w.send(t, contractA, first.at(otherForm(first.target)))
	location, _ := got.get("Location")
	location = strings.TrimPrefix(location, "http://"+contractA.host)
	contractA.expect(t, w.send(t, contractA, first.at(location)), granted)
}

// bearerParsing proves 1.7 where A and B read the token.
func bearerParsing(t *testing.T, w *world) {
	aAndB(t, func(t *testing.T, c contract) {
		token := w.token(t, c, w.account(t, c))
		call := request{method: c.resourceBy, target: c.resource}
		taken := expected{status: 200, pattern: `\{.*\}`}
		none := expected{status: 401, body: `{"detail":"Unauthorized"}`}
		if c.name == "A" {
			none = expected{status: 401, body: `{"detail":"Not authenticated"}`, challenge: "Bearer"}
		}
		prove := func(name string, r request, want expected) {
			sub(t, name, func(t *testing.T) {
				got := w.send(t, c, r)
				if want.status == 200 {
					if got.status != 200 {
						t.Errorf("got %s, want 200", got)
					}
					return // B's is the upstream's own answer
				}
				c.expect(t, got, want)
			})
		}
		prove("Bearer", call.with("Authorization: Bearer "+token), taken)
		prove("bearer", call.with("Authorization: bearer "+token), taken)
		prove("BEARER", call.with("Authorization: BEARER "+token), taken)
		prove("name of the field in any case", call.with("aUTHORIZATION: Bearer "+token), taken)
		prove("blanks around the token", call.with("Authorization: Bearer   "+token+"  "), taken)
		prove("no field", call, none)
		prove("empty field", call.with("Authorization: "), none)
		prove("another scheme", call.with("Authorization: Basic "+token), none)
		prove("a longer scheme", call.with("Authorization: Bearers "+token), none)
		prove("no blank", call.with("Authorization: Bearer"+token), none)
		prove("the token alone", call.with("Authorization: "+token), none)
		prove("nothing behind Bearer", call.with("Authorization: Bearer"), c.invalid())
		prove("blanks behind Bearer", call.with("Authorization: Bearer  "), c.invalid())
		prove("two tokens", call.with("Authorization: Bearer "+token+" "+token), c.invalid())
		prove("a token in quotes", call.with(`Authorization: Bearer "`+token+`"`), c.invalid())
		prove("in the query", call.at(c.resource+"?access_token="+token+"&token="+token), none)
		inBody := post(c.resource, formType, "access_token="+token).as(c.resourceBy)
		prove("in the body", inBody, none)
		prove("in a cookie", call.with("Cookie: access_token="+token+"; Authorization=Bearer "+token), none)
	})
}

// corsOff proves 1.8: off by default.
func corsOff(t *testing.T, w *world) {
	preflight := []string{"Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"}
	w.prove(t, contractA, []row{
		{"preflight", request{method: "OPTIONS", target: contractA.login}.with(preflight...), notAllowed},
		{"request with an origin", contractA.loginWith("nobody@people.example", "x").with("Origin: https://app.example"), contractA.refused()},
	})
	w.prove(t, contractB, []row{
		{"B preflight", request{method: "OPTIONS", target: contractB.login}.with(preflight...), notAllowed},
	})
}
