package core

import (
	"crypto/rand"
	"math/big"

	"github.com/google/uuid"
)

// maxToken bounds a bearer token of either format, in bytes (S36).
const maxToken = 8 << 10

// leastTokenBytes are the least random bytes of an opaque token: those of a UUID,
// which a contract may fix.
const leastTokenBytes = 16

// validate refuses forms that are unknown or too short to be safe.
func (o Opaque) validate() error {
	if o.Form == "" || o.Form == "base62" || o.Form == "uuid" {
		return nil
	}
	if _, bytes, err := parseForm(o.Form); err != nil || bytes < leastTokenBytes {
		return refuse(InvalidRequest, "form %q: want base62, uuid, %s with N of at least %d bytes", o.Form, formNames, leastTokenBytes)
	}
	return nil
}

// Size tells how many random bits the form has, and how many characters they make;
// ok is false of one that is unknown.
func (o Opaque) Size() (bits, width int, ok bool) {
	switch o.Form {
	case "", "base62":
		return 8 * minSecretBytes, secretDigits, true
	case "uuid":
		return 122, 36, true
	}
	encoding, bytes, err := parseForm(o.Form)
	if err != nil {
		return 0, 0, false
	}
	return 8 * bytes, len(written(encoding, make([]byte, bytes))), true
}

// make makes a token for g that nobody can guess.
func (o Opaque) make(g Grant) (Secret, error) {
	random := NewSecret(o.random())
	if o.Value == nil {
		return random, nil
	}
	return o.Value(random, g)
}

func (o Opaque) random() string {
	switch o.Form {
	case "", "base62":
		random := make([]byte, minSecretBytes)
		_, _ = rand.Read(random) // never fails: it ends the program instead
		return base62(new(big.Int).SetBytes(random), secretDigits)
	case "uuid":
		return uuid.NewString()
	default:
		return randomForm(o.Form)
	}
}
