package chancery

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// A Journal is the audit journal, open for who reads and keeps it.
type Journal struct {
	core.Audit
	Registry *core.Registry // by which the accounts and keys that records name are found

	key   core.Secret
	close func() error
}

// OpenJournal opens the audit journal alone. The server may run meanwhile.
func OpenJournal(ctx context.Context, config Config, options Options) (*Journal, error) {
	config = config.WithDefaults()
	opened, keys, err := openStore(ctx, config, options.Log)
	if err != nil {
		return nil, err
	}
	key, err := keys.AuditKey(ctx)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return &Journal{Audit: opened, Registry: newRegistry(opened, nil, keys, nil, time.Now), key: key, close: opened.Close}, nil
}

// Verify goes through the whole journal; progress is told now and then how far it
// is, and may be nil.
func (j *Journal) Verify(ctx context.Context, progress func(done, all int64)) (core.AuditReport, error) {
	return core.VerifyJournal(ctx, j.Audit, core.NewChain(j.key), progress)
}

// Close closes the store.
func (j *Journal) Close() error { return j.close() }

// keepInterval is how often the server tells the journal's anchor, and prunes it.
const keepInterval = time.Hour

// keepJournal prunes the journal, where a retention is set, and tells the log now and
// then what the journal ends with: an anchor that the database does not hold, by
// which `chancery audit verify` finds an end that was cut off. It ends with ctx.
func keepJournal(ctx context.Context, journal core.Audit, retention time.Duration, log *slog.Logger) {
	ticker := time.NewTicker(keepInterval)
	defer ticker.Stop()
	told := int64(-1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		head, err := journal.JournalHead(ctx)
		if err == nil && head.Sequence != told {
			log.InfoContext(ctx, "audit anchor", "record", head.Sequence, "link", hex.EncodeToString(head.Link[:]))
			told = head.Sequence
		}
		if err == nil && retention > 0 {
			now := time.Now()
			_, err = core.TrimJournal(ctx, journal, now.Add(-retention), core.Event{At: now, Action: core.ActionAuditTrimmed, Actor: "server"})
		}
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "cannot keep the audit journal; will try again", "error", err)
		}
	}
}
