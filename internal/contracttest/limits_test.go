package contracttest

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestLimits proves S50, S51 and S53 at each contract's login.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for _, c := range contracts {
		login := c.loginWith("nobody@people.example", "x")
		sub(t, c.name+"/body without an end", func(t *testing.T) { endlessBody(t, w, c) })
		sub(t, c.name+"/body of 64 KiB is read", func(t *testing.T) {
			r := login
			r.body = padded(c, login.body, 64<<10)
			if got := w.send(t, c, r); got.status == 413 {
				t.Errorf("got %s", got)
			}
			r.body = padded(c, login.body, 64<<10+1)
			c.expect(t, w.send(t, c, r), c.tooLarge())
		})
		sub(t, c.name+"/long URL", func(t *testing.T) {
			wantClientError(t, w, c, login.at(c.login+"?"+strings.Repeat("a", 9<<10)))
		})
		sub(t, c.name+"/long header", func(t *testing.T) {
			wantClientError(t, w, c, login.with("X-Long: "+strings.Repeat("a", 40<<10)))
		})
		sub(t, c.name+"/credentials in the query", func(t *testing.T) { queryCredentials(t, w, c) })
		if c.name != "B" {
			sub(t, c.name+"/JSON", func(t *testing.T) { jsonLimits(t, w, c) })
		}
	}
}

// padded makes a body of n bytes that says the same.
func padded(c contract, body string, n int) string {
	if c.name == "A" || c.name == "B" {
		for len(body)+2000 < n {
			body += "&x=" + strings.Repeat("a", 1000)
		}
		return body + "&y=" + strings.Repeat("a", n-len(body)-3)
	}
	return body + strings.Repeat(" ", n-len(body))
}

func wantClientError(t *testing.T, w *world, c contract, r request) {
	t.Helper()
	if got := w.send(t, c, r); got.status < 400 || got.status > 499 || got.status == c.refused().status && got.body == c.refused().body {
		t.Errorf("got %s, want a 4xx for the limit", clip(got.String()))
	}
}

// endlessBody proves that a body over 64 KiB is refused without being read: of
// what goes on coming, the server takes a few KiB beyond at most.
func endlessBody(t *testing.T, w *world, c contract) {
	conn, err := dial(w.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := c.loginWith("nobody@people.example", "x")
	head := strings.SplitAfter(r.at(c.login).lines(), "\r\n\r\n")[0]
	head = strings.Replace(head, fmt.Sprintf("Content-Length: %d", len(r.body)), "Content-Length: 1073741824", 1)
	head = strings.Replace(head, "Host: ", "Host: "+c.host, 1)
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(conn, strings.Repeat("a", 70<<10)) // and then nothing: the rest is never sent
	}()
	start := time.Now()
	got, err := readReply(bufio.NewReader(conn), "POST")
	if err != nil {
		t.Fatal(err)
	}
	c.expect(t, got, c.tooLarge())
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the answer took %v", took)
	}
}

// queryCredentials proves S53: what stands in the query is no credential.
func queryCredentials(t *testing.T, w *world, c contract) {
	m := w.member(t, c)
	query := url.Values{
		"username": {m.identifier}, "email": {m.identifier}, "accessKey": {m.identifier},
		"password": {m.secret}, "secret": {m.secret}, "access_token": {w.token(t, c, m)},
	}.Encode()
	empty := post(c.login+"?"+query, jsonType, "{}")
	if c.name == "A" || c.name == "B" {
		empty = post(c.login+"?"+query, formType, "")
	}
	if got := w.send(t, c, empty); got.status < 400 || got.status > 499 {
		t.Errorf("got %s, want a 4xx", got)
	}
	want := c.invalid()
	if c.name == "A" {
		want.body = `{"detail":"Not authenticated"}`
	}
	w.stopped(t, c, request{method: c.resourceBy, target: c.resource + "?" + query}, want)
}

// jsonLimits proves that JSON within the limits is read and beyond is not.
func jsonLimits(t *testing.T, w *world, c contract) {
	path, body := c.login, c.loginWith("nobody@people.example", "xxxxxxxx").body
	within := c.refused()
	if c.name == "A" {
		path, body, within = resetPath, `{"token":"t","new_password":"kq7wmzpt"}`, badTicket
	}
	with := func(extra string) request { return post(path, jsonType, `{`+extra+`,`+body[1:]) }
	nested := func(depth int) string {
		return `"x":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1)
	}
	members := func(n int) string {
		var b strings.Builder
		for i := range n - 2 {
			fmt.Fprintf(&b, `"k%d":1,`, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	for _, tt := range []struct {
		name string
		send request
		ok   bool
	}{
		{"depth 16", with(nested(16)), true},
		{"depth 17", with(nested(17)), false},
		{"depth 20000", with(nested(20_000)), false},
		{"depth of objects", with(`"x":` + strings.Repeat(`{"a":`, 16) + "1" + strings.Repeat("}", 16)), false},
		{"1000 members", with(members(1000)), true},
		{"1001 members", with(members(1001)), false},
		{"1001 members below", with(`"x":{` + members(1003) + `}`), false},
		{"string of 16 KiB", with(`"x":"` + strings.Repeat("a", 16<<10) + `"`), true},
		{"string over 16 KiB", with(`"x":"` + strings.Repeat("a", 16<<10+1) + `"`), false},
		{"name over 16 KiB", with(`"` + strings.Repeat("a", 16<<10+1) + `":1`), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.send(t, c, tt.send)
			if tt.ok {
				c.expect(t, got, within)
			} else if got.status < 400 || got.status > 499 || got.body == within.body {
				t.Errorf("got %s, want a 4xx for the limit", clip(got.String()))
			}
		})
	}
}

// TestMethods proves S57: no route takes a method that its contract does not
// declare, and every body has its type and nosniff.
func TestMethods(t *testing.T) {
	remember(t)
	t.Parallel()
	w := openWorld(t)
	paths := map[string][]string{
		"A": {contractA.login, contractA.resource, recoveryPath + "a@b.example", resetPath},
		"B": {contractB.login}, "C": {contractC.login}, "D": {contractD.login},
	}
	for _, c := range contracts {
		for _, path := range paths[c.name] {
			for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "post", "X"} {
				got := w.send(t, c, request{method: method, target: path})
				if got.status != 405 && got.status != 404 && got.status != 400 {
					t.Errorf("%s %s: %s", method, path, got)
				}
				for _, name := range []string{"Content-Type", "X-Content-Type-Options"} {
					if _, ok := got.get(name); !ok && got.body != "" {
						t.Errorf("%s %s: no %s: %s", method, path, name, got)
					}
				}
			}
		}
	}
}

// TestNoStore proves S83: no answer with a credential or personal data may be kept.
func TestNoStore(t *testing.T) {
	remember(t)
	t.Parallel()
	w := openWorld(t)
	var answers []reply
	for _, c := range contracts {
		m := w.member(t, c)
		answers = append(answers, w.send(t, c, c.loginWith(m.identifier, m.secret)))
	}
	token := w.token(t, contractA, w.account(t, contractA))
	answers = append(answers, w.send(t, contractA, contractA.present(token)))
	// 422 echoes what was sent, a password included.
	answers = append(answers, w.send(t, contractA, resetWith("t", "short")))
	for _, got := range answers {
		if value, _ := got.get("Cache-Control"); !strings.Contains(value, "no-store") || got.status >= 500 {
			t.Errorf("Cache-Control: %q: %s", value, got)
		}
	}
}
