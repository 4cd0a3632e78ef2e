package dialect

import (
	"slices"
	"strings"
	"testing"
)

// withExtend is minimal with two tokens and a route that extends.
func withExtend(do string) string {
	text := withToken("{format: opaque, lifetime: 15m, session: 30d, refresh: {lifetime: 14d}}\n  cookie: {format: opaque, lifetime: 1h, session: 12h}")
	return strings.Replace(text, "routes:\n", "routes:\n  - {on: {method: POST, path: /extend}, do: "+do+", ok: {text: \"${token.value}\"}}\n", 1)
}

// TestExtendOf: that a token with refresh can be extended is said, unless the file says
// so itself.
func TestExtendOf(t *testing.T) {
	for _, tt := range []struct {
		do   string
		of   []string
		warn bool
	}{
		{"extend", nil, true},
		{"{operation: extend, old: end}", nil, true},
		{"{operation: extend, of: cookie}", []string{"cookie"}, false},
		{"{operation: extend, of: [access, cookie]}", []string{"access", "cookie"}, false},
	} {
		d := loadText(t, withExtend(tt.do))
		c, _, err := serve(d, post("/extend", "", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Inputs().Of; !slices.Equal(got, tt.of) {
			t.Errorf("%s: Inputs().Of = %q, want %q", tt.do, got, tt.of)
		}
		warned := slices.ContainsFunc(d.Warnings(), func(w Fault) bool {
			return strings.Contains(w.Message, "extend takes the token access too") && w.Hint == "say whose it is, such as of: cookie"
		})
		if warned != tt.warn {
			t.Errorf("%s: warnings %v, want one of access: %v", tt.do, d.Warnings(), tt.warn)
		}
	}
}

// TestOfKeepsTokens: tokens that a route tells apart are kept, as their signatures may
// be alike.
func TestOfKeepsTokens(t *testing.T) {
	text := withToken("{algorithm: HS256, lifetime: 1h, " + jwtClaims + "}\n  other: {algorithm: HS256, lifetime: 1h, " + jwtClaims + "}")
	for do, kept := range map[string]bool{"whoami": false, "{operation: whoami, of: other}": true} {
		route := "routes:\n  - {on: {method: GET, path: /me}, do: " + do + ", ok: {empty: true}}\n"
		for name, p := range loadText(t, strings.Replace(text, "routes:\n", route, 1)).Terms().Policies {
			if p.Tracked != kept {
				t.Errorf("do: %s: token %s is kept: %v, want %v", do, name, p.Tracked, kept)
			}
		}
	}
}
