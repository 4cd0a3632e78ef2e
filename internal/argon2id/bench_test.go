package argon2id

import (
	"testing"

	"golang.org/x/crypto/argon2"
)

// BenchmarkHash is one hash of the default parameters.
func BenchmarkHash(b *testing.B) {
	pw, salt := []byte("correct horse"), []byte("saltsaltsaltsalt")
	for name, c := range compressors() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h := with(c, 19456)
			_ = h.Key(pw, salt, 1, 19456, 1, 32) // makes the memory
			for b.Loop() {
				_ = h.Key(pw, salt, 2, 19456, 1, 32)
			}
		})
	}
	b.Run("x/crypto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = argon2.IDKey(pw, salt, 2, 19456, 1, 32)
		}
	})
}

// BenchmarkBlock is one block in cache.
func BenchmarkBlock(b *testing.B) {
	var dst, x, y, z block
	for name, c := range compressors() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c.whole(&z, &dst, &x, &y, true)
				x[0]++
			}
		})
	}
}
