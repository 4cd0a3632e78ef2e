package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/go-jose/go-jose/v4"
)

// A Key signs and verifies with the one algorithm that it is for. [ParseKey] makes it.
type Key struct {
	id        string
	algorithm jose.SignatureAlgorithm
	public    any // what go-jose verifies with: for HMAC the secret itself
	signers   *signers
}

// ID is the key's id, as kid names it.
func (k Key) ID() string { return k.id }

// Algorithm is the key's one algorithm.
func (k Key) Algorithm() string { return string(k.algorithm) }

// Format keeps keys out of logs.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key]") }

// secretSize is the least of HMAC secrets, in bytes (S43, RFC 7518 section 3.2).
var secretSize = map[jose.SignatureAlgorithm]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64}

const (
	newRSABits   = 3072 // S44
	leastRSABits = 2048
)

// Generate makes the material of a new key: random bytes for HMAC, a PKCS #8
// private key for ES256, EdDSA and RS256.
func Generate(algorithm string) ([]byte, error) {
	if size := secretSize[jose.SignatureAlgorithm(algorithm)]; size > 0 {
		secret := make([]byte, size)
		_, _ = rand.Read(secret) // never fails
		return secret, nil
	}
	var private any
	var err error
	switch jose.SignatureAlgorithm(algorithm) {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case jose.RS256:
		private, err = rsa.GenerateKey(rand.Reader, newRSABits)
	default:
		return nil, unsupported(algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("making a key for %s: %w", algorithm, err)
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

// ParseKey makes a key of material, as [Generate] returns it or as it was
// imported. It refuses material that is too short or of another algorithm, and
// ids that could not stand in a header. Errors do not repeat the material.
func ParseKey(id, algorithm string, material []byte) (Key, error) {
	if !safeKeyID(id) {
		return Key{}, fmt.Errorf("key id %q: use 1 to %d letters, digits or . _ ~ -", id, maxKeyID)
	}
	k := Key{id: id, algorithm: jose.SignatureAlgorithm(algorithm)}
	private, err := k.parse(material)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", id, err)
	}
	k.signers = newSigners(jose.SigningKey{Algorithm: k.algorithm, Key: private}, id)
	for _, usual := range []Header{{}, {KeyID: true}} {
		if _, err := k.signers.signer(usual); err != nil {
			return Key{}, fmt.Errorf("key %s: %w", id, err)
		}
	}
	return k, nil
}

// parse sets the public part and returns the private one.
func (k *Key) parse(material []byte) (private any, err error) {
	if size, isHMAC := secretSize[k.algorithm]; isHMAC {
		if len(material) < size {
			return nil, fmt.Errorf("a secret of %d bytes is too short for %s: give at least %d", len(material), k.algorithm, size)
		}
		secret := append([]byte(nil), material...)
		k.public = secret
		return secret, nil
	}
	if private, err = x509.ParsePKCS8PrivateKey(material); err != nil {
		return nil, errors.New("not a PKCS #8 private key") // its own words may quote it
	}
	fits := false
	switch key := private.(type) {
	case *ecdsa.PrivateKey:
		fits = k.algorithm == jose.ES256 && key.Curve == elliptic.P256()
		k.public = key.Public()
	case ed25519.PrivateKey:
		fits = k.algorithm == jose.EdDSA
		k.public = key.Public()
	case *rsa.PrivateKey:
		if k.algorithm == jose.RS256 && key.N.BitLen() < leastRSABits {
			return nil, fmt.Errorf("an RSA key of %d bits is too short: give at least %d", key.N.BitLen(), leastRSABits)
		}
		fits = k.algorithm == jose.RS256
		k.public = key.Public()
	}
	if !fits {
		return nil, unsupported(string(k.algorithm))
	}
	return private, nil
}

// Public returns the public key, or nil for HMAC.
func (k Key) Public() crypto.PublicKey {
	if _, isHMAC := secretSize[k.algorithm]; isHMAC {
		return nil
	}
	return k.public
}

func unsupported(algorithm string) error {
	return fmt.Errorf("algorithm %q does not fit: use HS256, HS384, HS512, ES256, EdDSA or RS256 with a key of its own", algorithm)
}
