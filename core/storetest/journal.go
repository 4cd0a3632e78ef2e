package storetest

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/chancery-auth/chancery/core"
)

var journalTests = map[string]func(*testing.T, Store){
	"what is recorded is returned": func(t *testing.T, s Store) {
		full := at(1, core.ActionExchange)
		empty := core.Event{}
		v4 := at(2, core.ActionExchange)
		v4.Address = netip.MustParseAddr("192.0.2.1")
		zoned := at(3, core.ActionExchange)
		zoned.Address = netip.MustParseAddr("fe80::1%eth0")
		mapped := at(4, core.ActionExchange)
		mapped.Address = netip.MustParseAddr("::ffff:192.0.2.1")
		want := []core.Event{full, empty, v4, zoned, mapped}
		for _, e := range want {
			must(t, s.Record(t.Context(), e))
		}
		var got []core.Event
		for _, e := range get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, 10)) {
			got = append(got, e.Event)
		}
		wantSame(t, "Events()", got, want)
	},
	"events are in order of sequence, by realm and paged": func(t *testing.T, s Store) {
		for i := range 25 {
			e := at(i, core.ActionExchange)
			if i%5 == 0 {
				e.Realm = other
			}
			must(t, s.Record(t.Context(), e))
		}
		for _, tt := range []struct {
			realm core.Realm
			want  int
		}{{"", 25}, {realm, 20}, {other, 5}, {"nowhere", 0}} {
			for _, limit := range []int{1, 4, 100} {
				var got []core.RecordedEvent
				for after := int64(0); ; after = got[len(got)-1].Sequence {
					page := get[[]core.RecordedEvent](t)(s.Events(t.Context(), tt.realm, after, limit))
					if len(page) > limit {
						t.Fatalf("Events(limit %d) returned %d", limit, len(page))
					}
					if len(page) == 0 {
						break
					}
					got = append(got, page...)
				}
				if len(got) != tt.want {
					t.Errorf("realm %q by %d: %d events, want %d", tt.realm, limit, len(got), tt.want)
				}
				for i := range got {
					if i > 0 && (got[i].Sequence <= got[i-1].Sequence || !got[i].At.After(got[i-1].At)) {
						t.Errorf("realm %q: event %d is out of order", tt.realm, i)
					}
				}
			}
		}
		wantSame(t, "limit 0", get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, 0)), nil)
	},
	"of many recorded at once none is lost or changed": func(t *testing.T, s Store) {
		const all = 1_000
		errs := parallel(all, func(i int) error { return s.Record(t.Context(), at(i, core.ActionExchange)) })
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": all})
		seen := map[string]bool{}
		sequences := map[int64]bool{}
		for _, e := range get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, all+1)) {
			var n int
			if _, err := fmt.Sscanf(e.TokenID, "token-%d", &n); err != nil {
				t.Fatal(err)
			}
			if seen[e.TokenID] || sequences[e.Sequence] {
				t.Errorf("%s or its sequence %d is there twice", e.TokenID, e.Sequence)
			}
			seen[e.TokenID], sequences[e.Sequence] = true, true
			wantSame(t, e.TokenID, e.Event, at(n, core.ActionExchange))
		}
		if len(seen) != all {
			t.Errorf("%d events, want %d", len(seen), all)
		}
	},
	"steps that fail do not take others with them": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		before := last(t, s)
		const all = 300
		errs := parallel(all, func(i int) error {
			switch i % 3 {
			case 0:
				return s.Record(t.Context(), at(i, core.ActionExchange))
			case 1: // fails
				return s.CreateAccount(t.Context(), account(fmt.Sprint("x", i), "alice"), at(i, core.ActionAccountCreated))
			default:
				return s.CreateAccount(t.Context(), account(fmt.Sprint("y", i), fmt.Sprint("login", i)), at(i, core.ActionAccountDisabled))
			}
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 200, core.Conflict: 100})
		count := map[core.Action]int{}
		for _, action := range journal(t, s, before) {
			count[action]++
		}
		wantSame(t, "events", count, map[core.Action]int{core.ActionExchange: 100, core.ActionAccountDisabled: 100})
		if got := len(get[[]core.Account](t)(s.AccountList(t.Context(), realm, core.AccountCursor{}, 1_000))); got != 101 {
			t.Errorf("%d accounts, want 101", got)
		}
	},
	"callers that give up are told the truth": func(t *testing.T, s Store) {
		const all = 300
		errs := parallel(all, func(i int) error {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				go cancel()
			}
			defer cancel()
			return s.Record(ctx, at(i, core.ActionExchange))
		})
		recorded := map[string]bool{}
		for _, e := range get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, all)) {
			recorded[e.TokenID] = true
		}
		for i, err := range errs {
			if (err == nil) != recorded[fmt.Sprint("token-", i)] {
				t.Errorf("event %d: error %v, recorded %v", i, err, recorded[fmt.Sprint("token-", i)])
			}
		}
	},
}
