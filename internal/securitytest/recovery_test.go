package securitytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-auth/chancery"
	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/pgtest"
)

// withSetting gives the one dialect with recovery a setting.
func withSetting(name string, value any) func(*chancery.Config) {
	return func(config *chancery.Config) { config.Serve[0].Settings[name] = value }
}

// opens reports how a configuration with a setting starts.
func opens(t *testing.T, change ...func(*chancery.Config)) error {
	t.Helper()
	config := siteConfig(t.TempDir(), "http://127.0.0.1:1")
	for _, f := range change {
		f(&config)
	}
	server, err := chancery.Open(t.Context(), config, chancery.Options{})
	if err != nil {
		return err
	}
	return server.Close()
}

// TestTicketLifetimes proves S25: an hour unless it is set, a day at most.
func TestTicketLifetimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		setting string
		want    time.Duration // 0: does not start
	}{{"", time.Hour}, {"1m", time.Minute}, {"24h", 24 * time.Hour}, {"24h1s", 0}, {"25h", 0}, {"59s", 0}, {"0s", 0}, {"-1h", 0}} {
		var change []func(*chancery.Config)
		if tt.setting != "" {
			change = append(change, withSetting("ticket_lifetime", tt.setting))
		}
		if tt.want == 0 {
			if err := opens(t, change...); err == nil || !strings.Contains(err.Error(), "24h") {
				t.Errorf("ticket_lifetime %q: %v, want the start refused with the bounds", tt.setting, err)
			}
			continue
		}
		s := openSite(t, change...)
		account := s.account(t, instant)
		s.send(t, recovery(account.Login))
		if mail := s.collect(t, account.Email)[account.Email]; mail.Lifetime != tt.want || mail.ExpiresAt.After(time.Now().Add(tt.want)) {
			t.Errorf("ticket_lifetime %q: the mail says %v until %v, want %v", tt.setting, mail.Lifetime, mail.ExpiresAt, tt.want)
		}
	}
}

// TestTicketOpensOnceOnTwoReplicas proves S26: of all uses at once, spread over two
// servers on one database, one succeeds, and its password is the one that holds.
func TestTicketOpensOnceOnTwoReplicas(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { opensOnce(t) })
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.URL(t)
		opensOnce(t, func(config *chancery.Config) { config.Database = url })
	})
}

func opensOnce(t *testing.T, change ...func(*chancery.Config)) {
	// Each use is decided, however slow the machine: none is turned away for overload.
	patient := func(config *chancery.Config) { config.Hashing.QueueTimeout = 20 * time.Second }
	first := openSite(t, append(change, patient)...)
	replicas := []*site{first, first.replica(t)}
	rounds, parallel := 1, 40 // contracttest's TestSingleUse sends 100 to one server
	if long() {
		rounds, parallel = 100, 100
	}
	for range rounds {
		account := first.account(t, instant)
		// The mail goes out from whichever replica takes the notice first.
		first.send(t, recovery(account.Login))
		ticket := ticketFrom(t, replicas, account.Email)
		var won, lost, winner atomic.Int64
		var uses sync.WaitGroup
		start := make(chan struct{})
		for n := range parallel {
			uses.Go(func() {
				<-start
				got, err := exchange(replicas[n%2].server.Addr(), reset(ticket, fmt.Sprintf("new password %03d", n)).text())
				switch {
				case err != nil:
					t.Error(err)
				case got.status == 200:
					won.Add(1)
					winner.Store(int64(n))
				case got.status == 400:
					lost.Add(1)
				default:
					t.Errorf("use %d: %s", n, got)
				}
			})
		}
		close(start)
		uses.Wait()
		if won.Load() != 1 || int(lost.Load()) != parallel-1 {
			t.Fatalf("%d uses succeeded and %d were refused, want 1 and %d", won.Load(), lost.Load(), parallel-1)
		}
		for _, replica := range replicas {
			replica.token(t, instant, account.Login, fmt.Sprintf("new password %03d", winner.Load()))
			if got := replica.send(t, instant.loginWith(account.Login, password)); got.status != 400 {
				t.Errorf("the old password: %s", got)
			}
		}
	}
}

// ticketFrom takes the ticket out of the mail that one of the replicas sent.
func ticketFrom(t *testing.T, replicas []*site, to string) string {
	t.Helper()
	var m core.Mail
	for m.To != to {
		select {
		case m = <-replicas[0].mails:
		case m = <-replicas[1].mails:
		case <-time.After(patience):
			t.Fatalf("no mail to %s", to)
		}
	}
	return ticketOf(t, m)
}

// TestLinkComesFromTheConfigurationAlone proves S30: whatever a request for
// recovery says of where it went, also through a proxy that is trusted, the mailed
// link begins with the configured address and holds nothing but its ticket.
func TestLinkComesFromTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	const evil = "evil.example"
	tricks := map[string]func(*request){
		"X-Forwarded-Host":       with("X-Forwarded-Host: " + evil),
		"X-Forwarded-Host twice": with("X-Forwarded-Host: "+evil, "X-Forwarded-Host: "+instant.host()),
		"X-Forwarded-Proto":      with("X-Forwarded-Proto: http"),
		"X-Forwarded-Port":       with("X-Forwarded-Port: 8443"),
		"X-Forwarded-Prefix":     with("X-Forwarded-Prefix: /" + evil),
		"X-Forwarded-Server":     with("X-Forwarded-Server: " + evil),
		"Forwarded":              with("Forwarded: for=192.0.2.1;host=" + evil + ";proto=http"),
		"X-Host":                 with("X-Host: " + evil),
		"X-Original-Host":        with("X-Original-Host: " + evil),
		"X-HTTP-Host-Override":   with("X-HTTP-Host-Override: " + evil),
		"X-Original-URL":         with("X-Original-URL: https://"+evil+"/", "X-Rewrite-URL: https://"+evil+"/"),
		"Origin and Referer":     with("Origin: https://"+evil, "Referer: https://"+evil+"/reset"),
		"port in Host":           func(r *request) { r.host += ":8443" },
		"Host in capitals":       func(r *request) { r.host = strings.ToUpper(r.host) },
		"absolute target": func(r *request) {
			method, path, _ := strings.Cut(r.line, " ")
			r.line = method + " https://" + r.host + path
		},
		"body and query": func(r *request) {
			r.line += "?frontend_url=https://" + evil + "&host=" + evil
			r.headers, r.body = []string{"Content-Type: application/json"}, `{"frontend_url":"https://`+evil+`","host":"`+evil+`"}`
		},
	}
	if len(tricks) < 12 {
		t.Fatalf("%d tricks, want 12", len(tricks))
	}
	for name, change := range map[string]func(*chancery.Config){
		"nobody trusted":     func(*chancery.Config) {},
		"a proxy is trusted": func(config *chancery.Config) { config.TrustedProxies = []string{"127.0.0.0/8"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := openSite(t, change)
			asked := map[string]string{} // addresses, by trick
			for name, trick := range tricks {
				account := s.account(t, instant)
				r := recovery(account.Login)
				trick(&r)
				if got := s.send(t, r); got.status != 200 {
					t.Fatalf("%s: %s", name, got)
				}
				asked[name] = account.Email
			}
			mails := s.collect(t, slices.Collect(maps.Values(asked))...)
			for name, address := range asked {
				checkLink(t, name, mails[address].Link.Reveal())
			}
			// A Host of another's is no host of ours, or two of them: no mail at all.
			for name, text := range map[string]string{
				"another Host": strings.Replace(recovery("x").text(), "Host: "+instant.host(), "Host: "+evil, 1),
				"two Hosts":    strings.Replace(recovery("x").text(), "Host: ", "Host: "+evil+"\r\nHost: ", 1),
				"absolute":     strings.Replace(recovery("x").text(), "POST /", "POST https://"+evil+"/", 1),
			} {
				if got := s.sendText(t, text); got.status != 404 && got.status != 400 && got.status != 421 {
					t.Errorf("%s: %s, want it refused", name, got)
				}
			}
		})
	}
	t.Run("any Host", func(t *testing.T) {
		s := openSite(t, func(config *chancery.Config) { config.Serve = config.Serve[:1]; config.Serve[0].Host = "" })
		account := s.account(t, instant)
		r := recovery(account.Login)
		r.host = evil
		s.send(t, r)
		checkLink(t, "another Host", s.collect(t, account.Email)[account.Email].Link.Reveal())
	})
}

func with(headers ...string) func(*request) {
	return func(r *request) { r.headers = append(r.headers, headers...) }
}

func checkLink(t *testing.T, name, link string) {
	t.Helper()
	ticket, ok := strings.CutPrefix(link, frontend+"/reset-password?token=")
	if !ok || len(ticket) < 43 || strings.Trim(ticket, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%s: the link is %s", name, link)
	}
}

// TestNoStartWithoutASafeLink proves S30: with mail on there is no start without an
// https address that links can begin with; plain http is for this machine alone.
func TestNoStartWithoutASafeLink(t *testing.T) {
	t.Parallel()
	for address, starts := range map[string]bool{
		"https://app.example": true, "https://app.example:8443/a/b": true, "http://localhost:3000": true, "http://127.0.0.1:3000": true, "http://[::1]:3000": true,
		"": false, "/reset": false, "app.example": false, "//app.example": false, "https://": false, "https:///reset": false, "http://app.example": false,
		"http://localhost.evil.example": false, "http://127.0.0.1.evil.example": false, "http://10.0.0.1": false, "ftp://app.example": false,
		"javascript:alert(1)": false, "https://user@app.example": false, "https://user:pass@app.example": false, "HTTP://app.example": false,
	} {
		err := opens(t, withSetting("frontend_url", address))
		if (err == nil) != starts {
			t.Errorf("frontend_url %q: %v, want it to start: %v", address, err, starts)
		}
		if err != nil && !strings.Contains(err.Error(), "mails.recovery") && !strings.Contains(err.Error(), "link") {
			t.Errorf("frontend_url %q: %v does not say what is wrong", address, err)
		}
	}
	// Nor does it start when mails have nowhere to go.
	if err := opens(t, func(config *chancery.Config) { config.Mail = chancery.MailConfig{} }); err == nil || !strings.Contains(err.Error(), "mail") {
		t.Errorf("without a mail server: %v", err)
	}
}

// TestTicketsDie proves S27 through the whole server, for what ends a ticket beside
// its use: a newer request, a change of address, an end of the account. A1's own
// words for a disabled account are in contracttest.
func TestTicketsDie(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	change := func(account core.Account, edit func(*core.AccountSpec)) {
		spec := core.AccountSpec{Realm: account.Realm, Login: account.Login, Email: account.Email, Name: account.Name, Active: true, Verified: true}
		edit(&spec)
		if _, err := s.server.Registry().UpdateAccount(t.Context(), spec, core.Origin{Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	ends := map[string]func(account core.Account, ticket string){
		"used":           func(_ core.Account, ticket string) { s.send(t, reset(ticket, "first password")) },
		"newer request":  func(account core.Account, _ string) { s.ticket(t, account) },
		"newer one used": func(account core.Account, _ string) { s.send(t, reset(s.ticket(t, account), "first password")) },
		"address changed": func(account core.Account, _ string) {
			change(account, func(spec *core.AccountSpec) { spec.Email = "new-" + account.Email })
		},
		"address changed and back": func(account core.Account, _ string) {
			change(account, func(spec *core.AccountSpec) { spec.Email = "new-" + account.Email })
			change(account, func(*core.AccountSpec) {})
		},
		"disabled": func(account core.Account, _ string) {
			change(account, func(spec *core.AccountSpec) { spec.Active = false })
		},
		"disabled and enabled": func(account core.Account, _ string) {
			change(account, func(spec *core.AccountSpec) { spec.Active = false })
			change(account, func(*core.AccountSpec) {})
		},
		"deleted": func(account core.Account, _ string) {
			if _, err := s.database(t).ExecContext(t.Context(), `delete from tickets where account = $1`, string(account.ID)); err != nil {
				t.Fatal(err)
			}
			s.delete(t, instant, account.Login)
		},
	}
	accounts := map[string]core.Account{}
	for name := range ends {
		accounts[name] = s.account(t, instant)
	}
	tickets := s.tickets(t, slices.Collect(maps.Values(accounts))...)
	for name, end := range ends {
		account := accounts[name]
		ticket := tickets[account.Email]
		end(account, ticket)
		if got := s.send(t, reset(ticket, "late password")); got.status != 400 {
			t.Errorf("%s: %s, want 400", name, got)
		}
		if got := s.send(t, instant.loginWith(account.Login, "late password")); got.status != 400 {
			t.Errorf("%s: the late password lets in: %s", name, got)
		}
	}
}
