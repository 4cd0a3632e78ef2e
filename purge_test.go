package chancery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// rows is a store with so many rows that are over.
type rows struct {
	core.Tokens
	over     int
	failures int         // of the next calls
	calls    []time.Time // when it was asked
}

func (r *rows) PurgeSessions(_ context.Context, before time.Time, limit int) (int, error) {
	r.calls = append(r.calls, time.Now())
	if r.failures > 0 {
		r.failures--
		return 0, errors.New("the store is away")
	}
	if !before.Equal(time.Now().Add(-purgeAge)) {
		return 0, errors.New("it removes what was over before another instant")
	}
	removed := min(r.over, limit)
	r.over -= removed
	return removed, nil
}

func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		store, start := &rows{over: 2*purgeStep + 1, failures: 1}, time.Now()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			purge(ctx, store, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		time.Sleep(3*purgeInterval + time.Second)
		stop()
		<-done
		var after []time.Duration
		for _, call := range store.calls {
			after = append(after, call.Sub(start))
		}
		want := []time.Duration{purgeInterval, 2 * purgeInterval, 2 * purgeInterval, 2 * purgeInterval, 3 * purgeInterval}
		if !slices.Equal(after, want) || store.over != 0 {
			t.Errorf("asked after %v, and %d rows were left; want %v and none", after, store.over, want)
		}
		if strings.Count(log.String(), "the store is away") != 1 {
			t.Errorf("the log does not tell of the failure once:\n%s", log.String())
		}
	})
}
