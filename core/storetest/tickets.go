package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func ticketFor(owner, secret string, issued time.Time) core.Ticket {
	return core.Ticket{Digest: core.NewSecret(secret).Digest(), Realm: realm, Account: core.AccountID(owner),
		Purpose: core.PurposeRecovery, Payload: `{"to":1}`, IssuedAt: issued, ExpiresAt: issued.Add(time.Hour), MailedTo: core.Recipient(owner + "@example.com")}
}

func withTicket(t *testing.T, s Store, owner, secret string, issued time.Time) core.Ticket {
	t.Helper()
	ticket := ticketFor(owner, secret, issued)
	must(t, s.IssueTicket(t.Context(), ticket, at(0, core.ActionTicketIssued)))
	ticket.MailedTo = core.Digest{} // is not kept
	return ticket
}

// redeem sets the account's password to hash.
func redeem(s Store, t *testing.T, ticket core.Ticket, hash string) error {
	return s.RedeemTicket(t.Context(), ticket.Realm, ticket.Digest, start.Add(time.Minute), func(_ core.Ticket, a *core.Account) (core.Event, error) {
		a.PasswordHash = core.PasswordHash(hash)
		return at(7, core.ActionPasswordReset), nil
	})
}

var ticketTests = map[string]func(*testing.T, Store){
	"what is issued is returned": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		want := withTicket(t, s, "1", "secret", start)
		wantSame(t, "Ticket()", get[core.Ticket](t)(s.Ticket(t.Context(), realm, want.Digest)), want)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionTicketIssued})
	},
	"what is not there is NotFound": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		ticket := withTicket(t, s, "1", "secret", start)
		before := last(t, s)
		_, err := s.Ticket(t.Context(), other, ticket.Digest)
		wantKind(t, "Ticket(another realm)", err, core.NotFound)
		_, err = s.Ticket(t.Context(), realm, core.NewSecret("Secret").Digest())
		wantKind(t, "Ticket(another digest)", err, core.NotFound)
		err = s.IssueTicket(t.Context(), ticketFor("nobody", "x", start), at(1, core.ActionTicketIssued))
		wantKind(t, "IssueTicket(no account)", err, core.NotFound)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"a newer ticket ends the account's older one of the same purpose": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		old := withTicket(t, s, "1", "old", start)
		invitation := ticketFor("1", "invitation", start)
		invitation.Purpose = "invitation"
		must(t, s.IssueTicket(t.Context(), invitation, at(0, core.ActionTicketIssued)))
		invitation.MailedTo = core.Digest{}
		bobs := withTicket(t, s, "2", "bob's", start)
		newer := withTicket(t, s, "1", "new", start.Add(time.Second))
		_, err := s.Ticket(t.Context(), realm, old.Digest)
		wantKind(t, "Ticket(old)", err, core.NotFound)
		wantKind(t, "RedeemTicket(old)", redeem(s, t, old, "x"), core.TicketUnknown)
		for _, want := range []core.Ticket{invitation, bobs, newer} {
			wantSame(t, "Ticket()", get[core.Ticket](t)(s.Ticket(t.Context(), realm, want.Digest)), want)
		}
	},
	"a used ticket is followed by a new one": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		must(t, redeem(s, t, withTicket(t, s, "1", "old", start), "x"))
		newer := withTicket(t, s, "1", "new", start.Add(time.Second))
		wantSame(t, "Ticket()", get[core.Ticket](t)(s.Ticket(t.Context(), realm, newer.Digest)), newer)
		must(t, redeem(s, t, newer, "y"))
	},
	"a newer ticket brings its own payload": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withTicket(t, s, "1", "old", start)
		want := ticketFor("1", "new", start)
		want.Payload, want.MailedTo = "", core.Digest{}
		must(t, s.IssueTicket(t.Context(), want, at(0, core.ActionTicketIssued)))
		wantSame(t, "Ticket()", get[core.Ticket](t)(s.Ticket(t.Context(), realm, want.Digest)), want)
		if got := get[int](t)(s.TicketsSince(t.Context(), realm, "1", core.Digest{}, core.PurposeRecovery, start)); got != 1 {
			t.Errorf("TicketsSince() = %d, want 1: the second was not mailed", got)
		}
	},
	"tickets are counted, replaced ones included": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		for i := range 5 {
			withTicket(t, s, "1", fmt.Sprint("secret ", i), start.Add(time.Duration(i)*time.Minute))
		}
		withTicket(t, s, "2", "bob's", start)
		for _, tt := range []struct {
			name      string
			realm     core.Realm
			account   core.AccountID
			recipient string
			purpose   core.Purpose
			from      time.Time
			want      int
		}{
			{"all", realm, "1", "nobody@example.com", core.PurposeRecovery, start, 5},
			{"ever", realm, "1", "nobody@example.com", core.PurposeRecovery, time.Time{}, 5},
			{"the instant itself counts", realm, "1", "nobody@example.com", core.PurposeRecovery, start.Add(2 * time.Minute), 3},
			{"a microsecond later does not", realm, "1", "nobody@example.com", core.PurposeRecovery, start.Add(2*time.Minute + time.Microsecond), 2},
			{"later", realm, "1", "nobody@example.com", core.PurposeRecovery, start.Add(time.Hour), 0},
			{"another account", realm, "2", "nobody@example.com", core.PurposeRecovery, start, 1},
			{"another purpose", realm, "1", "nobody@example.com", "invitation", start, 0},
			{"another realm", other, "1", "nobody@example.com", core.PurposeRecovery, start, 0},
			{"an address, whosever", realm, "1", "2@example.com", core.PurposeRecovery, start, 6},
			{"an address alone", realm, "nobody", "1@example.com", core.PurposeRecovery, start, 5},
			{"an address in another case", realm, "nobody", "1@EXAMPLE.com", core.PurposeRecovery, start, 5},
			{"an address and the account that has it", realm, "1", "1@example.com", core.PurposeRecovery, start, 5},
			{"an address, later", realm, "nobody", "1@example.com", core.PurposeRecovery, start.Add(time.Hour), 0},
			{"an address in another realm", other, "nobody", "1@example.com", core.PurposeRecovery, start, 0},
		} {
			if got := get[int](t)(s.TicketsSince(t.Context(), tt.realm, tt.account, core.Recipient(tt.recipient), tt.purpose, tt.from)); got != tt.want {
				t.Errorf("%s: TicketsSince() = %d, want %d", tt.name, got, tt.want)
			}
		}
	},
	"redeeming marks the ticket and changes the account": func(t *testing.T, s Store) {
		withRealms(t, s)
		a := withAccount(t, s, "1", "alice")
		ticket := withTicket(t, s, "1", "secret", start)
		before := last(t, s)
		must(t, s.RedeemTicket(t.Context(), realm, ticket.Digest, start.Add(time.Minute), func(given core.Ticket, to *core.Account) (core.Event, error) {
			wantSame(t, "the ticket given to change", given, ticket)
			wantSame(t, "the account given to change", *to, a)
			to.PasswordHash = "new"
			return at(7, core.ActionPasswordReset), nil
		}))
		wantTicket, wantAccount := ticket, a
		wantTicket.UsedAt = start.Add(time.Minute)
		wantAccount.PasswordHash, wantAccount.Version = "new", 2
		wantSame(t, "Ticket()", get[core.Ticket](t)(s.Ticket(t.Context(), realm, ticket.Digest)), wantTicket)
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), wantAccount)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionPasswordReset})
	},
	"a ticket is refused for what it is": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		ticket := withTicket(t, s, "1", "secret", start)
		foreign := ticket
		foreign.Realm = other
		wantKind(t, "RedeemTicket(another realm)", redeem(s, t, foreign, "x"), core.TicketUnknown)
		wantKind(t, "RedeemTicket(never issued)", redeem(s, t, ticketFor("1", "guess", start), "x"), core.TicketUnknown)
		must(t, redeem(s, t, ticket, "new"))
		before := last(t, s)
		wantKind(t, "RedeemTicket(again)", redeem(s, t, ticket, "x"), core.TicketUsed)
		wantSame(t, "events", journal(t, s, before), nil)
		if a := get[core.Account](t)(s.Account(t.Context(), realm, "1")); a.PasswordHash != "new" {
			t.Error("a refused ticket changed the account")
		}
	},
	"the error of change undoes everything and is returned as it is": func(t *testing.T, s Store) {
		withRealms(t, s)
		want := withAccount(t, s, "1", "alice")
		ticket := withTicket(t, s, "1", "secret", start)
		before := last(t, s)
		err := s.RedeemTicket(t.Context(), realm, ticket.Digest, start, func(_ core.Ticket, a *core.Account) (core.Event, error) {
			a.Name = "changed"
			return at(1, core.ActionPasswordReset), errChange
		})
		if err != errChange { //nolint:errorlint // the very error is promised
			t.Errorf("RedeemTicket() = %v, want %v itself", err, errChange)
		}
		wantSame(t, "Account()", get[core.Account](t)(s.Account(t.Context(), realm, "1")), want)
		wantSame(t, "Ticket()", get[core.Ticket](t)(s.Ticket(t.Context(), realm, ticket.Digest)), ticket)
		wantSame(t, "events", journal(t, s, before), nil)
		must(t, redeem(s, t, ticket, "new"))
	},
	"a conflict of the account leaves the ticket unused": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		withAccount(t, s, "2", "bob")
		ticket := withTicket(t, s, "1", "secret", start)
		err := s.RedeemTicket(t.Context(), realm, ticket.Digest, start, func(_ core.Ticket, a *core.Account) (core.Event, error) {
			a.Login = "bob"
			return at(1, core.ActionPasswordReset), nil
		})
		wantKind(t, "RedeemTicket()", err, core.Conflict)
		must(t, redeem(s, t, ticket, "new"))
	},
	"of 100 parallel uses one succeeds": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		for round := range 5 {
			ticket := withTicket(t, s, "1", fmt.Sprint("secret ", round), start)
			before := last(t, s)
			errs := parallel(100, func(i int) error {
				return redeem([]Store{s, second}[i%2], t, ticket, fmt.Sprint("hash ", i))
			})
			wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 1, core.TicketUsed: 99})
			wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionPasswordReset})
			a := get[core.Account](t)(s.Account(t.Context(), realm, "1"))
			for i, err := range errs {
				if err == nil && string(a.PasswordHash) != fmt.Sprint("hash ", i) {
					t.Errorf("call %d succeeded, but another's password is stored", i)
				}
			}
		}
	},
	"of tickets issued at once one is left": func(t *testing.T, s Store) {
		second := reopen(t, s)
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		errs := parallel(20, func(i int) error {
			return []Store{s, second}[i%2].IssueTicket(t.Context(), ticketFor("1", fmt.Sprint(i), start), at(i, core.ActionTicketIssued))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 20})
		left := 0
		for i := range 20 {
			if _, err := s.Ticket(t.Context(), realm, ticketFor("1", fmt.Sprint(i), start).Digest); err == nil {
				left++
			}
		}
		if left != 1 {
			t.Errorf("%d tickets are left, want 1", left)
		}
		if got := get[int](t)(s.TicketsSince(t.Context(), realm, "1", core.Digest{}, core.PurposeRecovery, start)); got != 20 {
			t.Errorf("TicketsSince() = %d, want 20", got)
		}
	},
}
