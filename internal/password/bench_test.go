package password

import "testing"

func BenchmarkHash(b *testing.B) {
	for name, k := range map[string]Kernel{"own": NewKernel(Default()), "x/crypto": {}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Hash(Default(), []byte("correct horse")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(vectors[0].hash); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	const salt, tag = "c29tZXNhbHRzb21lc2FsdA", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, bb := range []struct{ name, hash string }{
		{"argon2id-19MiB-2-1", "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag},
		{"argon2id-64MiB-3-4", "$argon2id$v=19$m=65536,t=3,p=4$" + salt + "$" + tag},
		{"bcrypt-10", "$2b$10$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"},
		{"scrypt-2^15-8-1", "$scrypt$ln=15,r=8,p=1$" + salt + "$" + tag},
		{"pbkdf2-sha256-310000", "$pbkdf2-sha256$310000$" + salt + "$" + "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	} {
		h, err := Parse(bb.hash)
		if err != nil {
			b.Fatal(err)
		}
		k := NewKernel(Default())
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				k.Verify(h, []byte("correct horse"))
			}
		})
	}
}
