package argon2id

import "encoding/binary"

const (
	blockWords = 128
	blockSize  = 8 * blockWords
)

// A block is the unit of memory. Read as 8 × 8 pairs of words, it has rows of 16
// words and columns of 8 pairs.
type block [blockWords]uint64

func (b *block) read(from *[blockSize]byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(from[8*i:])
	}
}

func (b *block) write(to *[blockSize]byte) {
	for i, word := range b {
		binary.LittleEndian.PutUint64(to[8*i:], word)
	}
}

// A compressor is the function G of RFC 9106 section 3.5 in two steps: it sets b to
// what x and y make, or to that XOR b. z carries what is between them. After start
// the first word of b is there, which tells what block comes next, so that finish
// can have it fetched from memory meanwhile.
//
// y may be b when over is false.
type compressor struct {
	start  func(z, b, x, y *block, over bool)
	finish func(z, b, x, y *block, over bool, next *block)
}

// whole is both steps, where the next block is not known.
func (c compressor) whole(z, b, x, y *block, over bool) {
	c.start(z, b, x, y, over)
	c.finish(z, b, x, y, over, b)
}

var generic = compressor{startGeneric, finishGeneric}

func startGeneric(z, b, x, y *block, over bool) {
	for i := range z {
		z[i] = x[i] ^ y[i]
		if over {
			b[i] ^= z[i]
		} else {
			b[i] = z[i]
		}
	}
	for i := range 8 {
		z.permute(16*i, 2)
	}
	for i := range 8 {
		z.permute(2*i, 16)
	}
	for i := range b {
		b[i] ^= z[i]
	}
}

// finishGeneric has nothing left to do.
func finishGeneric(_, _, _, _ *block, _ bool, _ *block) {}

// permute is the permutation P of section 3.6 on eight pairs of words, step apart.
func (b *block) permute(start, step int) {
	p := (*[2]uint64)(b[start:])
	q := (*[2]uint64)(b[start+step:])
	r := (*[2]uint64)(b[start+2*step:])
	s := (*[2]uint64)(b[start+3*step:])
	t := (*[2]uint64)(b[start+4*step:])
	u := (*[2]uint64)(b[start+5*step:])
	v := (*[2]uint64)(b[start+6*step:])
	w := (*[2]uint64)(b[start+7*step:])

	mix(&p[0], &r[0], &t[0], &v[0])
	mix(&p[1], &r[1], &t[1], &v[1])
	mix(&q[0], &s[0], &u[0], &w[0])
	mix(&q[1], &s[1], &u[1], &w[1])

	mix(&p[0], &r[1], &u[0], &w[1])
	mix(&p[1], &s[0], &u[1], &v[0])
	mix(&q[0], &s[1], &t[0], &v[1])
	mix(&q[1], &r[0], &t[1], &w[0])
}

// mix is GB: BLAKE2b's round function with a multiplication in each sum.
func mix(pa, pb, pc, pd *uint64) {
	a, b, c, d := *pa, *pb, *pc, *pd
	a += b + 2*uint64(uint32(a))*uint64(uint32(b))
	d ^= a
	d = d>>32 | d<<32
	c += d + 2*uint64(uint32(c))*uint64(uint32(d))
	b ^= c
	b = b>>24 | b<<40
	a += b + 2*uint64(uint32(a))*uint64(uint32(b))
	d ^= a
	d = d>>16 | d<<48
	c += d + 2*uint64(uint32(c))*uint64(uint32(d))
	b ^= c
	b = b>>63 | b<<1
	*pa, *pb, *pc, *pd = a, b, c, d
}
