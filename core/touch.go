package core

import (
	"context"
	"sync"
	"time"
)

// maxTouching bounds the sessions whose use is being written down at a time. Those
// beyond are written down by a later use.
const maxTouching = 1024

// touching are the sessions whose use is being written down.
type touching struct {
	mu  sync.Mutex
	ids map[SessionID]struct{}
}

// begin reports whether the caller is to write; it then calls end.
func (t *touching) begin(id SessionID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.ids[id]; ok || len(t.ids) >= maxTouching {
		return false
	}
	if t.ids == nil {
		t.ids = map[SessionID]struct{}{}
	}
	t.ids[id] = struct{}{}
	return true
}

func (t *touching) end(id SessionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.ids, id)
}

// touch writes down that a session is used, where it would otherwise end of not
// being used: 16 times within that time, and beside the request that uses it. Only
// when its end is near does the request wait.
func (a *Authority) touch(ctx context.Context, session *Session, now time.Time) {
	if session == nil || session.Idle == 0 {
		return
	}
	step := max(session.Idle/16, min(time.Second, session.Idle/2))
	if now.Sub(session.SeenAt) < step || !a.touching.begin(session.ID) {
		return
	}
	write := func() {
		defer a.touching.end(session.ID)
		// A use that is not written down ends the session early, never late; that it has
		// ended meanwhile is told by the next check.
		_ = a.deps.Sessions.TouchSession(context.WithoutCancel(ctx), a.terms.Realm, session.ID, now)
	}
	if session.SeenAt.Add(session.Idle).Sub(now) <= step {
		write()
	} else {
		go write()
	}
}
