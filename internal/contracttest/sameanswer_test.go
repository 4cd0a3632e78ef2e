package contracttest

import (
	"fmt"
	"math"
	"net"
	"sort"
	"strings"
	"testing"
	"time"

	chancery "github.com/chancery-auth/chancery"
)

// A state is an identity with a secret, which must be refused like any other.
type state struct {
	name string
	send request
}

const userInactive = "user inactive"

// refusedStates are all that c must not tell apart, by contract (S1, S3).
func (w *world) refusedStates(t testing.TB, c contract) []state {
	t.Helper()
	good := w.member(t, c)
	states := []state{
		{"unknown", c.loginWith("nobody.at.all@people.example", good.secret)},
		{"wrong secret", c.loginWith(good.identifier, good.secret+"x")},
	}
	if c.name == "D" {
		off := w.accessKey(t)
		w.disable(t, c, off)
		late, ended, waiting := w.accessKey(t, expired), w.accessKey(t, revoked), w.accessKey(t, pending)
		for name, m := range map[string]member{"pending": waiting, "expired": late, "revoked": ended, userInactive: off} {
			states = append(states, state{name, c.loginWith(m.identifier, m.secret)},
				state{name + ", wrong secret", c.loginWith(m.identifier, m.secret+"x")})
		}
		return states
	}
	off, unproved := w.account(t, c, inactive), w.account(t, c, unverified)
	neither, bare := w.account(t, c, inactive, unverified), w.account(t, c, withoutPassword)
	states = append(states,
		state{"inactive, wrong secret", c.loginWith(off.identifier, password+"x")},
		state{"unverified, wrong secret", c.loginWith(unproved.identifier, password+"x")},
		state{"inactive and unverified, wrong secret", c.loginWith(neither.identifier, password+"x")},
		state{"without a password", c.loginWith(bare.identifier, password)},
	)
	if c.name != "A" { // A tells an inactive user who knows the password
		states = append(states, state{"inactive", c.loginWith(off.identifier, password)},
			state{"inactive and unverified", c.loginWith(neither.identifier, password)})
	}
	return states
}

// TestSameAnswer proves S1 and S3: equal status, header and body for every state
// that the secret has not proved, or that the contract does not tell.
func TestSameAnswer(t *testing.T) {
	t.Parallel()
	w := openWorld(t)
	for _, c := range contracts {
		sub(t, c.name, func(t *testing.T) {
			states := w.refusedStates(t, c)
			want := w.send(t, c, states[0].send).String()
			for _, s := range states {
				if got := w.send(t, c, s.send).String(); got != want {
					t.Errorf("%s\n%s\n%s\n%s", s.name, got, states[0].name, want)
				}
			}
			c.expect(t, w.send(t, c, states[0].send), c.refused())
		})
	}
	sub(t, "recovery", func(t *testing.T) {
		states := w.recoveryStates(t)
		want := w.send(t, contractA, states[0].send).String()
		for range 6 { // from the fourth on, the known address gets no more mails (S33)
			for _, s := range states {
				if got := w.send(t, contractA, s.send).String(); got != want {
					t.Errorf("%s\n%s\n%s\n%s", s.name, got, states[0].name, want)
				}
			}
		}
	})
}

func (w *world) recoveryStates(t testing.TB) []state {
	t.Helper()
	return []state{
		{"unknown", recoveryOf("nobody.at.all@people.example")},
		{"known", recoveryOf(w.account(t, contractA).identifier)},
		{"inactive", recoveryOf(w.account(t, contractA, inactive).identifier)},
		{"without an address", recoveryOf(w.account(t, contractA, called("no address")).identifier)},
		{"nonsense", recoveryOf("\x00 \n")},
	}
}

// TestStateOnlyAfterSecret proves S5: A and B name a state to who knew the
// password, and to nobody else.
func TestStateOnlyAfterSecret(t *testing.T) {
	remember(t)
	w := openWorld(t)
	for _, tt := range []struct {
		contract contract
		member   member
		told     string
	}{
		{contractA, w.account(t, contractA, inactive), `{"detail":"Inactive user"}`},
		{contractB, w.account(t, contractB, unverified), `{"detail":"LOGIN_USER_NOT_VERIFIED"}`},
	} {
		c := tt.contract
		c.expect(t, w.send(t, c, c.loginWith(tt.member.identifier, password)), expected{status: 400, body: tt.told})
		for _, secret := range []string{password + "x", password[1:], strings.ToUpper(password), " ", "x"} {
			c.expect(t, w.send(t, c, c.loginWith(tt.member.identifier, secret)), c.refused())
		}
	}
}

// auc is the area under the ROC curve of two samples: the share of pairs in
// which a was the slower, ties counted half. 0.5 tells nothing apart.
func auc(a, b []time.Duration) float64 {
	type timed struct {
		took time.Duration
		of   int
	}
	var all []timed
	for _, d := range a {
		all = append(all, timed{d, 0})
	}
	for _, d := range b {
		all = append(all, timed{d, 1})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].took < all[j].took })
	var ranks float64
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].took == all[i].took {
			j++
		}
		for k := i; k < j; k++ {
			if all[k].of == 0 {
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	return (ranks - n*(n+1)/2) / (n * m)
}

// timing interleaves two kinds of requests and bounds their AUC: 1,000 pairs
// within 0.45–0.55 at full length, few pairs and a wide bound otherwise.
func (w *world) timing(t *testing.T, c contract, pairs int, a, b request) {
	t.Helper()
	bound := 0.2
	if long() {
		pairs, bound = 1000, 0.05
	}
	a.host, b.host = c.host, c.host
	var took [2][]time.Duration
	for i := range 2*pairs + 4 {
		// Which of a pair comes first changes, so that the machine's rhythm is neither's.
		which := (i ^ i/2) & 1
		text := []string{a.text(), b.text()}[which]
		start := time.Now()
		if _, err := sendText(w.address, text, "POST"); err != nil {
			t.Fatal(err)
		}
		if i >= 4 { // the first ones warm up
			took[which] = append(took[which], time.Since(start))
		}
	}
	area := auc(took[0], took[1])
	t.Logf("AUC of %d pairs: %.3f", pairs, area)
	if math.Abs(area-0.5) > bound {
		t.Errorf("AUC = %.3f, want within %.2f of 0.5", area, bound)
	}
}

// TestTiming proves S2 and S3: the time of a refusal does not tell the state,
// whatever the password's length.
func TestTiming(t *testing.T) {
	w := openWorld(t)
	for _, c := range contracts {
		states := w.refusedStates(t, c)
		known := w.member(t, c)
		pairs := 60
		if c.name == "D" { // hashes nothing
			pairs = 300
		}
		for _, s := range states[1:] {
			if s.name == userInactive {
				// Who knows the secret may notice that its account is looked up as well:
				// S3 names pending and expired alone.
				continue
			}
			if !long() && c.name != "D" { // each pair costs hashes; the one below stands for all
				break
			}
			sub(t, c.name+"/unknown and "+s.name, func(t *testing.T) {
				w.timing(t, c, pairs, states[0].send, s.send)
			})
		}
		lengths := []int{73}
		if long() {
			lengths = []int{0, 1, 72, 73, 128, 1024, 10_000}
		}
		for _, n := range lengths {
			sub(t, c.name+fmt.Sprintf("/length %d", n), func(t *testing.T) {
				secret := strings.Repeat("p", n)
				w.timing(t, c, pairs, c.loginWith("nobody.at.all@people.example", secret), c.loginWith(known.identifier, secret))
			})
		}
	}
}

// TestTimingRecovery proves S24 while the mail server takes 5 s for its greeting.
func TestTimingRecovery(t *testing.T) {
	w := openWorld(t, slowMail(t))
	states := w.recoveryStates(t)
	for _, s := range states[1:] {
		sub(t, s.name, func(t *testing.T) { w.timing(t, contractA, 150, states[0].send, s.send) })
	}
}

// slowMail sends mails to a server that lets each connection wait.
func slowMail(t *testing.T) func(*chancery.Config) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(5*time.Second, func() { _ = conn.Close() })
		}
	}()
	address := listener.Addr().(*net.TCPAddr)
	return func(config *chancery.Config) {
		config.Mail = chancery.MailConfig{Host: "127.0.0.1", Port: address.Port, TLS: "none", From: "no-reply@app.example"}
	}
}
