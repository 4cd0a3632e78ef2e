package password

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"

	ownargon2id "github.com/chancery-auth/chancery/internal/argon2id"
)

// MaxPassword is the longest password that is hashed, in bytes. Nothing shorter is ever cut.
const MaxPassword = 16 << 10

// maxBcryptPassword is how much of a password bcrypt reads.
const maxBcryptPassword = 72

// A Kernel computes argon2id, where nearly all the time of a login goes. The zero
// value is golang.org/x/crypto's, the reference that any other is tested against;
// [NewKernel] is faster. A kernel that keeps memory between calls serves one call
// at a time; then each worker has its own.
type Kernel struct {
	Argon2id func(password, salt []byte, passes, memory uint32, lanes uint8, size uint32) []byte
	// OwnThread says that Argon2id computes on the thread that calls it, so that
	// the thread's niceness counts. x/crypto starts goroutines even for one lane.
	OwnThread bool
	// Keeps is how many bytes of memory Argon2id keeps from its first hash on that
	// takes no more. Such hashes are computed in it; those that take more have
	// theirs beside it.
	Keeps int64
}

// NewKernel returns a kernel of our own, which keeps the memory of one hash with p
// and computes on the thread that calls it, with vector instructions where it can.
func NewKernel(p Params) Kernel {
	return Kernel{Argon2id: ownargon2id.New(p.Memory).Key, OwnThread: true, Keeps: p.Cost()}
}

// Hash makes a new hash of password under a random salt. It refuses passwords
// longer than [MaxPassword].
func (k Kernel) Hash(p Params, password []byte) (string, error) {
	if len(password) > MaxPassword {
		return "", fmt.Errorf("password: %d bytes are more than %d", len(password), MaxPassword)
	}
	salt := random(p.SaltSize)
	return text(p, salt, k.argon2id(password, salt, p, p.TagSize)), nil
}

// Decoy makes a hash that matches no password, in no time: comparing with it
// costs as much as with a real one of the same parameters.
func Decoy(p Params) (Hash, error) { return Parse(text(p, random(p.SaltSize), random(p.TagSize))) }

// Verify reports whether h was made from password. It computes whole whatever
// the answer.
func (k Kernel) Verify(h Hash, password []byte) bool {
	switch h.family {
	case argon2id:
		tag := k.argon2id(password, h.digest.Salt(), h.argon2, h.argon2.TagSize)
		return subtle.ConstantTimeCompare(tag, h.digest.Key()) == 1
	case argon2i, argon2d:
		return h.digest.MatchBytes(password)
	case bcrypt:
		// What is longer is compared by its first 72 bytes for the time that it
		// takes, and never matches (S12).
		match := h.digest.MatchBytes(password[:min(len(password), maxBcryptPassword)])
		return match && len(password) <= maxBcryptPassword && !hasNUL(password)
	default:
		return h.digest.MatchBytes(password) && !hasNUL(password)
	}
}

// OnThread reports whether comparing with h computes on the calling thread alone.
func (k Kernel) OnThread(h Hash) bool {
	switch h.family {
	case argon2id:
		return k.OwnThread
	case argon2i, argon2d:
		return false
	default:
		return true
	}
}

// InKept reports whether comparing with h computes in the memory that k keeps.
func (k Kernel) InKept(h Hash) bool { return h.family == argon2id && h.memory <= k.Keeps }

// hasNUL: bcrypt takes "a" and "a\x00a" for the same password and HMAC, inside
// scrypt and PBKDF2, "a" and "a\x00". Such a password would be accepted altered.
func hasNUL(password []byte) bool { return bytes.IndexByte(password, 0) >= 0 }

func (k Kernel) argon2id(password, salt []byte, p Params, size uint32) []byte {
	if k.Argon2id == nil {
		return argon2.IDKey(password, salt, p.Passes, p.Memory, p.Lanes, size)
	}
	return k.Argon2id(password, salt, p.Passes, p.Memory, p.Lanes, size)
}

func text(p Params, salt, tag []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Passes, p.Lanes, encode(salt), encode(tag))
}

func random(size uint32) []byte {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails
	return b
}
