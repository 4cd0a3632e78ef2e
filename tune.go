package chancery

import (
	"runtime"
	"runtime/debug"
)

// Tune sets the Go runtime up for a process that does nothing but serve config,
// and returns config with the number of hash workers made fast. A program that
// embeds a [Server] beside other work leaves it alone.
//
// Password hashing keeps a thread for each core busy for long; with as many
// threads again to run on, everything else is scheduled by the system beside it
// instead of waiting behind it. And as a hash allocates its memory anew, the
// collector is told to come by less often.
func Tune(config Config) Config {
	config = config.WithDefaults()
	cores := runtime.GOMAXPROCS(0)
	if config.Hashing.Workers == 0 {
		config.Hashing.Workers = cores
	}
	runtime.GOMAXPROCS(cores + config.Hashing.Workers)
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryBase + 2*int64(config.Hashing.Workers*config.Hashing.Argon2MiB)<<20)
	return config
}

const (
	gcPercent  = 400
	memoryBase = 76 << 20 // of everything but hashes, when many clients are connected
)
