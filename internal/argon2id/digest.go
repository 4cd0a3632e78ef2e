package argon2id

import (
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/blake2b"
)

func put32(b []byte, n uint32) { binary.LittleEndian.PutUint32(b, n) }

// digestInput sets the seed, which is H0 of RFC 9106 section 3.2, step 1.
func (h *Hasher) digestInput(in input) {
	d := h.digest(blake2b.Size)
	for _, n := range [...]uint32{uint32(in.lanes), in.size, in.memory, in.passes, version, variant} {
		h.number(d, n)
	}
	for _, part := range [...][]byte{in.password, in.salt, in.secret, in.data} {
		h.number(d, uint32(len(part)))
		_, _ = d.Write(part)
	}
	d.Sum(h.seed[:0])
	clear(h.bytes[:])
	_, _ = d.Write(h.bytes[:d.BlockSize()]) // or the end of the password would stay in its buffer
}

// number writes n, from memory of the hasher's as what a hash is given escapes.
func (h *Hasher) number(d hash.Hash, n uint32) {
	put32(h.word[:], n)
	_, _ = d.Write(h.word[:]) // never fails
}

// expand is the function H' of section 3.3: it fills out with digests of in, each
// of the one before. They may share no memory.
func (h *Hasher) expand(out, in []byte) {
	d := h.digest(min(len(out), blake2b.Size))
	h.number(d, uint32(len(out)))
	_, _ = d.Write(in)
	d.Sum(out[:0])
	// All but the last give their first half.
	for len(out) > blake2b.Size {
		previous := out[:blake2b.Size]
		out = out[blake2b.Size/2:]
		d = h.digest(min(len(out), blake2b.Size))
		_, _ = d.Write(previous)
		d.Sum(out[:0])
	}
}

// digest returns BLAKE2b of the given size, as new.
func (h *Hasher) digest(size int) hash.Hash {
	if h.digests[size] == nil {
		h.digests[size], _ = blake2b.New(size, nil) // fails beyond 1 to 64 alone
	}
	h.digests[size].Reset()
	return h.digests[size]
}
