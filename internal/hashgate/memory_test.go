package hashgate

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-auth/chancery/core"
	"github.com/chancery-auth/chancery/internal/password"
)

// S16: a stored hash that takes more memory waits for it, and is not overtaken for ever.
func TestMemoryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 10 * time.Millisecond}
		g := open(t, Options{Workers: 4, MemoryBudget: 100 << 20, Kernel: s.kernel})
		const heavy = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
		var all sync.WaitGroup
		for i := range 60 {
			hash, secret := core.PasswordHash(""), core.NewSecret("light")
			if i%10 == 5 {
				hash, secret = heavy, core.NewSecret("heavy")
			}
			all.Go(func() {
				if _, _, err := g.Verify(t.Context(), "r", hash, secret); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if s.highest > 100<<20 || s.highest < 83<<20 {
			t.Errorf("hashes took up to %d MiB together, want at most 100 and more than one at a time", s.highest>>20)
		}
		arrival := 5
		for i, name := range s.begun() {
			if name == "heavy" {
				if i < arrival-4 || i > arrival+4 { // four workers begin at the same instant
					t.Errorf("the heavy hash that came as %d began as %d", arrival, i)
				}
				arrival += 10
			}
		}
		if arrival != 65 {
			t.Errorf("%d heavy hashes, want 6", (arrival-5)/10)
		}
		if g.free != 100<<20 {
			t.Errorf("free memory is %d when nothing runs", g.free)
		}
	})
	tooHeavy := core.PasswordHash("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	g := open(t, Options{Workers: 1, MemoryBudget: 19 << 20})
	if match, _, err := g.Verify(t.Context(), "r", tooHeavy, core.NewSecret("password")); match || err != nil {
		t.Errorf("Verify() of a hash over the whole budget = %v, %v, want no match", match, err)
	}
}

// S16: what workers keep is a part of the budget, and given up for a stored hash
// that needs it.
func TestKeptMemoryIsInTheBudget(t *testing.T) {
	const heavy = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	const bcrypt = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 10 * time.Millisecond}
		var made atomic.Int64
		o := Options{Workers: 3, MemoryBudget: 102 << 20} // 38 beside a heavy one
		o.Kernel = func() password.Kernel {
			made.Add(1)
			k := s.kernel()
			k.Keeps = password.Default().Cost()
			return k
		}
		g := open(t, o)
		all := func(hashes ...core.PasswordHash) {
			var all sync.WaitGroup
			for _, hash := range hashes {
				all.Go(func() {
					if _, _, err := g.Verify(t.Context(), "r", hash, core.NewSecret("x")); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		for _, step := range []struct {
			name    string
			hashes  []core.PasswordHash
			kernels int64 // made until then
			free    int64 // MiB
		}{
			{"nothing yet", nil, 3, 102},
			{"all workers keep", []core.PasswordHash{"", "", ""}, 3, 45},
			{"and use it again", []core.PasswordHash{"", "", "", "", "", ""}, 3, 45},
			{"bcrypt needs none of it", []core.PasswordHash{bcrypt}, 3, 45},
			{"one gives up", []core.PasswordHash{heavy}, 4, 64},
			{"there is room now", []core.PasswordHash{heavy}, 4, 64},
			{"all keep again", []core.PasswordHash{"", "", ""}, 4, 45},
		} {
			all(step.hashes...)
			g.mu.Lock()
			free := g.free >> 20
			g.mu.Unlock()
			if made.Load() != step.kernels || free != step.free {
				t.Errorf("%s: %d kernels made and %d MiB free, want %d and %d", step.name, made.Load(), free, step.kernels, step.free)
			}
		}
		for range 20 {
			all("", heavy, "", bcrypt, "", heavy, "", heavy)
		}
		if s.highest > 102<<20 {
			t.Errorf("hashes took up to %d MiB together, want at most 102", s.highest>>20)
		}
		kept := int64(0)
		for _, w := range g.team {
			if w.keeps {
				kept += w.kernel.Keeps
			}
		}
		if g.free+kept != 102<<20 {
			t.Errorf("free memory is %d and kept %d when nothing runs", g.free, kept)
		}
	})
}

// A worker that gave up its memory computes as before, and so does one whose
// memory a longer hash did not fit.
func TestStoredHashesOfAllSizes(t *testing.T) {
	g := open(t, Options{Workers: 2, MemoryBudget: 64 << 20})
	small := password.Params{Memory: 1000, Passes: 1, Lanes: 3, SaltSize: 8, TagSize: 64}
	large := password.Params{Memory: 60 << 10, Passes: 1, Lanes: 2, SaltSize: 16, TagSize: 32}
	for range 2 {
		for _, p := range []password.Params{password.Default(), small, large} {
			made, err := (password.Kernel{}).Hash(p, []byte("right"))
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"right", "wrong"} {
				match, _, err := g.Verify(t.Context(), "r", core.PasswordHash(made), core.NewSecret(secret))
				if want := secret == "right"; match != want || err != nil {
					t.Errorf("%+v: Verify(%s) = %v, %v, want %v", p, secret, match, err, want)
				}
			}
		}
	}
}
