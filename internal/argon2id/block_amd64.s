//go:build !purego

#include "textflag.h"

// Byte shuffles that rotate each word to the right by 16 and by 24 bits.
DATA ·rotate16<>+0(SB)/8, $0x0100070605040302
DATA ·rotate16<>+8(SB)/8, $0x09080f0e0d0c0b0a
GLOBL ·rotate16<>(SB), RODATA|NOPTR, $16

DATA ·rotate24<>+0(SB)/8, $0x0201000706050403
DATA ·rotate24<>+8(SB)/8, $0x0a09080f0e0d0c0b
GLOBL ·rotate24<>(SB), RODATA|NOPTR, $16

// A += B + 2 × low half of A × low half of B, for two A and two B.
#define SUM(A0, B0, A1, B1) \
	VPMULUDQ A0, B0, Y12 \
	VPMULUDQ A1, B1, Y13 \
	VPADDQ   B0, A0, A0 \
	VPADDQ   B1, A1, A1 \
	VPADDQ   Y12, Y12, Y12 \
	VPADDQ   Y13, Y13, Y13 \
	VPADDQ   Y12, A0, A0 \
	VPADDQ   Y13, A1, A1

// GB on eight quadruples of words: four in each of two sets of registers.
#define MIX(A0, B0, C0, D0, A1, B1, C1, D1) \
	SUM(A0, B0, A1, B1) \
	VPXOR    A0, D0, D0 \
	VPXOR    A1, D1, D1 \
	VPSHUFD  $0xb1, D0, D0 \
	VPSHUFD  $0xb1, D1, D1 \
	SUM(C0, D0, C1, D1) \
	VPXOR    C0, B0, B0 \
	VPXOR    C1, B1, B1 \
	VPSHUFB  Y15, B0, B0 \
	VPSHUFB  Y15, B1, B1 \
	SUM(A0, B0, A1, B1) \
	VPXOR    A0, D0, D0 \
	VPXOR    A1, D1, D1 \
	VPSHUFB  Y14, D0, D0 \
	VPSHUFB  Y14, D1, D1 \
	SUM(C0, D0, C1, D1) \
	VPXOR    C0, B0, B0 \
	VPXOR    C1, B1, B1 \
	VPADDQ   B0, B0, Y12 \
	VPADDQ   B1, B1, Y13 \
	VPSRLQ   $63, B0, B0 \
	VPSRLQ   $63, B1, B1 \
	VPXOR    Y12, B0, B0 \
	VPXOR    Y13, B1, B1

// Two columns, from CX bytes on: each register has one pair of words of each.
#define COLUMNS(store) \
	VMOVDQU 0(AX)(CX*1), Y0 \
	VMOVDQU 128(AX)(CX*1), Y1 \
	VMOVDQU 256(AX)(CX*1), Y2 \
	VMOVDQU 384(AX)(CX*1), Y3 \
	VMOVDQU 512(AX)(CX*1), Y4 \
	VMOVDQU 640(AX)(CX*1), Y5 \
	VMOVDQU 768(AX)(CX*1), Y6 \
	VMOVDQU 896(AX)(CX*1), Y7 \
	MIX(Y0, Y2, Y4, Y6, Y1, Y3, Y5, Y7) \
	VPALIGNR $8, Y1, Y0, Y8 \
	VPALIGNR $8, Y0, Y1, Y9 \
	VPALIGNR $8, Y4, Y5, Y10 \
	VPALIGNR $8, Y5, Y4, Y11 \
	MIX(Y8, Y2, Y10, Y7, Y9, Y3, Y11, Y6) \
	VPALIGNR $8, Y8, Y9, Y0 \
	VPALIGNR $8, Y9, Y8, Y1 \
	VPALIGNR $8, Y11, Y10, Y4 \
	VPALIGNR $8, Y10, Y11, Y5 \
	VPXOR 0(SI)(CX*1), Y0, Y0 \
	VPXOR 128(SI)(CX*1), Y1, Y1 \
	VPXOR 256(SI)(CX*1), Y2, Y2 \
	VPXOR 384(SI)(CX*1), Y3, Y3 \
	VPXOR 512(SI)(CX*1), Y4, Y4 \
	VPXOR 640(SI)(CX*1), Y5, Y5 \
	VPXOR 768(SI)(CX*1), Y6, Y6 \
	VPXOR 896(SI)(CX*1), Y7, Y7 \
	VPXOR 0(DX)(CX*1), Y0, Y0 \
	VPXOR 128(DX)(CX*1), Y1, Y1 \
	VPXOR 256(DX)(CX*1), Y2, Y2 \
	VPXOR 384(DX)(CX*1), Y3, Y3 \
	VPXOR 512(DX)(CX*1), Y4, Y4 \
	VPXOR 640(DX)(CX*1), Y5, Y5 \
	VPXOR 768(DX)(CX*1), Y6, Y6 \
	VPXOR 896(DX)(CX*1), Y7, Y7 \
	TESTL R8, R8 \
	JZ store \
	VPXOR 0(DI)(CX*1), Y0, Y0 \
	VPXOR 128(DI)(CX*1), Y1, Y1 \
	VPXOR 256(DI)(CX*1), Y2, Y2 \
	VPXOR 384(DI)(CX*1), Y3, Y3 \
	VPXOR 512(DI)(CX*1), Y4, Y4 \
	VPXOR 640(DI)(CX*1), Y5, Y5 \
	VPXOR 768(DI)(CX*1), Y6, Y6 \
	VPXOR 896(DI)(CX*1), Y7, Y7 \
store: \
	VMOVDQU Y0, 0(DI)(CX*1) \
	VMOVDQU Y1, 128(DI)(CX*1) \
	VMOVDQU Y2, 256(DI)(CX*1) \
	VMOVDQU Y3, 384(DI)(CX*1) \
	VMOVDQU Y4, 512(DI)(CX*1) \
	VMOVDQU Y5, 640(DI)(CX*1) \
	VMOVDQU Y6, 768(DI)(CX*1) \
	VMOVDQU Y7, 896(DI)(CX*1)

// func startAVX2(z, b, x, y *block, over bool)
TEXT ·startAVX2(SB), NOSPLIT, $0-33
	MOVQ z+0(FP), AX
	MOVQ b+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DX
	MOVBLZX over+32(FP), R8
	VBROADCASTI128 ·rotate16<>(SB), Y14
	VBROADCASTI128 ·rotate24<>(SB), Y15

	// x XOR y by rows, two at a time, each in four registers. Between the two rounds
	// all but the second turn, as that one is computed last and would be waited for.
	XORQ CX, CX
rows:
	VMOVDQU 0(SI)(CX*1), Y0
	VMOVDQU 32(SI)(CX*1), Y1
	VMOVDQU 64(SI)(CX*1), Y2
	VMOVDQU 96(SI)(CX*1), Y3
	VMOVDQU 128(SI)(CX*1), Y4
	VMOVDQU 160(SI)(CX*1), Y5
	VMOVDQU 192(SI)(CX*1), Y6
	VMOVDQU 224(SI)(CX*1), Y7
	VPXOR 0(DX)(CX*1), Y0, Y0
	VPXOR 32(DX)(CX*1), Y1, Y1
	VPXOR 64(DX)(CX*1), Y2, Y2
	VPXOR 96(DX)(CX*1), Y3, Y3
	VPXOR 128(DX)(CX*1), Y4, Y4
	VPXOR 160(DX)(CX*1), Y5, Y5
	VPXOR 192(DX)(CX*1), Y6, Y6
	VPXOR 224(DX)(CX*1), Y7, Y7
	MIX(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)
	VPERMQ $0x93, Y0, Y0
	VPERMQ $0x93, Y4, Y4
	VPERMQ $0x39, Y2, Y2
	VPERMQ $0x39, Y6, Y6
	VPERMQ $0x4e, Y3, Y3
	VPERMQ $0x4e, Y7, Y7
	MIX(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7)
	VPERMQ $0x39, Y0, Y0
	VPERMQ $0x39, Y4, Y4
	VPERMQ $0x93, Y2, Y2
	VPERMQ $0x93, Y6, Y6
	VPERMQ $0x4e, Y3, Y3
	VPERMQ $0x4e, Y7, Y7
	VMOVDQU Y0, 0(AX)(CX*1)
	VMOVDQU Y1, 32(AX)(CX*1)
	VMOVDQU Y2, 64(AX)(CX*1)
	VMOVDQU Y3, 96(AX)(CX*1)
	VMOVDQU Y4, 128(AX)(CX*1)
	VMOVDQU Y5, 160(AX)(CX*1)
	VMOVDQU Y6, 192(AX)(CX*1)
	VMOVDQU Y7, 224(AX)(CX*1)
	ADDQ $256, CX
	CMPQ CX, $1024
	JNE rows


	XORQ CX, CX
	COLUMNS(store)
	VZEROUPPER
	RET

// func finishAVX2(z, b, x, y *block, over bool, next *block)
TEXT ·finishAVX2(SB), NOSPLIT, $0-48
	MOVQ z+0(FP), AX
	MOVQ b+8(FP), DI
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), DX
	MOVBLZX over+32(FP), R8
	VBROADCASTI128 ·rotate16<>(SB), Y14
	VBROADCASTI128 ·rotate24<>(SB), Y15
	MOVQ next+40(FP), R9
	PREFETCHT0 0(R9)
	PREFETCHT0 64(R9)
	PREFETCHT0 128(R9)
	PREFETCHT0 192(R9)
	PREFETCHT0 256(R9)
	PREFETCHT0 320(R9)
	PREFETCHT0 384(R9)
	PREFETCHT0 448(R9)
	PREFETCHT0 512(R9)
	PREFETCHT0 576(R9)
	PREFETCHT0 640(R9)
	PREFETCHT0 704(R9)
	PREFETCHT0 768(R9)
	PREFETCHT0 832(R9)
	PREFETCHT0 896(R9)
	PREFETCHT0 960(R9)
	MOVQ $32, CX
columns:
	COLUMNS(store)
	ADDQ $32, CX
	CMPQ CX, $128
	JNE columns
	VZEROUPPER
	RET
