package login_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestOrigins lets a script of the origin that is named call the contract, and keeps
// others out, in what a browser asks and in what it sends.
func TestOrigins(t *testing.T) {
	w := open(t, "kyc")
	m := mount(w)
	m.Origins = []string{"https://app.example"}
	s := serve(t, m)
	const form = "username=nobody&password=wrong"

	preflight := func(origin, method, headers string) reply {
		t.Helper()
		return s.ask(t, http.MethodOptions, "/auth/jwt/login", "", "Origin: "+origin,
			"Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: "+headers)
	}
	for _, tt := range []struct {
		name, origin, method, headers string
		allowed                       bool
	}{
		{"the origin that is named", "https://app.example", "POST", "authorization,content-type", true},
		{"another host", "https://app.example.evil.example", "POST", "content-type", false},
		{"another scheme", "http://app.example", "POST", "content-type", false},
		{"another port", "https://app.example:8443", "POST", "content-type", false},
		{"no origin", "null", "POST", "content-type", false},
		{"a method that no API has", "https://app.example", "TRACE", "content-type", false},
		{"a header that the contract does not read", "https://app.example", "POST", "x-forwarded-for", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := preflight(tt.origin, tt.method, tt.headers)
			if got.status != http.StatusNoContent || got.body != "" {
				t.Errorf("status %d, body %q, want 204 and none", got.status, got.body)
			}
			if allowed := got.header.Get("Access-Control-Allow-Origin") == tt.origin; allowed != tt.allowed {
				t.Errorf("headers %v: allowed is %t, want %t", got.header, allowed, tt.allowed)
			}
			if got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies are let in, though the contract has none")
			}
		})
	}
	named := s.ask(t, http.MethodPost, "/auth/jwt/login", form, formType, "Origin: https://app.example")
	if named.status != http.StatusBadRequest || named.body != `{"detail":"LOGIN_BAD_CREDENTIALS"}` || named.header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
		!strings.Contains(named.header.Get("Access-Control-Expose-Headers"), "Retry-After") || named.header.Get("Vary") != "Origin" {
		t.Errorf("a call from the origin: %d %s %v", named.status, named.body, named.header)
	}
	if other := s.ask(t, http.MethodPost, "/auth/jwt/login", form, formType, "Origin: https://evil.example"); other.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a call from elsewhere: %v", other.header)
	}
	if plain := s.ask(t, http.MethodOptions, "/auth/jwt/login", ""); plain.status != http.StatusMethodNotAllowed {
		t.Errorf("OPTIONS that is no preflight: %d, want the contract's 405", plain.status)
	}
}

// TestNoOrigins says nothing to browsers where no origin is named.
func TestNoOrigins(t *testing.T) {
	s := serve(t, mount(open(t, "kyc")))
	got := s.ask(t, http.MethodOptions, "/auth/jwt/login", "", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	if got.status != http.StatusMethodNotAllowed || got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("Vary") != "" {
		t.Errorf("%d %v, want the contract's 405 and not a word", got.status, got.header)
	}
}
