//go:build !purego

package argon2id

import "golang.org/x/sys/cpu"

var avx2 = compressor{startAVX2, finishAVX2}

//go:noescape
func startAVX2(z, b, x, y *block, over bool)

//go:noescape
func finishAVX2(z, b, x, y *block, over bool, next *block)

func fastest() compressor {
	if cpu.X86.HasAVX2 {
		return avx2
	}
	return generic
}
