package login

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hold{time: holdTime, most: 3}
		start := time.Now()
		var waits sync.WaitGroup
		for range 3 {
			waits.Go(func() { h.wait(t.Context()) })
		}
		synctest.Wait()
		h.wait(t.Context()) // one too many
		if waited := time.Since(start); waited != 0 {
			t.Errorf("beyond the bound it waited %v", waited)
		}
		waits.Wait()
		if waited := time.Since(start); waited != holdTime {
			t.Errorf("held for %v, want %v", waited, holdTime)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start = time.Now()
		h.wait(ctx)
		if waited := time.Since(start); waited != time.Millisecond {
			t.Errorf("held for %v after its client had gone", waited)
		}
		if held := h.held.Load(); held != 0 {
			t.Errorf("%d are counted as held at the end", held)
		}
	})
}
