package keyring

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/chancery-auth/chancery/core"
)

// seen remembers, by digest, tokens whose signature held a moment ago: clients
// send the same one again and again, and core judges the claims anew each time.
// It is bounded, lives with one set of loaded keys and forgets after five seconds (S49).
type seen struct {
	mu     sync.RWMutex
	since  time.Time // start of the newer generation
	newer  map[tokenDigest]core.Claims
	former map[tokenDigest]core.Claims
}

type tokenDigest [sha256.Size]byte

const (
	maxSeen = 4096 // of one generation
	// A token is found for three generations at most: the rest of its own, up to
	// one more until the next token begins a new one, and that one.
	generation = 5 * time.Second / 3
)

func (s *seen) find(d tokenDigest, now time.Time) (core.Claims, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	age := now.Sub(s.since)
	if age < 2*generation {
		if claims, found := s.newer[d]; found {
			return claims, true
		}
	}
	if age < generation {
		claims, found := s.former[d]
		return claims, found
	}
	return core.Claims{}, false
}

func (s *seen) add(d tokenDigest, claims core.Claims, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.since); age >= generation {
		s.former = s.newer
		if age >= 2*generation {
			s.former = nil
		}
		s.newer, s.since = map[tokenDigest]core.Claims{}, now
	}
	if len(s.newer) < maxSeen {
		s.newer[d] = claims
	}
}
