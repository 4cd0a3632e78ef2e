package chancery

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/store/memory"
)

// TestKeepJournal tells the anchor once an hour, where there is a new one, and prunes
// what is older than its retention.
func TestKeepJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, log := memory.New(), new(strings.Builder)
		record := func() {
			t.Helper()
			if err := journal.Record(t.Context(), core.Event{At: time.Now(), Action: core.ActionExchange}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		record()
		go keepJournal(ctx, journal, 48*time.Hour, slog.New(slog.NewTextHandler(log, nil)))
		time.Sleep(5*keepInterval + time.Second)
		synctest.Wait()
		if got := strings.Count(log.String(), "audit anchor"); got != 1 {
			t.Errorf("%d anchors were told in 5 hours without a record, want 1:\n%s", got, log)
		}
		record()
		time.Sleep(45 * time.Hour)
		synctest.Wait()
		found, err := journal.Events(t.Context(), "", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 2 || found[0].Sequence != 2 || found[1].Action != core.ActionAuditTrimmed {
			t.Errorf("after 50 hours there are %+v, want the second record and that of the pruning", found)
		}
	})
}
