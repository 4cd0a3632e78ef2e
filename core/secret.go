package core

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[secret]"

// A Secret is a password, an access key's secret, a ticket or a bearer token on
// its way through the program. However it is printed, encoded or logged it shows
// as [secret]; [Secret.Reveal] is the one way to its text.
type Secret struct{ text *string } // a pointer, as fmt walks unexported fields

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text. Search for its callers to see where secrets go.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Digest is the SHA-256 sum under which generated secrets are stored (S14).
func (s Secret) Digest() Digest { return sha256.Sum256([]byte(s.Reveal())) }

// Format implements [fmt.Formatter]: a String method would not cover %d or %x.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements [encoding.TextMarshaler].
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText implements [encoding.TextUnmarshaler], so that configuration can
// hold a Secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// GobEncode implements gob.GobEncoder, which does not ask MarshalText.
func (Secret) GobEncode() ([]byte, error) { return []byte(redacted), nil }

// A Digest is the SHA-256 sum of a generated secret: 256 random bits need no slow hash.
type Digest [sha256.Size]byte

// Equal compares in constant time.
func (d Digest) Equal(other Digest) bool { return subtle.ConstantTimeCompare(d[:], other[:]) == 1 }

// Format keeps digests out of logs as well.
func (Digest) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[digest]") }

// MarshalText implements [encoding.TextMarshaler].
func (Digest) MarshalText() ([]byte, error) { return []byte("[digest]"), nil }

// GobEncode implements gob.GobEncoder.
func (Digest) GobEncode() ([]byte, error) { return []byte("[digest]"), nil }

// A PasswordHash is a password's hash as a PHC or modular crypt string; "" means
// that the account has no password.
type PasswordHash string

// Format keeps hashes out of logs.
func (PasswordHash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[hash]") }

// MarshalText implements [encoding.TextMarshaler].
func (PasswordHash) MarshalText() ([]byte, error) { return []byte("[hash]"), nil }

// GobEncode implements gob.GobEncoder.
func (PasswordHash) GobEncode() ([]byte, error) { return []byte("[hash]"), nil }
