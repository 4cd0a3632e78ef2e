package web_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/web"
)

// S62: what two servers could read differently is refused.
func TestAmbiguous(t *testing.T) {
	for target, want := range map[string]bool{
		"/": false, "/api/v1/resource": false, "/api/v1/": false, "/a.b/c..d/...": false, "/a%20b": false, "/caf%C3%A9": false,
		"/a%41": false, "/~a/b-c_d": false, "/a?b=../c//d;e%2f": false, "/a%25b": false, "http://a.example/b": false,
		"/a%2fb": true, "/a%2Fb": true, "/a%5cb": true, "/a%5Cb": true, "/a%2e": true, "/%2e%2e/a": true, "/%2E/a": true, "/.%2e/a": true,
		"/a/./b": true, "/a/../b": true, "/..": true, "/a/.": true, "//a": true, "/a//b": true, "/a//": true, `/a\b`: true,
		"/a;b": true, "/a/..;/b": true, "/a%00": true, "/a%0a": true, "/a%7f": true, "/a%ff": true, "/%C0%AE%C0%AE/": true, "/a#b": true, "*": true,
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("OPTIONS " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")))
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		if got := web.Ambiguous(r); got != want {
			t.Errorf("Ambiguous(%s) = %v, want %v", target, got, want)
		}
	}
}

// S64: identity is what we say, however a client spells its own.
func TestIdentityHeaders(t *testing.T) {
	header := http.Header{}
	hostile := []string{
		"X-Auth-Request-User", "x-auth-request-user", "X_Auth_Request_User", "X-Auth_Request-User", "X-AUTH-REQUEST-GROUPS", "X-Auth-Request-Email",
		"X-Auth-Request-Access-Token", "Remote-User", "remote_user", "Remote-Groups", "REMOTE-EMAIL", "Remote-Name", "X-Remote-User",
		"X-Forwarded-For", "X-Forwarded-User", "X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Real-Ip", "x_real_ip",
	}
	for _, name := range hostile {
		header[name] = []string{"root", "admin"}
	}
	for _, name := range []string{"Authorization", "Content-Type", "X-Api-Version", "User-Agent", "Cookie"} {
		header[name] = []string{"kept"}
	}
	web.RemoveIdentity(header)
	if len(header) != 5 {
		t.Errorf("left over: %v, want five that are no one's identity", header)
	}
	if err := web.SetIdentity(header, core.Account{ID: "u1", Email: "ada@example.com", Roles: []string{"user", "admin"}}); err != nil {
		t.Fatal(err)
	}
	if header.Get("X-Auth-Request-User") != "u1" || header.Get("X-Auth-Request-Email") != "ada@example.com" || header.Get("X-Auth-Request-Groups") != "user,admin" {
		t.Errorf("headers %v", header)
	}
}

func TestSetIdentityIsHeaderSafe(t *testing.T) {
	for _, tt := range []struct {
		name    string
		account core.Account
		email   string
		groups  string
		refused bool
	}{
		{"nothing but an id", core.Account{ID: "u1"}, "", "", false},
		{"a role that would be two", core.Account{ID: "u1", Roles: []string{"user,admin"}}, "", "", false},
		{"odd roles among good ones", core.Account{ID: "u1", Roles: []string{"a", "b\r\nX: y", "", " c", "d\x00", "e\xff", "f g"}}, "", "a,f g", false},
		{"letters of other tongues", core.Account{ID: "u1", Email: "jörg@example.com", Roles: []string{"prüfer"}}, "jörg@example.com", "prüfer", false},
		{"an address that breaks lines", core.Account{ID: "u1", Email: "a@b\r\nX-Auth-Request-User: root"}, "", "", false},
		{"no id", core.Account{}, "", "", true},
		{"an id that breaks lines", core.Account{ID: "a\nb"}, "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			err := web.SetIdentity(header, tt.account)
			if (err != nil) != tt.refused {
				t.Fatalf("SetIdentity() = %v, want an error: %v", err, tt.refused)
			}
			if tt.refused {
				return
			}
			for name, want := range map[string]string{"X-Auth-Request-Email": tt.email, "X-Auth-Request-Groups": tt.groups} {
				if got, there := header[name]; !there || len(got) != 1 || got[0] != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}
