package password

import (
	"github.com/go-crypt/crypt/algorithm"
)

// A Hash is a stored password hash whose form and costs have been checked.
// [Parse] makes it.
type Hash struct {
	family family
	argon2 Params // of argon2 hashes: their costs
	memory int64
	digest algorithm.Digest
}

type family string

const (
	argon2id family = "argon2id"
	argon2i  family = "argon2i"
	argon2d  family = "argon2d"
	bcrypt   family = "bcrypt"
	scrypt   family = "scrypt"
	pbkdf2   family = "pbkdf2"
)

// Family names the algorithm, for reports: "argon2id", "bcrypt" and so on.
func (h Hash) Family() string { return string(h.family) }

// Cost returns about how many bytes of memory a comparison takes while it runs.
func (h Hash) Cost() int64 { return h.memory }

// Outdated reports whether h is weaker than a hash that is made with current:
// another algorithm than argon2id, or any of its costs or sizes smaller. More
// lanes are neither.
func (h Hash) Outdated(current Params) bool {
	if h.family != argon2id {
		return true
	}
	a := h.argon2
	return a.Memory < current.Memory || a.Passes < current.Passes ||
		a.SaltSize < current.SaltSize || a.TagSize < current.TagSize
}

// Outdated is [Hash.Outdated] for stored text. What [Parse] refuses is outdated.
func Outdated(text string, current Params) bool {
	h, err := Parse(text)
	return err != nil || h.Outdated(current)
}
