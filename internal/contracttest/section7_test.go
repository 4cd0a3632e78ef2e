package contracttest

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	chancery "github.com/chancery-auth/chancery"
)

// settingsA are what A's mount must be told.
func settingsA() map[string]any { return map[string]any{"frontend_url": frontend} }

// set changes a setting of one dialect's mount.
func set(c contract, name string, value any) func(*chancery.Config) {
	return func(config *chancery.Config) {
		for i := range config.Serve {
			if mount := &config.Serve[i]; mount.Dialect == c.dialect {
				if mount.Settings == nil {
					mount.Settings = map[string]any{}
				}
				mount.Settings[name] = value
			}
		}
	}
}

// decisions proves of section 7 what is a setting. The other rows are proved
// where the contract has them.
func decisions(t *testing.T, _ *world) {
	sub(t, "2 validation_status", func(t *testing.T) {
		w := openWorld(t, set(contractA, "validation_status", 400))
		want := detail(missing("password", "null"))
		want.status = 400
		contractA.expect(t, w.send(t, contractA, post(contractA.login, formType, "username=u")), want)
	})
	sub(t, "8 lifetime of B", func(t *testing.T) {
		w := openWorld(t, set(contractB, "token_lifetime", "90s"))
		decoded := decodeToken(t, w.token(t, contractB, w.account(t, contractB)))
		if got := decoded.seconds(t, "exp") - decoded.seconds(t, "iat"); got != 90 {
			t.Errorf("exp is %d s after iat, want 90", got)
		}
	})
	sub(t, "11 format and lifetime of C", func(t *testing.T) {
		w := openWorld(t, set(contractC, "token_lifetime", "2h"), set(contractC, "algorithm", "ES256"))
		m := w.account(t, contractC)
		token := w.token(t, contractC, m)
		decoded := decodeToken(t, token)
		if got := decoded.seconds(t, "exp") - decoded.seconds(t, "iat"); got != 7200 {
			t.Errorf("exp is %d s after iat, want 7200", got)
		}
		if !strings.Contains(decoded.header, `"alg":"ES256"`) || len(decoded.signature) != 64 {
			t.Errorf("header = %s", decoded.header)
		}
		w.passed(t, contractC, contractC.present(token))
	})
	sub(t, "15 kid at the operator's wish alone", func(t *testing.T) {
		w := openWorld(t, set(contractA, "key_id", true))
		m := w.account(t, contractA)
		token := w.token(t, contractA, m)
		if header := decodeToken(t, token).header; !strings.Contains(header, `"kid":"`) {
			t.Errorf("header = %s, want a kid", header)
		}
		contractA.expect(t, w.send(t, contractA, contractA.present(token)), expected{status: 200, noStore: true, body: profile(m, `"Ada"`, "user", false)})
	})
	sub(t, "a token lives no longer than it says", func(t *testing.T) {
		for _, c := range contracts[:3] {
			w := openWorld(t, set(c, "token_lifetime", "2s"))
			token := w.token(t, c, w.account(t, c))
			time.Sleep(2100 * time.Millisecond)
			w.stopped(t, c, c.present(token), c.invalid())
		}
	})
}

// documentDefects proves section 8: what the printed pages get wrong, and that
// the server stays with the contract.
func documentDefects(t *testing.T, w *world) {
	sub(t, "D sample payload is no JSON, ours is", func(t *testing.T) {
		printed, err := base64.RawURLEncoding.DecodeString("eyB1aWQi")
		if err != nil || string(printed) != `{ uid"` {
			t.Errorf("the printed payload begins %q, %v", printed, err)
		}
		token := w.token(t, contractD, w.accessKey(t))
		if payload := strings.Split(token, ".")[1]; !strings.HasPrefix(payload, "eyJ1aWQi") {
			t.Errorf("our payload begins %.12s", payload)
		}
	})
	sub(t, "D sample payload is refused", func(t *testing.T) {
		w.stopped(t, contractD, contractD.present("eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyB1aWQi."+strings.Repeat("A", 64)), contractD.invalid())
	})
	sub(t, "D orders name and message twice", func(t *testing.T) {
		bad := w.send(t, contractD, post("/login", jsonType, "{}")).body
		refused := w.send(t, contractD, contractD.loginWith("x", "y")).body
		if !strings.HasPrefix(bad, `{"statusCode":"Error","error":{"name":`) || !strings.HasPrefix(refused, `{"statusCode":"Error","error":{"message":`) {
			t.Errorf("400 %s\n401 %s", bad, refused)
		}
	})
	sub(t, "A unescaped password breaks the client", func(t *testing.T) {
		m := w.account(t, contractA, having("100%25&more+x"))
		pasted := post(contractA.login, formType, "username="+m.identifier+"&password="+m.secret)
		contractA.expect(t, w.send(t, contractA, pasted), contractA.refused())
		contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, m.secret)), granted)
	})
}

// drift proves of section 9 what other versions of the references do otherwise.
func drift(t *testing.T, w *world) {
	w.prove(t, contractB, []row{
		{"pattern is anchored", post(contractB.login, formType, "username=u&password=p&grant_type=xpasswordx"), detail(badGrant("xpasswordx"))},
	})
	w.prove(t, contractA, []row{
		{"JSON without a media type", post(resetPath, "", `{"token":"t","new_password":"kq7wmzpt"}`), badTicket},
		{"a password of 41 to 128", resetWith("t", strings.Repeat("p", 128)), badTicket},
		{"recovery is alike", recoveryOf("nobody@people.example"), recoveryAsked},
		{"items of today's form", post(contractA.login, formType, "password=x"), detail(missing("username", "null"))},
	})
	sub(t, "C takes no HTTP Basic", func(t *testing.T) {
		token := w.token(t, contractC, w.account(t, contractC))
		basic := base64.StdEncoding.EncodeToString([]byte(token + ":"))
		w.stopped(t, contractC, request{method: "GET", target: contractC.resource}.with("Authorization: Basic "+basic), contractC.invalid())
	})
}
