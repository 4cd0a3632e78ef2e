package password

import (
	"errors"
	"fmt"
)

// Params are the costs of new hashes, which are argon2id. The zero value is
// refused by Validate; start from [Default].
type Params struct {
	Memory   uint32 // KiB
	Passes   uint32
	Lanes    uint8
	SaltSize uint32 // bytes
	TagSize  uint32 // bytes
}

// Default returns the least that is allowed (S8): 19 MiB, two passes, one lane.
func Default() Params {
	return Params{Memory: 19456, Passes: 2, Lanes: 1, SaltSize: 16, TagSize: 32}
}

// Validate refuses parameters weaker than [Default], and those so costly that
// the hashes they make would be refused by [Parse]. It tells all faults at once.
func (p Params) Validate() error {
	least := Default()
	var faults []error
	check := func(name string, got, from, to uint32) {
		if got < from || got > to {
			faults = append(faults, fmt.Errorf("argon2id %s: %d is outside %d to %d", name, got, from, to))
		}
	}
	check("memory in KiB", p.Memory, least.Memory, maxArgon2Memory)
	check("passes", p.Passes, least.Passes, maxArgon2Passes)
	check("lanes", uint32(p.Lanes), 1, maxArgon2Lanes)
	check("salt bytes", p.SaltSize, least.SaltSize, maxSalt)
	check("tag bytes", p.TagSize, least.TagSize, maxTag)
	return errors.Join(faults...)
}

// Cost returns the bytes of memory that one hash with p takes while it runs.
func (p Params) Cost() int64 { return int64(p.Memory) << 10 }
