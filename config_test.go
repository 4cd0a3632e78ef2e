package chancery

import (
	"strings"
	"testing"
)

func TestMailPortDefault(t *testing.T) {
	for _, tt := range []struct {
		tls         string
		given, want int
	}{
		{"", 0, 587},
		{"starttls", 0, 587},
		{"none", 0, 587},
		{"tls", 0, 465},
		{"tls", 2465, 2465},
		{"starttls", 465, 465},
	} {
		c := Config{Mail: MailConfig{TLS: tt.tls, Port: tt.given}}.WithDefaults()
		if got := c.Mail.Port; got != tt.want {
			t.Errorf("tls %q, port %d: port = %d, want %d", tt.tls, tt.given, got, tt.want)
		}
	}
}

// Recovery mails and forward-auth know a mount by its realm and dialect alone.
func TestValidateRefusesADialectTwiceInARealm(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve []Mount
		want  string
	}{
		{"the same realm", []Mount{{Dialect: "kyc", Realm: "a"}, {Dialect: "kyc", Realm: "a", Prefix: "/b"}},
			"serve[1].realm: dialect kyc is served for realm a already, by serve[0]: name another realm, or leave one of them out"},
		{"by default", []Mount{{Dialect: "pagfast"}, {Dialect: "kyc"}, {Dialect: "kyc", Realm: "kyc", Host: "b.example"}},
			"serve[2].realm: dialect kyc is served for realm kyc already, by serve[1]: name another realm, or leave one of them out"},
		{"another realm", []Mount{{Dialect: "kyc", Realm: "a"}, {Dialect: "kyc", Realm: "b", Prefix: "/b"}}, ""},
		{"another dialect", []Mount{{Dialect: "kyc", Realm: "a"}, {Dialect: "pagfast", Realm: "a"}}, ""},
		{"no dialect", []Mount{{Realm: "a"}, {Realm: "a"}}, "serve[1].dialect: name the dialect; `chancery dialect list` shows them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := (Config{Serve: tt.serve}.WithDefaults()).Validate(); err != nil {
				faults := strings.Split(err.Error(), "\n")
				got = faults[len(faults)-1]
			}
			if got != tt.want {
				t.Errorf("Validate() = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestIssuerIsHTTPS: tokens and metadata name the issuer, so it must be one that
// nobody on the way can be (S89). This machine alone may do without TLS.
func TestIssuerIsHTTPS(t *testing.T) {
	for issuer, good := range map[string]bool{
		"https://login.example.com": true, "https://login.example.com/sub/": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost": true,
		"http://login.example.com": false, "http://127.0.0.1.example.com": false, "http://localhost.example.com": false, "login.example.com": false,
		"https://user@login.example.com": false, "https://login.example.com?a=b": false, "https://login.example.com#a": false, "ftp://login.example.com": false,
	} {
		config := Config{Issuer: issuer, Serve: []Mount{{Dialect: "pagfast"}}}.WithDefaults()
		err := config.Validate()
		if said := err != nil && strings.Contains(err.Error(), "issuer: "); said == good {
			t.Errorf("issuer %q: %v, want it refused: %v", issuer, err, !good)
		}
	}
}

func TestValidateOrigins(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve []Mount
		want  string
	}{
		{"right", []Mount{{Dialect: "kyc", Origins: []string{"https://app.example.com", "https://app.example.com:8443", "http://localhost:3000"}}}, ""},
		{"a path", []Mount{{Dialect: "kyc", Origins: []string{"https://app.example.com/"}}},
			`serve[0].origins[0]: "https://app.example.com/" is no origin: give scheme, host in lower case and port alone, such as https://app.example.com`},
		{"any", []Mount{{Dialect: "kyc", Origins: []string{"*"}}}, `serve[0].origins[0]: "*" is not a URL such as https://login.example.com`},
		{"in the clear", []Mount{{Dialect: "kyc", Origins: []string{"http://app.example.com"}}},
			`serve[0].origins[0]: "http://app.example.com" must begin with https://; plain http is for loopback alone`},
		{"two at one place", []Mount{{Dialect: "kyc", Origins: []string{"https://a.example"}}, {Dialect: "pagfast"}},
			"serve[1].origins: serve[0] is at the same place and names others: a browser asks about a place, so give both the same"},
		{"two at two places", []Mount{{Dialect: "kyc", Origins: []string{"https://a.example"}}, {Dialect: "pagfast", Prefix: "/p"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := (Config{Serve: tt.serve}.WithDefaults()).Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Validate() = %q, want %q", got, tt.want)
			}
		})
	}
}
