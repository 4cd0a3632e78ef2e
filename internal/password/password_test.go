package password

import (
	"bytes"
	"strings"
	"testing"
)

// Known answers, each with where it was published.
var vectors = []struct {
	name, password, hash string
}{
	// phc-winner-argon2, src/test.c
	{"argon2id", "password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	{"argon2i", "password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"},
	// golang.org/x/crypto/argon2, made by the reference command
	{"argon2id, 64 KiB", "password", "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$Bo1ismRVk2qm6+YAYLCmWHDb+j3fjUH3"},
	{"argon2d", "password", "$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQ$hydAX9B8MseNZPVH8kFQ0/LnA6ifmBoZ"},
	{"argon2d, two lanes", "password", "$argon2d$v=19$m=64,t=2,p=2$c29tZXNhbHQ$aOJGLJi4vGu2DsaNtBiuLJ7ST8Z0ikDp"},
	// Openwall crypt_blowfish 1.3, wrapper.c
	{"bcrypt 2a", "U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
	{"bcrypt 2b", "U*U*U", "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
	{"bcrypt 2y, high bit", "\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"},
	{"bcrypt, empty", "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"},
	// RFC 7914, section 12
	{"scrypt", "pleaseletmein", "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"},
	// RFC 6070, the fifth, and its counterparts for SHA-256 and SHA-512
	{"pbkdf2", "passwordPASSWORDpassword", "$pbkdf2$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT.QchJuAyNg2YsDkSospGpZM8vBwOA"},
	{"pbkdf2-sha1", "passwordPASSWORDpassword", "$pbkdf2-sha1$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT.QchJuAyNg2YsDkSospGpZM8vBwOA"},
	{"pbkdf2-sha256", "passwordPASSWORDpassword", "$pbkdf2-sha256$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$NIyJ28vTKy8y2BS4EW6EzysXNH68GAAYHE4qH7jdU.HGNVGMfaxH6Q"},
	{"pbkdf2-sha512", "passwordPASSWORDpassword", "$pbkdf2-sha512$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$jAUR9Mbll8asYxXY8DYuIl88UBSVuiO4aMAFF03E7nERW1n55gzZUy.jPg91rv4wIlxYOhhs2CvU2uqXJKPTuA"},
}

// kernels are the reference and ours, which has hashed before.
func kernels(t *testing.T) map[string]Kernel {
	own := NewKernel(Default())
	if _, err := own.Hash(Default(), []byte("before")); err != nil {
		t.Fatal(err)
	}
	return map[string]Kernel{"reference": {}, "own": own}
}

func TestVerifyKnownAnswers(t *testing.T) {
	for name, k := range kernels(t) {
		for _, tt := range vectors {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				h, err := Parse(tt.hash)
				if err != nil {
					t.Fatal(err)
				}
				if !k.Verify(h, []byte(tt.password)) {
					t.Errorf("Verify(%q) = false, want true", tt.password)
				}
				// S11: not trimmed, not folded, not cut.
				for _, other := range []string{tt.password + " ", " " + tt.password, tt.password + "\x00", tt.password + "x", strings.ToUpper(tt.password) + "!"} {
					if k.Verify(h, []byte(other)) {
						t.Errorf("Verify(%q) = true, want false", other)
					}
				}
			})
		}
	}
}

// What one kernel makes the other matches.
func TestKernelsAgree(t *testing.T) {
	own, reference := NewKernel(Default()), Kernel{}
	for _, p := range []Params{Default(), {20000, 3, 1, 32, 64}, {20001, 2, 4, 16, 128}} {
		for _, pair := range [][2]Kernel{{own, reference}, {reference, own}} {
			stored, err := pair[0].Hash(p, []byte("pässword"))
			if err != nil {
				t.Fatal(err)
			}
			h, err := Parse(stored)
			if err != nil {
				t.Fatal(err)
			}
			if !pair[1].Verify(h, []byte("pässword")) || pair[1].Verify(h, []byte("password")) {
				t.Errorf("%+v: what one kernel hashed the other does not match, or matches with anything", p)
			}
		}
	}
}

// What a worker runs where, and what memory it takes.
func TestWhereAHashIsComputed(t *testing.T) {
	const tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, tt := range []struct {
		hash             string
		onThread, inKept bool
	}{
		{"$argon2id$v=19$m=19456,t=2,p=1" + tail, true, true},
		{"$argon2id$v=19$m=64,t=9,p=4" + tail, true, true},
		{"$argon2id$v=19$m=19457,t=2,p=1" + tail, true, false},
		{"$argon2i$v=19$m=64,t=2,p=1" + tail, false, false},
		{vectors[5].hash, true, false},
	} {
		h, err := Parse(tt.hash)
		if err != nil {
			t.Fatal(err)
		}
		k := NewKernel(Default())
		if k.OnThread(h) != tt.onThread || k.InKept(h) != tt.inKept || (Kernel{}).InKept(h) {
			t.Errorf("%s: OnThread() = %v, InKept() = %v, want %v, %v", tt.hash, k.OnThread(h), k.InKept(h), tt.onThread, tt.inKept)
		}
	}
}

func TestNewHashes(t *testing.T) {
	k := NewKernel(Default())
	for _, pw := range []string{"", "a", " a ", "ſecret", "a\x00b", strings.Repeat("x", 73), strings.Repeat("y", MaxPassword)} {
		stored, err := k.Hash(Default(), []byte(pw))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("Hash() = %q", stored)
		}
		h, err := Parse(stored)
		if err != nil {
			t.Fatal(err)
		}
		if !k.Verify(h, []byte(pw)) {
			t.Errorf("a password of %d bytes does not match its own hash", len(pw))
		}
		if len(pw) > 0 && k.Verify(h, []byte(pw[:len(pw)-1])) {
			t.Errorf("a password of %d bytes matches when its last byte is cut", len(pw))
		}
		if h.Outdated(Default()) || Outdated(stored, Default()) {
			t.Error("a new hash is outdated")
		}
	}
	if _, err := k.Hash(Default(), make([]byte, MaxPassword+1)); err == nil {
		t.Error("Hash() takes more than MaxPassword")
	}
}

// S12: Go's own compare takes any password whose first 72 bytes are right.
func TestBcryptNeverMatchesMoreThan72Bytes(t *testing.T) {
	const stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui" // crypt_blowfish
	const first72 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	h, err := Parse(stored)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		password string
		want     bool
	}{
		{first72, true},
		{first72[:71], false},
		{first72 + "c", false},
		{first72 + "chars after 72 are ignored", false},
		{first72 + strings.Repeat("x", 10_000), false},
		{first72 + "\x00", false},
	} {
		if got := (Kernel{}).Verify(h, []byte(tt.password)); got != tt.want {
			t.Errorf("Verify(%d bytes) = %v, want %v", len(tt.password), got, tt.want)
		}
	}
}

// A repetition after a NUL byte is the same bcrypt key, and NULs at the end the same HMAC key.
func TestNULNeverPassesAltered(t *testing.T) {
	for _, tt := range vectors {
		h, err := Parse(tt.hash)
		if err != nil {
			t.Fatal(err)
		}
		for _, altered := range []string{tt.password + "\x00", tt.password + "\x00" + tt.password, tt.password + "\x00\x00\x00"} {
			if (Kernel{}).Verify(h, []byte(altered)) {
				t.Errorf("%s: Verify(%q) = true, want false", tt.name, altered)
			}
		}
	}
}

// S8
func TestParamsBelowTheBarAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Params)
		want   string // "" when allowed
	}{
		{"default", func(*Params) {}, ""},
		{"more of everything", func(p *Params) { *p = Params{65536, 3, 4, 32, 64} }, ""},
		{"zero", func(p *Params) { *p = Params{} }, "memory"},
		{"memory", func(p *Params) { p.Memory-- }, "memory in KiB: 19455"},
		{"passes", func(p *Params) { p.Passes = 1 }, "passes: 1"},
		{"lanes", func(p *Params) { p.Lanes = 0 }, "lanes: 0"},
		{"salt", func(p *Params) { p.SaltSize = 15 }, "salt bytes: 15"},
		{"tag", func(p *Params) { p.TagSize = 31 }, "tag bytes: 31"},
		{"beyond what is verified", func(p *Params) { p.Memory = 256<<10 + 1 }, "memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Default()
			tt.change(&p)
			err := p.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate() = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOutdated(t *testing.T) {
	const salt16, tag32 = "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, tt := range []struct {
		name, hash string
		want       bool
	}{
		{"current", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"stronger", "$argon2id$v=19$m=65536,t=3,p=4$" + salt16 + "$" + tag32, false},
		{"less memory", "$argon2id$v=19$m=19455,t=9,p=1$" + salt16 + "$" + tag32, true},
		{"fewer passes", "$argon2id$v=19$m=47104,t=1,p=1$" + salt16 + "$" + tag32, true},
		{"shorter salt", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16[:12] + "$" + tag32, true},
		{"shorter tag", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + tag32[:24], true},
		{"argon2i", "$argon2i$v=19$m=65536,t=3,p=1$" + salt16 + "$" + tag32, true},
		{"bcrypt", vectors[5].hash, true},
		{"none", "", true},
	} {
		if got := Outdated(tt.hash, Default()); got != tt.want {
			t.Errorf("%s: Outdated() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestCost(t *testing.T) {
	for hash, want := range map[string]int64{
		vectors[0].hash: 64 << 20,
		vectors[9].hash: 128*8*(16384+1) + 64<<10,
		vectors[5].hash: 64 << 10,
	} {
		if h, err := Parse(hash); err != nil || h.Cost() != want {
			t.Errorf("Cost() = %d, %v, want %d", h.Cost(), err, want)
		}
	}
	if got, want := Default().Cost(), int64(19<<20); got != want {
		t.Errorf("Default().Cost() = %d, want %d", got, want)
	}
}

// A decoy is as costly as a real hash and needs none to be made.
func TestDecoy(t *testing.T) {
	calls := 0
	k := Kernel{Argon2id: func(_, _ []byte, passes, memory uint32, lanes uint8, size uint32) []byte {
		calls++
		if p := Default(); passes != p.Passes || memory != p.Memory || lanes != p.Lanes || size != p.TagSize {
			t.Errorf("Argon2id(%d passes, %d KiB, %d lanes, %d bytes)", passes, memory, lanes, size)
		}
		return make([]byte, size)
	}}
	decoy, err := Decoy(Default())
	if err != nil {
		t.Fatal(err)
	}
	if calls != 0 {
		t.Error("Decoy() computes")
	}
	if k.Verify(decoy, []byte("x")) || calls != 1 {
		t.Errorf("Verify() of a decoy computes %d hashes, want 1, and no match", calls)
	}
	if other, _ := Decoy(Default()); bytes.Equal(other.digest.Key(), decoy.digest.Key()) {
		t.Error("two decoys are the same")
	}
}
