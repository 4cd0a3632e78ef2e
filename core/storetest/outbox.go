package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func notice(id string, due time.Time) core.Notice {
	return core.Notice{ID: id, Realm: realm, Dialect: "dialect", Purpose: core.PurposeRecovery, Login: "alice",
		RequestID: "request", CreatedAt: start, DueAt: due}
}

func withNotice(t *testing.T, s Store, id string, due time.Time) core.Notice {
	t.Helper()
	n := notice(id, due)
	must(t, s.Enqueue(t.Context(), n, at(0, core.ActionRecoveryRequested)))
	return n
}

// leased returns the ids that a lease at now gives, for a minute.
func leased(t *testing.T, s Store, now time.Time, limit int) []string {
	t.Helper()
	ids := []string{}
	for _, n := range get[[]core.Notice](t)(s.LeaseNotices(t.Context(), now, now.Add(time.Minute), limit)) {
		ids = append(ids, n.ID)
	}
	return ids
}

var outboxTests = map[string]func(*testing.T, Store){
	"what is enqueued is leased": func(t *testing.T, s Store) {
		before := last(t, s)
		want := withNotice(t, s, "n", start)
		got := get[[]core.Notice](t)(s.LeaseNotices(t.Context(), start, start.Add(time.Minute), 10))
		wantSame(t, "LeaseNotices()", got, []core.Notice{want})
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionRecoveryRequested})
	},
	"a taken id is Conflict and leaves no event": func(t *testing.T, s Store) {
		withNotice(t, s, "n", start)
		before := last(t, s)
		wantKind(t, "Enqueue()", s.Enqueue(t.Context(), notice("n", start), at(1, core.ActionRecoveryRequested)), core.Conflict)
		wantSame(t, "events", journal(t, s, before), nil)
	},
	"only what is due is leased, the longest due first": func(t *testing.T, s Store) {
		withNotice(t, s, "later", start.Add(time.Microsecond))
		withNotice(t, s, "b", start)
		withNotice(t, s, "a", start)
		withNotice(t, s, "first", start.Add(-time.Hour))
		wantSame(t, "limit 0", leased(t, s, start, 0), nil)
		wantSame(t, "limit 2", leased(t, s, start, 2), []string{"first", "a"})
		wantSame(t, "the rest", leased(t, s, start, 10), []string{"b"})
		wantSame(t, "then", leased(t, s, start.Add(time.Microsecond), 10), []string{"later"})
	},
	"a lease hides until it ends": func(t *testing.T, s Store) {
		withNotice(t, s, "n", start)
		wantSame(t, "at first", leased(t, s, start, 10), []string{"n"})
		wantSame(t, "within the lease", leased(t, s, start.Add(time.Minute-time.Microsecond), 10), nil)
		wantSame(t, "when it ends", leased(t, s, start.Add(time.Minute), 10), []string{"n"})
	},
	"postponing counts an attempt and ends the lease": func(t *testing.T, s Store) {
		want := withNotice(t, s, "n", start)
		leased(t, s, start, 10)
		must(t, s.PostponeNotice(t.Context(), "n", start.Add(10*time.Second)))
		wantSame(t, "before it is due", leased(t, s, start.Add(9*time.Second), 10), nil)
		got := get[[]core.Notice](t)(s.LeaseNotices(t.Context(), start.Add(10*time.Second), start.Add(time.Minute), 10))
		want.Attempts, want.DueAt = 1, start.Add(10*time.Second)
		wantSame(t, "LeaseNotices()", got, []core.Notice{want})
		wantKind(t, "PostponeNotice(not there)", s.PostponeNotice(t.Context(), "m", start), core.NotFound)
	},
	"removing ends the notice, with or without an event": func(t *testing.T, s Store) {
		withNotice(t, s, "a", start)
		withNotice(t, s, "b", start)
		before := last(t, s)
		must(t, s.RemoveNotice(t.Context(), "a", core.Event{}))
		wantSame(t, "events", journal(t, s, before), nil)
		must(t, s.RemoveNotice(t.Context(), "b", at(1, core.ActionMailExpired)))
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionMailExpired})
		wantSame(t, "leased", leased(t, s, start, 10), nil)
		wantKind(t, "RemoveNotice(again)", s.RemoveNotice(t.Context(), "b", at(1, core.ActionMailExpired)), core.NotFound)
		wantSame(t, "events", journal(t, s, before), []core.Action{core.ActionMailExpired})
	},
	"callers at once never lease the same notice": func(t *testing.T, s Store) {
		second := reopen(t, s)
		const all = 200
		errs := parallel(all, func(i int) error {
			return s.Enqueue(t.Context(), notice(fmt.Sprintf("n%03d", i), start), at(i, core.ActionRecoveryRequested))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": all})
		got := make([][]core.Notice, 40)
		errs = parallel(len(got), func(i int) (err error) {
			got[i], err = []Store{s, second}[i%2].LeaseNotices(t.Context(), start, start.Add(time.Minute), 10)
			return err
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": len(got)})
		seen := map[string]int{}
		for _, page := range got {
			for _, n := range page {
				if seen[n.ID]++; seen[n.ID] > 1 {
					t.Errorf("%s was leased twice", n.ID)
				}
			}
		}
		for _, id := range leased(t, s, start, all) {
			seen[id]++
		}
		if len(seen) != all {
			t.Errorf("%d notices were leased, want %d", len(seen), all)
		}
	},
}
