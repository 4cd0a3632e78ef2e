package chancery

import (
	"context"
	"log/slog"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// The purge removes sessions and tokens that are over. It keeps them for a day, in
// which their tokens are told apart from those that never were.
const (
	purgeInterval = 10 * time.Minute
	purgeStep     = 1000 // rows in one transaction, which others wait for
	purgeAge      = 24 * time.Hour
)

// purge removes what is over time and again, until ctx ends.
func purge(ctx context.Context, tokens core.Tokens, log *slog.Logger) {
	ticker := time.NewTicker(purgeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := purgeOnce(ctx, tokens); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "cannot remove sessions that are over; will try again", "error", err)
		}
	}
}

// purgeOnce removes all that is over, step by step.
func purgeOnce(ctx context.Context, tokens core.Tokens) error {
	before := time.Now().Add(-purgeAge)
	for ctx.Err() == nil {
		removed, err := tokens.PurgeSessions(ctx, before, purgeStep)
		if err != nil || removed < purgeStep {
			return err
		}
	}
	return ctx.Err()
}
