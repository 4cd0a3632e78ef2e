package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// hostileTexts are put into every text that a store keeps.
var hostileTexts = []string{
	"", " ", "'", `"`, "''", "`", `\`, `\'`, "';drop table accounts;--", "$1", "?", ":name", "@name", "%s", "{}", "null", "NULL", "0", "true",
	"a\tb\nc\r\nd", "\x01\x1f\x7f", "<script>&amp;</script>", "\u2028\u2029", "\ufeff", "\ufffd", "\ufffe", "é", "e\u0301",
	"\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0010FFFF", "\u202eabc\u202c", "שלום", "مرحبا", "日本語", "𝕏",
	strings.Repeat("x", 5_000), strings.Repeat("\U0001F600", 1_000),
}

// hostileInstants are instants that a store must give back to the microsecond.
var hostileInstants = []time.Time{
	{}, start, start.Add(time.Microsecond), start.Add(999_999 * time.Microsecond), time.UnixMicro(1).UTC(), time.UnixMicro(-1).UTC(),
	time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(1900, 2, 28, 23, 59, 59, 999_999_000, time.UTC),
	time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
}

var valueTests = map[string]func(*testing.T, Store){
	"every text of an account": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, text := range hostileTexts {
			want := core.Account{ID: core.AccountID(fmt.Sprint("id", i, text)), Realm: realm, Tenant: core.TenantID(text), Login: fmt.Sprint("login", i), Email: text,
				Name: text, Hold: core.Kind(text), Roles: []string{text, "", text}, Attributes: core.Attributes{text: text, "list": []any{text}}, PasswordHash: core.PasswordHash(text)}
			if canonical, err := core.Canonical(fmt.Sprint(i, text)); err == nil {
				want.Login = string(canonical)
			}
			if len(text) > 500 {
				want.ID, want.Tenant = core.AccountID(fmt.Sprint("id", i)), "" // ids are short
			}
			must(t, s.CreateAccount(t.Context(), want, at(i, core.ActionAccountCreated)))
			wantSame(t, fmt.Sprintf("Account() with %.40q", text), get[core.Account](t)(s.Account(t.Context(), realm, want.ID)), want)
			wantSame(t, fmt.Sprintf("AccountByLogin() with %.40q", text), get[core.Account](t)(s.AccountByLogin(t.Context(), realm, core.CanonicalLogin(want.Login))), want)
		}
	},
	"every text of an access key": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i, text := range hostileTexts {
			if len(text) > 500 {
				continue
			}
			want := accessKey(fmt.Sprint("id", i, text), "1", fmt.Sprint(i, text))
			want.Name, want.Attributes, want.State = text, core.Attributes{text: []any{text}}, core.KeyState(text)
			must(t, s.CreateAccessKey(t.Context(), want, at(i, core.ActionKeyCreated)))
			wantSame(t, fmt.Sprintf("AccessKeyByIdentifier() with %q", text), get[core.AccessKey](t)(s.AccessKeyByIdentifier(t.Context(), realm, want.Identifier)), want)
		}
	},
	"every text of an event": func(t *testing.T, s Store) {
		for i, text := range hostileTexts {
			want := core.Event{At: start, Realm: core.Realm(fmt.Sprint("r", i)), Dialect: text, Action: core.Action(text), Outcome: core.Kind(text), Actor: text,
				Account: core.AccountID(text), Key: core.KeyID(text), TokenID: text, Session: core.SessionID(text), RequestID: text}
			must(t, s.Record(t.Context(), want))
			got := get[[]core.RecordedEvent](t)(s.Events(t.Context(), want.Realm, 0, 10))
			if len(got) != 1 {
				t.Fatalf("%d events with %.40q, want 1", len(got), text)
			}
			wantSame(t, fmt.Sprintf("Events() with %.40q", text), got[0].Event, want)
		}
	},
	"every text of a tenant": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, text := range hostileTexts {
			if len(text) > 500 {
				continue
			}
			want := core.Tenant{ID: core.TenantID(fmt.Sprint("id", i, text)), Realm: realm, Name: fmt.Sprint("tenant", i), Attributes: core.Attributes{text: text}, CreatedAt: start}
			if _, err := core.Canonical(fmt.Sprint(i, text)); err == nil {
				want.Name = fmt.Sprint(i, text)
			}
			must(t, s.PutTenant(t.Context(), want, at(i, core.ActionTenantChanged)))
			wantSame(t, fmt.Sprintf("Tenant() with %q", text), get[core.Tenant](t)(s.Tenant(t.Context(), realm, want.ID)), want)
		}
	},
	"every text of a session and its tokens": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i, text := range hostileTexts {
			id := core.SessionID(fmt.Sprint("id", i, text))
			slot := fmt.Sprint(i, text)
			if len(text) > 500 {
				id, slot = core.SessionID(fmt.Sprint("id", i)), "" // ids and slots are short
			}
			want := core.Session{ID: id, Realm: realm, Dialect: text, Policy: text, Account: "1", Key: core.KeyID(text), Client: core.KeyID(text), Tenant: core.TenantID(text),
				Methods: []string{text, ""}, Granted: core.Granted{text: text, "list": []any{text}}, Slot: slot, EndReason: core.Kind(text)}
			access := core.StoredToken{Digest: core.NewSecret(fmt.Sprint(i)).Digest(), Session: id, Use: core.TokenUse(text), ID: text, Sealed: []byte(text)}
			must(t, s.OpenSession(t.Context(), core.Opening{Session: want, Tokens: []core.StoredToken{access}, Event: at(i, core.ActionExchange)}))
			got, of, err := s.Token(t.Context(), realm, access.Digest)
			must(t, err)
			wantSame(t, fmt.Sprintf("Token() with %.40q", text), got, access)
			wantSame(t, fmt.Sprintf("its session with %.40q", text), of, want)
			if slot != "" {
				held, _, err := s.SlotSession(t.Context(), realm, slot)
				must(t, err)
				wantSame(t, fmt.Sprintf("SlotSession() with %q", text), held, want)
			}
		}
	},
	"every text of a ticket": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for i, text := range hostileTexts {
			want := ticketFor("1", fmt.Sprint(i), start)
			want.Purpose, want.Payload, want.MailedTo = core.Purpose(fmt.Sprint(i)), text, core.Digest{}
			if len(text) < 500 {
				want.Purpose = core.Purpose(text)
			}
			must(t, s.IssueTicket(t.Context(), want, at(i, core.ActionTicketIssued)))
			wantSame(t, fmt.Sprintf("Ticket() with %.40q", text), get[core.Ticket](t)(s.Ticket(t.Context(), realm, want.Digest)), want)
		}
	},
	"every text of a notice and a signing key": func(t *testing.T, s Store) {
		for i, text := range hostileTexts {
			if len(text) > 500 {
				continue
			}
			want := core.Notice{ID: fmt.Sprint("id", i, text), Realm: realm, Dialect: text, Purpose: core.Purpose(text), Tenant: core.TenantID(text), Login: core.CanonicalLogin(text),
				RequestID: text, CreatedAt: start, DueAt: start}
			must(t, s.Enqueue(t.Context(), want, at(i, core.ActionRecoveryRequested)))
			got := get[[]core.Notice](t)(s.LeaseNotices(t.Context(), start, start.Add(time.Hour), 10))
			wantSame(t, fmt.Sprintf("LeaseNotices() with %q", text), got, []core.Notice{want})
			key := signingKey(fmt.Sprint("id", i, text), fmt.Sprint(i, text), text, start)
			key.Sealed = []byte(fmt.Sprint(i, text))
			wantSame(t, fmt.Sprintf("AddFirstSigningKey() with %q", text), get[core.SigningKey](t)(s.AddFirstSigningKey(t.Context(), key)), key)
		}
	},
	"every instant": func(t *testing.T, s Store) {
		withRealms(t, s)
		for i, instant := range hostileInstants {
			a := account(fmt.Sprint(i), fmt.Sprint("login", i))
			a.CreatedAt, a.UpdatedAt, a.TokensFrom, a.TicketsFrom = instant, instant, instant, instant
			must(t, s.CreateAccount(t.Context(), a, core.Event{At: instant, Realm: core.Realm(fmt.Sprint("r", i))}))
			wantSame(t, fmt.Sprint("Account() at ", instant), get[core.Account](t)(s.Account(t.Context(), realm, a.ID)), a)
			k := accessKey(fmt.Sprint(i), fmt.Sprint(i), fmt.Sprint(i))
			k.CreatedAt, k.UpdatedAt, k.ExpiresAt = instant, instant, instant
			must(t, s.CreateAccessKey(t.Context(), k, at(i, core.ActionKeyCreated)))
			wantSame(t, fmt.Sprint("AccessKey() at ", instant), get[core.AccessKey](t)(s.AccessKey(t.Context(), realm, k.ID)), k)
			ticket := core.Ticket{Digest: core.NewSecret(fmt.Sprint(i)).Digest(), Realm: realm, Account: a.ID, IssuedAt: instant, ExpiresAt: instant}
			must(t, s.IssueTicket(t.Context(), ticket, at(i, core.ActionTicketIssued)))
			wantSame(t, fmt.Sprint("Ticket() at ", instant), get[core.Ticket](t)(s.Ticket(t.Context(), realm, ticket.Digest)), ticket)
			n := core.Session{ID: core.SessionID(fmt.Sprint(i)), Realm: realm, Account: a.ID, CreatedAt: instant, SeenAt: instant, ExpiresAt: instant, EndedAt: instant}
			access := core.StoredToken{Digest: ticket.Digest, Session: n.ID, IssuedAt: instant, ExpiresAt: instant, ReplacedAt: instant}
			must(t, s.OpenSession(t.Context(), core.Opening{Session: n, Tokens: []core.StoredToken{access}, Event: at(i, core.ActionExchange)}))
			gotAccess, gotSession, err := s.Token(t.Context(), realm, access.Digest)
			must(t, err)
			wantSame(t, fmt.Sprint("Token() at ", instant), gotAccess, access)
			wantSame(t, fmt.Sprint("its session at ", instant), gotSession, n)
			must(t, s.PutFactor(t.Context(), core.Factor{Realm: realm, Account: a.ID, EnrolledAt: instant}, at(i, core.ActionFactorEnrolled)))
			if got := get[core.Factor](t)(s.Factor(t.Context(), realm, a.ID)).EnrolledAt; !got.Equal(instant) {
				t.Errorf("EnrolledAt = %v, want %v", got, instant)
			}
			events := get[[]core.RecordedEvent](t)(s.Events(t.Context(), core.Realm(fmt.Sprint("r", i)), 0, 1))
			wantSame(t, fmt.Sprint("the event at ", instant), events[0].At, instant)
		}
	},
	"instants are kept in UTC to the microsecond": func(t *testing.T, s Store) {
		withRealms(t, s)
		a := account("1", "alice")
		a.CreatedAt = start.Add(999 * time.Nanosecond).In(time.FixedZone("east", 5*3600))
		must(t, s.CreateAccount(t.Context(), a, at(1, core.ActionAccountCreated)))
		got := get[core.Account](t)(s.Account(t.Context(), realm, "1")).CreatedAt
		if !got.Equal(start) || got.Location() != time.UTC {
			t.Errorf("CreatedAt = %v, want %v", got, start)
		}
	},
	"every number": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := account("1", "alice")
		want.Attributes = core.Attributes{"max": math.MaxFloat64, "least": math.SmallestNonzeroFloat64, "tenth": 0.1, "big": float64(1 << 53), "minus": -1e-7, "zero": 0.0}
		must(t, s.CreateAccount(t.Context(), want, at(1, core.ActionAccountCreated)))
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
	},
	"what the caller does to a value later is not stored": func(t *testing.T, s Store) {
		withRealms(t, s)
		given := account("1", "alice")
		must(t, s.CreateAccount(t.Context(), given, at(1, core.ActionAccountCreated)))
		given.Roles[0], given.Attributes["text"] = "changed", "changed"
		got := get[core.Account](t)(s.Account(t.Context(), realm, "1"))
		wantSame(t, "Account()", got, account("1", "alice"))
		got.Roles[0], got.Attributes["text"] = "changed", "changed"
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), account("1", "alice"))
	},
}
