//go:build !purego

package argon2id

import "golang.org/x/sys/cpu"

func assembled() map[string]compressor {
	if cpu.X86.HasAVX2 {
		return map[string]compressor{"AVX2": avx2}
	}
	return nil
}
