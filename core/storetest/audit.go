package storetest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// verified wants a journal whose links hold, and returns what was found.
func verified(t *testing.T, s Store) core.AuditReport {
	t.Helper()
	report, err := core.VerifyJournal(t.Context(), s, core.NewChain(core.Secret{}), nil)
	must(t, err)
	for _, fault := range report.Faults {
		t.Errorf("VerifyJournal(): %v", fault)
	}
	return report
}

func sequences(records []core.RecordedEvent) (all []int64) {
	for _, e := range records {
		all = append(all, e.Sequence)
	}
	return all
}

var auditTests = map[string]func(*testing.T, Store){
	"records are linked, one after the other, whoever records": func(t *testing.T, s Store) {
		wantSame(t, "empty", verified(t, s).Records, int64(0))
		stores := []Store{s}
		if r, ok := s.(Reopener); ok {
			stores = append(stores, r.Reopen(t)) // as another process
		}
		const all = 300
		errs := parallel(all, func(i int) error {
			return stores[i%len(stores)].Record(t.Context(), at(i, core.ActionExchange))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": all})
		report := verified(t, s)
		wantSame(t, "records", report.Records, int64(all))
		wantSame(t, "head", report.Head.Sequence, int64(all))
		for i, e := range get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, all+1)) {
			wantSame(t, "sequence", e.Sequence, int64(i+1))
		}
	},
	"another key finds every link wrong": func(t *testing.T, s Store) {
		must(t, s.Record(t.Context(), at(1, core.ActionExchange)))
		report, err := core.VerifyJournal(t.Context(), s, core.NewChain(core.NewSecret("another")), nil)
		must(t, err)
		wantSame(t, "faults", len(report.Faults), 2) // its seal and its link
	},
	"a step that fails leaves no gap": func(t *testing.T, s Store) {
		withRealms(t, s)
		withAccount(t, s, "1", "alice")
		errs := parallel(60, func(i int) error {
			if i%2 == 0 {
				return s.Record(t.Context(), at(i, core.ActionExchange))
			}
			return s.CreateAccount(t.Context(), account("2", "alice"), at(i, core.ActionAccountCreated))
		})
		wantSame(t, "errors", kinds(errs), map[core.Kind]int{"": 30, core.Conflict: 30})
		verified(t, s)
	},
	"records are found by each member of a filter": func(t *testing.T, s Store) {
		for i := range 8 {
			must(t, s.Record(t.Context(), at(i, core.ActionExchange)))
		}
		odd := at(8, core.ActionKeyRevoked)
		odd.Realm, odd.Account, odd.Key, odd.Outcome, odd.RequestID = other, "odd-account", "odd-key", core.KeyRevoked, "odd-request"
		must(t, s.Record(t.Context(), odd))
		for name, filter := range map[string]core.EventFilter{
			"realm": {Realm: other}, "account": {Account: "odd-account"}, "key": {Key: "odd-key"},
			"action": {Action: core.ActionKeyRevoked}, "outcome": {Outcome: core.KeyRevoked}, "request": {RequestID: "odd-request"},
			"from": {From: odd.At}, "all": {Realm: other, Account: "odd-account", Outcome: core.KeyRevoked, Refused: true},
		} {
			wantSame(t, name, sequences(get[[]core.RecordedEvent](t)(s.FindEvents(t.Context(), filter, 0, 10))), []int64{9})
			wantSame(t, name+", last", sequences(get[[]core.RecordedEvent](t)(s.LastEvents(t.Context(), filter, 10))), []int64{9})
		}
		between := core.EventFilter{From: at(2, "").At, To: at(5, "").At}
		wantSame(t, "from and to", sequences(get[[]core.RecordedEvent](t)(s.FindEvents(t.Context(), between, 0, 10))), []int64{3, 4, 5})
		wantSame(t, "after", sequences(get[[]core.RecordedEvent](t)(s.FindEvents(t.Context(), between, 3, 1))), []int64{4})
		wantSame(t, "the last two", sequences(get[[]core.RecordedEvent](t)(s.LastEvents(t.Context(), core.EventFilter{Realm: realm}, 2))), []int64{7, 8})
		wantSame(t, "none", len(get[[]core.RecordedEvent](t)(s.LastEvents(t.Context(), core.EventFilter{}, 0))), 0)
	},
	"what is trimmed is the oldest, and the rest still holds": func(t *testing.T, s Store) {
		for i := range 10 {
			must(t, s.Record(t.Context(), at(i, core.ActionExchange)))
		}
		late := at(3, core.ActionExchange) // the clock went back: nothing newer goes before it
		must(t, s.Record(t.Context(), late))
		wantSame(t, "removed", get[int](t)(s.TrimEvents(t.Context(), at(5, "").At, 3)), 3)
		wantSame(t, "removed then", get[int](t)(s.TrimEvents(t.Context(), at(5, "").At, 3)), 2)
		wantSame(t, "removed last", get[int](t)(s.TrimEvents(t.Context(), at(5, "").At, 3)), 0)
		wantSame(t, "kept", sequences(get[[]core.RecordedEvent](t)(s.Events(t.Context(), "", 0, 20))), []int64{6, 7, 8, 9, 10, 11})
		wantSame(t, "base", verified(t, s).Head.Base, int64(5))
		must(t, s.Record(t.Context(), at(20, core.ActionExchange)))
		wantSame(t, "all trimmed", get[int](t)(s.TrimEvents(t.Context(), at(30, "").At.Add(time.Hour), 100)), 7)
		wantSame(t, "then", verified(t, s).Head, get[core.JournalHead](t)(s.JournalHead(t.Context())))
		must(t, s.Record(t.Context(), at(21, core.ActionExchange)))
		wantSame(t, "the next", verified(t, s).Head.Sequence, int64(13))
	},
	"what is trimmed while it is verified is not missed": func(t *testing.T, s Store) {
		for i := range 4 {
			must(t, s.Record(t.Context(), at(i, core.ActionExchange)))
		}
		wantSame(t, "records", verified(t, &trimmer{Store: s}).Records, int64(2))
	},
	"addresses are erased and the rest still holds": func(t *testing.T, s Store) {
		for i, who := range []core.AccountID{"ada", "grace", "ada"} {
			e := at(i, core.ActionExchange)
			e.Account, e.Address = who, netip.MustParseAddr("192.0.2.7")
			must(t, s.Record(t.Context(), e))
		}
		event := at(9, core.ActionAddressesErased)
		event.Account = "ada"
		event.Address = netip.Addr{}
		wantSame(t, "erased", get[int](t)(s.EraseAddresses(t.Context(), realm, "ada", event)), 2)
		wantSame(t, "in the report", verified(t, s).Erased, int64(2))
		for _, e := range get[[]core.RecordedEvent](t)(s.FindEvents(t.Context(), core.EventFilter{Action: core.ActionExchange}, 0, 10)) {
			if erased := !e.Address.IsValid() && e.Erased(); erased != (e.Account == "ada") {
				t.Errorf("record %d of %s: address %v, salt %x", e.Sequence, e.Account, e.Address, e.Salt)
			}
		}
		wantSame(t, "again", get[int](t)(s.EraseAddresses(t.Context(), realm, "ada", event)), 0)
	},
}

// trimmer trims the journal behind the back of the first who reads it.
type trimmer struct {
	Store
	trimmed bool
}

func (s *trimmer) FindEvents(ctx context.Context, filter core.EventFilter, after int64, limit int) ([]core.RecordedEvent, error) {
	if !s.trimmed {
		s.trimmed = true
		if _, err := s.TrimEvents(ctx, at(2, "").At, 10); err != nil {
			return nil, err
		}
	}
	return s.Store.FindEvents(ctx, filter, after, limit)
}
