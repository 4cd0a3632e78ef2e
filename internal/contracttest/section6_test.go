package contracttest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/dialect"
)

// rulesForAll proves section 6, for each contract where it can differ.
func rulesForAll(t *testing.T, w *world) {
	lost := lostStore(t, w)
	for i, c := range contracts {
		t.Run(c.name, func(t *testing.T) {
			m := w.member(t, c)
			sub(t, "1 same answer to wrong secret and unknown identity", func(t *testing.T) {
				unknown := w.send(t, c, c.loginWith("00000000@people.example", m.secret)).String()
				wrong := w.send(t, c, c.loginWith(m.identifier, m.secret[1:])).String()
				if unknown != wrong {
					t.Errorf("unknown identity\n%s\nwrong secret\n%s", unknown, wrong)
				}
			})
			sub(t, "2 secrets are compared exactly", func(t *testing.T) { exactSecrets(t, w, c) })
			sub(t, "3 odd JSON is no server error", func(t *testing.T) { oddJSON(t, w, c) })
			sub(t, "4 tokens of other places", func(t *testing.T) {
				for _, other := range contracts {
					if other.name != c.name {
						w.stopped(t, c, c.present(w.token(t, other, w.member(t, other))), c.invalid())
					}
				}
			})
			sub(t, "5 logins coexist", func(t *testing.T) { loginsCoexist(t, w, c, m) })
			sub(t, "7 no-store on token answers", func(t *testing.T) {
				got := w.send(t, c, c.loginWith(m.identifier, m.secret))
				if value, _ := got.get("Cache-Control"); !strings.Contains(value, "no-store") {
					t.Errorf("Cache-Control: %q", value)
				}
			})
			sub(t, "8 keep-alive, chunks and header names in any case", func(t *testing.T) { keepAlive(t, w, c, m) })
			undocumented(t, w, c, lost[i])
		})
	}
}

// exactSecrets tries near misses of a password of 72 bytes and more.
func exactSecrets(t *testing.T, w *world, c contract) {
	if c.name == "D" {
		return // D1 has the near misses of keys and secrets
	}
	long := strings.Repeat("Ab3-", 18) + "Z" // 73 bytes
	m := w.account(t, c, having(long))
	for name, secret := range map[string]string{
		"the last byte changed": long[:72] + "Y", "cut to 72": long[:72], "one more": long + "Z",
		"trimmed of nothing": " " + long, "blank behind": long + " ", "in lower case": strings.ToLower(long), "NUL behind": long + "\x00",
	} {
		if got := w.send(t, c, c.loginWith(m.identifier, secret)); got.status != c.refused().status || got.body != c.refused().body {
			t.Errorf("%s: %s", name, got)
		}
	}
	w.token(t, c, m)
}

// oddJSON sends what makes the references fail: NaN and lone surrogates.
func oddJSON(t *testing.T, w *world, c contract) {
	path, first, second := resetPath, "token", "new_password"
	switch c.name {
	case "B":
		return // B's login takes forms alone
	case "C":
		path, first, second = c.login, "email", "password"
	case "D":
		path, first, second = c.login, "accessKey", "secret"
	}
	for _, value := range []string{"NaN", "Infinity", "-Infinity", `"\ud800"`, `"a\udfff"`, `"\ud800\ud800"`, `"\udc00\ud800"`} {
		for _, body := range []string{
			fmt.Sprintf(`{"%s":%s,"%s":"kq7wmzpt"}`, first, value, second),
			fmt.Sprintf(`{"%s":"a@b.example","%s":%s}`, first, second, value),
		} {
			got := w.send(t, c, post(path, jsonType, body))
			want := 400
			if c.name == "A" {
				want = 422
			}
			if got.status != want {
				t.Errorf("%s: %s, want %d", body, got, want)
			}
			kind := "string_type"
			if strings.HasSuffix(value, "N") || strings.HasSuffix(value, "y") {
				kind = "json_invalid"
			}
			if c.name == "A" && !strings.Contains(got.body, `"type":"`+kind+`"`) {
				t.Errorf("%s: %q, want type %s", body, got.body, kind)
			}
		}
	}
}

func loginsCoexist(t *testing.T, w *world, c contract, m member) {
	first := w.token(t, c, m)
	time.Sleep(1100 * time.Millisecond) // so that the second is another token
	second := w.token(t, c, m)
	if first == second {
		t.Fatal("the second login gave the first token again")
	}
	for _, token := range []string{first, second, first} {
		if got := w.send(t, c, c.present(token)); got.status != 200 {
			t.Errorf("got %s, want 200", got)
		}
	}
}

// keepAlive sends four requests over one connection, the third in chunks, the
// last with header names in capitals.
func keepAlive(t *testing.T, w *world, c contract, m member) {
	conn, err := dial(w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	login := c.loginWith(m.identifier, m.secret)
	login.host = c.host
	wrong := c.loginWith(m.identifier, "wrong secret")
	wrong.host = c.host
	capitals := strings.Replace(strings.Replace(login.lines(), "Content-Type:", "CONTENT-TYPE:", 1), "Content-Length:", "content-length:", 1)
	for i, text := range []string{login.lines(), wrong.lines(), login.inChunks().lines(), capitals} {
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		got, err := readReply(r, "POST")
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if i == 1 {
			c.expect(t, got, c.refused())
		} else if got.status >= 300 {
			t.Errorf("request %d: %s", i, got)
		}
		if value, _ := got.get("Connection"); strings.EqualFold(value, "close") {
			t.Errorf("request %d: the server closes the connection", i)
		}
	}
}

// fallbackD is D's envelope for what no contract documents.
func fallbackD(status int, name, reason string) expected {
	return expected{status: status, body: `{"statusCode":"Error","error":{"message":"Service was unable to complete your request.","name":"` +
		name + `","code":"` + name + `","details":{"reason":"` + reason + `"}}}`}
}

// tooMany and unavailable are each contract's words for 429 and 503.
func (c contract) tooMany() expected {
	switch c.name {
	case "C":
		return errorC(429, "Too Many Requests", "Too many attempts, try again later")
	case "D":
		return fallbackD(429, "TooManyRequestsError", "RateLimitExceeded")
	}
	return expected{status: 429, body: `{"detail":"Too Many Requests"}`}
}

func (c contract) unavailable() expected {
	switch c.name {
	case "C":
		return errorC(503, "Service Unavailable", "Try again later")
	case "D":
		return fallbackD(503, "ServiceUnavailableError", "Unavailable")
	}
	return expected{status: 503, body: `{"detail":"Service Unavailable"}`}
}

func (c contract) internal() expected {
	switch c.name {
	case "C":
		return errorC(500, "Internal Server Error", "An unexpected error occurred")
	case "D":
		return fallbackD(500, "InternalServerError", "Unexpected")
	}
	return expected{status: 500, body: `{"detail":"Internal Server Error"}`}
}

func (c contract) tooLarge() expected {
	switch c.name {
	case "C":
		return errorC(413, "Content Too Large", "The request body is too large")
	case "D":
		return namedD(413, "PayloadTooLargeError")
	}
	return expected{status: 413, body: `{"detail":"Content Too Large"}`}
}

// undocumented proves rule 6: the answers that no contract documents. 404, 405
// and 415 are with the paths of each contract.
func undocumented(t *testing.T, w *world, c contract, lost reply) {
	large := c.loginWith("a@b.example", "x")
	large.body += strings.Repeat(" ", 65<<10)
	sub(t, "6 413", func(t *testing.T) { c.expect(t, w.send(t, c, large), c.tooLarge()) })
	sub(t, "6 413 in chunks", func(t *testing.T) { c.expect(t, w.send(t, c, large.inChunks()), c.tooLarge()) })
	sub(t, "6 429", func(t *testing.T) { throttledLogin(t, c) })
	sub(t, "6 500", func(t *testing.T) {
		worded(t, w, c, c.loginWith("a@b.example", "b"), &core.Error{Kind: core.Internal}, c.internal())
	})
	sub(t, "6 503", func(t *testing.T) {
		c.expect(t, lost, c.unavailable())
		if after, _ := lost.get("Retry-After"); !matches(`[1-9][0-9]{0,3}`, after) {
			t.Errorf("Retry-After: %q", after)
		}
	})
}

// throttledLogin proves that a flood of wrong secrets ends in 429 with
// Retry-After, alike for an identity that exists and for one that does not, and
// that the right secret then gets no other answer.
func throttledLogin(t *testing.T, c contract) {
	w := openWorld(t, throttled)
	m := w.member(t, c)
	limited := map[string]int{}
	var last [2]string
	for i, identifier := range []string{m.identifier, "unknown@people.example"} {
		for n := range 8 {
			got := w.send(t, c, c.loginWith(identifier, "wrong secret"))
			if got.status != 429 {
				c.expect(t, got, c.refused())
				if limited[identifier] > 0 {
					t.Errorf("attempt %d was let in after a refusal", n)
				}
				continue
			}
			limited[identifier]++
			c.expect(t, got, c.tooMany())
			if after, _ := got.get("Retry-After"); !matches(`[1-9][0-9]{0,3}`, after) {
				t.Errorf("Retry-After: %q", after)
			}
			last[i] = strings.ReplaceAll(got.String(), "Retry-After", "")
		}
	}
	if limited[m.identifier] == 0 || limited[m.identifier] != limited["unknown@people.example"] {
		t.Errorf("refused of 8 attempts: %v, want the same and not none", limited)
	}
	if body := func(s string) string { return s[strings.Index(s, "\n\n"):] }; body(last[0]) != body(last[1]) {
		t.Errorf("known\n%s\nunknown\n%s", last[0], last[1])
	}
	c.expect(t, w.send(t, c, c.loginWith(m.identifier, m.secret)), c.tooMany())
}

// lostStore proves that a database that takes no writes gives 503 with
// Retry-After and no token (R4): another program holds its lock. It returns what
// each contract answered meanwhile, once all are served again.
func lostStore(t *testing.T, w *world) []reply {
	t.Helper()
	var logins []call
	for _, c := range contracts {
		m := w.member(t, c)
		logins = append(logins, call{c, c.loginWith(m.identifier, m.secret)})
	}
	release := w.lock(t)
	replies := w.sendAll(t, logins)
	release()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if got := w.send(t, contractA, logins[0].request); got.status == 200 {
			return replies
		} else if time.Now().After(deadline) {
			t.Fatalf("5 s after the lock was gone: %s", got)
		}
	}
}

// metrics reads the metrics page.
func (w *world) metrics(t testing.TB) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, "http://"+w.server.AdminAddr()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("metrics: %d, %v", response.StatusCode, err)
	}
	return string(page)
}

// worded proves the words for an error that no request can bring about: the
// dialect itself says them over a socket.
func worded(t *testing.T, w *world, c contract, r request, refusal error, want expected) {
	t.Helper()
	at := slices.IndexFunc(w.server.Dialects(), func(d *dialect.Dialect) bool { return d.Name() == c.dialect })
	if at < 0 {
		t.Fatalf("the server has no dialect %s", c.dialect)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		call := w.server.Dialects()[at].Match(r)
		if err := call.Decode(r); err != nil {
			t.Errorf("Decode() = %v", err)
		}
		call.Refuse(rw, refusal)
	}))
	defer server.Close()
	r.host = c.host
	got, err := sendText(strings.TrimPrefix(server.URL, "http://"), r.text(), "POST")
	if err != nil {
		t.Fatal(err)
	}
	mediaType, _ := got.get("Content-Type")
	if got.status != want.status || got.body != want.body || mediaType != c.mediaType {
		t.Errorf("got %s, want %d %s %s", got, want.status, c.mediaType, want.body)
	}
}
