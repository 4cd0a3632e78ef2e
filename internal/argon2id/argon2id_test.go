package argon2id

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// compressors are what every test is run with.
func compressors() map[string]compressor {
	all := map[string]compressor{"generic": generic}
	for name, c := range assembled() {
		all[name] = c
	}
	return all
}

func with(c compressor, keeps uint32) *Hasher {
	h := New(keeps)
	h.use(c)
	return h
}

// RFC 9106 section 5.3
func TestVectorOfTheRFC(t *testing.T) {
	in := input{
		password: bytes.Repeat([]byte{1}, 32), salt: bytes.Repeat([]byte{2}, 16),
		secret: bytes.Repeat([]byte{3}, 8), data: bytes.Repeat([]byte{4}, 12),
		passes: 3, memory: 32, lanes: 4, size: 32,
	}
	const want = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
	for name, c := range compressors() {
		if got := hex.EncodeToString(with(c, 32).key(in)); got != want {
			t.Errorf("%s: tag = %s, want %s", name, got, want)
		}
	}
}

// A shape is what a tag is computed from, but for the bytes themselves.
type shape struct {
	password, salt, passes, memory, lanes, size int
}

func (s shape) inputs() (pw, salt []byte) {
	r := rand.NewChaCha8([32]byte{byte(s.memory), byte(s.size), 7})
	pw, salt = make([]byte, s.password), make([]byte, s.salt)
	_, _ = r.Read(pw)
	_, _ = r.Read(salt)
	return pw, salt
}

// check holds h to golang.org/x/crypto.
func check(t *testing.T, h *Hasher, s shape) {
	t.Helper()
	pw, salt := s.inputs()
	got := h.Key(pw, salt, uint32(s.passes), uint32(s.memory), uint8(s.lanes), uint32(s.size))
	want := argon2.IDKey(pw, salt, uint32(s.passes), uint32(s.memory), uint8(s.lanes), uint32(s.size))
	if !bytes.Equal(got, want) {
		t.Errorf("%+v: Key() = %x, want %x", s, got, want)
	}
}

var shapes = []shape{
	{8, 16, 2, 19456, 1, 32}, // the default of new hashes
	{8, 8, 1, 8, 1, 16},      // the least that is stored
	{0, 0, 1, 8, 1, 4},
	{1, 8, 10, 9, 1, 16},
	{100, 100, 2, 15, 1, 31},
	{127, 128, 2, 17, 2, 33},
	{128, 129, 3, 31, 3, 63},
	{129, 16, 1, 32, 4, 64},
	{16 << 10, 16, 2, 37, 4, 65},
	{10, 16, 2, 512, 64, 95},
	{10, 16, 2, 1023, 64, 96},
	{10, 16, 3, 4096, 1, 97}, // more addresses than one block holds
	{10, 16, 3, 4099, 3, 128},
	{10, 16, 1, 2048, 255, 1000},
}

func TestAsTheReference(t *testing.T) {
	for name, c := range compressors() {
		t.Run(name, func(t *testing.T) {
			for _, s := range shapes {
				check(t, with(c, 0), s)
			}
		})
	}
}

func TestAsTheReferenceAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 106))
	for name, c := range compressors() {
		t.Run(name, func(t *testing.T) {
			h := with(c, 400)
			for range 300 {
				lanes := 1 + r.IntN(4)
				check(t, h, shape{
					password: r.IntN(300), salt: r.IntN(300), passes: 1 + r.IntN(4),
					memory: 8*lanes + r.IntN(700), lanes: lanes, size: 4 + r.IntN(200),
				})
			}
		})
	}
}

// What one hash leaves in memory is never seen by the next, whatever their sizes.
func TestNothingIsLeftForTheNextHash(t *testing.T) {
	for name, c := range compressors() {
		t.Run(name, func(t *testing.T) {
			kept := with(c, 256)
			for _, before := range shapes[1:] {
				for _, s := range []shape{{8, 16, 1, 256, 1, 32}, {8, 16, 2, 100, 3, 70}, {0, 8, 1, 8, 1, 16}} {
					soil(kept)
					check(t, kept, before)
					soil(kept)
					check(t, kept, s)
				}
			}
		})
	}
}

// soil fills all that h keeps with what would change a tag.
func soil(h *Hasher) {
	dirt := bytes.Repeat([]byte{0xa5}, blockSize)
	for i := range h.kept {
		h.kept[i].read((*[blockSize]byte)(dirt))
	}
	h.address.input, h.address.block = block{1, 2, 3, 4, 5, 6, 7, 8, 9}, block{1, 2, 3}
	h.last = block{4, 5, 6}
	copy(h.bytes[:], dirt)
	copy(h.seed[:], dirt)
	for _, d := range h.digests {
		if d != nil {
			_, _ = d.Write(dirt)
		}
	}
}

func TestThePasswordIsNotKept(t *testing.T) {
	for _, size := range []int{1, 8, 40, 128, 300} {
		h, pw := New(8), bytes.Repeat([]byte("pass"), size)
		_ = h.Key(pw, []byte("saltsalt"), 1, 8, 1, 32)
		for size, d := range h.digests {
			if d == nil {
				continue
			}
			state, err := d.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(state, []byte("pass")) {
				t.Errorf("the digest of %d bytes still holds a part of a password of %d", size, len(pw))
			}
		}
	}
}

// A tag is the caller's: the next hash does not write into it.
func TestTagsAreTheCallers(t *testing.T) {
	h := New(64)
	first := h.Key([]byte("a"), []byte("saltsalt"), 1, 64, 1, 32)
	before := bytes.Clone(first)
	_ = h.Key([]byte("b"), []byte("saltsalt"), 1, 64, 1, 32)
	if !bytes.Equal(first, before) {
		t.Error("the second hash changed the tag of the first")
	}
}

func TestMemoryIsKeptUpToTheLimit(t *testing.T) {
	h := New(64)
	if h.kept != nil {
		t.Error("memory is kept before the first hash")
	}
	_ = h.Key(nil, nil, 1, 65, 2, 32) // 64 blocks
	first := &h.kept[0]
	_ = h.Key(nil, nil, 1, 128, 1, 32)
	_ = h.Key(nil, nil, 1, 8, 1, 32)
	if len(h.kept) != 64 || first != &h.kept[0] {
		t.Errorf("keeps %d blocks, want the same 64", len(h.kept))
	}
}

func TestAHashAllocatesItsTagAlone(t *testing.T) {
	for name, c := range compressors() {
		h := with(c, 256)
		for _, s := range []shape{{8, 16, 2, 256, 1, 32}, {8, 16, 2, 255, 4, 128}} {
			pw, salt := s.inputs()
			got := testing.AllocsPerRun(10, func() {
				_ = h.Key(pw, salt, uint32(s.passes), uint32(s.memory), uint8(s.lanes), uint32(s.size))
			})
			if got != 1 {
				t.Errorf("%s: %+v: %v allocations, want 1", name, s, got)
			}
		}
	}
}

func TestKeyRefuses(t *testing.T) {
	for _, s := range []shape{{passes: 0, memory: 8, lanes: 1, size: 32}, {passes: 1, memory: 8, lanes: 0, size: 32},
		{passes: 1, memory: 15, lanes: 2, size: 32}, {passes: 1, memory: 8, lanes: 1, size: 3}} {
		func() {
			defer func() {
				if v := recover(); !strings.Contains(fmt.Sprint(v), "argon2id: no hash of") {
					t.Errorf("%+v: panic is %v", s, v)
				}
			}()
			_ = New(8).Key(nil, nil, uint32(s.passes), uint32(s.memory), uint8(s.lanes), uint32(s.size))
		}()
	}
}

// Each compressor makes of any three blocks what the portable one does.
func TestCompressorsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	random := func() (b block) {
		for i := range b {
			b[i] = r.Uint64()
		}
		return b
	}
	for name, c := range assembled() {
		for i := range 100 {
			b, x, y, z := random(), random(), random(), random()
			if i == 0 {
				b, x, y = block{}, block{}, block{}
			}
			for _, over := range []bool{false, true} {
				got, want := b, b
				c.whole(&z, &got, &x, &y, over)
				generic.whole(&z, &want, &x, &y, over)
				if got != want {
					t.Fatalf("%s, over %v: block is not the portable one's", name, over)
				}
			}
			got, want := y, y
			c.whole(&z, &got, &x, &got, false)
			generic.whole(&z, &want, &x, &want, false)
			if got != want {
				t.Fatalf("%s: block in the place of its source is not the portable one's", name)
			}
		}
	}
}

// FuzzHash: any hash is golang.org/x/crypto's, by every compressor, whatever the
// hasher did before.
func FuzzHash(f *testing.F) {
	f.Add([]byte("password"), []byte("somesalt"), uint8(2), uint16(19), uint8(1), uint8(32))
	f.Add([]byte(""), []byte(""), uint8(1), uint16(8), uint8(1), uint8(4))
	f.Add([]byte("x"), []byte("saltsaltsalt"), uint8(3), uint16(1023), uint8(4), uint8(65))
	f.Add([]byte("x"), []byte("saltsaltsalt"), uint8(1), uint16(700), uint8(3), uint8(255))
	hashers := map[string]*Hasher{}
	for name, c := range compressors() {
		hashers[name] = with(c, 512)
	}
	f.Fuzz(func(t *testing.T, pw, salt []byte, passes uint8, memory uint16, lanes, size uint8) {
		lanes = 1 + lanes%8
		p, m, s := 1+uint32(passes%4), 8*uint32(lanes)+uint32(memory%2048), max(minSize, uint32(size))
		want := argon2.IDKey(pw, salt, p, m, lanes, s)
		for name, h := range hashers {
			if got := h.Key(pw, salt, p, m, lanes, s); !bytes.Equal(got, want) {
				t.Errorf("%s: Key(%x, %x, %d, %d, %d, %d) = %x, want %x", name, pw, salt, p, m, lanes, s, got, want)
			}
		}
	})
}
