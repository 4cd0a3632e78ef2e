package login_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/internal/web/login"
)

func TestCheckCollisions(t *testing.T) {
	a, b, d := open(t, "instant-classification"), open(t, "kyc"), open(t, "pagfast")
	protect := func(paths ...string) (all []login.Protected) {
		for _, path := range paths {
			all = append(all, login.Protected{Path: path, Handler: http.NotFoundHandler()})
		}
		return all
	}
	for _, tt := range []struct {
		name   string
		mounts []login.Mount
		want   []string // a part of each line
	}{
		{"all side by side", []login.Mount{mount(a), mount(b), mount(d)}, nil},
		{"the same twice", []login.Mount{mount(b), mount(d), mount(b)}, []string{"serve[2]: dialect kyc and serve[0], dialect kyc, both answer POST /auth/jwt/login: give one of them a prefix or a host"}},
		{"prefixes part them", []login.Mount{mount(b), {Prefix: "/two", Dialect: b.Dialect, Authority: b.Authority}}, nil},
		{"hosts part them", []login.Mount{mount(b), {Host: "b.example", Dialect: b.Dialect, Authority: b.Authority}}, nil},
		{"hosts in another case do not", []login.Mount{
			{Host: "B.example", Dialect: b.Dialect, Authority: b.Authority}, {Host: "b.EXAMPLE", Dialect: b.Dialect, Authority: b.Authority},
		}, []string{"serve[1]"}},
		{"each route is told", []login.Mount{mount(a), mount(a)}, []string{"access-token", "test-token", "POST /api/v1/password-recovery/{}", "reset-password"}},
		{"a protected path over routes", []login.Mount{{Dialect: a.Dialect, Authority: a.Authority, Protected: protect("/api/v1/", "/")}}, nil},
		{"a protected path that is a route", []login.Mount{mount(d), {Dialect: b.Dialect, Authority: b.Authority, Protected: protect("/x", "/login")}},
			[]string{"serve[1].protect[1].path: /login is a route of dialect pagfast (POST /login)"}},
		{"a protected path that fits a variable", []login.Mount{{Dialect: a.Dialect, Authority: a.Authority, Protected: protect("/api/v1/password-recovery/all")}}, []string{"password-recovery/{}"}},
		{"protected twice", []login.Mount{
			{Dialect: d.Dialect, Authority: d.Authority, Protected: protect("/x")}, {Dialect: b.Dialect, Authority: b.Authority, Protected: protect("/y", "/x", "/y")},
		}, []string{"serve[1].protect[1].path: /x is protected already by serve[0].protect[0]", "serve[1].protect[2].path: /y is protected already by serve[1].protect[0]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var lines []string
			if err := login.CheckCollisions(tt.mounts); err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("got %q, want %q", lines, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d: %q, want it to say %q", i, lines[i], want)
				}
			}
		})
	}
}
