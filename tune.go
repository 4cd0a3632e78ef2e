package chancery

import "runtime"

// ballast is never touched, so it takes address space and no memory. To the garbage
// collector it is part of the heap, which may then grow by as much more before the
// next collection: a heap of 10 MiB would be collected many times a second. A soft
// memory limit does not do: near it, memory goes back to the system and is asked
// for again.
var ballast []byte

const ballastSize = 24 << 20

// Tune sets the Go runtime up for a process that does nothing but serve config,
// and returns config with the number of hash workers made fast. A program that
// embeds a [Server] beside other work leaves it alone.
//
// Password hashing keeps as many threads busy as there are cores. With one thread
// more to run Go code on, everything else is scheduled by the system beside it
// instead of waiting for a hash to be preempted; docs/performance.md has what that
// gains and costs.
func Tune(config Config) Config {
	config = config.WithDefaults()
	cores := runtime.GOMAXPROCS(0)
	if config.Hashing.Workers == 0 {
		config.Hashing.Workers = cores
	}
	runtime.GOMAXPROCS(cores + 1)
	ballast = make([]byte, ballastSize)
	runtime.KeepAlive(ballast)
	return config
}
