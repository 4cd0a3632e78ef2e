package core

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math"
	"math/big"
	"regexp"
	"strconv"
)

// randomText returns at least 128 random bits as letters and digits.
func randomText() string { return rand.Text() }

// A KeyForm says what an access key and its secret look like where a contract
// fixes it, as N random bytes: "hexN" in lower-case hexadecimal, "base64_N" in
// standard Base64, "base64url_N" in that of URLs without padding (RFC 4648 section 5),
// and "base62_N" as one number in digits, upper and lower case letters. "" is
// Chancery's own form.
type KeyForm struct{ Identifier, Secret string }

var formPattern = regexp.MustCompile(`^(hex|base64_|base64url_|base62_)([1-9][0-9]{0,2})$`)

// formNames are the forms as messages name them.
const formNames = "hexN, base64_N, base64url_N or base62_N"

const minSecretBytes = 32 // 256 bits (S14)

// Validate refuses forms that are unknown or too short to be safe.
func (f KeyForm) Validate() error {
	if f.Identifier != "" {
		if _, bytes, err := parseForm(f.Identifier); err != nil || bytes < 8 {
			return fmt.Errorf("form of access keys %q: want %s with N of at least 8 bytes, such as hex20", f.Identifier, formNames)
		}
	}
	if f.Secret != "" {
		if _, bytes, err := parseForm(f.Secret); err != nil || bytes < minSecretBytes {
			return fmt.Errorf("form of access key secrets %q: want %s with N of at least %d bytes, such as base64_36", f.Secret, formNames, minSecretBytes)
		}
	}
	return nil
}

func parseForm(form string) (encoding string, bytes int, err error) {
	parts := formPattern.FindStringSubmatch(form)
	if parts == nil {
		return "", 0, fmt.Errorf("unknown form %q", form)
	}
	bytes, err = strconv.Atoi(parts[2])
	return parts[1], bytes, err
}

// newIdentifier makes an access key. Its own form tells people and logs what it is.
func (f KeyForm) newIdentifier() string {
	if f.Identifier == "" {
		return "chk_" + rand.Text()
	}
	return randomForm(f.Identifier)
}

// newSecret makes a secret of at least 256 random bits.
func (f KeyForm) newSecret() Secret {
	if f.Secret == "" {
		return NewSecret(checkedSecret())
	}
	return NewSecret(randomForm(f.Secret))
}

func randomForm(form string) string {
	encoding, bytes, err := parseForm(form)
	if err != nil {
		panic(err) // Validate was not asked
	}
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	return written(encoding, random)
}

// written is random as an encoding of [KeyForm] writes it; how long that is depends on
// how many bytes there are alone.
func written(encoding string, random []byte) string {
	switch encoding {
	case "hex":
		return hex.EncodeToString(random)
	case "base64url_":
		return base64.RawURLEncoding.EncodeToString(random)
	case "base62_":
		width := math.Ceil(float64(8*len(random)) / math.Log2(62))
		return base62(new(big.Int).SetBytes(random), int(width))
	default:
		return base64.StdEncoding.EncodeToString(random)
	}
}

// SecretPrefix begins every secret of Chancery's own form, for secret scanners:
// the prefix, 43 letters and digits that carry 256 bits, and the CRC-32 of those
// 43 in six more.
const SecretPrefix = "chs_"

const (
	secretDigits   = 43
	checksumDigits = 6
)

func checkedSecret() string {
	random := make([]byte, minSecretBytes)
	_, _ = rand.Read(random)
	body := base62(new(big.Int).SetBytes(random), secretDigits)
	return SecretPrefix + body + checksum(body)
}

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), checksumDigits)
}

// LooksLikeSecret reports whether text has the form and checksum of a secret
// that Chancery made.
func LooksLikeSecret(text string) bool {
	if len(text) != len(SecretPrefix)+secretDigits+checksumDigits || text[:len(SecretPrefix)] != SecretPrefix {
		return false
	}
	body := text[len(SecretPrefix) : len(SecretPrefix)+secretDigits]
	return text[len(SecretPrefix)+secretDigits:] == checksum(body)
}

// base62 writes n in digits, upper and lower case letters, padded to width.
func base62(n *big.Int, width int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, width)
	base, digit := big.NewInt(int64(len(alphabet))), new(big.Int)
	n = new(big.Int).Set(n)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}
