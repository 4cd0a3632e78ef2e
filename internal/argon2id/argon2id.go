// Package argon2id computes the password hash argon2id, version 0x13, of RFC 9106.
// A [Hasher] keeps its memory between hashes and computes on the thread that calls
// it, lane after lane, which is what internal/hashgate needs of it.
//
// It is pure computing: salts, comparing, and which costs are allowed are
// internal/password's.
package argon2id

import (
	"fmt"
	"hash"

	"golang.org/x/crypto/blake2b"
)

const (
	version  = 0x13
	variant  = 2 // argon2id, where 0 is argon2d and 1 argon2i
	slices   = 4 // of a pass; lanes meet between them
	minSize  = 4
	seedSize = blake2b.Size + 8 // a digest of the input, and the place of the block made from it
)

// A Hasher serves one call at a time. The zero value works and keeps no memory. In
// what it keeps, a hash stays until the next takes its place, but never the password.
type Hasher struct {
	keeps    uint32  // blocks
	kept     []block // as many, from the first hash on that fits
	compress compressor

	// Scratch, here and not in functions so that a hash allocates its tag alone.
	// between is not inside, as a block that is allocated alone is aligned.
	between *block
	seed    [seedSize]byte
	bytes   [blockSize]byte
	word    [4]byte
	digests [blake2b.Size + 1]hash.Hash // by size
	address addresses
	last    block
}

// New returns a hasher that keeps the given memory, in KiB, from its first hash on.
// Hashes that take more have theirs allocated anew each time.
func New(keeps uint32) *Hasher { return &Hasher{keeps: keeps} }

// input is all that a hash is made from. Secret and data are for the RFC's vector.
type input struct {
	password, salt, secret, data []byte
	passes, memory               uint32 // memory in KiB
	lanes                        uint8
	size                         uint32 // bytes of the tag
}

// Key returns the tag of size bytes of password and salt. memory is in KiB. It
// panics when RFC 9106 knows no such hash: without a pass or a lane, with less
// than 8 KiB for each lane or with a tag under 4 bytes.
func (h *Hasher) Key(password, salt []byte, passes, memory uint32, lanes uint8, size uint32) []byte {
	return h.key(input{password: password, salt: salt, passes: passes, memory: memory, lanes: lanes, size: size})
}

func (h *Hasher) key(in input) []byte {
	if in.passes < 1 || in.lanes < 1 || in.memory < 2*slices*uint32(in.lanes) || in.size < minSize {
		panic(fmt.Sprintf("argon2id: no hash of %d KiB, %d passes, %d lanes and %d bytes", in.memory, in.passes, in.lanes, in.size))
	}
	if h.between == nil {
		h.use(fastest())
	}
	segment := in.memory / (slices * uint32(in.lanes))
	m := matrix{
		blocks: h.blocks(segment * slices * uint32(in.lanes)),
		lanes:  uint32(in.lanes), length: segment * slices, segment: segment, passes: in.passes,
	}
	h.begin(in, m)
	for pass := range in.passes {
		for slice := range uint32(slices) {
			for lane := range m.lanes {
				h.fill(m, pass, slice, lane)
			}
		}
	}
	return h.end(m, in.size)
}

func (h *Hasher) use(c compressor) { h.compress, h.between = c, new(block) }

// blocks returns n blocks. What they hold is of no matter: the first pass
// overwrites each before it is read.
func (h *Hasher) blocks(n uint32) []block {
	if n > h.keeps {
		return make([]block, n)
	}
	if h.kept == nil {
		h.kept = make([]block, h.keeps)
	}
	return h.kept[:n]
}

// begin makes the first two blocks of each lane (RFC 9106 section 3.2, steps 1 to 4).
func (h *Hasher) begin(in input, m matrix) {
	h.digestInput(in)
	for lane := range m.lanes {
		for i := range uint32(2) {
			put32(h.seed[blake2b.Size:], i)
			put32(h.seed[blake2b.Size+4:], lane)
			h.expand(h.bytes[:], h.seed[:])
			m.lane(lane)[i].read(&h.bytes)
		}
	}
}

// end makes the tag from the last blocks of all lanes (steps 7 and 8).
func (h *Hasher) end(m matrix, size uint32) []byte {
	h.last = m.lane(0)[m.length-1]
	for lane := range m.lanes - 1 {
		for i, word := range m.lane(lane + 1)[m.length-1] {
			h.last[i] ^= word
		}
	}
	h.last.write(&h.bytes)
	tag := make([]byte, size)
	h.expand(tag, h.bytes[:])
	return tag
}

// fill computes one segment: the part of a lane within a slice. Which block comes
// next is known when a block is half done, and fetching it takes as long as the rest.
func (h *Hasher) fill(m matrix, pass, slice, lane uint32) {
	own, first := m.lane(lane), slice*m.segment
	independent := pass == 0 && slice < slices/2
	if independent {
		h.address.start(m, pass, slice, lane)
	}
	i := uint32(0)
	if pass == 0 && slice == 0 {
		i = 2
	}
	previous := &own[(first+i+m.length-1)%m.length]
	random := previous[0]
	if independent {
		random = h.address.next(i, h.compress)
	}
	reference := m.reference(random, pass, slice, lane, i)
	for i < m.segment {
		b, x, y := &own[first+i], previous, reference
		i++
		if independent {
			random = h.address.next(i, h.compress)
		}
		h.compress.start(h.between, b, x, y, pass > 0)
		if !independent {
			random = b[0]
		}
		reference = m.reference(random, pass, slice, lane, i)
		h.compress.finish(h.between, b, x, y, pass > 0, reference)
		previous = b
	}
}
