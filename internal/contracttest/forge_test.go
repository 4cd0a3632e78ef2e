package contracttest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"
	"testing"
	"time"
)

// Some tokens cannot be got from outside: expired ones, foreign audiences,
// missing claims. They are made here with the server's own secret, which the
// tests unseal, and signed by nothing but HMAC.

// header is the documented header of c's tokens.
func (c contract) header() string { return `{"alg":"` + c.algorithm() + `","typ":"JWT"}` }

func (c contract) algorithm() string {
	if c.name == "D" {
		return "HS384"
	}
	return "HS256"
}

// claims writes the claims of a token for m as c issues it. Overrides replace or
// add claims by JSON text; "" leaves one out.
func (c contract) claims(m member, overrides map[string]string) string {
	now := time.Now().Unix()
	type claim struct{ name, value string }
	quoted := func(text string) string { return `"` + text + `"` }
	claims := []claim{
		{"sub", quoted(string(m.account.ID))}, {"aud", `["fastapi-users:auth"]`},
		{"iat", fmt.Sprint(now)}, {"exp", fmt.Sprint(now + 600)},
	}
	switch c.name {
	case "A", "C":
		claims = slices.Delete(claims, 1, 2)
	case "D":
		claims = append([]claim{
			{"uid", quoted(string(m.account.ID))}, {"ar", `["Partner"]`}, {"ak", quoted(string(m.key.ID))}, {"realm", `"Partner"`},
			{"ca", `"x"`}, {"cid", `"x"`}, {"domain", `"/partners-int"`},
		}, claims[2:]...)
	}
	for _, name := range sortedKeys(overrides) {
		at := slices.IndexFunc(claims, func(c claim) bool { return c.name == name })
		switch {
		case at < 0:
			claims = append(claims, claim{name, overrides[name]})
		case overrides[name] == "":
			claims = slices.Delete(claims, at, at+1)
		default:
			claims[at].value = overrides[name]
		}
	}
	var members []string
	for _, c := range claims {
		if c.value != "" {
			members = append(members, quoted(c.name)+":"+c.value)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// forge signs claims with c's own secret.
func (w *world) forge(t testing.TB, c contract, claims string) string {
	t.Helper()
	return signHMAC(t, c.algorithm(), w.secret(t, c), c.header(), claims)
}

func signHMAC(t testing.TB, algorithm string, secret []byte, header, claims string) string {
	t.Helper()
	sum, ok := map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New}[algorithm]
	if !ok {
		t.Fatalf("no HMAC for %s", algorithm)
	}
	signed := encodeToken(header, claims)
	mac := hmac.New(sum, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A forgery is a token that must not hold, by what is wrong with it.
type forgery struct{ name, token string }

// forgeries are the tokens that A2, B2, C2 and D3 name as invalid, made for m.
func (w *world) forgeries(t testing.TB, c contract, m member) []forgery {
	t.Helper()
	secret, good := w.secret(t, c), c.claims(m, nil)
	now := time.Now().Unix()
	at := func(offset int64) string { return fmt.Sprint(now + offset) }
	with := func(name string, overrides map[string]string) forgery {
		return forgery{name, w.forge(t, c, c.claims(m, overrides))}
	}
	resigned := func(algorithm string) string {
		return signHMAC(t, algorithm, secret, `{"alg":"`+algorithm+`","typ":"JWT"}`, good)
	}
	valid := w.forge(t, c, good)
	parts := strings.Split(valid, ".")
	subject, other := "sub", "HS384"
	if c.name == "D" {
		subject, other = "uid", "HS256"
	}
	return []forgery{
		{"malformed", "abc"},
		{"two parts", parts[0] + "." + parts[1]},
		{"four parts", valid + "." + parts[2]},
		{"empty parts", ".."},
		{"bad signature", parts[0] + "." + parts[1] + "." + flip(parts[2])},
		{"signature cut", valid[:len(valid)-4]},
		{"signature empty", parts[0] + "." + parts[1] + "."},
		{"claims exchanged", parts[0] + "." + strings.Split(w.forge(t, c, c.claims(m, map[string]string{"x": "1"})), ".")[1] + "." + parts[2]},
		{"another secret", signHMAC(t, c.algorithm(), []byte(strings.Repeat("k", 48)), c.header(), good)},
		{"other algorithm", resigned(other)},
		{"other algorithm of the same family", resigned("HS512")},
		{"algorithm named but not used", signHMAC(t, c.algorithm(), secret, `{"alg":"RS256","typ":"JWT"}`, good)},
		{"none", encodeToken(`{"alg":"none","typ":"JWT"}`, good) + "."},
		{"none with a signature", encodeToken(`{"alg":"none","typ":"JWT"}`, good) + "." + parts[2]},
		{"None", encodeToken(`{"alg":"None","typ":"JWT"}`, good) + "."},
		{"no algorithm", encodeToken(`{"typ":"JWT"}`, good) + "." + parts[2]},
		{"padded", parts[0] + "." + parts[1] + "." + parts[2] + "="},
		with("expired", map[string]string{"exp": at(0)}),
		with("expired long ago", map[string]string{"exp": at(-100_000), "iat": at(-200_000)}),
		with("not yet valid", map[string]string{"nbf": at(120)}),
		with("iat ahead", map[string]string{"iat": at(120)}),
		with("without exp", map[string]string{"exp": ""}),
		with("exp as text", map[string]string{"exp": `"` + at(600) + `"`}),
		with("exp null", map[string]string{"exp": "null"}),
		with("subject missing", map[string]string{subject: ""}),
		with("subject not text", map[string]string{subject: "1"}),
		with("subject unknown", map[string]string{subject: `"00000000-0000-4000-8000-000000000000"`}),
		{"claims are no object", w.forge(t, c, `[]`)},
		{"claims are no JSON", w.forge(t, c, `{`)},
		{"a recovery ticket", strings.Repeat("A", 52)},
	}
}

// flip changes a signature's first character.
func flip(signature string) string {
	if signature[0] == 'A' {
		return "B" + signature[1:]
	}
	return "A" + signature[1:]
}

// invalidTokens proves that each kind of invalid token gets c's one answer, and
// that it is the defect that counts: the same token without it holds.
func invalidTokens(t *testing.T, w *world, c contract) {
	t.Helper()
	m := w.member(t, c)
	sub(t, "a token made here holds", func(t *testing.T) {
		for _, overrides := range []map[string]string{nil, {"nbf": fmt.Sprint(time.Now().Unix() + 30)}, {"extra": `{"a":[1]}`}} {
			got := w.send(t, c, c.present(w.forge(t, c, c.claims(m, overrides))))
			if got.status != 200 {
				t.Errorf("with %v: %s, want 200", overrides, got)
			}
		}
	})
	for _, f := range w.forgeries(t, c, m) {
		sub(t, "token "+f.name, func(t *testing.T) { w.stopped(t, c, c.present(f.token), c.invalid()) })
	}
	for _, other := range contracts {
		if other.name != c.name {
			sub(t, "token of "+other.name, func(t *testing.T) {
				w.stopped(t, c, c.present(w.token(t, other, w.member(t, other))), c.invalid())
			})
		}
	}
	sub(t, "token of a deleted user", func(t *testing.T) {
		gone := w.member(t, c)
		token := w.token(t, c, gone)
		w.deleteAccount(t, gone)
		deadline := time.Now().Add(5 * time.Second) // what another process deletes is seen within 5 s (S47)
		for w.send(t, c, c.present(token)).status == 200 && time.Now().Before(deadline) {
			time.Sleep(100 * time.Millisecond)
		}
		w.stopped(t, c, c.present(token), c.invalid())
	})
}
