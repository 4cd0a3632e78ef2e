package contracttest

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

const recoveryPath = "/api/v1/password-recovery/"

func recoveryOf(address string) request {
	return request{method: "POST", target: recoveryPath + strings.ReplaceAll(url.PathEscape(address), "/", "%2F")}
}

var (
	recoveryAsked   = expected{status: 200, body: `{"message":"If that email is registered, we sent a password recovery link"}`}
	passwordUpdated = expected{status: 200, body: `{"message":"Password updated successfully"}`}
)

// ticket asks for a recovery mail and takes the ticket out of it. n counts the
// account's mails.
func (w *world) ticket(t testing.TB, m member, n int) string {
	t.Helper()
	if got := w.send(t, contractA, recoveryOf(m.identifier)); got.status != 200 {
		t.Fatalf("recovery: %s", got)
	}
	return w.letter(t, m.account.Email, n).ticket(t)
}

// recoveryA proves A3.
func recoveryA(t *testing.T, w *world) {
	known := w.account(t, contractA)
	plus := w.account(t, contractA, called("ada+lovelace@people.example"))
	off := w.account(t, contractA, inactive)
	elsewhere := w.account(t, contractA, called("sign-in-name"), func(spec *core.AccountSpec) { spec.Email = "Reads.Mail@people.example" })
	w.prove(t, contractA, []row{
		{"known address", recoveryOf(known.identifier), recoveryAsked},
		{"unknown address", recoveryOf("nobody@people.example"), recoveryAsked},
		{"inactive account", recoveryOf(off.identifier), recoveryAsked},
		{"no address", recoveryOf("nonsense"), recoveryAsked},
		{"blanks and control characters", recoveryOf(" \x00\t\n"), recoveryAsked},
		{"bytes that are not UTF-8", request{method: "POST", target: recoveryPath + "%FF%FE"}, recoveryAsked},
		{"plus stays plus", request{method: "POST", target: recoveryPath + "ada+lovelace@people.example"}, recoveryAsked},
		{"stored address is another", recoveryOf("sign-in-name"), recoveryAsked},
		{"body ignored", post(recoveryPath+"nobody@people.example", jsonType, "\xff{"), recoveryAsked},
		{"query ignored", request{method: "POST", target: recoveryPath + "nobody@people.example?email=x"}, recoveryAsked},
		{"empty segment", request{method: "POST", target: recoveryPath}, notFound},
		{"no segment", request{method: "POST", target: strings.TrimSuffix(recoveryPath, "/")}, notFound},
		{"encoded slash", request{method: "POST", target: recoveryPath + "a%2Fb@people.example"}, notFound},
		{"encoded slash in lower case", request{method: "POST", target: recoveryPath + "a%2fb@people.example"}, notFound},
		{"two segments", request{method: "POST", target: recoveryPath + "a/b@people.example"}, notFound},
	})
	sub(t, "mail", func(t *testing.T) { recoveryMail(t, w.letter(t, known.identifier, 1), known.identifier) })
	sub(t, "mail to an address with plus", func(t *testing.T) { w.letter(t, plus.identifier, 1) })
	sub(t, "encoded plus and letters", func(t *testing.T) {
		w.send(t, contractA, request{method: "POST", target: recoveryPath + "%61da%2Blovelace%40PEOPLE.example"})
		w.letter(t, plus.identifier, 2)
	})
	sub(t, "mail goes to the stored address", func(t *testing.T) {
		l := w.letter(t, elsewhere.account.Email, 1)
		if len(l.to) != 1 || len(l.header["Cc"])+len(l.header["Bcc"]) != 0 {
			t.Errorf("recipients: %v, Cc %v, Bcc %v", l.to, l.header["Cc"], l.header["Bcc"])
		}
	})
	sub(t, "no mail to unknown or inactive", func(t *testing.T) {
		// The worker takes notices in order: when a later one is out, so were these.
		later := w.account(t, contractA)
		w.ticket(t, later, 1)
		for _, address := range []string{off.identifier, "nobody@people.example", "nonsense"} {
			if found := w.letters(t, address); len(found) != 0 {
				t.Errorf("%d mails to %s", len(found), address)
			}
		}
	})
	sub(t, "the ticket is no access token", func(t *testing.T) {
		got := w.send(t, contractA, contractA.present(w.ticket(t, w.account(t, contractA), 1)))
		contractA.expect(t, got, contractA.invalid())
	})
	sub(t, "a ticket lives for 60 minutes", func(t *testing.T) { ticketLifetime(t, w) })
}

// recoveryMail compares a mail with what A's pages say of it.
func recoveryMail(t *testing.T, l letter, address string) {
	if !matches(`.+ - Password recovery for user `+strings.ReplaceAll(address, ".", `\.`), l.subject) {
		t.Errorf("subject = %q", l.subject)
	}
	for _, kind := range []string{"text/plain", "text/html"} {
		if !matches(`.*`+strings.ReplaceAll(frontend, ".", `\.`)+`/reset-password\?token=[A-Za-z0-9._~-]{22,}(["<\s].*)?`, l.texts[kind]) {
			t.Errorf("%s has no link: %q", kind, l.texts[kind])
		}
	}
}

// resetA proves A4, with a mailed ticket for each row that needs one.
func resetA(t *testing.T, w *world) {
	w.prove(t, contractA, []row{
		{"body invalid", post(resetPath, jsonType, `{`), noJSON},
		{"unknown ticket", resetWith(strings.Repeat("A", 52), "long enough"), badTicket},
		{"malformed ticket", resetWith(" \x00ü", "long enough"), badTicket},
		{"empty ticket", resetWith("", "long enough"), badTicket},
		{"ticket in another shape of JWT", resetWith("a.b.c", "long enough"), badTicket},
	})
	sub(t, "an access token", func(t *testing.T) {
		contractA.expect(t, w.send(t, contractA, resetWith(w.token(t, contractA, w.account(t, contractA)), "long enough")), badTicket)
	})
	sub(t, "success", func(t *testing.T) { resetSuccess(t, w) })
	sub(t, "single use", func(t *testing.T) {
		m := w.account(t, contractA)
		ticket := w.ticket(t, m, 1)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "first password")), passwordUpdated)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "second password")), badTicket)
		contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, "first password")), granted)
	})
	sub(t, "a refused password does not consume the ticket", func(t *testing.T) {
		m := w.account(t, contractA)
		ticket := w.ticket(t, m, 1)
		long := strings.Repeat("l", 129)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "1234567")), detail(tooShort("1234567")))
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, long)), detail(tooLong(long)))
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "kq7wmzpt")), passwordUpdated)
	})
	sub(t, "refused for policy reasons", func(t *testing.T) {
		refusal := &core.Error{Kind: core.PasswordRefused, Reason: "too common"}
		worded(t, w, contractA, resetWith("t", "password1"), refusal, detail(`{"type":"value_error","loc":["body","new_password"],"msg":"too common","input":"password1"}`))
	})
	sub(t, "body invalid before bad ticket", func(t *testing.T) {
		contractA.expect(t, w.send(t, contractA, resetWith("nonsense", "short")), detail(tooShort("short")))
	})
	sub(t, "a newer request replaces the ticket", func(t *testing.T) {
		m := w.account(t, contractA)
		older := w.ticket(t, m, 1)
		newer := w.ticket(t, m, 2)
		contractA.expect(t, w.send(t, contractA, resetWith(older, "long enough")), badTicket)
		contractA.expect(t, w.send(t, contractA, resetWith(newer, "long enough")), passwordUpdated)
	})
	sub(t, "expired ticket", func(t *testing.T) { expiredTicket(t, w) })
	sub(t, "deleted user", func(t *testing.T) {
		m := w.account(t, contractA)
		ticket := w.ticket(t, m, 1)
		w.deleteAccount(t, m)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "long enough")), badTicket)
	})
	sub(t, "user inactive", func(t *testing.T) {
		m := w.account(t, contractA)
		ticket := w.ticket(t, m, 1)
		w.disable(t, contractA, m)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "long enough")), expected{status: 400, body: `{"detail":"Inactive user"}`})
		w.enable(t, contractA, m)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "long enough")), badTicket)
	})
	sub(t, "Authorization is ignored", func(t *testing.T) {
		ticket := w.ticket(t, w.account(t, contractA), 1)
		contractA.expect(t, w.send(t, contractA, resetWith(ticket, "long enough").with("Authorization: Bearer nonsense")), passwordUpdated)
	})
	sub(t, "a password with characters of every kind", func(t *testing.T) {
		m := w.account(t, contractA)
		odd := " \u00e9e\u0301😀\x00\"\\ x "
		contractA.expect(t, w.send(t, contractA, resetWith(w.ticket(t, m, 1), odd)), passwordUpdated)
		contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, odd)), granted)
		contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, strings.TrimSpace(odd))), contractA.refused())
	})
}

// resetSuccess proves that the old password is dead at once and that older access
// tokens end (S46), while the token of a login just after holds.
func resetSuccess(t *testing.T, w *world) {
	m := w.account(t, contractA)
	old := w.token(t, contractA, m)
	ticket := w.ticket(t, m, 1)
	contractA.expect(t, w.send(t, contractA, resetWith(ticket, "a new password")), passwordUpdated)
	contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, password)), contractA.refused())
	contractA.expect(t, w.send(t, contractA, contractA.present(old)), contractA.invalid())
	start := time.Now()
	fresh := w.token(t, contractA, member{identifier: m.identifier, secret: "a new password"})
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("the login after the change took %v", waited)
	}
	contractA.expect(t, w.send(t, contractA, contractA.present(fresh)), expected{status: 200, noStore: true, body: profile(m, `"Ada"`, "user", false)})
	contractA.expect(t, w.send(t, contractA, contractA.present(old)), contractA.invalid())
}
