package contracttest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

// A flock sends secrets through the server and remembers them, and what came back.
type flock struct {
	w       *world
	t       *testing.T
	secrets map[string]string // by what they are
	bodies  map[string]string // of replies that may hold none, by request
}

func (f *flock) secret(name string) string {
	text := "canary-" + strings.ReplaceAll(name, " ", "-") + "-Zq7x9Kw2"
	f.secrets[name] = text
	return text
}

// send keeps the reply as one that may hold no secret but those it is for.
func (f *flock) send(c contract, r request, mayHold ...string) reply {
	got := f.w.send(f.t, c, r)
	text := got.String()
	for _, secret := range mayHold {
		text = strings.ReplaceAll(text, secret, "")
	}
	f.bodies[c.name+" "+r.method+" "+r.target+" "+clip(r.body)] = text
	return got
}

// TestCanaries proves S76: secrets sent through every route and every failure,
// with debug logging on, are in no log, database, metric or reply, but the echo
// of 1.4 to its own sender and the token to who signed in.
func TestCanaries(t *testing.T) {
	remember(t)
	t.Parallel()
	w := openWorld(t)
	f := &flock{w: w, t: t, secrets: map[string]string{}, bodies: map[string]string{}}
	for _, c := range contracts {
		f.logins(c)
		f.bearers(c)
	}
	f.recovery()
	f.failures()
	throttling := f.throttling()

	places := map[string]string{"log": w.logs.String(), "log of the throttled": throttling.logs.String(), "metrics": w.metrics(t)}
	for _, world := range []*world{w, throttling} {
		for _, file := range world.databaseFiles(t) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			places[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = string(content)
		}
	}
	for request, body := range f.bodies {
		places["reply to "+request] = body
	}
	for place, content := range places {
		for name, secret := range f.secrets {
			for _, form := range spellings(secret) {
				if strings.Contains(content, form) {
					t.Errorf("%s holds the %s as %q", place, name, form)
				}
			}
		}
	}
	if len(places["log"]) == 0 || len(f.secrets) < 20 {
		t.Errorf("%d bytes of log, %d secrets: nothing was tested", len(places["log"]), len(f.secrets))
	}
}

// spellings are the forms in which a secret could slip out.
func spellings(secret string) []string {
	forms := []string{
		secret, url.QueryEscape(secret), strings.Trim(pyString(secret), `"`), hex.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	if len(secret) > 24 { // cut ones too
		forms = append(forms, secret[:20], secret[len(secret)-20:])
	}
	return forms
}

func (w *world) databaseFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "t.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files of the database: %q, %v", files, err)
	}
	return files
}

func (f *flock) logins(c contract) {
	m := f.w.member(f.t, c)
	if c.name != "D" {
		m = f.w.account(f.t, c, having(f.secret(c.name+" password")))
	} else {
		f.secrets["D key secret"] = m.secret
	}
	got := f.w.send(f.t, c, c.loginWith(m.identifier, m.secret))
	f.secrets[c.name+" token"] = c.tokenIn(f.t, got)
	f.send(c, c.loginWith(m.identifier, f.secret(c.name+" wrong password")))
	f.send(c, c.loginWith("nobody@people.example", f.secret(c.name+" unknown's password")))
	f.send(c, c.loginWith("\x00", f.secret(c.name+" impossible login")))
	good := c.loginWith(m.identifier, f.secret(c.name+" malformed"))
	broken := good
	broken.body = good.body[:len(good.body)-1] + "\xff{"
	f.send(c, broken)
	untyped := good
	untyped.fields = []string{"Content-Type: text/plain"}
	f.send(c, untyped)
	f.send(c, good.as("PUT"))
	f.send(c, good.at(otherForm(c.login)))
	f.send(c, good.at("/nowhere"))
	large := good
	large.body += strings.Repeat(" ", 70<<10)
	f.send(c, large)
	// A header that no route reads is no better place for one.
	f.send(c, good.with("Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("u:"+f.secret(c.name+" Basic"))), "Cookie: s="+f.secret(c.name+" cookie")))
}

func (f *flock) bearers(c contract) {
	m := f.w.member(f.t, c)
	token := f.w.token(f.t, c, m)
	f.secrets[c.name+" second token"] = token
	f.send(c, c.present(token))
	f.send(c, c.present(f.secret(c.name+" nonsense token")))
	f.send(c, c.present(token[:len(token)-3]+"AAA"))
	f.w.disable(f.t, c, m)
	f.send(c, c.present(token))
	f.send(c, request{method: "GET", target: "/nowhere"}.with("Authorization: Bearer "+token))
}

func (f *flock) recovery() {
	m := f.w.account(f.t, contractA)
	ticket := f.w.ticket(f.t, m, 1)
	f.secrets["ticket"] = ticket
	short, unread, next := "Kw2-sho", f.secret("password beside a bad token"), f.secret("new password")
	f.send(contractA, resetWith(ticket, short), ticket, short)
	// An echo goes to its sender; it may hold what the sender sent.
	noString := f.secret("echoed password")
	f.send(contractA, post(resetPath, jsonType, `{"new_password":"`+noString+`"}`), noString)
	f.send(contractA, post(resetPath, "text/plain", noString), noString)
	f.send(contractA, resetWith("no-such-ticket", unread))
	f.send(contractA, resetWith(ticket, next))
	f.send(contractA, resetWith(ticket, unread))
	f.send(contractA, contractA.loginWith(m.identifier, unread))
}

// failures sends secrets while the database takes no writes.
func (f *flock) failures() {
	key := f.w.accessKey(f.t)
	own := f.w.account(f.t, contractA, having(f.secret("password in a failure")))
	release := f.w.lock(f.t)
	defer release()
	f.secrets["key secret in a failure"] = key.secret
	replies := f.w.sendAll(f.t, []call{{contractA, contractA.loginWith(own.identifier, own.secret)}, {contractD, contractD.loginWith(key.identifier, key.secret)}})
	for i, got := range replies {
		f.bodies[fmt.Sprintf("failure %d", i)] = got.String()
	}
}

// throttling sends secrets into a limit.
func (f *flock) throttling() *world {
	w := openWorld(f.t, throttled)
	m := w.account(f.t, contractB, having(f.secret("password in a limit")))
	guess := f.secret("guess in a limit")
	for range 8 {
		w.send(f.t, contractB, contractB.loginWith(m.identifier, guess))
	}
	w.send(f.t, contractB, contractB.loginWith(m.identifier, m.secret))
	return w
}

// TestAuditBeforeToken proves R4 from outside: for every token that came over the
// wire there is a record, and a server that cannot write one gives no token.
func TestAuditBeforeToken(t *testing.T) {
	remember(t)
	t.Parallel()
	onEngines(t, func(t *testing.T, w *world) {
		got := 0
		for _, c := range contracts {
			m := w.member(t, c)
			for range 5 {
				w.token(t, c, m)
				got++
			}
		}
		var records int
		row := w.database(t).QueryRowContext(t.Context(), `select count(distinct token_id) from audit where action = $1 and outcome = ''`, string(core.ActionExchange))
		if err := row.Scan(&records); err != nil || records != got {
			t.Errorf("%d records for %d tokens: %v", records, got, err)
		}
		release := w.lock(t)
		defer release()
		var logins []call
		for _, c := range contracts {
			logins = append(logins, call{c, c.loginWith("a@b.example", "x")})
		}
		for i, got := range w.sendAll(t, logins) {
			if got.status != 503 {
				t.Errorf("%s without a journal: %s, want 503", contracts[i].name, got)
			}
		}
	})
}
