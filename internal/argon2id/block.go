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

// A compressor is the function G of RFC 9106 section 3.5: it sets b to what x and
// y make, or to that XOR b. y may be b when over is false.
type compressor func(b, x, y *block, over bool)

func compressGeneric(b, x, y *block, over bool) {
	var z block
	for i := range z {
		r := x[i] ^ y[i]
		z[i] = r
		if over {
			r ^= b[i]
		}
		b[i] = r
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
