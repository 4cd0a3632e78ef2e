package dialect

import (
	"strings"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

const twoMails = `tickets: {recovery: {lifetime: 30m}, verification: {lifetime: 12h}, challenge: {lifetime: 45s}}
mails:
  recovery: {subject: "New password", link: "https://app.example/reset?t=${ticket.value}"}
  verification: {subject: "Is this ${account.login}?", link: "https://app.example/verify#${ticket.value}"}
routes:`

// TestMailsByPurpose: each purpose has its own words and its own time.
func TestMailsByPurpose(t *testing.T) {
	terms := loadText(t, strings.Replace(filled(nil), "routes:", twoMails, 1)).Terms()
	for purpose, want := range map[core.Purpose]time.Duration{
		core.PurposeRecovery: 30 * time.Minute, core.PurposeVerification: 12 * time.Hour, core.PurposeChallenge: 45 * time.Second,
	} {
		if got := terms.TicketLifetimes[purpose]; got != want {
			t.Errorf("a %s ticket lives %s, want %s", purpose, got, want)
		}
	}
	for purpose, want := range map[core.Purpose]string{
		core.PurposeRecovery:     "New password https://app.example/reset?t=T",
		core.PurposeVerification: "Is this ada? https://app.example/verify#T",
	} {
		subject, link, err := terms.Mails[purpose](core.Account{Login: "ada"}, core.NewSecret("T"))
		if got := subject + " " + link.Reveal(); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", purpose, got, err, want)
		}
	}
	if len(terms.Mails) != 2 {
		t.Errorf("%d mails, want 2", len(terms.Mails))
	}
}

// TestTicketFaults: a ticket lives no longer than its purpose bears, and a mail
// leads somewhere safe.
func TestTicketFaults(t *testing.T) {
	for _, tt := range []struct{ old, changed, want string }{
		{"lifetime: 30m", "lifetime: 25h", "test.yaml:6:32: a ticket lives from 1m to 24h, not 25h0m0s; hint: such as lifetime: 1h"},
		{"lifetime: 12h", "lifetime: 30s", "test.yaml:6:63: a ticket lives from 1m to 24h, not 30s; hint: such as lifetime: 24h"},
		{"lifetime: 45s", "lifetime: 29s", "test.yaml:6:91: a ticket lives from 30s to 15m, not 29s; hint: such as lifetime: 5m"},
		{"lifetime: 45s", "lifetime: 16m", "test.yaml:6:91: a ticket lives from 30s to 15m, not 16m0s; hint: such as lifetime: 5m"},
		{"verify#${ticket.value}", "verify", "test.yaml:9:62: the link lacks ${ticket.value}; hint: such as …?token=${ticket.value}"},
		{"https://app.example/verify", "http://app.example/verify", "test.yaml:9:62: the link is not https, and would show its ticket on the way; hint: its beginning is written out in the file"},
		{"  verification: {subject", "  challenge: {subject", "test.yaml:9:3: mails has no member \"challenge\"; hint: known are recovery, verification"},
	} {
		text := strings.Replace(strings.Replace(filled(nil), "routes:", twoMails, 1), tt.old, tt.changed, 1)
		if _, err := Load("test.yaml", []byte(text), testOptions()); err == nil || err.Error() != tt.want {
			t.Errorf("%s: Load() = %v\nwant %s", tt.changed, err, tt.want)
		}
	}
}
