package hashgate

import "runtime"

// A thread runs functions on an operating system thread of its own, at a lower
// priority than the rest of the process, so that other requests do not wait for
// hashes. It starts with its first function.
//
// It is of use for computations that stay on the thread that calls them, as those
// of [password.NewKernel], bcrypt, scrypt and PBKDF2 do. The library's argon2i and
// argon2d start goroutines, which run elsewhere; behind such a thread they would
// only wait longer.
type thread struct {
	niceness int
	calls    chan func()
	returned chan struct{}
}

func (t *thread) run(work func()) {
	if t.calls == nil {
		t.calls, t.returned = make(chan func()), make(chan struct{})
		go t.loop()
	}
	t.calls <- work
	<-t.returned
}

func (t *thread) end() {
	if t.calls != nil {
		close(t.calls)
	}
}

func (t *thread) loop() {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, as its niceness cannot be taken back
	if t.niceness > 0 {
		lowerPriority(t.niceness)
	}
	for work := range t.calls {
		work()
		t.returned <- struct{}{}
	}
}
