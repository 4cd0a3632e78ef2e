package password

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const salt, tag = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

// What must be refused, by what is wrong with it; seeds of FuzzPHC as well.
var refused = map[string]string{
	"empty":                    "",
	"one dollar":               "$",
	"only dollars":             "$$$$$$$$",
	"plain text":               "password",
	"{PLAIN}":                  "$plaintext$password",
	"unsalted sha":             "$base64$cGFzc3dvcmQ",
	"md5-crypt":                "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
	"sha256-crypt":             "$5$rounds=5000$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8",
	"sha512-crypt":             "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
	"yescrypt":                 "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
	"bcrypt 2x":                "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
	"bcrypt of sha256":         "$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2",
	"ldap prefix":              "{ARGON2}$argon2id$v=19$m=64,t=2,p=1$" + salt + "$" + tag,
	"crypt prefix":             "{CRYPT}$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"pbkdf2 prefix":            "{PBKDF2}4096$" + salt + "$" + tag,
	"something before":         "x$argon2id$v=19$m=64,t=2,p=1$" + salt + "$" + tag,
	"blank before":             " $argon2id$v=19$m=64,t=2,p=1$" + salt + "$" + tag,
	"upper case":               "$ARGON2ID$v=19$m=64,t=2,p=1$" + salt + "$" + tag,
	"no version":               "$argon2id$m=64,t=2,p=1$" + salt + "$" + tag,
	"old version":              "$argon2id$v=16$m=64,t=2,p=1$" + salt + "$" + tag,
	"version as text":          "$argon2id$v=0x13$m=64,t=2,p=1$" + salt + "$" + tag,
	"memory over 256 MiB":      "$argon2id$v=19$m=262145,t=2,p=1$" + salt + "$" + tag,
	"memory of 4 TiB":          "$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + tag,
	"memory overflows 32 bits": "$argon2id$v=19$m=4294967360,t=1,p=1$" + salt + "$" + tag,
	"memory overflows 64 bits": "$argon2id$v=19$m=18446744073709551680,t=1,p=1$" + salt + "$" + tag,
	"memory negative":          "$argon2id$v=19$m=-64,t=1,p=1$" + salt + "$" + tag,
	"memory with a plus":       "$argon2id$v=19$m=+64,t=1,p=1$" + salt + "$" + tag,
	"memory 0":                 "$argon2id$v=19$m=0,t=1,p=1$" + salt + "$" + tag,
	"memory with zeros before": "$argon2id$v=19$m=0064,t=1,p=1$" + salt + "$" + tag,
	"memory as float":          "$argon2id$v=19$m=64.0,t=1,p=1$" + salt + "$" + tag,
	"memory with underscore":   "$argon2id$v=19$m=6_4,t=1,p=1$" + salt + "$" + tag,
	"memory absent":            "$argon2id$v=19$t=1,p=1$" + salt + "$" + tag,
	"memory twice":             "$argon2id$v=19$m=64,m=262144,t=1,p=1$" + salt + "$" + tag,
	"memory again at the end":  "$argon2id$v=19$m=64,t=1,p=1,m=4194304$" + salt + "$" + tag,
	"memory in the version":    "$argon2id$v=19,m=4194304$m=64,t=1,p=1$" + salt + "$" + tag,
	"memory under its lanes":   "$argon2id$v=19$m=8,t=1,p=2$" + salt + "$" + tag,
	"11 passes":                "$argon2id$v=19$m=64,t=11,p=1$" + salt + "$" + tag,
	"0 passes":                 "$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + tag,
	"0 lanes":                  "$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + tag,
	"256 lanes":                "$argon2id$v=19$m=65536,t=1,p=256$" + salt + "$" + tag,
	"16777215 lanes":           "$argon2id$v=19$m=262144,t=1,p=16777215$" + salt + "$" + tag,
	"order changed":            "$argon2id$v=19$t=1,m=64,p=1$" + salt + "$" + tag,
	"blank in parameters":      "$argon2id$v=19$m=64, t=1,p=1$" + salt + "$" + tag,
	"key id":                   "$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA$" + salt + "$" + tag,
	"salt empty":               "$argon2id$v=19$m=64,t=1,p=1$$" + tag,
	"salt of 7 bytes":          "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbA$" + tag,
	"salt of 129 bytes":        "$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 172) + "$" + tag,
	"salt padded":              "$argon2id$v=19$m=64,t=1,p=1$" + salt + "=$" + tag,
	"salt in the URL alphabet": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhb-_$" + tag,
	"salt with line break":     "$argon2id$v=19$m=64,t=1,p=1$c29t\r\nZXNhbHQ$" + tag,
	"tag empty":                "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$",
	"tag of one byte":          "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$AA",
	"tag of 900 bytes":         "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("A", 900),
	"tag of a megabyte":        "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("A", 1<<20),
	"tag of impossible length": "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "AA",
	"something after":          "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "$x",
	"line break after":         "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "\n",
	"NUL after":                "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag + "\x00",
	"bcrypt cost 3":            "$2b$03$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt cost 15":           "$2b$15$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt cost 31":           "$2b$31$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt cost 5":            "$2b$5$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt cost +5":           "$2b$+5$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt cost -1":           "$2b$-1$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt cut":               "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4",
	"bcrypt extended":          "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4aa",
	"bcrypt alphabet":          "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4+",
	"bcrypt parts":             "$2b$05$XXXXXXXXXXXXXXXXXXXXXO$AcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
	"bcrypt as *0":             "*0",
	"scrypt ln 18":             "$scrypt$ln=18,r=8,p=1$" + salt + "$" + tag,
	"scrypt ln 63":             "$scrypt$ln=63,r=8,p=1$" + salt + "$" + tag,
	"scrypt ln 64":             "$scrypt$ln=64,r=8,p=1$" + salt + "$" + tag,
	"scrypt ln negative":       "$scrypt$ln=-1,r=8,p=1$" + salt + "$" + tag,
	"scrypt ln 0":              "$scrypt$ln=0,r=8,p=1$" + salt + "$" + tag,
	"scrypt r 9":               "$scrypt$ln=14,r=9,p=1$" + salt + "$" + tag,
	"scrypt r 0":               "$scrypt$ln=14,r=0,p=1$" + salt + "$" + tag,
	"scrypt p 0":               "$scrypt$ln=14,r=8,p=0$" + salt + "$" + tag,
	"scrypt p 17":              "$scrypt$ln=10,r=8,p=17$" + salt + "$" + tag,
	"scrypt p 1073741823":      "$scrypt$ln=10,r=8,p=1073741823$" + salt + "$" + tag,
	"scrypt much of both":      "$scrypt$ln=17,r=8,p=3$" + salt + "$" + tag,
	"scrypt twice":             "$scrypt$ln=14,r=8,p=1,ln=40$" + salt + "$" + tag,
	"pbkdf2 rounds 2000001":    "$pbkdf2-sha256$2000001$" + salt + "$" + tag,
	"pbkdf2 rounds 2^64":       "$pbkdf2-sha256$18446744073709551616$" + salt + "$" + tag,
	"pbkdf2 rounds 0":          "$pbkdf2-sha256$0$" + salt + "$" + tag,
	"pbkdf2 rounds negative":   "$pbkdf2-sha256$-1000$" + salt + "$" + tag,
	"pbkdf2 rounds named":      "$pbkdf2-sha256$i=1000$" + salt + "$" + tag,
	"pbkdf2 long tag":          "$pbkdf2-sha1$2000000$" + salt + "$" + strings.Repeat("A", 160),
	"pbkdf2-md5":               "$pbkdf2-md5$1000$" + salt + "$" + tag,
	"django":                   "pbkdf2_sha256$260000$salt$tag",
}

func TestParseRefuses(t *testing.T) {
	for name, text := range refused {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse(text)
			if err == nil {
				t.Fatal("Parse() = nil, want an error")
			}
			if took := time.Since(start); took > 50*time.Millisecond {
				t.Errorf("Parse() takes %v", took)
			}
			for _, secret := range []string{tag, "XXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error repeats the tag: %v", err)
				}
			}
		})
	}
	if _, err := Parse(refused["md5-crypt"]); !errors.Is(err, ErrUnsupported) {
		t.Errorf("Parse(md5-crypt) = %v, want ErrUnsupported", err)
	}
}

func TestParseTakesTheBounds(t *testing.T) {
	for _, text := range []string{
		"$argon2id$v=19$m=262144,t=10,p=64$" + salt + "$" + tag,
		"$argon2i$v=19$m=8,t=1,p=1$" + salt + "$" + tag[:22],
		"$scrypt$ln=17,r=8,p=2$" + salt + "$" + tag,
		"$scrypt$ln=13,r=8,p=10$" + salt + "$" + tag,
		"$2y$14$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
		"$2a$04$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
		"$pbkdf2-sha256$2000000$" + salt + "$" + strings.Repeat("A", 86),
	} {
		h, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q) = %v", text, err)
		}
		if h.Cost() > MaxCost {
			t.Errorf("Parse(%q).Cost() = %d, more than %d", text, h.Cost(), MaxCost)
		}
	}
}

var allNumbers = regexp.MustCompile(`[0-9]+`)

// FuzzPHC: any text is refused, or it is on the allow-list and no number in its
// parameters, read apart from the parser, exceeds a bound. Either way at once.
func FuzzPHC(f *testing.F) {
	for _, text := range refused {
		f.Add(text)
	}
	for _, v := range vectors {
		f.Add(v.hash)
	}
	highest := map[string]float64{"argon2id": 262144, "argon2i": 262144, "argon2d": 262144, "scrypt": 17, "2a": 14, "2b": 14, "2y": 14}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		h, err := Parse(text)
		if took := time.Since(start); took > time.Second {
			t.Errorf("Parse() takes %v", took)
		}
		if err != nil {
			return
		}
		parts := strings.Split(text, "$")
		most, known := highest[parts[1]]
		if strings.HasPrefix(parts[1], "pbkdf2") {
			most, known = 2_000_000, true
		}
		if !known || len(text) > 1024 || parts[0] != "" {
			t.Fatalf("Parse(%q) is accepted", text)
		}
		costs := parts[2]
		if strings.HasPrefix(parts[1], "argon2") {
			costs = parts[3]
		}
		for _, digits := range allNumbers.FindAllString(costs, -1) {
			if value, _ := strconv.ParseFloat(digits, 64); value > most {
				t.Errorf("Parse(%q) accepts %s, more than %v", text, digits, most)
			}
		}
		if h.Cost() <= 0 || h.Cost() > MaxCost || strings.ContainsAny(text, "\r\n\x00 ") {
			t.Errorf("Parse(%q).Cost() = %d", text, h.Cost())
		}
		if len(h.digest.Salt()) > maxSalt || len(h.digest.Key()) > maxTag || len(h.digest.Key()) == 0 {
			t.Errorf("Parse(%q) has a salt of %d and a tag of %d bytes", text, len(h.digest.Salt()), len(h.digest.Key()))
		}
	})
}
