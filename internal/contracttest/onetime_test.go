package contracttest

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSingleUse proves S26: of 100 uses of one ticket at once exactly one
// succeeds, on each engine, and the password is the winner's.
func TestSingleUse(t *testing.T) {
	remember(t)
	t.Parallel()
	onEngines(t, func(t *testing.T, w *world) {
		rounds := 1
		if long() {
			rounds = 100
		}
		for range rounds {
			m := w.account(t, contractA)
			ticket := w.ticket(t, m, 1)
			var won, lost, unready, winner atomic.Int32
			var uses sync.WaitGroup
			for n := range 100 {
				uses.Go(func() {
					r := resetWith(ticket, strings.Repeat("n", 8+n))
					r.host = contractA.host
					got, err := sendText(w.address, r.text(), "POST")
					switch {
					case err != nil:
						t.Error(err)
					case got.status == 200 && got.body == passwordUpdated.body:
						won.Add(1)
						winner.Store(int32(n))
					case got.status == 400 && got.body == badTicket.body:
						lost.Add(1)
					case got.status == 503 && got.body == contractA.unavailable().body:
						unready.Add(1) // 100 hashes at once may be more than a slow machine has time for
					default:
						t.Errorf("got %s", got)
					}
				})
			}
			uses.Wait()
			if won.Load() != 1 || lost.Load()+unready.Load() != 99 || lost.Load() < 10 {
				t.Errorf("%d uses succeeded, %d were refused, %d found the server busy; want 1 of 100", won.Load(), lost.Load(), unready.Load())
			}
			for _, n := range []int{0, 1, 50, 99, int(winner.Load())} {
				want := contractA.refused()
				if n == int(winner.Load()) {
					want = granted
				}
				contractA.expect(t, w.send(t, contractA, contractA.loginWith(m.identifier, strings.Repeat("n", 8+n))), want)
			}
		}
	})
}
