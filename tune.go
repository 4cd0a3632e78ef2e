package chancery

import "runtime"

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
	return config
}
