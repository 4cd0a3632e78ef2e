package store

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

func TestRecentLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecent[int](100)
		reads := 0
		load := func() int {
			if found := r.get("demo", "a"); found != nil {
				return *found
			}
			n, err := r.load("demo", "a", func() (int, error) {
				reads++
				time.Sleep(time.Second) // a slow read: what it finds may be as old as its beginning
				return reads, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		load()
		time.Sleep(time.Second - time.Nanosecond)
		if got := load(); got != 1 {
			t.Errorf("just within two seconds of the read's beginning: read %d, want 1", got)
		}
		time.Sleep(time.Nanosecond)
		if got := load(); got != 2 {
			t.Errorf("two seconds after the read began: read %d, want 2", got)
		}
	})
}

// A read that a change overtakes is not kept, however the two interleave.
func TestRecentRace(t *testing.T) {
	for _, tt := range []struct {
		name   string
		during func(r *recent[int]) (after func())
		kept   bool
	}{
		{"no change", func(*recent[int]) func() { return func() {} }, true},
		{"a whole change during the read", func(r *recent[int]) func() { r.hold("demo", "a")(); return func() {} }, false},
		{"a change that ends after the read", func(r *recent[int]) func() { return r.hold("demo", "a") }, false},
	} {
		r := newRecent[int](100)
		var after func()
		_, _ = r.load("demo", "a", func() (int, error) {
			after = tt.during(r)
			return 1, nil
		})
		if got := r.get("demo", "a") != nil; got != tt.kept {
			t.Errorf("%s: kept %v, want %v", tt.name, got, tt.kept)
		}
		after()
	}
	r := newRecent[int](100)
	release := r.hold("demo", "a")
	_, _ = r.load("demo", "a", func() (int, error) { return 1, nil })
	if r.get("demo", "a") != nil {
		t.Error("a row was kept while it was being changed")
	}
	release()
	_, _ = r.load("demo", "a", func() (int, error) { return 2, nil })
	if got := r.get("demo", "a"); got == nil || *got != 2 {
		t.Errorf("after the change: %v, want 2", got)
	}
	r.hold("demo", "a")()
	if r.get("demo", "a") != nil {
		t.Error("a row was kept beyond its change")
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent[int](1_000)
	for i := range 50_000 {
		if _, err := r.load("demo", fmt.Sprint(i), func() (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for i := range r.shards {
		total += len(r.shards[i].rows)
	}
	if total > 1_000 || total < 500 {
		t.Errorf("%d rows are kept, want at most 1,000 and not many fewer", total)
	}
	if got := r.get("demo", "49999"); got == nil || *got != 49_999 {
		t.Errorf("the newest row is %v", got)
	}
}

func TestRecentAllocates(t *testing.T) {
	s := openTest(t, sqliteURL(t))
	if err := s.PutRealm(t.Context(), core.RealmInfo{Name: "demo"}, exchange(0)); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateAccount(t.Context(), core.Account{ID: "1", Realm: "demo", Login: "alice"}, exchange(0)); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(1_000, func() {
		if _, err := s.RecentAccount(t.Context(), "demo", "1"); err != nil {
			t.Fatal(err)
		}
	})
	if allocs >= 1 {
		t.Errorf("a hit allocates %.0f times, want 0", allocs)
	}
}
