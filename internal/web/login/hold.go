package login

import (
	"context"
	"sync/atomic"
	"time"
)

// Clients that come back without a pause would spend on refusals what logins
// need; a refusal for overload is therefore held back. Held requests cost memory,
// so that only so many are.
const (
	holdTime = 500 * time.Millisecond
	maxHeld  = 4096
)

type hold struct {
	time time.Duration
	most int64
	held atomic.Int64
}

// wait returns after the time of a hold, when ctx ends, or at once when too many wait.
func (h *hold) wait(ctx context.Context) {
	defer h.held.Add(-1)
	if h.held.Add(1) > h.most {
		return
	}
	timer := time.NewTimer(h.time)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
