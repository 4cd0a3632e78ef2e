package token

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

// A Header says what stands in a token's header beside alg.
type Header struct {
	Type  string // typ; "" is JWT
	KeyID bool   // whether there is kid
}

// A signer signs under one header.
type signer interface {
	sign(payload []byte) (string, error)
}

// signers are those of one key, each made when its header is first wanted.
type signers struct {
	key    jose.SigningKey
	keyID  string
	hashes *sync.Pool // nil for asymmetric algorithms
	making sync.Mutex
	made   atomic.Pointer[map[Header]signer] // replaced, never changed
}

// signer finds the signer for h, and makes it at its first use.
func (s *signers) signer(h Header) (signer, error) {
	if found, ok := (*s.made.Load())[h]; ok {
		return found, nil
	}
	s.making.Lock()
	defer s.making.Unlock()
	all := maps.Clone(*s.made.Load())
	if all[h] == nil {
		made, err := s.make(h)
		if err != nil {
			return nil, err
		}
		all[h] = made
		s.made.Store(&all)
	}
	return all[h], nil
}

func newSigners(key jose.SigningKey, keyID string) *signers {
	s := &signers{key: key, keyID: keyID}
	if secret, isHMAC := key.Key.([]byte); isHMAC {
		s.hashes = newHashes(key.Algorithm, secret)
	}
	s.made.Store(&map[Header]signer{})
	return s
}

func (s *signers) make(h Header) (signer, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if h.Type != "" {
		options = options.WithType(jose.ContentType(h.Type))
	}
	if h.KeyID {
		options = options.WithHeader("kid", s.keyID)
	}
	made, err := jose.NewSigner(s.key, options)
	if err != nil {
		return nil, err
	}
	if s.hashes == nil {
		return joseSigner{made}, nil
	}
	sample, err := joseSigner{made}.sign(nil)
	if err != nil {
		return nil, err
	}
	segment, _, _ := strings.Cut(sample, ".")
	return hmacSigner{header: segment + ".", hashes: s.hashes}, nil
}

// A joseSigner signs by go-jose.
type joseSigner struct{ jose.Signer }

func (s joseSigner) sign(payload []byte) (string, error) {
	signed, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return signed.CompactSerialize()
}
