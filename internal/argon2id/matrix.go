package argon2id

// A matrix is a hash's memory: one row of blocks for each lane.
type matrix struct {
	blocks  []block
	lanes   uint32
	length  uint32 // of a lane
	segment uint32 // a quarter of it
	passes  uint32
}

func (m matrix) lane(i uint32) []block { return m.blocks[i*m.length:][:m.length:m.length] }

// reference returns the block that random chooses for block i of a segment
// (RFC 9106 section 3.4.2): any that is complete, but for the one just before it.
func (m matrix) reference(random uint64, pass, slice, lane, i uint32) *block {
	chosen := lane
	if m.lanes > 1 && (pass > 0 || slice > 0) {
		chosen = uint32(random>>32) % m.lanes
	}
	// The segments that are complete: those before in the first pass, then the last three.
	start, area := uint32(0), slice*m.segment
	if pass > 0 {
		start, area = (slice+1)%slices*m.segment, m.length-m.segment
	}
	switch {
	case chosen == lane:
		area += i - 1
	case i == 0:
		area--
	}
	x := random & 0xffffffff
	x = x * x >> 32
	back := uint32(uint64(area) * x >> 32)
	at := start + area - 1 - back
	if at >= m.length {
		at -= m.length
	}
	return &m.lane(chosen)[at]
}

// addresses are the random numbers of segments that must not depend on the
// password: a block of them at a time, from a counter (section 3.4.1.2).
type addresses struct{ zero, input, block, between block }

const counter = 6 // the word of input that counts the blocks made

func (a *addresses) start(m matrix, pass, slice, lane uint32) {
	a.input = block{uint64(pass), uint64(lane), uint64(slice), uint64(len(m.blocks)), uint64(m.passes), variant}
}

// next returns the number for block i of the segment. i counts up by one.
func (a *addresses) next(i uint32, c compressor) uint64 {
	at := i % blockWords
	if at == 0 || a.input[counter] == 0 { // the very first segment begins at 2
		a.input[counter]++
		c.whole(&a.between, &a.block, &a.zero, &a.input, false)
		c.whole(&a.between, &a.block, &a.zero, &a.block, false)
	}
	return a.block[at]
}
