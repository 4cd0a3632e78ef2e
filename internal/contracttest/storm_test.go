package contracttest

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestStorm proves R18: of logins that all come at once each is answered within
// 5 s, rightly or with 503 and Retry-After, and afterwards all is as before.
func TestStorm(t *testing.T) {
	remember(t)
	w := openWorld(t, usualQueue)
	m := w.account(t, contractA)
	n := 200
	if long() {
		n = 1000
	}
	right, wrong := contractA.loginWith(m.identifier, m.secret), contractA.loginWith(m.identifier, "wrong")
	right.host, wrong.host = contractA.host, contractA.host
	var mu sync.Mutex
	var slowest time.Duration
	answers := map[string]int{}
	var logins sync.WaitGroup
	for i := range n {
		logins.Go(func() {
			r, want := right, 200
			if i%2 == 1 {
				r, want = wrong, 400
			}
			start := time.Now()
			got, err := sendText(w.address, r.text(), "POST")
			took := time.Since(start)
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, took)
			switch after, _ := got.get("Retry-After"); {
			case err != nil:
				t.Error(err)
			case got.status == want:
				answers["rightly"]++
			case got.status == 503 && matches(`[1-9]|[12][0-9]|30`, after) && got.body == contractA.unavailable().body:
				answers["unready"]++
			default:
				t.Errorf("got %s, want %d or 503", got, want)
			}
		})
	}
	logins.Wait()
	t.Logf("%d logins at once: %v, the slowest took %v", n, answers, slowest)
	if slowest > 5*time.Second {
		t.Errorf("the slowest answer took %v, want 5 s at most", slowest)
	}
	time.Sleep(2 * time.Second)
	start := time.Now()
	contractA.expect(t, w.send(t, contractA, right), granted)
	if took := time.Since(start); took > time.Second {
		t.Errorf("2 s after, a login takes %v", took)
	}
}

// mutated are the requests that TestMutated starts from, by route. Most lack
// something, so that they are decided before a password is hashed.
func (w *world) mutated(t *testing.T) map[string][]request {
	t.Helper()
	m := w.account(t, contractA)
	form := "username=" + url.QueryEscape(m.identifier) + "&scope=a&client_id=b"
	parts := formParts("BoUnD", "username", m.identifier, "scope", "a+b", "client_id", "ü")
	reset := `{"token":"t😀","new_password":"1234567","x":[1.5e3,null,true,{"y":"\u00fc"}]}`
	kinds := map[string][]request{
		"C POST /v4/auth": {post(contractC.login, jsonType, `{"email":"a@b.example","x":[1,{"y":null}]}`), post(contractC.login, jsonType, `{"password":"x"}`)},
		"D POST /login":   {contractD.loginWith(strings.Repeat("0", 40), strings.Repeat("A", 48)), post(contractD.login, jsonType, `{"accessKey":1.5,"secret":null}`)},
		"A test-token":    {contractA.present("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.AAAA"), {method: "POST", target: contractA.resource, body: "x"}},
		"A recovery":      {recoveryOf("nobody@people.example"), {method: "POST", target: recoveryPath + "%C3%BC%00+@b"}},
		"A reset":         {post(resetPath, jsonType, reset), resetWith("no-such-ticket", "long enough"), post(resetPath, "text/plain", reset)},
		"B resource":      {contractB.present("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.AAAA")},
	}
	for _, c := range []contract{contractA, contractB} {
		kinds[c.name+" login"] = []request{post(c.login, formType, form), post(c.login, "multipart/form-data; boundary=BoUnD", parts), post(c.login, formType, form).inChunks()}
	}
	for name, requests := range kinds {
		for i := range requests {
			for _, c := range contracts {
				if c.name == name[:1] {
					requests[i].host = c.host
				}
			}
		}
	}
	return kinds
}

// TestMutated proves S54, shortened: no content of a request gives a 5xx or ends
// the server, nor a token.
func TestMutated(t *testing.T) {
	t.Parallel()
	mutations(t, openWorld(t), 5000)
}

// TestMutatedPostgreSQL does the same where text must be UTF-8 without NUL.
func TestMutatedPostgreSQL(t *testing.T) {
	t.Parallel()
	mutations(t, openWorld(t, onPostgreSQL(t)), 1000)
}

// mutations sends n mutated requests to each route.
func mutations(t *testing.T, w *world, n int) {
	switch {
	case long():
		n = 200_000
	case underRace:
		n /= 5
	}
	kinds := w.mutated(t)
	for _, name := range sortedKeys(kinds) {
		sub(t, name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			for range n {
				text := mutate(random, kinds[name])
				got, err := sendText(w.address, text, "POST")
				if err != nil && !strings.Contains(err.Error(), "no status line") {
					t.Fatalf("seed %d: %q: %v", seed, text, err)
				}
				if got.status >= 500 || (got.status < 300 && looksLikeToken.MatchString(got.body)) {
					t.Fatalf("seed %d: %q: %s", seed, text, got)
				}
			}
		})
	}
}

// pieces are texts that decoders treat in a way of their own.
var pieces = []string{
	"%", "%zz", "%00", "%ff", "&", "=", ";", "+", "\x00", "\xff", "\xc3\x28", "\ufeff", `"`, `\`, `\u`, `\ud800`, `\udc00`, "{", "}", "[", "]",
	",", ":", "NaN", "Infinity", "-0", "1e999", "123456789012345678901234567890", "null", "true", "'", "\r\n", "\n", "--BoUnD", "--BoUnD--", "\r\n\r\n",
	"username", "password", "grant_type=x&", "token", `"token":`, "accessKey", "secret", "email", "😀", "e\u0301", "../", "//", ".", "..", "?", "#", "@", " ",
	"\u2028", "\u202e", "<script>", "${token.value}", "%s%n", "'; drop table accounts; --", "charset=utf-7", "boundary=", "application/json", "multipart/form-data",
}

// mutate changes one of the requests at one to four places of its target, header
// or body, and closes the connection after it.
func mutate(random *rand.Rand, from []request) string {
	r := from[random.IntN(len(from))]
	r.fields = slices.Clone(r.fields)
	for range 1 + random.IntN(4) {
		switch random.IntN(8) {
		case 0:
			r.target = r.target[:1] + strings.NewReplacer(" ", "%20", "\r", "", "\n", "", "\x00", "%00").Replace(splice(random, r.target[1:]))
		case 1:
			if i := random.IntN(len(r.fields) + 1); i < len(r.fields) {
				name, value, _ := strings.Cut(r.fields[i], ": ")
				r.fields[i] = name + ": " + strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(splice(random, value))
			}
		case 2:
			if len(r.fields) > 0 && random.IntN(8) == 0 {
				r.fields = r.fields[1:]
			}
		default:
			r.body = splice(random, r.body)
		}
	}
	return r.text()
}

// splice inserts a piece, or deletes, doubles or changes a stretch of text.
func splice(random *rand.Rand, text string) string {
	at := random.IntN(len(text) + 1)
	end := min(len(text), at+random.IntN(12))
	switch random.IntN(5) {
	case 0:
		return text[:at] + text[end:]
	case 1:
		return text[:end] + text[at:]
	case 2:
		return text[:at] + fmt.Sprintf("%c", rune(random.IntN(0x300))) + text[end:]
	case 3:
		return text[:at] + strings.Repeat(pieces[random.IntN(len(pieces))], 1+random.IntN(40)) + text[at:]
	}
	return text[:at] + pieces[random.IntN(len(pieces))] + text[at:]
}
